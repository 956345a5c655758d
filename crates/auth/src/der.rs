//! As much of DER (ITU-T X.690) as GSS-API and Kerberos messages need: one element after another, each with its place.
//! Lengths that lie beyond the end are cut to it, so that a cut-off message still gives what it holds.

use std::ops::Range;

/// Where the message's bytes are, and what is read of them.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

/// A tag with its content.
#[derive(Clone)]
pub(crate) struct Element<'a> {
    /// The first byte: class, form and number (none here is above 30).
    pub(crate) tag: u8,
    /// The content.
    pub(crate) content: Range<usize>,
    /// Whether the content ends before its length says.
    pub(crate) cut_off: bool,
    bytes: &'a [u8],
}

pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const OID: u8 = 0x06;

/// `[n]`, constructed, context-specific.
pub(crate) const fn context(n: u8) -> u8 {
    0xa0 | n
}

/// `[APPLICATION n]`, constructed.
pub(crate) const fn application(n: u8) -> u8 {
    0x60 | n
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, at: 0, end: bytes.len() }
    }

    pub(crate) fn next(&mut self) -> Option<Element<'a>> {
        let start = self.at;
        let window = self.bytes.get(..self.end)?;
        let tag = *window.get(start)?;
        let first = *window.get(start + 1)?;
        let mut at = start + 2;
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            let count = usize::from(first & 0x7f);
            if count == 0 || count > 4 {
                return None;
            }
            let mut length = 0usize;
            for _ in 0..count {
                length = length << 8 | usize::from(*window.get(at)?);
                at += 1;
            }
            length
        };
        let wanted = at.saturating_add(length);
        let end = wanted.min(self.end);
        self.at = end;
        Some(Element { tag, content: at..end, cut_off: wanted > self.end, bytes: self.bytes })
    }

    /// The next element if it has this tag; anything else is left.
    pub(crate) fn take(&mut self, tag: u8) -> Option<Element<'a>> {
        let mut ahead = self.clone();
        let element = ahead.next().filter(|e| e.tag == tag)?;
        *self = ahead;
        Some(element)
    }

    /// The bytes that are left.
    pub(crate) fn rest(&self) -> Range<usize> {
        self.at..self.end
    }
}

impl<'a> Element<'a> {
    /// The elements in it.
    pub(crate) fn inner(&self) -> Reader<'a> {
        Reader { bytes: self.bytes, at: self.content.start, end: self.content.end }
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes.get(self.content.clone()).unwrap_or_default()
    }

    /// The one element in it (the content of an explicit tag).
    pub(crate) fn only(&self) -> Option<Element<'a>> {
        self.inner().next()
    }

    /// The member `[n]` of the sequence, opened.
    pub(crate) fn member(&self, n: u8) -> Option<Element<'a>> {
        let mut inner = self.inner();
        while let Some(element) = inner.next() {
            if element.tag == context(n) {
                return element.only();
            }
        }
        None
    }

    /// An INTEGER or ENUMERATED that fits; Kerberos writes unsigned 32-bit numbers either way.
    pub(crate) fn integer(&self) -> Option<i64> {
        let bytes = self.bytes();
        if !matches!(self.tag, 0x02 | 0x0a) || bytes.is_empty() || bytes.len() > 8 {
            return None;
        }
        let negative = bytes.first().is_some_and(|b| b & 0x80 != 0);
        let start = if negative { -1i64 } else { 0 };
        Some(bytes.iter().fold(start, |n, b| n << 8 | i64::from(*b)))
    }

    /// A string of any kind, as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    /// An OBJECT IDENTIFIER in dotted form.
    pub(crate) fn oid(&self) -> Option<String> {
        if self.tag != OID {
            return None;
        }
        let mut numbers = Vec::new();
        let mut n = 0u64;
        for b in self.bytes() {
            n = n.checked_mul(128)? | u64::from(b & 0x7f);
            if b & 0x80 == 0 {
                numbers.push(n);
                n = 0;
            }
            if numbers.len() > 32 {
                return None;
            }
        }
        let first = *numbers.first()?;
        let root = (first / 40).min(2);
        let mut text = format!("{root}.{}", first - root * 40);
        for n in numbers.iter().skip(1) {
            text.push_str(&format!(".{n}"));
        }
        Some(text)
    }
}
