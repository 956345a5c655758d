//! The last look at a piece before it is packed: is any secret still in it, in whatever encoding?

use crate::Masker;
use why401_redact::SecretSet;

/// Whether the bytes hold a secret that was to be replaced: as it is, in base64, percent-encoded, in hexadecimal digits,
/// escaped as in JSON, each of them in UTF-8 or UTF-16.
pub(crate) fn holds_secret(bytes: &[u8], masker: &Masker<'_>) -> bool {
    let mut set = SecretSet::default();
    for secret in masker.replaced().filter(|s| telling(s)) {
        set.add(secret);
    }
    if set.is_empty() {
        return false;
    }
    if !set.find(&String::from_utf8_lossy(bytes)).is_empty() {
        return true;
    }
    let narrow: Vec<u8> = bytes.iter().copied().filter(|b| *b != 0).collect();
    narrow.len() < bytes.len() && !set.find(&String::from_utf8_lossy(&narrow)).is_empty()
}

/// Whether finding these bytes means finding the secret: short and common words stand everywhere.
fn telling(secret: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| secret.bytes().any(|b| kind(&b));
    let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    secret.len() >= 8 && (mixed || secret.len() >= 12) || secret.len() >= 6 && mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_in_every_writing() {
        let mut known = SecretSet::default();
        known.add("hunter2!secret");
        let m = Masker::new(&known);
        let wide: Vec<u8> = "x hunter2!secret".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for bytes in
            [b"a hunter2!secret b".as_slice(), b"68756e7465723221736563726574", b"hunter2%21secret", &wide]
        {
            assert!(holds_secret(bytes, &m), "{}", String::from_utf8_lossy(bytes));
        }
        assert!(!holds_secret(b"hunter3!secret", &m));
    }
}
