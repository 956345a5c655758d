//! What wget prints: plainly, with `-S` and with `-d`.

use super::draft::Draft;
use super::lines::Line;
use super::out::{Out, Paragraph};
use super::transfer::Transfer;
use super::{Dialect, Took, prompt, prose, words};
use why401_http::{Address, Peer};
use why401_span::Derived;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    Remarks,
    Request,
    Response,
    /// The indented fields of `-S`.
    Fields,
    /// `Skipping 26 bytes of body: [`, until the bracket closes.
    Body,
}

struct Wget {
    transfer: Transfer,
    state: In,
    /// The address that is being asked.
    address: Option<(Derived, String)>,
    /// Whether `-d` shows the requests.
    debug: bool,
    body: Paragraph,
}

const SENT: &[u8] = b"HTTP request sent, awaiting response...";
const SKIPPING: &[u8] = b" bytes of body: [";

pub(super) fn begin(line: &Line, _next: Option<&Line>, _out: &mut Out<'_>) -> Option<Box<dyn Dialect>> {
    let bytes = line.bytes();
    let fits = is_stamp(bytes)
        || bytes == b"---request begin---"
        || bytes.starts_with(b"DEBUG output created by Wget")
        || bytes.starts_with(b"Setting --")
        || bytes.starts_with(SENT);
    let transfer = Transfer::of("wget");
    let body = Paragraph::default();
    fits.then(|| {
        Box::new(Wget { transfer, state: In::Remarks, address: None, debug: false, body }) as Box<dyn Dialect>
    })
}

/// `--2026-11-22 18:26:42--  http://…`
fn is_stamp(bytes: &[u8]) -> bool {
    bytes.starts_with(b"--")
        && bytes.get(2).is_some_and(u8::is_ascii_digit)
        && memchr::memmem::find(bytes, b"--  http").is_some()
}

impl Dialect for Wget {
    fn line(&mut self, line: &Line, _next: Option<&Line>, out: &mut Out<'_>) -> Took {
        let bytes = line.bytes();
        match self.state {
            In::Request if bytes == b"---request end---" => self.state = In::Remarks,
            In::Request => self.transfer.request_line(&line.text, out),
            In::Response if bytes == b"---response end---" => {
                self.transfer.response_line(&Derived::default(), out);
                self.state = In::Remarks;
            }
            In::Response => self.transfer.response_line(&line.text, out),
            In::Fields if line.indent() >= 2 => {
                self.transfer.response_line(&line.text.slice(2..line.text.len()), out);
            }
            In::Fields => {
                self.transfer.response_line(&Derived::default(), out);
                self.state = In::Remarks;
                return self.remark(line, out);
            }
            In::Body => self.body_line(line),
            In::Remarks => return self.remark(line, out),
        }
        Took::Yes
    }

    fn end(&mut self, out: &mut Out<'_>) {
        if self.state == In::Fields {
            self.transfer.response_line(&Derived::default(), out);
        }
        self.transfer.end(out);
    }
}

impl Wget {
    fn remark(&mut self, line: &Line, out: &mut Out<'_>) -> Took {
        let bytes = line.bytes();
        if line.is_blank() {
            return Took::Yes;
        }
        if bytes == b"---request begin---" {
            self.debug = true;
            self.state = In::Request;
            return Took::Yes;
        }
        if bytes == b"---response begin---" {
            self.state = In::Response;
            return Took::Yes;
        }
        let text = line.str();
        let answered = self.transfer.response.is_some();
        if answered && (prompt::begins(&text).is_some() || prose::is_personal(&text)) {
            return Took::No;
        }
        if is_stamp(bytes) {
            self.transfer.next_begins();
            self.transfer.set_scheme(&text);
            self.address = words::addresses(&text).into_iter().next().map(|r| {
                let (address, _) = super::userinfo::split_userinfo(text.get(r.clone()).unwrap_or_default());
                (line.text.slice(r), address)
            });
        } else if let Some(rest) = text.strip_prefix("Connecting to ").filter(|t| t.contains("connected")) {
            self.transfer.connected(peer(rest), out);
        } else if text.starts_with("Reusing existing connection") {
            self.transfer.next_begins();
        } else if bytes.starts_with(SENT) {
            self.sent(line, out);
        } else if let Some(at) = memchr::memmem::find(bytes, SKIPPING) {
            let from = at + SKIPPING.len();
            self.body = Paragraph::default();
            self.state = In::Body;
            self.body_line(&line.from(from));
        } else if line.text.len() > 4 && bytes.starts_with(b"    ") && !self.debug {
            // The progress of a download: nothing to say.
            return Took::Yes;
        }
        self.transfer.remark(&line.text, out);
        Took::Yes
    }

    /// `HTTP request sent, awaiting response... 401 Unauthorized`
    fn sent(&mut self, line: &Line, out: &mut Out<'_>) {
        if !self.debug
            && let Some((place, address)) = &self.address
            && let Some(parsed) = Address::parse(address)
        {
            let whole = 0..place.len();
            let path = address.find(&parsed.target).filter(|_| parsed.target.len() > 1);
            let target = match path.and_then(|_| place.len().checked_sub(parsed.target.len())) {
                Some(at) if place.slice(at..place.len()).to_text() == parsed.target.as_str() => {
                    place.slice(at..place.len())
                }
                _ => place.decoded(whole.clone(), parsed.target.as_str()),
            };
            let host = match (parsed.scheme.as_str(), parsed.port) {
                ("http", 80) | ("https", 443) => parsed.host.clone(),
                (_, port) => format!("{}:{port}", parsed.host),
            };
            let mut request = Draft::request(Derived::synthetic("GET"), target, "");
            let name = Derived::synthetic("Host");
            request.fields.0.push(why401_http::FieldLine { name, value: place.decoded(whole, host) });
            self.transfer.asked(request, out);
        }
        let status = line.text.slice(SENT.len()..line.text.len()).trimmed();
        let code = status.to_text().get(..3).and_then(|s| s.parse::<u16>().ok());
        match code {
            Some(code) if !self.debug => {
                if self.transfer.response.is_some() {
                    self.transfer.flush(out);
                }
                self.transfer.response = Some(Draft::response(status, code));
            }
            _ if !self.debug => self.state = In::Fields,
            _ => {}
        }
    }

    fn body_line(&mut self, line: &Line) {
        let end = line.bytes().iter().rposition(|c| *c == b']').filter(|_| {
            let text = line.bytes().trim_ascii_end();
            text.ends_with(b"] done.") || text.ends_with(b"]")
        });
        match end {
            Some(end) => {
                let mut last = line.clone();
                last.text = line.text.slice(0..end);
                last.eol = line.eol.slice(0..0);
                self.transfer.body_line(&last);
                self.state = In::Remarks;
            }
            None => self.transfer.body_line(line),
        }
    }
}

/// `127.0.0.1:28999... connected.`, `example.com (example.com)|192.0.2.1|:443... connected.`
fn peer(text: &str) -> Option<Peer> {
    let address = text.split("...").next()?.trim();
    let (host, port) = address.rsplit_once(':')?;
    let host = match host.rsplit_once('|').map(|(h, _)| h) {
        Some(rest) => rest.rsplit_once('|').map_or(rest, |(_, ip)| ip),
        None => host,
    };
    Some(Peer { host: host.trim_matches(['[', ']']).to_owned(), port: port.parse().ok() })
}
