//! Whose clock says when a request was.

use crate::{Scene, Step};
use jiff::Timestamp;
use why401_http::{Exchange, FactKind, FieldLine};
use why401_report::{Annotation, Certainty};

/// How far from the time of the diagnosis evidence without any time can be believed to be of the same time, in seconds.
const RECENT: i64 = 7 * 24 * 3600;

/// Whose clock it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The server's own: the `Date` of its answer (RFC 9110 section 6.6.1). It is the one that decides.
    Server,
    /// That of whoever recorded the exchange.
    Recorder,
    /// The time of the diagnosis, for want of a better one.
    Reader,
}

/// When a request was, in seconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock<'a> {
    pub(crate) at: i64,
    pub(crate) whose: Whose,
    date: Option<(&'a Exchange, &'a FieldLine)>,
}

/// The best clock for a step.
pub(crate) fn of<'a>(scene: &Scene<'a>, step: &Step<'a>) -> Option<Clock<'a>> {
    if let Some(server) = server(step) {
        return Some(server);
    }
    if let Some(at) = recorder(scene, step) {
        return Some(Clock { at, whose: Whose::Recorder, date: None });
    }
    scene.now.map(|now| Clock { at: now.as_second(), whose: Whose::Reader, date: None })
}

/// The server's clock, by the `Date` of its answer; an answer out of a cache is older by its `Age`.
pub(crate) fn server<'a>(step: &Step<'a>) -> Option<Clock<'a>> {
    let at = step.server_clock()?.at.as_second();
    let age = step.response_field("age").and_then(|(_, f)| f.text().trim().parse::<i64>().ok()).unwrap_or(0);
    let age = age.clamp(0, 366 * 24 * 3600);
    Some(Clock { at: at + age, whose: Whose::Server, date: step.response_field("date") })
}

/// The clock of whoever recorded the exchange, where it gives a zone; else what the person says that it showed. Put right
/// by what the person says it is ahead.
pub(crate) fn recorder(scene: &Scene<'_>, step: &Step<'_>) -> Option<i64> {
    let (shown, ahead) = given(scene);
    step.attempt
        .time()
        .filter(|t| t.zoned)
        .map(|t| t.at.as_second())
        .or(shown)
        .map(|at| at.saturating_sub(ahead))
}

/// What the person says of the clock: what it showed, and how many seconds it is ahead.
pub(crate) fn given(scene: &Scene<'_>) -> (Option<i64>, i64) {
    let told = scene.case.facts.iter().filter_map(|f| match &f.kind {
        FactKind::Clock { shows, ahead } => Some((shows.map(|m| m.at.as_second()), *ahead)),
        _ => None,
    });
    told.fold((None, 0), |(at, all), (shows, ahead)| (at.or(shows), all.saturating_add(ahead)))
}

impl Clock<'_> {
    /// How sure a claim may be that rests on this clock and a time `about` of the evidence.
    pub(crate) fn certainty(&self, about: i64) -> Certainty {
        match self.whose {
            Whose::Server | Whose::Recorder => Certainty::Certain,
            Whose::Reader if (self.at - about).abs() <= RECENT => Certainty::Likely,
            Whose::Reader => Certainty::Possible,
        }
    }

    /// The bytes that tell the time, where the evidence has them.
    pub(crate) fn shown(&self, scene: &Scene<'_>) -> Option<Annotation> {
        let (view, field) = self.date?;
        Some(scene.show_field(view, field, "the server's clock"))
    }

    /// Where the time comes from, in words that follow a time.
    pub(crate) fn by(&self) -> &'static str {
        match self.whose {
            Whose::Server => "by the server's clock",
            Whose::Recorder => "when the request was sent",
            Whose::Reader => "now",
        }
    }
}

/// A time as people and programs read it.
pub(crate) fn time_text(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| format!("{seconds} s since 1970"), |t| t.to_string())
}

/// A length of time in its two largest units at most, rounded to what matters.
pub(crate) fn span_text(seconds: i64) -> String {
    let s = seconds.unsigned_abs();
    let plural = |n: u64, unit: &str| format!("{n} {unit}{}", if n == 1 { "" } else { "s" });
    match s {
        0..=119 => plural(s, "second"),
        120..=7_199 => plural(s / 60, "minute"),
        7_200..=172_799 => plural(s / 3600, "hour"),
        _ => plural(s / 86_400, "day"),
    }
}

/// A time as protocols write it, in seconds since 1970: RFC 3339, an HTTP date, `20150830T123600Z`, digits in seconds
/// or milliseconds.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let text = text.trim().trim_matches('"');
    if let Ok(number) = text.parse::<i64>() {
        return match number {
            100_000_000..=99_999_999_999 => Some(number),
            100_000_000_000..=99_999_999_999_999 => Some(number / 1000),
            _ => None,
        };
    }
    if text.len() == 16 && text.as_bytes().get(8) == Some(&b'T') && text.ends_with('Z') {
        let part = |range: std::ops::Range<usize>| text.get(range);
        let (y, mo, d) = (part(0..4)?, part(4..6)?, part(6..8)?);
        let (h, mi, s) = (part(9..11)?, part(11..13)?, part(13..15)?);
        return format!("{y}-{mo}-{d}T{h}:{mi}:{s}Z").parse::<Timestamp>().ok().map(|t| t.as_second());
    }
    if let Ok(t) = text.parse::<Timestamp>() {
        return Some(t.as_second());
    }
    // `2015-07-02T08:49Z`, as Azure writes it.
    if let Some(minutes) = text.strip_suffix('Z').filter(|m| m.len() == 16)
        && let Ok(t) = format!("{minutes}:00Z").parse::<Timestamp>()
    {
        return Some(t.as_second());
    }
    jiff::fmt::rfc2822::parse(text).ok().map(|z| z.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_all_their_forms() {
        let want = Some(1_440_938_160);
        for text in [
            "1440938160",
            "1440938160123",
            "20150830T123600Z",
            "2015-08-30T12:36:00Z",
            "2015-08-30T12:36Z",
            "Sun, 30 Aug 2015 12:36:00 GMT",
        ] {
            assert_eq!(parse(text), want, "{text}");
        }
        for text in ["", "12", "20150830T9Z", "yesterday", "99999999999999999999"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn spans_are_told_in_one_unit() {
        assert_eq!(span_text(1), "1 second");
        assert_eq!(span_text(-1_380), "23 minutes");
        assert_eq!(span_text(9_000), "2 hours");
        assert_eq!(span_text(400_000), "4 days");
    }
}
