//! One direction of a connection: segments in any order to a stream.
//!
//! Sequence numbers become *positions*: 64-bit, counted from the first sequence number known of the stream, so that
//! they neither wrap around nor have to begin at the stream's first byte. What arrives out of order waits; of bytes
//! that arrive twice the first ones count. A hole becomes a gap once nothing can be expected to fill it.

use super::flow::{Side, Who};
use crate::bytes::Bytes;
use crate::limits::Limits;
use crate::problem::Problems;
use crate::sink::{Data, Gap, Missing, Sink, Time};
use std::collections::BTreeMap;
use why401_span::Span;

/// Where things go that are in order, and what may be kept.
pub(crate) struct Out<'a, S: ?Sized> {
    pub(crate) sink: &'a mut S,
    pub(crate) problems: &'a mut Problems,
    pub(crate) limits: &'a Limits,
    /// Bytes that wait in all streams together.
    pub(crate) waiting: &'a mut usize,
    pub(crate) base: Span,
    pub(crate) who: &'a mut Who,
    pub(crate) side: Side,
}

/// A part of the stream that arrived before what precedes it.
#[derive(Debug)]
enum Chunk {
    Bytes { bytes: Box<[u8]>, at: u64, time: Option<Time> },
    Cut(u64),
}

impl Chunk {
    fn len(&self) -> i64 {
        match self {
            Chunk::Bytes { bytes, .. } => bytes.len() as i64,
            Chunk::Cut(n) => *n as i64,
        }
    }

    fn cost(&self) -> usize {
        /// Of a node in the tree, roughly.
        const OVERHEAD: usize = 96;
        match self {
            Chunk::Bytes { bytes, .. } => bytes.len() + OVERHEAD,
            Chunk::Cut(_) => OVERHEAD,
        }
    }
}

#[derive(Debug, Default)]
struct Waiting {
    chunks: BTreeMap<i64, Chunk>,
    cost: usize,
    since: Option<Time>,
}

/// One direction of a connection.
#[derive(Debug, Default)]
pub(crate) struct Half {
    /// The sequence number at position `next`.
    seq: u32,
    /// Position up to which everything was handed over.
    next: i64,
    /// Position of the stream's first byte.
    start: i64,
    /// The position up to which the receiver has acknowledged.
    acked: i64,
    /// The position behind the last byte, once a FIN was seen.
    fin: Option<i64>,
    fin_time: Option<Time>,
    /// `seq` means something.
    pub(crate) known: bool,
    /// `start` is known, or was settled.
    pub(crate) anchored: bool,
    /// The FIN was handed over.
    pub(crate) finished: bool,
    waiting: Option<Box<Waiting>>,
}

impl Half {
    /// The position of a sequence number, taken as the one closest to what comes next.
    fn position(&self, seq: u32) -> i64 {
        self.next + i64::from(seq.wrapping_sub(self.seq) as i32)
    }

    /// How far a sequence number is from what comes next.
    pub(crate) fn distance(&self, seq: u32) -> i64 {
        self.position(seq) - self.next
    }

    /// Whether the sequence number belongs to what was handed over already or to the bytes right behind that.
    pub(crate) fn is_old(&self, seq: u32) -> bool {
        let position = self.position(seq);
        self.start - 1 <= position && position <= self.next + 1
    }

    /// Whether the stream, as far as it is known, begins with this sequence number.
    pub(crate) fn begins_with(&self, seq: u32) -> bool {
        self.anchored && self.position(seq) == self.start
    }

    /// Whether the stream may still turn out to begin with this sequence number.
    pub(crate) fn may_begin_with(&self, seq: u32) -> bool {
        const A_WINDOW: i64 = 16 << 20;
        let position = self.position(seq);
        let first = self.waiting.as_ref().and_then(|w| w.chunks.keys().next()).copied();
        !self.known || (!self.anchored && position <= first.unwrap_or(position) && position > -A_WINDOW)
    }

    /// The stream begins with this sequence number (the one behind its SYN).
    pub(crate) fn anchor<S: Sink + ?Sized>(&mut self, seq: u32, out: &mut Out<'_, S>) {
        if self.anchored {
            return;
        }
        if !self.known {
            (self.seq, self.known) = (seq, true);
        }
        let position = self.position(seq);
        self.settle(position);
        self.drain(out);
    }

    /// `position` is where the stream begins.
    fn settle(&mut self, position: i64) {
        self.seq = self.seq.wrapping_add((position - self.next) as u32);
        (self.start, self.next, self.anchored) = (position, position, true);
        self.acked = self.acked.max(position);
    }

    /// The receiver has everything before this sequence number.
    pub(crate) fn acknowledge(&mut self, seq: u32) {
        if !self.known {
            (self.seq, self.known) = (seq, true);
            return;
        }
        /// What is further away is no acknowledgement of this stream.
        const PLAUSIBLE: i64 = 1 << 28;
        let position = self.position(seq);
        if position > self.acked && position - self.next < PLAUSIBLE {
            self.acked = position;
        }
    }

