//! The characters of RFC 9110's grammar and a reader that takes, never indexes.

use std::ops::Range;

/// The bytes of `range`; none where it lies outside.
pub(crate) fn slice<'a>(bytes: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    bytes.get(range.clone()).unwrap_or_default()
}

/// `tchar` (RFC 9110 section 5.6.2).
pub(crate) fn is_tchar(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

/// A character of `token68` before its padding (RFC 9110 section 11.2).
pub(crate) fn is_token68(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-._~+/".contains(&b)
}

/// Optional white space (RFC 9110 section 5.6.3).
pub(crate) fn is_ows(b: u8) -> bool {
    b == b' ' || b == b'\t'
}

/// What is skipped between parts: white space, and the line breaks that a folded or broken value has.
pub(crate) fn is_gap(b: u8) -> bool {
    is_ows(b) || b == b'\r' || b == b'\n'
}

/// Whether `bytes` is a token.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|b| is_tchar(*b))
}

/// Whether `bytes` is a token68.
pub(crate) fn is_token68_text(bytes: &[u8]) -> bool {
    let body = bytes.iter().take_while(|b| is_token68(**b)).count();
    body > 0 && bytes.iter().skip(body).all(|b| *b == b'=')
}

/// The range without white space and line breaks at both ends.
pub(crate) fn trimmed(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let part = slice(bytes, &range);
    let Some(first) = part.iter().position(|b| !is_gap(*b)) else { return range.start..range.start };
    let last = part.iter().rposition(|b| !is_gap(*b)).unwrap_or(first);
    range.start + first..range.start + last + 1
}

/// The value of a hexadecimal digit.
pub(crate) fn hex_value(b: u8) -> Option<u8> {
    char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0');
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// A position in bytes that only goes forward (but for [`Cursor::reset`]).
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8], range: Range<usize>) -> Self {
        let end = range.end.min(bytes.len());
        Cursor { bytes, at: range.start.min(end), end }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn end(&self) -> usize {
        self.end
    }

    pub(crate) fn is_done(&self) -> bool {
        self.at >= self.end
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        if self.is_done() { None } else { self.bytes.get(self.at).copied() }
    }

    pub(crate) fn next(&mut self) -> Option<u8> {
        let b = self.peek()?;
        self.at += 1;
        Some(b)
    }

    /// Takes `b` if it comes next.
    pub(crate) fn take(&mut self, b: u8) -> bool {
        let there = self.peek() == Some(b);
        self.at += usize::from(there);
        there
    }

    pub(crate) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> Range<usize> {
        let start = self.at;
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
        start..self.at
    }

    pub(crate) fn skip_gap(&mut self) -> Range<usize> {
        self.take_while(is_gap)
    }

    pub(crate) fn reset(&mut self, at: usize) {
        self.at = at.min(self.end);
    }

    pub(crate) fn slice(&self, range: &Range<usize>) -> &'a [u8] {
        slice(self.bytes, range)
    }

    /// Whether the list element ends here: nothing more, or a comma.
    pub(crate) fn at_element_end(&self) -> bool {
        matches!(self.peek(), None | Some(b','))
    }
}
