//! The common and the combined log format as Apache and nginx write them by default, and nothing else:
//! `192.0.2.1 - alice [22/Nov/2026:17:14:41 +0000] "GET /x HTTP/1.1" 401 179 "-" "curl/8.5.0"`.
//!
//! Whatever looks unusual (a space in a name, an escape, another layout) is left to the readers of all formats.

use super::super::time;
use memchr::{memchr2, memrchr};
use why401_fold::{Claimed, Seen};
use wide::u8x16;

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

/// Where the quotes of a line stand, counted from its front.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Quotes {
    /// The first of them.
    at: [usize; 6],
    /// How many there are.
    count: usize,
    /// Whether there are backslashes.
    escapes: bool,
}

impl Quotes {
    /// Takes those of the line that begins at `start` from the marks of a block; where the line ends, too.
    #[inline]
    pub(super) fn of(block: &[u8], start: usize, marks: &mut &[u32]) -> (Quotes, usize) {
        if let Some((&[a, b, c, d, e, f, end], behind)) = marks.split_first_chunk::<7>() {
            let is = |mark: u8, at: u32| block.get(at as usize) == Some(&mark);
            let quotes = is(b'"', a) & is(b'"', b) & is(b'"', c) & is(b'"', d) & is(b'"', e) & is(b'"', f);
            // As the combined format has it.
            if quotes & is(b'\n', end) {
                *marks = behind;
                let place = |at: u32| (at as usize).wrapping_sub(start);
                let at = [place(a), place(b), place(c), place(d), place(e), place(f)];
                return (Quotes { at, count: 6, escapes: false }, end as usize);
            }
        }
        Quotes::of_any(block, start, marks)
    }

    fn of_any(block: &[u8], start: usize, marks: &mut &[u32]) -> (Quotes, usize) {
        let mut quotes = Quotes::default();
        while let Some((&at, behind)) = marks.split_first() {
            *marks = behind;
            let at = at as usize;
            match block.get(at) {
                Some(b'\n') => return (quotes, at),
                Some(b'"') => {
                    if let Some(place) = quotes.at.get_mut(quotes.count) {
                        *place = at.wrapping_sub(start);
                    }
                    quotes.count += 1;
                }
                _ => quotes.escapes = true,
            }
        }
        (quotes, block.len())
    }
}

impl Fast {
    /// Takes a line apart, into a place where no other line was but of these formats; `None` if it is in any way unusual.
    #[inline]
    pub(super) fn read<'a>(
        &mut self,
        line: &'a [u8],
        quotes: &Quotes,
        offset: u64,
        seen: &mut Seen<'a>,
    ) -> Option<()> {
        let [first, second, third, fourth, fifth, sixth] = quotes.at;
        if quotes.escapes {
            return None;
        }
        let (numbers, agent) = match quotes.count {
            2 => (line.get(second + 1..)?, &b""[..]),
            6.. => {
                let agent = line.get(fifth + 1..sixth)?;
                if line.get(fourth + 1..fifth)? != b" " || !matches!(line.get(sixth + 1), None | Some(b' ')) {
                    return None;
                }
                let [numbers @ .., b' '] = line.get(second + 1..third)? else { return None };
                (numbers, if let b"-" = agent { b"" } else { agent })
            }
            _ => return None,
        };
        let status = status(numbers)?;
        let request = line.get(first + 1..second)?;
        let (head, stamp) = line.get(..first)?.split_last_chunk::<{ TIME + 4 }>()?;
        let [b' ', b'[', stamp @ .., b']', b' '] = stamp else { return None };
        (seen.client, seen.user) = names(head, line)?;
        seen.time = Some(self.time(stamp)?);
        (seen.method, seen.path, seen.version) = request_parts(request)?;
        (seen.status, seen.agent, seen.offset) = (status, agent, offset);
        Some(())
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
        self.another_minute(stamp)?;
        second(self.begins?)
    }

    /// Reads the minute and the zone of a time.
    #[inline(never)]
    fn another_minute(&mut self, stamp: &[u8; TIME]) -> Option<()> {
        self.begins = None;
        let (minute, rest) = stamp.split_first_chunk::<17>()?;
        let (seconds, zone) = rest.split_first_chunk::<3>()?;
        (self.minute, self.zone) = (*minute, zone.try_into().ok()?);
        if !self.zone.starts_with(b" ") {
            return None;
        }
        let (moment, len) = time::take(stamp, false)?;
        if len != TIME || !moment.zoned {
            return None;
        }
        let [b':', tens @ b'0'..=b'5', ones @ b'0'..=b'9'] = seconds else { return None };
        let second = i64::from(tens - b'0') * 10 + i64::from(ones - b'0');
        self.begins = Some(moment.at.as_millisecond() - second * 1000);
        Some(())
    }
}

