//! As much of the Network Data Representation (C706 chapter 14) as a PAC has: little end first, in a stream of type
//! serialization version 1 ([MS-RPCE] section 2.2.6).

use super::utf16;

/// What is left of a stream.
pub(super) struct Ndr<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Ndr<'a> {
    /// Numbers without a header.
    pub(super) fn raw(bytes: &'a [u8]) -> Self {
        Ndr { bytes, at: 0 }
    }

    /// What stands behind the common and the private header.
    pub(super) fn serialized(bytes: &'a [u8]) -> Option<Self> {
        // Version 1, little end first, a header of 8 bytes.
        let [1, 0x10, 8, 0, ..] = bytes else { return None };
        Some(Ndr::raw(bytes.get(16..)?))
    }

    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(len)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// A number stands at a multiple of its own length.
    fn number<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.at = self.at.checked_next_multiple_of(N)?;
        self.take(N)?.try_into().ok()
    }

    pub(super) fn short(&mut self) -> Option<u16> {
        self.number().map(u16::from_le_bytes)
    }

    pub(super) fn long(&mut self) -> Option<u32> {
        self.number().map(u32::from_le_bytes)
    }

    pub(super) fn hyper(&mut self) -> Option<u64> {
        self.number().map(u64::from_le_bytes)
    }

    /// Whether what a pointer points at follows.
    pub(super) fn pointer(&mut self) -> Option<bool> {
        self.long().map(|referent| referent != 0)
    }

    /// A FILETIME ([MS-DTYP] section 2.3.3), of two longs, in seconds since 1970; `None` within for never and not set.
    pub(super) fn time(&mut self) -> Option<Option<i64>> {
        /// From 1601 to 1970, in seconds.
        const EPOCH: i64 = 11_644_473_600;
        /// Ticks of 100 nanoseconds in a second.
        const TICKS: u64 = 10_000_000;
        let (low, high) = (self.long()?, self.long()?);
        let ticks = u64::from(high) << 32 | u64::from(low);
        let never = ticks == 0 || ticks >= i64::MAX as u64;
        Some((!never).then(|| (ticks / TICKS) as i64 - EPOCH))
    }

    /// The part of an RPC_UNICODE_STRING ([MS-DTYP] section 2.3.10) that stands in its structure: whether text follows.
    pub(super) fn string(&mut self) -> Option<bool> {
        let (_len, _room) = (self.short()?, self.short()?);
        self.pointer()
    }

    /// The text of such a string, an array that is conformant and varying; empty where none follows.
    pub(super) fn text(&mut self, follows: bool) -> Option<String> {
        if !follows {
            return Some(String::new());
        }
        let (_room, _offset, count) = (self.long()?, self.long()?, self.long()?);
        Some(utf16(self.take((count as usize).checked_mul(2)?)?))
    }

    /// The elements of a conformant array; none where it does not follow.
    pub(super) fn array<T>(
        &mut self,
        follows: bool,
        mut element: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let count = if follows { self.long()? } else { 0 };
        // An element takes bytes, so that there are never more than the stream has.
        let mut all = Vec::new();
        for _ in 0..count {
            all.push(element(self)?);
        }
        Some(all)
    }
}
