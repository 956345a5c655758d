//! Secrets that are known by their shape wherever they stand.

use crate::ranges::{Ranges, find, from, part};

/// Beginnings of vendors' tokens, from each one's documentation, beside those whose marks
/// [`why401_auth::vendor`] knows; `sk-` is used by many, at any length.
const PREFIXES: &[&str] = &[
    "sk-",
    "dkea",
    "EAAG",
    "pat-na1-",
    "sbs_",
    "re_",
    "tvly-",
    "nvapi-",
    "CFPAT-",
    "squ_",
    "sqp_",
    "sqa_",
    "cio",
    "ory_at_",
    "v1.public.",
    "v2.local.",
    "v3.local.",
    "v4.local.",
    "v4.public.",
    "AQVN",
];

/// What password hashes begin with (crypt(5), RFC 2307).
const HASHES: &[&str] = &[
    "$apr1$",
    "$1$",
    "$2a$",
    "$2b$",
    "$2y$",
    "$5$",
    "$6$",
    "$7$",
    "$y$",
    "$argon2",
    "$scrypt$",
    "{SHA}",
    "{SSHA}",
    "{SHA256}",
    "{SSHA256}",
    "{SHA512}",
    "{SSHA512}",
    "{CRYPT}",
];

/// A token of a vendor has at least so many bytes after its prefix.
const AFTER_PREFIX: usize = 12;

/// Adds what looks like a secret by itself: JWTs, vendors' tokens, password hashes, private keys, long random strings.
pub(crate) fn find_in(text: &str, found: &mut Ranges) {
    private_keys(text, found);
    let mut at = 0;
    while at < text.len() {
        let start = find(text, at, token_char);
        let end = find(text, start, |c| !token_char(c));
        token(text, start, end, found);
        at = end.max(at + 1);
    }
    let mut done = 0;
    for (i, _) in text.match_indices(['$', '{']) {
        if i < done {
            continue;
        }
        let rest = from(text, i);
        if let Some(hash) = HASHES.iter().find(|h| rest.starts_with(**h)) {
            let end = find(text, i, |c| c.is_whitespace() || matches!(c, ':' | '"' | '\'' | ',' | '<'));
            if end > i + hash.len() + 8 {
                found.add(i..end);
            }
            done = end;
        }
    }
}

fn token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '/' | '=' | '~' | ':')
}

/// Looks at one run of token characters, piece by piece: a secret may begin behind `=`, `/` or `:`.
fn token(text: &str, start: usize, end: usize, found: &mut Ranges) {
    if end - start < AFTER_PREFIX {
        return;
    }
    let mut at = start;
    while at < end {
        let stop = find(part(text, 0..end), at, |c| matches!(c, '/' | '=' | ':' | '+' | '~'));
        let piece = part(text, at..stop);
        if let Some(i) = jwt(piece) {
            found.add(at + i..stop);
        } else if vendors(piece) || encoded_pair(piece) {
            found.add(at..padded(text, stop, end));
        } else if telegram(piece, part(text, stop..end)) {
            found.add(stop + 1..end);
        } else {
            for word in words_of(piece).filter(|w| looks_random(w.1, 32)) {
                found.add(at + word.0..padded(text, at + word.0 + word.1.len(), end));
            }
        }
        at = stop + 1;
    }
}

/// The parts between dots, with where they begin.
fn words_of(piece: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    piece.split('.').map(move |word| {
        let start = at;
        at += word.len() + 1;
        (start, word)
    })
}

/// Moves over the `=` of base64.
fn padded(text: &str, at: usize, end: usize) -> usize {
    at + part(text, at..end).bytes().take_while(|b| *b == b'=').count()
}

/// Where a JSON Web Token begins: `eyJ` is `{"` in base64 (RFC 7519 section 3, RFC 7515 section 3.1).
fn jwt(piece: &str) -> Option<usize> {
    let at = piece.find("eyJ")?;
    let boundary = piece.get(..at).is_some_and(|s| !s.ends_with(|c: char| c.is_ascii_alphanumeric()));
    let encoded =
        from(piece, at).bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')).count();
    (boundary && encoded >= 12).then_some(at)
}

