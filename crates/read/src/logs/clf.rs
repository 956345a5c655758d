//! The common log format and all that grew out of it, worked out from the line itself.
//!
//! What such lines share is a time in brackets, then a request line in quotes, then a status. What stands before the
//! time (`host ident user`, `vhost host ident user`, `- user`, nothing) and behind the status (bytes, referrer, user
//! agent, anything) differs from server to server; both are told apart by what the words look like.

use super::line::{Escape, Line, number, offset_in};
use super::part::Part;
use super::time;
use memchr::{memchr, memchr_iter, memrchr};

/// Takes a line apart; `None` if it is no such line.
pub(crate) fn parse(bytes: &[u8]) -> Option<Line<'_>> {
    let (before, stamp, behind) = split_at_time(bytes)?;
    if trim(before).is_empty() && memchr(b'/', stamp).is_none() {
        // Envoy's lines begin with an ISO 8601 time and go on otherwise.
        return None;
    }
    let mut line = Line { escape: Escape::Backslash, ..Line::default() };
    line.set(Part::Time, stamp);
    let request = skip(behind).strip_prefix(b"\"")?;
    let (request, rest) = request_end(request)?;
    line.set(Part::Request, request);
    let (status, rest) = word(rest);
    line.set(Part::Status, status);
    let (count, rest) = word(rest);
    if number(count).is_some() || count == b"-" {
        line.set(Part::Bytes, count);
        tail(&mut line, rest);
    } else {
        tail(&mut line, behind_status(rest, count));
    }
    head(&mut line, before)?;
    if is_without_zone(stamp) {
        // Python's http.server and what copies it write values as they are (`LAB\alice`).
        line.escape = Escape::None;
    }
    Some(line)
}

/// Puts back a word that was no count of bytes.
fn behind_status<'a>(rest: &'a [u8], word: &'a [u8]) -> &'a [u8] {
    if word.starts_with(b"\"") { word } else { rest }
}

/// Finds the time in brackets: the one that a quoted request follows, wherever a user name imitates one.
fn split_at_time(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    for open in memchr_iter(b'[', bytes) {
        let Some((_, len)) = bytes.get(open + 1..).and_then(|text| time::take(text, false)) else { continue };
        let close = open + 1 + len;
        let Some(behind) = bytes.get(close..).and_then(|b| b.strip_prefix(b"]")) else { continue };
        if skip(behind).first() == Some(&b'"') {
            return Some((bytes.get(..open)?, bytes.get(open + 1..close)?, behind));
        }
    }
    None
}

/// The request ends at the first quote that is not escaped and has a status behind it; servers that do not escape
/// quotes (Tomcat) are read all the same.
fn request_end(text: &[u8]) -> Option<(&[u8], &[u8])> {
    for at in memchr_iter(b'"', text) {
        let rest = text.get(at + 1..)?;
        if is_escaped(text, at) {
            continue;
        }
        if rest.first() == Some(&b' ') && is_status(word(rest).0) {
            return Some((text.get(..at)?, skip(rest)));
        }
    }
    None
}

fn is_status(text: &[u8]) -> bool {
    text == b"-" || (text.len() == 3 && number(text).is_some())
}

/// Whether the byte at `at` has an odd number of backslashes before it.
pub(crate) fn is_escaped(text: &[u8], at: usize) -> bool {
    text.get(..at).is_some_and(|before| before.iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1)
}

/// Reads `[vhost] host ident user` and its shorter forms. The user comes last and may hold spaces.
fn head<'a>(line: &mut Line<'a>, before: &'a [u8]) -> Option<()> {
    let text = trim(before);
    if text.is_empty() {
        return Some(());
    }
    let (first, rest) = word(text);
    let (second, behind_second) = word(rest);
    if rest.is_empty() {
        // One word: who asked (or `-` where that is hidden).
        line.set(Part::Client, first);
    } else if first == b"-" && second != b"-" {
        // The address is missing at the front: `- user`.
        line.set(Part::User, user_behind(before, first)?);
    } else if behind_second.is_empty() {
        match is_host(first) {
            true => line.set(Part::Client, first),
            false if first != b"-" => return None,
            false => {}
        }
        line.set(Part::User, second);
    } else if is_host(first) && is_address(second) && !is_host_with_port(second) {
        line.set(Part::Host, first);
        line.set(Part::Client, second);
        let (ident, user) = word(behind_second);
        line.set(Part::User, if user.is_empty() { ident } else { user_behind(before, ident)? });
    } else if is_host(first) || first == b"-" {
        line.set(Part::Client, first);
        if is_host(second) && second != b"-" && (is_host_with_port(second) || memchr(b'.', second).is_some())
        {
            // lighttpd's default: `%h %V %u`.
            line.set(Part::Host, second);
            line.product = Some("lighttpd");
        }
        line.set(Part::User, user_behind(before, second)?);
    } else {
        return None;
    }
    Some(())
}

