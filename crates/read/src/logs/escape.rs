//! What the spelling of a log hides, undone with places kept.

use super::line::Escape;
use memchr::memchr2;
use why401_span::{Builder, Derived};

/// The value that `spelt` stands for. What needs no undoing keeps its exact place; each escape becomes a piece that
/// points at its spelling.
///
/// In a user name, `\n`, `\r` and `\t` count as escapes only at its end: in `LAB\nina` the backslash is the user's.
pub(crate) fn undo(spelt: Derived, escape: Escape, is_user: bool) -> Derived {
    let bytes = spelt.as_bytes();
    let (mark, other) = match escape {
        Escape::None => return spelt,
        Escape::Backslash | Escape::Json => (b'\\', b'\\'),
        Escape::Plus => (b'+', b'+'),
        Escape::Percent => (b'%', b'%'),
    };
    if memchr2(mark, other, bytes).is_none() {
        return spelt;
    }
    let mut out = Builder::new();
    let (mut at, mut kept) = (0, 0);
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr2(mark, other, rest)) {
        let start = at + found;
        let rest = bytes.get(start..).unwrap_or_default();
        let decoded = match escape {
            Escape::None => None,
            Escape::Plus => Some((1, vec![b' '])),
            Escape::Percent => hex(rest.get(1..3)).map(|b| (3, vec![b])),
            Escape::Backslash => backslash(rest, is_user),
            Escape::Json => json(rest),
        };
        let Some((len, value)) = decoded else {
            at = start + 1;
            continue;
        };
        out.push_part(&spelt, kept..start);
        match spelt.locate(start..start + len) {
            Some(place) => out.push_enclosed(&value, place.span),
            None => out.push_synthetic(&value),
        }
        at = start + len;
        kept = at;
    }
    out.push_part(&spelt, kept..bytes.len());
    out.finish()
}

/// `\x22`, `\"`, `\\`, `\n` ... (Apache's `ap_escape_logitem`; nginx's default knows `\xXX` only).
fn backslash(rest: &[u8], is_user: bool) -> Option<(usize, Vec<u8>)> {
    let value = match rest.get(1)? {
        b'x' => return hex(rest.get(2..4)).map(|b| (4, vec![b])),
        b'"' => b'"',
        b'\\' => b'\\',
        c if is_user && rest.len() > 2 && c.is_ascii_alphabetic() => return None,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'v' => 11,
        _ => return None,
    };
    Some((2, vec![value]))
}

/// The escapes of RFC 8259 section 7, two of them for a character beyond the first 65,536.
pub(crate) fn json(rest: &[u8]) -> Option<(usize, Vec<u8>)> {
    let value = match rest.get(1)? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        b'u' => return unicode(rest),
        c @ (b'"' | b'\\' | b'/') => *c,
        _ => return None,
    };
    Some((2, vec![value]))
}

fn unicode(rest: &[u8]) -> Option<(usize, Vec<u8>)> {
    let unit = |from: usize| {
        let (high, low) = (hex(rest.get(from..from + 2))?, hex(rest.get(from + 2..from + 4))?);
        Some(u32::from(high) << 8 | u32::from(low))
    };
    let first = unit(2)?;
    let (code, len) = match first {
        0xD800..=0xDBFF => match (rest.get(6..8), unit(8)) {
            (Some(b"\\u"), Some(second @ 0xDC00..=0xDFFF)) => {
                (0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00), 12)
            }
            _ => (0xFFFD, 6),
        },
        other => (other, 6),
    };
    let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((len, c.to_string().into_bytes()))
}

fn hex(two: Option<&[u8]>) -> Option<u8> {
    let [high, low] = two? else { return None };
    let digit = |b: &u8| char::from(*b).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use why401_span::{SourceId, Span};

    fn undone(text: &str, escape: Escape, is_user: bool) -> Derived {
        let span = Span::new(SourceId(0), 10, 10 + text.len() as u64);
        undo(Derived::exact(text, span), escape, is_user)
    }

    #[test]
    fn escapes_are_undone_and_point_at_their_spelling() {
        let d = undone(r#"a\x22b\\c"#, Escape::Backslash, false);
        assert_eq!(d.as_bytes(), br#"a"b\c"#);
        let quote = d.locate(1..2).unwrap();
        assert_eq!((quote.span.start, quote.span.end, quote.exact), (11, 15, false));
        let b = d.locate(2..3).unwrap();
        assert_eq!((b.span.start, b.span.end, b.exact), (15, 16, true));
    }

    #[test]
    fn a_domain_in_a_user_name_is_no_escape() {
        assert_eq!(undone(r"LAB\nina", Escape::Backslash, true).as_bytes(), br"LAB\nina");
        assert_eq!(undone(r"LAB\\alice", Escape::Backslash, true).as_bytes(), br"LAB\alice");
        assert_eq!(undone(r"alice\n", Escape::Backslash, true).as_bytes(), b"alice\n");
    }

    #[test]
    fn json_plus_and_percent() {
        assert_eq!(
            undone(r#"\u00e9\ud83d\ude00\"\n\ud800x"#, Escape::Json, false).to_text(),
            "é😀\"\n\u{fffd}x"
        );
        assert_eq!(undone("Mozilla/5.0+(X11)", Escape::Plus, false).as_bytes(), b"Mozilla/5.0 (X11)");
        assert_eq!(undone("a%20b%zz%", Escape::Percent, false).as_bytes(), b"a b%zz%");
    }
}
