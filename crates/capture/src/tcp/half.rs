//! One direction of a connection: segments in any order to a stream.
//!
//! Sequence numbers become *positions*: 64-bit, counted from the first sequence number known of the stream, so that
//! they neither wrap around nor have to begin at the stream's first byte. What arrives out of order waits; of bytes
//! that arrive twice the first ones count. A hole becomes a gap once nothing can be expected to fill it.
//!
//! The two directions are held against each other: a segment acknowledges what its sender had received, so it is not
//! handed over before that was. A response never overtakes its request, whatever the order in the capture.

use super::flow::{Side, Who};
use super::history::History;
use super::waiting::{Chunk, Waiting, What};
use crate::bytes::Bytes;
use crate::problem::Problems;
use crate::sink::{Data, Gap, Missing, Sink, Time};
use why401_span::Span;

/// Where things go that are in order, and what may be kept.
pub(crate) struct Out<'a, S: ?Sized> {
    pub(crate) sink: &'a mut S,
    pub(crate) problems: &'a mut Problems,
    /// Bytes that wait in all streams together.
    pub(crate) waiting: &'a mut usize,
    pub(crate) history: &'a mut History,
    pub(crate) base: Span,
    pub(crate) who: &'a mut Who,
    pub(crate) side: Side,
}

/// The bytes of a segment, and where in the streams they belong.
pub(crate) struct Arrival<'a> {
    pub(crate) position: i64,
    pub(crate) payload: Bytes<'a>,
    /// How many bytes behind `payload` were not captured.
    pub(crate) missing: usize,
    pub(crate) time: Option<Time>,
    /// The position that the sender had received of the other direction.
    pub(crate) needs: i64,
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
    /// Once a FIN was seen. Most connections that are open have none, so it has memory of its own.
    fin: Option<Box<Fin>>,
    /// `seq` means something.
    pub(crate) known: bool,
    /// `start` is known, or was settled.
    anchored: bool,
    /// The FIN was handed over.
    pub(crate) finished: bool,
    waiting: Option<Box<Waiting>>,
}

/// The end of a direction.
#[derive(Debug)]
struct Fin {
    /// Behind the last byte.
    position: i64,
    time: Option<Time>,
}

const DISAGREE: &str = "TCP segments that overlap and disagree; the first one counts";
/// What is further away is no acknowledgement of this stream.
const PLAUSIBLE: i64 = 1 << 28;

impl Half {
    /// The position of a sequence number, taken as the one closest to what comes next.
    pub(crate) fn position(&self, seq: u32) -> i64 {
        self.next + self.distance(seq)
    }

    /// How far a sequence number is from what comes next.
    pub(crate) fn distance(&self, seq: u32) -> i64 {
        i64::from(seq.wrapping_sub(self.seq) as i32)
    }

    /// Makes `seq` the position 0 if nothing is known yet.
    pub(crate) fn refer(&mut self, seq: u32) {
        if !self.known {
            (self.seq, self.known) = (seq, true);
        }
    }

    /// Whether the sequence number belongs to what was handed over already or to the bytes right behind that.
    pub(crate) fn is_old(&self, seq: u32) -> bool {
        let position = self.position(seq);
        self.start - 1 <= position && position <= self.next + 1
    }

    /// Whether the stream begins with this sequence number, or may still turn out to.
    pub(crate) fn may_begin_with(&self, seq: u32) -> bool {
        const A_WINDOW: i64 = 16 << 20;
        let position = self.position(seq);
        let first = self.first_waiting().unwrap_or(position);
        match self.anchored {
            true => position == self.start,
            false => !self.known || (position <= first && position > -A_WINDOW),
        }
    }

    /// The position behind the last byte, once a FIN was seen.
    fn fin(&self) -> Option<i64> {
        self.fin.as_ref().map(|fin| fin.position)
    }

    /// Whether everything that the other side had received up to this position was handed over. The FIN counts one.
    fn reached(&self, position: i64) -> bool {
        self.fin().map_or(position, |fin| position.min(fin)) <= self.next + 1
    }

