//! Finds the secrets of a piece and replaces each at equal length, the same one always by the same.

use crate::replace::Replacements;
use std::ops::Range;
use why401_redact::{SecretSet, secrets_in_field, secrets_in_target, secrets_in_text};

/// Replaces secrets. One for all pieces of a bundle, so that what was equal stays equal.
pub struct Masker<'a> {
    known: &'a SecretSet,
    made: Replacements,
}

impl std::fmt::Debug for Masker<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Masker").finish_non_exhaustive()
    }
}

impl<'a> Masker<'a> {
    /// One that also replaces these wherever they stand.
    pub fn new(known: &'a SecretSet) -> Self {
        let mut made = Replacements::default();
        let mut values: Vec<&str> = known.values().collect();
        // Replacements are numbered: the same evidence gives the same bundle.
        values.sort_unstable();
        values.into_iter().for_each(|value| drop(made.of(value)));
        Masker { known, made }
    }

    /// Any text.
    pub(crate) fn text(&mut self, text: &str) -> String {
        let mut found = secrets_in_text(text);
        addresses(text, &mut found);
        opaque_words(text, &mut found);
        self.apply(text, found)
    }

    /// The value of a field of this name.
    pub(crate) fn field(&mut self, name: &str, value: &str) -> String {
        self.apply(value, secrets_in_field(name, value))
    }

    /// A request target or an address.
    pub(crate) fn target(&mut self, target: &str) -> String {
        self.apply(target, secrets_in_target(target))
    }

    /// A value that is secret as a whole.
    pub(crate) fn whole(&mut self, secret: &str) -> String {
        self.made.of(secret)
    }

    /// The secrets that were replaced so far, taken apart to what is secret as a whole.
    pub(crate) fn replaced(&self) -> impl Iterator<Item = &str> {
        self.made.originals()
    }

    fn apply(&mut self, text: &str, mut found: Vec<Range<usize>>) -> String {
        found.extend(self.known.find(text));
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        for range in joined(found) {
            out.push_str(text.get(at..range.start).unwrap_or_default());
            out.push_str(&self.made.of(text.get(range.clone()).unwrap_or_default()));
            at = range.end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
    }
}

/// Words with parameters in them, as logs show targets.
fn addresses(text: &str, found: &mut Vec<Range<usize>>) {
    let apart = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '|');
    let mut at = 0;
    for word in text.split(apart) {
        let bare = word.trim_end_matches([')', ']', '}', ',', ';', '.', ':']);
        if bare.contains('=') && bare.contains(['?', '&', ';', '#']) && bare.len() < 16 * 1024 {
            found.extend(secrets_in_target(bare).into_iter().map(|r| at + r.start..at + r.end));
        }
        at += word.len();
        at += text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
}

/// Base64 of what no reader here looks into: compressed bytes and UTF-16 (as `powershell -EncodedCommand` takes it).
fn opaque_words(text: &str, found: &mut Vec<Range<usize>>) {
    let of_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=');
    let mut at = 0;
    for word in text.split(|c| !of_base64(c)) {
        if word.len() >= 16
            && let Some(bytes) = crate::base64::decode(word)
        {
            let zeros =
                |odd: usize| bytes.iter().skip(odd).step_by(2).filter(|b| **b == 0).count() * 4 > bytes.len();
            let packed = matches!(
                bytes.as_slice(),
                [0x1f, 0x8b, 8, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..]
            );
            if packed || zeros(0) || zeros(1) {
                found.push(at..at + word.len());
            }
        }
        at += word.len();
        at += text.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
}

/// Sorted, overlapping ones as one.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|r| r.start < r.end);
    ranges.sort_by_key(|r| (r.start, r.end));
    ranges.dedup_by(|next, before| {
        let overlaps = next.start < before.end;
        if overlaps {
            before.end = before.end.max(next.end);
        }
        overlaps
    });
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_secret_is_always_replaced_by_the_same() {
        let mut known = SecretSet::default();
        known.add("hunter2!x");
        let mut m = Masker::new(&known);
        let text = m.text("Authorization: Basic YWxpY2U6aHVudGVyMiF4\npassword=hunter2!x and hunter2!x");
        let last = text.rsplit(' ').next().unwrap_or_default().to_owned();
        assert_eq!(last.len(), 9);
        assert!(!text.contains("hunter2") && text.contains(&format!("password={last} ")), "{text}");
        let basic = text.lines().next().and_then(|l| l.rsplit(' ').next()).and_then(crate::base64::decode);
        assert_eq!(basic, Some(format!("alice:{last}").into_bytes()));
    }

    #[test]
    fn targets_in_logs_lose_their_parameters() {
        let known = SecretSet::default();
        let text = "\"GET /a?sid=qwertz&x=1 HTTP/1.1\" 401";
        let masked = Masker::new(&known).text(text);
        assert!(!masked.contains("qwertz") && masked.ends_with("&x=1 HTTP/1.1\" 401"), "{masked}");
        assert_eq!(masked.len(), text.len());
    }
}