/// The client and the user in the `head` of a line: `192.0.2.1 - alice`.
#[inline(always)]
fn names<'a>(head: &'a [u8], line: &[u8]) -> Option<(&'a [u8], Claimed<'a>)> {
    // What stands in one register is looked at together.
    let end = match line.first_chunk::<16>().map(|first| not_of_host(first).trailing_zeros() as usize) {
        Some(end) if end < 16 => end,
        _ => head.iter().take(64).position(|b| not_of_host(&[*b; 16]) != 0)?,
    };
    let (client, rest) = head.split_at_checked(end)?;
    let [b' ', b'-', b' ', user @ ..] = rest else { return None };
    let user = match user {
        b"-" => Claimed::Dash,
        b"" => return None,
        name => {
            let odd = match line.get(end + 3..).and_then(<[u8]>::first_chunk::<16>) {
                Some(first) if name.len() < 16 => {
                    let first = u8x16::new(*first);
                    let odd = first.simd_eq(u8x16::splat(b' ')) | first.simd_eq(u8x16::splat(b'['));
                    odd.to_bitmask() & ((1 << name.len()) - 1) != 0
                }
                _ => memchr2(b' ', b'[', name).is_some(),
            };
            if odd {
                return None;
            }
            Claimed::Name(name)
        }
    };
    client.first().is_some_and(|b| *b != b'-').then_some((client, user))
}

/// Of each byte, a bit: whether no name or address of a host has it.
#[inline(always)]
fn not_of_host(bytes: &[u8; 16]) -> u32 {
    let bytes = u8x16::new(*bytes);
    let within = |from: u8, to: u8, bytes: u8x16| {
        let from_there = bytes - u8x16::splat(from);
        from_there.simd_eq(from_there.min(u8x16::splat(to - from)))
    };
    let letter = within(b'a', b'z', bytes | u8x16::splat(b' '));
    // Digits and the colon stand side by side.
    let is = |other: u8| bytes.simd_eq(u8x16::splat(other));
    let others = is(b'-') | is(b'.') | is(b'_') | is(b'%') | is(b'[') | is(b']') | is(b'*');
    let of_host = letter | within(b'0', b':', bytes) | others;
    !of_host.to_bitmask() & 0xffff
}

/// The status in ` 200 8204`.
#[inline(always)]
fn status(numbers: &[u8]) -> Option<u16> {
    let [b' ', a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', b' ', length @ ..] = numbers else {
        return None;
    };
    if length.is_empty() || (length != b"-" && !length.iter().all(u8::is_ascii_digit)) {
        return None;
    }
    let digit = |d: &u8| u16::from(d - b'0');
    Some(digit(a) * 100 + digit(b) * 10 + digit(c))
}

