//! IP datagrams that came in fragments.

use crate::bytes::{Bytes, Run};
use crate::dissect::{Dissector, Packet};
use crate::ip::Addresses;
use crate::sink::{Sink, Time};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Which datagram a fragment belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) addresses: Addresses,
    pub(crate) id: u32,
    pub(crate) protocol: u8,
}

/// Where in its datagram a fragment belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fragment {
    pub(crate) offset: usize,
    pub(crate) more: bool,
}

#[derive(Debug)]
struct Piece {
    bytes: Vec<u8>,
    runs: Vec<Run>,
    /// Bytes at its end that were not captured.
    missing: usize,
}

#[derive(Debug, Default)]
struct Partial {
    pieces: BTreeMap<usize, Piece>,
    total: Option<usize>,
    /// How much all pieces cover, what overlaps counted twice.
    covered: usize,
    time: Option<Time>,
    tunnels: u8,
    number: u64,
}

/// Fragments that wait for the rest of their datagram.
#[derive(Debug, Default)]
pub(crate) struct Fragments {
    waiting: HashMap<Key, Partial>,
    /// Oldest first; a datagram that was completed since is told by its number.
    order: VecDeque<(Key, u64)>,
    bytes: usize,
    begun: u64,
}

/// A fragment's costs beside its bytes.
const OVERHEAD: usize = 200;

impl Partial {
    fn size(&self) -> usize {
        self.pieces.values().map(|p| p.bytes.len() + OVERHEAD).sum()
    }

    /// The bytes from the beginning up to the first hole, where they stand, and whether that is all.
    fn front(&self) -> (Vec<u8>, Vec<Run>, bool) {
        let (mut bytes, mut runs) = (Vec::new(), Vec::new());
        for (offset, piece) in &self.pieces {
            if *offset > bytes.len() {
                break;
            }
            let known = bytes.len() - offset;
            let Some(new) = piece.bytes.get(known..) else { continue };
            let mut part = Bytes::of_runs(&piece.bytes, &piece.runs);
            if part.skip(known).is_none() {
                continue;
            }
            runs.extend(part.runs().map(|(run, at)| Run { len: run.len(), at }));
            bytes.extend_from_slice(new);
            if piece.missing > 0 {
                break;
            }
        }
        let whole = self.total.is_some_and(|t| bytes.len() >= t);
        (bytes, runs, whole)
    }

    fn complete(&self) -> bool {
        // Looking through all pieces whenever one comes would take quadratic time.
        let Some(total) = self.total.filter(|total| *total <= self.covered) else { return false };
        let mut reached = 0;
        for (offset, piece) in &self.pieces {
            if *offset > reached {
                return false;
            }
            reached = reached.max(offset + piece.bytes.len() + piece.missing);
        }
        reached >= total
    }
}

impl<S: Sink + ?Sized> Dissector<'_, S> {
    /// Keeps a fragment, and hands over its datagram when that is complete.
    pub(crate) fn fragment(&mut self, key: Key, place: Fragment, p: Packet<'_>) -> Option<()> {
        let at = p.bytes.offset();
        let end = place.offset + p.bytes.len() + p.missing;
        if end > 65_535 || (place.more && !(p.bytes.len() + p.missing).is_multiple_of(8)) {
            self.problem(at, "an IP fragment of a length or at an offset that cannot be");
            return Some(());
        }
        let fragments = &mut self.state.fragments;
        let begun = &mut fragments.begun;
        let partial = fragments.waiting.entry(key).or_insert_with(|| {
            *begun += 1;
            fragments.order.push_back((key, *begun));
            Partial { number: *begun, time: p.time, tunnels: p.tunnels, ..Partial::default() }
        });
        let known = partial.pieces.get(&place.offset);
        if known.is_some_and(|k| k.bytes.as_slice() != p.bytes.data() && k.missing == p.missing) {
            self.state.problems.add(at, "IP fragments that overlap and disagree; the first one counts");
        }
        let partial = fragments.waiting.get_mut(&key)?;
        if !place.more {
            partial.total.get_or_insert(end);
        }
        if let Entry::Vacant(free) = partial.pieces.entry(place.offset) {
            fragments.bytes += p.bytes.len() + OVERHEAD;
            partial.covered += p.bytes.len() + p.missing;
            let runs = p.bytes.runs().map(|(run, at)| Run { len: run.len(), at }).collect();
            let bytes = p.bytes.data().to_vec();
            free.insert(Piece { bytes, runs, missing: p.missing });
        }
        if partial.complete() {
            self.datagram_done(key);
        }
        while self.state.fragments.bytes > self.state.limits.fragments {
            let Some((oldest, number)) = self.state.fragments.order.pop_front() else { break };
            if self.state.fragments.waiting.get(&oldest).is_some_and(|w| w.number == number) {
                self.state.problems.add(at, "IP fragments were given up for the limit of memory");
                self.datagram_done(oldest);
            }
        }
        // Entries of completed datagrams are dropped now and then.
        let fragments = &mut self.state.fragments;
        if fragments.order.len() > 2 * fragments.waiting.len() + 1024 {
            let waiting = &fragments.waiting;
            fragments.order.retain(|(key, n)| waiting.get(key).is_some_and(|w| w.number == *n));
        }
        Some(())
    }

    /// Hands over what there is of a datagram.
    fn datagram_done(&mut self, key: Key) {
        let Some(partial) = self.state.fragments.waiting.remove(&key) else { return };
        self.state.fragments.bytes = self.state.fragments.bytes.saturating_sub(partial.size());
        let (bytes, runs, whole) = partial.front();
        if bytes.is_empty() {
            return;
        }
        let bytes_there = match partial.total {
            Some(total) => Bytes::of_runs(&bytes, &runs).truncated(total),
            None => Bytes::of_runs(&bytes, &runs),
        };
        let missing = if whole { 0 } else { partial.total.unwrap_or(0).saturating_sub(bytes.len()) };
        let p = Packet {
            bytes: bytes_there,
            missing,
            time: partial.time,
            tunnels: partial.tunnels,
            fragmented: true,
        };
        self.transport(key.protocol, key.addresses, p);
    }

    /// Hands over what there is of every datagram that never became complete.
    pub(crate) fn give_up_fragments(&mut self) {
        while let Some((key, number)) = self.state.fragments.order.pop_front() {
            let waiting = self.state.fragments.waiting.get(&key).filter(|w| w.number == number);
            if let Some((_, piece)) = waiting.and_then(|w| w.pieces.first_key_value()) {
                let at = piece.runs.first().map_or(0, |r| r.at);
                self.problem(at, "an IP datagram of which fragments are missing");
                self.datagram_done(key);
            }
        }
    }
}
