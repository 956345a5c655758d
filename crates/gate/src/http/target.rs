//! The target of a request: taken apart for rules, and refused where another server could see another path in it.

use super::head::{Bad, Head, Version};

/// The parts of a target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Target {
    /// The segments of the path, percent-decoded.
    pub(crate) segments: Vec<String>,
    /// The query without its question mark.
    pub(crate) query: Option<String>,
    /// Host without port, lower case.
    pub(crate) host: String,
    /// Path and query in origin form, as they are sent on.
    pub(crate) origin_form: String,
}

const fn bad<T>(says: &'static str) -> Result<T, Bad> {
    Err(Bad::new(400, says))
}

impl Target {
    /// Reads target and `Host`.
    pub(crate) fn of(head: &Head) -> Result<Target, Bad> {
        let mut hosts = head.all("host");
        let host = hosts.next();
        if hosts.next().is_some() {
            return bad("Host stands twice");
        }
        let host = match host {
            None if head.version == Version::Ten => b"",
            None => return bad("Host is missing"),
            Some(host) => host,
        };
        if !host.iter().all(|b| b.is_ascii_alphanumeric() || b"-._:[]~%".contains(b)) {
            return bad("Host has characters that no host has");
        }
        let host = std::str::from_utf8(host).unwrap_or_default();
        let target = head.target();
        let (authority, origin) = match target.get(..7).filter(|t| t.eq_ignore_ascii_case("http://")) {
            Some(_) => absolute(target.get(7..).unwrap_or_default()),
            None => match target.get(..8).filter(|t| t.eq_ignore_ascii_case("https://")) {
                Some(_) => absolute(target.get(8..).unwrap_or_default()),
                None => (None, target.to_owned()),
            },
        };
        if authority.is_some_and(|a| !a.eq_ignore_ascii_case(host)) {
            return bad("Host is not the one of the target");
        }
        if head.method() == "CONNECT" {
            return Err(Bad::new(501, "CONNECT is not served"));
        }
        if origin == "*" && head.method() == "OPTIONS" {
            return Ok(Target { host: without_port(host), origin_form: origin, ..Target::default() });
        }
        let (path, query) = match origin.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (origin.as_str(), None),
        };
        let Some(path) = path.strip_prefix('/') else { return bad("the path does not begin with a slash") };
        if origin.contains('#') {
            return bad("the target has a fragment");
        }
        let segments = segments(path)?;
        Ok(Target { segments, query, host: without_port(host), origin_form: origin })
    }
}

fn absolute(rest: &str) -> (Option<&str>, String) {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let slash = if path.starts_with('/') { "" } else { "/" };
    (Some(authority), format!("{slash}{path}"))
}

fn without_port(host: &str) -> String {
    let end = match host.starts_with('[') {
        true => host.find(']').map_or(host.len(), |i| i + 1),
        false => host.find(':').unwrap_or(host.len()),
    };
    host.get(..end).unwrap_or_default().trim_end_matches('.').to_ascii_lowercase()
}

/// Rules see what any server behind could see: a path that servers normalise in different ways has no rule.
fn segments(path: &str) -> Result<Vec<String>, Bad> {
    let count = path.split('/').count();
    path.split('/')
        .enumerate()
        .map(|(i, segment)| {
            let text = decoded(segment)?;
            if text.is_empty() && i + 1 < count {
                return bad("the path has an empty segment");
            }
            // `..;x` is `..` for servers that know path parameters.
            let name = text.split(';').next().unwrap_or_default();
            if name == "." || name == ".." {
                return bad("the path has a dot segment");
            }
            if text.chars().any(|c| matches!(c, '/' | '\\') || c.is_control()) {
                return bad("the path has an encoded slash, a backslash or a control character");
            }
            Ok(text)
        })
        .collect()
}

fn decoded(segment: &str) -> Result<String, Bad> {
    if !segment.contains('%') {
        return Ok(segment.to_owned());
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(b) = rest.next() {
        if b != b'%' {
            bytes.push(b);
            continue;
        }
        let digit = |b: Option<u8>| b.and_then(|b| (b as char).to_digit(16));
        match (digit(rest.next()), digit(rest.next())) {
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => return bad("the path has a percent sign without two digits"),
        }
    }
    String::from_utf8(bytes).or(bad("the path is not UTF-8 once decoded"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(line: &str, host: &str) -> Result<Target, u16> {
        let head = Head::request(format!("{line} HTTP/1.1\r\n{host}\r\n").into_bytes()).unwrap();
        Target::of(&head).map_err(|b| b.status)
    }

    #[test]
    fn targets_are_taken_apart() {
        let read = target("GET /a%20b/c.sms?x=1", "Host: Example.COM:8080\r\n").unwrap();
        assert_eq!(read.segments, ["a b", "c.sms"]);
        assert_eq!((read.host.as_str(), read.query.as_deref()), ("example.com", Some("x=1")));
        let read = target("GET http://example.com/a", "Host: example.com\r\n").unwrap();
        assert_eq!((read.origin_form.as_str(), read.segments.len()), ("/a", 1));
        assert_eq!(target("GET /a/", "Host: x\r\n").unwrap().segments, ["a", ""]);
        assert_eq!(target("OPTIONS *", "Host: x\r\n").unwrap().origin_form, "*");
        assert_eq!(target("GET /", "Host: [::1]:80\r\n").unwrap().host, "[::1]");
    }

    #[test]
    fn what_servers_read_in_different_ways_is_refused() {
        for (line, host) in [
            ("GET /a/../b", "Host: x\r\n"),
            ("GET /a/%2e%2E/b", "Host: x\r\n"),
            ("GET /a/..;/b", "Host: x\r\n"),
            ("GET /./b", "Host: x\r\n"),
            ("GET /a//b", "Host: x\r\n"),
            ("GET //b", "Host: x\r\n"),
            ("GET /a%2fb", "Host: x\r\n"),
            ("GET /a%5cb", "Host: x\r\n"),
            ("GET /a\\b", "Host: x\r\n"),
            ("GET /a%00b", "Host: x\r\n"),
            ("GET /a%b", "Host: x\r\n"),
            ("GET /a%ff", "Host: x\r\n"),
            ("GET /a#b", "Host: x\r\n"),
            ("GET a", "Host: x\r\n"),
            ("GET /a", ""),
            ("GET /a", "Host: x\r\nHost: x\r\n"),
            ("GET /a", "Host: x y\r\n"),
            ("GET /a", "Host: x/y\r\n"),
            ("GET http://a.example/", "Host: b.example\r\n"),
        ] {
            assert_eq!(target(line, host), Err(400), "{line} {host:?}");
        }
        assert_eq!(target("CONNECT x:443", "Host: x:443\r\n"), Err(501));
    }
}
