//! Raw HTTP messages as people keep and paste them.

use super::draft::Draft;
use super::lines::Line;
use super::out::{MESSAGES, Out, RESPONSES};
use super::prompt;
use super::{Dialect, Took, Yields, prose};
use crate::http1::head;

/// Requests and responses in turn.
struct Raw {
    /// The message that is being read.
    open: Option<Draft>,
    indent: usize,
    /// Whether the last line was blank.
    blank: bool,
    /// Whether the last line has a line break: a head that ends with the source is whole then.
    whole: bool,
    /// Whether lines of the body were handed on as prose.
    ended: bool,
}

/// Begins with a start line that has its version, or one without that is followed by a field.
pub(super) fn begin(line: &Line, next: Option<&Line>, _out: &mut Out<'_>) -> Option<Box<dyn Dialect>> {
    let indent = start_of(line);
    let text = line.bytes().get(indent..)?;
    starts(text, next).then(|| {
        Box::new(Raw { open: None, indent, blank: false, whole: false, ended: false }) as Box<dyn Dialect>
    })
}

/// Where a message may start in a line: behind blanks, or behind the head of a log line (`2026/11/22 10:00:00 DEBUG : GET / HTTP/1.1`).
fn start_of(line: &Line) -> usize {
    let text = line.bytes();
    let heads = memchr::memmem::find_iter(text, b": ").map(|at| at + 2);
    let mut heads = heads.take_while(|at| *at < LOG_HEAD);
    heads
        .find(|at| text.get(*at..).is_some_and(|t| head::surely_starts(t.trim_ascii_end())))
        .unwrap_or(line.indent())
}

/// The head of a log line is not longer.
const LOG_HEAD: usize = 80;

fn starts(text: &[u8], next: Option<&Line>) -> bool {
    if head::surely_starts(text.trim_ascii_end()) {
        return true;
    }
    let method = text.split(|c| *c == b' ').next().unwrap_or_default();
    let followed = next.is_some_and(|n| {
        let field = n.bytes().trim_ascii_start();
        head::looks_like_field(field)
            && !field.starts_with(b"http")
            && !is_error(field)
            && memchr::memmem::find(field, b": ").is_some()
    });
    head::is_method(method)
        && followed
        && Draft::new(&why401_span::Derived::synthetic(text.to_vec())).is_some()
}

/// `Error: …`, `AxiosError: …`, `java.io.IOException: …`: what a program prints, and no field.
fn is_error(line: &[u8]) -> bool {
    let name = line.split(|b| *b == b':').next().unwrap_or_default();
    name.ends_with(b"Error") || name.ends_with(b"Exception")
}

/// Whether a line is a command behind its prompt.
fn is_command(line: &Line) -> bool {
    prompt::begins(&line.str()).is_some() && line.bytes().starts_with(b"$ ")
}

impl Dialect for Raw {
    fn line(&mut self, line: &Line, next: Option<&Line>, out: &mut Out<'_>) -> Took {
        let cut = line.indent().min(self.indent);
        let line = &line.from(cut);
        let blank = std::mem::replace(&mut self.blank, line.is_blank());
        let Some(open) = &mut self.open else {
            return self.start(line, next, out);
        };
        self.whole = !line.eol.is_empty();
        if !open.head_done {
            // The blank line between two heads was lost.
            if head::surely_starts(line.bytes().trim_ascii_end())
                && Draft::new(&line.text).is_some_and(|d| d.is_request() != open.is_request())
            {
                return self.start(line, next, out);
            }
            if line.is_blank() {
                open.head_done = true;
            } else {
                open.field(&line.text);
            }
            return Took::Yes;
        }
        if self.begins_next(line, next, blank) {
            return self.start(line, next, out);
        }
        if line.bytes().starts_with(b"###") || line.bytes().starts_with(b"```") {
            self.ended = true;
            return Took::Yes;
        }
        if let Some(at) = self.next_begins_within(line) {
            if let Some(open) = &mut self.open {
                open.body_line(&Line { text: line.text.slice(0..at), eol: line.eol.slice(0..0) });
            }
            return self.start(&line.from(at), next, out);
        }
        if self.is_body(line) {
            if let Some(open) = &mut self.open {
                open.body_line(line);
            }
            return Took::Yes;
        }
        if line.is_blank() {
            return Took::Yes;
        }
        // The next command has a reader of its own.
        if is_command(line) {
            return Took::No;
        }
        self.ended = true;
        prose::say(line, out);
        Took::Yes
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.close(out);
    }

