//! Which connection of QUIC a datagram belongs to.
//!
//! By its two addresses first; where a client's address changes (RFC 9000, section 9), by the ID that it sends to.

use super::exchanges::{Exchanges, Place};
use super::held::{ByNumber, Held, One};
use super::http3::Http3;
use super::peer;
use super::unread::Protocol;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use why401_capture::{ConnectionId, Datagram};
use why401_span::Span;
use why401_tls::{QuicConnection, QuicDestination, Side, is_quic_initial, quic_destination};

/// The port that HTTP/3 has where nothing else was agreed on (RFC 9114, section 3.1).
const HTTPS: u16 = 443;
/// So many connections are followed at one time.
const MOST: usize = 2048;
/// More addresses and IDs of one connection are not told apart.
const MOST_NAMES: usize = 64;
/// Shorter IDs may be met by chance where they do not belong.
const SHORTEST_ID: usize = 4;
const LONGEST_ID: usize = 20;
/// The numbers of these connections begin here, beyond those of TCP.
const FIRST: u64 = 1 << 40;

/// From whom to whom.
type Path = (SocketAddr, SocketAddr);

/// The QUIC connections that were met.
#[derive(Debug, Default)]
pub(super) struct Quic {
    open: HashMap<u64, Open, ByNumber>,
    /// The connections between two addresses and who sends from the first of them, the latest last.
    paths: HashMap<Path, Vec<(u64, Side)>>,
    /// The connections by the IDs that one side gave the other to send to.
    ids: HashMap<Vec<u8>, (u64, Side)>,
    held: Held,
    begun: u64,
    let_go: u64,
    /// Where something began that could not be read, not even the name that the client asked for.
    unnamed: BTreeMap<Path, Span>,
}

#[derive(Debug)]
struct Open {
    http3: Box<Http3>,
    one: One,
    paths: Vec<Path>,
    ids: Vec<Vec<u8>>,
}

impl Quic {
    /// Takes a datagram in, whatever it carries.
    pub(super) fn datagram(&mut self, d: &Datagram<'_>, to: &mut Exchanges<'_>) {
        let Some(destination) = quic_destination(d.bytes) else { return };
        let path = (d.from, d.to);
        let (number, from) = match self.on_path(path, destination) {
            Some(known) => known,
            None if is_quic_initial(d.bytes) => match self.begin(path, d, to) {
                Some(number) => (number, Side::Client),
                None => return,
            },
            None => match self.by_id(destination) {
                Some(known) => known,
                None => return,
            },
        };
        self.hand_over(number, from, d, to);
    }

    /// The connection on a path that a datagram is for.
    fn on_path(&self, path: Path, destination: QuicDestination<'_>) -> Option<(u64, Side)> {
        let known = self.paths.get(&path)?;
        let quic = |number: &u64| self.open.get(number).map(|open| open.http3.quic());
        let is_for = |(number, from): &&(u64, Side)| {
            quic(number).is_some_and(|quic| quic.is_for(other(*from), destination))
        };
        if let Some(found) = known.iter().rev().find(is_for) {
            return Some(*found);
        }
        let latest = known.last().copied();
        match destination {
            QuicDestination::Front(_) | QuicDestination::Id([]) => latest,
            // A client begins once more, behind a Retry packet or a silence; else it begins another connection.
            QuicDestination::Id(_) => latest.filter(|(number, from)| {
                *from == Side::Server || quic(number).is_some_and(QuicConnection::is_unanswered)
            }),
        }
    }

    /// The connection that gave this ID away, wherever the datagram comes from.
    fn by_id(&self, destination: QuicDestination<'_>) -> Option<(u64, Side)> {
        if self.ids.is_empty() {
            return None;
        }
        let found = match destination {
            QuicDestination::Id(id) => self.ids.get(id),
            QuicDestination::Front(front) => {
                (SHORTEST_ID..=LONGEST_ID).find_map(|len| self.ids.get(front.get(..len)?))
            }
        };
        found.map(|(number, of)| (*number, other(*of)))
    }

