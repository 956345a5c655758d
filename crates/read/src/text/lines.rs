//! A text source as lines, whatever its encoding; every line knows where it stands.

use crate::Sink;
use std::io::{self, BufRead};
use why401_report::Problem;
use why401_span::{Builder, Derived, SourceId, Span};

/// What is longer is cut: no field, no JSON document worth reading on one line is.
pub(crate) const MOST_LINE: usize = 512 * 1024;

/// A line of text, without its line break and without the terminal's colours.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// The text.
    pub(crate) text: Derived,
    /// The line break: empty at the end of a source that has none there.
    pub(crate) eol: Derived,
}

impl Line {
    /// The bytes of the text.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The text; what is not UTF-8 is shown as U+FFFD.
    pub(crate) fn str(&self) -> std::borrow::Cow<'_, str> {
        self.text.to_text()
    }

    /// Whether there is nothing but white space on it.
    pub(crate) fn is_blank(&self) -> bool {
        self.bytes().trim_ascii().is_empty()
    }

    /// How many white-space characters it begins with.
    pub(crate) fn indent(&self) -> usize {
        self.bytes().iter().take_while(|c| **c == b' ' || **c == b'\t').count()
    }

    /// The same line without its first `n` bytes.
    pub(crate) fn from(&self, n: usize) -> Line {
        Line { text: self.text.slice(n..self.text.len()), eol: self.eol.clone() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    /// UTF-8 or a superset of ASCII.
    Bytes,
    Utf16 {
        big_endian: bool,
    },
}

/// Takes a source apart into lines.
pub(crate) struct Lines<'a> {
    bytes: &'a mut dyn BufRead,
    source: SourceId,
    encoding: Encoding,
    offset: u64,
    number: u32,
    raw: Vec<u8>,
}

impl<'a> Lines<'a> {
    /// Looks at the first bytes for a byte order mark, or for the zeros of UTF-16 without one.
    pub(crate) fn new(source: SourceId, bytes: &'a mut dyn BufRead) -> io::Result<Self> {
        let head = bytes.fill_buf()?;
        let (encoding, mark) = match head {
            [0xef, 0xbb, 0xbf, ..] => (Encoding::Bytes, 3),
            [0xff, 0xfe, ..] => (Encoding::Utf16 { big_endian: false }, 2),
            [0xfe, 0xff, ..] => (Encoding::Utf16 { big_endian: true }, 2),
            [a, 0, b, 0, c, 0, ..] if *a != 0 && *b != 0 && *c != 0 => {
                (Encoding::Utf16 { big_endian: false }, 0)
            }
            [0, a, 0, b, 0, c, ..] if *a != 0 && *b != 0 && *c != 0 => {
                (Encoding::Utf16 { big_endian: true }, 0)
            }
            _ => (Encoding::Bytes, 0),
        };
        bytes.consume(mark);
        Ok(Lines { bytes, source, encoding, offset: mark as u64, number: 0, raw: Vec::new() })
    }

    /// The next line; `None` at the end.
    pub(crate) fn next(&mut self, sink: &mut dyn Sink) -> io::Result<Option<Line>> {
        let start = self.offset;
        let total = self.read_raw()?;
        if total == 0 {
            return Ok(None);
        }
        self.offset += total;
        self.number = self.number.saturating_add(1);
        if total > self.raw.len() as u64 {
            let what =
                format!("a line of {total} bytes; what is behind its first {} was not read", self.raw.len());
            sink.problem(Problem { offset: start, line: Some(self.number), what });
        }
        let span = Span::new(self.source, start, start).on_line(self.number);
        let whole = match self.encoding {
            Encoding::Bytes => {
                let end = start + self.raw.len() as u64;
                Derived::exact(self.raw.as_slice(), Span { end, ..span })
            }
            Encoding::Utf16 { big_endian } => from_utf16(&self.raw, big_endian, span),
        };
        let bytes = whole.as_bytes();
        let without = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let without = without.strip_suffix(b"\r").unwrap_or(without);
        let eol = whole.slice(without.len()..whole.len());
        let text = without_escapes(&whole, without.len());
        Ok(Some(Line { text, eol }))
    }

