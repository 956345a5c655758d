//! What curl tells of its transfers, whichever way it prints it (`-v`, `--trace`, git's `GIT_TRACE_CURL`).

use super::draft::Draft;
use super::lines::Line;
use super::out::{Out, RESPONSES};
use why401_http::{Exchange, Peer, Shows, Speaker, Statement};
use why401_span::Derived;

/// More of curl's remarks are not held back until the request that they belong to.
const MOST_PENDING: usize = 2000;

/// Remarks that belong to the transfer that follows (lib/connect.c, lib/url.c, lib/http.c, lib/vtls of curl).
const BEFORE_REQUEST: &[&str] = &[
    "Issue another request",
    "Uses proxy env",
    "Trying ",
    "Connected to ",
    "Re-using existing",
    "Reusing existing",
    "Found bundle",
    "Can not multiplex",
    "Hostname ",
    "Added ",
    "Host ",
    "IPv",
    "Server auth using",
    "Proxy auth using",
    "Couldn't find host",
    "Establish HTTP proxy",
    "allocate connect buffer",
    "CONNECT phase",
    "CONNECT tunnel",
    "Proxy replied",
    "Using HTTP",
    "using HTTP",
    "SSL ",
    "TLS",
    "ALPN",
    "h2h3 ",
    "[HTTP/",
    "Rebuilt URL",
    "Switched from",
    "About to connect",
    "Using Stream ID",
    "Copying HTTP/2",
    "Established connection",
    "successfully set certificate",
    "Server certificate",
    " CAfile",
    " CApath",
    "schannel",
    "gss_init_sec_context() failed",
    "Cipher selection",
];

/// How the client reaches the server.
#[derive(Default, Clone)]
struct Way {
    connection: Option<u64>,
    server: Option<Peer>,
    tls: bool,
    connected: bool,
    /// The scheme of the address that the client says it asks.
    scheme: Option<&'static str>,
}

/// Transfers, one after the other.
#[derive(Default)]
pub(super) struct Transfer {
    /// The program that tells it.
    product: Option<&'static str>,
    pub(super) request: Option<Draft>,
    pub(super) response: Option<Draft>,
    pending: Vec<Statement>,
    /// Whether what is said now belongs to the transfer that follows.
    between: bool,
    /// The connection as it is now, and as it was when the open transfer began.
    way: Way,
    taken: Way,
    /// What curl calls its connections, and what we do.
    numbers: Vec<(String, u64)>,
    /// Whether the request is known from something else than its head.
    implied: bool,
}

impl Transfer {
    /// Transfers that this program tells.
    pub(super) fn of(product: &'static str) -> Self {
        Transfer { product: Some(product), ..Transfer::default() }
    }

    /// A remark (`* `, `== Info: `).
    pub(super) fn remark(&mut self, text: &Derived, out: &mut Out<'_>) {
        let words = text.to_text().into_owned();
        let words = words.trim();
        if words.is_empty() {
            return;
        }
        let answered = self.response.as_ref().is_some_and(|r| r.head_done);
        self.between |= answered && BEFORE_REQUEST.iter().any(|p| words.starts_with(p));
        if self.product == Some("curl") {
            self.connection_of(words, out);
        }
        if let Some((_, address)) = words.split_once("Issue another request to this URL: ") {
            self.set_scheme(address);
        }
        let mut statement = out.words(Speaker::Client, text.trimmed());
        // What git prints behind `remote:` is the server's word.
        statement.product = self.product.filter(|_| !words.starts_with("remote: "));
        if (self.request.is_some() || self.response.is_some()) && !self.between {
            statement.beside = Some(out.index());
            out.say(statement);
        } else if self.pending.len() < MOST_PENDING {
            self.pending.push(statement);
        } else {
            out.say(statement);
        }
    }

