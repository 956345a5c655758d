//! nginx's error log: `2026/11/22 17:15:13 [error] 14437#14437: *39 text, client: ..., server: ..., request: "..."`
//! (`ngx_log.c`, `ngx_http_log_error`).

use super::{Saying, find, rfind};
use crate::logs::clf::is_address;
use crate::logs::line::number;
use crate::logs::time;
use memchr::{memchr, memchr_iter};

/// Takes a line apart.
pub(crate) fn parse(line: &[u8]) -> Option<Saying<'_>> {
    let (saying, context) = split(line)?;
    let request = value(context, b", request: \"").map(|r| r.strip_suffix(b"\"").unwrap_or(r));
    Some(Saying { request, ..saying })
}

/// The same, without what nobody needs to know who says the same again.
pub(crate) fn words(line: &[u8]) -> Option<Saying<'_>> {
    split(line).map(|(saying, _)| saying)
}

/// The words, and what nginx appends to them.
#[inline]
fn split(line: &[u8]) -> Option<(Saying<'_>, &[u8])> {
    (line.get(4) == Some(&b'/')).then_some(())?;
    let (moment, len) = time::take(line, false)?;
    let rest = line.get(len..)?.strip_prefix(b" [")?;
    let end = memchr(b']', rest).filter(|end| *end <= 8)?;
    let level = rest.get(..end)?;
    let rest = rest.get(end + 1..)?.strip_prefix(b" ")?;
    // Process and thread: `14437#14437: `.
    let colon = find(rest, b": ")?;
    let ids = rest.get(..colon)?;
    (ids.contains(&b'#') && ids.iter().all(|b| b.is_ascii_digit() || *b == b'#')).then_some(())?;
    let ids_end = rest.get(colon + 2..)?;
    let (connection, rest) = after_connection(ids_end).unzip();
    let rest = rest.unwrap_or(ids_end);
    let (text, context) = split_context(rest);
    let mut saying =
        Saying { text, time: Some(moment), level: Some(level), product: Some("nginx"), ..Saying::default() };
    saying.client = value(context, b", client: ").filter(|c| is_address(c));
    saying.user = user(text);
    saying.connection = connection;
    Some((saying, context))
}

/// The number in `*39 text`, and the text.
fn after_connection(text: &[u8]) -> Option<(u64, &[u8])> {
    let rest = text.strip_prefix(b"*")?;
    let end = memchr(b' ', rest)?;
    Some((number(rest.get(..end)?)?, rest.get(end + 1..)?))
}

/// The words and what nginx appends to them. A user name may imitate that, but stands in quotes: the true one begins
/// outside of quotes.
fn split_context(text: &[u8]) -> (&[u8], &[u8]) {
    let mut fallback = None;
    let places = memchr_iter(b',', text).filter_map(|at| text.split_at_checked(at));
    for (before, behind) in places.filter(|(_, behind)| behind.starts_with(b", client: ")).take(32) {
        if before.iter().filter(|b| **b == b'"').count() % 2 == 0 {
            return (before, behind);
        }
        fallback.get_or_insert((before, behind));
    }
    fallback.unwrap_or((text, &[]))
}

/// A value of the context: up to the next comma, or to the closing quote.
fn value<'a>(context: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let from = find(context, name)? + name.len();
    let rest = context.get(from..)?;
    let end = if name.ends_with(b"\"") {
        find(rest, b"\", ").unwrap_or(rest.len())
    } else {
        find(rest, b", ").unwrap_or(rest.len())
    };
    rest.get(..end)
}

/// `user "alice": password mismatch`, `user "alice" was not found in "/etc/users"`.
fn user(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"user \"")?;
    let end = rfind(rest, b"\": ").or_else(|| rfind(rest, b"\" was not found in "))?;
    rest.get(..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_context() {
        let line = br#"2026/11/22 17:15:13 [error] 14437#14437: *39 user "alice": password mismatch, client: 192.0.2.1, server: , request: "GET /a?b=", c HTTP/1.1", host: "example.com:28544", referrer: "http://example.com/""#;
        let s = parse(line).unwrap();
        assert_eq!(s.text, br#"user "alice": password mismatch"#);
        assert_eq!((s.user, s.client), (Some(&b"alice"[..]), Some(&b"192.0.2.1"[..])));
        assert!(s.request.unwrap().starts_with(b"GET /a?b="));
    }

    #[test]
    fn an_unknown_user_and_a_missing_file() {
        let line = br#"2026/11/22 17:15:13 [error] 1#1: *3 user "a "b"" was not found in "/etc/users", client: 2001:db8::1, server: x, request: "GET / HTTP/2.0""#;
        let s = parse(line).unwrap();
        assert_eq!((s.user, s.client), (Some(&br#"a "b""#[..]), Some(&b"2001:db8::1"[..])));
        let line = br#"2026/11/22 17:16:40 [error] 1#1: *75 open() "/srv/users" failed (2: No such file or directory), client: 192.0.2.1, server: , request: "GET /nofile/ HTTP/1.1""#;
        let s = parse(line).unwrap();
        assert_eq!((s.user, s.request), (None, Some(&b"GET /nofile/ HTTP/1.1"[..])));
    }

    #[test]
    fn a_user_name_that_imitates_the_context_deceives_nobody() {
        let line = br#"2026/11/22 17:15:13 [error] 1#1: *3 user "x, client: 203.0.113.9, server: y": password mismatch, client: 192.0.2.1, server: , request: "GET / HTTP/1.1""#;
        assert_eq!(parse(line).unwrap().client, Some(&b"192.0.2.1"[..]));
    }

    #[test]
    fn others_are_left_alone() {
        for line in ["", "2026/11/22 17:15:13| squid", "2026/11/22 17:15:13 INFO x", "2026/11/22 [error] x"] {
            assert_eq!(parse(line.as_bytes()), None);
        }
    }
}
