//! A capture, fed bit by bit.

use crate::bytes::Bytes;
use crate::container::{Container, Item, Step};
use crate::decompress::{Compression, Decompressor};
use crate::dissect::{Dissector, Packet, State};
use crate::limits::Limits;
use crate::problem::Problem;
use crate::sink::{Sink, Time};
use crate::tcp;
use crate::told::Told;
use why401_span::{LayerId, SourceId, Span};

/// Reads a capture that is fed to it in pieces of any size, and hands over what it holds to a [`Sink`].
///
/// Bytes are handed over as slices of what was fed wherever they stand there in order; only what has to wait (out of
/// order, a record between two pieces) is copied. Pieces of about a megabyte are best.
///
/// Offsets count in the source. In a compressed capture they count in its decompressed contents, which is the layer
/// given by [`Reader::contents`]; [`Reader::compression`] tells.
#[derive(Debug)]
pub struct Reader {
    state: State,
    stage: Stage,
    compression: Option<Compression>,
    contents: LayerId,
    /// What was fed and could not be used yet.
    begun: Vec<u8>,
    records: Records,
    fed: u64,
}

#[derive(Debug)]
enum Stage {
    /// The first four bytes are not there yet.
    Beginning,
    Plain,
    Compressed(Decompressor),
    /// Nothing further is read: not a capture, or damaged beyond repair.
    Over,
}

/// Counts of what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Packets.
    pub packets: u64,
    /// Bytes of the capture, decompressed.
    pub bytes: u64,
    /// TCP connections begun.
    pub connections: u64,
    /// Those of which both sides have sent something.
    pub answered: u64,
    /// When the earliest packet was captured.
    pub first: Option<Time>,
    /// When the latest packet was captured.
    pub last: Option<Time>,
}

/// How these first bytes of a file are compressed, and the capture's format (`pcap`, `pcapng`) that they hold; `None`
/// if they hold no capture.
pub fn detect(front: &[u8]) -> Option<(Option<Compression>, &'static str)> {
    let format = |bytes: &[u8]| Container::detect(*bytes.first_chunk::<4>()?).map(|c| c.name());
    let Some(compression) = Compression::detect(*front.first_chunk::<4>()?) else {
        return Some((None, format(front)?));
    };
    let mut decompressor = Decompressor::new(compression)?;
    let contents = decompressor.step(front).ok()?.output;
    Some((Some(compression), format(contents)?))
}

impl Reader {
    /// A reader of the capture that is the evidence `source`.
    pub fn new(source: SourceId, limits: Limits) -> Self {
        Reader {
            state: State::new(limits, Span::new(source, 0, 0)),
            stage: Stage::Beginning,
            compression: None,
            contents: LayerId(0),
            begun: Vec::new(),
            records: Records::default(),
            fed: 0,
        }
    }

    /// Names the layer that the contents of a compressed capture are; otherwise it is `LayerId(0)`.
    pub fn contents(mut self, layer: LayerId) -> Self {
        self.contents = layer;
        self
    }

    /// Takes the next bytes of the file.
    pub fn feed<S: Sink + ?Sized>(&mut self, bytes: &[u8], sink: &mut S) {
        self.fed += bytes.len() as u64;
        if !matches!(self.stage, Stage::Beginning) {
            return self.file(bytes, sink);
        }
        self.begun.extend_from_slice(bytes);
        let Some(magic) = self.begun.first_chunk::<4>().copied() else { return };
        self.compression = Compression::detect(magic);
        self.stage = match self.compression.map(Decompressor::new) {
            None => Stage::Plain,
            Some(Some(d)) => Stage::Compressed(d),
            Some(None) => Stage::Over,
        };
        if self.compression.is_some() {
            self.state.base = self.state.base.in_layer(self.contents);
        }
        let begun = std::mem::take(&mut self.begun);
        self.file(&begun, sink);
    }

    /// Takes the next bytes of the file, and gives what they told; `used` lends its memory.
    pub fn take(&mut self, piece: Vec<u8>, used: Told) -> Told {
        let mut told = used;
        // What is decompressed stands in no piece; whether it is, the first piece tells.
        told.begin(matches!(self.stage, Stage::Plain).then_some(self.fed), piece.len());
        self.feed(&piece, &mut told);
        told.end(piece);
        told
    }

    /// The file has ended: gives what is left, piece by piece, and then nothing. `used` lends its memory.
    pub fn end(&mut self, used: Told) -> Option<Told> {
        let mut told = used;
        told.begin(None, 0);
        told.end(Vec::new());
        self.end_records(&mut told);
        let more = tcp::finish(&mut self.state, &mut told);
        (more || !told.is_empty()).then_some(told)
    }

    /// The file has ended: hands over all that is left.
    pub fn finish<S: Sink + ?Sized>(&mut self, sink: &mut S) {
        self.end_records(sink);
        while tcp::finish(&mut self.state, sink) {}
    }

    /// Hands over what is left but for the connections.
    fn end_records<S: Sink + ?Sized>(&mut self, sink: &mut S) {
        match &self.stage {
            Stage::Beginning => self.state.problems.add(0, "the file is too short for a capture"),
            Stage::Compressed(d) if !d.at_boundary => {
                self.state.problems.add(self.records.at, "the compressed file is cut");
            }
            _ => {}
        }
        let mut dissector = Dissector { state: &mut self.state, sink };
        if !matches!(self.stage, Stage::Over) {
            self.records.end(&mut dissector);
        }
        dissector.give_up_fragments();
        self.stage = Stage::Over;
    }

