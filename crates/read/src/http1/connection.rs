//! Both directions of a connection: which response answers which request.

use super::content::{self, Keep};
use super::head;
use super::raw::{Head, Raw, RawPair};
use super::side::{Framing, Input, SideState, Step};
use std::collections::VecDeque;
use why401_http::{BODY_EXCERPT, Fields, Moment, Request, Response};
use why401_span::Span;

/// More requests than this do not wait for their answers; the oldest is given up.
const MOST_WAITING: usize = 1024;

/// What a request that waits takes in memory beside its text.
const WAITING: usize = size_of::<Waiting>() + size_of::<RawPair>();

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// From the client: requests.
    Client,
    /// From the server: responses.
    Server,
}

/// A message and its place in the stream of its direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message<T> {
    /// Offset of its first byte in the stream.
    pub start: u64,
    /// Offset behind its last byte; that of the head's while the body is not complete.
    pub end: u64,
    /// The time given with the bytes that completed its head.
    pub at: Option<Moment>,
    /// The message.
    pub message: T,
}

/// A request and its final answer; either may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pair {
    /// The request.
    pub request: Option<Message<Request>>,
    /// The answer.
    pub response: Option<Message<Response>>,
}

#[derive(Debug, Default)]
struct Waiting {
    pair: Box<RawPair>,
    method: Method,
    request_done: bool,
    response_done: bool,
    /// About how many bytes of memory it takes.
    held: usize,
}

/// As far as it decides whether an answer has content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Method {
    Connect,
    Head,
    #[default]
    Other,
}

/// Reads both directions of one connection as their bytes come, in order within a direction and, as well as can be
/// had, in order of time between them.
///
/// Memory is bounded by the heads and body excerpts of the requests that wait for an answer.
#[derive(Debug)]
pub struct Connection {
    client: SideState,
    server: SideState,
    // Boxed: a queue takes room for several at once, and most connections are idle.
    waiting: VecDeque<Waiting>,
    ready: VecDeque<Box<RawPair>>,
    /// About how many bytes of memory those take that wait.
    held: usize,
    /// Whether the final answer that is being read belongs to the front of `waiting`.
    answering: bool,
    interim: bool,
    frugal: bool,
}

impl Default for Connection {
    fn default() -> Self {
        Connection::new()
    }
}

impl Connection {
    /// A connection of which nothing was read yet.
    pub fn new() -> Self {
        let (client, server) = (SideState::new(), SideState::new());
        let (waiting, ready) = (VecDeque::new(), VecDeque::new());
        Connection {
            client,
            server,
            waiting,
            ready,
            held: 0,
            answering: false,
            interim: false,
            frugal: false,
        }
    }

    /// About how many bytes of memory is taken by what was said and not handed over yet.
    pub fn footprint(&self) -> usize {
        self.held + self.client.footprint() + self.server.footprint()
    }

    /// From here on, of the content of successes only as much is kept as [`content::worth_keeping`] says.
    ///
    /// [`content::worth_keeping`]: super::content::worth_keeping
    pub fn be_frugal(&mut self) {
        self.frugal = true;
    }

    /// Takes bytes of one direction, whose first stands at `origin.start`; `at` is their time.
    ///
    /// Gives how many were taken: fewer than all only where the connection stops being HTTP/1 in their midst, because
    /// a `CONNECT` was granted (RFC 9110 section 9.3.6) or the protocol was switched (section 7.8).
    pub fn push(&mut self, side: Side, bytes: &[u8], origin: Span, at: Option<Moment>) -> usize {
        let mut input = Input { bytes, origin };
        if side == Side::Server
            && self.server.reads_until_close()
            && self.waiting.get(1).is_some()
            && head::surely_starts(bytes.split(|c| *c == b'\n').next().unwrap_or_default().trim_ascii_end())
        {
            // A server that keeps the connection although it gave no length: the answer had no body, or has it all.
            let step = self.server.end();
            self.server.resume();
            self.take(side, step, at);
        }
        loop {
            let step = self.side(side).step(&mut input);
            if step.is_none() {
                return bytes.len() - input.bytes.len();
            }
            self.take(side, step, at);
        }
    }

    /// `bytes` bytes of one direction are missing here (0: an unknown number).
    pub fn gap(&mut self, side: Side, bytes: u64) {
        let step = self.side(side).gap(bytes);
        self.take(side, step, None);
    }