    fn connection_of(&mut self, words: &str, out: &mut Out<'_>) {
        let number = || {
            let at = words.find('#')?;
            let digits: String = words.get(at + 1..)?.chars().take_while(char::is_ascii_digit).collect();
            (!digits.is_empty()).then_some(digits)
        };
        let established = words.strip_prefix("Established connection to ");
        if let Some(rest) = words.strip_prefix("Connected to ").or(established) {
            let connection = out.new_connection();
            self.way.connection = Some(connection);
            self.way.connected = true;
            self.way.tls = false;
            self.way.server = peer(rest);
            if let Some(number) = number() {
                self.numbers.retain(|(n, _)| *n != number);
                if self.numbers.len() < 1000 {
                    self.numbers.push((number, connection));
                }
            }
        } else if words.starts_with("Re-using existing") || words.starts_with("Reusing existing") {
            let known = number().and_then(|n| self.numbers.iter().find(|(k, _)| *k == n).map(|(_, c)| *c));
            // curl 8 does not say which; with one connection only there is no doubt.
            let only = self.numbers.first().filter(|_| self.numbers.len() == 1).map(|(_, c)| *c);
            self.way.connection =
                known.or(only).or(self.way.connection).or_else(|| Some(out.new_connection()));
            self.way.connected = true;
        } else if words.starts_with("Closing connection") || words.starts_with("shutting down connection") {
            self.way.connection = None;
        } else if words.starts_with("SSL connection using")
            || words.starts_with("ALPN")
            || words.contains("[:scheme: https]")
        {
            self.way.tls = true;
        }
    }

    /// The text names the address that is asked next.
    pub(super) fn set_scheme(&mut self, text: &str) {
        let (https, http) = (text.find("https://"), text.find("http://"));
        self.way.scheme = match (https, http) {
            (Some(_), None) => Some("https"),
            (Some(a), Some(b)) if a < b => Some("https"),
            (_, Some(_)) => Some("http"),
            (None, None) => self.way.scheme,
        };
    }

    /// A connection was made.
    pub(super) fn connected(&mut self, server: Option<Peer>, out: &mut Out<'_>) {
        self.way.connection = Some(out.new_connection());
        self.way.server = server;
        self.between |= self.response.is_some();
    }

    /// What is said now belongs to the transfer that follows.
    pub(super) fn next_begins(&mut self) {
        self.between |= self.response.is_some();
    }

    /// A request of which the evidence shows no head.
    pub(super) fn asked(&mut self, request: Draft, out: &mut Out<'_>) {
        self.begin_request(request, out);
        self.implied = true;
    }

    /// A line of a request's head, without marker; empty at its end.
    pub(super) fn request_line(&mut self, line: &Derived, out: &mut Out<'_>) {
        let open = self.request.as_mut().filter(|r| !r.head_done && self.response.is_none());
        match (open, Draft::new(line).filter(Draft::is_request)) {
            (Some(request), _) if line.as_bytes().trim_ascii().is_empty() => request.head_done = true,
            (Some(request), None) => request.field(line),
            (_, Some(new)) => {
                self.begin_request(new, out);
            }
            (None, None) => {
                if !line.as_bytes().trim_ascii().is_empty() {
                    out.say_line(Speaker::Client, &bare(line));
                }
            }
        }
    }

    fn begin_request(&mut self, new: Draft, out: &mut Out<'_>) {
        self.flush(out);
        for mut statement in self.pending.drain(..) {
            statement.beside = Some(out.index());
            out.say(statement);
        }
        self.between = false;
        self.implied = false;
        self.taken = self.way.clone();
        self.request = Some(new);
    }

    /// Bytes of the request's body.
    pub(super) fn request_body(&mut self, line: &Line) {
        if let Some(request) = self.request.as_mut().filter(|r| r.head_done) {
            request.body_line(line);
        }
    }

    /// A line of a response's head, without marker; empty at its end.
    pub(super) fn response_line(&mut self, line: &Derived, out: &mut Out<'_>) {
        let open = self.response.as_mut().filter(|r| !r.head_done);
        match (open, Draft::new(line).filter(|d| !d.is_request())) {
            (Some(response), _) if line.as_bytes().trim_ascii().is_empty() => response.head_done = true,
            (Some(response), None) => response.field(line),
            (_, Some(new)) => {
                let interim = |r: &Draft| r.status().is_some_and(|s| (100..200).contains(&s) && s != 101);
                if self.response.as_ref().is_some_and(|r| !interim(r)) {
                    self.flush(out);
                }
                if self.request.is_none() {
                    self.taken = self.way.clone();
                }
                self.between = false;
                self.response = Some(new);
            }
            (None, None) => {
                // A trailer, or a line of a body.
                if let Some(response) = &mut self.response {
                    response.body_line(&bare(line));
                }
            }
        }
    }

