//! What changes in a head that is passed on.

use crate::config::{Credentials, Site};
use crate::http::Head;
use crate::http::framing::Framing;
use crate::http::head::Version;
use crate::http::target::Target;
use std::net::IpAddr;

/// Fields that belong to one connection (RFC 9110 section 7.6.1).
const HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "expect",
];
/// Fields that the gate writes itself, so that the upstream can rely on them.
const OWN: &[&str] = &["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded", "x-real-ip"];

/// What is said of the client.
pub(crate) struct About<'a> {
    pub(crate) site: &'a Site,
    pub(crate) key_field: &'a str,
    pub(crate) user: Option<&'a str>,
    pub(crate) client: IpAddr,
    pub(crate) is_tls: bool,
}

/// Whether two field names are one for servers that turn `-` into `_` (CGI, RFC 3875 section 4.1.18).
fn alike(a: &str, b: &str) -> bool {
    let fold = |c: u8| if c == b'_' { b'-' } else { c.to_ascii_lowercase() };
    a.len() == b.len() && a.bytes().map(fold).eq(b.bytes().map(fold))
}

/// The protocol that the client wants to change to, as a WebSocket handshake does.
pub(crate) fn upgrade(head: &Head) -> Option<&[u8]> {
    let wanted = head.version == Version::Eleven && head.names("connection", "upgrade");
    head.field("upgrade").filter(|_| wanted && head.all("upgrade").count() == 1)
}

/// The head for the upstream.
pub(crate) fn request(head: &Head, target: &Target, framing: Framing, about: &About<'_>, out: &mut Vec<u8>) {
    // A proxy behind the gate needs to know which origin is meant.
    let to = if about.site.as_proxy { head.target() } else { &target.origin_form };
    for part in [head.method(), " ", to, " HTTP/1.1\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    let strips = about.site.credentials == Credentials::Strip;
    let credentials = if about.site.as_proxy { "proxy-authorization" } else { "authorization" };
    let listed: Vec<&[u8]> =
        head.all("connection").flat_map(|v| v.split(|b| *b == b',')).map(<[u8]>::trim_ascii).collect();
    let is_dropped = |name: &str| {
        HOP.iter().any(|h| h.eq_ignore_ascii_case(name))
            || name.eq_ignore_ascii_case("content-length")
            || OWN.iter().any(|o| alike(o, name))
            || alike(name, &about.site.user_field)
            || (!about.site.as_proxy && name.eq_ignore_ascii_case("proxy-authorization"))
            || (strips && (name.eq_ignore_ascii_case(credentials) || alike(name, about.key_field)))
            // A client must not take out fields that the gate or the upstream relies on by naming them here.
            || (listed.iter().any(|l| l.eq_ignore_ascii_case(name.as_bytes())) && !is_end_to_end(name))
    };
    let mut has_host = false;
    for (name, value) in head.fields().filter(|(name, _)| !is_dropped(name)) {
        has_host |= name.eq_ignore_ascii_case("host");
        field(name, value, out);
    }
    if !has_host {
        let host = about.site.upstream.as_ref().map_or("", |u| u.authority.as_str());
        field("Host", host.as_bytes(), out);
    }
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
    }
    field("X-Forwarded-For", about.client.to_canonical().to_string().as_bytes(), out);
    field("X-Forwarded-Proto", if about.is_tls { b"https" } else { b"http" }, out);
    if let Some(user) = about.user {
        field(&about.site.user_field, &user_value(user), out);
    }
    out.extend_from_slice(b"\r\n");
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

/// The head for the client, and how the content goes to it. `keep`: whether its connection goes on.
pub(crate) fn response(
    head: &Head,
    framing: Framing,
    client: Version,
    keep: &mut bool,
    out: &mut Vec<u8>,
) -> Framing {
    out.extend_from_slice(format!("HTTP/1.1 {} ", head.status()).as_bytes());
    out.extend_from_slice(head.reason());
    out.extend_from_slice(b"\r\n");
    let is_switch = head.status() == 101;
    for (name, value) in head.fields() {
        let hop = HOP.iter().any(|h| h.eq_ignore_ascii_case(name));
        if !hop || (is_switch && name.eq_ignore_ascii_case("upgrade")) {
            field(name, value, out);
        }
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
    if is_switch {
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
    }

    #[test]
    fn no_user_name_breaks_a_line() {
        assert_eq!(user_value("a\r\nX: %y"), b"a%0D%0AX: %25y");
        assert_eq!(user_value("100%"), b"100%");
    }
}