    /// Bytes that begin with this sequence number, then `missing` ones that were not captured.
    pub(crate) fn segment<S: Sink + ?Sized>(
        &mut self,
        seq: u32,
        mut payload: Bytes<'_>,
        mut missing: usize,
        time: Option<Time>,
        out: &mut Out<'_, S>,
    ) {
        if !self.known {
            (self.seq, self.known) = (seq, true);
        }
        let mut position = self.position(seq);
        let mut end = position + (payload.len() + missing) as i64;
        if let Some(fin) = self.fin.filter(|fin| *fin < end) {
            let there = (fin - position).max(0) as usize;
            missing = missing.min(there.saturating_sub(payload.len()));
            payload = payload.truncated(there);
            end = fin;
        }
        if self.anchored && end <= self.next {
            return;
        }
        if self.waiting.is_none() && self.anchored && position <= self.next {
            let known = (self.next - position) as usize;
            missing -= known.saturating_sub(payload.len()).min(missing);
            let new = payload.skip(known.min(payload.len()));
            for (bytes, at) in new.map(|()| payload.runs()).into_iter().flatten() {
                self.hand_over(bytes, at, time, out);
            }
            self.hand_over_gap(missing as i64, Missing::Cut, out);
            self.drain(out);
            return;
        }
        for (bytes, at) in payload.runs() {
            self.keep(position, Chunk::Bytes { bytes: bytes.into(), at, time }, out);
            position += bytes.len() as i64;
        }
        if missing > 0 {
            self.keep(position, Chunk::Cut(missing as u64), out);
        }
        if let Some(w) = &mut self.waiting {
            w.since = w.since.or(time);
        }
        self.drain(out);
        self.give_up_waiting(time, out);
    }

    /// The sender has sent all; this is the sequence number of its FIN.
    pub(crate) fn fin<S: Sink + ?Sized>(&mut self, seq: u32, time: Option<Time>, out: &mut Out<'_, S>) {
        if !self.known {
            (self.seq, self.known) = (seq, true);
        }
        let position = self.position(seq);
        if self.fin.is_none() && (position >= self.next || !self.anchored) {
            (self.fin, self.fin_time) = (Some(position), time);
        }
        self.drain(out);
    }

    /// Nothing more will come: hands over what waits, with its gaps.
    pub(crate) fn flush<S: Sink + ?Sized>(&mut self, out: &mut Out<'_, S>) {
        if !self.anchored && (self.waiting.is_some() || self.fin.is_some() || self.acked > 0) {
            self.settle_at_first();
        }
        while self.waiting.is_some() {
            self.skip_hole(Missing::Lost, out);
        }
        // What the receiver acknowledged was sent; of a single byte one cannot tell whether it was a FIN.
        let sent = self.fin.unwrap_or(if self.acked > self.next + 1 { self.acked } else { self.next });
        self.hand_over_gap(sent - self.next, Missing::Lost, out);
        self.drain(out);
    }

    /// Without a SYN: the stream begins with the first byte known of.
    fn settle_at_first(&mut self) {
        let first = self.waiting.as_ref().and_then(|w| w.chunks.keys().next()).copied();
        self.settle(first.unwrap_or(0).min(0));
    }

    /// Keeps what of the chunk is not there yet.
    fn keep<S: Sink + ?Sized>(&mut self, position: i64, chunk: Chunk, out: &mut Out<'_, S>) {
        let end = position + chunk.len();
        let mut from = if self.anchored { position.max(self.next) } else { position };
        if from >= end {
            return;
        }
        let waiting = self.waiting.get_or_insert_default();
        while from < end {
            // The chunk that covers `from` or, if none does, the next one behind it.
            let before = waiting.chunks.range(..=from).next_back().map(|(p, c)| (*p, p + c.len()));
            if let Some((known_from, known_to)) = before.filter(|(_, to)| *to > from) {
                let same = waiting
                    .chunks
                    .get(&known_from)
                    .is_none_or(|known| agree((known_from, known), (position, &chunk)));
                if let (false, Chunk::Bytes { at, .. }) = (same, &chunk) {
                    out.problems.add(*at, "TCP segments that overlap and disagree; the first one counts");
                }
                from = known_to;
                continue;
            }
            let next = waiting.chunks.range(from..).next().map_or(end, |(p, _)| (*p).min(end));
            let part = chunk.part((from - position) as usize, (next - position) as usize);
            waiting.cost += part.cost();
            *out.waiting += part.cost();
            waiting.chunks.insert(from, part);
            from = next;
        }
        if waiting.chunks.is_empty() {
            self.waiting = None;
        }
    }

