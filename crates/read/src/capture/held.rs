//! How much the conversations of a capture hold in memory, and whose turn it is to let go.

use std::hash::{BuildHasher, Hasher};
use why401_capture::ConnectionId;

/// What all conversations together may hold, by the estimate below.
const MOST: usize = 12 << 20;
/// A conversation holds no more than heads and the fronts of two bodies, however much was said.
const MOST_OF_ONE: usize = 192 << 10;
/// What each holds besides.
const BASE: usize = 4 << 10;

/// How much the conversations hold, estimated from what was said on each since it last gave an exchange.
#[derive(Debug, Default)]
pub(super) struct Held {
    total: usize,
    now: u64,
}

/// How much one conversation holds, and when something was last said.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct One {
    bytes: usize,
    used: u64,
}

impl Held {
    /// So much more was said on a connection; `gave` says whether exchanges came of it.
    pub(super) fn said(&mut self, one: &mut One, bytes: usize, gave: bool) {
        self.now += 1;
        self.total -= one.bytes;
        let before = if gave { BASE } else { one.bytes.max(BASE) };
        *one = One { bytes: (before + bytes).min(MOST_OF_ONE), used: self.now };
        self.total += one.bytes;
    }

    /// The connection is over, or has let go.
    pub(super) fn over(&mut self, one: &mut One) {
        self.total -= one.bytes;
        *one = One::default();
    }

    /// Whether too much is held.
    pub(super) fn too_much(&self) -> bool {
        self.total > MOST
    }

    /// A quarter of those that hold something: the ones that have been silent longest.
    pub(super) fn longest_silent(all: impl Iterator<Item = (ConnectionId, One)>) -> Vec<ConnectionId> {
        let mut all: Vec<_> = all.filter(|(_, one)| one.bytes > 0).map(|(id, one)| (one.used, id)).collect();
        all.sort_unstable();
        all.truncate(all.len().div_ceil(4));
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
        let freed = Held::longest_silent(numbered(&all).into_iter());
        assert_eq!(freed, (0..100).map(ConnectionId).collect::<Vec<_>>());
        all.iter_mut().take(100).for_each(|one| held.over(one));
        held.said(&mut all[5], 10, false);
        assert!(!Held::longest_silent(numbered(&all).into_iter()).contains(&ConnectionId(5)));
        all.iter_mut().for_each(|one| held.over(one));
        assert!(held.total == 0 && !held.too_much());
    }
}