    fn first_waiting(&self) -> Option<i64> {
        self.waiting.as_ref()?.first().map(|(at, _)| at)
    }

    /// The stream begins with this sequence number (the one behind its SYN).
    pub(crate) fn anchor(&mut self, seq: u32) {
        self.refer(seq);
        if !self.anchored {
            self.settle(self.position(seq));
        }
    }

    /// `position` is where the stream begins.
    fn settle(&mut self, position: i64) {
        self.seq = self.seq.wrapping_add((position - self.next) as u32);
        (self.start, self.next, self.anchored) = (position, position, true);
        self.acked = self.acked.max(position);
    }

    /// Without a SYN: the stream begins with the first byte known of.
    fn settle_at_first(&mut self) {
        self.settle(self.first_waiting().unwrap_or(0).min(0));
    }

    /// The receiver has everything before this sequence number; gives its position.
    pub(crate) fn acknowledge(&mut self, seq: u32) -> i64 {
        self.refer(seq);
        if self.distance(seq) > PLAUSIBLE {
            return self.acked;
        }
        let position = self.position(seq);
        self.acked = self.acked.max(position);
        position
    }

    /// Takes in the bytes of a segment; what can be handed over at once is.
    pub(crate) fn arrive<S: Sink + ?Sized>(
        &mut self,
        mut a: Arrival<'_>,
        other: &Half,
        out: &mut Out<'_, S>,
    ) {
        if let Some(fin) = self.fin() {
            let there = (fin - a.position).max(0) as usize;
            a.missing = a.missing.min(there.saturating_sub(a.payload.len()));
            a.payload = a.payload.truncated(there);
        }
        let end = a.position + (a.payload.len() + a.missing) as i64;
        if self.anchored && a.position < self.next {
            self.compare(&a, out);
            if end <= self.next {
                return;
            }
        }
        let ready = self.waiting.is_none() && self.anchored && a.position <= self.next;
        if ready && other.reached(a.needs) {
            let known = (self.next - a.position) as usize;
            a.missing -= known.saturating_sub(a.payload.len()).min(a.missing);
            let new = a.payload.skip(known.min(a.payload.len()));
            for (bytes, at) in new.map(|()| a.payload.runs()).into_iter().flatten() {
                self.hand_over(bytes, at, a.time, out);
            }
            self.hand_over_gap(a.missing as i64, Missing::Cut, out);
            return;
        }
        let (time, needs) = (a.time, a.needs);
        let mut position = a.position;
        for (bytes, at) in a.payload.runs() {
            self.keep(position, Chunk { what: What::Bytes(bytes.into(), at), time, needs }, out);
            position += bytes.len() as i64;
        }
        if a.missing > 0 {
            self.keep(position, Chunk { what: What::Cut(a.missing as u64), time, needs }, out);
        }
    }

    /// Holds what was handed over against what came again.
    fn compare<S: Sink + ?Sized>(&self, a: &Arrival<'_>, out: &mut Out<'_, S>) {
        // RFC 9293, section 3.8.4: a keep-alive may carry one byte of garbage.
        if a.payload.len() > 1 && !out.history.agrees(out.who.id, out.side, a.position, a.payload.data()) {
            out.problems.add(a.payload.offset(), DISAGREE);
        }
    }

    fn keep<S: Sink + ?Sized>(&mut self, position: i64, chunk: Chunk, out: &mut Out<'_, S>) {
        let from = if self.anchored { position.max(self.next) } else { position };
        let waiting = self.waiting.get_or_insert_default();
        let before = waiting.cost;
        let agrees = waiting.keep(position, from, &chunk);
        *out.waiting += waiting.cost - before;
        if let (false, What::Bytes(_, at)) = (agrees, &chunk.what) {
            out.problems.add(*at, DISAGREE);
        }
        if waiting.is_empty() {
            self.waiting = None;
        }
    }

