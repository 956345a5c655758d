//! Apache httpd's error log: `ErrorLogFormat` as built in, in 2.4 and 2.2
//! (<https://httpd.apache.org/docs/2.4/mod/core.html#errorlogformat>).

use super::{Saying, between, find, is_peer, rfind};
use crate::logs::time;
use memchr::{memchr, memchr2};

/// Takes a line apart: groups in brackets (time, `module:level`, pid, client ...) and text.
///
/// A virtual host's name may stand in front. `[client ...]` may follow an errno text or a source file's name.
pub(crate) fn parse(line: &[u8]) -> Option<Saying<'_>> {
    let mut saying = words(line)?;
    saying.code = code(saying.text);
    saying.target = saying.asked();
    Some(saying)
}

/// The same, without what nobody needs to know who says the same again.
pub(crate) fn words(line: &[u8]) -> Option<Saying<'_>> {
    let open = memchr(b'[', line).filter(|at| *at <= 256)?;
    let before = line.get(..open)?.trim_ascii();
    if memchr(b' ', before).is_some() || before.contains(&b'"') {
        return None;
    }
    let mut saying = Saying { product: Some("apache"), ..Saying::default() };
    let mut rest = line.get(open..)?;
    let mut groups = 0;
    while let Some((group, behind)) = bracketed(rest) {
        groups += 1;
        if !saying.take_group(group, groups) {
            break;
        }
        rest = behind;
    }
    // The time and the level are what make it Apache's.
    (saying.time.is_some() && saying.level.is_some()).then_some(())?;
    if saying.client.is_none()
        && let Some((client, behind)) = late_client(rest)
    {
        saying.client = Some(client);
        // `(2)No such file or directory: [client 192.0.2.1:80] AH01620: ...`: the reason stands first.
        if !rest.starts_with(b"(") {
            rest = behind;
        }
    }
    saying.text = rest;
    saying.user = user(without_referer(rest));
    Some(saying)
}

impl<'a> Saying<'a> {
    /// Takes in a group; false if it is none of the line's head.
    fn take_group(&mut self, group: &'a [u8], position: usize) -> bool {
        if position == 1 {
            self.time = time::whole(group, false);
            return self.time.is_some() || group.starts_with(b"vhost ");
        }
        if self.time.is_none() {
            self.time = time::whole(group, false);
            return self.time.is_some();
        }
        let client = group.strip_prefix(b"client ").or_else(|| group.strip_prefix(b"remote "));
        if let Some(client) = client {
            self.client = Some(client.trim_ascii()).filter(|c| is_peer(c));
            return true;
        }
        if self.level.is_none() {
            let level = group.rsplit(|b| *b == b':').next().unwrap_or_default();
            if is_level(level) {
                self.level = Some(level);
                return true;
            }
        }
        [&b"pid "[..], b"tid ", b"local ", b"vhost ", b"R:", b"C:", b"rid ", b"unique_id "]
            .iter()
            .any(|p| group.starts_with(p))
    }

    /// What was asked for, where the words are those of Apache's own modules.
    fn asked(&self) -> Option<&'a [u8]> {
        let text = without_referer(self.text);
        quoted_target(text).or_else(|| {
            let at = rfind(text, b": /")?;
            text.get(at + 2..).filter(|_| self.user.is_some() || find(text, b"scheme").is_some())
        })
    }
}

/// The user, where the words are those of Apache's own modules.
fn user(text: &[u8]) -> Option<&[u8]> {
    // A quote like that is rare, a `u` is not.
    let quoted = || memchr(b'`', text).and_then(|_| between(text, b"user `", b"' in realm"));
    quoted().or_else(|| {
        let from = find(text, b"user ").filter(|at| is_word_start(text, *at))? + 5;
        let rest = text.get(from..)?;
        let ends: [&[u8]; 5] = [
            b": authentication failure for ",
            b": authorization failure for ",
            b" not found: ",
            b" not found",
            b": authentication failure",
        ];
        ends.iter().find_map(|end| rest.get(..rfind(rest, end)?))
    })
}

fn is_word_start(text: &[u8], at: usize) -> bool {
    at.checked_sub(1).and_then(|i| text.get(i)).is_none_or(|b| *b == b' ')
}

/// `... failure for "/path": ...`
fn quoted_target(text: &[u8]) -> Option<&[u8]> {
    // Quotes are rarer than blanks: the last one with these words before it.
    let before = |quote: &usize| text.get(..*quote).is_some_and(|before| before.ends_with(b" failure for "));
    let rest = text.get(memchr::memrchr_iter(b'"', text).find(before)? + 1..)?;
    rest.get(..find(rest, b"\":").or_else(|| memchr(b'"', rest))?)
}

fn without_referer(text: &[u8]) -> &[u8] {
    rfind(text, b", referer: ").and_then(|at| text.get(..at)).unwrap_or(text)
}

