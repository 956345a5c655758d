//! What is asked of all wordings together, as tables of numbers: `build.rs` makes them of the data files, so that the
//! program begins without reading any of these.

use std::borrow::Cow;

use crate::place::Places;

/// A table that is built in, or was made of files read later.
pub(crate) type Table<T> = Cow<'static, [T]>;

/// All that is asked before a file itself is looked into.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    /// The name of each product.
    pub(crate) names: Table<Cow<'static, str>>,
    /// The phrases of all products; targets of `said`.
    pub(crate) phrases: Table<Entry>,
    /// The marks of all products; targets of `seen`.
    pub(crate) marks: Table<Entry>,
    /// Those of `marks` that have no wording.
    pub(crate) bare: Table<u32>,
    /// Each code, and its phrase; in order of the phrases.
    pub(crate) codes: Table<(Cow<'static, str>, u32)>,
    /// The channels of phrases and marks, each set once.
    pub(crate) places: Table<Places>,
    pub(crate) said: Wordings,
    pub(crate) seen: Wordings,
}

/// A phrase or a mark.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// Its product, by number.
    pub(crate) product: u16,
    /// Its number within the product.
    pub(crate) number: u16,
    /// Where it is heard, by number.
    pub(crate) places: u16,
    /// Whether it counts only where the product is recognised.
    pub(crate) needs_product: bool,
}

/// Many wordings, and by what each is found. Lists of lists are one list and the ends of its parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wordings {
    /// The words of all wordings, one behind the other; numbered from 1.
    pub(crate) words: Table<u8>,
    pub(crate) word_ends: Table<u32>,
    /// The numbers of the words by their hash, 0 where there is none; a power of two of them.
    pub(crate) slots: Table<u32>,
    /// By first byte: the lengths of the words, a bit each.
    pub(crate) lengths: Table<u64>,
    /// What is demanded of one word after the other: the number of a word, or 0 for any number.
    pub(crate) atoms: Table<u32>,
    /// Where each run of such ends.
    pub(crate) run_ends: Table<u32>,
    /// Where the runs of each wording end.
    pub(crate) wording_ends: Table<u32>,
    /// What each wording stands for.
    pub(crate) targets: Table<u32>,
    /// By word: the wordings that are looked for where it stands.
    pub(crate) singles: Table<Anchor>,
    pub(crate) single_ends: Table<u32>,
    /// By word: the wordings that are looked for where another one follows it, in order of that one.
    pub(crate) pairs: Table<(u32, Anchor)>,
    pub(crate) pair_ends: Table<u32>,
}

/// Where in a wording a word or a pair stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Anchor {
    pub(crate) wording: u32,
    pub(crate) run: u16,
    pub(crate) offset: u16,
}

/// The part with this number of a list of lists.
pub(crate) fn part<'t, T>(list: &'t [T], ends: &[u32], number: usize) -> &'t [T] {
    let end = |number: usize| ends.get(number).map_or(0, |end| *end as usize);
    let start = number.checked_sub(1).map_or(0, end);
    list.get(start..end(number)).unwrap_or_default()
}
