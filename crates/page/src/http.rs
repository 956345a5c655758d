//! As much of HTTP/1.1 (RFC 9112) as a browser on the same machine needs.

use std::io::{self, BufRead, Read as _, Write};

/// A head is not longer.
const LONGEST_HEAD: u64 = 32 * 1024;
/// All pieces of one upload together.
pub(crate) const LARGEST: u64 = 512 << 20;
/// So many pieces of evidence at once.
const MOST_PARTS: usize = 100;

/// Where what is shown may come from (CSP Level 3): the page's own style and script, which stand in it and are known by
/// this nonce; its answers come from here, and nothing else from anywhere.
fn policy(nonce: Option<&str>) -> String {
    let own = nonce.map(|n| format!("script-src 'nonce-{n}'; style-src 'nonce-{n}'; ")).unwrap_or_default();
    format!(
        "default-src 'none'; {own}connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// A request.
#[derive(Debug, Default)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path, without query.
    pub path: String,
    /// Field lines: names in lower case, values.
    pub fields: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The type of the content.
    pub kind: &'static str,
    /// The content.
    pub body: Vec<u8>,
    /// What style and script in it are known by.
    pub(crate) nonce: Option<String>,
    /// Whether the browser is to part it from whatever opened it (HTML, cross-origin opener policies).
    pub(crate) parted: bool,
}

impl Response {
    /// An answer of plain text.
    pub fn text(status: u16, text: &str) -> Self {
        Response { status, ..Response::ok("text/plain; charset=utf-8", text) }
    }

    /// An answer of this type.
    pub fn ok(kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Response { status: 200, kind, body: body.into(), nonce: None, parted: true }
    }

    /// Writes it whole.
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        self.head(Some(self.body.len()), out)?;
        out.write_all(&self.body)?;
        out.flush()
    }

    /// Writes the head; without a length, the content ends with the connection (RFC 9112, section 6.3).
    pub(crate) fn head(&self, length: Option<usize>, out: &mut impl Write) -> io::Result<()> {
        let reason = match self.status {
            200 => "OK",
            400 => "Bad Request",
            403 => "Forbidden",
            404 => "Not Found",
            413 => "Content Too Large",
            422 => "Unprocessable Content",
            _ => "Service Unavailable",
        };
        let length = length.map(|n| format!("Content-Length: {n}\r\n")).unwrap_or_default();
        let parted = if self.parted { "Cross-Origin-Opener-Policy: same-origin\r\n" } else { "" };
        write!(
            out,
            "HTTP/1.1 {} {reason}\r\nContent-Type: {}\r\n{length}Connection: close\r\n\
             Content-Security-Policy: {}\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
             Cache-Control: no-store\r\n{parted}Cross-Origin-Resource-Policy: same-origin\r\n\r\n",
            self.status,
            self.kind,
            policy(self.nonce.as_deref()),
        )
    }
}

impl Request {
    /// Reads the head.
    ///
    /// # Errors
    /// What is wrong with it, as an answer.
    pub(crate) fn head(from: &mut impl BufRead) -> Result<Request, Response> {
        let bad = |_| Response::text(400, "this is no HTTP/1.1 request");
        let mut head = Vec::new();
        let mut limited = from.take(LONGEST_HEAD);
        loop {
            let start = head.len();
            let read = limited.read_until(b'\n', &mut head).map_err(bad)?;
            if read == 0 {
                return Err(bad(io::Error::other("cut")));
            }
            if matches!(head.get(start..), Some(b"\r\n" | b"\n")) {
                break;
            }
        }
        let text = String::from_utf8_lossy(&head);
        let mut lines = text.lines();
        let mut start = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(target), Some("HTTP/1.1")) = (start.next(), start.next(), start.next())
        else {
            return Err(bad(io::Error::other("start line")));
        };
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let fields = lines.filter_map(|line| line.split_once(':'));
        let fields = fields.map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned())).collect();
        Ok(Request { method: method.to_owned(), path: path.to_owned(), fields, body: Vec::new() })
    }

    /// Reads the content that the head announces.
    ///
    /// # Errors
    /// Where it is too large or cut off, as an answer.
    pub(crate) fn content(&mut self, from: &mut impl BufRead) -> Result<(), Response> {
        let Some(length) = self.field("content-length") else { return Ok(()) };
        let Ok(length) = length.parse::<usize>() else { return Err(Response::text(400, "no length")) };
        if length as u64 > LARGEST {
            return Err(too_large());
        }
        // Memory that nothing is written to is not taken.
        self.body = vec![0; length];
        from.read_exact(&mut self.body).map_err(|_| Response::text(400, "cut off"))
    }

    /// Whether it posts to this, behind the secret.
    pub(crate) fn is_post_of(&self, form: &str) -> bool {
        self.method == "POST" && self.path.splitn(3, '/').nth(2) == Some(form)
    }

    /// The value of the only field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut all = self.fields.iter().filter(|(n, _)| n == name);
        let first = all.next()?;
        // Two of them are a trick.
        all.next().is_none().then_some(first.1.as_str())
    }

    /// The pieces of an upload: `X-Parts: size name,size name` with percent-encoded names.
    ///
    /// # Errors
    /// Where this cannot be read, or is too much.
    pub(crate) fn parts(&self) -> Result<Vec<(String, u64)>, Response> {
        let bad = || Response::text(400, "the sizes of the parts cannot be read");
        let mut all = 0u64;
        let mut out = Vec::new();
        for part in self.field("x-parts").ok_or_else(bad)?.split(',') {
            let (size, name) = part.trim().split_once(' ').ok_or_else(bad)?;
            let size = size.parse::<u64>().map_err(|_| bad())?;
            all = all.saturating_add(size);
            out.push((decoded(name), size));
            if out.len() > MOST_PARTS {
                return Err(Response::text(413, "more than 100 pieces at once"));
            }
        }
        if all > LARGEST { Err(too_large()) } else { Ok(out) }
    }
}

fn too_large() -> Response {
    Response::text(413, "more than 512 MiB: use the command why401 on the file itself")
}

/// Percent-decoded.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(b) = rest.next() {
        let mut ahead = rest.clone();
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        match (b, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = ahead;
            }
            _ => bytes.push(b),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
mod tests {
    use super::*;

    #[test]
    fn parts_have_names_and_bounded_sizes() {
        let mut r = Request::default();
        r.fields.push(("x-parts".into(), "2 a%20b,3 c".into()));
        assert_eq!(r.parts().unwrap(), [("a b".to_owned(), 2), ("c".to_owned(), 3)]);
        for bad in ["x a", "5", "18446744073709551615 a,6 b", "536870912 a,1 b"] {
            r.fields = vec![("x-parts".into(), bad.into())];
            assert!(r.parts().is_err(), "{bad}");
        }
    }

    #[test]
    fn heads_are_read_and_bounded() {
        let r = Request::head(&mut b"GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n".as_slice()).unwrap();
        assert_eq!((r.path.as_str(), r.field("host")), ("/a", Some("h")));
        for bad in [b"".as_slice(), b"GET /\r\n\r\n", b"GET / HTTP/1.1\r\nHost: h\r\n", &[b'a'; 40_000]] {
            assert!(Request::head(&mut &*bad).is_err());
        }
        let mut large = Request::default();
        large.fields.push(("content-length".into(), "99999999999".into()));
        assert_eq!(large.content(&mut b"".as_slice()).unwrap_err().status, 413);
    }
}
