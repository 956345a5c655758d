//! The keys of one side at one level of encryption, through all their updates.

use super::protect::{Bare, Mask, Seal, whole_number};
use super::version::Version;
use crate::derive::expand_label;
use crate::suite::Suite;
use std::collections::VecDeque;

/// The keys that follow from a secret.
pub(crate) struct Traffic {
    suite: Suite,
    version: &'static Version,
    mask: Mask,
    /// By how often the keys were updated before (RFC 9001, section 6): the generations that may be met.
    seals: VecDeque<(u64, Seal)>,
    /// That of the newest generation in `seals`.
    secret: Vec<u8>,
    current: u64,
}

/// What may be spent on keys and packet numbers that do not fit, beyond the first try of each packet.
#[derive(Debug)]
pub(crate) struct Budget(u64);

impl Default for Budget {
    fn default() -> Self {
        /// In bytes.
        const OF_A_CONNECTION: u64 = 64 << 20;
        Budget(OF_A_CONNECTION)
    }
}

impl Budget {
    /// Whether so much can be spent once more.
    pub(crate) fn spend(&mut self, bytes: usize) -> bool {
        const BASE: u64 = 256;
        let left = self.0.checked_sub(bytes as u64 + BASE);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// In a short header, which keys were used, as far as one bit says it (RFC 9001, section 6).
const KEY_PHASE: u8 = 0x04;
const LONG: u8 = 0x80;
/// How far packet numbers are searched for behind packets that were lost, in multiples of what is sent of them.
const MOST_WINDOWS: u64 = 24;

impl Traffic {
    pub(crate) fn new(suite: Suite, secret: &[u8], version: &'static Version) -> Option<Traffic> {
        let mask = Mask::new(suite, secret, version)?;
        let seal = Seal::new(suite, secret, version)?;
        let seals = VecDeque::from([(0, seal)]);
        Some(Traffic { suite, version, mask, seals, secret: secret.to_vec(), current: 0 })
    }

    /// Keys that are what they are, and never updated: those of Initial packets.
    pub(crate) fn of(mask: Mask, seal: Seal, suite: Suite, version: &'static Version) -> Traffic {
        Traffic { suite, version, mask, seals: VecDeque::from([(0, seal)]), secret: Vec::new(), current: 0 }
    }

    /// Opens a packet into `out`: `header` up to its number, `sealed` from there on. `largest` is the largest number of
    /// the packets before it.
    pub(crate) fn open(
        &mut self,
        header: &[u8],
        sealed: &[u8],
        largest: &mut Option<u64>,
        budget: &mut Budget,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let bare = self.mask.bare(header, sealed)?;
        let number = whole_number(bare.number, bare.number_bits, *largest);
        let generations = self.generations(&bare);
        let first = generations.first().copied()?;
        for generation in generations {
            if generation != first && !budget.spend(sealed.len()) {
                return None;
            }
            if self.with(generation, number, &bare, out).is_some() {
                *largest = (*largest).max(Some(number));
                return Some(());
            }
        }
        for window in 1..=MOST_WINDOWS {
            let number = number + (window << bare.number_bits);
            if !budget.spend(sealed.len()) {
                return None;
            }
            if self.with(first, number, &bare, out).is_some() {
                *largest = (*largest).max(Some(number));
                return Some(());
            }
        }
        None
    }

    /// The generations that a packet may belong to, the likeliest first.
    fn generations(&self, bare: &Bare<'_>) -> Vec<u64> {
        if bare.first & LONG != 0 {
            return vec![0];
        }
        let now = self.current;
        let phase = u64::from(bare.first & KEY_PHASE != 0);
        if now & 1 == phase {
            // The other two: all packets of one generation, or of three, were lost.
            return vec![now, now + 2, now + 4];
        }
        [Some(now + 1), now.checked_sub(1), Some(now + 3)].into_iter().flatten().collect()
    }

    fn with(&mut self, generation: u64, number: u64, bare: &Bare<'_>, out: &mut Vec<u8>) -> Option<()> {
        while self.seals.back().is_some_and(|(newest, _)| *newest < generation) {
            self.update()?;
        }
        let (_, seal) = self.seals.iter().find(|(g, _)| *g == generation)?;
        seal.open(number, bare, out)?;
        self.current = self.current.max(generation);
        self.seals.retain(|(g, _)| *g + 1 >= self.current);
        Some(())
    }

    /// RFC 9001, section 6.1.
    fn update(&mut self) -> Option<()> {
        (!self.secret.is_empty()).then_some(())?;
        let hash = self.suite.hash;
        self.secret = expand_label(hash, &self.secret, self.version.key_update, hash.len());
        let (newest, _) = self.seals.back()?;
        let next = newest + 1;
        self.seals.push_back((next, Seal::new(self.suite, &self.secret, self.version)?));
        Some(())
    }
}
