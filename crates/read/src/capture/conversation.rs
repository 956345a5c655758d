//! What is spoken on a connection: found by its first bytes, and again where a tunnel begins.

use super::exchanges::{Exchanges, Place};
use super::held::Weight;
use super::http2::Http2;
use super::proxied::{self, Preamble};
use super::secure::Secure;
use crate::http1::{self, Pair, Raw, Side};
use std::rc::Rc;
use why401_capture::Direction;
use why401_http::Moment;
use why401_span::Span;

/// Something that happened in one direction, kept until it is known what is spoken.
#[derive(Debug)]
enum Said {
    Bytes(Direction, Vec<u8>, Span, Option<Moment>),
    Gap(Direction, u64),
    End(Direction),
}

/// What is spoken.
#[derive(Debug)]
enum Spoken {
    /// Too little was said.
    Undecided(Vec<Said>),
    Http1(Box<Http1>),
    Http2(Box<Http2>),
    Tls(Box<Secure>),
    /// Nothing that is read here.
    Other,
}

#[derive(Debug, Default)]
struct Http1 {
    connection: http1::Connection,
    /// What is spoken within, once a tunnel was granted or another protocol was agreed on.
    inside: Option<Conversation>,
    upgraded: Option<Box<Pair>>,
}

impl Http1 {
    /// Goes on with the next messages, whatever came of the last ones.
    fn resume(&mut self) {
        self.connection = http1::Connection::new();
        self.connection.gap(Side::Client, 0);
        self.connection.gap(Side::Server, 0);
    }
}

/// What both sides of a connection, or of a tunnel inside one, say to each other.
#[derive(Debug)]
pub(super) struct Conversation {
    place: Rc<Place>,
    spoken: Spoken,
    /// Tunnels that it is inside of.
    depth: u8,
    /// What an HTTP/1.1 connection said to become this one.
    upgraded: Option<Box<Pair>>,
}

/// More is not kept before it is decided what is spoken.
const MOST_SAID: usize = 64;
/// Nobody tunnels deeper.
const DEEPEST: u8 = 4;

impl Conversation {
    /// One between these two, inside of `depth` others.
    pub(super) fn new(place: Place, depth: u8) -> Self {
        let spoken = if depth > DEEPEST { Spoken::Other } else { Spoken::Undecided(Vec::new()) };
        Conversation { place: Rc::new(place), spoken, depth, upgraded: None }
    }

    /// One in HTTP/1 that had let go and goes on.
    pub(super) fn resumed(place: Place) -> Self {
        let mut http = Box::<Http1>::default();
        http.resume();
        Conversation { place: Rc::new(place), spoken: Spoken::Http1(http), depth: 0, upgraded: None }
    }

    /// Whether nothing but its place has to be remembered of it, once it has let go.
    pub(super) fn is_spent(&self) -> bool {
        match &self.spoken {
            Spoken::Http1(http) => {
                !http.connection.is_raw() && http.inside.is_none() && http.upgraded.is_none()
            }
            _ => false,
        }
    }

    /// How much it holds.
    pub(super) fn weight(&self) -> Weight {
        const BASE: usize = 512;
        const HTTP1: usize = 2 << 10;
        match &self.spoken {
            Spoken::Undecided(said) => {
                let bytes = |said: &Said| if let Said::Bytes(_, bytes, ..) = said { bytes.len() } else { 0 };
                Weight {
                    said: 0,
                    rest: BASE + said.iter().map(|s| size_of::<Said>() + bytes(s)).sum::<usize>(),
                }
            }
            Spoken::Other => Weight { said: 0, rest: BASE },
            Spoken::Http1(http) if self.is_spent() => {
                Weight { said: HTTP1 + http.connection.footprint(), rest: 0 }
            }
            Spoken::Http1(http) => {
                let inside = http.inside.as_ref().map(Conversation::weight).unwrap_or_default();
                Weight { said: inside.said + http.connection.footprint(), rest: inside.rest + HTTP1 }
            }
            Spoken::Http2(http) => http.weight(),
            Spoken::Tls(tls) => tls.weight(),
        }
    }