fn begins(piece: &str, prefix: &str) -> bool {
    let Some(rest) = piece.strip_prefix(prefix) else { return false };
    let letters =
        rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')).count();
    // `sk-` and the like also begin ordinary hyphenated names.
    letters >= AFTER_PREFIX && rest.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

/// A token that begins as a vendor's do.
fn vendors(piece: &str) -> bool {
    if piece.len() <= AFTER_PREFIX {
        return false;
    }
    // What the vendor says is no secret stays: it names the account.
    let marked = || why401_auth::vendor::identify(piece.as_bytes()).filter(|v| !v.kind.contains("no secret"));
    let telling = piece.bytes().any(|b| b.is_ascii_digit() || b.is_ascii_uppercase());
    PREFIXES.iter().any(|p| begins(piece, p))
        || (telling && marked().is_some_and(|v| v.prefix.is_empty() || begins(piece, v.prefix)))
}

/// Base64 of `user:password`, as it stands in the user's column of a log where the pair was encoded twice.
fn encoded_pair(piece: &str) -> bool {
    (AFTER_PREFIX..=512).contains(&piece.len())
        && crate::base64::decode(piece).is_some_and(|bytes| {
            let (first, last) = (bytes.first().copied(), bytes.last().copied());
            bytes.iter().all(|b| (0x20..0x7f).contains(b))
                && bytes.iter().filter(|b| **b == b':').count() == 1
                && first != Some(b':')
                && last != Some(b':')
        })
}

/// `bot123456:AA...` in a path (Telegram Bot API, "Authorizing your bot").
fn telegram(piece: &str, rest: &str) -> bool {
    let digits = piece.strip_prefix("bot").unwrap_or(piece);
    (6..=12).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && rest.strip_prefix(':').is_some_and(|s| s.bytes().take_while(|b| *b != b'/').count() >= 30)
}

/// Whether a string of at least `least` bytes looks like one that a machine drew.
pub(crate) fn looks_random(text: &str, least: usize) -> bool {
    let count = |f: fn(&u8) -> bool| text.bytes().filter(f).count();
    if text.len() < least
        || !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+' | b'='))
    {
        return false;
    }
    let (digits, upper, lower) =
        (count(u8::is_ascii_digit), count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
    digits >= 2 && upper >= 2 && lower >= 2 && digits + upper >= text.len() / 8
}

/// The content of PEM private keys (RFC 7468), to the end of the text where the end is cut off.
fn private_keys(text: &str, found: &mut Ranges) {
    let mut at = 0;
    while let Some(i) = from(text, at).find("PRIVATE KEY-----") {
        let start = at + i + "PRIVATE KEY-----".len();
        let opens = part(text, at.max((at + i).saturating_sub(40))..at + i).contains("-----BEGIN");
        if !opens {
            at = start;
            continue;
        }
        let end = from(text, start).find("-----END").map_or(text.len(), |n| start + n);
        found.add(start..end);
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let mut found = Ranges::default();
        find_in(text, &mut found);
        let hidden = found.finish();
        why401_span::mask(text, |i| hidden.iter().any(|r| r.contains(&i)))
    }

    #[test]
    fn shapes_are_found_anywhere() {
        for (text, secret) in [
            (
                "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln here",
                "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln",
            ),
            ("x=ghp_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8", "ghp_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"),
            ("alice:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/", "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/"),
            (
                "/bot123456789:AAE8xq-VmJlqFQPLiuiyLHZMzrHRyqXhEzk/getMe",
                "AAE8xq-VmJlqFQPLiuiyLHZMzrHRyqXhEzk/getMe",
            ),
            ("id Zk3Tq9LmW2xVb7NcR4sYp8HdJ6gFa1Qe end", "Zk3Tq9LmW2xVb7NcR4sYp8HdJ6gFa1Qe"),
        ] {
            let hidden = "•".repeat(secret.chars().count());
            assert_eq!(masked(text), text.replace(secret, &hidden));
        }
        assert!(!masked("-----BEGIN RSA PRIVATE KEY-----\nabc\n").contains("abc"));
    }

    #[test]
    fn ordinary_text_is_left() {
        for text in [
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0",
            "550e8400-e29b-41d4-a716-446655440000",
            "sk-learn-based-estimators-are-cool",
            "re_captcha_is_not_solved",
            "/api/v2/organizations/example/repositories?page=2&per_page=100",
            "d41d8cd98f00b204e9800998ecf8427e",
            "org.springframework.security.authentication.BadCredentialsException: Bad credentials",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
