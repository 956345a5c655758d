//! Packet captures: the connections of a capture to exchanges.

mod conversation;
mod exchanges;
mod halves;
mod held;
mod http2;
mod http3;
mod kerberos;
mod live;
mod plain;
mod proxied;
mod quic;
mod secure;
mod streams;
mod unread;

use crate::{Format, Input, Sink};
use conversation::Conversation;
use exchanges::{Exchanges, Place, moment};
use held::{ByNumber, Held, One, Weight};
use quic::Quic;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use why401_capture::{ConnectionId, Counts, Data, Datagram, Direction, End, Endpoints, Gap, Time, detect};
use why401_http::Peer;
use why401_report::Problem;
use why401_span::{Derived, SourceId, Span};
use why401_tls::KeyLog;

pub use halves::{Heard, Hearing, Packets, listen};
pub use live::Live;
pub use why401_capture::Told;

/// `pcap`, as tcpdump writes it, also compressed.
pub const PCAP: Format = Format { name: "pcap", fits: |head| fits(head, "pcap"), read };
/// `pcapng`, as Wireshark writes it, also compressed.
pub const PCAPNG: Format = Format { name: "pcapng", fits: |head| fits(head, "pcapng"), read };

/// Whether these first bytes are those of a capture that is not compressed.
pub(crate) fn begins(head: &[u8]) -> bool {
    matches!(detect(head), Some((None, _)))
}

/// Which format of a capture these first bytes begin, compressed or not.
pub fn format_of(head: &[u8]) -> Option<&'static str> {
    detect(head).map(|(_, format)| format)
}

fn fits(head: &[u8], name: &str) -> u8 {
    let found = detect(head).is_some_and(|(_, format)| format == name);
    if found { 100 } else { 0 }
}

fn read(input: Input<'_>, sink: &mut dyn Sink) -> io::Result<()> {
    let mut packets = Packets::new(input.source, input.bytes.fill_buf()?, sink);
    let mut to = Conversations::new(input.source, sink, input.keys);
    loop {
        let bytes = match input.bytes.fill_buf() {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        if bytes.is_empty() {
            break;
        }
        let n = bytes.len();
        packets.0.feed(bytes, &mut to);
        input.bytes.consume(n);
    }
    packets.0.finish(&mut to);
    to.finish(&packets.0.problems(), packets.0.counts());
    Ok(())
}

/// What there is where nothing was said on any connection: a flood of SYNs, a scan, a server that is down.
fn silence(counts: Counts) -> Option<String> {
    let Counts { connections, answered, .. } = counts;
    match answered {
        _ if connections == 0 => None,
        0 => Some(format!(
            "it holds {connections} attempts to connect by TCP and no answer to any, so no HTTP was spoken: the server is down, a \
             firewall drops what it is sent, or this is a flood"
        )),
        _ => Some(format!(
            "it holds {connections} TCP connections, {answered} of them answered, and not one byte said on any, so no HTTP was spoken"
        )),
    }
}

/// The connections of a capture, each with what is spoken on it.
struct Conversations<'a> {
    exchanges: Exchanges<'a>,
    connections: HashMap<ConnectionId, Spoken, ByNumber>,
    held: Held,
    quic: Quic,
    /// Whether anything was said on a connection, or not all of it was captured.
    said: bool,
    /// How many connections were given up while they were open.
    given_up: u64,
}

/// What is spoken on a connection.
enum Spoken {
    /// Nothing was said yet.
    Begun(Ends),
    Said(Box<Conversation>, One),
    /// What was said was let go of.
    LetGo(Ends),
    /// The same, where something in front of the client said who that is.
    LetGoBehind(Box<Place>),
    /// No more is read of it.
    GivenUp,
    /// Answers of a KDC to this client.
    Kdc(Box<Kdc>, One),
}

/// A client of a KDC, and what it is answered.
struct Kdc {
    client: Peer,
    answers: kerberos::Answers,
}

/// The ends of a connection. On very many nothing is ever said, so each takes little memory, and none of its own: IPv4 as
/// mapped into IPv6, with the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends {
    client: ([u8; 16], u16),
    server: ([u8; 16], u16),
}

impl Ends {
    fn new(client: SocketAddr, server: SocketAddr) -> Self {
        let packed = |address: SocketAddr| {
            let ip = match address.ip() {
                IpAddr::V4(ip) => ip.to_ipv6_mapped(),
                IpAddr::V6(ip) => ip,
            };
            (ip.octets(), address.port())
        };
        Ends { client: packed(client), server: packed(server) }
    }

