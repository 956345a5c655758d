//! The common and the combined log format as Apache and nginx write them by default, and nothing else:
//! `192.0.2.1 - alice [22/Nov/2026:17:14:41 +0000] "GET /x HTTP/1.1" 401 179 "-" "curl/8.5.0"`.
//!
//! Whatever looks unusual (a space in a name, an escape, another layout) is left to the readers of all formats.

use super::super::time;
use memchr::{memchr, memchr2, memrchr};
use why401_fold::{Claimed, Seen};

/// How long a time is: `22/Nov/2026:17:14:41 +0000`.
const TIME: usize = 26;

/// Reads such lines. What was read of the time of the line before is used again, since most lines share it.
#[derive(Debug, Default)]
pub(super) struct Fast {
    /// `22/Nov/2026:17:14`
    minute: [u8; 17],
    /// ` +0000`
    zone: [u8; 6],
    /// Milliseconds since 1970 at which that minute begins.
    begins: Option<i64>,
}

impl Fast {
    /// Takes a line apart; `None` if it is in any way unusual.
    #[inline]
    pub(super) fn read<'a>(&mut self, line: &'a [u8], offset: u64) -> Option<Seen<'a>> {
        let end = line.iter().take(64).position(|b| !is_of_host(*b))?;
        let (client, rest) = line.split_at_checked(end)?;
        let rest = rest.strip_prefix(b" - ")?;
        if client.is_empty() || client.starts_with(b"-") {
            return None;
        }
        let (user, rest) = rest.split_at_checked(memchr(b' ', rest)?)?;
        let user = match user {
            b"-" => Claimed::Dash,
            b"\"\"" => Claimed::Empty,
            _ if user.is_empty() || user.iter().any(|b| matches!(b, b'"' | b'\\' | b'[')) => return None,
            name => Claimed::Name(name),
        };
        let rest = rest.strip_prefix(b" [")?;
        let (stamp, rest) = rest.split_first_chunk::<TIME>()?;
        let time = self.time(stamp)?;
        let rest = rest.strip_prefix(b"] \"")?;
        let (request, rest) = quoted(rest)?;
        let (status, rest) = status(rest)?;
        let rest = rest.strip_prefix(b" ")?;
        let end = rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
        let rest = if end == 0 { rest.strip_prefix(b"-")? } else { rest.get(end..)? };
        let agent = match rest.strip_prefix(b" \"") {
            None if rest.is_empty() => &b""[..],
            None => return None,
            Some(rest) => {
                let (_referrer, rest) = quoted(rest)?;
                let (agent, rest) = quoted(rest.strip_prefix(b" \"")?)?;
                if !matches!(rest.first(), None | Some(b' ')) {
                    return None;
                }
                if agent == b"-" { b"" } else { agent }
            }
        };
        let (method, path, version) = request_parts(request)?;
        Some(Seen {
            client,
            user,
            status,
            time: Some(time),
            method,
            path,
            agent,
            version,
            offset,
            ..Seen::default()
        })
    }

    #[inline]
    fn time(&mut self, stamp: &[u8; TIME]) -> Option<i64> {
        let (minute, rest) = stamp.split_first_chunk::<17>()?;
        let [b':', tens, ones, zone @ ..] = rest else { return None };
        let second = |begins: i64| {
            let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
            (tens < 6 && ones < 10).then(|| begins + (i64::from(tens) * 10 + i64::from(ones)) * 1000)
        };
        if *minute == self.minute && *zone == self.zone {
            return second(self.begins?);
        }
        self.begins = None;
        self.minute = *minute;
        self.zone = zone.try_into().ok()?;
        if !self.zone.starts_with(b" ") {
            return None;
        }
        let (moment, len) = time::take(stamp, false)?;
        if len != TIME || !moment.zoned {
            return None;
        }
        self.begins = Some(moment.at.as_millisecond() - second(0)?);
        Some(moment.at.as_millisecond())
    }
}

/// What ends at the next quote and what follows it; `None` where a backslash makes that doubtful.
#[inline]
fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr2(b'"', b'\\', text)?;
    let (inside, rest) = text.split_at_checked(end)?;
    Some((inside, rest.strip_prefix(b"\"")?))
}

#[inline]
fn status(text: &[u8]) -> Option<(u16, &[u8])> {
    let [b' ', a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] = text else { return None };
    let digit = |d: &u8| u16::from(d - b'0');
    Some((digit(a) * 100 + digit(b) * 10 + digit(c), rest))
}

