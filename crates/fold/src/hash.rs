//! Keys of 64 bits for texts, and tables by such keys.

use std::collections::HashMap;
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

impl Seed {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn texts_that_differ_little_have_other_keys() {
        let texts = (0..2000u32).map(|i| format!("192.0.2.{i}").into_bytes());
        let padded = (0..40usize).map(|n| vec![0u8; n]);
        let keys: HashSet<u64> = texts.chain(padded).map(|t| Seed(7).key(&t)).collect();
        assert_eq!(keys.len(), 2040);
        assert_ne!(Seed(1).key(b"alice"), Seed(2).key(b"alice"));
        assert_ne!(Seed(1).of([1, 2]), Seed(1).of([2, 1]));
    }
}
