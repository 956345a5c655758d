//! What stands in the place of a secret: of the same length and kind, so that what proves a cause stays.

use crate::{base64, opaque, token};
use std::collections::{HashMap, HashSet};
use why401_redact::is_placeholder;

/// Replacements by the secret that they stand for; those that are made of parts are made anew of them.
#[derive(Default)]
pub(crate) struct Replacements {
    made: HashMap<String, String>,
    /// What was put in, so that it is not taken for a secret again.
    put: HashSet<String>,
}

impl Replacements {
    /// The replacement of a secret, as long as it is in bytes.
    ///
    /// Of Basic credentials the user stays, of a JWT what is shown of one anyway, of NTLM and SPNEGO all but the proofs.
    pub(crate) fn of(&mut self, secret: &str) -> String {
        // A placeholder is no secret, and what went wrong.
        if is_placeholder(secret) {
            return secret.to_owned();
        }
        if self.put.contains(secret) {
            return secret.to_owned();
        }
        // Signs of the text around it, and what makes a value malformed.
        let bare = secret.trim_end_matches([')', ']', '}', '>', ',', ';', '\'', '"', '!', '\\']);
        let made = self.structured(bare, 0).unwrap_or_else(|| self.plain(bare));
        let made = made + secret.get(bare.len()..).unwrap_or_default();
        self.put.insert(made.clone());
        made
    }

    pub(crate) fn originals(&self) -> impl Iterator<Item = &str> {
        self.made.keys().map(String::as_str)
    }

    fn structured(&mut self, secret: &str, depth: u8) -> Option<String> {
        if let Some(made) = token::masked(secret, &mut |part| self.plain(part)) {
            return Some(made);
        }
        let bytes = base64::decode(secret).filter(|b| b.len() >= 3)?;
        if let Some(made) = opaque::masked(&bytes) {
            return Some(base64::encode_like(&made, secret));
        }
        match String::from_utf8(bytes) {
            Ok(text) if readable(&text) => {
                let made = match text.split_once(':') {
                    Some((user, password)) if password.trim() == user => text.clone(),
                    Some((user, password)) => format!("{user}:{}", self.of(password)),
                    // Encoded twice.
                    None if depth < 3 => self.structured(&text, depth + 1)?,
                    None => return None,
                };
                Some(base64::encode_like(made.as_bytes(), secret))
            }
            Ok(_) => None,
            Err(e) => latin_1(&e.into_bytes()).map(|made| base64::encode_like(&made, secret)),
        }
    }

    /// Letters for letters and digits for digits, drawn by the number of the secret and by nothing that it holds.
    fn plain(&mut self, secret: &str) -> String {
        if let Some(known) = self.made.get(secret) {
            return known.clone();
        }
        if self.put.contains(secret) {
            return secret.to_owned();
        }
        let mut draw = Draw(self.made.len() as u64 + 1);
        let prefix = why401_auth::vendor::identify(secret.as_bytes()).map_or("", |v| v.prefix);
        let rest = secret.strip_prefix(prefix).unwrap_or(secret);
        let hex = rest.len() >= 16 && rest.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        let mut out = prefix.to_owned();
        let mut chars = rest.chars().peekable();
        while let Some(c) = chars.next() {
            let mut ahead = chars.clone();
            match c {
                // An escape stays one: `%2B`, `\x22`, `\u00e4`, `\"`.
                '%' if is_hex(ahead.next()) && is_hex(ahead.next()) => {
                    out.push_str("%2D");
                    chars = ahead;
                }
                '\\' => {
                    out.push('\\');
                    escape(&mut chars, &mut out);
                }
                c => out.push(draw.like(c, hex)),
            }
        }
        self.made.insert(secret.to_owned(), out.clone());
        self.put.insert(out.clone());
        out
    }
}

fn is_hex(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_ascii_hexdigit())
}