    /// Reads up to and with the next line break into `raw`, at most [`MOST_LINE`] of it; gives the true length.
    fn read_raw(&mut self) -> io::Result<u64> {
        self.raw.clear();
        let mut total = 0_u64;
        loop {
            let buffer = match self.bytes.fill_buf() {
                Ok(buffer) => buffer,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            if buffer.is_empty() {
                return Ok(total);
            }
            let (used, done) = match self.encoding {
                Encoding::Bytes => {
                    let end = memchr::memchr(b'\n', buffer);
                    (end.map_or(buffer.len(), |e| e + 1), end.is_some())
                }
                // One byte at a time: an odd number of them may be in the buffer.
                Encoding::Utf16 { big_endian } => {
                    let last = buffer.first().copied().unwrap_or(0);
                    let before = self.raw.last().copied().unwrap_or(1);
                    let odd = total % 2 == 1;
                    (
                        1,
                        odd && if big_endian {
                            (before, last) == (0, b'\n')
                        } else {
                            (before, last) == (b'\n', 0)
                        },
                    )
                }
            };
            let room = MOST_LINE.saturating_sub(self.raw.len());
            self.raw.extend_from_slice(buffer.get(..used.min(room)).unwrap_or_default());
            total += used as u64;
            self.bytes.consume(used);
            if done {
                return Ok(total);
            }
        }
    }
}

/// UTF-16 as UTF-8; each word and each other character is enclosed by its own bytes.
fn from_utf16(raw: &[u8], big_endian: bool, span: Span) -> Derived {
    let units = raw.chunks(2).map(|c| match *c {
        [a, b] if big_endian => u16::from_be_bytes([a, b]),
        [a, b] => u16::from_le_bytes([a, b]),
        _ => 0xfffd,
    });
    let mut out = Builder::new();
    let mut word = String::new();
    let mut word_start = span.start;
    let mut at = span.start;
    for c in char::decode_utf16(units) {
        let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
        let next = at + 2 * c.len_utf16() as u64;
        if !c.is_alphanumeric() && !word.is_empty() {
            out.push_enclosed(word.as_bytes(), Span { start: word_start, end: at, ..span });
            word.clear();
        }
        if word.is_empty() {
            word_start = at;
        }
        word.push(c);
        if !c.is_alphanumeric() {
            out.push_enclosed(word.as_bytes(), Span { start: at, end: next, ..span });
            word.clear();
        }
        at = next;
    }
    if !word.is_empty() {
        out.push_enclosed(word.as_bytes(), Span { start: word_start, end: at, ..span });
    }
    out.finish()
}

/// The first `len` bytes without the escape sequences of a terminal (ECMA-48: CSI and OSC).
fn without_escapes(whole: &Derived, len: usize) -> Derived {
    let bytes = whole.as_bytes().get(..len).unwrap_or_default();
    if memchr::memchr(0x1b, bytes).is_none() {
        return whole.slice(0..len);
    }
    let mut out = Builder::new();
    let mut from = 0;
    while let Some(esc) = bytes.get(from..).and_then(|b| memchr::memchr(0x1b, b)) {
        let esc = from + esc;
        out.push_part(whole, from..esc);
        from = esc + escape_length(bytes.get(esc..).unwrap_or_default());
    }
    out.push_part(whole, from..len);
    out.finish()
}

fn escape_length(text: &[u8]) -> usize {
    match text.get(1) {
        Some(b'[') => {
            let body = text.iter().skip(2).take_while(|c| (0x20..0x40).contains(*c)).count();
            2 + body + usize::from(text.get(2 + body).is_some_and(|c| (0x40..0x7f).contains(c)))
        }
        Some(b']') => {
            let end = text.iter().position(|c| *c == 0x07 || *c == b'\\');
            end.map_or(text.len(), |e| e + 1)
        }
        Some(b'(' | b')') => 3.min(text.len()),
        Some(_) => 2,
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Collected;

    fn lines(bytes: &[u8]) -> Vec<Line> {
        let (mut input, mut sink) = (bytes, Collected::default());
        let mut lines = Lines::new(SourceId(0), &mut input).unwrap();
        std::iter::from_fn(|| lines.next(&mut sink).unwrap()).collect()
    }

    #[test]
    fn colours_go_and_positions_stay() {
        let all =
            lines(b"\xef\xbb\xbfone\r\n\x1b[1;32mHTTP\x1b[0m/1.1 \x1b[31m401\x1b[39m\n\x1b]0;title\x07x");
        let texts: Vec<_> = all.iter().map(|l| l.str().into_owned()).collect();
        assert_eq!(texts, ["one", "HTTP/1.1 401", "x"]);
        let status = all[1].text.locate(9..12).unwrap();
        assert_eq!((status.span.start, status.span.end, status.span.line, status.exact), (33, 36, 2, true));
    }

    #[test]
    fn utf_16_is_read_either_way_round() {
        let text = "Größe 401\r\n😀 x";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (bytes, start) in [
            (le.clone(), 12),
            ([&[0xff, 0xfe], &le[..]].concat(), 14),
            ([&[0xfe, 0xff], &be[..]].concat(), 14),
        ] {
            let all = lines(&bytes);
            assert_eq!((all.len(), &*all[0].str(), &*all[1].str()), (2, "Größe 401", "😀 x"));
            let at = all[0].text.whole().unwrap();
            assert_eq!(at.span.end, start + 6);
            let number = all[0].text.locate(8..11).unwrap();
            assert_eq!((number.span.start, number.span.end), (start, start + 6));
        }
    }

    #[test]
    fn an_enormous_line_is_cut_and_told() {
        let mut bytes = vec![b'x'; MOST_LINE + 5];
        bytes.extend_from_slice(b"\nnext");
        let (mut input, mut sink) = (&bytes[..], Collected::default());
        let mut lines = Lines::new(SourceId(0), &mut input).unwrap();
        assert_eq!(lines.next(&mut sink).unwrap().unwrap().text.len(), MOST_LINE);
        let next = lines.next(&mut sink).unwrap().unwrap();
        let at = next.text.whole().unwrap().span;
        assert_eq!((&*next.str(), at.start, at.line), ("next", MOST_LINE as u64 + 6, 2));
        assert_eq!(sink.problems.len(), 1);
    }
}
