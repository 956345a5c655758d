//! What others put around a log line: syslog, journald, Docker, containerd, Compose, kubectl.

use super::clf::word;
use super::time;
use memchr::{memchr, memmem};
use why401_http::Moment;

/// A line freed of one layer of wrapping.
#[derive(Debug, Default)]
pub(crate) struct Wrapped<'a> {
    /// The line inside.
    pub(crate) inner: &'a [u8],
    /// Whether it is spelt as the inside of a JSON string.
    pub(crate) is_json: bool,
    /// When it was written, where the wrapping tells.
    pub(crate) time: Option<Moment>,
    /// The program that wrote it.
    pub(crate) program: Option<&'a [u8]>,
    /// Its severity.
    pub(crate) level: Option<&'static str>,
}

/// Takes one layer off; `None` if there is none.
pub(crate) fn strip(line: &[u8]) -> Option<Wrapped<'_>> {
    match line.first()? {
        b'<' => syslog_with_priority(line),
        b'{' => docker_json(line),
        b'0'..=b'9' => containerd(line).or_else(|| iso_syslog(line)),
        b'[' => kubectl_prefix(line),
        b'A'..=b'Z' => bsd_syslog(line).or_else(|| compose(line)),
        _ => compose(line),
    }
}

/// `<34>Oct 11 22:14:15 host app[12]: text` (RFC 3164) and `<34>1 2003-10-11T22:14:15.003Z host app 12 ID - text`
/// (RFC 5424).
fn syslog_with_priority(line: &[u8]) -> Option<Wrapped<'_>> {
    let (_, rest) = line.split_first()?;
    let end = memchr(b'>', rest).filter(|end| *end <= 3)?;
    let priority: u16 = std::str::from_utf8(rest.get(..end)?).ok()?.parse().ok()?;
    let rest = rest.get(end + 1..)?;
    let inside = match rest.strip_prefix(b"1 ") {
        Some(rest) => rfc5424(rest),
        None => bsd_syslog(rest).or_else(|| iso_syslog(rest)),
    }?;
    Some(Wrapped { level: LEVELS.get(usize::from(priority % 8)).copied(), ..inside })
}

/// RFC 5424 section 6.2.1.
const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"];

fn rfc5424(line: &[u8]) -> Option<Wrapped<'_>> {
    let (stamp, rest) = word(line);
    let (_host, rest) = word(rest);
    let (program, rest) = word(rest);
    let (_process, rest) = word(rest);
    let (_message_id, rest) = word(rest);
    let inner = match rest.strip_prefix(b"-") {
        Some(rest) => rest,
        None => structured_data(rest)?,
    };
    let inner = inner.strip_prefix(b" ").unwrap_or(inner);
    let inner = inner.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(inner);
    Some(Wrapped { inner, time: time::whole(stamp, false), program: Some(program), ..Wrapped::default() })
}

/// What follows `[id key="value"][...]`; a quoted `]` is escaped (RFC 5424 section 6.3.3).
fn structured_data(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    while rest.first() == Some(&b'[') {
        let end = memchr::memchr_iter(b']', rest).find(|at| rest.get(at.wrapping_sub(1)) != Some(&b'\\'))?;
        rest = rest.get(end + 1..)?;
    }
    (rest.len() < text.len()).then_some(rest)
}

/// `Feb 05 09:14:22 host program[12]: text`: a time without a year is no moment.
fn bsd_syslog(line: &[u8]) -> Option<Wrapped<'_>> {
    let stamp = line.get(..16)?;
    let shaped = stamp.iter().zip(b"Aaa ?0 00:00:00 ").all(|(b, shape)| match shape {
        b'A' => b.is_ascii_uppercase(),
        b'a' => b.is_ascii_lowercase(),
        b'0' => b.is_ascii_digit(),
        b'?' => b.is_ascii_digit() || *b == b' ',
        other => b == other,
    });
    if !shaped {
        return None;
    }
    host_and_program(line.get(16..)?)
}

/// `2026-11-22T17:14:41.123+00:00 host program[12]: text` (rsyslog, journalctl -o short-iso).
fn iso_syslog(line: &[u8]) -> Option<Wrapped<'_>> {
    if line.get(10) != Some(&b'T') {
        return None;
    }
    let (moment, len) = time::take(line, false)?;
    let rest = line.get(len..)?.strip_prefix(b" ")?;
    let wrapped = host_and_program(rest)?;
    Some(Wrapped { time: Some(moment), ..wrapped })
}