    /// Between whom it is.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The next bytes of one direction.
    pub(super) fn bytes(
        &mut self,
        direction: Direction,
        bytes: &[u8],
        origin: Span,
        at: Option<Moment>,
        to: &mut Exchanges<'_>,
    ) {
        match &mut self.spoken {
            Spoken::Undecided(said) => {
                said.push(Said::Bytes(direction, bytes.to_vec(), origin, at));
                self.decide(false, to);
            }
            Spoken::Http1(http) => {
                if to.are_many() {
                    http.connection.be_frugal();
                }
                let taken = http.connection.push(side(direction), bytes, origin, at);
                self.hand_over(to);
                let rest = bytes.get(taken..).unwrap_or_default();
                if rest.is_empty() {
                    return;
                }
                let fresh = Conversation::new(Place::clone(&self.place), self.depth + 1);
                if let Spoken::Http1(http) = &mut self.spoken {
                    let origin = Span { start: origin.start + taken as u64, ..origin };
                    let inside = http.inside.get_or_insert(fresh);
                    inside.upgraded = inside.upgraded.take().or(http.upgraded.take());
                    inside.bytes(direction, rest, origin, at, to);
                }
            }
            Spoken::Http2(http) => http.bytes(side(direction), bytes, origin, at, to),
            Spoken::Tls(tls) => tls.bytes(side(direction), bytes, origin, at, to),
            Spoken::Other => {}
        }
    }

    /// Bytes of one direction are missing here.
    pub(super) fn gap(&mut self, direction: Direction, len: u64, to: &mut Exchanges<'_>) {
        match &mut self.spoken {
            Spoken::Undecided(said) => {
                said.push(Said::Gap(direction, len));
                // Nothing but gaps: headers alone were captured.
                if said.len() > MOST_SAID {
                    self.decide(true, to);
                }
            }
            Spoken::Http1(http) => {
                http.connection.gap(side(direction), len);
                if let Some(inside) = &mut http.inside {
                    inside.gap(direction, len, to);
                }
                self.hand_over(to);
            }
            Spoken::Http2(http) => http.gap(side(direction), len, to),
            Spoken::Tls(tls) => tls.gap(side(direction), len),
            Spoken::Other => {}
        }
    }

    /// How many of the next bytes of one direction need not be looked at.
    pub(super) fn unkept(&self, direction: Direction) -> u64 {
        match &self.spoken {
            Spoken::Http1(http) => http.connection.unkept(side(direction)),
            _ => 0,
        }
    }

    /// So many of those have passed.
    pub(super) fn passed(&mut self, direction: Direction, bytes: u64, to: &mut Exchanges<'_>) {
        if let Spoken::Http1(http) = &mut self.spoken {
            http.connection.passed(side(direction), bytes);
            self.hand_over(to);
        }
    }

    /// One direction was closed.
    pub(super) fn end(&mut self, direction: Direction, to: &mut Exchanges<'_>) {
        match &mut self.spoken {
            Spoken::Undecided(said) => said.push(Said::End(direction)),
            Spoken::Http1(http) => {
                http.connection.end(side(direction));
                if let Some(inside) = &mut http.inside {
                    inside.end(direction, to);
                }
                self.hand_over(to);
            }
            Spoken::Tls(tls) => tls.end(direction, to),
            Spoken::Http2(_) | Spoken::Other => {}
        }
    }

    /// Hands over what there is of the messages that have begun, and goes on with the next ones.
    pub(super) fn let_go(&mut self, to: &mut Exchanges<'_>) {
        if matches!(&self.spoken, Spoken::Undecided(said) if said.is_empty()) {
            return;
        }
        self.decide(true, to);
        match &mut self.spoken {
            Spoken::Http1(http) => {
                http.connection.finish();
                let raw = http.connection.is_raw();
                self.hand_over(to);
                if let Spoken::Http1(http) = &mut self.spoken {
                    match &mut http.inside {
                        Some(inside) => inside.let_go(to),
                        None if raw => {}
                        None => http.resume(),
                    }
                }
            }
            Spoken::Http2(http) => http.let_go(to),
            Spoken::Tls(tls) => tls.let_go(to),
            Spoken::Undecided(_) | Spoken::Other => {}
        }
    }

    /// Nothing more will be said.
    pub(super) fn finish(mut self, to: &mut Exchanges<'_>) {
        self.decide(true, to);
        if let Some(pair) = self.upgraded.take() {
            to.pair(&self.place, *pair);
        }
        match self.spoken {
            Spoken::Http1(mut http) => {
                http.connection.finish();
                while let Some(pair) = http.connection.next_raw() {
                    to.raw(&self.place, pair);
                }
                if let Some(pair) = http.upgraded {
                    to.pair(&self.place, *pair);
                }
                if let Some(inside) = http.inside {
                    inside.finish(to);
                }
            }
            Spoken::Http2(http) => http.finish(to),
            Spoken::Tls(tls) => tls.finish(to),
            Spoken::Undecided(_) | Spoken::Other => {}
        }
    }

