//! All connections that are followed at one time.

use super::Segment;
use super::flow::{Flow, Kept, Key, Side, Who};
use super::half::{Arrival, Half};
use super::history::History;
use super::index::Index;
use crate::dissect::State;
use crate::sink::{ConnectionId, Sink, Time};
use std::collections::VecDeque;

/// No connection: the end of the list by last use.
const NONE: u32 = u32::MAX;

/// All connections that are followed at one time, and the order in which they were last used.
#[derive(Debug)]
pub(crate) struct Flows {
    by_key: Index,
    slots: Vec<Option<Flow>>,
    free: Vec<u32>,
    oldest: u32,
    newest: u32,
    /// Connections that were reset, and when they are to be closed.
    closing: VecDeque<(Time, u32, ConnectionId)>,
    /// Connections that were closed, in order; the oldest are forgotten.
    closed: VecDeque<(u32, ConnectionId)>,
    waiting: usize,
    history: History,
    begun: u64,
    answered: u64,
}

/// Closed connections that are remembered.
const MOST_CLOSED: usize = 8192;
/// Beyond a quarter of the sequence space nothing can be said to belong together.
const FAR: i64 = 1 << 30;
/// The largest window that a receiver can announce (RFC 7323).
const LARGEST_WINDOW: i64 = 1 << 30;

impl Flows {
    pub(crate) fn new() -> Self {
        Flows {
            by_key: Index::default(),
            slots: Vec::new(),
            free: Vec::new(),
            oldest: NONE,
            newest: NONE,
            closing: VecDeque::new(),
            closed: VecDeque::new(),
            waiting: 0,
            history: History::default(),
            begun: 0,
            answered: 0,
        }
    }

    /// How many connections were met.
    pub(crate) fn begun(&self) -> u64 {
        self.begun
    }

    /// In how many of them both sides have sent something.
    pub(crate) fn answered(&self) -> u64 {
        self.answered
    }

    fn find(&self, key: &Key) -> Option<u32> {
        self.by_key.find(key, key_of(&self.slots))
    }

    fn get(&mut self, i: u32) -> Option<&mut Flow> {
        self.slots.get_mut(i as usize)?.as_mut()
    }

    fn unlink(&mut self, i: u32) {
        let Some((older, newer)) = self.get(i).map(|f| (f.older, f.newer)) else { return };
        match self.get(older) {
            Some(f) => f.newer = newer,
            None => self.oldest = newer,
        }
        match self.get(newer) {
            Some(f) => f.older = older,
            None => self.newest = older,
        }
    }

    fn link_newest(&mut self, i: u32) {
        let newest = self.newest;
        if let Some(f) = self.get(i) {
            (f.older, f.newer) = (newest, NONE);
        }
        match self.get(newest) {
            Some(f) => f.newer = i,
            None => self.oldest = i,
        }
        self.newest = i;
    }

    /// Keeps a closed connection for a while, so that what comes again of it is known as such.
    fn bury(&mut self, i: u32, id: ConnectionId) {
        self.unlink(i);
        self.link_oldest(i);
        self.closed.push_back((i, id));
        if self.closed.len() > MOST_CLOSED
            && let Some((i, id)) = self.closed.pop_front()
            && self.get(i).is_some_and(|f| f.who.id == id)
        {
            self.remove(i);
        }
    }

    /// What is closed makes room before all others.
    fn link_oldest(&mut self, i: u32) {
        let oldest = self.oldest;
        if let Some(f) = self.get(i) {
            (f.older, f.newer) = (NONE, oldest);
        }
        match self.get(oldest) {
            Some(f) => f.older = i,
            None => self.newest = i,
        }
        self.oldest = i;
    }

    fn touch(&mut self, i: u32) {
        if self.newest != i {
            self.unlink(i);
            self.link_newest(i);
        }
    }

