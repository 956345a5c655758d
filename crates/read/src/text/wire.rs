//! Wire and header logs of Java's clients: `>> "GET / HTTP/1.1[\r][\n]"`, `http-outgoing-0 << HTTP/1.1 401 Unauthorized`.

use super::lines::Line;
use super::out::Out;
use super::transfer::{Transfer, bare};
use super::{Dialect, Took};
use why401_span::Derived;

struct Wire {
    transfer: Transfer,
    /// Whether lines of the `wire` logger came: those of the `headers` logger say the same again.
    wire: bool,
}

/// What a line shows, and in which direction.
struct Shown {
    sent: bool,
    quoted: bool,
    text: Derived,
}

pub(super) fn begin(line: &Line, _next: Option<&Line>, _out: &mut Out<'_>) -> Option<Box<dyn Dialect>> {
    let shown = shown(line)?;
    let first = shown.text.as_bytes();
    let starts = crate::http1::head::surely_starts(first.trim_ascii_end());
    starts.then(|| Box::new(Wire { transfer: Transfer::of("java"), wire: false }) as Box<dyn Dialect>)
}

fn shown(line: &Line) -> Option<Shown> {
    let text = line.str();
    let sent = text.find(">> ");
    let received = text.find("<< ");
    let (at, sent) = match (sent, received) {
        (Some(s), Some(r)) if r < s => (r, false),
        (Some(s), _) => (s, true),
        (None, Some(r)) => (r, false),
        (None, None) => return None,
    };
    // It stands behind the name of a logger or connection, or begins the line.
    let before = text.get(..at)?;
    let logger = before.trim().is_empty()
        || ["wire", "header", "http-outgoing", "httpclient", "http.wire"].iter().any(|w| before.contains(w));
    if !logger {
        return None;
    }
    let rest = at + 3;
    let quoted = text.get(rest..)?.starts_with('"');
    if !quoted {
        return Some(Shown { sent, quoted, text: line.text.slice(rest..line.text.len()) });
    }
    let end = line.bytes().iter().rposition(|c| *c == b'"').filter(|e| *e > rest)?;
    let inside = line.text.slice(rest + 1..end);
    let bytes = inside.as_bytes();
    let mut without = bytes;
    for mark in [&b"[\\n]"[..], b"[\\r]"] {
        without = without.strip_suffix(mark).unwrap_or(without);
    }
    let len = without.len();
    Some(Shown { sent, quoted, text: inside.slice(0..len) })
}

impl Dialect for Wire {
    fn line(&mut self, line: &Line, _next: Option<&Line>, out: &mut Out<'_>) -> Took {
        let Some(Shown { sent, quoted, text }) = shown(line) else {
            let ours = line.str().contains("http-outgoing")
                || line.str().contains("org.apache.http")
                || line.is_blank();
            if ours {
                self.transfer.remark(&line.text, out);
                return Took::Yes;
            }
            return Took::No;
        };
        if self.wire && !quoted {
            return Took::Yes;
        }
        if quoted && !self.wire {
            // What the other logger has told of this message so far comes again.
            self.wire = true;
        }
        if sent {
            let open = self.transfer.request.as_ref().is_some_and(|r| r.head_done)
                && self.transfer.response.is_none();
            if open && super::draft::Draft::new(&text).is_none() {
                self.transfer.request_body(&bare(&text));
            } else {
                self.transfer.request_line(&text, out);
            }
            return Took::Yes;
        }
        if self.transfer.request.as_ref().is_some_and(|r| !r.head_done) {
            self.transfer.request_line(&Derived::default(), out);
        }
        let in_body = self.transfer.in_body() && super::draft::Draft::new(&text).is_none();
        if in_body {
            self.transfer.body_line(&bare(&text));
        } else {
            self.transfer.response_line(&text, out);
        }
        Took::Yes
    }

    fn end(&mut self, out: &mut Out<'_>) {
        if self.transfer.response.as_ref().is_some_and(|r| !r.head_done) {
            self.transfer.response_line(&Derived::default(), out);
        }
        self.transfer.end(out);
    }
}