/// `AH01618`, or another vendor's letters and five digits, before a colon.
fn code(text: &[u8]) -> Option<&[u8]> {
    memchr::memchr_iter(b':', text).take(8).find_map(|colon| {
        let start = colon.checked_sub(7)?;
        let code = text.get(start..colon)?;
        let (letters, digits) = code.split_at_checked(2)?;
        let fits = letters == b"AH" && digits.iter().all(u8::is_ascii_digit) && is_word_start(text, start);
        fits.then_some(code)
    })
}

/// `[client 192.0.2.1:80] ` that does not stand at the very front.
fn late_client(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = find(text.get(..text.len().min(512))?, b"[client ")?;
    let (group, behind) = bracketed(text.get(at..)?)?;
    let client = group.strip_prefix(b"client ")?;
    is_peer(client).then_some((client, behind))
}

/// The group in brackets that `text` begins with, and what follows it and a space.
fn bracketed(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = text.strip_prefix(b"[")?;
    // An IPv6 address may stand in brackets of its own.
    let mut end = memchr2(b'[', b']', inside)?;
    if inside.get(end) == Some(&b'[') {
        end += memchr(b']', inside.get(end..)?)? + 1;
        end += memchr(b']', inside.get(end..)?)?;
    }
    Some((inside.get(..end)?, inside.get(end + 1..)?.trim_ascii_start()))
}

/// <https://httpd.apache.org/docs/2.4/mod/core.html#loglevel>
fn is_level(text: &[u8]) -> bool {
    let plain = text.strip_prefix(b"trace").filter(|n| n.len() == 1);
    plain.is_some()
        || matches!(text, b"emerg" | b"alert" | b"crit" | b"error" | b"warn" | b"notice" | b"info" | b"debug")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: Option<&[u8]>) -> &str {
        std::str::from_utf8(bytes.unwrap_or_default()).unwrap()
    }

    #[test]
    fn a_line_of_2_4() {
        let line = br"[Sun Nov 22 17:15:23.630553 2026] [auth_basic:error] [pid 14324:tid 14412] [client 192.0.2.1:58118] AH01618: user x y not found: /basic/, referer: http://example.com/: /z";
        let s = parse(line).unwrap();
        assert_eq!((text(s.client), text(s.code), text(s.level)), ("192.0.2.1:58118", "AH01618", "error"));
        assert_eq!((text(s.user), text(s.target)), ("x y", "/basic/"));
        assert!(s.text.starts_with(b"AH01618: user"));
    }

    #[test]
    fn a_line_of_2_2_without_code_and_port() {
        let line = br#"[Thu Jan 17 02:42:49 2013] [error] [client 192.0.2.1] user alice: authentication failure for "/private/": Password Mismatch"#;
        let s = parse(line).unwrap();
        assert_eq!((text(s.user), text(s.target), text(s.client)), ("alice", "/private/", "192.0.2.1"));
        assert_eq!(s.code, None);
    }

    #[test]
    fn the_client_may_come_late() {
        let line = br"[Sun Nov 22 17:16:39.208286 2026] [authz_groupfile:error] [pid 1:tid 2] (2)No such file or directory: [client 192.0.2.1:41856] AH01665: Could not open group file: /srv/groups";
        let s = parse(line).unwrap();
        assert_eq!((text(s.client), text(s.code), s.target), ("192.0.2.1:41856", "AH01665", None));
        assert!(s.text.starts_with(b"(2)No such file"));
        let line = br"[Sun Nov 22 17:14:24.560959 2026] [authz_core:debug] [pid 1:tid 2] mod_authz_core.c(815): [client 192.0.2.1:60754] AH01626: authorization result of Require valid-user : denied (no authenticated user yet)";
        let s = parse(line).unwrap();
        assert_eq!((text(s.level), text(s.code)), ("debug", "AH01626"));
        assert!(s.text.starts_with(b"AH01626: authorization result"));
    }

    #[test]
    fn virtual_hosts_digest_and_empty_users() {
        let line = br"www.example.com [Sun Nov 22 17:15:23 2026] [auth_digest:error] [pid 1] [client [2001:db8::1]:5] AH01790: user `alice' in realm `files' not found: /digest/";
        let s = parse(line).unwrap();
        assert_eq!((text(s.user), text(s.target), text(s.client)), ("alice", "/digest/", "[2001:db8::1]:5"));
        let line = br"[Sun Nov 22 17:15:23 2026] [auth_basic:error] [pid 1] [client 192.0.2.1:5] AH01618: user  not found: /basic/";
        assert_eq!(parse(line).unwrap().user, Some(&b""[..]));
    }

    #[test]
    fn what_looks_a_little_like_it_is_not() {
        for line in [
            "[06:40:15 INF] Failed to validate the token.",
            "[2023-01-01 00:00:00] local.ERROR: something",
            r#"192.0.2.1 - - [22/Nov/2026:17:14:41 +0000] "GET / HTTP/1.1" 401 179"#,
            "E [08/Jun/2013:11:28:58 -0700] Unknown directive",
            "[",
        ] {
            assert_eq!(parse(line.as_bytes()), None, "{line}");
        }
    }
}
