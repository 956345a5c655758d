//! Secrets that were pasted together with what a terminal or a string's notation put around them.

use crate::Scene;
use std::ops::Range;
use why401_http::FactKind;
use why401_report::Annotation;

/// Texts that are looked through.
const MOST: usize = 200;
/// A secret is at least so long.
const SECRET: usize = 16;
/// What stands at the beginning of a terminal's colour, as people and programs write the escape character.
const COLOURS: &[&str] = &["\\033[", "\\x1b[", "\\u001b[", "\\e[", "^[[", "\u{241b}["];
/// What stands behind a secret as the notation of a character that is none of its own.
const BEHIND: &[&str] = &["\\n", "\\r", "%0a", "%0d", "\\u200b", "\\ufeff", "\u{200b}", "\u{feff}"];

/// A secret in the words of a person or program with such a thing touching it.
pub(crate) fn around(scene: &Scene<'_>) -> Option<(Annotation, &'static str)> {
    let given = scene.case.facts.iter().filter(|f| matches!(f.kind, FactKind::Configuration { .. }));
    let texts = scene.statements().map(|s| (s.source, &s.text)).chain(given.map(|f| (f.source, &f.text)));
    texts.take(MOST).find_map(|(source, text)| {
        let (range, what) = in_text(&text.to_text())?;
        Some((scene.show_part(source, text, range, what), what))
    })
}

fn in_text(text: &str) -> Option<(Range<usize>, &'static str)> {
    let lower = text.to_ascii_lowercase();
    for colour in COLOURS {
        for (at, _) in lower.match_indices(colour).take(MOST) {
            let rest = lower.get(at + colour.len()..).unwrap_or_default();
            let code = rest.bytes().take_while(|b| b.is_ascii_digit() || *b == b';').count();
            let begin = at + colour.len() + code + 1;
            let ends = rest.as_bytes().get(code) == Some(&b'm');
            if ends && is_secret(word_at(text, begin)) {
                return Some((at..begin, "a terminal's colour stands at the secret"));
            }
        }
    }
    for (at, mark) in lower.match_indices("=\"\"").take(MOST) {
        let secret = word_at(text, at + mark.len());
        let behind = text.get(at + mark.len() + secret.len()..).unwrap_or_default();
        if is_secret(secret) && behind.starts_with("\"\"") {
            return Some((at + 1..at + mark.len(), "quotes stand within the quotes of the secret"));
        }
    }
    for mark in BEHIND {
        for (at, _) in lower.match_indices(mark).take(MOST) {
            let before = text.get(..at).unwrap_or_default();
            let begin = before.rfind(|c: char| !is_part(c)).map_or(0, |i| i + 1);
            let closed = text.get(at + mark.len()..).and_then(|t| t.chars().next());
            let secret = before.get(begin..).unwrap_or_default();
            if is_secret(secret) && closed.is_some_and(|c| matches!(c, '"' | '\'' | '`')) {
                return Some((
                    at..at + mark.len(),
                    "a line break or an invisible character stands at the secret",
                ));
            }
        }
    }
    None
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '/' | '=')
}

fn word_at(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    rest.get(..rest.find(|c| !is_part(c)).unwrap_or(rest.len())).unwrap_or_default()
}

/// Whether a word looks like a secret that a program made: long, with letters and digits.
fn is_secret(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    word.len() >= SECRET
        && digits >= 2
        && word.bytes().any(|b| b.is_ascii_alphabetic())
        && !word.contains("://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_touches_a_secret_is_seen() {
        for text in [
            r"the token is \033[0;32mghu_A1b2C3d4E5f6G7h8I9j0\033[0m",
            r#"token: "A1b2C3d4E5f6G7h8I9j0\n""#,
            "key='A1b2C3d4E5f6G7h8I9j0%0A'",
            "//h/:_authToken=\"\"A1b2C3d4E5f6G7h8I9j0\"\"",
        ] {
            assert!(in_text(text).is_some(), "{text}");
        }
    }

    #[test]
    fn other_text_has_none() {
        for text in [
            "",
            r"\033[0;32mPASS\033[0m",
            r#""message":"line one\nline two""#,
            r"C:\new\readme",
            "%0A",
            r"\033[",
        ] {
            assert!(in_text(text).is_none(), "{text}");
        }
    }
}
