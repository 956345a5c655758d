//! A pull reader of JSON (RFC 8259) over any stream, which knows where everything stands.
//!
//! It holds no more than the string it reads, and of that no more than asked for. It is lenient: commas and colons
//! are white space to it, control characters in strings are taken as they are.

use crate::logs::unescape;
use memchr::{memchr_iter, memchr2};
use std::io::{self, BufRead};
use std::ops::Range;
use why401_span::{Builder, Derived, SourceId, Span};

/// Why reading stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The bytes cannot be had.
    Io(io::Error),
    /// The document ends in the middle.
    End,
    /// Something else than JSON stands here.
    Unexpected(u8),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Io(error)
    }
}

/// A string value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text {
    /// What it says, up to the limit asked for.
    pub(crate) value: Derived,
    /// Whether that is all of it.
    pub(crate) complete: bool,
}

/// Reads JSON from a stream.
pub(crate) struct Json<'r> {
    input: &'r mut dyn BufRead,
    source: SourceId,
    offset: u64,
    line: u32,
}

impl<'r> Json<'r> {
    /// Begins at the start of a source.
    pub(crate) fn new(input: &'r mut dyn BufRead, source: SourceId) -> Self {
        Json { input, source, offset: 0, line: 1 }
    }

    /// Where it is: offset and 1-based line.
    pub(crate) fn place(&self) -> (u64, u32) {
        (self.offset, self.line)
    }

