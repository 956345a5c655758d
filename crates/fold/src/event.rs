//! A request by its place.

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
