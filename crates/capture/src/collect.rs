//! A whole capture in memory.

use crate::Compression;
use crate::limits::Limits;
use crate::problem::Problem;
use crate::reader::{Counts, Reader};
use crate::sink::{ConnectionId, Data, Datagram, Direction, End, Endpoints, Gap, Missing, Sink, Time};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use why401_span::{Builder, Derived, SourceId, Span};

/// A part of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Bytes that follow each other without a gap.
    Bytes(Derived),
    /// Bytes that the capture does not hold.
    Gap(Gap),
}

impl Segment {
    /// How many bytes of the stream it covers.
    pub fn len(&self) -> u64 {
        match self {
            Segment::Bytes(bytes) => bytes.len() as u64,
            Segment::Gap(gap) => gap.len,
        }
    }

    /// Whether it covers no byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What one side of a connection sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stream {
    /// Its parts in order: bytes as far as they reach, then a gap, and so on.
    pub segments: Vec<Segment>,
    /// Whether the sender said that this was all (FIN).
    pub finished: bool,
    /// Offsets at which a packet with another time begins.
    times: Vec<(u64, Option<Time>)>,
}

impl Stream {
    /// When the byte at this offset of the stream was captured; gaps count as their neighbour before.
    pub fn time_at(&self, offset: u64) -> Option<Time> {
        let behind = self.times.partition_point(|(at, _)| *at <= offset);
        self.times.get(behind.saturating_sub(1))?.1
    }

    /// How many bytes there are, gaps included.
    pub fn len(&self) -> u64 {
        self.segments.iter().map(Segment::len).sum()
    }

    /// Whether the sender sent nothing.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Whether nothing is missing.
    pub fn is_whole(&self) -> bool {
        self.segments.iter().all(|s| matches!(s, Segment::Bytes(_)))
    }
}

/// A TCP connection with what both sides sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Its number in order of its first packet.
    pub id: ConnectionId,
    /// Who opened it, who accepted it, and since when.
    pub endpoints: Endpoints,
    /// When its last packet was captured.
    pub last: Option<Time>,
    /// How it ended.
    pub end: End,
    /// What the client sent.
    pub client_to_server: Stream,
    /// What the server sent.
    pub server_to_client: Stream,
}

/// A UDP datagram that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDatagram {
    /// Who sent it.
    pub from: SocketAddr,
    /// To whom.
    pub to: SocketAddr,
    /// What it carries.
    pub bytes: Derived,
    /// How many bytes at its end were not captured.
    pub missing: u64,
    /// When it was captured.
    pub time: Option<Time>,
}

/// What a whole capture holds.
#[derive(Debug, Default)]
pub struct Capture {
    /// The connections that carried something, in order of their first packets.
    pub connections: Vec<Connection>,
    /// How many connections carried nothing (a SYN without an answer, a refused one).
    pub empty_connections: u64,
    /// Datagrams of Kerberos (port 88) and those that look like QUIC.
    pub datagrams: Vec<KeptDatagram>,
    /// Lines of an `SSLKEYLOGFILE` that the capture itself holds. Secret.
    pub tls_keys: why401_span::Secret<Vec<u8>>,
    /// Names that the capture itself gives to addresses.
    pub names: Vec<(IpAddr, String)>,
    /// Comments that somebody left in the capture.
    pub comments: Vec<(String, Span)>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// How much was read.
    pub counts: Counts,
    /// How the file is compressed: if it is, spans count in layer 0, which is the decompressed file.
    pub compression: Option<Compression>,
}

/// Reads a capture that is in memory as a whole.
pub fn read(file: &[u8], source: SourceId, limits: Limits) -> Capture {
    let mut reader = Reader::new(source, limits.clone());
    let mut sink = Connections::new(limits.collected);
    reader.feed(file, &mut sink);
    reader.finish(&mut sink);
    let mut capture = sink.finish();
    capture.problems.extend(reader.problems());
    capture.counts = reader.counts();
    capture.compression = reader.compression();
    capture
}

/// A sink that collects whole connections, up to a limit.
#[derive(Debug, Default)]
pub struct Connections {
    open: HashMap<ConnectionId, Building>,
    capture: Capture,
    keys: Vec<u8>,
    /// How many bytes may still be kept.
    left: usize,
    given_up: u64,
}

#[derive(Debug)]
struct Building {
    endpoints: Endpoints,
    streams: [BuildingStream; 2],
}

#[derive(Debug, Default)]
struct BuildingStream {
    stream: Stream,
    bytes: Builder,
}

impl BuildingStream {
    fn end_of_bytes(&mut self) {
        if !self.bytes.is_empty() {
            self.stream.segments.push(Segment::Bytes(std::mem::take(&mut self.bytes).finish()));
        }
    }

