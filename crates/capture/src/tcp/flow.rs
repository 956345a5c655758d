//! One connection: its two halves, and who is the client.

use super::half::{Half, Out};
use super::history::History;
use crate::limits::Limits;
use crate::problem::Problems;
use crate::sink::{ConnectionId, Data, Direction, End, Endpoints, Gap, Sink, Time};
use std::cmp::Ordering;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use why401_span::Span;

/// The addresses of a connection, the same for both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// The addresses, and then the ports, so that nothing stands between them.
    ips: [[u64; 2]; 2],
    ports: [u16; 2],
}

/// An address and a port in the fewest words, since every packet is looked up by them; IPv4 as mapped into IPv6.
fn packed(s: SocketAddr) -> ([u64; 2], u16) {
    let ip = match s.ip() {
        IpAddr::V4(ip) => 0xffff_0000_0000 | u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    ([(ip >> 64) as u64, ip as u64], s.port())
}

fn unpacked([high, low]: [u64; 2], port: u16) -> SocketAddr {
    let ip = u128::from(high) << 64 | u128::from(low);
    SocketAddr::new(Ipv6Addr::from_bits(ip).to_canonical(), port)
}

/// The end of a connection that stands first in its [`Key`], or the other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    A,
    B,
}

impl Side {
    pub(crate) fn other(self) -> Side {
        match self {
            Side::A => Side::B,
            Side::B => Side::A,
        }
    }
}

impl Key {
    /// The key of a segment's connection, and the side that sent it.
    pub(crate) fn of(from: SocketAddr, to: SocketAddr) -> (Key, Side) {
        let (from, to) = (packed(from), packed(to));
        let (a, b, side) = if from <= to { (from, to, Side::A) } else { (to, from, Side::B) };
        (Key { ips: [a.0, b.0], ports: [a.1, b.1] }, side)
    }

    fn address(&self, side: Side) -> SocketAddr {
        let ([a, b], [port_a, port_b]) = (self.ips, self.ports);
        if side == Side::A { unpacked(a, port_a) } else { unpacked(b, port_b) }
    }
}

/// Who takes part in a connection, as far as it is known.
#[derive(Debug)]
pub(crate) struct Who {
    pub(crate) id: ConnectionId,
    pub(crate) key: Key,
    pub(crate) start: Option<Time>,
    /// Who opened it, told by a SYN, or decided when the connection was handed over.
    pub(crate) client: Option<Side>,
    pub(crate) from_start: bool,
    /// The sender of the first packet seen.
    pub(crate) first: Side,
    /// The sink knows of it.
    pub(crate) open: bool,
}

impl Who {
    /// Tells the sink of the connection; `bytes` from `side` are the first ones to be handed over.
    fn open<S: Sink + ?Sized>(&mut self, sink: &mut S, side: Side, bytes: &[u8]) {
        if self.open {
            return;
        }
        // The lower port is the server's, as those that are assigned are below those taken at random.
        let [port_a, port_b] = self.key.ports;
        let by_port = match port_a.cmp(&port_b) {
            Ordering::Greater => Side::A,
            Ordering::Less => Side::B,
            Ordering::Equal => self.first,
        };
        let client = self.client.or_else(|| client_by_content(side, bytes)).unwrap_or(by_port);
        (self.client, self.open) = (Some(client), true);
        let endpoints = Endpoints {
            client: self.key.address(client),
            server: self.key.address(client.other()),
            start: self.start,
            from_start: self.from_start,
        };
        sink.open(self.id, &endpoints);
    }

    fn direction(&self, sender: Side) -> Direction {
        if self.client == Some(sender) { Direction::ToServer } else { Direction::ToClient }
    }
}

/// What only a client or only a server begins with, of HTTP and TLS.
fn client_by_content(sender: Side, bytes: &[u8]) -> Option<Side> {
    const REQUESTS: [&[u8]; 10] = [
        b"GET ",
        b"POST ",
        b"PUT ",
        b"HEAD ",
        b"OPTIONS ",
        b"DELETE ",
        b"PATCH ",
        b"CONNECT ",
        b"PROPFIND ",
        b"PRI * HTTP/2",
    ];
    let hello = match bytes {
        [22, 3, _, _, _, kind, ..] => Some(*kind),
        _ => None,
    };
    if REQUESTS.iter().any(|r| bytes.starts_with(r)) || hello == Some(1) {
        Some(sender)
    } else if bytes.starts_with(b"HTTP/1.") || hello == Some(2) {
        Some(sender.other())
    } else {
        None
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) who: Who,
    pub(crate) last: Option<Time>,
    /// What side A sent, and what side B sent.
    pub(crate) halves: [Half; 2],
    pub(crate) reset: Option<Side>,
    /// Both sides have sent something.
    pub(crate) answered: bool,
    /// The sink was told of its end; it is kept so that stragglers are known as such.
    pub(crate) closed: bool,
    /// Neighbours in the order of last use: the one used before, and the one used after.
    pub(crate) older: u32,
    pub(crate) newer: u32,
}

