//! How often something happened over time, in memory that does not grow.

use serde::Serialize;

/// So many slots lie between the first and the last one at most; beyond, slots become wider.
const MOST: i64 = 72;

/// Widths of a slot in seconds; each divides the next, so that slots can be joined: a second to four weeks.
const WIDTHS: &[u64] =
    &[1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 604_800, 2_419_200];

/// Counts in slots of equal width, as wide as it takes to have at most 72 of them.
///
/// Two can be merged in any order: slots are multiples of their width since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Series {
    /// Position in [`WIDTHS`].
    level: usize,
    /// Further doublings behind the last of them.
    doubled: u32,
    /// Number of the slot and count, in order, no slot twice.
    slots: Vec<(i64, u64)>,
}

/// The slots of a series one after another, empty ones included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Slots {
    /// When the first slot begins, in seconds since 1970-01-01T00:00:00Z.
    pub start: i64,
    /// How many seconds a slot takes.
    pub width: u64,
    /// How many fell in each.
    pub counts: Vec<u64>,
}

impl Series {
    /// Adds `count` at a time, given in seconds since 1970-01-01T00:00:00Z.
    pub fn add(&mut self, second: i64, count: u64) {
        self.put(second.div_euclid(self.width()), count);
        self.fit();
    }

    /// Adds all of another one.
    pub fn merge(&mut self, other: &Series) {
        while self.width() < other.width() {
            self.widen();
        }
        let factor = other.width();
        for (slot, count) in &other.slots {
            self.put(slot.saturating_mul(factor).div_euclid(self.width()), *count);
        }
        self.fit();
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The slots from the first to the last; `None` where nothing was added.
    pub fn slots(&self) -> Option<Slots> {
        let (first, last) = (self.slots.first()?.0, self.slots.last()?.0);
        let mut at = self.slots.iter().peekable();
        let counts = (first..=last).map(|slot| at.next_if(|(s, _)| *s == slot).map_or(0, |(_, n)| *n));
        let counts = counts.collect();
        Some(Slots { start: first.saturating_mul(self.width()), width: self.width().unsigned_abs(), counts })
    }

    /// What it is made of, to be kept: how wide slots are, by two numbers, and the number and count of each.
    pub fn as_raw(&self) -> (u8, u8, &[(i64, u64)]) {
        (self.level as u8, self.doubled as u8, &self.slots)
    }

    /// One from what [`Series::as_raw`] gave; `None` where that cannot be.
    pub fn from_raw(level: u8, doubled: u8, slots: Vec<(i64, u64)>) -> Option<Series> {
        let level = usize::from(level);
        let ordered = slots.is_sorted_by(|a, b| a.0 < b.0);
        let spans = slots.first().zip(slots.last()).map_or(0, |(first, last)| last.0.abs_diff(first.0));
        let fits = level < WIDTHS.len() && doubled <= 24 && (doubled == 0 || level + 1 == WIDTHS.len());
        (fits && ordered && spans < MOST.unsigned_abs()).then_some(Series {
            level,
            doubled: doubled.into(),
            slots,
        })
    }

    fn width(&self) -> i64 {
        let width = WIDTHS.get(self.level).or(WIDTHS.last()).copied().unwrap_or(1);
        i64::try_from(width << self.doubled.min(24)).unwrap_or(i64::MAX)
    }

    fn put(&mut self, slot: i64, count: u64) {
        // Mostly it is the last, or behind it.
        match self.slots.last_mut() {
            Some((last, n)) if *last == slot => {
                *n = n.saturating_add(count);
                return;
            }
            Some((last, _)) if *last > slot => {}
            _ => {
                self.slots.push((slot, count));
                return;
            }
        }
        match self.slots.binary_search_by_key(&slot, |(s, _)| *s) {
            Ok(at) => {
                if let Some((_, n)) = self.slots.get_mut(at) {
                    *n = n.saturating_add(count);
                }
            }
            Err(at) => self.slots.insert(at, (slot, count)),
        }
    }

    fn fit(&mut self) {
        let span = |slots: &[(i64, u64)]| match (slots.first(), slots.last()) {
            (Some((first, _)), Some((last, _))) => last.saturating_sub(*first),
            _ => 0,
        };
        while span(&self.slots) >= MOST && self.doubled < 24 {
            self.widen();
        }
    }

    fn widen(&mut self) {
        let before = self.width();
        if self.level + 1 < WIDTHS.len() {
            self.level += 1;
        } else {
            self.doubled += 1;
        }
        let factor = (self.width() / before).max(1);
        self.slots.iter_mut().for_each(|(slot, _)| *slot = slot.div_euclid(factor));
        self.slots.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            same
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
mod tests {
    use super::*;

    #[test]
    fn slots_widen_and_lose_nothing() {
        let mut s = Series::default();
        assert_eq!(s.slots(), None);
        s.add(1_000_000_003, 2);
        s.add(1_000_000_005, 1);
        assert_eq!(s.slots().unwrap(), Slots { start: 1_000_000_003, width: 1, counts: vec![2, 0, 1] });
        for second in 0..100_000 {
            s.add(1_000_000_000 + second * 7, 1);
        }
        let slots = s.slots().unwrap();
        assert_eq!(slots.counts.iter().sum::<u64>(), 100_003);
        assert!(slots.counts.len() <= 72 && slots.counts.len() >= 10, "{}", slots.counts.len());
        assert!(slots.start <= 1_000_000_000);
    }

    #[test]
    fn merging_is_the_same_in_any_order() {
        let (mut a, mut b) = (Series::default(), Series::default());
        (0..50).for_each(|i| a.add(1_700_000_000 + i, 1));
        (0..50).for_each(|i| b.add(1_690_000_000 + i * 86_400, 1));
        let (mut ab, mut ba) = (a.clone(), b.clone());
        ab.merge(&b);
        ba.merge(&a);
        assert_eq!(ab, ba);
        assert_eq!(ab.slots().unwrap().counts.iter().sum::<u64>(), 100);
    }

    #[test]
    fn times_at_the_ends_of_the_world_do_no_harm() {
        let mut s = Series::default();
        for second in [i64::MIN, -1, 0, i64::MAX, 253_402_300_799] {
            s.add(second, 1);
        }
        assert!(s.slots.len() <= 5);
    }
}
