//! A log line taken apart: slices of it, nothing copied.

use super::part::{Column, Part};
use super::time;
use why401_http::Moment;

/// How values are spelt in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Escape {
    /// As they are.
    #[default]
    None,
    /// `\"`, `\\`, `\x22`, `\n`: Apache (`ap_escape_logitem`), nginx (`escape=default`), lighttpd.
    Backslash,
    /// JSON strings.
    Json,
    /// `+` for a space: IIS.
    Plus,
    /// `%20`: CloudFront, Squid.
    Percent,
}

/// The name of a logged field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name<'a> {
    /// The format names it.
    Implied(&'a str),
    /// It stands in the line.
    Written(&'a [u8]),
}

/// A field of request or response that a line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Logged<'a> {
    pub(crate) of_request: bool,
    pub(crate) name: Name<'a>,
    pub(crate) value: &'a [u8],
}

/// A log line taken apart. All values are slices of the line as they are spelt there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line<'a> {
    pub(super) parts: [Option<&'a [u8]>; Part::COUNT],
    /// Further fields.
    pub(crate) fields: Vec<Logged<'a>>,
    /// How values are spelt.
    pub(crate) escape: Escape,
    /// Whether times without a zone mean UTC.
    pub(crate) utc: bool,
    /// The product whose format it is, where that is certain.
    pub(crate) product: Option<&'static str>,
    /// The day in seconds since 1970 that a clock without a date is of.
    pub(crate) day: Option<i64>,
    /// The time, where the line's wrapping tells it.
    pub(crate) time: Option<Moment>,
}

impl<'a> Line<'a> {
    /// What the line says of this part.
    pub(crate) fn get(&self, part: Part) -> Option<&'a [u8]> {
        self.parts.get(part as usize).copied().flatten()
    }

    /// Enters a part.
    pub(crate) fn set(&mut self, part: Part, value: &'a [u8]) {
        if let Some(slot) = self.parts.get_mut(part as usize) {
            *slot = Some(value);
        }
    }

    /// Enters what a column holds.
    pub(crate) fn put(&mut self, column: &'a Column, value: &'a [u8]) {
        match column {
            Column::Part(part) => self.set(*part, value),
            Column::RequestField(name) => {
                self.fields.push(Logged { of_request: true, name: Name::Implied(name), value });
            }
            Column::ResponseField(name) => {
                self.fields.push(Logged { of_request: false, name: Name::Implied(name), value });
            }
            Column::Other => {}
        }
    }

    /// The status code; `None` if there is none (`-`, `000`).
    pub(crate) fn status(&self) -> Option<u16> {
        number(self.get(Part::Status)?)
            .and_then(|n| u16::try_from(n).ok())
            .filter(|s| (100..1000).contains(s))
    }

    /// When it was.
    pub(crate) fn moment(&self) -> Option<Moment> {
        if let Some(text) = self.get(Part::Time) {
            return time::whole(text, self.utc).or(self.time);
        }
        let day = match self.get(Part::Date) {
            Some(text) => time::date(text).map(|(day, _)| day),
            None => self.day,
        };
        match (day, self.get(Part::Clock)) {
            (Some(day), Some(clock)) => time::clock(clock, day, self.utc).or(self.time),
            _ => self.time,
        }
    }
}

/// A decimal number that is all of `text`.
pub(crate) fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 19 {
        return None;
    }
    text.iter().try_fold(0u64, |n, b| b.is_ascii_digit().then(|| n * 10 + u64::from(b - b'0')))
}

/// Where `part`, a slice of `whole`, begins in it; `None` if it is not one.
pub(crate) fn offset_in(whole: &[u8], part: &[u8]) -> Option<usize> {
    let at = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    (at + part.len() <= whole.len()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_found_in_its_line_and_a_stranger_is_not() {
        let line = b"GET / HTTP/1.1";
        assert_eq!(offset_in(line, &line[4..5]), Some(4));
        assert_eq!(offset_in(&line[..4], &line[4..]), None);
        assert_eq!(offset_in(&line[4..], &line[..4]), None);
    }

    #[test]
    fn date_and_clock_make_a_moment() {
        let mut line = Line { utc: true, ..Line::default() };
        line.set(Part::Date, b"2009-01-15");
        line.set(Part::Clock, b"06:54:28");
        let moment = line.moment().unwrap();
        assert_eq!((moment.at.to_string().as_str(), moment.zoned), ("2009-01-15T06:54:28Z", true));
    }
}