    fn yields(&self) -> Yields {
        if self.ended || self.complete() { Yields::ToAll } else { Yields::No }
    }
}

impl Raw {
    fn start(&mut self, line: &Line, next: Option<&Line>, out: &mut Out<'_>) -> Took {
        self.close(out);
        let text = line.bytes();
        let indent = start_of(line);
        if !starts(text.get(indent..).unwrap_or_default(), next) {
            return Took::No;
        }
        self.indent += indent.min(line.indent());
        self.ended = false;
        self.open = Draft::new(&line.text.slice(indent..line.text.len()));
        if self.open.as_ref().is_some_and(Draft::is_request) {
            out.flush();
        }
        Took::Yes
    }

    /// Whether a line behind the head starts the next message.
    fn begins_next(&self, line: &Line, next: Option<&Line>, blank: bool) -> bool {
        let text = line.bytes().get(start_of(line)..).unwrap_or_default();
        let surely = head::surely_starts(text.trim_ascii_end());
        if !(surely || self.ended || self.complete()) {
            return false;
        }
        if !surely {
            return starts(text, next);
        }
        let Some(open) = &self.open else { return true };
        let inside = open.length().is_some_and(|n| (open.body.len() as u64) < n);
        // A body of type message/http is a message itself (RFC 9112 section 10.1).
        let quoted =
            open.fields.text("content-type").is_some_and(|t| t.to_ascii_lowercase().contains("message/http"));
        let apart = blank || !open.body.has_content();
        !inside || (apart && !quoted)
    }

    /// Where the announced body ends in the midst of a line and the next message begins: a stream kept as it came has no
    /// line break between the two.
    fn next_begins_within(&self, line: &Line) -> Option<usize> {
        let open = self.open.as_ref()?;
        let left = usize::try_from(open.length()?.checked_sub(open.body.len() as u64)?).ok()?;
        let rest = line.bytes().get(left..).filter(|_| left > 0)?;
        head::surely_starts(rest.trim_ascii_end()).then_some(left)
    }

    /// Whether the announced body is there to the byte.
    fn complete(&self) -> bool {
        let Some(open) = &self.open else { return false };
        if !open.head_done {
            return false;
        }
        let none = matches!(open.status(), Some(100..200 | 204 | 304));
        // A trailing line break that the sender did not count is the paster's.
        none || open.length().is_some_and(|n| {
            let len = open.body.len() as u64;
            len >= n && len <= n + 2 && (n > 0 || !open.is_request())
        })
    }

    fn is_body(&self, line: &Line) -> bool {
        if self.ended || self.complete() {
            return false;
        }
        let Some(open) = &self.open else { return false };
        if open.body.has_content() || open.length().is_some() || open.is_chunked() || !open.is_request() {
            return !is_command(line);
        }
        // A request that announces no body: people write remarks behind it, and lost fields stand there too.
        let text = line.bytes().trim_ascii_start();
        let bodiless = matches!(
            open.line.as_bytes().split(|c| *c == b' ').next(),
            Some(b"GET" | b"HEAD" | b"DELETE" | b"OPTIONS" | b"CONNECT")
        );
        !bodiless || head::looks_like_field(text) || matches!(text.first(), Some(b'{' | b'[' | b'<'))
    }

    /// Gives the message that was read to where it belongs.
    fn close(&mut self, out: &mut Out<'_>) {
        let Some(mut draft) = self.open.take() else { return };
        if self.whole {
            draft.end_head();
        }
        if draft.is_request() {
            out.waiting = draft.into_request();
            return;
        }
        let interim = matches!(draft.status(), Some(100..200)) && draft.status() != Some(101);
        if interim {
            return;
        }
        let request = out.waiting.take();
        let mut exchange = out.new_exchange(if request.is_some() { MESSAGES } else { RESPONSES });
        exchange.request = request;
        exchange.response = draft.into_response();
        out.complete_by_command(&mut exchange);
        out.exchange(exchange);
    }
}