    /// The next byte that is no white space; `None` at the end. It is not taken.
    pub(crate) fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' | 0xEF | 0xBB | 0xBF);
            let found = buffer.iter().position(|b| !blank(b));
            let next = found.and_then(|at| buffer.get(at).copied());
            let taken = found.unwrap_or(buffer.len());
            self.take(taken);
            if next.is_some() {
                return Ok(next);
            }
        }
    }

    /// As [`Json::peek`], where the document must go on.
    pub(crate) fn expect(&mut self) -> Result<u8, Stop> {
        self.peek()?.ok_or(Stop::End)
    }

    /// Takes an opening or closing bracket if it is next.
    pub(crate) fn eat(&mut self, bracket: u8) -> Result<bool, Stop> {
        let is_next = self.expect()? == bracket;
        if is_next {
            self.take(1);
        }
        Ok(is_next)
    }

    /// Takes one byte, whatever it is.
    pub(crate) fn pass(&mut self) {
        self.take(1);
    }

    /// The next key of an object, as far as `limit` bytes; `None` (taken) at its end.
    pub(crate) fn key(&mut self) -> Result<Option<String>, Stop> {
        match self.expect()? {
            b'}' => {
                self.take(1);
                Ok(None)
            }
            b'"' => Ok(Some(self.string(64)?.value.to_text().into_owned())),
            other => Err(Stop::Unexpected(other)),
        }
    }

    /// A string, number or literal as text; anything else is passed over and is empty.
    pub(crate) fn scalar(&mut self, limit: usize) -> Result<Text, Stop> {
        match self.expect()? {
            b'"' => self.string(limit),
            b'{' | b'[' => self.skip().map(|()| Text::default()),
            _ => self.word(256),
        }
    }

    /// A string of which at most `limit` bytes are kept, every one with its place.
    pub(crate) fn string(&mut self, limit: usize) -> Result<Text, Stop> {
        let source = self.source;
        let mut out = Builder::new();
        let complete = self.unescaped(limit, |bytes, range, line, is_exact| {
            let span = Span::new(source, range.start, range.end).on_line(line);
            if is_exact { out.push_exact(bytes, span) } else { out.push_enclosed(bytes, span) }
        })?;
        Ok(Text { value: out.finish(), complete })
    }

    /// As [`Json::string`], but the place is that of the whole: for long texts that hardly anything will point into.
    pub(crate) fn string_as_a_whole(&mut self, limit: usize) -> Result<Text, Stop> {
        let mut out = Vec::new();
        let (start, line) = self.place();
        let complete = self.unescaped(limit, |bytes, _, _, _| out.extend_from_slice(bytes))?;
        let span = Span::new(self.source, start, self.offset).on_line(line);
        Ok(Text { value: Derived::enclosed(out, span), complete })
    }

    /// Reads a string and gives its parts, with their places and whether they stand there one to one. Tells whether
    /// `limit` was enough.
    fn unescaped(
        &mut self,
        limit: usize,
        mut part: impl FnMut(&[u8], Range<u64>, u32, bool),
    ) -> Result<bool, Stop> {
        if !self.eat(b'"')? {
            let found = self.expect()?;
            return Err(Stop::Unexpected(found));
        }
        let mut complete = true;
        let mut len = 0;
        loop {
            let (offset, line) = self.place();
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Err(Stop::End);
            }
            let end = memchr2(b'"', b'\\', buffer).unwrap_or(buffer.len());
            let plain = buffer.get(..end).unwrap_or_default();
            let stop = buffer.get(end).copied();
            let simple = buffer.get(end + 1).and_then(|b| simple_escape(*b));
            let kept = plain.get(..plain.len().min(limit - len)).unwrap_or_default();
            if !kept.is_empty() {
                part(kept, offset..offset + kept.len() as u64, line, true);
                len += kept.len();
            }
            complete &= kept.len() == plain.len();
            self.take(end);
            let at = offset + end as u64;
            match (stop, simple) {
                (Some(b'"'), _) => {
                    self.take(1);
                    return Ok(complete);
                }
                (Some(_), simple) => {
                    let (one, many);
                    let spelt: &[u8] = match simple {
                        Some(byte) => {
                            self.take(2);
                            one = [byte];
                            &one
                        }
                        None => {
                            many = self.escape()?;
                            &many
                        }
                    };
                    if len < limit {
                        part(spelt, at..self.offset, self.line, false);
                        len = (len + spelt.len()).min(limit);
                    } else {
                        complete = false;
                    }
                }
                (None, _) => {}
            }
        }
    }

    /// Passes over a value, however deep.
    pub(crate) fn skip(&mut self) -> Result<(), Stop> {
        let mut depth = 0usize;
        loop {
            match self.expect()? {
                b'{' | b'[' => {
                    self.take(1);
                    depth += 1;
                }
                b'}' | b']' if depth > 0 => {
                    self.take(1);
                    depth -= 1;
                }
                b'"' => self.skip_string()?,
                other @ (b'}' | b']') => return Err(Stop::Unexpected(other)),
                _ => {
                    self.word(0)?;
                }
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Goes on to behind the quote that ends the next occurrence of `"key"`; false at the end.
    pub(crate) fn find_key(&mut self, key: &str) -> io::Result<bool> {
        let wanted = format!("\"{key}\"").into_bytes();
        let mut matched = 0;
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let mut taken = 0;
            for b in buffer {
                taken += 1;
                matched = match wanted.get(matched) {
                    Some(w) if w == b => matched + 1,
                    _ => usize::from(*b == b'"'),
                };
                if matched == wanted.len() {
                    break;
                }
            }
            self.take(taken);
            if matched == wanted.len() {
                return Ok(true);
            }
        }
    }

    fn skip_string(&mut self) -> Result<(), Stop> {
        self.take(1);
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return Err(Stop::End);
            }
            let found = memchr2(b'"', b'\\', buffer);
            let stop = found.and_then(|at| buffer.get(at).copied());
            let end = found.unwrap_or(buffer.len());
            self.take(end + usize::from(stop.is_some()));
            match stop {
                Some(b'"') => return Ok(()),
                Some(_) => {
                    if self.input.fill_buf()?.is_empty() {
                        return Err(Stop::End);
                    }
                    self.take(1);
                }
                None => {}
            }
        }
    }

    /// A number or literal, of which about `limit` bytes are kept.
    fn word(&mut self, limit: usize) -> Result<Text, Stop> {
        let mut out = Builder::new();
        let mut is_word = false;
        loop {
            let (offset, line) = self.place();
            let buffer = self.input.fill_buf()?;
            let is_part = |b: &u8| b.is_ascii_alphanumeric() || b"+-._".contains(b);
            let end = buffer.iter().position(|b| !is_part(b)).unwrap_or(buffer.len());
            let part = buffer.get(..end).unwrap_or_default();
            let next = buffer.get(end).copied();
            let at_end = next.is_some() || buffer.is_empty();
            is_word |= end > 0;
            if end > 0 && out.len() < limit {
                out.push_exact(part, Span::new(self.source, offset, offset + end as u64).on_line(line));
            }
            self.take(end);
            if at_end {
                return match next {
                    Some(other) if !is_word => Err(Stop::Unexpected(other)),
                    _ if !is_word => Err(Stop::End),
                    _ => Ok(Text { value: out.finish(), complete: true }),
                };
            }
        }
    }

    /// An escape, from its backslash on; one that is none stands for itself.
    fn escape(&mut self) -> Result<Vec<u8>, Stop> {
        let mut spelt = vec![self.any()?, self.any()?];
        if spelt.ends_with(b"u") {
            for _ in 0..4 {
                if !self.next_is(|b| b.is_ascii_hexdigit())? {
                    return Ok(spelt);
                }
                spelt.push(self.any()?);
            }
            let is_high =
                matches!(spelt.get(2..4), Some([b'd' | b'D', b'8' | b'9' | b'a'..=b'b' | b'A'..=b'B']));
            if is_high && self.next_is(|b| b == b'\\')? {
                spelt.push(self.any()?);
                if !self.next_is(|b| b == b'u')? {
                    // No second half: what follows is an escape of its own.
                    let mut both = decode(spelt.get(..6).unwrap_or_default());
                    spelt = vec![b'\\', self.any()?];
                    both.extend(decode(&spelt));
                    return Ok(both);
                }
                spelt.push(self.any()?);
                for _ in 0..4 {
                    if !self.next_is(|b| b.is_ascii_hexdigit())? {
                        return Ok(spelt);
                    }
                    spelt.push(self.any()?);
                }
                let mut all = decode(&spelt);
                if unescape(&spelt).is_some_and(|(len, _)| len == 6) {
                    all.extend(decode(spelt.get(6..).unwrap_or_default()));
                }
                return Ok(all);
            }
        }
        Ok(decode(&spelt))
    }

    fn next_is(&mut self, ok: impl Fn(u8) -> bool) -> Result<bool, Stop> {
        self.input.fill_buf()?.first().map(|b| ok(*b)).ok_or(Stop::End)
    }

    fn any(&mut self) -> Result<u8, Stop> {
        let byte = *self.input.fill_buf()?.first().ok_or(Stop::End)?;
        self.take(1);
        Ok(byte)
    }

    /// Takes bytes that are in the buffer, and counts their lines.
    fn take(&mut self, count: usize) {
        if let Ok(buffer) = self.input.fill_buf() {
            let taken = buffer.get(..count).unwrap_or(buffer);
            let lines = memchr_iter(b'\n', taken).count();
            let count = taken.len();
            self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
            self.offset += count as u64;
            self.input.consume(count);
        }
    }
}

