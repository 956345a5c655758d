//! Percent-encoding (RFC 3986 section 2.1).

use crate::syntax::hex_value;

/// Decodes; what is not of the form `%XX` stays as it is.
pub fn decode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while let Some(b) = bytes.get(i).copied() {
        let digit = |n: usize| bytes.get(i + n).copied().and_then(hex_value);
        match (b, digit(1), digit(2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(high << 4 | low);
                i += 3;
            }
            _ => {
                out.push(b);
                i += 1;
            }
        }
    }
    out
}

/// Encodes all but the unreserved characters (RFC 3986 section 2.3), in capital letters, as OAuth 1.0 and AWS
/// Signature Version 4 want it.
pub fn encode(bytes: &[u8]) -> String {
    encode_except(bytes, |_| false)
}

/// Like [`encode`], and leaves the bytes that `keep` names.
pub(crate) fn encode_except(bytes: &[u8], keep: impl Fn(u8) -> bool) -> String {
    let mut out = String::with_capacity(bytes.len());
    for b in bytes {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') || keep(*b) {
            out.push(char::from(*b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}
