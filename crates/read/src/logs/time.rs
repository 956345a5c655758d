//! Time stamps of log lines: fixed shapes, read without a format string.

use jiff::Timestamp;
use why401_http::Moment;

/// Reads the time stamp that `text` begins with, and tells how many bytes it takes.
///
/// Known shapes: `22/Nov/2026:17:14:41 +0000` (Apache, nginx; also with a space for the first colon, with a
/// fraction, without a zone; `22-Nov-2026 17:14:41` and `22/11/2026:17:14:41` alike), ISO 8601 with `-` or `/`, `Sun Nov 22 17:15:23.630553 2026` (Apache's error log),
/// `Sun, 22 Nov 2026 17:15:41 GMT`. A time without a zone is local, unless `utc` says that the format means UTC.
pub(crate) fn take(text: &[u8], utc: bool) -> Option<(Moment, usize)> {
    let mut c = Cursor { rest: text };
    let civil = match text.first()? {
        b'0'..=b'9' => c.clf().or_else(|| {
            c.rest = text;
            c.iso()
        })?,
        b'A'..=b'Z' => c.named_day()?,
        _ => return None,
    };
    let seconds = civil.seconds - i64::from(civil.zone.unwrap_or(0));
    let at = Timestamp::new(seconds, civil.nanos).ok()?;
    Some((Moment { at, zoned: utc || civil.zone.is_some() }, text.len() - c.rest.len()))
}

/// Reads a whole value: any shape of [`take`], or a count of seconds, milli-, micro- or nanoseconds since 1970.
pub(crate) fn whole(text: &[u8], utc: bool) -> Option<Moment> {
    if let Some((moment, len)) = take(text, utc) {
        return (len == text.len()).then_some(moment);
    }
    epoch(text)
}

/// Seconds since 1970 with or without a fraction, or a longer count by its number of digits.
pub(crate) fn epoch(text: &[u8]) -> Option<Moment> {
    let mut c = Cursor { rest: text };
    let mut count: i128 = 0;
    let mut digits = 0;
    while let Some(d) = c.digit() {
        count = count * 10 + i128::from(d);
        digits += 1;
        if digits > 19 {
            return None;
        }
    }
    let nanos = match digits {
        9..=11 => count * 1_000_000_000,
        12..=14 => count * 1_000_000,
        15..=17 => count * 1_000,
        18..=19 => count,
        _ => return None,
    };
    let fraction = if c.byte(b'.') { c.fraction() } else { 0 };
    let fraction = if digits <= 11 { i128::from(fraction) } else { 0 };
    c.rest.is_empty().then_some(())?;
    Timestamp::from_nanosecond(nanos + fraction).ok().map(Moment::utc)
}

/// A date alone: `2026-11-22`, `22/Nov/2026` ...; gives seconds since 1970 and the length.
pub(crate) fn date(text: &[u8]) -> Option<(i64, usize)> {
    let mut c = Cursor { rest: text };
    let days = c.clf_date().or_else(|| {
        c.rest = text;
        c.iso_date()
    })?;
    Some((days * 86_400, text.len() - c.rest.len()))
}

/// A clock alone, `17:14:41` with or without a fraction, on the day that begins at `day` (seconds since 1970).
pub(crate) fn clock(text: &[u8], day: i64, utc: bool) -> Option<Moment> {
    let mut c = Cursor { rest: text };
    let seconds = c.clock()?;
    let nanos = c.maybe_fraction();
    let at = Timestamp::new(day + seconds, nanos).ok()?;
    Some(Moment { at, zoned: utc })
}

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

struct Civil {
    seconds: i64,
    nanos: i32,
    zone: Option<i32>,
}

