//! What a refusal says in words that no product is known for: `Webhook signature could not be verified`,
//! `{"code":"ACCOUNT_SUSPENDED"}`.
//!
//! A clause speaks of something (a token, an account) and says something of it (expired, disabled). Rules name both by
//! their words; the first rule that fits a clause gives its gist. That is likely and no more: only wordings whose source
//! is known prove.

mod rules;

use std::ops::Range;
use std::sync::LazyLock;

/// The gist of a clause.
#[derive(Debug, Clone)]
pub(crate) struct Gist {
    /// The name of the cause.
    pub(crate) cause: &'static str,
    /// What it may mean as well.
    pub(crate) also: &'static [String],
    /// The clause.
    pub(crate) range: Range<usize>,
}

/// More of a text is not read for its gist, in bytes.
const MOST: usize = 16 * 1024;
/// Longer clauses are stories, in words.
const LONGEST: usize = 28;

/// What a log has none of, where somebody says what does not stand in it.
const NOTHING: &[&str] =
    &["line", "lines", "entry", "entries", "mention", "trace", "word", "message", "messages"];

/// A rule: of each group one word or phrase must be in the clause, of the last list none.
struct Rule {
    cause: &'static str,
    groups: Vec<Vec<Phrase>>,
    not: Vec<Phrase>,
    also: Vec<String>,
}

/// Words that stand side by side.
struct Phrase {
    /// `true` where the word is the beginning of one.
    words: Vec<(&'static str, bool)>,
    /// How these begin.
    begins: u64,
}

/// A bit for how a word begins: what begins otherwise need not be compared. None for a single letter.
fn beginning(word: &str) -> u64 {
    // The places of the bits are by chance: a multiplier of two dozen spreads two letters over them.
    word.as_bytes().first_chunk::<2>().map_or(0, |[a, b]| 1 << ((a ^ b.wrapping_mul(25)) & 63))
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
    let word = |word: &'static str| match word.strip_suffix('~') {
        Some(stem) => (stem, true),
        None => (word, false),
    };
    let phrases = |list: &[&'static str]| -> Vec<Phrase> {
        let phrase = |phrase: &&'static str| {
            let words: Vec<_> = phrase.split([' ', '_']).map(word).collect();
            Phrase { begins: words.iter().fold(0, |all, (word, _)| all | beginning(word)), words }
        };
        list.iter().map(phrase).collect()
    };
    let rule = |&(cause, groups, not, also): &rules::Given| {
        let groups = groups.iter().map(|group| phrases(group)).collect();
        Rule { cause, groups, not: phrases(not), also: own(also) }
    };
    rules::all().map(rule).collect()
});

/// The gists of a text, one a clause that has any.
pub(crate) fn of(text: &[u8]) -> Vec<Gist> {
    let text = String::from_utf8_lossy(text.get(..text.len().min(MOST)).unwrap_or_default());
    // What is not UTF-8 has moved the places.
    if text.contains('\u{fffd}') {
        return Vec::new();
    }
    let said = clauses(&text).filter(|range| !names_a_thing(&text, range));
    said.filter_map(|range| gist(text.get(range.clone())?, range)).collect()
}

/// Whether the words before this place, in the same sentence, say that there is no such thing: `error.log has no line about a
/// wrong password`.
pub(crate) fn is_of_nothing(text: &[u8], at: usize) -> bool {
    const FAR: usize = 80;
    let before = text.get(at.saturating_sub(FAR)..at).unwrap_or_default();
    let from =
        before.iter().rposition(|b| matches!(b, b'\n' | b'"' | b'!' | b'?' | b';')).map_or(0, |i| i + 1);
    let before = String::from_utf8_lossy(before.get(from..).unwrap_or_default());
    let sentence = before.rsplit(". ").next().unwrap_or_default();
    names_nothing(&words(sentence))
}

fn names_nothing(words: &[String]) -> bool {
    let nothing =
        |pair: &[String]| matches!(pair, [no, what] if no == "no" && NOTHING.contains(&what.as_str()));
    words.windows(2).any(nothing)
}

/// Whether a clause is the name of a member of JSON that is a setting (`"ssoSessionIdleTimeout" : 1800`), or what a thing
/// is called (`"Name": "quota-check-jwt"`): neither says anything. `"token_expired": true` does.
fn names_a_thing(text: &str, range: &Range<usize>) -> bool {
    let (Some(before), Some(clause), Some(behind)) =
        (text.get(..range.start), text.get(range.clone()), text.get(range.end..))
    else {
        return false;
    };
    let (Some(before), Some(behind)) = (before.strip_suffix('"'), behind.strip_prefix('"')) else {
        return false;
    };
    if let Some(value) = behind.trim_start().strip_prefix(':') {
        return !value.trim_start().starts_with("true");
    }
    let key = before.trim_end().strip_suffix(':').map_or("", |key| key.trim_end().trim_end_matches('"'));
    let key = key.rsplit('"').next().unwrap_or_default().to_ascii_lowercase();
    matches!(key.as_str(), "name" | "id") && !clause.contains(' ') && clause.contains(['-', '/', '.'])
}

