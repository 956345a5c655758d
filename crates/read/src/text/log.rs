//! Lines of logs whose product is not known: a time, a level, words.

use super::lines::Line;
use super::out::Out;
use crate::logs::Told;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use why401_http::{Exchange, Moment, Speaker, Statement};

/// Levels as programs spell them, and as they are told.
const LEVELS: &[(&str, &str)] = &[
    ("trace", "trace"),
    ("debug", "debug"),
    ("dbg", "debug"),
    ("info", "info"),
    ("inf", "info"),
    ("information", "info"),
    ("notice", "notice"),
    ("warn", "warn"),
    ("warning", "warn"),
    ("wrn", "warn"),
    ("error", "error"),
    ("err", "error"),
    ("eror", "error"),
    ("fatal", "fatal"),
    ("ftl", "fatal"),
    ("critical", "fatal"),
    ("crit", "fatal"),
    ("severe", "error"),
    ("fail", "error"),
    ("fine", "debug"),
    ("verbose", "debug"),
    ("vrb", "debug"),
];

/// Marks of a client's own log: it tells of an answer that it got.
const CLIENT: &[&str] = &[
    "statuscode: 401",
    "status code 401",
    "status code: 401",
    "401 client error",
    "http error 401",
    "request failed",
    "response status",
    "received 401",
    "got 401",
    "httperror",
    "http error",
    "401 - unauthorized",
    "server returned",
    "remote server",
    "urllib3",
    "requests.exceptions",
    "http request: ",
    "get https://",
    "post https://",
    "put https://",
    "unable to authenticate, need",
    "headers: {",
    "failed to pull",
    "could not authenticate",
    "hr = 8",
    "winhttp",
    "0x8024",
    "8024401",
];

/// What a line of a log tells; `None` if it is none.
pub(super) enum Entry {
    /// A request and its answer, as an access log has them.
    Exchange(Box<Exchange>),
    /// Words.
    Statement(Box<Statement>),
}

/// Reads a line of an access log or of the error log of a known product, or any line with a time or klog's head.
pub(super) fn entry(line: &Line, out: &Out<'_>) -> Option<Entry> {
    match out.logs.line(&line.text, out.source, out.index()) {
        Some(Told::Exchange(exchange)) => return Some(Entry::Exchange(exchange)),
        Some(Told::Statement(statement)) if statement.product.is_some() => {
            return Some(Entry::Statement(statement));
        }
        _ => {}
    }
    any(line, out).map(|s| Entry::Statement(Box::new(s)))
}

/// The words of a line of a log.
pub(super) fn statement(line: &Line, out: &Out<'_>) -> Option<Statement> {
    match entry(line, out)? {
        Entry::Statement(statement) => Some(*statement),
        Entry::Exchange(_) => None,
    }
}

fn any(line: &Line, out: &Out<'_>) -> Option<Statement> {
    let text = line.str();
    let text = text.trim_end();
    let indent = text.len() - text.trim_start().len();
    let head = text.get(..text.len().min(160)).or_else(|| text.get(..line_boundary(text, 160)))?;
    let (time, end) = journal(head).or_else(|| stamp(head, indent)).or_else(|| klog(head))?;
    let mut statement = Statement::new(out.source, Speaker::ServerLog, line.text.trimmed());
    statement.time = time;
    let rest = head.get(end..).unwrap_or_default();
    statement.level = level(rest).or_else(|| klog_level(rest)).map(str::to_owned);
    let lower = text.get(..text.len().min(2000)).unwrap_or(text).to_lowercase();
    if CLIENT.iter().any(|w| lower.contains(w)) {
        statement.speaker = Speaker::Client;
    }
    Some(statement)
}

/// Whether a line goes on what the entry above it says: a stack trace, an indented block.
pub(super) fn continues(line: &Line) -> bool {
    let text = line.bytes();
    let head = text.trim_ascii_start();
    let first = head.split(|c| c.is_ascii_whitespace()).next().unwrap_or_default();
    line.indent() > 0
        || first == b"at"
        || head.starts_with(b"Caused by:")
        || head.starts_with(b"...")
        || matches!(head.first(), Some(b'}' | b']' | b')'))
        || (first.ends_with(b"Exception:") || first.ends_with(b"Error:")) && first.contains(&b'.')
}

fn line_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

