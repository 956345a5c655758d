//! Messages whose heads are taken apart only when somebody asks: of most that pass, nobody does.

use super::connection::{Message, Pair};
use super::content::Keep;
use super::head::{self, Start};
use super::side::MOST_LINES;
use why401_http::{FieldLine, Fields, Moment, Request, Response};
use why401_span::{Derived, Span};

/// A head as it was sent.
#[derive(Debug)]
pub(super) enum Head {
    /// Complete, in one piece, without folded lines: its text up to the empty line that ends it.
    Text(Derived),
    /// Put together of several pieces.
    Lines { line: Derived, fields: Fields, whole: bool },
}

/// A message that is not taken apart yet.
#[derive(Debug)]
pub struct Raw {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) at: Option<Moment>,
    pub(super) head: Head,
    pub(super) trailers: Fields,
    /// The content, once it is over, and whether it ended in order.
    pub(super) body: Option<(Keep, bool)>,
}

/// A request and its final answer, neither of them taken apart yet; either may be missing.
#[derive(Debug, Default)]
pub struct RawPair {
    /// The request.
    pub request: Option<Raw>,
    /// The answer.
    pub response: Option<Raw>,
}

/// How long the head at the front of these bytes is, the empty line at its end included; `None` if it is not all there,
/// or has lines that only reading line by line gets right.
pub(super) fn whole(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    for _ in 0..MOST_LINES {
        let rest = bytes.get(at..)?;
        let end = memchr::memchr(b'\n', rest)?;
        match rest.get(..end)? {
            [] | [b'\r'] => return (at > 0).then_some(at + end + 1),
            [b' ' | b'\t', ..] => return None,
            line if at == 0 && !head::starts(without_cr(line)) => return None,
            _ => at += end + 1,
        }
    }
    None
}

/// About how many bytes of memory fields take.
pub(crate) fn fields_footprint(fields: &Fields) -> usize {
    fields.iter().map(|f| f.name.footprint() + f.value.footprint() + size_of::<FieldLine>()).sum()
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The lines of a head and where each begins, without their line breaks and without the empty one.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..)?;
        let end = memchr::memchr(b'\n', rest)?;
        let start = at;
        at += end + 1;
        let line = without_cr(rest.get(..end)?);
        (!line.is_empty()).then_some((start, line))
    })
}

impl Head {
    pub(super) fn first_line(&self) -> &[u8] {
        match self {
            Head::Text(text) => lines(text.as_bytes()).next().map_or(&[], |(_, line)| line),
            Head::Lines { line, .. } => line.as_bytes(),
        }
    }

    /// About how many bytes of memory it takes.
    pub(super) fn footprint(&self) -> usize {
        match self {
            Head::Text(text) => text.footprint(),
            Head::Lines { line, fields, .. } => line.footprint() + fields_footprint(fields),
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        match self {
            Head::Text(_) => true,
            Head::Lines { whole, .. } => *whole,
        }
    }

    /// Calls `each` with the name and the value of every field.
    pub(super) fn fields<'a>(&'a self, mut each: impl FnMut(&'a [u8], &'a [u8])) {
        match self {
            Head::Text(text) => lines(text.as_bytes()).skip(1).for_each(|(_, line)| {
                let (name, value) = head::name_and_value(line);
                each(name, value);
            }),
            Head::Lines { fields, .. } => {
                fields.iter().for_each(|f| each(f.name.as_bytes(), f.value.as_bytes()));
            }
        }
    }

    fn read(self) -> (Derived, Fields) {
        let text = match self {
            Head::Text(text) => text,
            Head::Lines { line, fields, .. } => return (line, fields),
        };
        let origin = text.whole().map(|at| at.span);
        let mut first = Derived::default();
        let mut fields = Fields::default();
        for (at, line) in lines(text.as_bytes()) {
            match origin {
                _ if at == 0 => first = text.slice(0..line.len()),
                Some(o) => fields.0.push(head::field_at(line, Span { start: o.start + at as u64, ..o })),
                None => fields.0.push(head::field(&text.slice(at..at + line.len()))),
            }
        }
        (first, fields)
    }
}

