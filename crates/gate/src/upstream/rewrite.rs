//! What changes in a head that is passed on.

use crate::config::{Credentials, Site};
use crate::http::framing::Framing;
use crate::http::head::Version;
use crate::http::target::Target;
use crate::http::{Head, Trailers, two};
use crate::trace::Context;
use std::net::IpAddr;

/// Fields that belong to one connection (RFC 9110 section 7.6.1).
const HOP: &[&str] =
    &["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "expect"];
/// Fields that the gate writes itself, so that the upstream can rely on them.
const OWN: &[&str] = &["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "x-real-ip"];

/// What is said of the client.
pub(crate) struct About<'a> {
    pub(crate) site: &'a Site,
    pub(crate) key_field: &'a str,
    pub(crate) user: Option<&'a str>,
    pub(crate) client: IpAddr,
    pub(crate) is_tls: bool,
    /// Where the request stands in a trace, if traces are kept.
    pub(crate) trace: Option<Context>,
}

/// Whether two field names are one for servers that turn `-` into `_` (CGI, RFC 3875 section 4.1.18).
fn alike(a: &str, b: &str) -> bool {
    let fold = |c: u8| if c == b'_' { b'-' } else { c.to_ascii_lowercase() };
    a.len() == b.len() && a.bytes().map(fold).eq(b.bytes().map(fold))
}

/// The protocol that the client wants to change to, as a WebSocket handshake does.
pub(crate) fn upgrade(head: &Head) -> Option<&[u8]> {
    let wanted = head.version == Version::Eleven && head.names("connection", "upgrade");
    // WebSocket alone: requests of another HTTP inside (`h2c`) would pass every rule.
    let is_known = |protocol: &&[u8]| protocol.eq_ignore_ascii_case(b"websocket");
    head.field("upgrade").filter(|_| wanted && head.all("upgrade").count() == 1).filter(is_known)
}

/// The head for the upstream as HTTP/1.1.
pub(crate) fn request(head: &Head, target: &Target, framing: Framing, about: &About<'_>, out: &mut Vec<u8>) {
    let host = head.field("host").unwrap_or_default();
    let to = match about.site.as_proxy {
        // A proxy behind the gate needs to know which origin is meant.
        true if head.target().starts_with('/') => {
            format!("http://{}{}", String::from_utf8_lossy(host), head.target())
        }
        true => head.target().to_owned(),
        false => target.origin_form.clone(),
    };
    for part in [head.method(), " ", &to, " HTTP/1.1\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    if head.field("host").is_none() {
        let host = about.site.upstream.as_ref().map_or("", |u| u.authority.as_str());
        field("Host", host.as_bytes(), out);
    }
    fields(head, about, &mut |name, value| field(name, value, out));
    match framing {
        Framing::None if matches!(head.method(), "POST" | "PUT" | "PATCH") => {
            field("Content-Length", b"0", out)
        }
        Framing::None | Framing::Close => {}
        Framing::Length(length) => field("Content-Length", length.to_string().as_bytes(), out),
        Framing::Chunked => field("Transfer-Encoding", b"chunked", out),
    }
    if let Some(protocol) = upgrade(head) {
        field("Connection", b"Upgrade", out);
        field("Upgrade", protocol, out);
    } else if head.names("te", "trailers") {
        field("TE", b"trailers", out);
        field("Connection", b"TE", out);
    }
    out.extend_from_slice(b"\r\n");
}

/// The head for the upstream as HTTP/2; `None` where it cannot be said in it.
pub(crate) fn request_two(
    head: &Head,
    target: &Target,
    framing: Framing,
    about: &About<'_>,
) -> Option<http::Request<()>> {
    let upstream = about.site.upstream.as_ref()?;
    let host = match head.field("host") {
        Some(host) => std::str::from_utf8(host).ok()?,
        None => &upstream.authority,
    };
    let mut out = two::to_server(head.method(), upstream.tls.is_some(), host, &target.origin_form)?;
    fields(head, about, &mut |name, value| {
        if !name.eq_ignore_ascii_case("host") {
            two::add(out.headers_mut(), name, value);
        }
    });
    if let Framing::Length(length) = framing {
        two::add(out.headers_mut(), "content-length", length.to_string().as_bytes());
    }
    if head.names("te", "trailers") {
        two::add(out.headers_mut(), "te", b"trailers");
    }
    Some(out)
}

/// Whether a field of a request is not passed on, wherever it stands.
fn drops(about: &About<'_>, name: &str) -> bool {
    let strips = about.site.credentials == Credentials::Strip;
    let credentials = if about.site.as_proxy { "proxy-authorization" } else { "authorization" };
    HOP.iter().any(|h| h.eq_ignore_ascii_case(name))
        || name.eq_ignore_ascii_case("content-length")
        || OWN.iter().any(|o| alike(o, name))
        || alike(name, &about.site.user_field)
        || (!about.site.as_proxy && name.eq_ignore_ascii_case("proxy-authorization"))
        || (strips && (name.eq_ignore_ascii_case(credentials) || alike(name, about.key_field)))
}

/// The fields that are passed on, and those that the gate says itself.
fn fields(head: &Head, about: &About<'_>, put: &mut impl FnMut(&str, &[u8])) {
    let listed: Vec<&[u8]> =
        head.all("connection").flat_map(|v| v.split(|b| *b == b',')).map(<[u8]>::trim_ascii).collect();
    // A client must not take out fields that the gate or the upstream relies on by naming them in Connection.
    let is_listed =
        |name: &str| listed.iter().any(|l| l.eq_ignore_ascii_case(name.as_bytes())) && !is_end_to_end(name);
    // A trace that begins here has no state of another's.
    let is_replaced = |name: &str| {
        about.trace.is_some_and(|t| {
            name.eq_ignore_ascii_case("traceparent")
                || (t.parent.is_none() && name.eq_ignore_ascii_case("tracestate"))
        })
    };
    let passes = |name: &str| !drops(about, name) && !is_listed(name) && !is_replaced(name);
    for (name, value) in head.fields().filter(|(name, _)| passes(name)) {
        put(name, value);
    }
    if let Some(trace) = &about.trace {
        put("traceparent", trace.field().as_bytes());
    }
    put("X-Forwarded-For", about.client.to_canonical().to_string().as_bytes());
    put("X-Forwarded-Proto", if about.is_tls { b"https" } else { b"http" });
    if let Some(user) = about.user {
        put(&about.site.user_field, &user_value(user));
    }
}

/// The trailers of a request that are passed on.
pub(crate) fn trailers(given: &Trailers, about: &About<'_>) -> Trailers {
    given.without(|name| drops(about, name))
}

fn is_end_to_end(name: &str) -> bool {
    ["host", "authorization", "content-type", "content-encoding", "cookie"]
        .iter()
        .any(|n| n.eq_ignore_ascii_case(name))
}

/// A user name as a field value: control characters percent-encoded, and the percent sign with them where there are any.
fn user_value(user: &str) -> Vec<u8> {
    if !user.bytes().any(|b| b < 0x20 || b == 0x7f) {
        return user.as_bytes().to_vec();
    }
    let mut out = Vec::new();
    for b in user.bytes() {
        match b {
            0..0x20 | 0x7f | b'%' => out.extend_from_slice(format!("%{b:02X}").as_bytes()),
            _ => out.push(b),
        }
    }
    out
}

fn field(name: &str, value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// The fields of an answer that are passed on.
pub(crate) fn answered(head: &Head) -> impl Iterator<Item = (&str, &[u8])> {
    head.fields().filter(|(name, _)| !HOP.iter().any(|h| h.eq_ignore_ascii_case(name)))
}

/// The head for the client as HTTP/1.1, and how the content goes to it. `keep`: whether its connection goes on.
pub(crate) fn response(
    head: &Head,
    framing: Framing,
    client: Version,
    keep: &mut bool,
    out: &mut Vec<u8>,
) -> Framing {
    let reason = match head.reason() {
        // HTTP/2 has none.
        b"" if head.version == Version::Two => {
            let known = http::StatusCode::from_u16(head.status()).ok().and_then(|s| s.canonical_reason());
            known.unwrap_or_default().as_bytes()
        }
        reason => reason,
    };
    out.extend_from_slice(format!("HTTP/1.1 {} ", head.status()).as_bytes());
    out.extend_from_slice(reason);
    out.extend_from_slice(b"\r\n");
    for (name, value) in answered(head) {
        field(name, value, out);
    }
    let sent = match (framing, client) {
        (Framing::Chunked | Framing::Close, Version::Ten) => {
            *keep = false;
            Framing::Close
        }
        (Framing::Chunked | Framing::Close, _) => {
            field("Transfer-Encoding", b"chunked", out);
            Framing::Chunked
        }
        (framing, _) => framing,
    };
    if head.status() == 101 {
        if let Some(protocol) = head.field("upgrade") {
            field("Upgrade", protocol, out);
        }
        field("Connection", b"Upgrade", out);
    } else if !*keep {
        field("Connection", b"close", out);
    } else if client == Version::Ten {
        field("Connection", b"keep-alive", out);
    }
    out.extend_from_slice(b"\r\n");
    sent
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::path::Path;

    fn sent(fields: &str, keep: &str) -> String {
        let text = format!(
            "[accounts]\nhtpasswd=\"u\"\n[[site]]\nupstream=\"http://127.0.0.1:8080\"\n{keep}\n[[site.rule]]\npath=\"/**\"\n"
        );
        let config = Config::parse(&text, Path::new("x")).unwrap();
        let head =
            Head::request(format!("GET /a?b HTTP/1.1\r\nHost: h\r\n{fields}\r\n").into_bytes()).unwrap();
        let about = About {
            site: &config.sites[0],
            key_field: "X-Api-Key",
            user: Some("alice"),
            client: "192.0.2.7".parse().unwrap(),
            is_tls: false,
            trace: None,
        };
        let mut out = Vec::new();
        request(&head, &Target::of(&head).unwrap(), head.framing().unwrap(), &about, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_user_is_the_verified_one_and_nothing_else() {
        let out = sent(
            "X-Remote-User: admin\r\nX_REMOTE_USER: admin\r\nX-Forwarded-For: 10.0.0.1\r\nAuthorization: Basic eA==\r\nx-api-key: k\r\nTE: x\r\nConnection: X-Secret, close\r\nX-Secret: 1\r\nA: b\r\n",
            "",
        );
        assert_eq!(
            out,
            "GET /a?b HTTP/1.1\r\nHost: h\r\nA: b\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Remote-User: alice\r\n\r\n"
        );
        let out = sent(
            "Authorization: Basic eA==\r\n",
            "credentials_to_upstream = \"keep\"\nuser_field = \"X-User\"",
        );
        assert!(out.contains("Authorization: Basic eA==\r\n") && out.contains("X-User: alice\r\n"));
        let out = sent("Connection: Host, Upgrade\r\nUpgrade: websocket\r\n", "");
        assert!(
            out.contains("Host: h\r\n") && out.contains("Connection: Upgrade\r\nUpgrade: websocket\r\n"),
            "{out}"
        );
        let out =
            sent("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n", "");
        assert!(
            !out.contains("h2c") && !out.contains("HTTP2-Settings") && !out.contains("Connection"),
            "{out}"
        );
    }

    #[test]
    fn no_user_name_breaks_a_line() {
        assert_eq!(user_value("a\r\nX: %y"), b"a%0D%0AX: %25y");
        assert_eq!(user_value("100%"), b"100%");
    }
}
