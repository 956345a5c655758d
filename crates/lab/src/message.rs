//! A request as the lab sees it and an answer as it sends it, whatever version of HTTP carries them.

use std::net::SocketAddr;

/// What the connection below HTTP shows.
#[derive(Debug, Clone)]
pub(crate) struct Below {
    /// The client's address and port.
    pub(crate) client: SocketAddr,
    /// Our address and port on this connection.
    pub(crate) server: SocketAddr,
    /// The client's certificate; `None` without TLS.
    pub(crate) tls: Option<Certificate>,
}

/// What a client showed in the TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Certificate {
    /// None.
    Absent,
    /// One that our authority issued and that is good now.
    Good,
    /// Another one, and what is wrong with it.
    Bad(String),
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// As sent: origin-form, or absolute-form where a proxy is asked.
    pub(crate) target: String,
    pub(crate) version: &'static str,
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    pub(crate) below: Below,
}

impl Request {
    /// The target without scheme and host.
    pub(crate) fn origin_form(&self) -> &str {
        match self.target.split_once("://") {
            Some((_, rest)) if !self.target.starts_with('/') => {
                rest.find('/').and_then(|i| rest.get(i..)).unwrap_or("/")
            }
            _ => &self.target,
        }
    }

    /// Whether it asks for another server's resource, as one asks a proxy.
    pub(crate) fn is_for_a_proxy(&self) -> bool {
        self.method == "CONNECT" || !self.target.starts_with(['/', '*'])
    }

    /// The path, without the query.
    pub(crate) fn path(&self) -> &str {
        let target = self.origin_form();
        target.split_once('?').map_or(target, |(path, _)| path)
    }

    /// The query, without its question mark.
    pub(crate) fn query(&self) -> &str {
        self.origin_form().split_once('?').map_or("", |(_, query)| query)
    }

    /// A parameter of the query, percent-decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        parameter(self.query(), name)
    }

    /// The values of a field.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_slice())
    }

    /// The first value of a field as text.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        self.all(name).next().map(|v| String::from_utf8_lossy(v).trim().to_owned())
    }

    /// All values of a field as bytes.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> Vec<&'a [u8]> {
        self.all(name).collect()
    }

    /// The host and port that the client asks for.
    pub(crate) fn authority(&self) -> String {
        let named = self.field("host").filter(|h| {
            h.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-[]_".contains(&b))
                && !h.is_empty()
                && h.len() < 256
        });
        named.unwrap_or_else(|| self.below.server.to_string())
    }

    /// Scheme, host and port that the client asks for: what links to the lab begin with.
    pub(crate) fn base(&self) -> String {
        let scheme = if self.below.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.authority())
    }

    /// A cookie's value.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let pairs = self.all("cookie").flat_map(|v| v.split(|b| *b == b';'));
        let value = pairs
            .map(<[u8]>::trim_ascii)
            .find_map(|p| p.strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

/// A parameter of `a=b&c=d`, percent-decoded.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    let value = query.split('&').find_map(|p| p.strip_prefix(name)?.strip_prefix('='))?;
    let decoded = why401_auth::percent::decode(value.replace('+', " ").as_bytes());
    Some(String::from_utf8_lossy(&decoded).into_owned())
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In the order and the letter case in which they are sent.
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
    /// Whether the connection is closed after it.
    pub(crate) close: bool,
    /// The user that was let in, or that the request claims to be.
    pub(crate) user: Option<String>,
    /// The cause that it was refused for, for the log.
    pub(crate) cause: Option<&'static str>,
    /// What the log says of it.
    pub(crate) says: String,
    /// IIS's substatus and Win32 status, for a log of its kind.
    pub(crate) substatus: Option<(u16, u32)>,
    /// Whether the body is the lab's general one, for which a known server's own page may stand.
    pub(crate) plain: bool,
}

impl Answer {
    /// An answer with a text.
    pub(crate) fn text(status: u16, body: impl Into<String>) -> Answer {
        Answer { status, ..Answer::default() }
            .with("Content-Type", "text/plain; charset=utf-8")
            .body(body.into())
    }

    /// An answer with JSON.
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Answer {
        Answer { status, ..Answer::default() }
            .with("Content-Type", "application/json")
            .body(format!("{body}\n"))
    }

    /// An answer with a page.
    pub(crate) fn html(status: u16, body: impl Into<String>) -> Answer {
        Answer { status, ..Answer::default() }
            .with("Content-Type", "text/html; charset=utf-8")
            .body(body.into())
    }

    /// Adds a field.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Vec<u8>>) -> Answer {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a challenge.
    pub(crate) fn challenge(self, value: impl Into<Vec<u8>>) -> Answer {
        self.with("WWW-Authenticate", value)
    }

    /// Sets the content.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Answer {
        self.body = body.into();
        self
    }

    /// Names the cause and what the log says of it.
    pub(crate) fn because(mut self, cause: &'static str, says: impl Into<String>) -> Answer {
        self.cause = Some(cause);
        self.says = says.into();
        self
    }

    /// Names the user.
    pub(crate) fn user(mut self, user: impl Into<String>) -> Answer {
        self.user = Some(user.into());
        self
    }

    /// Sets IIS's substatus and Win32 status.
    pub(crate) fn substatus(mut self, substatus: u16, win32: u32) -> Answer {
        self.substatus = Some((substatus, win32));
        self
    }
}

/// The reason phrase (RFC 9110 section 15).
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Unknown",
    }
}
