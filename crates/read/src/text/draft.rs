//! Messages while their lines come in.

use super::lines::Line;
use super::out::Paragraph;
use crate::http1::content;
use crate::http1::head::{self, Start};
use why401_http::{Fields, Request, Response};
use why401_span::{Builder, Derived};

/// More lines of one head are not kept.
const MOST_FIELDS: usize = 4096;

/// A message whose lines come in one by one.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) line: Derived,
    pub(crate) start: Start,
    pub(crate) fields: Fields,
    /// Whether the blank line behind the head was seen.
    pub(crate) head_done: bool,
    cut: bool,
    pub(crate) body: Paragraph,
}

impl Draft {
    /// Begins with a start line, if it is one.
    pub(crate) fn new(line: &Derived) -> Option<Self> {
        let end = line.as_bytes().trim_ascii_end().len();
        let line = line.slice(0..end);
        let start = head::start(&line)?;
        Some(Draft::of(line, start))
    }

    pub(crate) fn of(line: Derived, start: Start) -> Self {
        Draft {
            line,
            start,
            fields: Fields::default(),
            head_done: false,
            cut: false,
            body: Paragraph::default(),
        }
    }

    /// A request whose line the evidence spells otherwise.
    pub(crate) fn request(method: Derived, target: Derived, version: &str) -> Self {
        let mut b = Builder::new();
        if method.is_empty() {
            return Draft::of(Derived::default(), Start::Request { method, target, version: String::new() });
        }
        b.push_part(&method, 0..method.len());
        b.push_synthetic(b" ");
        b.push_part(&target, 0..target.len());
        if !version.is_empty() {
            b.push_synthetic(format!(" HTTP/{version}").as_bytes());
        }
        Draft::of(b.finish(), Start::Request { method, target, version: version.to_owned() })
    }

    /// A response of which a status is known.
    pub(crate) fn response(line: Derived, status: u16) -> Self {
        Draft::of(line, Start::Response { version: String::new(), status })
    }

    pub(crate) fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }

    pub(crate) fn status(&self) -> Option<u16> {
        match self.start {
            Start::Response { status, .. } => Some(status),
            Start::Request { .. } => None,
        }
    }

    /// A line of the head.
    pub(crate) fn field(&mut self, line: &Derived) {
        if self.fields.0.len() < MOST_FIELDS {
            head::push_field(&mut self.fields, line);
        } else {
            self.cut = true;
        }
    }

    /// The head ends here although no blank line says so: somebody cut it out of its surroundings.
    pub(crate) fn end_head(&mut self) {
        self.head_done |= !self.fields.is_empty();
    }

    /// A line of the body.
    pub(crate) fn body_line(&mut self, line: &Line) {
        self.body.push(line);
    }

    /// What `Content-Length` says.
    pub(crate) fn length(&self) -> Option<u64> {
        self.fields.text("content-length")?.trim().parse().ok()
    }

    pub(crate) fn is_chunked(&self) -> bool {
        self.fields.has("transfer-encoding")
    }

    fn body(self) -> (Fields, why401_http::Body) {
        let cut = self.body.cut;
        // A body of its declared length has its last line break.
        let (length, len) = (self.length(), self.body.len() as u64);
        let exact = length == Some(len);
        // A client prints the decoded body beside the length of the coded one.
        let coded = self.fields.has("content-encoding") && len > 0;
        let bytes = if exact { self.body.finish_whole() } else { self.body.finish() };
        let mut body = content::body_of(&self.fields, &bytes);
        body.complete &= !cut && length.is_none_or(|n| len >= n || coded);
        (self.fields, body)
    }

    /// As a request; `None` if it is none.
    pub(crate) fn into_request(self) -> Option<Request> {
        let complete = self.head_done && !self.cut;
        let line = self.line.clone();
        let Start::Request { method, target, version } = self.start.clone() else { return None };
        let (fields, body) = self.body();
        Some(Request { line, method, target, version, scheme: None, fields, body, complete })
    }

    /// As a response; `None` if it is none.
    pub(crate) fn into_response(self) -> Option<Response> {
        let complete = self.head_done && !self.cut;
        let line = self.line.clone();
        let Start::Response { version, status } = self.start.clone() else { return None };
        let (fields, body) = self.body();
        Some(Response { line, status, version, fields, body, complete })
    }
}