/// What follows a backslash.
fn escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    match chars.next() {
        Some(kind @ ('x' | 'u')) => {
            let digits = if kind == 'x' { 2 } else { 4 };
            let mut ahead = chars.clone();
            out.push(kind);
            if (0..digits).all(|_| is_hex(ahead.next())) {
                out.push_str(if kind == 'x' { "2d" } else { "002d" });
                *chars = ahead;
            }
        }
        // White space in a secret is what proves a cause.
        Some(c @ ('n' | 'r' | 't')) => out.push(c),
        Some('\\') => out.push('\\'),
        Some(c) if c.is_ascii() => out.push('/'),
        Some(c) => out.push(c),
        None => {}
    }
}

/// Whether this is text as people type it.
fn readable(text: &str) -> bool {
    text.chars().filter(|c| c.is_control()).count() <= 2
}

/// `user:password` in ISO 8859-1: what is not ASCII stays so.
fn latin_1(bytes: &[u8]) -> Option<Vec<u8>> {
    let colon = bytes.iter().position(|b| *b == b':')?;
    if bytes.iter().any(|b| *b < 0x20 || (0x7f..0xa0).contains(b)) {
        return None;
    }
    let mut draw = Draw(bytes.len() as u64);
    let mask = |(i, b): (usize, &u8)| match *b {
        b if i <= colon => b,
        b if b >= 0x80 => 0xe9,
        b => draw.like(char::from(b), false) as u8,
    };
    Some(bytes.iter().enumerate().map(mask).collect())
}

/// Numbers that look drawn (splitmix64, Steele, Lea and Flood 2014).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn of(&mut self, set: &[u8]) -> char {
        let at = (self.next() % set.len().max(1) as u64) as usize;
        set.get(at).map_or('x', |b| char::from(*b))
    }

    /// A character of the same kind that takes as many bytes.
    fn like(&mut self, c: char, hex: bool) -> char {
        match c {
            '0'..='9' => self.of(b"0123456789"),
            'a'..='f' if hex => self.of(b"abcdef"),
            'A'..='F' if hex => self.of(b"ABCDEF"),
            'a'..='z' => self.of(b"abcdefghijklmnopqrstuvwxyz"),
            'A'..='Z' => self.of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
            // The build of tokens; white space and what cannot be seen prove causes.
            '-' | '_' | '.' | '~' | '+' | '/' | '=' | ':' | '"' => c,
            c if c.is_whitespace() || c.is_control() => c,
            c if c.is_ascii() => self.of(b"abcdefghijklmnopqrstuvwxyz"),
            '\u{fffd}'
            | '\u{feff}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2010}'..='\u{2015}'
            | '\u{2018}'..='\u{201f}' => c,
            c => match c.len_utf8() {
                2 => 'é',
                3 => 'あ',
                _ => '𝕏',
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_proves_a_cause_stays() {
        let mut r = Replacements::default();
        assert!(r.of("ghp_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8").starts_with("ghp_"));
        assert!(r.of("geheim\n").ends_with('\n'));
        assert!(!r.of("päß").is_ascii());
        assert!(r.of("d16e57100c0ffee4711ca9a12b345e66").bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(r.of("a%2Bb").get(1..4), Some("%2D"));
        assert_eq!(r.of("a\\\"b").get(1..3), Some("\\/"));
        let twice = base64::encode_like(b"YWxpY2U6aHVudGVyMg==", "xxxx");
        let made = base64::decode(&r.of(&twice)).unwrap_or_default();
        let inside = base64::decode(&String::from_utf8_lossy(&made)).unwrap_or_default();
        assert!(inside.starts_with(b"alice:") && !inside.ends_with(b"hunter2"));
    }

    proptest! {
        #[test]
        fn length_is_kept_and_the_secret_is_gone(secret in "\\PC{1,60}") {
            let made = Replacements::default().of(&secret);
            prop_assert_eq!(made.len(), secret.len());
            let telling = secret.chars().filter(char::is_ascii_alphanumeric).count();
            if telling >= 8 {
                prop_assert_ne!(made, secret);
            }
        }
    }
}