    /// A line of the response's body.
    pub(super) fn body_line(&mut self, line: &Line) {
        if let Some(response) = &mut self.response {
            response.head_done = true;
            response.body_line(line);
        }
    }

    /// Whether the last response has all of the body that its fields announce.
    pub(super) fn body_complete(&self) -> bool {
        let Some(response) = &self.response else { return false };
        let head = self.request.as_ref().is_some_and(|r| r.line.as_bytes().starts_with(b"HEAD "));
        let none = matches!(response.status(), Some(100..200 | 204 | 304)) || head;
        none || response.length().is_some_and(|n| response.body.len() as u64 >= n)
    }

    /// Bytes of the announced body that have not come yet; `None` where none are announced.
    pub(super) fn body_left(&self) -> Option<u64> {
        let response = self.response.as_ref()?;
        response.length().map(|n| n.saturating_sub(response.body.len() as u64))
    }

    /// Whether a body may go on with the next line.
    pub(super) fn in_body(&self) -> bool {
        self.response.as_ref().is_some_and(|r| r.head_done) && !self.body_complete()
    }

    /// Gives the exchange that is complete now.
    pub(super) fn flush(&mut self, out: &mut Out<'_>) {
        let (request, response) = (self.request.take(), self.response.take());
        if request.is_none() && response.is_none() {
            return;
        }
        out.command = None;
        let exchange = self.exchange(request, response, out);
        out.exchange(exchange);
    }

    fn exchange(&self, request: Option<Draft>, response: Option<Draft>, out: &Out<'_>) -> Exchange {
        let mut shows = if request.is_some() && !self.implied { Shows::EVERYTHING } else { RESPONSES };
        shows.every_request |= self.implied;
        shows.response_fields &= !response.as_ref().is_some_and(|r| r.fields.is_empty() && !r.head_done);
        let mut e = out.new_exchange(shows);
        let no_body = matches!(response.as_ref().and_then(Draft::status), Some(100..200 | 204 | 304))
            || response.as_ref().is_some_and(|r| r.length() == Some(0))
            || request.as_ref().is_some_and(|r| r.line.as_bytes().starts_with(b"HEAD "));
        e.request = request
            .map(|mut r| {
                // The answer came, so that all of the request had been shown.
                if response.is_some() {
                    r.end_head();
                }
                r
            })
            .and_then(Draft::into_request);
        e.response = response.and_then(Draft::into_response);
        e.shows.body = no_body || e.response.as_ref().is_some_and(|r| !r.body.bytes.is_empty());
        if let Some(response) = e.response.as_mut().filter(|r| r.body.bytes.is_empty() && !no_body) {
            response.body.complete = false;
        }
        e.connection = self.taken.connection;
        e.server = self.taken.server.clone();
        if let Some(request) = &mut e.request {
            let connect = request.method.as_bytes() == b"CONNECT";
            request.complete &= !self.implied;
            let port = self.taken.server.as_ref().and_then(|s| s.port);
            request.scheme =
                match (self.taken.tls || port == Some(443), self.taken.connected && port != Some(8443)) {
                    _ if connect => Some("http".to_owned()),
                    (true, _) => Some("https".to_owned()),
                    (false, _) if self.taken.scheme.is_some() => self.taken.scheme.map(str::to_owned),
                    (false, true) => Some("http".to_owned()),
                    (false, false) => None,
                };
        }
        e
    }

    /// The transcript is over.
    pub(super) fn end(&mut self, out: &mut Out<'_>) {
        self.flush(out);
        for statement in self.pending.drain(..) {
            out.say(statement);
        }
    }
}

/// Words of which there is no whole line.
pub(super) fn bare(text: &Derived) -> Line {
    Line { text: text.clone(), eol: Derived::default() }
}

/// `HOST (IP) port N`, as curl prints it.
fn peer(text: &str) -> Option<Peer> {
    let (host, rest) = text.split_once(" (")?;
    let (address, rest) = rest.split_once(')')?;
    let port =
        rest.trim_start().strip_prefix("port ").and_then(|p| p.split(|c: char| !c.is_ascii_digit()).next());
    let address = address.rsplit_once(" port ").map_or(address, |(a, _)| a);
    let host = if address.is_empty() { host } else { address };
    Some(Peer { host: host.to_owned(), port: port.and_then(|p| p.parse().ok()) })
}