impl Flow {
    /// The half that `side` sends, the other one, and who they are.
    pub(crate) fn split(&mut self, side: Side) -> (&mut Half, &mut Half, &mut Who) {
        let [a, b] = &mut self.halves;
        let (mine, other) = if side == Side::A { (a, b) } else { (b, a) };
        (mine, other, &mut self.who)
    }

    /// Hands over what is in order, and gives up what is not worth waiting for at this time; all if there is none.
    pub(crate) fn settle<S: Sink + ?Sized>(
        &mut self,
        now: Option<Option<Time>>,
        kept: &mut Kept<'_>,
        sink: &mut S,
    ) {
        loop {
            let mut any = false;
            for side in [Side::A, Side::B] {
                let (half, other, who) = self.split(side);
                any |= half.drain(other, &mut kept.out(sink, who, side));
            }
            if any {
                continue;
            }
            // Of two halves that wait, the one that has waited longer is helped first.
            let [a, b] = &self.halves;
            let side = match (a.waits_since(), b.waits_since()) {
                (None, None) => return,
                (Some(_), None) => Side::A,
                (None, Some(_)) => Side::B,
                (Some(a), Some(b)) if a <= b => Side::A,
                _ => Side::B,
            };
            let mut helped = false;
            for side in [side, side.other()] {
                let (half, other, who) = self.split(side);
                let Some(since) = half.waits_since() else { continue };
                let waited = match (now.flatten(), since) {
                    (Some(Time(now)), Some(Time(since))) => now.saturating_sub(since).max(0) as u64,
                    _ => 0,
                };
                let too_much =
                    half.cost() > kept.limits.waiting_per_stream || *kept.waiting > kept.limits.waiting;
                if too_much && now.is_some() {
                    let at = kept.base.start;
                    kept.problems
                        .add(at, "missing bytes of a stream were not waited for, for the limit of memory");
                }
                let force = too_much || now.is_none();
                if force || kept.limits.patience.is_some_and(|p| waited >= p) {
                    helped = half.give_up(other, force, &mut kept.out(sink, who, side));
                }
                if helped {
                    break;
                }
            }
            if !helped {
                return;
            }
        }
    }

    /// Hands over what waits, and tells the sink that nothing more will come.
    pub(crate) fn close<S: Sink + ?Sized>(&mut self, evicted: bool, state: &mut Kept<'_>, sink: &mut S) {
        if self.closed {
            return;
        }
        self.settle(None, state, sink);
        for side in [self.who.first, self.who.first.other()] {
            let (half, other, who) = self.split(side);
            half.finish(&mut state.out(sink, who, side));
            half.drain(other, &mut state.out(sink, who, side));
        }
        let first = self.who.first;
        self.who.open(sink, first, &[]);
        let end = match self.reset {
            _ if self.halves.iter().all(|h| h.finished) => End::Fin,
            Some(side) => End::Reset(self.who.direction(side)),
            None if evicted => End::Evicted,
            None => End::Open,
        };
        sink.close(self.who.id, end, self.last);
        self.closed = true;
    }
}

/// What connections share.
pub(crate) struct Kept<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) problems: &'a mut Problems,
    /// Bytes that wait in all streams together.
    pub(crate) waiting: &'a mut usize,
    pub(crate) history: &'a mut History,
    pub(crate) base: Span,
}

impl Kept<'_> {
    pub(crate) fn out<'b, S: ?Sized>(
        &'b mut self,
        sink: &'b mut S,
        who: &'b mut Who,
        side: Side,
    ) -> Out<'b, S> {
        let Kept { problems, waiting, history, base, .. } = self;
        Out { sink, problems, waiting, history, base: *base, who, side }
    }
}

impl<S: Sink + ?Sized> Out<'_, S> {
    pub(crate) fn data(&mut self, data: Data<'_>) {
        self.who.open(self.sink, self.side, data.bytes);
        self.sink.data(self.who.id, self.who.direction(self.side), data);
    }

    pub(crate) fn gap(&mut self, gap: Gap) {
        self.who.open(self.sink, self.side, &[]);
        self.sink.gap(self.who.id, self.who.direction(self.side), gap);
    }

    pub(crate) fn finished(&mut self, time: Option<Time>) {
        self.who.open(self.sink, self.side, &[]);
        self.sink.finished(self.who.id, self.who.direction(self.side), time);
    }
}
