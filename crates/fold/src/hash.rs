//! Keys of 64 bits for texts, and tables by such keys.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// What keys depend on. Where it is not known beforehand, nobody can choose names whose keys are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

/// For what has to come out the same in every run.
pub(crate) const FIXED: Seed = Seed(0x9e37_79b9_7f4a_7c15);

const A: u64 = 0xa076_1d64_78bd_642f;
const B: u64 = 0xe703_7ed1_a0b4_28db;

/// The product of 128 bits folded to 64: every bit of the answer depends on every bit of both.
#[inline]
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// The key of two keys in this order, at least one of which depends on a seed.
#[inline]
pub(crate) fn pair(a: u64, b: u64) -> u64 {
    mix(a ^ B, b ^ A)
}

impl Seed {
    /// The key of a client or a name, as the log spells it.
    pub fn key_of_name(seed: u64, name: &[u8]) -> u64 {
        Seed(seed).key(name)
    }

    /// The key of a text.
    #[inline]
    pub(crate) fn key(self, text: &[u8]) -> u64 {
        let mut state = self.0 ^ A;
        let (low, high) = if let Some(last) = text.last_chunk::<16>() {
            let (blocks, rest) = text.as_chunks::<16>();
            for block in blocks {
                let (low, high) = halves(block);
                state = mix(low ^ B, high ^ state);
            }
            // The last bytes once more, however many there are: that is faster than to fill them up.
            if rest.is_empty() { (0, 0) } else { halves(last) }
        } else if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
            (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
        } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
            (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into())
        } else if let (Some(first), Some(last)) = (text.first(), text.last()) {
            let middle = text.get(text.len() / 2).copied().unwrap_or_default();
            (u64::from(*first) << 8 | u64::from(middle), u64::from(*last))
        } else {
            (0, 0)
        };
        mix(mix(low ^ B, high ^ state), A ^ text.len() as u64)
    }

    /// The key of several keys in this order.
    #[inline]
    pub(crate) fn of<const N: usize>(self, keys: [u64; N]) -> u64 {
        keys.into_iter().fold(self.0, |state, key| mix(state ^ B, key ^ A))
    }
}

#[inline]
fn halves(block: &[u8; 16]) -> (u64, u64) {
    let whole = u128::from_le_bytes(*block);
    (whole as u64, (whole >> 64) as u64)
}

/// A table by keys that are as good as random already.
pub(crate) type Keyed<T> = HashMap<u64, T, BuildHasherDefault<Same>>;

/// A set of such keys.
pub(crate) type Keys = HashSet<u64, BuildHasherDefault<Same>>;

/// A key is its own hash.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= FIXED.key(bytes);
    }
    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

/// So many bits number the rows of an index: there are never more than two million.
const NUMBER: u32 = 21;

/// Where in a list the row with a key stands; the list itself holds the keys.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    /// The first bits of a key and behind them, in [`NUMBER`] bits, the number of its row from 1; 0 where there is none. A
    /// power of two of them.
    slots: Vec<u32>,
    filled: usize,
}

impl Index {
    /// The row of a key; `is` tells whether a row has it.
    #[inline]
    pub(crate) fn get(&self, key: u64, is: impl Fn(usize) -> bool) -> Option<usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = key as usize & mask;
        loop {
            let slot = *self.slots.get(at)?;
            let row = row_of(slot).checked_sub(1)?;
            if slot >> NUMBER == tag(key) && is(row) {
                return Some(row);
            }
            at = (at + 1) & mask;
        }
    }

    /// The row of a key if no other one stands in its place.
    #[inline]
    pub(crate) fn first(&self, key: u64) -> usize {
        let slot =
            self.slots.get(key as usize & self.slots.len().wrapping_sub(1)).copied().unwrap_or_default();
        row_of(slot).wrapping_sub(1)
    }

    /// Enters a row that is not there yet; `key_of` tells the key of any row.
    pub(crate) fn add(&mut self, key: u64, row: usize, key_of: impl Fn(usize) -> u64) {
        // At most half full: whoever has to look at a second slot waits for the memory twice.
        if (self.filled + 1) * 2 > self.slots.len() {
            let slots = vec![0; (self.slots.len() * 2).max(64)];
            for slot in std::mem::replace(&mut self.slots, slots).into_iter().filter(|s| *s != 0) {
                self.put(key_of(row_of(slot).saturating_sub(1)), slot);
            }
        }
        let number = u32::try_from(row + 1).ok().filter(|n| *n < 1 << NUMBER).unwrap_or(0);
        self.put(key, tag(key) << NUMBER | number);
        self.filled += 1;
    }

    fn put(&mut self, key: u64, slot: u32) {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = key as usize & mask;
        while self.slots.get(at).is_some_and(|s| *s != 0) {
            at = (at + 1) & mask;
        }
        if let Some(free) = self.slots.get_mut(at) {
            *free = slot;
        }
    }

    pub(crate) fn clear(&mut self) {
        self.slots.fill(0);
        self.filled = 0;
    }
}

/// The number of the row in a slot.
#[inline]
fn row_of(slot: u32) -> usize {
    (slot & ((1 << NUMBER) - 1)) as usize
}

/// The bits of a key that a slot has room for; where it stands depends on others.
#[inline]
fn tag(key: u64) -> u32 {
    (key >> (32 + NUMBER)) as u32
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "in a test a panic is the report")]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_little_have_other_keys() {
        let texts = (0..2000u32).map(|i| format!("192.0.2.{i}").into_bytes());
        let padded = (0..40usize).map(|n| vec![0u8; n]);
        let keys: HashSet<u64> = texts.chain(padded).map(|t| Seed(7).key(&t)).collect();
        assert_eq!(keys.len(), 2040);
        assert_ne!(Seed(1).key(b"alice"), Seed(2).key(b"alice"));
        assert_ne!(Seed(1).of([1, 2]), Seed(1).of([2, 1]));
    }

    #[test]
    fn an_index_finds_what_was_entered_and_nothing_else() {
        let keys: Vec<u64> = (0..5000u64).map(|i| FIXED.of([i / 2 * 2]) ^ (i % 2) << 40).collect();
        let mut index = Index::default();
        assert_eq!(index.get(7, |_| true), None);
        for (row, key) in keys.iter().enumerate() {
            assert_eq!(index.get(*key, |r| keys[r] == *key), None);
            index.add(*key, row, |r| keys[r]);
        }
        assert!(keys.iter().enumerate().all(|(row, key)| index.get(*key, |r| keys[r] == *key) == Some(row)));
        index.clear();
        assert_eq!(index.get(keys[3], |_| true), None);
    }
}
