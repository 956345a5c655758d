//! What `curl -v` prints, and what prints like it: `GIT_CURL_VERBOSE`, libcurl's bindings.

use super::lines::Line;
use super::out::Out;
use super::prompt;
use super::transfer::Transfer;
use super::{Dialect, Took};
use crate::http1::head;

/// Beginnings of remarks that only curl makes; enough of them to know a transcript by.
const REMARKS: &[&str] = &[
    "Trying ",
    "Connected to ",
    "Uses proxy env",
    "Couldn't find host",
    "Added ",
    "Host ",
    "Hostname ",
    "ALPN",
    "Server auth",
    "Proxy auth",
    "Could not resolve",
    "Couldn't resolve",
    "Rebuilt URL",
    "About to connect",
    "STATE:",
    "Closing connection",
    "Connection #",
    "Issue another request",
    "Using HTTP",
    "using HTTP",
    "Mark bundle",
    "Re-using existing",
    "Reusing existing",
    "TLSv1",
    "SSL ",
    "schannel",
    "h2h3 ",
    "[HTTP/",
    "Authentication problem",
    "upload completely",
    "We are completely",
    "Request completely",
    "NTLM",
    "Ignor",
    "gss_init_sec_context",
    "Failed to connect",
    "connect to ",
    "Connection state",
    "Establish HTTP proxy",
    "Proxy replied",
    "CONNECT ",
    "Received HTTP code",
    "HTTP error",
    "The requested URL returned",
    "Excess found",
    "Leftovers",
    "old SSL session",
    "Server certificate",
    "Found bundle",
    "Can not multiplex",
    "HTTP 1.",
    "no chunk",
    "transfer closed",
    "Send failure",
    "Recv failure",
    "Empty reply",
    "shutting down",
    "Established connection",
    "Operation timed out",
    "Basic authentication problem",
    "NEGOTIATE",
    "Negotiate",
    "getaddrinfo",
    "IPv4:",
    "IPv6:",
    "Could not find host",
];

/// Where Cargo writes what curl tells it.
const CARGO: &[u8] = b"http-debug: ";

/// A transcript.
struct Curl {
    transfer: Transfer,
    started: bool,
}

/// Begins with a remark of curl's, a sent request line or a received status line.
pub(super) fn begin(line: &Line, _next: Option<&Line>, _out: &mut Out<'_>) -> Option<Box<dyn Dialect>> {
    let bytes = line.bytes();
    let text = bytes.get(prefix(bytes)..)?;
    let rest = text.get(2..).unwrap_or_default();
    let fits = match text.get(..2)? {
        b"> " => head::surely_starts(rest.trim_ascii_end()) && !is_status(rest),
        b"< " => head::surely_starts(rest) && is_status(rest),
        b"* " => is_remark(rest),
        _ => false,
    };
    let transfer = Transfer::of("curl");
    fits.then(|| Box::new(Curl { transfer, started: false }) as Box<dyn Dialect>)
}

/// Whether a start line begins with the protocol, as a status line does.
fn is_status(line: &[u8]) -> bool {
    line.iter().take_while(|c| **c != b' ').any(|c| *c == b'/')
}

pub(super) fn is_remark(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    REMARKS.iter().any(|r| text.starts_with(r.as_bytes()))
}

/// The length of what stands before curl's marker: indentation, the time of `--trace-time` or of a build service, the
/// numbers of `--trace-ids`, a progress meter that was not finished.
pub(super) fn prefix(bytes: &[u8]) -> usize {
    let mut at = 0;
    // Cargo's log (`CARGO_HTTP_DEBUG=true`) has curl's lines behind this.
    if let Some(mark) = memchr::memmem::find(bytes.get(..bytes.len().min(160)).unwrap_or_default(), CARGO) {
        return mark + CARGO.len();
    }
    if let Some(meter) = memchr::memmem::rfind(bytes, b"--:--:--") {
        let rest = bytes.get(meter + 8..).unwrap_or_default();
        let speed =
            rest.iter().take_while(|c| matches!(c, b' ' | b'0'..=b'9' | b'.' | b'k' | b'M' | b'G')).count();
        at = meter + 8 + speed;
        if at == bytes.len() {
            return at;
        }
    }
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let spaces = rest.iter().take_while(|c| matches!(c, b' ' | b'\t')).count();
        let word_len = rest.iter().skip(spaces).take_while(|c| **c != b' ').count();
        let word = rest.get(spaces..spaces + word_len).unwrap_or_default();
        if !is_stamp(word) || spaces + word_len >= rest.len() {
            return at + spaces;
        }
        at += spaces + word_len + 1;
    }
}

/// `18:02:11.123456`, `2026-07-18T08:55:01.1234567Z`, `[0-0]`.
fn is_stamp(word: &[u8]) -> bool {
    let digits = word.iter().filter(|c| c.is_ascii_digit()).count();
    let time = digits >= 6
        && word.contains(&b':')
        && word.iter().all(|c| c.is_ascii_digit() || b":.-+TZ[]".contains(c));
    let ids = word.len() <= 24
        && word.strip_prefix(b"[").and_then(|w| w.strip_suffix(b"]")).is_some_and(|w| {
            w.contains(&b'-') && w.iter().all(|c| c.is_ascii_digit() || matches!(c, b'-' | b'x'))
        });
    time || ids
}