    /// How many of the next bytes of one direction are content of which nothing more is kept: whoever passes bytes on
    /// need not show them.
    pub fn unkept(&self, side: Side) -> u64 {
        match side {
            Side::Client => self.client.unkept(),
            Side::Server => self.server.unkept(),
        }
    }

    /// So many of the bytes that [`Connection::unkept`] told of have passed.
    pub fn passed(&mut self, side: Side, bytes: u64) {
        let step = self.side(side).passed(bytes);
        self.take(side, step, None);
    }

    /// A direction was closed.
    pub fn end(&mut self, side: Side) {
        let step = self.side(side).end();
        let was_head = matches!(step, Some(Step::Head { .. }));
        self.take(side, step, None);
        if was_head {
            let rest = self.side(side).end();
            self.take(side, rest, None);
        }
    }

    /// Both directions are over: gives what still waits.
    pub fn finish(&mut self) {
        self.end(Side::Client);
        self.end(Side::Server);
        self.ready.extend(self.waiting.drain(..).map(|w| w.pair));
        self.held = 0;
    }

    /// The next pair that is complete.
    pub fn next_pair(&mut self) -> Option<Pair> {
        self.next_raw().map(|pair| pair.read())
    }

    /// The same, not taken apart.
    pub fn next_raw(&mut self) -> Option<Box<RawPair>> {
        self.ready.pop_front()
    }

    /// Whether the connection has stopped being HTTP/1; [`Connection::push`] takes nothing more then.
    pub fn is_raw(&self) -> bool {
        self.client.is_raw() && self.server.is_raw()
    }

    /// Bytes that belonged to no message, by direction.
    pub fn skipped(&self, side: Side) -> u64 {
        match side {
            Side::Client => self.client.skipped,
            Side::Server => self.server.skipped,
        }
    }

