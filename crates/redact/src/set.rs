//! Secrets by value: what was a secret in one place is one in every other.

use crate::finder::{Finder, each_spelling};
use crate::grams::Grams;
use crate::names::{FieldKind, field_kind};
use crate::ranges::part;
use crate::words::is_scheme;
use crate::{base64, is_placeholder, secrets_in_field, secrets_in_target, secrets_in_text};
use std::collections::HashSet;
use std::ops::Range;
use std::sync::OnceLock;

/// Shorter values are not looked for by value: they would be found in every second word.
const SHORTEST: usize = 4;

/// Values that are not looked for, since these very words are how a diagnosis talks about secrets.
const WORDS_OF_OURS: &[&str] = &[
    "admin",
    "basic",
    "bearer",
    "client",
    "digest",
    "http",
    "https",
    "login",
    "name",
    "negotiate",
    "ntlm",
    "password",
    "proxy",
    "root",
    "secret",
    "server",
    "test",
    "token",
    "user",
    "username",
];

/// The secrets seen anywhere in a body of evidence, to be found wherever else they stand.
///
/// Holds every value it is given: bounded by what its owner keeps of the evidence.
#[derive(Default)]
pub struct SecretSet {
    values: HashSet<String>,
    finder: OnceLock<Finder>,
}

impl std::fmt::Debug for SecretSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretSet({} values)", self.values.len())
    }
}

impl SecretSet {
    /// Takes a value that is known to be secret.
    pub fn add(&mut self, secret: &str) {
        let secret = secret.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\''));
        // The name of a scheme stands in every other sentence of a diagnosis.
        let ours =
            WORDS_OF_OURS.binary_search(&secret.to_ascii_lowercase().as_str()).is_ok() || is_scheme(secret);
        let number = secret.len() < 6 && secret.bytes().all(|b| b.is_ascii_digit());
        if secret.len() < SHORTEST || ours || number || is_placeholder(secret) {
            return;
        }
        if self.values.insert(secret.to_owned()) {
            self.finder = OnceLock::new();
        }
    }

    /// Takes the secrets of a field, and what Basic credentials among them decode to.
    pub fn field(&mut self, name: &str, value: &str) {
        self.take(value, secrets_in_field(name, value));
        if matches!(field_kind(name), FieldKind::Credentials | FieldKind::Secret) {
            let coded = value
                .split([' ', ',', '\t'])
                .filter(|w| base64::decode(w).is_some_and(|b| b.contains(&b':')));
            coded.for_each(|word| self.basic(word));
        }
    }

    /// Takes the secrets of a request target or an address.
    pub fn target(&mut self, target: &str) {
        self.take(target, secrets_in_target(target));
    }

    /// Takes the secrets of any text.
    pub fn text(&mut self, text: &str) {
        self.take(text, secrets_in_text(text));
    }

    fn take(&mut self, text: &str, found: Vec<Range<usize>>) {
        for range in found {
            let secret = part(text, range);
            self.add(secret);
            self.basic(secret);
            let plain = percent_decoded(secret);
            if plain != secret {
                self.add(&plain);
            }
        }
    }

    /// The password of a `user:password` in base64 (RFC 7617 section 2), or as it stands. Where there is no colon, or
    /// where it was encoded twice, nobody can say which part is the secret: all of it is.
    fn basic(&mut self, word: &str) {
        let decoded = base64::decode(word).and_then(|bytes| String::from_utf8(bytes).ok());
        let readable = |text: &&String| text.chars().filter(|c| c.is_control()).count() <= 2;
        let Some(pair) = decoded.as_ref().filter(readable) else {
            return self.pair(word);
        };
        self.pair(pair);
        let user = pair.split(':').next().unwrap_or(pair);
        let again = base64::decode(user.trim()).and_then(|bytes| String::from_utf8(bytes).ok());
        if user.len() >= 8
            && let Some(again) = again.filter(|a| readable(&a) && a.contains(':'))
        {
            self.add(user);
            self.pair(&again);
        }
    }

    fn pair(&mut self, pair: &str) {
        match pair.split_once(':') {
            // The name of an account is shown, also where somebody took it for the password.
            Some((user, password)) if password.trim() != user => self.add(password),
            Some(_) => {}
            None => self.add(pair),
        }
    }

    /// The values themselves, for who replaces them.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(String::as_str)
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Where any of the values stands in a text: as it is, in base64 (also inside a longer value), percent-encoded, in
    /// hexadecimal digits or escaped as in JSON.
    pub fn find(&self, text: &str) -> Vec<Range<usize>> {
        self.finder.get_or_init(|| self.finder_for(|_| true)).find(text)
    }

    /// The text with each character of such a place shown as `•`.
    pub fn scrub(&self, text: &str) -> String {
        masked(text, &self.find(text))
    }

    /// Finds what may stand in these texts: of very many values nearly none do, and the others need no memory.
    pub(crate) fn among(&self, texts: &Grams) -> Finder {
        self.finder_for(|spelling| texts.may_hold(spelling))
    }

    fn finder_for(&self, wanted: impl Fn(&str) -> bool) -> Finder {
        let mut spellings = Vec::new();
        for value in &self.values {
            each_spelling(value, &mut |spelling| {
                if wanted(spelling) {
                    spellings.push(spelling.to_owned());
                }
            });
        }
        Finder::new(spellings)
    }
}

