//! What stands around a word or a value, and what a value looks like.

use super::{WEAK_VALUE, Word};
use crate::names::squeezed;
use crate::ranges::part;
use crate::words::in_prose;
use crate::{base64, shapes};

pub(super) fn short_number(text: &str) -> bool {
    text.len() < 4 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Letters only, as a word has them.
pub(super) fn ordinary(text: &str) -> bool {
    let text = text.trim_end_matches(['.', '!', '?']);
    let mut chars = text.chars();
    text.len() < 40
        && chars.next().is_some_and(char::is_alphabetic)
        && chars.all(|c| c.is_lowercase() || matches!(c, '\'' | '-'))
}

/// Twelve bytes at least, letters and digits.
pub(super) fn random_word(text: &str) -> bool {
    (12..WEAK_VALUE).contains(&text.len())
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+' | b'/' | b'=' | b'.' | b'~'))
}

/// Whether this word behind a scheme's name is its credentials rather than the next word of a sentence or a parameter.
pub(super) fn credentials_word(scheme: &str, text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    if in_prose(text) || bare.contains('=') || bare.len() < 3 {
        return false;
    }
    let mixed = text.bytes().any(|b| b.is_ascii_digit()) && text.bytes().any(|b| b.is_ascii_uppercase());
    match scheme.to_ascii_lowercase().as_str() {
        "basic" => base64::decode(text).is_some_and(|d| d.contains(&b':')) || (mixed && text.len() >= 16),
        "negotiate" | "ntlm" | "kerberos" => mixed && text.len() >= 12,
        "bearer" | "dpop" => scheme.starts_with(|c: char| c.is_ascii_uppercase()) || !ordinary(text),
        _ => shapes::looks_random(text, 12) || random_word(text),
    }
}

/// `-u`, `--user`, `-U`, `--proxy-user`, and HTTPie's `-a`.
pub(super) fn user_option(text: &str, word: &Word<'_>) -> bool {
    let short = matches!(word.text, "u" | "U" | "a") && before(text, word, &[" -", "\t-", "\n-"]);
    short || (matches!(word.text, "user" | "proxy-user" | "auth") && before(text, word, &["--"]))
}

/// curl's `-ualice:password`.
pub(super) fn attached_user(text: &str, word: &Word<'_>) -> bool {
    word.text.len() > 1 && word.text.starts_with(['u', 'U']) && before(text, word, &[" -"])
}

/// Whether one of these stands right before the word.
pub(super) fn before(text: &str, word: &Word<'_>, any: &[&str]) -> bool {
    any.iter().any(|b| word.at.checked_sub(b.len()).is_some_and(|i| part(text, i..word.at) == *b))
}

/// Whether only blanks, a dash, or `export` and the like stand before the word on its line. Looks back 24 bytes at most.
pub(super) fn begins_line(text: &str, word: &Word<'_>) -> bool {
    line_before(text, word).is_some_and(|b| {
        let b = b.trim_matches([' ', '\t', '-', '"', '\'']);
        matches!(b, "" | "export" | "set" | "env" | "setx" | "ENV" | "ARG" | "$env")
    })
}

/// `proxy_set_header`, `set $x`, `RequestHeader set`: a directive whose last word is a name.
pub(super) fn directive_before(text: &str, word: &Word<'_>) -> bool {
    line_before(text, word).is_some_and(|b| {
        let b = b.trim_matches([' ', '\t', '$']);
        matches!(
            b,
            "set" | "proxy_set_header" | "fastcgi_param" | "RequestHeader set" | "SetEnv" | "add_header"
        )
    })
}

/// What stands before the word on its line, where that is short.
pub(super) fn line_before<'t>(text: &'t str, word: &Word<'_>) -> Option<&'t str> {
    let bytes = text.as_bytes().get(word.at.saturating_sub(32)..word.at)?;
    let line = bytes.iter().rposition(|b| *b == b'\n').map(|i| i + 1);
    if line.is_none() && word.at > 32 {
        return None;
    }
    let start = word.at - (bytes.len() - line.unwrap_or(0));
    text.get(start..word.at)
}

/// Names of functions and types that take a user and a password.
pub(super) fn takes_login(name: &str) -> bool {
    let name = squeezed(name);
    [
        "basicauth",
        "digestauth",
        "credential",
        "credentials",
        "passwordauthentication",
        "ntlmauth",
        "login",
        "withauth",
    ]
    .iter()
    .any(|end| name.ends_with(end))
}
