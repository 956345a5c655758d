//! How much the conversations of a capture hold in memory, and whose turn it is to let go.

use std::hash::{BuildHasher, Hasher};
use why401_capture::ConnectionId;

/// What all conversations together may hold of what was said.
const MOST: usize = 12 << 20;
/// What all may hold that cannot be taken up again without it: keys, the fields that HTTP/2 refers to, a tunnel, a record
/// that is not whole.
const MOST_REST: usize = 36 << 20;

/// About how many bytes of memory a conversation takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Weight {
    /// Of what was said and is free again once it lets go.
    pub(super) said: usize,
    /// Of what it holds all the same.
    pub(super) rest: usize,
}

/// How much the conversations hold.
#[derive(Debug, Default)]
pub(super) struct Held {
    total: Weight,
    now: u64,
}

/// How much one conversation holds, and when something was last said.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct One {
    weight: Weight,
    used: u64,
}

impl One {
    /// What was said and is held.
    pub(super) fn said_bytes(&self) -> usize {
        self.weight.said
    }

    /// What is held since it has let go.
    pub(super) fn rest(&self) -> usize {
        self.weight.rest
    }
}

impl Held {
    /// Something was said on a connection, and this is what it holds.
    pub(super) fn said(&mut self, one: &mut One, weight: Weight) {
        self.now += 1;
        one.used = self.now;
        self.holds(one, weight);
    }

    /// The connection is over, or has let go of everything.
    pub(super) fn over(&mut self, one: &mut One) {
        self.holds(one, Weight::default());
        one.used = 0;
    }

    /// This is what a connection holds now.
    pub(super) fn holds(&mut self, one: &mut One, weight: Weight) {
        self.total.said = self.total.said + weight.said - one.weight.said;
        self.total.rest = self.total.rest + weight.rest - one.weight.rest;
        one.weight = weight;
    }

    /// Whether too much is held.
    pub(super) fn too_much(&self) -> bool {
        self.total.said > MOST
    }

    /// Whether too much is held though it cannot be let go of.
    pub(super) fn too_many(&self) -> bool {
        self.total.rest > MOST_REST
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

    fn numbered(all: &[One]) -> impl Iterator<Item = (ConnectionId, One)> {
        (0..).map(ConnectionId).zip(all.iter().copied())
    }

    #[test]
    fn the_longest_silent_let_go() {
        let mut held = Held::default();
        let mut all = [One::default(); 400];
        for one in &mut all {
            held.said(one, Weight { said: 1 << 20, rest: 0 });
        }
        assert!(held.too_much() && !held.too_many());
        let silent = |all: &[One]| Held::longest_silent(numbered(all), One::said_bytes);
        assert_eq!(silent(&all), (0..200).map(ConnectionId).collect::<Vec<_>>());
        all.iter_mut().take(200).for_each(|one| held.over(one));
        held.said(&mut all[5], Weight { said: 10, rest: 0 });
        assert!(!silent(&all).contains(&ConnectionId(5)));
        all.iter_mut().for_each(|one| held.over(one));
        assert!(held.total == Weight::default() && !held.too_much());
    }

    #[test]
    fn what_stays_is_counted_as_well() {
        let mut held = Held::default();
        let mut all = vec![One::default(); MOST_REST / 4096 + 1];
        for one in &mut all {
            held.said(one, Weight { said: 1000, rest: 4096 });
            held.holds(one, Weight { said: 0, rest: 4096 });
        }
        assert!(held.too_many() && !held.too_much());
        assert_eq!(Held::longest_silent(numbered(&all), One::rest).first(), Some(&ConnectionId(0)));
        all.iter_mut().for_each(|one| held.over(one));
        assert_eq!(held.total, Weight::default());
    }
}
