//! Rates: one number a key (the generic cell rate algorithm of ITU-T I.371).

use super::MOST;
use crate::config::units::Rate;
use std::collections::HashMap;
use std::hash::Hash;

/// How often each key has come lately.
#[derive(Debug)]
pub(crate) struct Rates<K> {
    /// When the key's allowance is whole again, in microseconds.
    whole_at: HashMap<K, u64>,
}

impl<K> Default for Rates<K> {
    fn default() -> Self {
        Rates { whole_at: HashMap::new() }
    }
}

impl<K: Hash + Eq> Rates<K> {
    /// Counts one more. `Err` tells after how many seconds it may be tried again; what is refused is not counted.
    pub(crate) fn count(&mut self, key: K, rate: Rate, now: u64) -> Result<(), u32> {
        let now_us = now.saturating_mul(1000);
        let (each, at) = self.ahead(&key, rate, now_us);
        let allowance = u64::from(rate.seconds) * 1_000_000;
        let next = at + each;
        if next > now_us + allowance {
            return Err(seconds(next - now_us - allowance));
        }
        if self.whole_at.len() >= MOST && !self.whole_at.contains_key(&key) {
            self.whole_at.retain(|_, at| *at > now_us);
            if self.whole_at.len() >= MOST {
                // Nothing is known of the new key: letting it in is better than forgetting those that are watched.
                return Ok(());
            }
        }
        self.whole_at.insert(key, next);
        Ok(())
    }

    /// Whether one more would be refused, without counting it.
    pub(crate) fn is_over(&self, key: &K, rate: Rate, now: u64) -> Option<u32> {
        let now_us = now.saturating_mul(1000);
        let (each, at) = self.ahead(key, rate, now_us);
        let allowance = u64::from(rate.seconds) * 1_000_000;
        (at + each > now_us + allowance).then(|| seconds(at + each - now_us - allowance))
    }

    fn ahead(&self, key: &K, rate: Rate, now_us: u64) -> (u64, u64) {
        let each = u64::from(rate.seconds) * 1_000_000 / u64::from(rate.count.max(1));
        (each, self.whole_at.get(key).copied().unwrap_or(0).max(now_us))
    }
}

fn seconds(us: u64) -> u32 {
    u32::try_from(us.div_ceil(1_000_000)).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_the_rate() {
        let (mut rates, rate) = (Rates::default(), Rate { count: 3, seconds: 30 });
        for _ in 0..3 {
            assert_eq!(rates.count("a", rate, 0), Ok(()));
        }
        assert_eq!(rates.is_over(&"a", rate, 0), Some(10));
        assert_eq!(rates.count("a", rate, 0), Err(10));
        assert_eq!(rates.count("a", rate, 4_000), Err(6));
        assert_eq!(rates.count("b", rate, 4_000), Ok(()));
        assert_eq!(rates.count("a", rate, 10_000), Ok(()));
        assert_eq!(rates.count("a", rate, 10_000), Err(10));
    }

    #[test]
    fn memory_is_bounded() {
        let (mut rates, rate) = (Rates::default(), Rate { count: 1, seconds: 1 });
        for key in 0..MOST + 10 {
            assert_eq!(rates.count(key, rate, 0), Ok(()));
        }
        assert!(rates.whole_at.len() <= MOST);
        assert_eq!(rates.count(1, rate, 5000), Ok(()));
    }
}
