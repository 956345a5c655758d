//! The rules: the most particular first, since the first that fits a clause speaks.

mod around;
mod sent;
mod tokens;
mod words;

/// Cause; groups, of each of which one word or phrase must be in the clause (a word that ends in `~` is the beginning of
/// one); what excludes it; what else it may mean.
pub(super) type Given =
    (&'static str, &'static [&'static [&'static str]], &'static [&'static str], &'static [&'static str]);

/// All of them, in the order in which they are asked.
pub(super) fn all() -> impl Iterator<Item = &'static Given> {
    [around::RULES, tokens::RULES, sent::RULES].into_iter().flatten()
}