    fn hand_over(&mut self, to: &mut Exchanges<'_>) {
        if let Spoken::Http1(http) = &mut self.spoken {
            while let Some(pair) = http.connection.next_raw() {
                if pair.response.as_ref().and_then(Raw::status) != Some(101) {
                    to.raw(&self.place, pair);
                    continue;
                }
                let pair = pair.read();
                if agrees_on_http2(&pair) {
                    http.upgraded = Some(Box::new(pair));
                } else {
                    to.pair(&self.place, pair);
                }
            }
        }
    }

    /// Finds what is spoken by what was said so far; `last` says that no more will come.
    fn decide(&mut self, last: bool, to: &mut Exchanges<'_>) {
        let Spoken::Undecided(said) = &mut self.spoken else { return };
        let mut fronts = [front(said, Direction::ToServer), front(said, Direction::ToClient)];
        match proxied::preamble(&fronts[0]) {
            Preamble::None => {}
            Preamble::Incomplete if !last => return,
            Preamble::Incomplete => {}
            Preamble::Whole(len, client) => {
                drop_front(said, len);
                if let Some(client) = client {
                    Rc::make_mut(&mut self.place).client = client;
                }
                fronts[0] = front(said, Direction::ToServer);
            }
        }
        if fronts.iter().any(|f| proxied::is_sip(f)) {
            let what = format!(
                "{} speaks SIP (telephony, RFC 3261), whose 401 is not HTTP's: it is not explained",
                self.place.server
            );
            to.problem(Span::new(to.source(), 0, 0), &what);
            self.spoken = Spoken::Other;
            return;
        }
        let Some(protocol) = protocol(&fronts[0], &fronts[1], last) else { return };
        let said = std::mem::take(said);
        let place = Place::clone(&self.place);
        self.spoken = match protocol {
            Protocol::Tls => Spoken::Tls(Box::new(Secure::new(place, self.depth))),
            Protocol::Http2 => {
                let upgraded = self.upgraded.take().and_then(|pair| pair.request);
                Spoken::Http2(Box::new(Http2::new(place, upgraded)))
            }
            Protocol::Http1 => Spoken::Http1(Box::default()),
        };
        for said in said {
            match said {
                Said::Bytes(direction, bytes, origin, at) => self.bytes(direction, &bytes, origin, at, to),
                Said::Gap(direction, len) => self.gap(direction, len, to),
                Said::End(direction) => self.end(direction, to),
            }
        }
    }
}

/// As many bytes of the front of a direction as any decision takes.
fn front(said: &[Said], of: Direction) -> Vec<u8> {
    const ENOUGH: usize = 4096;
    let mut front = Vec::new();
    for said in said {
        match said {
            Said::Bytes(direction, bytes, ..) if *direction == of && front.len() < ENOUGH => {
                front.extend_from_slice(bytes);
            }
            Said::Gap(direction, _) if *direction == of && !front.is_empty() => break,
            _ => {}
        }
    }
    front
}

/// Takes the first `len` bytes that the client said away.
fn drop_front(said: &mut [Said], mut len: usize) {
    for said in said {
        if let Said::Bytes(Direction::ToServer, bytes, origin, _) = said {
            let n = len.min(bytes.len());
            bytes.drain(..n);
            origin.start += n as u64;
            len -= n;
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Tls,
    Http2,
    /// Also what is none of them: the reader of HTTP/1 finds messages among anything.
    Http1,
}

/// What a conversation begins with; `None` if more has to be seen.
fn protocol(client: &[u8], server: &[u8], last: bool) -> Option<Protocol> {
    let is_record = |b: &[u8]| matches!(b, [20..=24, 3, 0..=4, ..]);
    let may_be_one = |b: &[u8]| b.len() < 3 && b.first().is_some_and(|c| (20..=24).contains(c));
    if is_record(client) || is_record(server) {
        return Some(Protocol::Tls);
    }
    let http2 = why401_h2::is_front(client, server);
    if http2 == Some(true) {
        return Some(Protocol::Http2);
    }
    let nothing = client.is_empty() && server.is_empty();
    let more = nothing || may_be_one(client) || may_be_one(server) || http2.is_none();
    (last || !more).then_some(Protocol::Http1)
}

/// Whether the answer agrees to go on in HTTP/2 (RFC 7540, section 3.2).
fn agrees_on_http2(pair: &Pair) -> bool {
    let answer = pair.response.as_ref().map(|m| &m.message).filter(|r| r.status == 101);
    answer.and_then(|r| r.fields.text("upgrade")).is_some_and(|u| u.trim().eq_ignore_ascii_case("h2c"))
}

fn side(direction: Direction) -> Side {
    match direction {
        Direction::ToServer => Side::Client,
        Direction::ToClient => Side::Server,
    }
}
