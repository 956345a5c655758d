//! Integers and strings (RFC 9204, section 4.1).

use std::ops::Range;

pub(crate) struct Reader<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

/// A string as it stands in the bytes.
pub(crate) struct Text {
    pub(crate) range: Range<usize>,
    /// Whether it is in the Huffman code.
    pub(crate) coded: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn u8(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// An integer that begins in the lower `prefix` bits of the next byte.
    pub(crate) fn integer(&mut self, prefix: u32) -> Option<u64> {
        /// RFC 9204, section 4.1.1: larger ones do not exist.
        const LARGEST: u64 = 1 << 62;
        let mask = ((1u16 << prefix) - 1) as u8;
        let mut value = u64::from(self.u8()? & mask);
        if value < u64::from(mask) {
            return Some(value);
        }
        for shift in (0..=56).step_by(7) {
            let byte = self.u8()?;
            value += u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return (value < LARGEST).then_some(value);
            }
        }
        None
    }

    /// A string whose length begins in the lower `prefix` bits of the next byte; the bit above says whether it is coded.
    pub(crate) fn string(&mut self, prefix: u32) -> Option<Text> {
        let coded = self.peek()? >> prefix & 1 != 0;
        let len = usize::try_from(self.integer(prefix)?).ok()?;
        let range = self.at..self.at.checked_add(len)?;
        self.bytes.get(range.clone())?;
        self.at = range.end;
        Some(Text { range, coded })
    }
}

impl Text {
    /// What it says; `None` if it is not of the code.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let bytes = bytes.get(self.range.clone())?;
        if self.coded { why401_h2::huffman_decode(bytes) } else { Some(bytes.to_vec()) }
    }
}
