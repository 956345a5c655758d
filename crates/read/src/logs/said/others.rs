//! Error logs of lighttpd, Squid, HAProxy, and of programs that write klog or syslog.

use super::{Saying, between};
use crate::logs::clf::{is_address, word};
use crate::logs::time;
use memchr::{memchr, memmem};

/// lighttpd: `2026-11-22 17:15:13: (mod_auth.c.828) password doesn't match for /basic/ username: alice IP: 192.0.2.1`,
/// and with `server.errorlog-use-syslog` the same without the time.
pub(super) fn lighttpd(line: &[u8]) -> Option<Saying<'_>> {
    let (moment, rest) = match line.first()? {
        b'(' => (None, line),
        _ => {
            let (moment, len) = time::take(line, false)?;
            (Some(moment), line.get(len..)?.strip_prefix(b": ")?)
        }
    };
    let (file, text) = rest.strip_prefix(b"(")?.split_at_checked(memchr(b')', rest)?.checked_sub(1)?)?;
    let mut name = file.rsplitn(3, |b| *b == b'.');
    let (number, extension) = (name.next()?, name.next()?);
    (number.iter().all(u8::is_ascii_digit) && !number.is_empty() && extension == b"c").then_some(())?;
    let text = text.strip_prefix(b")")?.trim_ascii_start();
    let mut saying = Saying { text, time: moment, product: Some("lighttpd"), ..Saying::default() };
    let ip = memmem::rfind(text, b"IP: ").and_then(|at| text.get(at + 4..)).map(|rest| word(rest).0);
    saying.client = ip.filter(|ip| is_address(ip));
    saying.user =
        between(text, b"username: ", b" IP: ").or_else(|| between(text, b"auth failed for ", b": "));
    saying.target = between(text, b"match for ", b" username: ");
    Some(saying)
}

/// Squid's cache.log: `2026/11/22 17:15:13 kid1| ERROR: text`.
pub(super) fn squid(line: &[u8]) -> Option<Saying<'_>> {
    (line.get(4) == Some(&b'/')).then_some(())?;
    let (moment, len) = time::take(line, false)?;
    let rest = line.get(len..)?;
    let bar = memchr(b'|', rest).filter(|at| *at <= 8)?;
    let kid = rest.get(..bar)?.trim_ascii();
    (kid.is_empty() || kid.starts_with(b"kid")).then_some(())?;
    let text = rest.get(bar + 1..)?.trim_ascii_start();
    let level = [(&b"ERROR"[..], &b"error"[..]), (b"WARNING", b"warn"), (b"FATAL", b"crit")]
        .iter()
        .find(|(word, _)| text.starts_with(word))
        .map(|(_, level)| *level);
    Some(Saying { text, time: Some(moment), level, product: Some("squid"), ..Saying::default() })
}

/// klog, of Kubernetes' own programs: `E0205 09:14:22.118402    1187 authentication.go:65] text`
/// (<https://kubernetes.io/docs/concepts/cluster-administration/system-logs/>). It gives no year.
pub(super) fn klog(line: &[u8]) -> Option<Saying<'_>> {
    let shape = line.get(..14)?;
    let fits = shape.iter().zip(b"E0000 00:00:00").all(|(b, want)| match want {
        b'E' => b"IWEF".contains(b),
        b'0' => b.is_ascii_digit(),
        other => b == other,
    });
    let level = match shape.first()? {
        b'E' => &b"error"[..],
        b'W' => b"warn",
        b'F' => b"crit",
        _ => b"info",
    };
    let end = memmem::find(line, b"] ").filter(|_| fits)?;
    Some(Saying { text: line.get(end + 2..)?, level: Some(level), ..Saying::default() })
}

/// Tomcat's own log: `13-Sep-2026 03:14:02.296 FINE [http-nio-8080-exec-6] class.method text`
/// (`org.apache.juli.OneLineFormatter`, <https://tomcat.apache.org/tomcat-9.0-doc/logging.html>).
pub(super) fn juli(line: &[u8]) -> Option<Saying<'_>> {
    (line.get(2) == Some(&b'-') && line.get(6) == Some(&b'-')).then_some(())?;
    let (moment, len) = time::take(line, false)?;
    let rest = line.get(len..)?.strip_prefix(b" ")?;
    let (level, rest) = word(rest);
    let level = match level {
        b"SEVERE" => &b"error"[..],
        b"WARNING" => b"warn",
        b"INFO" | b"CONFIG" => b"info",
        b"FINE" | b"FINER" | b"FINEST" => b"debug",
        _ => return None,
    };
    let thread = memmem::find(rest, b"] ").filter(|_| rest.trim_ascii_start().starts_with(b"["))?;
    let text = rest.get(thread + 2..)?;
    let user = between(text, b"authenticate user [", b"]");
    Some(Saying {
        text,
        time: Some(moment),
        level: Some(level),
        user,
        product: Some("tomcat"),
        ..Saying::default()
    })
}

/// What a program logged by syslog, whose tag names it.
pub(super) fn by_program<'a>(line: &'a [u8], program: Option<&[u8]>) -> Option<Saying<'a>> {
    let product = match program?.to_ascii_lowercase().as_slice() {
        b"haproxy" => Some("haproxy"),
        b"nginx" => Some("nginx"),
        b"apache" | b"apache2" | b"httpd" => Some("apache"),
        b"squid" => Some("squid"),
        b"lighttpd" => Some("lighttpd"),
        _ => None,
    };
    Some(Saying { text: line, product, ..Saying::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lighttpd_names_user_target_and_client() {
        let line = b"2026-11-22 17:15:13: (mod_auth.c.828) password doesn't match for /basic/ username: a b IP: 192.0.2.1";
        let s = lighttpd(line).unwrap();
        assert_eq!((s.user, s.target), (Some(&b"a b"[..]), Some(&b"/basic/"[..])));
        assert_eq!(s.client, Some(&b"192.0.2.1"[..]));
        assert!(lighttpd(b"2026-11-22 17:15:13: other").is_none());
    }

    #[test]
    fn squid_and_klog() {
        let s = squid(b"2026/11/22 17:15:13 kid1| ERROR: Negotiate Authentication validating user").unwrap();
        assert_eq!((s.level, s.text.starts_with(b"ERROR")), (Some(&b"error"[..]), true));
        let s = klog(b"E0205 09:14:22.118402    1187 authentication.go:65] Unable to authenticate").unwrap();
        assert_eq!(s.text, b"Unable to authenticate");
        assert!(klog(b"E0205 text] x").is_none());
        let line = b"13-Sep-2026 03:14:02.296 FINE [exec-6] o.a.Realm.authenticate Failed to authenticate user [a b] with realm [o.a.Realm]";
        let s = juli(line).unwrap();
        assert_eq!((s.user, s.level), (Some(&b"a b"[..]), Some(&b"debug"[..])));
        assert!(juli(b"13-Sep-2026 03:14:02.296 words").is_none() && juli(b"13-x").is_none());
    }
}