fn host_and_program(text: &[u8]) -> Option<Wrapped<'_>> {
    let (host, rest) = word(text);
    let (tag, rest_of_line) = word(rest);
    let (tag, inner) = match tag.strip_suffix(b":") {
        Some(tag) => (tag, rest_of_line),
        // Some senders leave the host out.
        None => (host.strip_suffix(b":")?, rest),
    };
    let program = tag.split(|b| *b == b'[').next()?;
    let named =
        !program.is_empty() && program.iter().all(|b| b.is_ascii_alphanumeric() || b"-_./@".contains(b));
    named.then_some(Wrapped { inner, program: Some(program), ..Wrapped::default() })
}

/// Docker's json-file driver: `{"log":"text\n","stream":"stdout","time":"2026-11-22T17:14:41.123Z"}`.
fn docker_json(line: &[u8]) -> Option<Wrapped<'_>> {
    let text = line.strip_prefix(b"{\"log\":\"")?;
    let end = memmem::rfind(text, b"\",\"stream\":\"")?;
    let (inner, rest) = text.split_at_checked(end)?;
    let inner = inner.strip_suffix(b"\\n").unwrap_or(inner);
    let inner = inner.strip_suffix(b"\\r").unwrap_or(inner);
    let time = memmem::find(rest, b"\"time\":\"").and_then(|at| rest.get(at + 8..));
    let time = time.and_then(|t| time::take(t, false)).map(|(moment, _)| moment);
    Some(Wrapped { inner, is_json: true, time, ..Wrapped::default() })
}

/// The CRI's format: `2016-10-06T00:17:09.669794202Z stdout F text`.
fn containerd(line: &[u8]) -> Option<Wrapped<'_>> {
    if line.get(10) != Some(&b'T') {
        return None;
    }
    let (moment, len) = time::take(line, false)?;
    let rest = line.get(len..)?;
    let rest = rest.strip_prefix(b" stdout ").or_else(|| rest.strip_prefix(b" stderr "))?;
    let inner = rest.strip_prefix(b"F ").or_else(|| rest.strip_prefix(b"P "))?;
    Some(Wrapped { inner, time: Some(moment), ..Wrapped::default() })
}

/// kubectl logs --prefix: `[pod/name/container] text`.
fn kubectl_prefix(line: &[u8]) -> Option<Wrapped<'_>> {
    line.strip_prefix(b"[pod/")?;
    let end = memchr(b']', line)?;
    let inner = line.get(end + 1..)?.strip_prefix(b" ")?;
    Some(Wrapped { inner, ..Wrapped::default() })
}

/// Docker Compose: `web-1  | text`.
fn compose(line: &[u8]) -> Option<Wrapped<'_>> {
    let end = memchr(b' ', line)?;
    let name = line.get(..end)?;
    let named = !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b));
    let rest = line.get(end..)?.trim_ascii_start();
    let inner = rest.strip_prefix(b"|").map(|r| r.strip_prefix(b" ").unwrap_or(r))?;
    named.then_some(Wrapped { inner, ..Wrapped::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrapping_comes_off() {
        for line in [
            "Feb 05 09:14:22 node-3 nginx[1187]: TEXT",
            "Feb  5 09:14:22 node-3 nginx: TEXT",
            "<134>Feb  5 09:14:22 nginx: TEXT",
            "<34>1 2003-10-11T22:14:15.003Z host nginx 12 ID47 - TEXT",
            r#"<34>1 2003-10-11T22:14:15.003Z host nginx 12 ID47 [x@1 a="b\]"][y@2 c="d"] TEXT"#,
            "2026-11-22T17:14:41.123456+00:00 host nginx[3]: TEXT",
            r#"{"log":"TEXT\n","stream":"stdout","time":"2026-11-22T17:14:41.123Z"}"#,
            "2016-10-06T00:17:09.669794202Z stdout F TEXT",
            "[pod/nginx-1/nginx] TEXT",
            "web-1  | TEXT",
        ] {
            let wrapped = strip(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(wrapped.inner, b"TEXT", "{line}");
        }
    }

    #[test]
    fn plain_lines_have_none() {
        for line in [
            r#"192.0.2.1 - alice [22/Nov/2026:17:14:41 +0000] "GET / HTTP/1.1" 401 179"#,
            "2026/11/22 17:15:13 [error] 14437#14437: *39 text",
            "[Sun Nov 22 17:15:23.630553 2026] [auth_basic:error] text",
            "2026-11-22 17:14:41 10.0.0.1 GET /",
            "",
            "{",
            "<",
            "<999999>",
        ] {
            assert!(strip(line.as_bytes()).is_none(), "{line}");
        }
    }

    #[test]
    fn priority_and_time_are_kept() {
        let wrapped = strip(b"<11>1 2003-10-11T22:14:15.003Z host nginx 12 - - x").unwrap();
        assert_eq!(wrapped.level, Some("error"));
        assert_eq!(wrapped.time.unwrap().at.to_string(), "2003-10-11T22:14:15.003Z");
    }
}