/// The user behind the word `last`: all but the one space on either side. A space more on one side is the user's own;
/// a space more on both is how the line is laid out.
fn user_behind<'a>(before: &'a [u8], last: &[u8]) -> Option<&'a [u8]> {
    let end = offset_in(before, last)? + last.len();
    let user = before.get(end..)?;
    let user = user.strip_prefix(b" ").unwrap_or(user);
    let user = user.strip_suffix(b" ").unwrap_or(user);
    let trimmed = trim(user);
    let is_padded = user.starts_with(b" ") && user.ends_with(b" ");
    Some(if is_padded || trimmed.is_empty() || trimmed == b"-" { trimmed } else { user })
}

/// Reads `"referrer" "user agent" ...`, or a single one of them.
fn tail<'a>(line: &mut Line<'a>, text: &'a [u8]) {
    let Some((first, rest)) = quoted(text) else { return };
    match quoted(rest) {
        Some((second, rest)) => {
            line.set(Part::Referer, first);
            line.set(Part::Agent, second);
            if is_traefiks(rest) {
                line.product = Some("traefik");
            }
        }
        None if first.starts_with(b"http://") || first.starts_with(b"https://") => {
            line.set(Part::Referer, first);
        }
        None if memchr(b'/', first).is_some() => line.set(Part::Agent, first),
        None => {}
    }
}

/// Traefik ends its lines with a count, the router, the server and the duration in ms.
fn is_traefiks(rest: &[u8]) -> bool {
    let (count, routed) = word(rest);
    number(count).is_some() && routed.starts_with(b"\"") && rest.ends_with(b"ms")
}

/// The quoted string that `text` begins with after spaces: it ends at a quote that is not escaped and has a space or
/// nothing behind it.
pub(crate) fn quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = skip(text).strip_prefix(b"\"")?;
    for at in memchr_iter(b'"', inside) {
        let rest = inside.get(at + 1..)?;
        if !is_escaped(inside, at) && matches!(rest.first(), None | Some(b' ' | b'\t')) {
            return Some((inside.get(..at)?, rest));
        }
    }
    None
}

/// The first word and what follows it, without the spaces before them.
pub(crate) fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = skip(text);
    let end = memchr(b' ', text).unwrap_or(text.len());
    (text.get(..end).unwrap_or_default(), text.get(end..).map(skip).unwrap_or_default())
}

/// Without spaces at the front.
pub(crate) fn skip(text: &[u8]) -> &[u8] {
    text.trim_ascii_start()
}