/// The text with each character in these ranges (sorted, apart) shown as `•`.
pub(crate) fn masked(text: &str, hidden: &[Range<usize>]) -> String {
    if hidden.is_empty() {
        return text.to_owned();
    }
    let mut hidden = hidden.iter().peekable();
    text.char_indices()
        .map(|(i, c)| {
            while hidden.next_if(|r| r.end <= i).is_some() {}
            if hidden.peek().is_some_and(|r| r.start <= i) { '•' } else { c }
        })
        .collect()
}

fn percent_decoded(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(b) = rest.next() {
        let mut ahead = rest.clone();
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        match (b, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = ahead;
            }
            _ => bytes.push(b),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(secret: &str) -> SecretSet {
        let mut s = SecretSet::default();
        s.add(secret);
        s
    }

    #[test]
    fn a_secret_is_found_in_every_spelling() {
        let s = set("Pa$$ w0rd");
        for text in [
            "x Pa$$ w0rd y",
            "Pa%24%24%20w0rd",
            "Pa%24%24%20w0rd".to_lowercase().as_str(),
            "506124242077307264",
        ] {
            let all_of_it = s.scrub(text);
            assert!(all_of_it.contains("••••••••"), "{text}: {all_of_it}");
        }
        for user in ["a", "al", "ali", "alic"] {
            let encoded = base64::encode(format!("{user}:Pa$$ w0rd").as_bytes());
            assert!(s.scrub(&encoded).matches('•').count() >= 10, "{encoded}");
        }
    }

    #[test]
    fn what_a_field_holds_is_found_elsewhere() {
        let mut s = SecretSet::default();
        s.field("Authorization", "Basic YWxpY2U6aHVudGVyMg==");
        s.target("/p?access_token=Zk3Tq9LmW2");
        assert_eq!(s.scrub("alice sent hunter2 and Zk3Tq9LmW2"), "alice sent ••••••• and ••••••••••");
        assert_eq!(s.scrub("YWxpY2U6aHVudGVyMg=="), "••••••••••••••••••••");
        assert!(!format!("{s:?}").contains("hunter"));
    }

    #[test]
    fn a_long_secret_is_found_where_it_is_cut_off() {
        let long: String = (0..200u32).map(|i| char::from(b'A' + (i * 7 % 26) as u8)).collect();
        let s = set(&long);
        let (head, tail) = (part(&long, 0..60), part(&long, 100..200));
        assert_eq!(s.scrub(&format!("got {head}…")), format!("got {}…", "•".repeat(60)));
        assert_eq!(s.scrub(&format!("got …{tail}")), format!("got …{}", "•".repeat(100)));
    }

    #[test]
    fn ordinary_words_are_left() {
        let mut s = set("password");
        ["pass", "abc", "1234", "null"].iter().for_each(|w| s.add(w));
        assert_eq!(s.scrub("the compass, a password and null"), "the compass, a password and null");
    }
}
