//! A time stamp and how far it can be trusted.

use jiff::Timestamp;

/// A point in time as evidence gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// The time; where no zone was given, read as if it were UTC.
    pub at: Timestamp,
    /// Whether the evidence gave a time zone (an nginx error log does not).
    pub zoned: bool,
}

impl Moment {
    /// A time that is known in UTC.
    pub fn utc(at: Timestamp) -> Self {
        Moment { at, zoned: true }
    }

    /// A local time whose zone is not known.
    pub fn local(at: Timestamp) -> Self {
        Moment { at, zoned: false }
    }

    /// Seconds from `earlier` to `self`; negative if it is the other way round.
    pub fn seconds_since(&self, earlier: &Moment) -> f64 {
        let nanos = self.at.as_nanosecond() - earlier.at.as_nanosecond();
        nanos as f64 / 1e9
    }
}
