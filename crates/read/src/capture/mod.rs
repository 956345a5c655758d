//! Packet captures: the connections of a capture to exchanges.

mod conversation;
mod exchanges;
mod held;
mod http2;
mod kerberos;
mod live;
mod proxied;
mod secure;

use crate::{Format, Input, Sink};
use conversation::Conversation;
use exchanges::{Exchanges, Place, moment};
use held::Held;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use why401_capture::{
    ConnectionId, Data, Datagram, Direction, End, Endpoints, Gap, Limits, Reader, Time, detect,
};
use why401_http::Peer;
use why401_report::Problem;
use why401_span::Derived;
use why401_tls::KeyLog;

pub use live::Live;

/// `pcap`, as tcpdump writes it, also compressed.
pub const PCAP: Format = Format { name: "pcap", fits: |head| fits(head, "pcap"), read };
/// `pcapng`, as Wireshark writes it, also compressed.
pub const PCAPNG: Format = Format { name: "pcapng", fits: |head| fits(head, "pcapng"), read };

fn fits(head: &[u8], name: &str) -> u8 {
    let found = detect(head).is_some_and(|(_, format)| format == name);
    if found { 100 } else { 0 }
}

fn read(input: Input<'_>, sink: &mut dyn Sink) -> io::Result<()> {
    let mut reader = Reader::new(input.source, Limits::default());
    let compressed = detect(input.bytes.fill_buf()?).and_then(|(compression, _)| compression);
    if compressed.is_some() {
        reader = reader.contents(sink.layer("decompressed".into()));
    }
    let mut keys = KeyLog::default();
    for text in input.keys {
        keys.add(text);
    }
    let exchanges = Exchanges::new(input.source, sink, keys);
    let mut to = Conversations {
        exchanges,
        open: HashMap::new(),
        begun: HashMap::new(),
        kdc: HashMap::new(),
        held: Held::default(),
    };
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
        reader.feed(bytes, &mut to);
        input.bytes.consume(n);
    }
    reader.finish(&mut to);
    for problem in reader.problems() {
        let times = if problem.count > 1 { format!(" ({} times)", problem.count) } else { String::new() };
        let what = format!("{}{times}", problem.what);
        sink.problem(Problem { offset: problem.offset, line: None, what });
    }
    Ok(())
}

/// The connections of a capture, each with what is spoken on it.
struct Conversations<'a> {
    exchanges: Exchanges<'a>,
    /// Connections on which something was said.
    open: HashMap<ConnectionId, Conversation>,
    /// Connections on which nothing was said yet.
    begun: HashMap<ConnectionId, Place>,
    /// Answers of a KDC.
    kdc: HashMap<ConnectionId, (Peer, kerberos::Answers)>,
    held: Held,
}

const HTTPS: u16 = 443;

/// RFC 9000, section 17.2.2: the first packet of a connection of version 1.
fn is_quic_initial(bytes: &[u8]) -> bool {
    matches!(bytes, [0xc0..=0xcf, 0, 0, 0, 1, ..])
}

fn peer(address: SocketAddr) -> Peer {
    Peer { host: address.ip().to_string(), port: Some(address.port()) }
}

impl<'a> Conversations<'a> {
    fn conversation(&mut self, id: ConnectionId) -> Option<(&mut Conversation, &mut Exchanges<'a>)> {
        if let Some(place) = self.begun.remove(&id) {
            self.open.insert(id, Conversation::new(place, 0));
        }
        Some((self.open.get_mut(&id)?, &mut self.exchanges))
    }
}

impl why401_capture::Sink for Conversations<'_> {
    fn open(&mut self, id: ConnectionId, endpoints: &Endpoints) {
        if endpoints.server.port() == kerberos::PORT {
            self.kdc.insert(id, (peer(endpoints.client), kerberos::Answers::default()));
            return;
        }
        let place = Place {
            connection: id.0,
            client: peer(endpoints.client),
            server: peer(endpoints.server),
            encrypted: false,
        };
        self.begun.insert(id, place);
    }

    fn data(&mut self, id: ConnectionId, direction: Direction, data: Data<'_>) {
        if let Some((client, answers)) = self.kdc.get_mut(&id).filter(|_| direction == Direction::ToClient) {
            for message in answers.push(data.bytes, data.span) {
                self.exchanges.kdc(&message, data.time.and_then(moment), client.clone());
            }
            return;
        }
        let before = self.exchanges.given();
        let Some((conversation, exchanges)) = self.conversation(id) else { return };
        conversation.bytes(direction, data.bytes, data.span, data.time.and_then(moment), exchanges);
        let gave = exchanges.given() > before;
        self.held.said(id, data.bytes.len(), gave);
        for id in self.held.too_much() {
            let what =
                "more is said at one time than is kept in memory; the longest silent messages end early";
            self.exchanges.problem(data.span, what);
            if let Some(conversation) = self.open.get_mut(&id) {
                conversation.let_go(&mut self.exchanges);
            }
        }
    }

    fn gap(&mut self, id: ConnectionId, direction: Direction, gap: Gap) {
        if let Some((_, answers)) = self.kdc.get_mut(&id).filter(|_| direction == Direction::ToClient) {
            answers.gap();
        }
        if let Some((conversation, exchanges)) = self.conversation(id) {
            conversation.gap(direction, gap.len, exchanges);
        }
    }

    fn finished(&mut self, id: ConnectionId, direction: Direction, _: Option<Time>) {
        if let Some(conversation) = self.open.get_mut(&id) {
            conversation.end(direction, &mut self.exchanges);
        }
    }

    fn datagram(&mut self, d: Datagram<'_>) {
        if d.from.port() == kerberos::PORT {
            let message = match d.fragmented {
                false => Derived::exact(d.bytes, d.span),
                true => Derived::enclosed(d.bytes, d.span),
            };
            self.exchanges.kdc(&message, d.time.and_then(moment), peer(d.to));
        } else if d.to.port() == HTTPS && is_quic_initial(d.bytes) {
            let what = format!("HTTP/3 (QUIC) to {} could not be read: it is not decrypted here", d.to);
            self.exchanges.problem(d.span, &what);
        }
    }

    fn tls_keys(&mut self, lines: &[u8]) {
        Rc::make_mut(&mut self.exchanges.keys).add(lines);
    }

    fn close(&mut self, id: ConnectionId, _: End, _: Option<Time>) {
        self.begun.remove(&id);
        self.kdc.remove(&id);
        self.held.over(id);
        if let Some(conversation) = self.open.remove(&id) {
            conversation.finish(&mut self.exchanges);
        }
    }
}
