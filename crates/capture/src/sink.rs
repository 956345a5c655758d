//! What a capture is handed over as.

use std::net::{IpAddr, SocketAddr};
use why401_span::Span;

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Time(pub i64);

/// One TCP connection of a capture, by its number in order of its first packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u64);

/// Which way bytes went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the one that opened the connection.
    ToServer,
    /// From the one that accepted it.
    ToClient,
}

/// Who takes part in a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoints {
    /// Who opened the connection.
    pub client: SocketAddr,
    /// Who accepted it.
    pub server: SocketAddr,
    /// When its first packet was captured.
    pub start: Option<Time>,
    /// Whether its SYN was captured; otherwise the capture joined it in the middle, and who is the client was told
    /// by what the first bytes look like, or by the port numbers.
    pub from_start: bool,
}

/// Bytes of a stream that stand in the capture one to one.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    /// Offset of the first byte in the stream, gaps counted.
    pub offset: u64,
    /// The bytes.
    pub bytes: &'a [u8],
    /// Where they stand in the capture.
    pub span: Span,
    /// When the packet that carried them was captured.
    pub time: Option<Time>,
}

/// Bytes of a stream that the capture does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Offset of the first missing byte in the stream.
    pub offset: u64,
    /// How many bytes are missing.
    pub len: u64,
    /// Why.
    pub why: Missing,
}

/// Why bytes of a stream are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Missing {
    /// Packets that the capture does not hold.
    Lost,
    /// Packets that were captured only in part (`snaplen`).
    Cut,
    /// Bytes that were there and were given up for a limit of memory.
    Limit,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// Both sides said that they had sent all (FIN).
    Fin,
    /// The sender in this direction broke it off (RST).
    Reset(Direction),
    /// No end was captured.
    Open,
    /// It was given up for a limit of memory; more of it may follow as another connection.
    Evicted,
}

/// A UDP datagram.
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'a> {
    /// Who sent it.
    pub from: SocketAddr,
    /// To whom.
    pub to: SocketAddr,
    /// What it carries, as far as it was captured.
    pub bytes: &'a [u8],
    /// Where that stands in the capture: one to one, unless `fragmented`.
    pub span: Span,
    /// Whether it came in IP fragments, so that `span` only encloses it.
    pub fragmented: bool,
    /// How many bytes at its end were not captured.
    pub missing: u64,
    /// When it was captured.
    pub time: Option<Time>,
}

/// Takes what a capture holds, in the order in which it becomes certain.
///
/// Of one connection, `open` comes first, then the bytes and gaps of each direction without holes and in stream
/// order, then `close`. The two directions are only ordered by the times of their packets.
pub trait Sink {
    /// A connection of which something can be handed over.
    fn open(&mut self, id: ConnectionId, endpoints: &Endpoints) {
        let _ = (id, endpoints);
    }

    /// The next bytes of a stream.
    fn data(&mut self, id: ConnectionId, direction: Direction, data: Data<'_>);

    /// The next bytes of a stream are missing.
    fn gap(&mut self, id: ConnectionId, direction: Direction, gap: Gap) {
        let _ = (id, direction, gap);
    }

    /// The sender in this direction has sent all (FIN), and all of it was handed over.
    fn finished(&mut self, id: ConnectionId, direction: Direction, time: Option<Time>) {
        let _ = (id, direction, time);
    }

    /// A connection of which nothing more will come; `last` is when its last packet was captured.
    fn close(&mut self, id: ConnectionId, end: End, last: Option<Time>) {
        let _ = (id, end, last);
    }

    /// A UDP datagram that is not the outside of a tunnel.
    fn datagram(&mut self, datagram: Datagram<'_>) {
        let _ = datagram;
    }

    /// TLS secrets that the capture itself holds, as lines of an `SSLKEYLOGFILE`.
    fn tls_keys(&mut self, lines: &[u8]) {
        let _ = lines;
    }

    /// A name that the capture itself gives to an address.
    fn name(&mut self, address: IpAddr, name: &str) {
        let _ = (address, name);
    }

    /// A comment that somebody left in the capture, and where it stands.
    fn comment(&mut self, text: &str, span: Span) {
        let _ = (text, span);
    }
}
