//! What one side of a connection says.

use crate::frames::{GOAWAY, HEADERS, PUSH_PROMISE, Part, SETTINGS, varint};
use crate::qpack::{Decoder, Section};
use crate::stream::{Blocked, PUSHED, Purpose, Stream, Waiting, is_request};
use crate::{Event, Side};
use std::collections::{BTreeMap, BTreeSet};
use why401_span::{Derived, Span};

/// What a side says of the dynamic table that the other side may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Its largest capacity in bytes.
    Capacity(u64),
    /// Something that was missed.
    Missed,
}

#[derive(Debug)]
pub(crate) struct Sender {
    side: Side,
    streams: BTreeMap<u64, Stream>,
    decoder: Decoder,
    /// The streams on which a section waits, and what all that waits there costs.
    blocked: BTreeSet<u64>,
    waiting: usize,
    /// What is kept of frames that are not whole.
    kept: usize,
    /// Nothing waits any more.
    hurried: bool,
    has_encoder: bool,
    has_settings: bool,
}

/// More does not wait; what is not known by then is unknown.
const MOST_WAITING: usize = 256 << 10;
/// More is not kept of frames that are not whole.
const MOST_KEPT: usize = 1 << 20;
/// More streams are not followed at one time.
const MOST_STREAMS: usize = 1000;
/// RFC 9204, section 5.
const MAX_TABLE_CAPACITY: u64 = 1;

impl Sender {
    pub(crate) fn new(side: Side) -> Sender {
        Sender {
            side,
            streams: BTreeMap::new(),
            decoder: Decoder::new(),
            blocked: BTreeSet::new(),
            waiting: 0,
            kept: 0,
            hurried: false,
            has_encoder: false,
            has_settings: false,
        }
    }

    /// About how many bytes of memory is taken by what waits and by frames that are not whole; and by what fields refer to.
    pub(crate) fn footprints(&self) -> (usize, usize) {
        (self.waiting + self.kept, self.decoder.footprint())
    }

    /// What the other side said.
    pub(crate) fn told(&mut self, told: Told) {
        match told {
            Told::Capacity(capacity) => self.decoder.allow(capacity),
            Told::Missed => self.decoder.forget(),
        }
    }

