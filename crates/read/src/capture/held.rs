//! How much the conversations of a capture hold in memory, and whose turn it is to let go.

use std::hash::{BuildHasher, Hasher};
use why401_capture::ConnectionId;

/// What all conversations together may hold, by the estimate below.
const MOST: usize = 12 << 20;
/// A conversation holds no more than heads and the fronts of two bodies, however much was said.
const MOST_OF_ONE: usize = 192 << 10;
/// What each holds besides.
const BASE: usize = 4 << 10;
/// What all may hold that have let go and cannot be taken up again without what they hold: keys, the fields that HTTP/2
/// refers to, a tunnel.
const MOST_REST: usize = 36 << 20;

/// How much the conversations hold, estimated from what was said on each since it last gave an exchange.
#[derive(Debug, Default)]
pub(super) struct Held {
    total: usize,
    rest: usize,
    now: u64,
}

/// How much one conversation holds, and when something was last said.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct One {
    bytes: usize,
    rest: usize,
    used: u64,
}

impl One {
    /// What was said and is held.
    pub(super) fn said_bytes(&self) -> usize {
        self.bytes
    }

    /// What is held since it has let go.
    pub(super) fn rest(&self) -> usize {
        self.rest
    }
}

impl Held {
    /// So much more was said on a connection; `gave` says whether exchanges came of it.
    pub(super) fn said(&mut self, one: &mut One, bytes: usize, gave: bool) {
        self.now += 1;
        self.total -= one.bytes;
        self.rest -= one.rest;
        let before = if gave { BASE } else { one.bytes.max(BASE) };
        *one = One { bytes: (before + bytes).min(MOST_OF_ONE), rest: 0, used: self.now };
        self.total += one.bytes;
    }

    /// The connection is over, or has let go of everything.
    pub(super) fn over(&mut self, one: &mut One) {
        self.total -= one.bytes;
        self.rest -= one.rest;
        *one = One::default();
    }

    /// The connection has let go of what was said, and holds `rest` bytes all the same.
    pub(super) fn let_go(&mut self, one: &mut One, rest: usize) {
        self.total -= one.bytes;
        self.rest = self.rest + rest - one.rest;
        (one.bytes, one.rest) = (0, rest);
    }

    /// Whether too much is held.
    pub(super) fn too_much(&self) -> bool {
        self.total > MOST
    }

    /// Whether too many hold something though they have let go.
    pub(super) fn too_many(&self) -> bool {
        self.rest > MOST_REST
    }

    /// Half of those that hold something of this: the ones that have been silent longest. All are looked at to find them, so
    /// they are not too few.
    pub(super) fn longest_silent(
        all: impl Iterator<Item = (ConnectionId, One)>,
        holds: impl Fn(&One) -> usize,
    ) -> Vec<ConnectionId> {
        let mut all: Vec<_> = all.filter(|(_, one)| holds(one) > 0).map(|(id, one)| (one.used, id)).collect();
        let half = all.len().div_ceil(2);
        if half < all.len() {
            all.select_nth_unstable(half);
        }
        all.truncate(half);
        // In the order in which they fell silent.
        all.sort_unstable();
        all.into_iter().map(|(_, id)| id).collect()
    }
}

/// Hashes the numbers of connections, which are given here and come from nobody: no one can choose them so that they
/// collide.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ByNumber;

impl BuildHasher for ByNumber {
    type Hasher = Number;

    fn build_hasher(&self) -> Number {
        Number(0)
    }
}

/// Spreads a number over all bits (Knuth's multiplicative hashing).
pub(super) struct Number(u64);

impl Hasher for Number {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|b| self.write_u64(u64::from(*b)));
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0.rotate_left(5) ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_silent_let_go() {
        let mut held = Held::default();
        let mut all: Vec<One> = (0..400).map(|_| One::default()).collect();
        for one in &mut all {
            held.said(one, 1 << 20, false);
        }
        assert!(held.too_much());
        let numbered = |all: &[One]| (0..).map(ConnectionId).zip(all.to_vec()).collect::<Vec<_>>();
        let silent = |all: &[One]| Held::longest_silent(numbered(all).into_iter(), One::said_bytes);
        assert_eq!(silent(&all), (0..200).map(ConnectionId).collect::<Vec<_>>());
        all.iter_mut().take(200).for_each(|one| held.over(one));
        held.said(&mut all[5], 10, false);
        assert!(!silent(&all).contains(&ConnectionId(5)));
        all.iter_mut().for_each(|one| held.over(one));
        assert!(held.total == 0 && !held.too_much());
    }

    #[test]
    fn what_has_let_go_is_counted_as_well() {
        let mut held = Held::default();
        const REST: usize = 4096;
        let mut all: Vec<One> = (0..MOST_REST / REST + 1).map(|_| One::default()).collect();
        for one in &mut all {
            held.said(one, 1000, false);
            held.let_go(one, REST);
            held.let_go(one, REST);
        }
        assert!(held.too_many() && !held.too_much());
        held.said(&mut all[0], 1000, false);
        assert!(!held.too_many(), "what goes on is counted as such");
        all.iter_mut().for_each(|one| held.over(one));
        assert!(held.rest == 0 && held.total == 0);
    }
}
