//! Strings as programming languages print them: escapes undone, positions kept.

use why401_span::{Builder, Derived};

/// The inside of a quoted string that begins at `open`, with its escapes undone, and where the text goes on behind it.
///
/// Knows what Python, JavaScript, JSON and Rust have in common: `\n`, `\r`, `\t`, `\0`, `\xHH`, `\uHHHH`, `\u{H}`, and a
/// backslash before anything else. A string that is not closed ends with the text.
pub(super) fn string(text: &Derived, open: usize) -> Option<(Derived, usize)> {
    let bytes = text.as_bytes();
    let quote = *bytes.get(open).filter(|c| matches!(c, b'"' | b'\'' | b'`'))?;
    let mut out = Builder::new();
    let mut at = open + 1;
    let mut plain = at;
    while let Some(c) = bytes.get(at) {
        if *c == quote {
            out.push_part(text, plain..at);
            return Some((out.finish(), at + 1));
        }
        if *c != b'\\' {
            at += 1;
            continue;
        }
        out.push_part(text, plain..at);
        let (len, decoded) = escape(bytes.get(at + 1..).unwrap_or_default());
        let end = (at + 1 + len).min(bytes.len());
        match text.locate(at..end) {
            Some(place) => out.push_enclosed(decoded.as_slice(), place.span),
            None => out.push_synthetic(decoded.as_slice()),
        }
        at = end;
        plain = end;
    }
    out.push_part(text, plain..bytes.len());
    Some((out.finish(), bytes.len()))
}

/// How long an escape is behind its backslash, and what it stands for.
fn escape(text: &[u8]) -> (usize, Vec<u8>) {
    let hex = |digits: &[u8]| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
    let utf8 =
        |code: u32| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER).to_string().into_bytes();
    match text {
        [b'n', ..] => (1, b"\n".to_vec()),
        [b'r', ..] => (1, b"\r".to_vec()),
        [b't', ..] => (1, b"\t".to_vec()),
        [b'0', ..] => (1, vec![0]),
        [b'x', rest @ ..] => match rest.get(..2).and_then(hex).and_then(|c| u8::try_from(c).ok()) {
            Some(byte) => (3, vec![byte]),
            None => (1, b"x".to_vec()),
        },
        [b'u', b'{', rest @ ..] => {
            let len = rest.iter().take(8).position(|c| *c == b'}').unwrap_or(0);
            match rest.get(..len).and_then(hex) {
                Some(code) => (3 + len, utf8(code)),
                None => (1, b"u".to_vec()),
            }
        }
        [b'u', rest @ ..] => match rest.get(..4).and_then(hex) {
            Some(high @ 0xd800..0xdc00) => {
                let low =
                    rest.get(4..).and_then(|r| r.strip_prefix(b"\\u")).and_then(|r| r.get(..4)).and_then(hex);
                match low {
                    Some(low @ 0xdc00..0xe000) => {
                        (11, utf8(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)))
                    }
                    _ => (5, utf8(high)),
                }
            }
            Some(code) => (5, utf8(code)),
            None => (1, b"u".to_vec()),
        },
        [c, ..] => (1, vec![*c]),
        [] => (0, Vec::new()),
    }
}

/// The lines of a text that stands in one piece, without their line breaks.
pub(super) fn lines(text: &Derived) -> Vec<Derived> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut from = 0;
    while let Some(end) = bytes.get(from..).and_then(|b| memchr::memchr(b'\n', b)) {
        let line = text.slice(from..from + end);
        let without = line.as_bytes().strip_suffix(b"\r").map_or(line.len(), <[u8]>::len);
        out.push(line.slice(0..without));
        from += end + 1;
    }
    if from < bytes.len() {
        out.push(text.slice(from..bytes.len()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use why401_span::{SourceId, Span};

    #[test]
    fn escapes_of_every_kind_are_undone_in_place() {
        let source = r#"x 'a\r\n\x41é\'\u00e9\ud83d\ude00\q' rest"#;
        let text = Derived::exact(source, Span::new(SourceId(0), 0, source.len() as u64));
        let (inside, end) = string(&text, 2).unwrap();
        assert_eq!(inside.to_text(), "a\r\nAé'é😀q");
        assert_eq!(source.get(end..), Some(" rest"));
        let at = inside.locate(3..4).unwrap();
        assert_eq!((at.span.start, at.span.end, at.exact), (8, 12, false));
    }

    #[test]
    fn a_string_that_is_cut_ends_with_the_text() {
        for text in ["'abc", "'abc\\", "'abc\\x", "'abc\\u{", "'abc\\ud83d\\u"] {
            let (inside, end) = string(&Derived::synthetic(text), 0).unwrap();
            assert!(inside.to_text().starts_with("abc") && end == text.len(), "{text}");
        }
    }
}