    pub(crate) fn bytes(
        &mut self,
        number: u64,
        mut bytes: &[u8],
        mut origin: Span,
        out: &mut dyn FnMut(Event<'_>),
    ) -> Option<Told> {
        if self.waits(number) {
            self.wait(number, Waiting::Bytes(bytes.to_vec(), origin), out);
            return None;
        }
        self.make_room(number, out);
        let stream = self.streams.entry(number).or_insert_with(|| Stream::new(number));
        stream.begin(&mut bytes, &mut origin);
        match stream.purpose {
            Purpose::Messages(told) => {
                self.messages(number, told, bytes, origin, out);
                None
            }
            Purpose::Control => self.control(number, bytes, origin, out),
            Purpose::Encoder => {
                self.has_encoder = true;
                self.decoder.instructions(bytes);
                None
            }
            Purpose::Unknown(_) | Purpose::Push(_) | Purpose::Other => None,
        }
    }

    fn messages(
        &mut self,
        number: u64,
        told: u64,
        mut bytes: &[u8],
        mut origin: Span,
        out: &mut dyn FnMut(Event<'_>),
    ) {
        let from = self.side;
        while !bytes.is_empty() {
            if self.waits(number) {
                return self.wait(number, Waiting::Bytes(bytes.to_vec(), origin), out);
            }
            match self.part(number, &mut bytes, &mut origin) {
                Some(Part::Frame(HEADERS, section)) => self.section(number, section, told, false, out),
                Some(Part::Frame(PUSH_PROMISE, body)) => {
                    if let Some((push, size)) = varint(body.as_bytes()) {
                        let section = body.slice(size..body.len());
                        self.section(number, section, PUSHED + push, true, out);
                    }
                }
                Some(Part::Data(bytes, origin)) => out(Event::Data { from, stream: told, bytes, origin }),
                Some(Part::DataMissing | Part::FrameMissing) => out(Event::Missing { from, stream: told }),
                Some(Part::Frame(..)) => {}
                None => return,
            }
        }
    }

    fn control(
        &mut self,
        number: u64,
        mut bytes: &[u8],
        mut origin: Span,
        out: &mut dyn FnMut(Event<'_>),
    ) -> Option<Told> {
        let mut told = None;
        while !bytes.is_empty() {
            match self.part(number, &mut bytes, &mut origin) {
                Some(Part::Frame(SETTINGS, body)) => {
                    self.has_settings = true;
                    told = Some(Told::Capacity(capacity(body.as_bytes())));
                }
                Some(Part::Frame(GOAWAY, body)) => {
                    if let Some((first, _)) = varint(body.as_bytes()) {
                        out(Event::GoAway { from: self.side, first });
                    }
                }
                Some(_) => {}
                None => break,
            }
        }
        told
    }

    /// The next part of a stream, within what may be kept.
    fn part<'a>(&mut self, number: u64, bytes: &mut &'a [u8], origin: &mut Span) -> Option<Part<'a>> {
        let frames = &mut self.streams.get_mut(&number)?.frames;
        self.kept = self.kept.saturating_sub(frames.held());
        let mut part = frames.next(bytes, origin);
        if self.kept + frames.held() > MOST_KEPT && frames.pass_over() {
            part = Some(Part::FrameMissing);
        }
        self.kept += frames.held();
        part
    }

    fn section(
        &mut self,
        number: u64,
        section: Derived,
        told: u64,
        promised: bool,
        out: &mut dyn FnMut(Event<'_>),
    ) {
        let (fields, whole) = match self.decoder.section(&section) {
            Section::Fields(fields, whole) => (fields, whole),
            Section::Blocked if self.hurried => self.decoder.as_known(&section),
            Section::Blocked => {
                if let Some(stream) = self.streams.get_mut(&number) {
                    stream.blocked = Some(Blocked { section, told, promised });
                    self.blocked.insert(number);
                }
                return;
            }
        };
        let whole = whole && fields.iter().all(|f| f.name.is_some() && f.value.is_some());
        out(Event::Fields { from: self.side, stream: told, fields, whole, promised });
    }

    fn waits(&self, number: u64) -> bool {
        self.blocked.contains(&number)
    }

    fn wait(&mut self, number: u64, what: Waiting, out: &mut dyn FnMut(Event<'_>)) {
        let Some(stream) = self.streams.get_mut(&number) else { return };
        self.waiting += what.cost();
        stream.waiting.push(what);
        if self.waiting > MOST_WAITING {
            self.let_go(out);
        }
    }

    /// Goes on with the streams whose section need not wait any longer.
    pub(crate) fn unblock(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        let blocked: Vec<u64> = self.blocked.iter().copied().collect();
        for number in blocked {
            let stream = self.streams.get(&number);
            let section = stream.and_then(|s| s.blocked.as_ref()).map(|b| self.decoder.section(&b.section));
            if section.is_some_and(|section| section != Section::Blocked) {
                self.go_on(number, out);
            }
        }
    }

    /// Nothing waits any longer: what is blocked is read as far as it is known.
    pub(crate) fn let_go(&mut self, out: &mut dyn FnMut(Event<'_>)) {
        let before = std::mem::replace(&mut self.hurried, true);
        while let Some(number) = self.blocked.first().copied() {
            self.go_on(number, out);
        }
        self.hurried = before;
    }

    fn go_on(&mut self, number: u64, out: &mut dyn FnMut(Event<'_>)) {
        self.blocked.remove(&number);
        let Some(stream) = self.streams.get_mut(&number) else { return };
        let waiting = std::mem::take(&mut stream.waiting);
        self.waiting = self.waiting.saturating_sub(waiting.iter().map(Waiting::cost).sum());
        if let Some(Blocked { section, told, promised }) = stream.blocked.take() {
            self.section(number, section, told, promised, out);
        }
        for what in waiting {
            match what {
                Waiting::Bytes(bytes, origin) => {
                    self.bytes(number, &bytes, origin, out);
                }
                Waiting::Gap(len) => {
                    self.gap(number, len, out);
                }
                Waiting::End => self.end(number, out),
            }
        }
    }

    pub(crate) fn gap(&mut self, number: u64, len: u64, out: &mut dyn FnMut(Event<'_>)) -> Option<Told> {
        if self.waits(number) {
            self.wait(number, Waiting::Gap(len), out);
            return None;
        }
        self.make_room(number, out);
        let missed = (!self.has_settings).then_some(Told::Missed);
        let stream = self.streams.entry(number).or_insert_with(|| Stream::new(number));
        match stream.purpose {
            Purpose::Messages(told) => {
                self.kept = self.kept.saturating_sub(stream.frames.held());
                let part = stream.frames.gap(len);
                if part.is_some() {
                    out(Event::Missing { from: self.side, stream: told });
                }
                None
            }
            Purpose::Other => None,
            Purpose::Control => {
                stream.purpose = Purpose::Other;
                missed
            }
            Purpose::Encoder => {
                self.decoder.forget();
                None
            }
            // It may be any of those that whole connections need.
            Purpose::Unknown(_) | Purpose::Push(_) => {
                stream.purpose = Purpose::Other;
                if !self.has_encoder {
                    self.decoder.forget();
                }
                missed
            }
        }
    }

    pub(crate) fn end(&mut self, number: u64, out: &mut dyn FnMut(Event<'_>)) {
        if self.waits(number) {
            return self.wait(number, Waiting::End, out);
        }
        if let Some(stream) = self.remove(number) {
            out(Event::End { from: self.side, stream });
        }
    }

    pub(crate) fn reset(&mut self, number: u64, error: u64, out: &mut dyn FnMut(Event<'_>)) {
        if self.waits(number) {
            let before = std::mem::replace(&mut self.hurried, true);
            self.go_on(number, out);
            self.hurried = before;
        }
        if self.streams.get(&number).is_some_and(|s| matches!(s.purpose, Purpose::Encoder)) {
            self.decoder.forget();
        }
        if let Some(stream) = self.remove(number) {
            out(Event::Reset { from: self.side, stream, error });
        }
    }

    /// Forgets a stream; gives the number that its messages were told under.
    fn remove(&mut self, number: u64) -> Option<u64> {
        let Some(stream) = self.streams.remove(&number) else { return is_request(number).then_some(number) };
        self.kept = self.kept.saturating_sub(stream.frames.held());
        if let Purpose::Messages(told) = stream.purpose { Some(told) } else { None }
    }

    /// Where too many streams are open, the oldest request's is forgotten.
    fn make_room(&mut self, number: u64, out: &mut dyn FnMut(Event<'_>)) {
        if self.streams.len() < MOST_STREAMS || self.streams.contains_key(&number) {
            return;
        }
        let oldest = self.streams.keys().find(|n| is_request(**n)).or(self.streams.keys().next()).copied();
        if let Some(oldest) = oldest {
            // 0x10c: H3_REQUEST_CANCELLED, as if it had been given up.
            self.reset(oldest, 0x10c, out);
        }
    }
}

/// What SETTINGS say of the dynamic table (RFC 9114, section 7.2.4; RFC 9204, section 5).
fn capacity(mut settings: &[u8]) -> u64 {
    while let Some((name, size)) = varint(settings) {
        settings = settings.get(size..).unwrap_or_default();
        let Some((value, size)) = varint(settings) else { break };
        settings = settings.get(size..).unwrap_or_default();
        if name == MAX_TABLE_CAPACITY {
            return value;
        }
    }
    0
}
