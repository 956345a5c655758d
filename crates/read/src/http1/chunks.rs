//! The chunked transfer coding (RFC 9112 section 7.1) of a body that is there in one piece.

use why401_span::{Builder, Derived};

/// The size that a chunk-size line names, its extensions left out.
pub(crate) fn size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|c| *c == b';').next()?.trim_ascii();
    if digits.is_empty() || digits.len() > 16 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Joins the chunks; `None` where the bytes are not chunked at all (a client that prints the joined body).
///
/// A body that is cut off, or broken in its middle, is joined as far as it goes.
pub fn join(body: &Derived) -> Option<Derived> {
    let bytes = body.as_bytes();
    let mut out = Builder::new();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|r| !r.is_empty()) {
        let line_end = memchr::memchr(b'\n', rest);
        let line = rest.get(..line_end.unwrap_or(rest.len())).unwrap_or_default();
        let Some(size) = size(line) else { return (at > 0).then(|| out.finish()) };
        let Some(line_end) = line_end else { return (at > 0).then(|| out.finish()) };
        if size == 0 {
            break;
        }
        let start = at + line_end + 1;
        let end = usize::try_from(size)
            .ok()
            .and_then(|n| start.checked_add(n))
            .map_or(bytes.len(), |e| e.min(bytes.len()));
        // A size that is not followed by a line break was a word of the body.
        let tail = bytes.get(end..).unwrap_or_default();
        if at == 0 && !(tail.is_empty() || tail.starts_with(b"\r") || tail.starts_with(b"\n")) {
            return None;
        }
        out.push_part(body, start..end);
        at = end + tail.iter().take(2).take_while(|c| matches!(c, b'\r' | b'\n')).count();
    }
    Some(out.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str) -> Option<String> {
        join(&Derived::synthetic(text)).map(|d| d.to_text().into_owned())
    }

    #[test]
    fn chunks_are_joined_with_extensions_and_without_an_end() {
        assert_eq!(joined("4\r\nWiki\r\n5;a=b\r\npedia\r\n0\r\n\r\n"), Some("Wikipedia".to_owned()));
        assert_eq!(joined("4\nWiki\nffffffffffffffff\npe"), Some("Wikipe".to_owned()));
    }

    #[test]
    fn what_is_not_chunked_is_left() {
        assert_eq!(joined("{\"a\":1}"), None);
        assert_eq!(joined("2\nword in a text"), None);
        assert_eq!(joined("dead"), None);
    }
}