    fn insert(&mut self, flow: Flow) -> u32 {
        let key = flow.who.key;
        let i = match self.free.pop() {
            Some(i) => i,
            None => {
                self.slots.push(None);
                (self.slots.len() - 1) as u32
            }
        };
        if let Some(slot) = self.slots.get_mut(i as usize) {
            *slot = Some(flow);
        }
        self.by_key.insert(&key, i, key_of(&self.slots));
        self.link_newest(i);
        i
    }

    fn remove(&mut self, i: u32) -> Option<Flow> {
        self.unlink(i);
        let flow = self.slots.get_mut(i as usize)?.take()?;
        self.by_key.remove(&flow.who.key, i);
        self.free.push(i);
        Some(flow)
    }
}

/// The addresses of the connections in these slots.
fn key_of<'a>(slots: &'a [Option<Flow>]) -> impl Fn(u32) -> Option<&'a Key> {
    |i| slots.get(i as usize)?.as_ref().map(|flow| &flow.who.key)
}

/// Takes in one segment.
pub(crate) fn segment<S: Sink + ?Sized>(state: &mut State, sink: &mut S, s: &Segment<'_>) {
    close_due(state, sink, s.time);
    let (key, side) = Key::of(s.from, s.to);
    let carries = !s.payload.is_empty() || s.missing > 0;
    let mut found = state.flows.find(&key);
    if let Some(i) = found
        && state.flows.get(i).is_some_and(|f| is_another(f, side, s, carries))
    {
        end(state, sink, i, false);
        found = None;
    }
    let i = match found {
        Some(i) => i,
        // An acknowledgement alone, or a reset, is nobody's beginning; a FIN may have overtaken what it ends.
        None if !s.syn && !s.fin && (!carries || is_keep_alive(s)) => return,
        None => begin(state, sink, key, side, s),
    };
    take_in(state, sink, i, side, s);
}

/// Whether a segment of the same addresses belongs to a later connection.
fn is_another(flow: &Flow, side: Side, s: &Segment<'_>, carries: bool) -> bool {
    let half = half(flow, side);
    if s.syn {
        let first = s.seq.wrapping_add(1);
        return !half.may_begin_with(first);
    }
    if !carries || !half.known {
        return false;
    }
    let distance = half.distance(s.seq);
    if flow.closed { !half.is_old(s.seq) } else { distance.abs() > FAR.min(LARGEST_WINDOW) }
}

fn half(flow: &Flow, side: Side) -> &Half {
    let [a, b] = &flow.halves;
    if side == Side::A { a } else { b }
}

/// RFC 9293, section 3.8.4: a keep-alive may carry one byte of garbage.
fn is_keep_alive(s: &Segment<'_>) -> bool {
    s.payload.data() == [0]
}

fn begin<S: Sink + ?Sized>(state: &mut State, sink: &mut S, key: Key, side: Side, s: &Segment<'_>) -> u32 {
    while state.flows.by_key.len() >= state.limits.connections.max(1) {
        let oldest = state.flows.oldest;
        let Some(closed) = state.flows.get(oldest).map(|f| f.closed) else { break };
        if !closed {
            let at = s.payload.offset();
            state.problems.add(at, "a connection was given up, as more are open than the limit allows");
        }
        end(state, sink, oldest, true);
    }
    let id = ConnectionId(state.flows.begun);
    state.flows.begun += 1;
    state.flows.insert(Flow {
        who: Who { id, key, start: s.time, client: None, from_start: false, first: side, open: false },
        last: s.time,
        halves: [Half::default(), Half::default()],
        reset: None,
        answered: false,
        closed: false,
        older: NONE,
        newer: NONE,
    })
}

