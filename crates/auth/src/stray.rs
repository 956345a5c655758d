//! Characters that come along unseen: line breaks, byte order marks, zero-width and no-break spaces, typographic
//! quotes. They are the commonest reason why a right secret is refused.

use crate::problem::{Problem, ProblemKind};
use std::ops::Range;

/// What an odd character is, if it is one.
pub fn odd(c: char) -> Option<(ProblemKind, &'static str)> {
    use ProblemKind::{ByteOrderMark, ControlCharacter, Invisible, LineBreak, OddSpace, Typographic};
    Some(match c {
        '\n' => (LineBreak, "a line feed"),
        '\r' => (LineBreak, "a carriage return"),
        '\u{2028}' | '\u{2029}' | '\u{85}' => (LineBreak, "a Unicode line break"),
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => (ControlCharacter, "a control character"),
        '\u{feff}' => (ByteOrderMark, "a byte order mark (U+FEFF)"),
        '\u{a0}' => (OddSpace, "a no-break space (U+00A0)"),
        '\u{202f}' | '\u{2000}'..='\u{200a}' | '\u{3000}' | '\u{205f}' | '\u{1680}' => {
            (OddSpace, "a space other than U+0020")
        }
        '\u{200b}' => (Invisible, "a zero-width space (U+200B)"),
        '\u{200c}' | '\u{200d}' | '\u{2060}' => (Invisible, "a zero-width character"),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            (Invisible, "an invisible mark of text direction")
        }
        '\u{ad}' => (Invisible, "a soft hyphen (U+00AD)"),
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' => {
            (Typographic, "a typographic double quote")
        }
        '\u{2018}' | '\u{2019}' | '\u{201a}' => (Typographic, "a typographic single quote"),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => (Typographic, "a typographic dash"),
        '\u{2026}' => (Typographic, "an ellipsis (U+2026)"),
        _ => return None,
    })
}

/// Text of stray bytes in words, none of it repeated but single ASCII characters.
pub(crate) fn describe(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    match text.chars().find_map(odd) {
        Some((_, name)) => format!("{name} cannot stand here"),
        None => match text.chars().next() {
            Some(c) if c.is_ascii_graphic() => format!("{c:?} cannot stand here"),
            _ => "bytes outside ASCII cannot stand here".to_string(),
        },
    }
}

/// The stray characters of a secret or name, with ranges in `text`: anything odd anywhere, white space at the ends,
/// quotes around the whole. `what` is what the text is ("the password").
pub fn find(text: &[u8], what: &str) -> Vec<Problem> {
    let mut found = Vec::new();
    for (range, c) in chars(text) {
        if let Some((kind, name)) = odd(c) {
            let place = place(&range, text.len());
            found.push(Problem::new(range, kind, format!("{name} {place} {what}")));
            if found.len() >= 16 {
                return found;
            }
        }
    }
    for (b, range, place) in [
        (text.first(), 0..1, "at the start of"),
        (text.last(), text.len().saturating_sub(1)..text.len(), "at the end of"),
    ] {
        if matches!(b, Some(b' ' | b'\t')) {
            found.retain(|p| p.range != range);
            found.push(Problem::new(range, ProblemKind::OuterSpace, format!("white space {place} {what}")));
        }
        if text.len() == 1 {
            break;
        }
    }
    let quoted = |q: u8| text.len() > 2 && text.first() == Some(&q) && text.last() == Some(&q);
    if quoted(b'"') || quoted(b'\'') || quoted(b'`') {
        found.push(Problem::new(0..text.len(), ProblemKind::Quotes, format!("quotes around {what}")));
    }
    let python = |q: u8| text.len() > 3 && text.starts_with(&[b'b', q]) && text.last() == Some(&q);
    if python(b'"') || python(b'\'') {
        let what = format!("b'' of a Python bytes object around {what}: it was printed, not decoded");
        found.push(Problem::new(0..text.len(), ProblemKind::Quotes, what));
    }
    found
}

fn place(range: &Range<usize>, len: usize) -> &'static str {
    match (range.start, range.end) {
        (0, _) => "at the start of",
        (_, end) if end == len => "at the end of",
        _ => "inside",
    }
}

/// The characters of bytes with their ranges; a byte that is not UTF-8 is U+FFFD.
pub(crate) fn chars(bytes: &[u8]) -> impl Iterator<Item = (Range<usize>, char)> + '_ {
    let mut at = 0;
    bytes.utf8_chunks().flat_map(move |chunk| {
        let start = at;
        at += chunk.valid().len() + chunk.invalid().len();
        let bad = start + chunk.valid().len();
        let tail = (!chunk.invalid().is_empty()).then(|| (bad..bad + chunk.invalid().len(), '\u{fffd}'));
        chunk.valid().char_indices().map(move |(i, c)| (start + i..start + i + c.len_utf8(), c)).chain(tail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_along_is_named_with_its_place() {
        let kinds =
            |t: &str| find(t.as_bytes(), "it").into_iter().map(|p| (p.kind, p.range)).collect::<Vec<_>>();
        assert_eq!(kinds("plain pass"), []);
        assert_eq!(kinds("x\n"), [(ProblemKind::LineBreak, 1..2)]);
        assert_eq!(kinds("\u{feff}x"), [(ProblemKind::ByteOrderMark, 0..3)]);
        assert_eq!(kinds(" x"), [(ProblemKind::OuterSpace, 0..1)]);
        assert_eq!(kinds("x\t"), [(ProblemKind::OuterSpace, 1..2)]);
        assert_eq!(kinds("\"x\""), [(ProblemKind::Quotes, 0..3)]);
        assert_eq!(kinds("b'x'"), [(ProblemKind::Quotes, 0..4)]);
        assert_eq!(kinds("bx'"), []);
        assert_eq!(kinds("a\u{200b}b"), [(ProblemKind::Invisible, 1..4)]);
        assert_eq!(find(b"x\xff\n", "it")[0].range, 2..3);
    }
}
