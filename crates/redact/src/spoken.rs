//! Secrets that a sentence tells: "with user alice and password hunter2".

use crate::ranges::{Ranges, find, part, skip_blanks};
use crate::{is_placeholder, words::in_prose};

/// Words behind which a sentence tells a secret, and how long a secret of that kind is at least.
const NAMES: &[(&str, usize)] =
    &[("password", 5), ("passwd", 5), ("passphrase", 5), ("passwort", 5), ("token", 12)];

/// Adds the word behind one of [`NAMES`] where it is no word of a language: letters and digits mixed.
pub(crate) fn find_in(text: &str, found: &mut Ranges) {
    let lower = text.to_ascii_lowercase();
    for (name, least) in NAMES {
        for (at, _) in lower.match_indices(name) {
            let after = at + name.len();
            let mut start = skip_blanks(text, after);
            if start == after {
                continue;
            }
            let mut end = find(text, start, char::is_whitespace);
            if matches!(part(&lower, start..end), "is" | "was" | "=" | ":") {
                start = skip_blanks(text, end);
                end = find(text, start, char::is_whitespace);
            }
            let word = part(text, start..end);
            let edge = |c: char| {
                matches!(c, '"' | '\'' | '`' | '(' | ')' | ',' | '.' | ';' | ':' | '?' | '!' | '<' | '>')
            };
            let inner = word.trim_matches(edge);
            let skipped = word.len() - word.trim_start_matches(edge).len();
            if inner.len() >= *least && is_mixed(inner) && !is_placeholder(inner) && !in_prose(inner) {
                found.add(start + skipped..start + skipped + inner.len());
            }
        }
    }
}

/// Letters and digits, and neither a number in hexadecimal, an address nor a name with a version (`x509-v3`).
fn is_mixed(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let letters = word.bytes().filter(u8::is_ascii_alphabetic).count();
    digits >= 2 && letters >= 2 && !word.starts_with("0x") && !word.contains("://")
}

#[cfg(test)]
mod tests {
    use crate::secrets_in_text;

    fn masked(text: &str) -> String {
        let hidden = secrets_in_text(text);
        why401_span::mask(text, |i| hidden.iter().any(|r| r.contains(&i)))
    }

    #[test]
    fn a_sentence_tells_a_password() {
        assert_eq!(masked("user al and password hun#ter22, on h"), "user al and password •••••••••, on h");
        assert_eq!(masked("my password is \"hunter22\"."), "my password is \"••••••••\".");
        assert_eq!(masked("invalid token a1b2c3d4e5f6"), "invalid token ••••••••••••");
    }

    #[test]
    fn a_sentence_about_passwords_is_left() {
        for text in [
            "password mismatch for bob22",
            "wrong password 0xC000006A",
            "token expired 2026",
            "the token x509-v3",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
