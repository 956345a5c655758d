//! What was handed over lately, to hold what comes again against it.

use super::flow::Side;
use crate::sink::ConnectionId;
use std::collections::VecDeque;

/// Bytes that are remembered, of all streams together: enough for what is sent again within a round trip, and for the
/// whole of a small capture.
const BYTES: usize = 1 << 20;
/// Segments that are remembered.
const SEGMENTS: usize = 4096;
/// Of one segment, so much: what disagrees does so at its beginning, and copying everything would take as long as all the
/// rest.
const OF_ONE: usize = 256;

/// What was handed over lately.
#[derive(Debug, Default)]
pub(crate) struct History {
    ring: Vec<u8>,
    /// How many bytes were put in ever; those of the last round are there.
    written: u64,
    segments: VecDeque<Segment>,
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    id: ConnectionId,
    side: Side,
    position: i64,
    len: usize,
    /// Where its bytes begin, counted as `written` is.
    at: u64,
}

impl History {
    /// Remembers the bytes at `position` of a stream.
    pub(crate) fn remember(&mut self, id: ConnectionId, side: Side, position: i64, bytes: &[u8]) {
        let room = BYTES - (self.written % BYTES as u64) as usize;
        let bytes = bytes.get(..OF_ONE).unwrap_or(bytes);
        if bytes.len() > room {
            // A segment never goes around the end.
            self.written += room as u64;
        }
        let at = (self.written % BYTES as u64) as usize;
        if self.ring.len() < at + bytes.len() {
            self.ring.resize(at + bytes.len(), 0);
        }
        if let Some(to) = self.ring.get_mut(at..at + bytes.len()) {
            to.copy_from_slice(bytes);
        }
        if self.segments.len() >= SEGMENTS {
            self.segments.pop_front();
        }
        self.segments.push_back(Segment { id, side, position, len: bytes.len(), at: self.written });
        self.written += bytes.len() as u64;
    }

    /// Whether the bytes at `position` of a stream are the same as before, as far as that is remembered.
    pub(crate) fn agrees(&self, id: ConnectionId, side: Side, position: i64, bytes: &[u8]) -> bool {
        let oldest = self.written.saturating_sub(BYTES as u64);
        let end = position + bytes.len() as i64;
        let kept = self.segments.iter().rev().take_while(|s| s.at >= oldest);
        for s in kept.filter(|s| s.id == id && s.side == side) {
            let (from, to) = (s.position.max(position), (s.position + s.len as i64).min(end));
            if from < to {
                let then = (s.at % BYTES as u64) as usize + (from - s.position) as usize;
                let (now, len) = ((from - position) as usize, (to - from) as usize);
                if self.ring.get(then..then + len) != bytes.get(now..now + len) {
                    return false;
                }
            }
            // A stream is handed over in order: what was remembered before stands before, and what is sent again was most
            // often sent just now.
            if s.position <= position {
                break;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_again_is_compared_wherever_it_is_cut() {
        let mut h = History::default();
        let id = ConnectionId(1);
        h.remember(id, Side::A, 0, b"abcd");
        h.remember(id, Side::A, 4, b"efgh");
        assert!(h.agrees(id, Side::A, 2, b"cdef"));
        assert!(!h.agrees(id, Side::A, 2, b"cdXf"));
        assert!(h.agrees(id, Side::B, 2, b"cdXf"));
        assert!(h.agrees(ConnectionId(2), Side::A, 2, b"cdXf"));
        for i in 0..5000 {
            h.remember(ConnectionId(3), Side::A, i * 1000, &[7; 1000]);
        }
        assert!(h.agrees(id, Side::A, 2, b"cdXf"), "forgotten");
        assert!(!h.agrees(ConnectionId(3), Side::A, 4_999_100, &[8; 100]));
        assert!(
            h.agrees(ConnectionId(3), Side::A, 4_999_500, &[8; 100]),
            "only the front of each is remembered"
        );
    }
}
