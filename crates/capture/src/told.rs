//! What a capture holds, kept for a sink on another thread.

use crate::sink::{ConnectionId, Data, Datagram, Direction, End, Endpoints, Gap, Sink, Time};
use std::net::{IpAddr, SocketAddr};
use why401_span::Span;

/// Everything that one piece of a capture told, together with the piece itself: what stands in it is not copied.
///
/// [`Reader::take`](crate::Reader::take) makes one, [`Told::tell`] hands it over as the reader itself would have done.
#[derive(Debug, Default)]
pub struct Told {
    /// The bytes that were fed, of which the first stands at `at` of the source.
    piece: Vec<u8>,
    at: u64,
    piece_len: u64,
    /// What is handed over and does not stand in the piece: it had to wait, or was decompressed.
    kept: Vec<u8>,
    events: Vec<Event>,
    // Of what the events are too large for, in the order of the events.
    endpoints: Vec<Endpoints>,
    datagrams: Vec<KeptDatagram>,
    rare: Vec<Rare>,
    /// The source and layer that offsets count in.
    base: Option<Span>,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Open(ConnectionId),
    Data { id: ConnectionId, direction: Direction, offset: u64, start: u64, bytes: Place, time: Option<Time> },
    Gap(ConnectionId, Direction, Gap),
    Finished(ConnectionId, Direction, Option<Time>),
    Close(ConnectionId, End, Option<Time>),
    Datagram,
    Rare,
}

/// Where bytes are kept.
#[derive(Debug, Clone, Copy)]
struct Place {
    at: u32,
    len: u32,
    in_piece: bool,
}

#[derive(Debug)]
struct KeptDatagram {
    from: SocketAddr,
    to: SocketAddr,
    bytes: Place,
    span: Span,
    fragmented: bool,
    missing: u64,
    time: Option<Time>,
}

#[derive(Debug)]
enum Rare {
    Keys(Vec<u8>),
    Name(IpAddr, String),
    Comment(String, Span),
}

impl Told {
    /// Forgets everything but the memory, to hold what a piece of so many bytes tells. Its first byte stands at `at` of
    /// what offsets count in; `None` where they count in what was decompressed.
    pub(crate) fn begin(&mut self, at: Option<u64>, len: usize) {
        (self.at, self.piece_len) = (at.unwrap_or(u64::MAX), len as u64);
        self.kept.clear();
        self.events.clear();
        self.endpoints.clear();
        self.datagrams.clear();
        self.rare.clear();
    }

    pub(crate) fn end(&mut self, piece: Vec<u8>) {
        self.piece = piece;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The piece that it is about.
    pub fn piece(&self) -> &[u8] {
        &self.piece
    }

    /// The piece that it is about, whose memory may be used again.
    pub fn take_piece(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.piece)
    }

    /// Hands everything over, in order.
    pub fn tell<S: Sink + ?Sized>(&self, sink: &mut S) {
        let base = self.base.unwrap_or(Span::new(why401_span::SourceId(0), 0, 0));
        let mut endpoints = self.endpoints.iter();
        let mut datagrams = self.datagrams.iter();
        let mut rare = self.rare.iter();
        for event in &self.events {
            match *event {
                Event::Open(id) => endpoints.next().into_iter().for_each(|e| sink.open(id, e)),
                Event::Data { id, direction, offset, start, bytes, time } => {
                    let span = Span { start, end: start + u64::from(bytes.len), ..base };
                    sink.data(id, direction, Data { offset, bytes: self.bytes(bytes), span, time });
                }
                Event::Gap(id, direction, gap) => sink.gap(id, direction, gap),
                Event::Finished(id, direction, time) => sink.finished(id, direction, time),
                Event::Close(id, end, last) => sink.close(id, end, last),
                Event::Datagram => {
                    let Some(d) = datagrams.next() else { continue };
                    let KeptDatagram { from, to, span, fragmented, missing, time, .. } = *d;
                    let bytes = self.bytes(d.bytes);
                    sink.datagram(Datagram { from, to, bytes, span, fragmented, missing, time });
                }
                Event::Rare => match rare.next() {
                    Some(Rare::Keys(lines)) => sink.tls_keys(lines),
                    Some(Rare::Name(address, name)) => sink.name(*address, name),
                    Some(Rare::Comment(text, span)) => sink.comment(text, *span),
                    None => {}
                },
            }
        }
    }

    fn bytes(&self, place: Place) -> &[u8] {
        let from = if place.in_piece { &self.piece } else { &self.kept };
        let at = place.at as usize;
        from.get(at..at + place.len as usize).unwrap_or_default()
    }

    /// Where these bytes, which begin at `start`, are kept; `exact` says that they stand there one to one.
    fn place(&mut self, bytes: &[u8], start: u64, exact: bool) -> Place {
        let len = bytes.len() as u32;
        if let Some(at) = start.checked_sub(self.at).filter(|_| exact)
            && at.saturating_add(bytes.len() as u64) <= self.piece_len
        {
            return Place { at: at as u32, len, in_piece: true };
        }
        let at = self.kept.len() as u32;
        self.kept.extend_from_slice(bytes);
        Place { at, len, in_piece: false }
    }
}

impl Sink for Told {
    fn open(&mut self, id: ConnectionId, endpoints: &Endpoints) {
        self.endpoints.push(*endpoints);
        self.events.push(Event::Open(id));
    }

    fn data(&mut self, id: ConnectionId, direction: Direction, data: Data<'_>) {
        let Data { offset, bytes, span, time } = data;
        self.base.get_or_insert(span);
        let bytes = self.place(bytes, span.start, true);
        self.events.push(Event::Data { id, direction, offset, start: span.start, bytes, time });
    }

    fn gap(&mut self, id: ConnectionId, direction: Direction, gap: Gap) {
        self.events.push(Event::Gap(id, direction, gap));
    }

    fn finished(&mut self, id: ConnectionId, direction: Direction, time: Option<Time>) {
        self.events.push(Event::Finished(id, direction, time));
    }

    fn close(&mut self, id: ConnectionId, end: End, last: Option<Time>) {
        self.events.push(Event::Close(id, end, last));
    }

    fn datagram(&mut self, d: Datagram<'_>) {
        let bytes = self.place(d.bytes, d.span.start, !d.fragmented);
        let Datagram { from, to, span, fragmented, missing, time, .. } = d;
        self.datagrams.push(KeptDatagram { from, to, bytes, span, fragmented, missing, time });
        self.events.push(Event::Datagram);
    }

    fn tls_keys(&mut self, lines: &[u8]) {
        self.rare.push(Rare::Keys(lines.to_vec()));
        self.events.push(Event::Rare);
    }

    fn name(&mut self, address: IpAddr, name: &str) {
        self.rare.push(Rare::Name(address, name.to_owned()));
        self.events.push(Event::Rare);
    }

    fn comment(&mut self, text: &str, span: Span) {
        self.rare.push(Rare::Comment(text.to_owned(), span));
        self.events.push(Event::Rare);
    }
}
