//! How much the conversations of a capture hold in memory, and whose turn it is to let go.

use std::collections::HashMap;
use why401_capture::ConnectionId;

/// What all conversations together may hold, by the estimate below.
const MOST: usize = 48 << 20;
/// A conversation holds no more than heads and the fronts of two bodies, however much was said.
const MOST_OF_ONE: usize = 192 << 10;
/// What each holds besides.
const BASE: usize = 2 << 10;

/// How much the conversations hold, estimated from what was said on each since it last gave an exchange.
#[derive(Debug, Default)]
pub(super) struct Held {
    of: HashMap<ConnectionId, One>,
    total: usize,
    now: u64,
}

#[derive(Debug, Clone, Copy)]
struct One {
    bytes: usize,
    used: u64,
}

impl Held {
    /// So much more was said on a connection; `gave` says whether exchanges came of it.
    pub(super) fn said(&mut self, id: ConnectionId, bytes: usize, gave: bool) {
        self.now += 1;
        let one = self.of.entry(id).or_insert(One { bytes: 0, used: 0 });
        self.total -= one.bytes;
        let before = if gave { BASE } else { one.bytes.max(BASE) };
        *one = One { bytes: (before + bytes).min(MOST_OF_ONE), used: self.now };
        self.total += one.bytes;
    }

    /// The connection is over.
    pub(super) fn over(&mut self, id: ConnectionId) {
        if let Some(one) = self.of.remove(&id) {
            self.total -= one.bytes;
        }
    }

    /// Where too much is held: the connections that have been silent longest and are to let go.
    pub(super) fn too_much(&mut self) -> Vec<ConnectionId> {
        if self.total <= MOST {
            return Vec::new();
        }
        let mut all: Vec<_> = self.of.iter().map(|(id, one)| (one.used, *id)).collect();
        all.sort_unstable();
        all.truncate(all.len().div_ceil(4));
        let ids: Vec<ConnectionId> = all.into_iter().map(|(_, id)| id).collect();
        ids.iter().for_each(|id| self.over(*id));
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_silent_let_go() {
        let mut held = Held::default();
        for i in 0..400 {
            held.said(ConnectionId(i), 1 << 20, false);
        }
        let freed = held.too_much();
        assert_eq!(freed, (0..100).map(ConnectionId).collect::<Vec<_>>());
        held.said(ConnectionId(100), 10, true);
        held.said(ConnectionId(5), 10, false);
        held.over(ConnectionId(101));
        while !held.too_much().is_empty() {}
        assert!(held.total <= MOST && held.of.contains_key(&ConnectionId(5)));
        (0..400).for_each(|i| held.over(ConnectionId(i)));
        assert_eq!(held.total, 0);
    }
}
