//! Accounts that are locked for a while after too many failures. Names that no account has are counted as well: nothing
//! tells them apart.

use super::MOST;
use crate::config::Lockout;
use std::collections::HashMap;

/// Failures of each account.
#[derive(Debug, Default)]
pub(crate) struct Lockouts {
    failures: HashMap<String, Failures>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    since: u64,
    locked_until: u64,
    /// When it was locked, in seconds since 1970: what an unlocking by hand is compared with.
    locked_at: i64,
}

impl Lockouts {
    /// For how many seconds the account is still locked. `unlocked`: when that was lifted by hand.
    pub(crate) fn is_locked(&self, account: &str, unlocked: i64, now: u64) -> Option<u32> {
        let failures = self.failures.get(account)?;
        let is_locked = failures.locked_until > now && unlocked < failures.locked_at;
        is_locked.then(|| u32::try_from((failures.locked_until - now).div_ceil(1000)).unwrap_or(u32::MAX))
    }

    /// Counts a failure; whether the account is locked by it.
    pub(crate) fn failed(&mut self, account: &str, rule: &Lockout, now: u64, wall: i64) -> bool {
        let window = u64::try_from(rule.within).unwrap_or(0) * 1000;
        if self.failures.len() >= MOST && !self.failures.contains_key(account) {
            self.failures.retain(|_, f| f.locked_until > now || f.since + window > now);
            if self.failures.len() >= MOST {
                return false;
            }
        }
        let fresh = Failures { count: 0, since: now, locked_until: 0, locked_at: 0 };
        let failures = self.failures.entry(account.to_owned()).or_insert(fresh);
        if failures.since + window <= now {
            *failures = fresh;
        }
        failures.count += 1;
        if failures.count < rule.failures {
            return false;
        }
        *failures = Failures {
            count: 0,
            since: now,
            locked_until: now + u64::try_from(rule.lasts).unwrap_or(0) * 1000,
            locked_at: wall,
        };
        true
    }

    /// Forgets the failures of an account that has been let in.
    pub(crate) fn passed(&mut self, account: &str) {
        if !self.failures.is_empty() {
            self.failures.remove(account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_locked_for_a_while_and_unlocked_by_hand() {
        let rule = Lockout { failures: 3, within: 60, lasts: 600 };
        let mut lockouts = Lockouts::default();
        assert!(!lockouts.failed("a", &rule, 0, 1000));
        assert!(!lockouts.failed("a", &rule, 1000, 1001));
        // The first two are too long ago.
        assert!(!lockouts.failed("a", &rule, 61_000, 1061));
        assert!(!lockouts.failed("a", &rule, 62_000, 1062));
        assert!(lockouts.failed("a", &rule, 63_000, 1063));
        assert_eq!(lockouts.is_locked("a", 0, 64_000), Some(599));
        assert_eq!(lockouts.is_locked("b", 0, 64_000), None);
        assert_eq!(lockouts.is_locked("a", 1063, 64_000), None);
        assert_eq!(lockouts.is_locked("a", 1062, 64_000), Some(599));
        assert_eq!(lockouts.is_locked("a", 0, 663_000), None);
    }
}
