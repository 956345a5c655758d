//! The streams of one side, each in order.

use super::assembly::Assembly;
use std::collections::{BTreeMap, BTreeSet};

/// More streams are not followed at one time.
const MOST_OPEN: usize = 1000;
/// More than this does not wait for bytes that are missing.
const MOST_HELD: usize = 512 << 10;
/// After so many packets without them, bytes that are missing are not waited for any more: a sender repeats what was
/// lost within a few round trips.
const PATIENCE: u64 = 4096;

/// What one stream gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    Bytes(&'a [u8]),
    /// So many bytes are missing here (0: an unknown number).
    Missing(u64),
    End,
}

#[derive(Debug, Default)]
struct Open {
    assembly: Assembly,
    /// Since which packet it waits.
    since: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Streams {
    open: BTreeMap<u64, Open>,
    over: Over,
    held: usize,
    packets: u64,
}

impl Streams {
    /// How many bytes wait for missing ones, with what keeping them costs.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// A STREAM frame.
    pub(crate) fn frame(
        &mut self,
        stream: u64,
        offset: u64,
        bytes: &[u8],
        end: bool,
        out: &mut dyn FnMut(u64, Piece<'_>),
    ) {
        if !self.open.contains_key(&stream) {
            if self.over.contains(stream) {
                return;
            }
            self.make_room(out);
        }
        let open = self.open.entry(stream).or_default();
        let mut progress = false;
        let change = open.assembly.push(offset, bytes, end, &mut |bytes| {
            progress = true;
            out(stream, Piece::Bytes(bytes));
        });
        if progress || open.since == 0 {
            open.since = self.packets;
        }
        let over = open.assembly.is_over();
        self.held = self.held.saturating_add_signed(change);
        if over {
            self.end(stream);
            out(stream, Piece::End);
        }
        while self.held > MOST_HELD {
            let waiting = self.open.iter().find(|(_, open)| open.assembly.waits());
            let Some(stream) = waiting.map(|(stream, _)| *stream) else { break };
            self.give_up(stream, out);
        }
    }

    /// A stream was given up by its sender; says whether that is news.
    pub(crate) fn reset(&mut self, stream: u64) -> bool {
        let news = self.open.contains_key(&stream) || !self.over.contains(stream);
        self.end(stream);
        news
    }

    /// A packet was read.
    pub(crate) fn packet(&mut self, out: &mut dyn FnMut(u64, Piece<'_>)) {
        self.packets += 1;
        if self.packets.is_multiple_of(PATIENCE / 4) {
            let late = |open: &Open| open.assembly.waits() && open.since + PATIENCE < self.packets;
            let late: Vec<u64> = self.open.iter().filter(|(_, o)| late(o)).map(|(s, _)| *s).collect();
            late.into_iter().for_each(|stream| self.give_up(stream, out));
        }
    }

    /// Nothing is waited for any more.
    pub(crate) fn finish(&mut self, out: &mut dyn FnMut(u64, Piece<'_>)) {
        let all: Vec<u64> = self.open.keys().copied().collect();
        for stream in all {
            while self.open.get(&stream).is_some_and(|open| open.assembly.waits()) {
                self.give_up(stream, out);
            }
            // An end that was seen behind bytes that were not.
            self.give_up(stream, out);
        }
    }

    /// Goes on behind the bytes that a stream waits for.
    fn give_up(&mut self, stream: u64, out: &mut dyn FnMut(u64, Piece<'_>)) {
        let Some(open) = self.open.get_mut(&stream) else { return };
        let before = open.assembly.held();
        let missing = open.assembly.skip();
        if missing > 0 {
            out(stream, Piece::Missing(missing));
            open.assembly.resume(&mut |bytes| out(stream, Piece::Bytes(bytes)));
        }
        open.since = self.packets;
        self.held = (self.held + open.assembly.held()).saturating_sub(before);
        if open.assembly.is_over() {
            self.end(stream);
            out(stream, Piece::End);
        }
    }

    fn end(&mut self, stream: u64) {
        if let Some(open) = self.open.remove(&stream) {
            self.held = self.held.saturating_sub(open.assembly.held());
        }
        self.over.insert(stream);
    }

    /// Lets go of the oldest request, never of the streams that whole connections need (RFC 9000, section 2.1: the
    /// second bit of their number tells them).
    fn make_room(&mut self, out: &mut dyn FnMut(u64, Piece<'_>)) {
        if self.open.len() >= MOST_OPEN {
            let oldest = self.open.keys().find(|s| *s & 2 == 0).or(self.open.keys().next()).copied();
            if let Some(oldest) = oldest {
                self.end(oldest);
                out(oldest, Piece::Missing(0));
                out(oldest, Piece::End);
            }
        }
    }
}

/// The streams that are over, by their four kinds: all below a number, and some beyond it.
#[derive(Debug, Default)]
struct Over {
    kinds: [(u64, BTreeSet<u64>); 4],
}

impl Over {
    fn contains(&self, stream: u64) -> bool {
        let number = stream >> 2;
        let kind = self.kinds.get((stream & 3) as usize);
        kind.is_some_and(|(below, beyond)| number < *below || beyond.contains(&number))
    }

    fn insert(&mut self, stream: u64) {
        let number = stream >> 2;
        let Some((below, beyond)) = self.kinds.get_mut((stream & 3) as usize) else { return };
        if number >= *below {
            beyond.insert(number);
        }
        if beyond.len() > MOST_OPEN
            && let Some(first) = beyond.pop_first()
        {
            *below = first + 1;
        }
        while beyond.remove(below) {
            *below += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(streams: &mut Streams, frames: &[(u64, u64, &[u8], bool)]) -> Vec<String> {
        let mut said = Vec::new();
        for (stream, offset, bytes, end) in frames {
            streams.frame(*stream, *offset, bytes, *end, &mut |s, piece| said.push(format!("{s} {piece:?}")));
        }
        said
    }

    #[test]
    fn what_is_over_is_not_said_again() {
        let mut s = Streams::default();
        assert_eq!(said(&mut s, &[(0, 0, b"a", true), (0, 0, b"a", true)]), ["0 Bytes([97])", "0 End"]);
        assert!(!s.reset(0) && s.reset(4) && !s.reset(4));
        assert!(said(&mut s, &[(4, 0, b"a", true)]).is_empty());
        for n in 0..5 * MOST_OPEN as u64 {
            assert_eq!(said(&mut s, &[(n * 8 + 1, 0, b"", true)]).len(), 1);
        }
        assert!(s.over.kinds[1].1.len() <= MOST_OPEN && s.over.contains(1));
    }

    #[test]
    fn memory_is_bounded_whatever_is_missing() {
        let mut s = Streams::default();
        let piece = [7; 1000];
        let mut missing = 0;
        for n in 0..3000 {
            s.frame(n % 50 * 4, 1 + n * 2000, &piece, false, &mut |_, p| {
                missing += u32::from(matches!(p, Piece::Missing(_)));
            });
            assert!(s.held <= MOST_HELD);
        }
        assert!(missing > 0);
        for n in 0..3 * MOST_OPEN as u64 {
            s.frame(n * 4, 5, b"x", false, &mut |_, _| {});
        }
        assert!(s.open.len() <= MOST_OPEN);
        s.finish(&mut |_, _| {});
        assert_eq!(s.held, 0);
    }

    #[test]
    fn after_long_enough_nothing_is_waited_for() {
        let mut s = Streams::default();
        assert!(said(&mut s, &[(0, 5, b"x", true)]).is_empty());
        let mut pieces = Vec::new();
        for _ in 0..2 * PATIENCE {
            s.packet(&mut |stream, piece| pieces.push(format!("{stream} {piece:?}")));
        }
        assert_eq!(pieces, ["0 Missing(5)", "0 Bytes([120])", "0 End"]);
    }
}
