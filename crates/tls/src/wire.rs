//! Takes from the front of a message and never indexes.

/// What is left of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wire<'a>(pub(crate) &'a [u8]);

impl<'a> Wire<'a> {
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (front, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*front)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[b]| b)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u24(&mut self) -> Option<usize> {
        self.array().map(|[a, b, c]| usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c))
    }

    pub(crate) fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(front)
    }

    /// A vector whose length takes one byte (RFC 8446, section 3.4).
    pub(crate) fn vector8(&mut self) -> Option<Wire<'a>> {
        let n = usize::from(self.u8()?);
        self.take(n).map(Wire)
    }

    pub(crate) fn vector16(&mut self) -> Option<Wire<'a>> {
        let n = usize::from(self.u16()?);
        self.take(n).map(Wire)
    }

    pub(crate) fn vector24(&mut self) -> Option<Wire<'a>> {
        let n = self.u24()?;
        self.take(n).map(Wire)
    }

    /// An integer of variable length (RFC 9000, section 16).
    pub(crate) fn varint(&mut self) -> Option<u64> {
        let first = self.u8()?;
        let more = (1usize << (first >> 6)) - 1;
        let rest = self.take(more)?;
        Some(rest.iter().fold(u64::from(first & 0x3f), |n, byte| n << 8 | u64::from(*byte)))
    }

    /// So many bytes as an integer of variable length says.
    pub(crate) fn sized(&mut self) -> Option<&'a [u8]> {
        let n = usize::try_from(self.varint()?).ok()?;
        self.take(n)
    }
}