/// Without spaces at both ends.
fn trim(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

/// An IPv4 or IPv6 address, perhaps with a port.
pub(crate) fn is_address(text: &[u8]) -> bool {
    let plain = text.strip_prefix(b"[").unwrap_or(text);
    let colons = memchr_iter(b':', plain).count();
    if colons >= 2 {
        return plain.iter().all(|b| b.is_ascii_hexdigit() || b":.%]".contains(b));
    }
    let host = match memrchr(b':', plain) {
        Some(at) => plain.get(..at).unwrap_or_default(),
        None => plain,
    };
    memchr_iter(b'.', host).count() == 3 && host.iter().all(|b| b.is_ascii_digit() || *b == b'.')
}

/// What may be an address or a host name, perhaps with a port; `-` counts as an unknown one.
fn is_host(text: &[u8]) -> bool {
    is_address(text)
        || (!text.is_empty()
            && text.iter().all(|b| b.is_ascii_alphanumeric() || b"-._:%[]*".contains(b))
            && (text == b"-" || !text.starts_with(b"-")))
}

fn is_host_with_port(text: &[u8]) -> bool {
    memrchr(b':', text).is_some_and(|at| {
        let port = text.get(at + 1..).unwrap_or_default();
        let host = text.get(..at).unwrap_or_default();
        number(port).is_some() && (memchr(b':', host).is_none() || host.ends_with(b"]"))
    })
}

/// Whether a time has no zone and is not ISO 8601.
fn is_without_zone(stamp: &[u8]) -> bool {
    stamp.len() <= b"22/Nov/2026 17:14:41.123456".len()
        && memchr(b'/', stamp).is_some()
        && memchr(b'+', stamp).is_none()
        && stamp.get(11) == Some(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(line: &[u8], part: Part) -> Option<String> {
        parse(line).and_then(|l| l.get(part).map(|b| String::from_utf8_lossy(b).into_owned()))
    }
    fn user(line: &str) -> Option<String> {
        part(line.as_bytes(), Part::User)
    }

    #[test]
    fn the_user_is_found_wherever_it_stands() {
        let rest = r#"[24/Oct/2012:17:31:26 +0200] "GET / HTTP/1.1" 401 0"#;
        for (head, want) in [
            ("192.0.2.1 - alice", "alice"),
            ("- customerabc", "customerabc"),
            ("- -", "-"),
            ("192.0.2.1 - -", "-"),
            ("192.0.2.1 - alice b smith", "alice b smith"),
            ("www.example.com:443 192.0.2.1 - alice", "alice"),
            ("www.example.com 192.0.2.1 - alice smith", "alice smith"),
            ("192.0.2.1 www.example.com alice", "alice"),
            ("192.0.2.1 127.0.0.1:8080 -", "-"),
            ("localhost:443 178.20.184.42 1j0vhgd jsmith", "jsmith"),
            ("2001:db8::1 - LAB\\alice", "LAB\\alice"),
            ("192.0.2.1 - alice@example.com", "alice@example.com"),
            ("192.0.2.1 - \"\"", "\"\""),
            ("client.example.com - alice", "alice"),
            ("192.0.2.1  -  -", "-"),
            ("192.0.2.1 -  lead", " lead"),
            ("192.0.2.1 - trail ", "trail "),
            ("192.0.2.1 -  padded ", "padded"),
        ] {
            assert_eq!(user(&format!("{head} {rest}")).as_deref(), Some(want), "{head}");
        }
        assert_eq!(user(&format!("192.0.2.1 {rest}")), None);
    }

    #[test]
    fn a_user_name_that_imitates_a_line_deceives_nobody() {
        let line = br#"192.0.2.1 - x [24/Oct/2012:17:31:26 +0200] \"GET /ok HTTP/1.1\" 200 1 [24/Oct/2012:17:31:27 +0200] "GET /real HTTP/1.1" 401 0 "-" "-""#;
        assert_eq!(part(line, Part::Request).as_deref(), Some("GET /real HTTP/1.1"));
        assert_eq!(part(line, Part::Status).as_deref(), Some("401"));
    }

    #[test]
    fn quotes_inside_the_request_are_kept_escaped_or_not() {
        for request in [r#"GET /a\"b HTTP/1.1"#, r#"GET /a"b HTTP/1.1"#, r#"GET /" 20 HTTP/1.1"#, "-", ""] {
            let line = format!(r#"192.0.2.1 - - [24/Oct/2012:17:31:26 +0200] "{request}" 401 0"#);
            assert_eq!(part(line.as_bytes(), Part::Request).as_deref(), Some(request));
        }
    }

    #[test]
    fn one_quoted_string_at_the_end_is_what_it_looks_like() {
        let line = br#"- a [24/Oct/2012:17:31:26 +0200] "POST /a/a.sms HTTP/1.1" 200 171 "" 0"#;
        assert_eq!((part(line, Part::Agent), part(line, Part::Bytes)), (None, Some("171".into())));
        let line = br#"- a [24/Oct/2012:17:31:26 +0200] "GET / HTTP/1.1" 200 171 "curl/8.0""#;
        assert_eq!(part(line, Part::Agent).as_deref(), Some("curl/8.0"));
    }

    #[test]
    fn other_lines_are_left_to_others() {
        for line in [
            &b""[..],
            b"Sun Nov 22 nothing",
            b"[Sun Nov 22 17:15:23.630553 2026] [auth_basic:error] [pid 1] AH01618: user",
            b"2026/11/22 17:15:13 [error] 14437#14437: *39 user",
            br#"[24/Oct/2012:17:31:26 +0200] GET / 200"#,
        ] {
            assert!(parse(line).is_none());
        }
    }
}