fn gist(clause: &str, range: Range<usize>) -> Option<Gist> {
    let words = words(clause);
    if words.len() < 2 || words.len() > LONGEST {
        return None;
    }
    if names_nothing(&words) {
        return None;
    }
    let begins = words.iter().fold(0, |all, word| all | beginning(word));
    let has = |list: &[Phrase]| list.iter().any(|p| p.begins & !begins == 0 && holds(&words, &p.words));
    let rule = RULES.iter().find(|r| r.groups.iter().all(|g| has(g)) && !has(&r.not))?;
    Some(Gist { cause: rule.cause, also: &rule.also, range })
}

/// The clauses of a text: what stands between quotes, braces, ends of sentences and of lines.
fn clauses(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let ends = |i: usize, c: char| {
        let next = text.get(i + c.len_utf8()..).and_then(|t| t.chars().next());
        matches!(c, '"' | '{' | '}' | '\n' | ';' | '<' | '>' | '|')
            || matches!(c, '.' | '!' | '?' | ',') && next.is_none_or(char::is_whitespace)
    };
    let mut from = 0;
    let mut marks = text.char_indices().filter(move |(i, c)| ends(*i, *c));
    std::iter::from_fn(move || {
        if from > text.len() {
            return None;
        }
        let (start, end, next) = match marks.next() {
            Some((i, c)) => (from, i, i + c.len_utf8()),
            None => (from, text.len(), text.len() + 1),
        };
        from = next;
        Some(start..end)
    })
}

/// The words of a clause in lower case; `TOKEN_EXPIRED` and `TokenExpired` are two.
fn words(clause: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    for c in clause.chars() {
        let boundary = !c.is_alphanumeric() || before.is_lowercase() && c.is_uppercase();
        if boundary && !word.is_empty() {
            all.push(std::mem::take(&mut word));
            if all.len() > LONGEST {
                return all;
            }
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    if !word.is_empty() {
        all.push(word);
    }
    all
}

/// Whether the words of a phrase stand there side by side.
fn holds(words: &[String], phrase: &[(&str, bool)]) -> bool {
    let fits = |word: &String, (wanted, begins): &(&str, bool)| match begins {
        true => word.starts_with(wanted),
        false => word == wanted,
    };
    words.windows(phrase.len().max(1)).any(|w| w.iter().zip(phrase).all(|(word, wanted)| fits(word, wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn causes(text: &str) -> Vec<&'static str> {
        of(text.as_bytes()).into_iter().map(|g| g.cause).collect()
    }

    #[test]
    fn what_a_log_has_none_of_was_not_said() {
        let text =
            "error.log has no line about a wrong password or an unknown user. A wrong password is logged.";
        let at = |n| text.match_indices("wrong password").nth(n).unwrap().0;
        assert!(is_of_nothing(text.as_bytes(), at(0)) && !is_of_nothing(text.as_bytes(), at(1)));
        assert!(causes("There is no line about an expired token").is_empty());
    }

    #[test]
    fn the_gist_of_refusals_is_understood() {
        for (text, cause) in [
            (r#"{"error":"Webhook signature could not be verified"}"#, "signature-mismatch"),
            (r#"{"code":-1022,"msg":"Signature for this request is not valid."}"#, "signature-mismatch"),
            ("Timestamp for this request is outside of the recvWindow.", "clock-skew"),
            (r#"{"code":"ACCOUNT_SUSPENDED"}"#, "account-disabled"),
            ("<p>Your access token has expired. Please sign in.</p>", "token-expired"),
            (r#"{"message":"TokenExpired"}"#, "token-expired"),
            ("Your IP address 192.0.2.7 is not whitelisted for this API", "address-not-allowed"),
            ("No API key was found in the request", "no-credentials"),
            ("Authorization header missing", "no-credentials"),
            ("The API key has been revoked", "token-revoked"),
            ("Signature verification failed for token", "bad-signature"),
            ("Not enough segments", "token-malformed"),
            ("Account locked after 5 attempts", "account-locked"),
            ("Session timed out", "session-expired"),
            ("The token's audience does not match", "wrong-audience"),
            ("Missing required scope: read:items", "scope-missing"),
            ("Daily quota used up", "rate-limited"),
            ("User bob does not exist", "unknown-user"),
            ("Incorrect password", "wrong-password"),
            ("Invalid username or password", "credentials-refused"),
            ("X-Tenant-ID is missing: tenant not provided", "tenant-missing"),
            ("Test key cannot be used in live mode", "wrong-environment"),
            ("LDAP: can't contact server", "auth-backend-down"),
            ("Invalid API token", "credentials-refused"),
            ("Authentication required", "no-credentials"),
        ] {
            assert_eq!(causes(text).first(), Some(&cause), "{text}");
        }
    }

    #[test]
    fn other_words_have_none() {
        for text in [
            "",
            "Unauthorized",
            "HTTP 401",
            "ok",
            "\"",
            "the user asked for a page",
            "ü\u{fffd}",
            "}{\";",
            r#"{"Name": "quota-check-jwt"}"#,
            r#"{"sessionIdleTimeout" : 1800}"#,
        ] {
            assert!(causes(text).is_empty(), "{text}: {:?}", causes(text));
        }
    }
}