    fn gap(&mut self, gap: Gap) {
        self.end_of_bytes();
        match self.stream.segments.last_mut() {
            Some(Segment::Gap(before)) if before.why == gap.why => before.len += gap.len,
            _ => self.stream.segments.push(Segment::Gap(gap)),
        }
    }
}

/// What a kept thing costs beside its bytes, roughly.
const OVERHEAD: usize = 64;

impl Connections {
    /// Keeps at most so many bytes.
    pub fn new(limit: usize) -> Self {
        Connections { left: limit, ..Connections::default() }
    }

    /// What was collected.
    pub fn finish(mut self) -> Capture {
        self.capture.connections.sort_by_key(|c| c.id);
        self.capture.tls_keys = why401_span::Secret::new(self.keys);
        if self.given_up > 0 {
            let what = "bytes were not kept for the limit of memory";
            self.capture.problems.push(Problem { offset: 0, what: what.into(), count: self.given_up });
        }
        self.capture
    }

    fn stream(&mut self, id: ConnectionId, direction: Direction) -> Option<&mut BuildingStream> {
        let [to_server, to_client] = &mut self.open.get_mut(&id)?.streams;
        Some(if direction == Direction::ToServer { to_server } else { to_client })
    }

    /// Whether there is room for so many bytes more, which is then taken.
    fn room(&mut self, bytes: usize) -> bool {
        let wanted = bytes + OVERHEAD;
        let left = self.left.checked_sub(wanted);
        match left {
            Some(left) => self.left = left,
            None => self.given_up += bytes as u64,
        }
        left.is_some()
    }
}

impl Sink for Connections {
    fn open(&mut self, id: ConnectionId, endpoints: &Endpoints) {
        self.open.insert(id, Building { endpoints: *endpoints, streams: Default::default() });
    }

    fn data(&mut self, id: ConnectionId, direction: Direction, data: Data<'_>) {
        let room = self.room(data.bytes.len());
        let Some(s) = self.stream(id, direction) else { return };
        if !room {
            return s.gap(Gap { offset: data.offset, len: data.bytes.len() as u64, why: Missing::Limit });
        }
        if s.stream.times.last().is_none_or(|(_, time)| *time != data.time) {
            s.stream.times.push((data.offset, data.time));
        }
        s.bytes.push_exact(data.bytes, data.span);
    }

    fn gap(&mut self, id: ConnectionId, direction: Direction, gap: Gap) {
        if let Some(s) = self.stream(id, direction) {
            s.gap(gap);
        }
    }

    fn finished(&mut self, id: ConnectionId, direction: Direction, _: Option<Time>) {
        if let Some(s) = self.stream(id, direction) {
            s.stream.finished = true;
        }
    }

    fn close(&mut self, id: ConnectionId, end: End, last: Option<Time>) {
        let Some(mut building) = self.open.remove(&id) else { return };
        building.streams.iter_mut().for_each(BuildingStream::end_of_bytes);
        let [client_to_server, server_to_client] = building.streams.map(|s| s.stream);
        if client_to_server.is_empty() && server_to_client.is_empty() {
            self.capture.empty_connections += 1;
            return;
        }
        let endpoints = building.endpoints;
        let connection = Connection { id, endpoints, last, end, client_to_server, server_to_client };
        self.capture.connections.push(connection);
    }

    fn datagram(&mut self, d: Datagram<'_>) {
        const KERBEROS: u16 = 88;
        const HTTPS: u16 = 443;
        let of_port = |port| d.from.port() == port || d.to.port() == port;
        // RFC 9000, section 17: a long header with the fixed bit, and version 1 or 2.
        let long_header =
            matches!(d.bytes, [0xc0..=0xff, 0, 0, 0, 1, ..] | [0xc0..=0xff, 0x6b, 0x33, 0x43, 0xcf, ..]);
        if (of_port(KERBEROS) || of_port(HTTPS) || long_header) && self.room(d.bytes.len() + 2 * OVERHEAD) {
            let bytes = match d.fragmented {
                false => Derived::exact(d.bytes, d.span),
                true => Derived::enclosed(d.bytes, d.span),
            };
            let (from, to, missing, time) = (d.from, d.to, d.missing, d.time);
            self.capture.datagrams.push(KeptDatagram { from, to, bytes, missing, time });
        }
    }

    fn tls_keys(&mut self, lines: &[u8]) {
        if self.room(lines.len()) {
            self.keys.extend_from_slice(lines);
            self.keys.push(b'\n');
        }
    }

    fn name(&mut self, address: IpAddr, name: &str) {
        if self.room(name.len()) {
            self.capture.names.push((address, name.to_owned()));
        }
    }

    fn comment(&mut self, text: &str, span: Span) {
        if self.room(text.len()) {
            self.capture.comments.push((text.to_owned(), span));
        }
    }
}