fn take_in<S: Sink + ?Sized>(state: &mut State, sink: &mut S, i: u32, side: Side, s: &Segment<'_>) {
    let State { limits, problems, flows, base, .. } = state;
    if flows.get(i).is_none_or(|f| f.closed) {
        return;
    }
    flows.touch(i);
    let (mut waiting, mut history) = (flows.waiting, std::mem::take(&mut flows.history));
    let mut kept = Kept { limits, problems, waiting: &mut waiting, history: &mut history, base: *base };
    let Some(flow) = flows.slots.get_mut(i as usize).and_then(Option::as_mut) else { return };
    if side != flow.who.first && !flow.answered {
        flow.answered = true;
        flows.answered += 1;
    }
    flow.last = flow.last.max(s.time);
    if s.time < flow.who.start && s.time.is_some() {
        flow.who.start = s.time;
    }
    let mut seq = s.seq;
    if s.syn {
        seq = seq.wrapping_add(1);
        flow.who.from_start = true;
        flow.who.client.get_or_insert(if s.ack.is_some() { side.other() } else { side });
    }
    let (mine, other, who) = flow.split(side);
    if s.syn {
        mine.anchor(seq);
    }
    mine.refer(seq);
    let mut needs = i64::MIN;
    if let Some(ack) = s.ack.filter(|_| !s.rst) {
        if s.syn {
            other.anchor(ack);
        }
        needs = other.acknowledge(ack);
    }
    let (payload, missing, time) = (s.payload, s.missing, s.time);
    let position = mine.position(seq);
    let end = position + (payload.len() + missing) as i64;
    if end > position {
        let arrival = Arrival { position, payload, missing, time, needs };
        mine.arrive(arrival, other, &mut kept.out(sink, who, side));
    }
    if s.fin {
        mine.end(end, time);
    }
    if s.syn || flow.halves.iter().any(Half::is_unsettled) {
        flow.settle(Some(time), &mut kept, sink);
    }
    if flow.halves.iter().all(|h| h.finished) {
        flow.close(false, &mut kept, sink);
    }
    let newly_reset = s.rst && flow.reset.is_none() && !flow.closed;
    if newly_reset {
        flow.reset = Some(side);
    }
    let (closed, id) = (flow.closed, flow.who.id);
    (flows.waiting, flows.history) = (waiting, history);
    if closed {
        flows.bury(i, id);
    }
    if let (true, Some(Time(now)), Some(patience)) = (newly_reset, s.time, limits.patience) {
        flows.closing.push_back((Time(now.saturating_add_unsigned(patience)), i, id));
    }
}

/// Closes the connections that were reset long enough ago.
fn close_due<S: Sink + ?Sized>(state: &mut State, sink: &mut S, now: Option<Time>) {
    while let (Some(now), Some((due, i, id))) = (now, state.flows.closing.front().copied()) {
        if due > now {
            break;
        }
        state.flows.closing.pop_front();
        if state.flows.get(i).is_some_and(|f| f.who.id == id) {
            let closed = state.flows.get(i).is_none_or(|f| f.closed);
            close(state, sink, i, false);
            if !closed {
                state.flows.bury(i, id);
            }
        }
    }
}

fn close<S: Sink + ?Sized>(state: &mut State, sink: &mut S, i: u32, evicted: bool) {
    let State { limits, problems, flows, base, .. } = state;
    let (mut waiting, mut history) = (flows.waiting, std::mem::take(&mut flows.history));
    let mut kept = Kept { limits, problems, waiting: &mut waiting, history: &mut history, base: *base };
    if let Some(flow) = flows.get(i) {
        flow.close(evicted, &mut kept, sink);
    }
    (flows.waiting, flows.history) = (waiting, history);
}

fn end<S: Sink + ?Sized>(state: &mut State, sink: &mut S, i: u32, evicted: bool) {
    close(state, sink, i, evicted);
    state.flows.remove(i);
}

/// The capture has ended: closes some of the connections, in the order in which they began; says whether there were any. What
/// is told of all at once would be much to keep.
pub(crate) fn finish<S: Sink + ?Sized>(state: &mut State, sink: &mut S) -> bool {
    const SOME: usize = 8192;
    let mut open: Vec<(ConnectionId, u32)> =
        (0..).zip(&state.flows.slots).filter_map(|(i, f)| f.as_ref().map(|f| (f.who.id, i))).collect();
    if open.len() > SOME {
        open.select_nth_unstable(SOME);
        open.truncate(SOME);
    }
    open.sort_unstable();
    for (_, i) in &open {
        end(state, sink, *i, false);
    }
    !open.is_empty()
}