/// `Feb 05 09:14:22 node-3 kubelet[1187]: `: no year, so no time is given.
fn journal(text: &str) -> Option<(Option<Moment>, usize)> {
    let mut words = text.split(' ').filter(|w| !w.is_empty());
    let (month, day, clock) = (words.next()?, words.next()?, words.next()?);
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let plausible = months.contains(&month) && day.parse::<u8>().is_ok_and(|d| d <= 31) && is_clock(clock);
    plausible.then(|| (None, text.find(clock).unwrap_or(0) + clock.len()))
}

/// `E0205 09:14:22.118402    1187 authentication.go:65] ` (klog of Kubernetes): no year either.
fn klog(text: &str) -> Option<(Option<Moment>, usize)> {
    let head = text.trim_start();
    let level = head.chars().next().filter(|c| "IWEF".contains(*c))?;
    let (date, rest) = head.get(level.len_utf8()..)?.split_once(' ')?;
    let clock = rest.split_whitespace().next()?;
    (date.len() == 4 && date.bytes().all(|c| c.is_ascii_digit()) && is_clock(clock)).then_some((None, 0))
}

fn klog_level(text: &str) -> Option<&'static str> {
    text.split([' ', ':']).filter(|w| w.len() == 5).take(12).find_map(|w| {
        let (level, date) = w.split_at_checked(1)?;
        let level = match level {
            "I" => "info",
            "W" => "warn",
            "E" => "error",
            "F" => "fatal",
            _ => return None,
        };
        date.bytes().all(|c| c.is_ascii_digit()).then_some(level)
    })
}

fn is_clock(word: &str) -> bool {
    let b = word.as_bytes();
    b.len() >= 8
        && b.get(2) == Some(&b':')
        && b.get(5) == Some(&b':')
        && [0, 1, 3, 4, 6, 7].iter().all(|i| b.get(*i).is_some_and(u8::is_ascii_digit))
}

/// A date and time, or a time alone in brackets, near the start of the line.
fn stamp(text: &str, indent: usize) -> Option<(Option<Moment>, usize)> {
    let bytes = text.as_bytes();
    // Brackets, a level, a container's name may stand before it.
    let first =
        bytes.iter().enumerate().skip(indent).take(40).find(|(_, c)| c.is_ascii_digit()).map(|(i, _)| i)?;
    let before = text.get(indent..first)?;
    let open = before.trim_end_matches(['[', '(', '"', '<', ' ']);
    if !(open.is_empty() || open.ends_with(['|', ']', ':', '=']) || level(open).is_some()) {
        return None;
    }
    let rest = text.get(first..)?;
    let len = rest.bytes().take_while(|c| c.is_ascii_digit() || b"-/:.,TZ+ ".contains(c)).count();
    let shape = rest.get(..len)?.trim_end_matches(|c: char| !c.is_ascii_digit() && c != 'Z');
    if let Some((moment, used)) = date_time(shape) {
        return Some((Some(moment), first + used));
    }
    let bracket = before.ends_with('[');
    let clock = shape.split(' ').next()?;
    (is_clock(clock) && (bracket || level(rest.get(clock.len()..)?).is_some()))
        .then_some((None, first + clock.len()))
}

/// `2023-11-07 15:00:52,787`, `2022-02-18T11:36:54.335425Z`, `2015/04/26 15:31:16`, `23/02/2023, 17:52:39`,
/// `2026-04-01 10:00:00 +0200`; how much of the text it is.
fn date_time(text: &str) -> Option<(Moment, usize)> {
    let gap = text.find([' ', 'T'])?;
    let date = text.get(..gap)?.trim_end_matches(',');
    let mut parts = date.split(['-', '/', '.']);
    let (a, b, c) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || b.len() > 2 {
        return None;
    }
    let (year, month, day) = match (a.len(), c.len()) {
        (4, 1..=2) => (a, b, c),
        // Where day and month cannot be told apart, Europe's order is taken, as dots and most clients have it.
        (1..=2, 4) if b.parse::<u8>().is_ok_and(|b| b > 12) => (c, a, b),
        (1..=2, 4) => (c, b, a),
        _ => return None,
    };
    let clock_at = gap + 1 + text.get(gap + 1..)?.bytes().take_while(|c| *c == b' ').count();
    let clock = text.get(clock_at..)?;
    if !is_clock(clock) {
        return None;
    }
    let number = |r: std::ops::Range<usize>| clock.get(r).and_then(|t| t.parse::<i8>().ok());
    let mut used = clock_at + 8;
    let mut nanos = 0_i32;
    if let Some(fraction) = clock.get(8..).and_then(|t| t.strip_prefix(['.', ','])) {
        let digits: String = fraction.chars().take_while(char::is_ascii_digit).collect();
        nanos = format!("{digits:0<9}").get(..9)?.parse().ok()?;
        used += 1 + digits.len();
    }
    let zone = text.get(used..).and_then(offset);
    let at = DateTime::new(
        year.parse().ok()?,
        month.parse().ok()?,
        day.parse().ok()?,
        number(0..2)?,
        number(3..5)?,
        number(6..8)?,
        nanos,
    )
    .ok()?;
    let at = zone.unwrap_or(Offset::UTC).to_timestamp(at).ok()?;
    Some((if zone.is_some() { Moment::utc(at) } else { Moment::local(at) }, used))
}