impl Raw {
    /// When its head was complete.
    pub fn at(&self) -> Option<Moment> {
        self.at
    }

    /// Whether its head was seen as a whole.
    pub fn is_whole(&self) -> bool {
        self.head.is_whole()
    }

    /// The status, where it is an answer.
    pub fn status(&self) -> Option<u16> {
        head::status_parts(self.head.first_line()).map(|(_, status)| status)
    }

    /// Method and target, where it is a request.
    pub fn asks(&self) -> Option<(&[u8], &[u8])> {
        let line = self.head.first_line();
        let (method_end, target, _) = head::request_parts(line)?;
        Some((line.get(..method_end)?, line.get(target)?))
    }

    /// Calls `each` with the name and the value of every field.
    pub fn fields<'a>(&'a self, each: impl FnMut(&'a [u8], &'a [u8])) {
        self.head.fields(each);
    }

    /// How many bytes of it are kept.
    pub fn size(&self) -> usize {
        let head = match &self.head {
            Head::Text(text) => text.len(),
            Head::Lines { line, fields, .. } => {
                line.len() + fields.iter().map(|f| f.name.len() + f.value.len()).sum::<usize>()
            }
        };
        head + self.content().len()
    }

    /// About how many bytes of memory its head takes.
    pub(super) fn head_footprint(&self) -> usize {
        self.head.footprint()
    }

    /// The same of its content and trailers.
    pub(super) fn body_footprint(&self) -> usize {
        self.body.as_ref().map_or(0, |(body, _)| body.footprint()) + fields_footprint(&self.trailers)
    }

    /// The content as it was sent, as far as it was kept.
    pub fn content(&self) -> &[u8] {
        self.body.as_ref().map_or(&[], |(body, _)| body.bytes())
    }

    fn request(self) -> Option<Message<Request>> {
        let (start, end, at, whole) = (self.start, self.end, self.at, self.head.is_whole());
        let (line, mut fields) = self.head.read();
        let Some(Start::Request { method, target, version }) = head::request_line(&line) else { return None };
        fields.0.extend(self.trailers.0);
        let body = self.body.map(|(body, ended)| body.finish(&fields, ended && whole)).unwrap_or_default();
        let message =
            Request { line, method, target, version, fields, body, complete: whole, ..Request::default() };
        Some(Message { start, end, at, message })
    }

    fn response(self) -> Option<Message<Response>> {
        let (start, end, at, whole) = (self.start, self.end, self.at, self.head.is_whole());
        let (line, mut fields) = self.head.read();
        let Some(Start::Response { version, status }) = head::status_line(&line) else { return None };
        fields.0.extend(self.trailers.0);
        let body = self.body.map(|(body, ended)| body.finish(&fields, ended && whole)).unwrap_or_default();
        let message = Response { line, status, version, fields, body, complete: whole };
        Some(Message { start, end, at, message })
    }
}

impl RawPair {
    /// Takes both apart.
    pub fn read(self) -> Pair {
        Pair { request: self.request.and_then(Raw::request), response: self.response.and_then(Raw::response) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_whole_up_to_its_empty_line() {
        let is = |text: &str| whole(text.as_bytes());
        assert_eq!(is("GET / HTTP/1.1\r\nHost: x\r\n\r\nrest"), Some(27));
        assert_eq!(is("GET / HTTP/1.1\nHost: x\n\nrest"), Some(24));
        assert_eq!(is("GET / HTTP/1.1\r\nHost: x\r\n"), None);
        assert_eq!(is("GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n"), None, "a folded line");
        assert_eq!(is("\r\nGET / HTTP/1.1\r\n\r\n"), None);
        assert_eq!(is("anything\r\n\r\n"), None);
    }
}