    fn place(self, id: ConnectionId) -> Place {
        let unpacked = |(ip, port)| peer(SocketAddr::new(Ipv6Addr::from_octets(ip).to_canonical(), port));
        let (client, server) = (unpacked(self.client), unpacked(self.server));
        Place { connection: id.0, client, server, encrypted: false }
    }
}

fn peer(address: SocketAddr) -> Peer {
    Peer { host: address.ip().to_string(), port: Some(address.port()) }
}

impl<'a> Conversations<'a> {
    fn new(source: SourceId, sink: &'a mut dyn Sink, keys: &[Arc<KeyLog>]) -> Self {
        Conversations {
            exchanges: Exchanges::new(source, sink, KeyLog::over(keys)),
            connections: HashMap::default(),
            held: Held::default(),
            quic: Quic::default(),
            said: false,
            given_up: 0,
        }
    }

    /// Nothing more is said; this is what could not be read of the packets, and what there was.
    fn finish(mut self, packets: &[why401_capture::Problem], counts: Counts) {
        self.quic.finish(&mut self.exchanges);
        if let Some(what) = silence(counts).filter(|_| !self.said) {
            self.exchanges.problem(Span::new(self.exchanges.source(), 0, 0), &what);
        }
        let keys = self.exchanges.keys.let_go();
        if keys > 0 {
            let what = format!(
                "of the keys those of {keys} connections are not kept in memory, the first ones of the key log: where connections \
                 lack them, give only the part of the key log that was written while this was captured"
            );
            self.exchanges.problem(Span::new(self.exchanges.source(), 0, 0), &what);
        }
        let given_up = self.given_up;
        let (sink, unread) = self.exchanges.finish();
        if given_up > 0 {
            let what = format!(
                "{given_up} connections were given up, the longest silent first, as more is open in TLS, in HTTP/2 or through tunnels at \
                 one time than is kept in memory"
            );
            sink.problem(Problem { offset: 0, line: None, what });
        }
        unread.into_iter().for_each(|problem| sink.problem(problem));
        for problem in packets {
            let times = if problem.count > 1 { format!(" ({} times)", problem.count) } else { String::new() };
            let what = format!("{}{times}", problem.what);
            sink.problem(Problem { offset: problem.offset, line: None, what });
        }
    }

    /// What is said on a connection, begun with this.
    fn conversation(
        &mut self,
        id: ConnectionId,
    ) -> Option<(&mut Conversation, &mut One, &mut Exchanges<'a>, &mut Held)> {
        let spoken = self.connections.get_mut(&id)?;
        let begun = match spoken {
            Spoken::Begun(ends) => Some(Conversation::new(ends.place(id), 0)),
            Spoken::LetGo(ends) => Some(Conversation::resumed(ends.place(id))),
            Spoken::LetGoBehind(place) => Some(Conversation::resumed(Place::clone(place))),
            _ => None,
        };
        if let Some(conversation) = begun {
            *spoken = Spoken::Said(Box::new(conversation), One::default());
        }
        match spoken {
            Spoken::Said(conversation, one) => Some((conversation, one, &mut self.exchanges, &mut self.held)),
            _ => None,
        }
    }

    /// Where more is held than the limit allows, the longest silent conversations let go.
    fn let_go(&mut self, at: Span) {
        let what = "more is said at one time than is kept in memory; the longest silent messages end early";
        self.exchanges.problem(at, what);
        for id in Held::longest_silent(self.connections.iter().filter_map(one), One::said_bytes) {
            let Some(spoken) = self.connections.get_mut(&id) else { continue };
            let (conversation, one) = match spoken {
                Spoken::Said(conversation, one) => (conversation, one),
                Spoken::Kdc(kdc, one) => {
                    kdc.answers.gap();
                    self.held.over(one);
                    continue;
                }
                _ => continue,
            };
            conversation.let_go(&mut self.exchanges);
            let place = conversation.place();
            let spent = conversation.is_spent().then(|| match by_address(place) {
                Some(ends) => Spoken::LetGo(ends),
                None => Spoken::LetGoBehind(Box::new(place.clone())),
            });
            match spent {
                Some(spent) => {
                    self.held.over(one);
                    *spoken = spent;
                }
                None => self.held.holds(one, conversation.weight()),
            }
        }
    }

