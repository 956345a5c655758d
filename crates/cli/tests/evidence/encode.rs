//! The encodings in which a secret may hide.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - group.len()));
        for digit in 0..4 {
            let is_there = digit <= group.len();
            let value = ALPHABET[(bits >> (18 - 6 * digit) & 63) as usize];
            out.push(if is_there { char::from(value) } else { '=' });
        }
    }
    out
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    base64(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

pub(crate) fn percent(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    text.chars().map(|c| if plain(c) { c.to_string() } else { format!("%{:02X}", c as u32) }).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Every way in which `secret` may be written, and pieces of it that give it away.
pub(crate) fn forms(secret: &str) -> Vec<String> {
    let mut out = vec![
        secret.to_owned(),
        percent(secret),
        percent(secret).to_lowercase(),
        secret.chars().rev().collect(),
        hex(secret.as_bytes()),
        hex(secret.as_bytes()).to_uppercase(),
        // More than half of it is as good as all of it.
        secret[secret.len() / 3..].to_owned(),
        secret[..secret.len() * 2 / 3].to_owned(),
    ];
    // Wherever it begins inside of what is encoded: the digits that depend on it alone.
    for before in 0..3 {
        let padded = [vec![b'x'; before], secret.as_bytes().to_vec()].concat();
        let skip = (before * 8).div_ceil(6);
        let whole = padded.len() * 8 / 6;
        for encoded in [base64(&padded), base64url(&padded)] {
            out.push(encoded[skip..whole].to_owned());
        }
    }
    out
}