/// `Z`, `+02:00`, ` +0200`
fn offset(text: &str) -> Option<Offset> {
    let text = text.trim_start_matches(' ');
    if text.starts_with('Z') {
        return Some(Offset::UTC);
    }
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let digits: String =
        text.chars().skip(1).filter(|c| *c != ':').take_while(char::is_ascii_digit).take(4).collect();
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..4)?.parse().ok()?;
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// A level among the first words.
fn level(text: &str) -> Option<&'static str> {
    text.split(|c: char| !c.is_ascii_alphabetic()).filter(|w| !w.is_empty()).take(6).find_map(|word| {
        let lower = word.to_ascii_lowercase();
        let plain =
            word.bytes().all(|c| c.is_ascii_uppercase()) || word.bytes().all(|c| c.is_ascii_lowercase());
        let title =
            word.len() > 3 && word.get(1..).is_some_and(|w| w.bytes().all(|c| c.is_ascii_lowercase()));
        LEVELS.iter().find(|(w, _)| *w == lower && (plain || title)).map(|(_, l)| *l)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Collected;
    use why401_span::{Derived, SourceId};

    fn told(text: &str) -> Option<(String, Option<String>, Speaker)> {
        let mut sink = Collected::default();
        let line = Line { text: Derived::synthetic(text), eol: Derived::default() };
        let s = statement(&line, &Out::new(SourceId(0), &mut sink))?;
        Some((
            s.time.map_or("-".to_owned(), |t| format!("{}{}", t.at, if t.zoned { "" } else { " local" })),
            s.level,
            s.speaker,
        ))
    }

    #[test]
    fn stamps_of_many_programs_are_read() {
        let own = |t: &str, l: &str, s| Some((t.to_owned(), (!l.is_empty()).then(|| l.to_owned()), s));
        use Speaker::{Client, ServerLog};
        assert_eq!(
            told("2023-11-07 15:00:52,787 DEBUG [org.keycloak.services] (executor-thread-7) Token not valid"),
            own("2023-11-07T15:00:52.787Z local", "debug", ServerLog)
        );
        assert_eq!(
            told("2022-02-18T11:36:54.335425Z\terror\tmodel\tFailed"),
            own("2022-02-18T11:36:54.335425Z", "error", ServerLog)
        );
        assert_eq!(told("[06:40:15 INF] Failed to validate the token."), own("-", "info", ServerLog));
        assert_eq!(
            told("[23/02/2023, 17:52:39] [SwitchBot] [DEBUG] statusCode: 401"),
            own("2023-02-23T17:52:39Z local", "debug", Client)
        );
        assert_eq!(
            told(
                "Feb 05 09:14:22 node-3 kubelet[1187]: E0205 09:14:22.118402    1187 authentication.go:65] Unable"
            ),
            own("-", "error", ServerLog)
        );
        assert_eq!(
            told("2026-04-01 10:00:00 +0200 [error] x"),
            own("2026-04-01T08:00:00Z", "error", ServerLog)
        );
        assert_eq!(told("W1122 10:00:00.5 1 x.go:1] y"), own("-", "warn", ServerLog));
        assert_eq!(
            told("ERROR 2024-01-02 03:04:05 views 401"),
            own("2024-01-02T03:04:05Z local", "", ServerLog)
        );
        for none in ["I saw 401 on 2024-01-02 03:04:05", "10.1.4.20:52311 GET", "401", "v1.2.3 is out", ""] {
            assert_eq!(told(none), None, "{none}");
        }
    }
}
