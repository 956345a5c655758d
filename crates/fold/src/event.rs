//! A request by its place.

use crate::wire::{In, Malformed, Wire, wire};
use std::num::NonZeroU32;

/// Where a request stands, and when it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The source, by its position in order of time.
    pub source: u32,
    /// Its 1-based line; counted from the front of its part until parts are glued.
    pub line: u32,
    /// Offset of its line.
    pub offset: u64,
    /// Which exchange of its source it is, from 0; counted like lines.
    pub index: u64,
    /// Milliseconds since 1970.
    pub time: Option<i64>,
    /// Its line, where it cannot be read again.
    pub text: Option<Box<[u8]>>,
}

impl Event {
    /// Its place in order.
    pub(crate) fn place(&self) -> (u32, u64) {
        (self.source, self.offset)
    }
}

wire!(Event { source, line, offset, index, time, text });

/// A request by its place, in little room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) offset: u64,
    pub(crate) index: u64,
    /// `i64::MIN` where there is none.
    time: i64,
    pub(crate) source: u32,
    /// From 1; so `Option<Spot>` is no larger.
    line: NonZeroU32,
}

impl Spot {
    #[inline]
    pub(crate) fn new((source, line): (u32, u32), offset: u64, index: u64, time: Option<i64>) -> Spot {
        let line = NonZeroU32::new(line).unwrap_or(NonZeroU32::MIN);
        Spot { offset, index, time: time.unwrap_or(i64::MIN), source, line }
    }

    pub(crate) fn time(&self) -> Option<i64> {
        (self.time != i64::MIN).then_some(self.time)
    }

    pub(crate) fn event(self, text: Option<Box<[u8]>>) -> Event {
        let Spot { offset, index, source, line, .. } = self;
        Event { source, line: line.get(), offset, index, time: self.time(), text }
    }

    /// Counts from further in front.
    pub(crate) fn shift(&mut self, exchanges: u64, lines: u32) {
        self.index += exchanges;
        self.line = self.line.saturating_add(lines);
    }
}

impl Wire for Spot {
    fn put(&self, out: &mut Vec<u8>) {
        ((self.source, self.line.get()), (self.offset, self.index)).put(out);
        self.time().put(out);
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        let (at, (offset, index)) = Wire::get(from)?;
        Ok(Spot::new(at, offset, index, Wire::get(from)?))
    }
}