    fn side(&mut self, side: Side) -> &mut SideState {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn take(&mut self, side: Side, step: Option<Step>, at: Option<Moment>) {
        match (side, step) {
            (_, None) => {}
            (Side::Client, Some(Step::Head { start, head })) => self.request_head(start, head, at),
            (Side::Server, Some(Step::Head { start, head })) => self.response_head(start, head, at),
            (Side::Client, Some(Step::Body { body, trailers, end, ended })) => {
                if let Some(w) = self.waiting.iter_mut().rev().find(|w| !w.request_done) {
                    w.request_done = true;
                    if let Some(m) = &mut w.pair.request {
                        (m.end, m.trailers, m.body) = (end, trailers, Some((body, ended)));
                        w.held += m.body_footprint();
                        self.held += m.body_footprint();
                    }
                }
            }
            (Side::Server, Some(Step::Body { body, trailers, end, ended })) => {
                self.response_body(body, trailers, end, ended);
            }
        }
        self.release();
    }

    fn request_head(&mut self, start: u64, head: Head, at: Option<Moment>) {
        let line = head.first_line();
        let Some((method_end, ..)) = head::request_parts(line).filter(|_| !is_sip(line)) else {
            // A status line from the client: the directions are not what they were taken for.
            self.client.skipped += line.len() as u64;
            self.client.resume();
            return;
        };
        let method = match line.get(..method_end) {
            Some(b"CONNECT") => Method::Connect,
            Some(b"HEAD") => Method::Head,
            _ => Method::Other,
        };
        // What was not finished before stays as it is.
        for w in self.waiting.iter_mut() {
            w.request_done = true;
        }
        if self.waiting.len() >= MOST_WAITING
            && let Some(oldest) = self.waiting.pop_front()
        {
            self.held -= oldest.held;
            self.ready.push_back(oldest.pair);
            self.answering = false;
        }
        let framing = match Shape::of(&head).framing {
            _ if method == Method::Connect || !head.is_whole() => Framing::Length(0),
            Some(Framing::UntilClose) | None => Framing::Length(0),
            Some(framing) => framing,
        };
        let request =
            Raw { start, end: self.client.offset(), at, head, trailers: Fields::default(), body: None };
        let held = request.head_footprint() + WAITING;
        self.held += held;
        let pair = Box::new(RawPair { request: Some(request), response: None });
        self.waiting.push_back(Waiting { pair, method, held, ..Waiting::default() });
        self.client.lost = false;
        let step = self.client.expect_body(framing);
        self.take(Side::Client, step, at);
    }

    fn response_head(&mut self, start: u64, head: Head, at: Option<Moment>) {
        let line = head.first_line();
        let Some((_, status)) = head::status_parts(line).filter(|_| !is_sip(line)) else {
            self.server.skipped += line.len() as u64;
            self.server.resume();
            return;
        };
        if (100..200).contains(&status) && status != 101 {
            // An interim response (RFC 9110 section 15.2); the final one follows.
            self.interim = true;
            let step = self.server.expect_body(Framing::Length(0));
            self.take(Side::Server, step, at);
            return;
        }
        if self.server.lost {
            // Answers may have been lost: this one is taken for that of the last request.
            while self.waiting.len() > 1 {
                self.front_is_ready();
            }
            self.server.lost = false;
        }
        if self.waiting.front().is_none() {
            self.waiting.push_back(Waiting { request_done: true, ..Waiting::default() });
        }
        let method = self.waiting.front().map(|w| w.method).unwrap_or_default();
        let tunnel = status == 101 || (method == Method::Connect && (200..300).contains(&status));
        let shape = Shape::of(&head);
        let framing = match status {
            101 | 204 | 304 => Framing::Length(0),
            _ if method == Method::Head || tunnel || !head.is_whole() => Framing::Length(0),
            _ => shape.framing.unwrap_or(Framing::UntilClose),
        };
        let most = if self.frugal { content::worth_keeping(status, shape.page) } else { BODY_EXCERPT };
        let end = self.server.offset();
        if let Some(front) = self.waiting.front_mut() {
            let response = Raw { start, end, at, head, trailers: Fields::default(), body: None };
            front.held += response.head_footprint();
            self.held += response.head_footprint();
            front.pair.response = Some(response);
            self.answering = true;
        }
        let step = self.server.expect_body_in_part(framing, most);
        self.take(Side::Server, step, at);
        if tunnel {
            self.client.become_raw();
            self.server.become_raw();
            for w in self.waiting.iter_mut() {
                w.request_done = true;
            }
            self.release();
        }
    }

    fn response_body(&mut self, body: Keep, trailers: Fields, end: u64, ended: bool) {
        if std::mem::take(&mut self.interim) {
            return;
        }
        let Some(front) = self.waiting.front_mut().filter(|_| self.answering) else { return };
        self.answering = false;
        front.response_done = true;
        if let Some(m) = &mut front.pair.response {
            (m.end, m.trailers, m.body) = (end, trailers, Some((body, ended)));
            front.held += m.body_footprint();
            self.held += m.body_footprint();
        }
    }

    /// Gives the pairs that are complete, in order.
    fn release(&mut self) {
        while self.waiting.front().is_some_and(|w| w.response_done && w.request_done) {
            self.front_is_ready();
        }
    }

    fn front_is_ready(&mut self) {
        if let Some(front) = self.waiting.pop_front() {
            self.held -= front.held;
            self.ready.push_back(front.pair);
        }
    }
}

/// Whether a start line is one of SIP (RFC 3261), which shares connections with nothing that is read here.
fn is_sip(line: &[u8]) -> bool {
    head::find_protocol(line, b"SIP").is_some_and(|at| at == 0 || line.get(at - 1) == Some(&b' '))
}

/// What a head says of the content that follows.
#[derive(Debug, Default)]
struct Shape {
    /// How it ends (RFC 9112 section 6.3); `None` where nothing is said.
    framing: Option<Framing>,
    /// Whether it is a page.
    page: bool,
}

impl Shape {
    fn of(head: &Head) -> Shape {
        let [mut coding, mut length, mut kind] = [None::<&[u8]>; 3];
        head.fields(|name, value| match name.len() {
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => coding = Some(value),
            14 if name.eq_ignore_ascii_case(b"content-length") => length = length.or(Some(value)),
            12 if name.eq_ignore_ascii_case(b"content-type") => kind = kind.or(Some(value)),
            _ => {}
        });
        let framing = match coding {
            Some(last) => {
                let end = last.trim_ascii_end();
                let tail = end.len().checked_sub(b"chunked".len()).and_then(|at| end.get(at..));
                let chunked = tail.is_some_and(|t| t.eq_ignore_ascii_case(b"chunked"));
                Some(if chunked { Framing::Chunked } else { Framing::UntilClose })
            }
            // Several equal lengths in one field are a known fault of proxies (RFC 9110 section 8.6).
            None => length.and_then(|l| {
                let first = l.split(|c| *c == b',').next()?.trim_ascii();
                std::str::from_utf8(first).ok()?.parse().ok().map(Framing::Length)
            }),
        };
        Shape { framing, page: kind.is_some_and(content::is_page) }
    }
}