    fn begin(&mut self, path: Path, d: &Datagram<'_>, to: &mut Exchanges<'_>) -> Option<u64> {
        let Some(quic) = QuicConnection::begun_by(d.bytes) else {
            let known = self.paths.contains_key(&path);
            if d.to.port() == HTTPS && !known && self.unnamed.len() < MOST {
                self.unnamed.entry(path).or_insert(d.span);
            }
            return None;
        };
        if self.open.len() >= MOST {
            self.make_room(to);
        }
        self.unnamed.remove(&path);
        let number = FIRST + self.begun;
        self.begun += 1;
        let (client, server) = (peer(d.from), peer(d.to));
        let place = Place { connection: number, client, server, encrypted: true };
        let http3 = Box::new(Http3::new(place, quic, d));
        let open = Open { http3, one: One::default(), paths: Vec::new(), ids: Vec::new() };
        self.open.insert(number, open);
        self.learn_path(number, path, Side::Client);
        Some(number)
    }

    fn learn_path(&mut self, number: u64, path: Path, from: Side) {
        let Some(open) = self.open.get_mut(&number) else { return };
        if open.paths.len() >= MOST_NAMES || open.paths.contains(&path) {
            return;
        }
        for (path, from) in [(path, from), ((path.1, path.0), other(from))] {
            open.paths.push(path);
            self.paths.entry(path).or_default().push((number, from));
        }
    }

    fn hand_over(&mut self, number: u64, from: Side, d: &Datagram<'_>, to: &mut Exchanges<'_>) {
        let Some(open) = self.open.get_mut(&number) else { return };
        let read = open.http3.datagram(from, d, to);
        self.held.said(&mut open.one, open.http3.weight());
        for (of, id) in open.http3.quic_mut().new_ids() {
            if id.len() >= SHORTEST_ID && open.ids.len() < MOST_NAMES {
                self.ids.insert(id.clone(), (number, of));
                open.ids.push(id);
            }
        }
        if read {
            self.learn_path(number, (d.from, d.to), from);
        }
        if self.held.too_much() {
            let what = "more is said over HTTP/3 at one time than is kept in memory; the longest silent messages end early";
            to.problem(d.span, what);
            for number in self.longest_silent(One::said_bytes) {
                if let Some(open) = self.open.get_mut(&number) {
                    open.http3.let_go(to);
                    self.held.holds(&mut open.one, open.http3.weight());
                }
            }
        }
        if self.held.too_many() {
            self.make_room(to);
        }
    }

    fn longest_silent(&self, holds: impl Fn(&One) -> usize) -> Vec<u64> {
        let all = self.open.iter().map(|(number, open)| (ConnectionId(*number), open.one));
        Held::longest_silent(all, holds).into_iter().map(|id| id.0).collect()
    }

    /// Lets go of the connections that have been silent longest.
    fn make_room(&mut self, to: &mut Exchanges<'_>) {
        for number in self.longest_silent(One::rest) {
            self.let_go += 1;
            self.close(number, to);
        }
    }

    fn close(&mut self, number: u64, to: &mut Exchanges<'_>) {
        let Some(mut open) = self.open.remove(&number) else { return };
        self.held.over(&mut open.one);
        for path in open.paths {
            if let Some(known) = self.paths.get_mut(&path) {
                known.retain(|(n, _)| *n != number);
                if known.is_empty() {
                    self.paths.remove(&path);
                }
            }
        }
        for id in open.ids {
            if self.ids.get(&id).is_some_and(|(n, _)| *n == number) {
                self.ids.remove(&id);
            }
        }
        open.http3.finish(to);
    }

    /// Nothing more will come.
    pub(super) fn finish(&mut self, to: &mut Exchanges<'_>) {
        let mut all: Vec<u64> = self.open.keys().copied().collect();
        all.sort_unstable();
        all.into_iter().for_each(|number| self.close(number, to));
        for ((_, server), begun) in std::mem::take(&mut self.unnamed) {
            let why = "its first packets are not whole in the capture".to_owned();
            to.unread(Protocol::Http3, server.to_string(), why, begun, false);
        }
        if self.let_go > 0 {
            let what = format!(
                "{} connections of HTTP/3 were let go of, those that had been silent longest: no more than {MOST}, and no \
                 more of them than is kept in memory, are followed at one time",
                self.let_go
            );
            to.problem(Span::new(to.source(), 0, 0), &what);
        }
    }
}

fn other(side: Side) -> Side {
    match side {
        Side::Client => Side::Server,
        Side::Server => Side::Client,
    }
}