    /// The sender has sent all; this is the position of its FIN.
    pub(crate) fn end(&mut self, position: i64, time: Option<Time>) {
        if self.fin.is_none() && (position >= self.next || !self.anchored) {
            self.fin = Some(Box::new(Fin { position, time }));
        }
    }

    /// Hands over what waits and is in order now; says whether there was any.
    pub(crate) fn drain<S: Sink + ?Sized>(&mut self, other: &Half, out: &mut Out<'_, S>) -> bool {
        let mut any = false;
        while self.anchored
            && let Some((position, first)) = self.waiting.as_ref().and_then(|w| w.first())
            && position <= self.next
            && other.reached(first.needs)
        {
            any = self.hand_over_first(out);
        }
        if self.anchored && !self.finished && self.fin() == Some(self.next) {
            self.finished = true;
            out.finished(self.fin.as_ref().and_then(|fin| fin.time));
        }
        any
    }

    /// Since when the first of what waits does so; `None` if nothing waits.
    pub(crate) fn waits_since(&self) -> Option<Option<Time>> {
        Some(self.waiting.as_ref()?.first()?.1.time)
    }

    /// Whether something is still to be handed over or waited for.
    pub(crate) fn is_unsettled(&self) -> bool {
        self.waiting.is_some() || (self.fin.is_some() && !self.finished)
    }

    /// What the waiting parts cost.
    pub(crate) fn cost(&self) -> usize {
        self.waiting.as_ref().map_or(0, |w| w.cost)
    }

    /// Gives up what the first waiting part waits for; says whether that could be done. Without `force`, only bytes
    /// are given up that the receiver has, so that they will not be sent again.
    pub(crate) fn give_up<S: Sink + ?Sized>(
        &mut self,
        other: &mut Half,
        force: bool,
        out: &mut Out<'_, S>,
    ) -> bool {
        let Some((position, first)) = self.waiting.as_ref().and_then(|w| w.first()) else { return false };
        let needs = first.needs;
        if !self.anchored {
            self.settle_at_first();
        } else if position > self.next {
            if !force && self.acked < position {
                return false;
            }
            self.hand_over_gap(position - self.next, Missing::Lost, out);
        } else if !other.anchored {
            other.settle_at_first();
        } else if other.first_waiting().is_some_and(|at| at <= other.next) {
            // Each waits for the other, as no honest sender makes them.
            self.hand_over_first(out);
        } else {
            let to = other.first_waiting().unwrap_or(needs).min(needs);
            let to = other.fin().map_or(to, |fin| to.min(fin));
            out.side = out.side.other();
            other.hand_over_gap(to - other.next, Missing::Lost, out);
            out.side = out.side.other();
        }
        true
    }

    /// Nothing more will come, and nothing waits: makes a gap of what the receiver has and the capture has not.
    pub(crate) fn finish<S: Sink + ?Sized>(&mut self, out: &mut Out<'_, S>) {
        if !self.anchored && (self.fin.is_some() || self.acked > 0) {
            self.settle_at_first();
        }
        if self.anchored {
            // Of a single byte one cannot tell whether it was a FIN.
            let sent = self.fin().unwrap_or(if self.acked > self.next + 1 { self.acked } else { self.next });
            self.hand_over_gap(sent - self.next, Missing::Lost, out);
        }
    }

    fn hand_over_first<S: Sink + ?Sized>(&mut self, out: &mut Out<'_, S>) -> bool {
        let Some(waiting) = &mut self.waiting else { return false };
        let before = waiting.cost;
        let Some((position, chunk)) = waiting.take_first() else { return false };
        *out.waiting -= before - waiting.cost;
        if waiting.is_empty() {
            self.waiting = None;
        }
        let known = (self.next - position).max(0) as usize;
        match chunk.what {
            What::Bytes(bytes, at) => {
                let new = bytes.get(known..).unwrap_or_default();
                self.hand_over(new, at + known as u64, chunk.time, out);
            }
            What::Cut(n) => self.hand_over_gap(n as i64 - known as i64, Missing::Cut, out),
        }
        true
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
        out.history.remember(out.who.id, out.side, self.next, bytes);
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