/// Method, path and version of a usual request line.
#[inline]
fn request_parts(request: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    if matches!(request, b"" | b"-") {
        return Some((b"", b"", b""));
    }
    let (method, rest) = request.split_at_checked(memchr(b' ', request)?)?;
    let rest = rest.get(1..)?;
    let (target, version) = rest.split_at_checked(memrchr(b' ', rest)?)?;
    let version = version.strip_prefix(b" HTTP/")?;
    // An absolute address would have to be taken apart.
    if !target.starts_with(b"/") {
        return None;
    }
    let path = match memchr2(b'?', b'#', target) {
        Some(end) => target.get(..end)?,
        None => target,
    };
    if memchr(b':', target).is_some() && memchr::memmem::find(target, b"://").is_some() {
        return None;
    }
    let version = if version == b"2.0" { b"2" } else { version };
    Some((method, path, version))
}

#[inline]
fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'%' | b'[' | b']' | b'*')
}

#[cfg(test)]
mod tests {
    use super::super::super::reader::{Reading, Recogniser};
    use super::super::seen;
    use super::*;
    use proptest::prelude::*;

    fn both(line: &[u8]) -> (Option<Seen<'_>>, bool) {
        let recogniser = Recogniser::new(None);
        let fast = Fast::default().read(line, 0);
        let agrees = match (&fast, recogniser.recognise(line, None)) {
            (None, _) => true,
            (Some(seen), Some(Reading::Access(read))) => *seen == seen::of(&read, 0),
            (Some(_), _) => false,
        };
        (fast, agrees)
    }

    #[test]
    fn usual_lines_are_read_and_unusual_ones_are_left() {
        let tail = r#"[22/Nov/2026:17:14:41 +0100] "GET /a?b HTTP/2.0" 401 179 "-" "curl/8.5.0""#;
        let line = format!("192.0.2.1 - alice {tail}");
        let (Some(seen), true) = both(line.as_bytes()) else { panic!("left, or not agreed on") };
        assert_eq!(
            (seen.client, seen.user, seen.status, seen.time),
            (&b"192.0.2.1"[..], Claimed::Name(b"alice"), 401, Some(1_795_364_081_000))
        );
        assert_eq!((seen.method, seen.path, seen.version), (&b"GET"[..], &b"/a"[..], &b"2"[..]));
        for head in
            ["192.0.2.1 - alice b", "- alice", "v:443 192.0.2.1 - a", r"192.0.2.1 - a\x22", "192.0.2.1 - "]
        {
            let line = format!("{head} {tail}");
            let (fast, agrees) = both(line.as_bytes());
            assert!(fast.is_none() && agrees, "{head}");
        }
        for rest in [
            r#"[22/Nov/2026:17:14:41 +0100] "GET /a\"b HTTP/1.1" 401 179"#,
            r#"[22/Nov/2026:17:14:41 +0100] "GET http://x/ HTTP/1.1" 401 179"#,
            r#"[22/Nov/2026:17:14:71 +0100] "GET / HTTP/1.1" 401 179"#,
            r#"[22/Nov/2026:17:14:41 +0100] "GET / HTTP/1.1" 40 179"#,
            r#"[22/Nov/2026:17:14:41] "GET / HTTP/1.1" 401 179"#,
        ] {
            assert!(both(format!("192.0.2.1 - a {rest}").as_bytes()).0.is_none(), "{rest}");
        }
    }

    #[test]
    fn the_time_of_the_line_before_deceives_nobody() {
        let mut fast = Fast::default();
        let mut time = |stamp: &str| {
            let line = format!("192.0.2.1 - - [{stamp}] \"GET / HTTP/1.1\" 200 1");
            fast.read(line.as_bytes(), 0).and_then(|s| s.time)
        };
        let noon = time("22/Nov/2026:12:00:00 +0000").unwrap();
        assert_eq!(time("22/Nov/2026:12:00:59 +0000"), Some(noon + 59_000));
        assert_eq!(time("22/Nov/2026:12:00:59 +0100"), Some(noon + 59_000 - 3_600_000));
        assert_eq!(time("99/Nov/2026:12:00:59 +0100"), None);
        assert_eq!(time("99/Nov/2026:12:00:59 +0100"), None);
        assert_eq!(time("22/Nov/2026:12:00:01 +0000"), Some(noon + 1000));
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_all_other_readers_read(
            host in "[0-9a-f.:%*-]{1,12}|-|[a-z]{1,5}:80",
            ident in prop_oneof![9 => Just("-".to_owned()), 1 => "[a-z-]{1,3}"],
            user in "[a-z]{1,4}|-|\"\"|[ -~]{0,8}",
            request in "[A-Z]{1,4} /[a-z?#/]{0,6} HTTP/[0-9.]{1,3}|[ -~]{0,16}|-|",
            status in "[0-9]{3}|[0-9-]{1,3}",
            count in "[0-9]{1,3}|-|",
            tail in "( \"[ -~]{0,5}\"){0,3}( [0-9a-z]{1,3})?",
        ) {
            let line = format!("{host} {ident} {user} [22/Nov/2026:17:14:41 +0000] \"{request}\" {status} {count}{tail}");
            let (fast, agrees) = both(line.as_bytes());
            prop_assert!(agrees, "{line}: {fast:?}");
        }
    }
}