    /// How the file is compressed, if it is.
    pub fn compression(&self) -> Option<Compression> {
        self.compression
    }

    /// What could not be read so far.
    pub fn problems(&self) -> Vec<Problem> {
        self.state.problems.list()
    }

    /// What was read so far.
    pub fn counts(&self) -> Counts {
        let (connections, answered) = (self.state.flows.begun(), self.state.flows.answered());
        Counts { bytes: self.records.at, connections, answered, ..self.records.counts }
    }

    fn file<S: Sink + ?Sized>(&mut self, mut bytes: &[u8], sink: &mut S) {
        let mut dissector = Dissector { state: &mut self.state, sink };
        let mut over = false;
        match &mut self.stage {
            Stage::Plain => over = self.records.take(bytes, &mut dissector).is_none(),
            Stage::Compressed(decompressor) => loop {
                let progress = match decompressor.step(bytes) {
                    Ok(progress) => progress,
                    Err(what) => {
                        dissector.problem(self.records.at, what);
                        over = true;
                        break;
                    }
                };
                let grown = self.records.at + progress.output.len() as u64;
                let most = self.fed.saturating_mul(dissector.state.limits.expansion).max(64 << 20);
                if grown > most {
                    let what = "the file expands far beyond any real capture; the rest of it was not read";
                    dissector.problem(self.records.at, what);
                    over = true;
                    break;
                }
                let full = progress.output.len();
                over = self.records.take(progress.output, &mut dissector).is_none();
                bytes = bytes.get(progress.read..).unwrap_or_default();
                if over || (bytes.is_empty() && full == 0) {
                    break;
                }
            },
            Stage::Beginning | Stage::Over => {}
        }
        if over {
            self.records.end(&mut dissector);
            self.stage = Stage::Over;
        }
    }
}

/// Cuts the decompressed file into records.
#[derive(Debug, Default)]
struct Records {
    container: Option<Container>,
    /// The front of a record of which the rest has not come yet.
    begun: Vec<u8>,
    /// Offset up to which the file was taken apart.
    at: u64,
    counts: Counts,
}

impl Records {
    /// Takes in the next bytes; `None` if the file is no capture.
    fn take<S: Sink + ?Sized>(&mut self, mut bytes: &[u8], to: &mut Dissector<'_, S>) -> Option<()> {
        while !self.begun.is_empty() {
            let mut begun = std::mem::take(&mut self.begun);
            match self.record(&begun, false, to)? {
                Step::Done(n) => {
                    begun.drain(..n);
                    self.begun = begun;
                }
                Step::Need(n) => {
                    let wanted = n.saturating_sub(begun.len()).max(1);
                    let (more, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
                    begun.extend_from_slice(more);
                    bytes = rest;
                    self.begun = begun;
                    if more.len() < wanted {
                        return Some(());
                    }
                }
            }
        }
        while !bytes.is_empty() {
            match self.record(bytes, false, to)? {
                Step::Done(n) => bytes = bytes.get(n..).unwrap_or_default(),
                Step::Need(_) => {
                    self.begun.extend_from_slice(bytes);
                    break;
                }
            }
        }
        Some(())
    }

    /// The file has ended.
    fn end<S: Sink + ?Sized>(&mut self, to: &mut Dissector<'_, S>) {
        let begun = std::mem::take(&mut self.begun);
        let mut rest = begun.as_slice();
        while !rest.is_empty() {
            match self.record(rest, true, to) {
                Some(Step::Done(n)) => rest = rest.get(n..).unwrap_or_default(),
                _ => break,
            }
        }
    }

    /// Reads what stands at the front of `buf`; `None` if the file is no capture.
    fn record<S: Sink + ?Sized>(
        &mut self,
        buf: &[u8],
        last: bool,
        to: &mut Dissector<'_, S>,
    ) -> Option<Step> {
        if self.container.is_none() {
            let Some(magic) = buf.first_chunk::<4>() else { return Some(Step::Need(4)) };
            self.container = Container::detect(*magic);
        }
        let Some(container) = &mut self.container else {
            to.problem(self.at, "the file is neither pcap nor pcapng");
            return None;
        };
        let (at, counts) = (self.at, &mut self.counts);
        let step = container.step(buf, last, &mut |item| hand_over(item, at, counts, to));
        if let Step::Done(n) = step {
            self.at += n as u64;
        }
        Some(step)
    }
}

fn hand_over<S: Sink + ?Sized>(item: Item<'_>, record: u64, counts: &mut Counts, to: &mut Dissector<'_, S>) {
    match item {
        Item::Packet { link, time, bytes, at, wire_len } => {
            counts.packets += 1;
            if let Some(time) = time {
                counts.first = Some(counts.first.map_or(time, |f| f.min(time)));
                counts.last = counts.last.max(Some(time));
            }
            let missing = wire_len.saturating_sub(bytes.len());
            let bytes = Bytes::at(bytes, record + at as u64);
            to.link(link, Packet { bytes, missing, time, tunnels: 0, fragmented: false });
        }
        Item::TlsKeys(lines) => to.sink.tls_keys(lines),
        Item::Name(address, name) => to.sink.name(address, &String::from_utf8_lossy(name)),
        Item::Comment { text, at } => {
            let start = record + at as u64;
            let span = Span { start, end: start + text.len() as u64, ..to.state.base };
            to.sink.comment(&String::from_utf8_lossy(text), span);
        }
        Item::Problem(what) => to.problem(record, what),
        Item::Nothing => {}
    }
}
