//! What Python's `http.client` prints with its debug level set, and urllib3's and httpx's log lines beside it.

use super::draft::Draft;
use super::lines::Line;
use super::out::{LINES, Out};
use super::transfer::{Transfer, bare};
use super::{Dialect, Took, escaped, words};
use why401_http::Speaker;
use why401_span::Derived;

struct Python {
    transfer: Transfer,
}

/// Python 2 prints strings without the `b`.
const MARKS: &[&[u8]] = &[b"send: b'", b"send: b\"", b"send: '", b"send: \"", b"reply: '", b"reply: \""];

pub(super) fn begin(line: &Line, _next: Option<&Line>, out: &mut Out<'_>) -> Option<Box<dyn Dialect>> {
    let bytes = line.bytes();
    let fits = marked(bytes).is_some() || logged(line, out).is_some();
    let transfer = Transfer::of("python");
    fits.then(|| Box::new(Python { transfer }) as Box<dyn Dialect>)
}

/// Where what `http.client` prints begins in a line: at its start, or behind what a logger put before it
/// (`DEBUG:http.client:send: b'…'`).
fn marked(bytes: &[u8]) -> Option<usize> {
    let head = bytes.get(..bytes.len().min(LOGGER))?;
    MARKS.iter().find_map(|m| {
        let at = memchr::memmem::find(head, m)?;
        let before = head.get(..at)?;
        let prefix = before.is_empty() || before.ends_with(b":") || before.ends_with(b" ");
        (prefix && !before.contains(&b'\'')).then_some(at)
    })
}

/// What a logger puts before a line is not longer, in bytes.
const LOGGER: usize = 120;

impl Dialect for Python {
    fn line(&mut self, line: &Line, _next: Option<&Line>, out: &mut Out<'_>) -> Took {
        let line = &match marked(line.bytes()).or_else(|| {
            let at = memchr::memmem::find(line.bytes(), b":header: ")?;
            (at < LOGGER).then_some(at + 1)
        }) {
            Some(at) => line.from(at),
            None => line.clone(),
        };
        let bytes = line.bytes();
        let head_open = self.transfer.response.as_ref().is_some_and(|r| !r.head_done);
        if bytes.starts_with(b"header: ") {
            self.transfer.response_line(&line.text.slice(8..line.text.len()), out);
            return Took::Yes;
        }
        if head_open {
            self.transfer.response_line(&Derived::default(), out);
        }
        if bytes.starts_with(b"send: ") {
            let open = if bytes.get(6) == Some(&b'b') { 7 } else { 6 };
            let Some((sent, _)) = escaped::string(&line.text, open) else { return Took::Yes };
            self.sent(&sent, out);
        } else if bytes.starts_with(b"reply: ") {
            let Some((reply, _)) = escaped::string(&line.text, 7) else { return Took::Yes };
            if let Some(first) = escaped::lines(&reply).first() {
                self.transfer.response_line(first, out);
            }
        } else if self.transfer.in_body() && (bytes.starts_with(b"b'") || bytes.starts_with(b"b\"")) {
            let Some((body, _)) = escaped::string(&line.text, 1) else { return Took::Yes };
            self.transfer.body_line(&bare(&body));
        } else if let Some((draft, status)) = logged(line, out) {
            // The debug lines have told it already, if they are there.
            let told = self.transfer.response.as_ref().is_some_and(|r| r.status() == status.status());
            if told {
                self.transfer.remark(&line.text, out);
            } else {
                self.transfer.flush(out);
                let mut exchange = out.new_exchange(LINES);
                exchange.request = draft.into_request();
                exchange.response = status.into_response();
                let mut statement = out.words(Speaker::Client, line.text.trimmed());
                statement.beside = Some(out.index());
                out.exchange(exchange);
                out.say(statement);
            }
        } else if bytes.starts_with(b"DEBUG:")
            || bytes.starts_with(b"INFO:")
            || bytes.starts_with(b"WARNING:")
        {
            self.transfer.next_begins();
            self.transfer.remark(&line.text, out);
        } else {
            return Took::No;
        }
        Took::Yes
    }

    fn end(&mut self, out: &mut Out<'_>) {
        if self.transfer.response.as_ref().is_some_and(|r| !r.head_done && !r.fields.is_empty()) {
            self.transfer.response_line(&Derived::default(), out);
        }
        self.transfer.end(out);
    }
}

impl Python {
    fn sent(&mut self, sent: &Derived, out: &mut Out<'_>) {
        if Draft::new(&escaped::lines(sent).into_iter().next().unwrap_or_default()).is_none() {
            self.transfer.request_body(&bare(sent));
            return;
        }
        let end = memchr::memmem::find(sent.as_bytes(), b"\r\n\r\n").map_or(sent.len(), |e| e + 4);
        for line in escaped::lines(&sent.slice(0..end)) {
            self.transfer.request_line(&line, out);
        }
        if end < sent.len() {
            self.transfer.request_body(&bare(&sent.slice(end..sent.len())));
        }
    }
}

/// `… http://127.0.0.1:80 "GET /basic HTTP/1.1" 401 26` of urllib3,
/// `… HTTP Request: GET https://example.com/ "HTTP/1.1 401 Unauthorized"` of httpx.
fn logged(line: &Line, _out: &Out<'_>) -> Option<(Draft, Draft)> {
    let text = line.str();
    if let Some(at) = text.find("HTTP Request: ") {
        let (method, target) = words::request(text.get(at..)?)?;
        let quote = text.get(at..)?.find('"')? + at;
        let (status, _) = escaped::string(&line.text, quote)?;
        let response = Draft::new(&status)?;
        let place = |word: &str| {
            text.get(at..).and_then(|t| t.find(word)).map(|i| line.text.slice(at + i..at + i + word.len()))
        };
        return Some((Draft::request(place(&method)?, place(&target)?, ""), response))
            .filter(|(_, r)| !r.is_request());
    }
    if !text.contains("urllib3") && !text.contains("connectionpool") {
        return None;
    }
    let quote = text.find('"')?;
    let (request, end) = escaped::string(&line.text, quote)?;
    let request = Draft::new(&request).filter(Draft::is_request)?;
    let status = text.get(end..)?.trim_start();
    let code = status.get(..3)?.parse().ok()?;
    let at = text.len() - status.len();
    Some((request, Draft::response(line.text.slice(at..at + 3), code)))
}