    /// Hands over what waits and is in order now.
    fn drain<S: Sink + ?Sized>(&mut self, out: &mut Out<'_, S>) {
        while self.anchored
            && let Some(waiting) = &mut self.waiting
        {
            let Some(first) = waiting.chunks.first_entry() else {
                self.forget(out);
                break;
            };
            let (position, end) = (*first.key(), *first.key() + first.get().len());
            if position > self.next {
                break;
            }
            let chunk = first.remove();
            waiting.cost -= chunk.cost();
            *out.waiting -= chunk.cost();
            let known = (self.next - position).max(0) as usize;
            match chunk {
                _ if end <= self.next => {}
                Chunk::Bytes { bytes, at, time } => {
                    let new = bytes.get(known..).unwrap_or_default();
                    self.hand_over(new, at + known as u64, time, out);
                }
                Chunk::Cut(n) => self.hand_over_gap(n as i64 - known as i64, Missing::Cut, out),
            }
            if let Some(waiting) = &mut self.waiting {
                waiting.since = waiting.chunks.first_key_value().and_then(|(_, c)| c.time());
            }
        }
        if self.anchored && !self.finished && self.fin == Some(self.next) {
            self.finished = true;
            out.finished(self.fin_time);
        }
    }

    fn forget<S: Sink + ?Sized>(&mut self, out: &mut Out<'_, S>) {
        if let Some(waiting) = self.waiting.take() {
            *out.waiting -= waiting.cost;
        }
    }

    /// Gives up a hole that nothing can be expected to fill, or that costs too much.
    fn give_up_waiting<S: Sink + ?Sized>(&mut self, now: Option<Time>, out: &mut Out<'_, S>) {
        while let Some(waiting) = &self.waiting {
            let first = waiting.chunks.keys().next().copied().unwrap_or(self.next);
            let waited = match (now, waiting.since) {
                (Some(Time(now)), Some(Time(since))) => now.saturating_sub(since).max(0) as u64,
                _ => 0,
            };
            let too_long = out.limits.patience.is_some_and(|p| waited >= p);
            let too_much = waiting.cost > out.limits.waiting_per_stream || *out.waiting > out.limits.waiting;
            match self.anchored {
                _ if too_much => {
                    let at = match waiting.chunks.first_key_value() {
                        Some((_, Chunk::Bytes { at, .. })) => *at,
                        _ => out.base.start,
                    };
                    out.problems.add(at, "missing bytes of a stream are not waited for any longer");
                    self.skip_hole(Missing::Lost, out);
                }
                false if too_long => {
                    self.settle_at_first();
                    self.drain(out);
                }
                true if too_long && self.acked >= first => self.skip_hole(Missing::Lost, out),
                _ => break,
            }
        }
    }

    /// Makes a gap of the hole before what waits, and hands over what follows.
    fn skip_hole<S: Sink + ?Sized>(&mut self, why: Missing, out: &mut Out<'_, S>) {
        if !self.anchored {
            self.settle_at_first();
        }
        let first = self.waiting.as_ref().and_then(|w| w.chunks.keys().next()).copied();
        self.hand_over_gap(first.unwrap_or(self.next) - self.next, why, out);
        self.drain(out);
    }

    fn hand_over<S: Sink + ?Sized>(
        &mut self,
        bytes: &[u8],
        at: u64,
        time: Option<Time>,
        out: &mut Out<'_, S>,
    ) {
        if bytes.is_empty() {
            return;
        }
        let offset = (self.next - self.start) as u64;
        let span = Span { start: at, end: at + bytes.len() as u64, ..out.base };
        out.data(Data { offset, bytes, span, time });
        self.advance(bytes.len() as i64);
    }

    fn hand_over_gap<S: Sink + ?Sized>(&mut self, len: i64, why: Missing, out: &mut Out<'_, S>) {
        if len <= 0 {
            return;
        }
        let offset = (self.next - self.start) as u64;
        out.gap(Gap { offset, len: len as u64, why });
        self.advance(len);
    }

    fn advance(&mut self, by: i64) {
        self.next += by;
        self.seq = self.seq.wrapping_add(by as u32);
    }
}

impl Chunk {
    fn part(&self, from: usize, to: usize) -> Chunk {
        match self {
            Chunk::Bytes { bytes, at, time } => {
                let bytes = bytes.get(from..to).unwrap_or_default().into();
                Chunk::Bytes { bytes, at: at + from as u64, time: *time }
            }
            Chunk::Cut(_) => Chunk::Cut((to - from) as u64),
        }
    }

    fn time(&self) -> Option<Time> {
        match self {
            Chunk::Bytes { time, .. } => *time,
            Chunk::Cut(_) => None,
        }
    }
}

/// Whether two chunks hold the same bytes where they overlap.
fn agree(a: (i64, &Chunk), b: (i64, &Chunk)) -> bool {
    let ((a_at, Chunk::Bytes { bytes: a, .. }), (b_at, Chunk::Bytes { bytes: b, .. })) = (a, b) else {
        return true;
    };
    let from = a_at.max(b_at);
    let to = (a_at + a.len() as i64).min(b_at + b.len() as i64);
    let part = |at: i64, bytes: &[u8]| {
        let range = (from - at).max(0) as usize..(to - at).max(0) as usize;
        bytes.get(range).map(<[u8]>::to_vec)
    };
    part(a_at, a) == part(b_at, b)
}
