//! Secrets that were pasted together with what a terminal or a string's notation put around them.

use crate::Scene;
use std::ops::Range;
use why401_auth::base64::{self, Alphabet};
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
    let facts = || scene.case.facts.iter();
    let given = facts().filter(|f| matches!(f.kind, FactKind::Configuration { .. }));
    let texts = scene.statements().map(|s| (s.source, &s.text)).chain(given.map(|f| (f.source, &f.text)));
    let all = scene.statements().map(|s| &s.text).chain(facts().map(|f| &f.text));
    let env_file = all.take(MOST).any(|text| takes_quotes(&text.to_text()));
    let all = scene.statements().map(|s| &s.text).chain(facts().map(|f| &f.text));
    let of_secret = all.take(MOST).any(|text| text.to_text().contains("kind: Secret"));
    let settings = facts().filter(|_| env_file || of_secret).map(|f| (f.source, &f.text));
    let texts = texts.chain(settings).take(MOST);
    let mut texts = texts;
    texts.find_map(|(source, text)| {
        let plain = text.to_text();
        let (range, what) = in_text(&plain)
            .or_else(|| quoted_value(&plain).filter(|_| env_file))
            .or_else(|| encoded_line_break(&plain).filter(|_| of_secret))
            .or_else(|| registry_login(&plain))?;
        Some((scene.show_part(source, text, range, what), what))
    })
}

/// Whether a command reads its environment from a file whose quotes it does not take off, as `docker run --env-file` does
/// (Docker, `docker container run`: no quoting in such files).
fn takes_quotes(text: &str) -> bool {
    let words = || text.split_whitespace();
    words().any(|w| w.starts_with("--env-file"))
        && words().any(|w| matches!(w, "docker" | "podman" | "nerdctl"))
        && words().any(|w| matches!(w, "run" | "create" | "exec"))
}

/// The value of a setting that names a secret, in quotes: `API_KEY="…"`.
fn quoted_value(text: &str) -> Option<(Range<usize>, &'static str)> {
    text.match_indices(['"', '\'']).take(MOST).find_map(|(at, quote)| {
        let name = text
            .get(..at)?
            .strip_suffix('=')?
            .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .next()?;
        let name = name.to_ascii_uppercase();
        let secret = ["KEY", "TOKEN", "SECRET", "PASS"].iter().any(|w| name.contains(w));
        let end = at + 1 + text.get(at + 1..)?.find(quote)?;
        (secret && end > at + 1).then_some((at..end + 1, "quotes of the file became part of the secret"))
    })
}

/// A value of a Kubernetes Secret, which is base64 (<https://kubernetes.io/docs/concepts/configuration/secret/>), that decodes to a
/// login's part with a line break behind it: `echo` and editors put one there.
fn encoded_line_break(text: &str) -> Option<(Range<usize>, &'static str)> {
    let mut at = 0;
    text.split_inclusive('\n').take(MOST).find_map(|line| {
        let start = at;
        at += line.len();
        let (name, value) = line.split_once(':')?;
        let name = name.trim().to_ascii_lowercase();
        let value = value.trim().trim_matches('"');
        let of_login = ["user", "pass", "token", "secret", "key", "login"].iter().any(|w| name.contains(w));
        if !of_login || value.len() < 4 || !value.len().is_multiple_of(4) {
            return None;
        }
        let decoded = base64::decode(value.as_bytes(), 0..value.len(), Alphabet::Standard);
        let (last, rest) = decoded.bytes.expose().split_last()?;
        let ends = matches!(last, b'\n' | b'\r') && !rest.is_empty();
        let is_word = decoded.problems.is_empty() && rest.iter().all(u8::is_ascii_graphic);
        let from = start + line.find(value)?;
        (ends && is_word)
            .then_some((from..from + value.len(), "decoded, a value of the Secret ends in a line break"))
    })
}

/// The login to a registry that ends in a line break: `"auth"` of Docker's config.json, which is base64 of user, colon and
/// password, by itself or within a Secret of Kubernetes (`.dockercfg`, `.dockerconfigjson`), which is base64 of that file
/// (<https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets>).
fn registry_login(text: &str) -> Option<(Range<usize>, &'static str)> {
    const WHAT: &str = "decoded, the login to the registry ends in a line break";
    if let Some(range) = ended_login(text) {
        return Some((range, WHAT));
    }
    [".dockercfg:", ".dockerconfigjson:"].iter().find_map(|name| {
        let from = text.find(name)? + name.len();
        let rest = text.get(from..)?;
        let value = rest.lines().next()?.trim();
        let decoded = base64::decode(value.as_bytes(), 0..value.len(), Alphabet::Standard);
        let file = String::from_utf8_lossy(decoded.bytes.expose()).into_owned();
        ended_login(&file)?;
        let at = from + rest.find(value)?;
        Some((at..at + value.len(), WHAT))
    })
}

/// The value of an `"auth"` that decodes to a pair with a line break behind it.
fn ended_login(text: &str) -> Option<Range<usize>> {
    text.match_indices("\"auth\"").take(MOST).find_map(|(at, name)| {
        let from = at + name.len();
        let open = from + text.get(from..)?.find('"').filter(|n| *n <= 8)? + 1;
        let value = text.get(open..)?.split('"').next()?;
        let decoded = base64::decode(value.as_bytes(), 0..value.len(), Alphabet::Standard);
        let (last, rest) = decoded.bytes.expose().split_last()?;
        let ends = matches!(last, b'\n' | b'\r') && rest.contains(&b':') && decoded.problems.is_empty();
        ends.then_some(open..open + value.len())
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
    if let Some(at) = behind_parameter(text, &lower) {
        return Some((at, "a blank, a line break or a quote came along in the address"));
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

/// What stands, percent-encoded, behind the secret of a parameter in an address: `api_key=…%20`.
fn behind_parameter(text: &str, lower: &str) -> Option<Range<usize>> {
    const MARKS: &[&str] = &["%20", "%0a", "%0d", "%09", "%22", "%27"];
    let found = |mark: &&str| {
        lower.match_indices(*mark).take(MOST).find_map(|(at, mark)| {
            let before = text.get(..at)?;
            let begin = before.rfind(|c: char| !is_part(c) || c == '=').map_or(0, |i| i + 1);
            let name = before.get(..begin)?.strip_suffix('=')?;
            let name = name.rsplit(['&', '?']).next()?.to_ascii_lowercase();
            let ends = text.get(at + mark.len()..)?.chars().next();
            let ends =
                ends.is_none_or(|c| c.is_whitespace() || matches!(c, '&' | '"' | '\'' | '`' | ')' | '>'));
            let of_secret = name.len() < 40 && crate::elsewhere::is_secret(&name);
            (of_secret && ends && is_secret(before.get(begin..)?)).then_some(at..at + mark.len())
        })
    };
    MARKS.iter().find_map(found)
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
    fn quotes_of_a_file_that_is_taken_as_it_is_are_seen() {
        assert!(
            takes_quotes("$ docker run --rm --env-file .env image") && !takes_quotes("docker compose up")
        );
        assert!(quoted_value("LLM_API_KEY=\"abcdefgh\"").is_some() && quoted_value("NAME=\"x\"").is_none());
    }

    #[test]
    fn a_line_break_within_base64_is_seen() {
        assert!(encoded_line_break("data:\n  password: WmF1bmtvZW5pZy04MQo=\n").is_some());
        for text in [
            "  password: WmF1bmtvZW5pZy04MQ==",
            "  note: WmF1bmtvZW5pZy04MQo=",
            "password: Cg==",
            "password:",
        ] {
            assert!(encoded_line_break(text).is_none(), "{text}");
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