impl Dialect for Curl {
    fn line(&mut self, line: &Line, _next: Option<&Line>, out: &mut Out<'_>) -> Took {
        let bytes = line.bytes();
        let at = prefix(bytes);
        let text = bytes.get(at..).unwrap_or_default();
        let marker = text.first().copied().filter(|_| matches!(text.get(1), None | Some(b' ')));
        let rest = line.text.slice(at + 2..line.text.len());
        let first = !std::mem::replace(&mut self.started, true);
        match marker {
            Some(b'*') if !self.is_body(text.get(2..).unwrap_or_default()) => {
                self.transfer.remark(&rest, out)
            }
            Some(b'>') if first || self.sends(rest.as_bytes()) => self.transfer.request_line(&rest, out),
            Some(b'<') if first || self.receives(rest.as_bytes()) => self.transfer.response_line(&rest, out),
            Some(b'{' | b'}') if is_data_note(text) => {}
            _ => return self.unmarked(line, text, out),
        }
        Took::Yes
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.transfer.end(out);
    }
}

impl Curl {
    /// Whether a line with an asterisk is one of a body rather than a remark.
    fn is_body(&self, rest: &[u8]) -> bool {
        let started = self.transfer.response.as_ref().is_some_and(|r| r.body.has_content());
        started && self.transfer.in_body() && self.transfer.body_left().is_some() && !is_remark(rest)
    }

    /// Whether a line with `>` is one of a request's head rather than of a body.
    fn sends(&self, rest: &[u8]) -> bool {
        let open =
            self.transfer.request.as_ref().is_some_and(|r| !r.head_done) && self.transfer.response.is_none();
        open || head::surely_starts(rest.trim_ascii_end())
    }

    fn receives(&self, rest: &[u8]) -> bool {
        self.transfer.response.as_ref().is_some_and(|r| !r.head_done) || head::surely_starts(rest)
    }

    fn unmarked(&mut self, line: &Line, text: &[u8], out: &mut Out<'_>) -> Took {
        // Of an RTSP request curl marks the first line only.
        let head_open = self.transfer.request.as_ref().is_some_and(|r| !r.head_done);
        if head_open
            && self.transfer.response.is_none()
            && (text.is_empty()
                || (head::looks_like_field(text) || is_rest_of_value(text))
                    && prompt::begins(&line.str()).is_none())
        {
            self.transfer.request_line(&line.text, out);
            return Took::Yes;
        }
        if text.is_empty() && !self.transfer.in_body() {
            return Took::Yes;
        }
        if is_meter(line.bytes()) {
            return Took::Yes;
        }
        if text.starts_with(b"curl: (") || text.starts_with(b"fatal: ") || text.starts_with(b"remote: ") {
            self.transfer.remark(&line.text, out);
            return Took::Yes;
        }
        let prompt = prompt::begins(&line.str()).is_some();
        // git prints what is sent as it is (`GIT_CURL_VERBOSE` of git-lfs).
        let sent = self.transfer.request.as_ref().is_some_and(|r| r.head_done);
        if sent
            && !prompt
            && self.transfer.response.is_none()
            && text.starts_with(b"{")
            && text.ends_with(b"}")
        {
            self.transfer.request_body(line);
            return Took::Yes;
        }
        if prompt || self.transfer.response.is_none() {
            return Took::No;
        }
        if self.transfer.response.as_ref().is_some_and(|r| !r.head_done) {
            // The blank line was lost on the way: a body, if it does not look like a field.
            if head::looks_like_field(text) {
                self.transfer.response_line(&line.text, out);
                return Took::Yes;
            }
        } else if self.transfer.body_complete() {
            return Took::No;
        }
        self.body(line, out);
        Took::Yes
    }

    /// A line of a body; a remark may stand behind its last byte.
    fn body(&mut self, line: &Line, out: &mut Out<'_>) {
        let len = line.text.len();
        let announced = self.transfer.body_left().and_then(|n| usize::try_from(n).ok()).filter(|n| *n < len);
        let marked = |at: usize| {
            let rest = line.bytes().get(at..).unwrap_or_default();
            rest.starts_with(b"* ") && is_remark(rest.get(2..).unwrap_or_default())
        };
        let split = announced.filter(|n| marked(*n)).or_else(|| {
            let at =
                memchr::memmem::find_iter(line.bytes(), b"* ").take(100).find(|at| *at > 0 && marked(*at));
            at.filter(|_| {
                self.transfer.body_left().is_none_or(|left| left >= len as u64 || announced.is_some())
            })
        });
        match split {
            Some(at) => {
                let mut head = line.clone();
                head.text = line.text.slice(0..at);
                head.eol = line.eol.slice(0..0);
                self.transfer.body_line(&head);
                self.transfer.remark(&line.text.slice(at + 2..len), out);
            }
            None => self.transfer.body_line(line),
        }
    }
}

/// What stands behind a line break in the value of a field, which curl sends as it was given: one long word.
fn is_rest_of_value(text: &[u8]) -> bool {
    /// Shorter words are a person's.
    const LEAST: usize = 4;
    let text = text.trim_ascii_end();
    text.len() >= LEAST && text.iter().all(|c| c.is_ascii_alphanumeric() || b"+/=_-.~".contains(c))
}

/// `{ [5 bytes data]`
fn is_data_note(text: &[u8]) -> bool {
    text.get(2) == Some(&b'[') && memchr::memmem::find(text, b" bytes data]").is_some()
}

/// Lines of the progress meter.
pub(super) fn is_meter(line: &[u8]) -> bool {
    let text = line.trim_ascii();
    text.starts_with(b"% Total    % Received")
        || text.starts_with(b"Dload  Upload")
        || (memchr::memmem::find(text, b"--:--:--").is_some()
            && text.iter().all(|c| b" \r-:.0123456789kMG".contains(c)))
}