/// What a backslash and this byte stand for, where that is all of an escape.
fn simple_escape(byte: u8) -> Option<u8> {
    match byte {
        b'"' | b'\\' | b'/' => Some(byte),
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        _ => None,
    }
}

fn decode(spelt: &[u8]) -> Vec<u8> {
    unescape(spelt).map_or_else(|| spelt.to_vec(), |(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn string(text: &str, buffer: usize, limit: usize) -> Text {
        let mut input = BufReader::with_capacity(buffer, text.as_bytes());
        Json::new(&mut input, SourceId(0)).string(limit).unwrap()
    }

    #[test]
    fn strings_are_the_same_whatever_the_buffer() {
        let text = r#"  "a\"b\u00e9\ud83d\ude00\n\\c\ud800\n\ud800\u0041""#;
        for buffer in [1, 2, 3, 7, 64] {
            let got = string(text, buffer, 100);
            assert_eq!(got.value.to_text(), "a\"bé😀\n\\c\u{fffd}\n\u{fffd}A", "{buffer}");
            assert!(got.complete);
            let c = got.value.locate(11..12).unwrap();
            assert!(c.exact);
            assert_eq!(&text.as_bytes()[c.span.start as usize..c.span.end as usize], b"c");
        }
    }

    #[test]
    fn a_limit_keeps_the_front() {
        let got = string(r#""abcdef""#, 3, 4);
        assert_eq!((got.value.as_bytes(), got.complete), (&b"abcd"[..], false));
    }

    #[test]
    fn values_of_any_depth_are_passed_over() {
        let deep = format!("{}1{} 7", "[".repeat(100_000), "]".repeat(100_000));
        let mut input = deep.as_bytes();
        let mut json = Json::new(&mut input, SourceId(0));
        json.skip().unwrap();
        assert_eq!(json.scalar(9).unwrap().value.as_bytes(), b"7");
    }

    #[test]
    fn what_is_cut_off_or_no_json_stops() {
        for text in ["\"abc", "\"ab\\", "\"ab\\u12", "[1", "{\"a\":", ""] {
            let mut input = text.as_bytes();
            assert!(matches!(Json::new(&mut input, SourceId(0)).skip(), Err(Stop::End)), "{text}");
        }
        let mut input = &b"<html>"[..];
        assert!(matches!(Json::new(&mut input, SourceId(0)).skip(), Err(Stop::Unexpected(b'<'))));
    }

    #[test]
    fn a_key_is_found_across_buffers() {
        let mut input = BufReader::with_capacity(2, &b"xx \"reque\" \"\"request\" : 5"[..]);
        let mut json = Json::new(&mut input, SourceId(0));
        assert!(json.find_key("request").unwrap());
        assert_eq!(json.scalar(9).unwrap().value.as_bytes(), b"5");
        assert!(!json.find_key("request").unwrap());
    }
}