/// Method, path and version of a usual request line.
#[inline(always)]
fn request_parts(request: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    if matches!(request, b"" | b"-") {
        return Some((b"", b"", b""));
    }
    let blanks = |bytes: &[u8; 16]| u8x16::new(*bytes).simd_eq(u8x16::splat(b' ')).to_bitmask();
    let method_end = match request.first_chunk::<16>().map(blanks) {
        Some(blanks) if blanks != 0 => blanks.trailing_zeros() as usize,
        _ => request.iter().position(|b| *b == b' ')?,
    };
    let (method, rest) = request.split_at_checked(method_end)?;
    let rest = rest.get(1..)?;
    let (target, version) = match rest.split_last_chunk::<9>() {
        Some((target, b" HTTP/1.1")) => (target, &b"1.1"[..]),
        Some((target, b" HTTP/2.0")) => (target, &b"2"[..]),
        _ => {
            let (target, version) = rest.split_at_checked(memrchr(b' ', rest)?)?;
            (target, version.strip_prefix(b" HTTP/")?)
        }
    };
    // An absolute address would have to be taken apart.
    if target.first() != Some(&b'/') {
        return None;
    }
    Some((method, target.get(..path_length(target))?, version))
}

/// How much of a target is its path. Short ones are the rule: a call of the library's search takes longer than the search.
#[inline(always)]
fn path_length(target: &[u8]) -> usize {
    let ends = |bytes: u8x16| bytes.simd_eq(u8x16::splat(b'?')) | bytes.simd_eq(u8x16::splat(b'#'));
    let (parts, rest) = target.as_chunks::<16>();
    for (nth, part) in parts.iter().enumerate() {
        let found = ends(u8x16::new(*part)).to_bitmask();
        if found != 0 {
            return nth * 16 + found.trailing_zeros() as usize;
        }
    }
    let end = rest.iter().position(|b| matches!(b, b'?' | b'#'));
    target.len() - rest.len() + end.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::super::super::reader::{Reading, Recogniser};
    use super::super::seen;
    use super::*;
    use proptest::prelude::*;

    fn fast<'a>(fast: &mut Fast, line: &'a [u8]) -> Option<Seen<'a>> {
        let mut room = Vec::new();
        let (quotes, end) = Quotes::of(line, 0, &mut why401_marks::find(line, &mut room));
        assert_eq!(end, line.len());
        let mut seen = Seen::default();
        fast.read(line, &quotes, 0, &mut seen).map(|()| seen)
    }

    fn both(line: &[u8]) -> (Option<Seen<'_>>, bool) {
        let recogniser = Recogniser::new(None);
        let fast = fast(&mut Fast::default(), line);
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
            r#"[22/Nov/2026:17:14:41 +0100] "GET / HTTP/1.1" 401 179 "-""#,
            r#"[22/Nov/2026:17:14:71 +0100] "GET / HTTP/1.1" 401 179"#,
            r#"[22/Nov/2026:17:14:41 +0100] "GET / HTTP/1.1" 40 179"#,
            r#"[22/Nov/2026:17:14:41] "GET / HTTP/1.1" 401 179"#,
        ] {
            assert!(both(format!("192.0.2.1 - a {rest}").as_bytes()).0.is_none(), "{rest}");
        }
    }

    #[test]
    fn the_time_of_the_line_before_deceives_nobody() {
        let mut reader = Fast::default();
        let mut time = |stamp: &str| {
            let line = format!("192.0.2.1 - - [{stamp}] \"GET / HTTP/1.1\" 200 1");
            fast(&mut reader, line.as_bytes()).and_then(|s| s.time)
        };
        let noon = time("22/Nov/2026:12:00:00 +0000").unwrap();
        assert_eq!(time("22/Nov/2026:12:00:59 +0000"), Some(noon + 59_000));
        assert_eq!(time("22/Nov/2026:12:00:59 +0100"), Some(noon + 59_000 - 3_600_000));
        assert_eq!(time("99/Nov/2026:12:00:59 +0100"), None);
        assert_eq!(time("99/Nov/2026:12:00:59 +0100"), None);
        assert_eq!(time("22/Nov/2026:12:00:01 +0000"), Some(noon + 1000));
    }

    #[test]
    fn bytes_of_hosts_are_told_from_others() {
        for byte in 0..=255u8 {
            let of_host = byte.is_ascii_alphanumeric() || b"-._:%[]*".contains(&byte);
            assert_eq!(not_of_host(&[byte; 16]), if of_host { 0 } else { 0xffff }, "{byte}");
        }
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
