//! Answers that the gate gives itself.

/// An answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the connection must not go on.
    pub(crate) close: bool,
}

impl Answer {
    /// An answer with a text.
    pub(crate) fn text(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer { status, body: body.into(), ..Answer::default() }
            .with("Content-Type", "text/plain; charset=utf-8")
    }

    /// Adds a field.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.fields.push((name, value.into()));
        self
    }

    /// Writes it as HTTP/1.1.
    pub(crate) fn write(&self, is_head: bool, keep: bool, out: &mut Vec<u8>) {
        let length = self.body.len().to_string();
        for piece in ["HTTP/1.1 ", status_text(self.status).0, " ", status_text(self.status).1, "\r\n"] {
            out.extend_from_slice(piece.as_bytes());
        }
        for (name, value) in &self.fields {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            match memchr::memchr3(b'\r', b'\n', 0, value.as_bytes()) {
                None => out.extend_from_slice(value.as_bytes()),
                Some(_) => out.extend(value.bytes().filter(|b| !matches!(b, b'\r' | b'\n' | 0))),
            }
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"Content-Length: ");
        out.extend_from_slice(length.as_bytes());
        out.extend_from_slice(if keep { b"\r\n\r\n" } else { b"\r\nConnection: close\r\n\r\n" });
        if !is_head {
            out.extend_from_slice(&self.body);
        }
    }
}

/// Status and reason phrase (RFC 9110 section 15, RFC 6585).
pub(crate) fn status_text(status: u16) -> (&'static str, &'static str) {
    match status {
        200 => ("200", "OK"),
        400 => ("400", "Bad Request"),
        401 => ("401", "Unauthorized"),
        403 => ("403", "Forbidden"),
        404 => ("404", "Not Found"),
        405 => ("405", "Method Not Allowed"),
        407 => ("407", "Proxy Authentication Required"),
        408 => ("408", "Request Timeout"),
        409 => ("409", "Conflict"),
        411 => ("411", "Length Required"),
        413 => ("413", "Content Too Large"),
        422 => ("422", "Unprocessable Content"),
        429 => ("429", "Too Many Requests"),
        431 => ("431", "Request Header Fields Too Large"),
        501 => ("501", "Not Implemented"),
        502 => ("502", "Bad Gateway"),
        503 => ("503", "Service Unavailable"),
        504 => ("504", "Gateway Timeout"),
        505 => ("505", "HTTP Version Not Supported"),
        507 => ("507", "Insufficient Storage"),
        _ => ("500", "Internal Server Error"),
    }
}