#[derive(Clone, Copy)]
struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    fn digit(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        let d = first.is_ascii_digit().then(|| first - b'0')?;
        self.rest = rest;
        Some(d)
    }

    fn number(&mut self, digits: usize) -> Option<i64> {
        (0..digits).try_fold(0, |n, _| Some(n * 10 + i64::from(self.digit()?)))
    }

    fn byte(&mut self, wanted: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == wanted => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn any_of(&mut self, wanted: &[u8]) -> Option<u8> {
        wanted.iter().copied().find(|b| self.byte(*b))
    }

    fn month(&mut self) -> Option<i64> {
        let (name, rest) = self.rest.split_first_chunk::<3>()?;
        let month = MONTHS.iter().position(|m| *m == name)?;
        self.rest = rest;
        Some(month as i64 + 1)
    }

    /// `22/Nov/2026`, `22-Nov-2026` (Tomcat's JULI), `22/11/2026` (Proxmox VE, `pveproxy`)
    fn clf_date(&mut self) -> Option<i64> {
        let day = self.number(2)?;
        let between = self.any_of(b"/-")?;
        let month = match self.month() {
            None if between == b'/' => self.number(2),
            named => named,
        }?;
        self.byte(between).then_some(())?;
        days(self.number(4)?, month, day)
    }

    /// `2026-11-22`, `2026/11/22`
    fn iso_date(&mut self) -> Option<i64> {
        let year = self.number(4)?;
        let between = self.any_of(b"-/")?;
        let month = self.number(2)?;
        self.byte(between).then_some(())?;
        days(year, month, self.number(2)?)
    }

    /// `17:14:41`; a leap second counts as the second before it.
    fn clock(&mut self) -> Option<i64> {
        let hours = self.number(2)?;
        self.byte(b':').then_some(())?;
        let minutes = self.number(2)?;
        self.byte(b':').then_some(())?;
        let seconds = self.number(2)?;
        (hours < 24 && minutes < 60 && seconds <= 60).then_some(hours * 3600 + minutes * 60 + seconds.min(59))
    }

    /// The digits behind a decimal point, as nanoseconds.
    fn fraction(&mut self) -> i32 {
        let mut nanos = 0;
        let mut scale = 100_000_000;
        while let Some(d) = self.digit() {
            nanos += i32::from(d) * scale;
            scale /= 10;
        }
        nanos
    }

    fn maybe_fraction(&mut self) -> i32 {
        let before = self.rest;
        if self.any_of(b".,").is_some() {
            if self.rest.first().is_some_and(u8::is_ascii_digit) {
                return self.fraction();
            }
            self.rest = before;
        }
        0
    }

    /// `Z`, ` +0200`, `+02:00`, `+02`, ` GMT`; in seconds east.
    fn maybe_zone(&mut self) -> Option<i32> {
        let before = self.rest;
        self.byte(b' ');
        let zone = match self.any_of(b"Z+-") {
            Some(b'Z') => Some(0),
            Some(sign) => self.zone_digits(if sign == b'-' { -1 } else { 1 }),
            None => self.rest.strip_prefix(b"GMT").or_else(|| self.rest.strip_prefix(b"UTC")).map(|rest| {
                self.rest = rest;
                0
            }),
        };
        if zone.is_none() {
            self.rest = before;
        }
        zone
    }

    fn zone_digits(&mut self, sign: i32) -> Option<i32> {
        let hours = self.number(2)?;
        let colon = self.byte(b':');
        let minutes = match self.number(2) {
            Some(m) => m,
            None if !colon => 0,
            None => return None,
        };
        (hours <= 23 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60) as i32)
    }

    fn clf(&mut self) -> Option<Civil> {
        let days = self.clf_date()?;
        self.any_of(b": ")?;
        self.clock_and_zone(days)
    }

    fn iso(&mut self) -> Option<Civil> {
        let days = self.iso_date()?;
        self.any_of(b"T _t:")?;
        self.clock_and_zone(days)
    }

    fn clock_and_zone(&mut self, days: i64) -> Option<Civil> {
        let seconds = days * 86_400 + self.clock()?;
        let nanos = self.maybe_fraction();
        Some(Civil { seconds, nanos, zone: self.maybe_zone() })
    }

    /// `Sun Nov 22 17:15:23.630553 2026`, `Sun, 22 Nov 2026 17:15:41 GMT`, `Nov 22 17:15:23 2026`
    fn named_day(&mut self) -> Option<Civil> {
        if self.month_ahead().is_none() {
            let (_, rest) = self.rest.split_first_chunk::<3>()?;
            self.rest = rest;
            if self.byte(b',') {
                self.byte(b' ').then_some(())?;
                let day = self.number(2)?;
                self.any_of(b" -")?;
                let month = self.month()?;
                self.any_of(b" -")?;
                let days = days(self.number(4)?, month, day)?;
                self.byte(b' ').then_some(())?;
                return self.clock_and_zone(days);
            }
            self.byte(b' ').then_some(())?;
        }
        let month = self.month()?;
        self.byte(b' ').then_some(())?;
        let day = if self.byte(b' ') { self.number(1)? } else { self.number(2)? };
        self.byte(b' ').then_some(())?;
        let clock = self.clock()?;
        let nanos = self.maybe_fraction();
        self.byte(b' ').then_some(())?;
        let days = days(self.number(4)?, month, day)?;
        Some(Civil { seconds: days * 86_400 + clock, nanos, zone: None })
    }

    fn month_ahead(self) -> Option<i64> {
        let mut ahead = self;
        ahead.month()
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, by counting years from March
/// (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, bool)> {
        whole(text.as_bytes(), false).map(|m| (m.at.to_string(), m.zoned))
    }

    #[test]
    fn every_shape_gives_its_instant() {
        let utc = |s: &str| Some((s.to_owned(), true));
        let local = |s: &str| Some((s.to_owned(), false));
        assert_eq!(read("24/Oct/2012:17:31:26 +0200"), utc("2012-10-24T15:31:26Z"));
        assert_eq!(read("01/Jun/1995:00:00:59 -0600"), utc("1995-06-01T06:00:59Z"));
        assert_eq!(read("22/Nov/2026 17:14:41"), local("2026-11-22T17:14:41Z"));
        assert_eq!(read("25/Feb/2019:16:19:48.143"), local("2019-02-25T16:19:48.143Z"));
        assert_eq!(read("13-Sep-2026 03:14:02.296"), local("2026-09-13T03:14:02.296Z"));
        assert_eq!(read("11/12/2023:06:19:21 +0000"), utc("2023-12-11T06:19:21Z"));
        assert_eq!(read("2016-04-15T20:17:00.310Z"), utc("2016-04-15T20:17:00.31Z"));
        assert_eq!(read("2026-11-22T17:14:41+05:30"), utc("2026-11-22T11:44:41Z"));
        assert_eq!(read("2026-11-22 17:14:41,123"), local("2026-11-22T17:14:41.123Z"));
        assert_eq!(read("2026/11/22 17:15:13"), local("2026-11-22T17:15:13Z"));
        assert_eq!(read("Sun Nov 22 17:15:23.630553 2026"), local("2026-11-22T17:15:23.630553Z"));
        assert_eq!(read("Thu Feb  1 07:05:03 2024"), local("2024-02-01T07:05:03Z"));
        assert_eq!(read("Sun, 22 Nov 2026 17:15:41 GMT"), utc("2026-11-22T17:15:41Z"));
        assert_eq!(read("1761019822.3152757"), utc("2025-10-21T04:10:22.3152757Z"));
        assert_eq!(read("1712790000123000000"), utc("2024-04-10T23:00:00.123Z"));
        assert_eq!(read("1712790000123"), utc("2024-04-10T23:00:00.123Z"));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "x",
            "32/Nov/2026:17:14:41",
            "22/Nov/2026:24:00:00",
            "2026-13-01T00:00:00Z",
            "42",
            "-",
            "11/22/2026:17:14:41",
            "22-11-2026 17:14:41",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_calendar_agrees_with_jiff() {
        let first = jiff::civil::date(1900, 1, 1);
        let epoch = jiff::civil::date(1970, 1, 1);
        for n in (0..80_000).step_by(37) {
            let d = first.saturating_add(jiff::Span::new().days(n));
            let want = i64::from(d.since(epoch).unwrap().get_days());
            assert_eq!(days(d.year().into(), d.month().into(), d.day().into()), Some(want));
        }
    }
}