    /// Where more is held than the limit allows that cannot be let go of, the longest silent connections are read no
    /// further.
    fn give_up(&mut self) {
        for id in Held::longest_silent(self.connections.iter().filter_map(one), One::rest) {
            let Some(spoken) = self.connections.get_mut(&id) else { continue };
            if let Spoken::Said(conversation, mut one) = std::mem::replace(spoken, Spoken::GivenUp) {
                self.held.over(&mut one);
                self.given_up += 1;
                conversation.finish(&mut self.exchanges);
            }
        }
    }
}

/// What a connection holds on which something was said.
fn one((id, spoken): (&ConnectionId, &Spoken)) -> Option<(ConnectionId, One)> {
    match spoken {
        Spoken::Said(_, one) | Spoken::Kdc(_, one) => Some((*id, *one)),
        _ => None,
    }
}

/// The ends of a connection that are told by their addresses.
fn by_address(place: &Place) -> Option<Ends> {
    let address = |peer: &Peer| Some(SocketAddr::new(peer.host.parse().ok()?, peer.port?));
    let ends = Ends::new(address(&place.client)?, address(&place.server)?);
    let there = ends.place(ConnectionId(place.connection));
    let same = there.client == place.client && there.server == place.server;
    same.then_some(ends).filter(|_| !place.encrypted)
}

impl why401_capture::Sink for Conversations<'_> {
    fn open(&mut self, id: ConnectionId, endpoints: &Endpoints) {
        let spoken = match endpoints.server.port() {
            kerberos::PORT => {
                let kdc = Kdc { client: peer(endpoints.client), answers: kerberos::Answers::default() };
                Spoken::Kdc(Box::new(kdc), One::default())
            }
            _ => Spoken::Begun(Ends::new(endpoints.client, endpoints.server)),
        };
        self.connections.insert(id, spoken);
    }

    fn data(&mut self, id: ConnectionId, direction: Direction, data: Data<'_>) {
        self.said = true;
        let time = data.time.and_then(moment);
        if let Some((conversation, one, exchanges, held)) = self.conversation(id) {
            conversation.bytes(direction, data.bytes, data.span, time, exchanges);
            held.said(one, conversation.weight());
        } else if let (Some(Spoken::Kdc(kdc, one)), Direction::ToClient) =
            (self.connections.get_mut(&id), direction)
        {
            for message in kdc.answers.push(data.bytes, data.span) {
                self.exchanges.kdc(&message, time, kdc.client.clone());
            }
            self.held.said(one, Weight { said: kdc.answers.footprint(), rest: 0 });
        }
        if self.held.too_much() {
            self.let_go(data.span);
        }
        if self.held.too_many() {
            self.give_up();
        }
    }

    fn gap(&mut self, id: ConnectionId, direction: Direction, gap: Gap) {
        self.said = true;
        if let Some((conversation, one, exchanges, held)) = self.conversation(id) {
            conversation.gap(direction, gap.len, exchanges);
            held.said(one, conversation.weight());
        } else if let (Some(Spoken::Kdc(kdc, one)), Direction::ToClient) =
            (self.connections.get_mut(&id), direction)
        {
            kdc.answers.gap();
            self.held.over(one);
        }
    }

    fn finished(&mut self, id: ConnectionId, direction: Direction, _: Option<Time>) {
        if let Some(Spoken::Said(conversation, one)) = self.connections.get_mut(&id) {
            conversation.end(direction, &mut self.exchanges);
            self.held.said(one, conversation.weight());
        }
    }

    fn datagram(&mut self, d: Datagram<'_>) {
        if d.from.port() == kerberos::PORT {
            let message = match d.fragmented {
                false => Derived::exact(d.bytes, d.span),
                true => Derived::enclosed(d.bytes, d.span),
            };
            self.exchanges.kdc(&message, d.time.and_then(moment), peer(d.to));
        } else if d.bytes.starts_with(b"SIP/2.0 401") || d.bytes.starts_with(b"SIP/2.0 407") {
            let what = format!(
                "{} speaks SIP (telephony, RFC 3261), whose 401 is not HTTP's: it is not explained",
                d.from
            );
            self.exchanges.problem(d.span, &what);
        } else {
            self.quic.datagram(&d, &mut self.exchanges);
        }
    }

    fn tls_keys(&mut self, lines: &[u8]) {
        Rc::make_mut(&mut self.exchanges.keys).add(lines);
    }

    fn close(&mut self, id: ConnectionId, _: End, _: Option<Time>) {
        match self.connections.remove(&id) {
            Some(Spoken::Said(conversation, mut one)) => {
                self.held.over(&mut one);
                conversation.finish(&mut self.exchanges);
            }
            Some(Spoken::Kdc(_, mut one)) => self.held.over(&mut one),
            _ => {}
        }
    }
}
