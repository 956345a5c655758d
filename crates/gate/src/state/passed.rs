//! Passwords that were verified a short while ago, so that a slow hash need not be computed for each request. What is kept is
//! a MAC under a key of this process: neither the password nor anything that could be tried against it without that key. The
//! stored hash is part of it, so that a changed password is forgotten at once.

use super::MOST;
use aws_lc_rs::hmac;
use std::collections::HashMap;

/// What was verified.
#[derive(Debug, Default)]
pub(crate) struct Passed {
    until: HashMap<[u8; 32], u64>,
}

fn mark(key: &[u8; 32], user: &str, stored: &[u8], password: &[u8]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in [user.as_bytes(), stored] {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.update(password);
    context.sign().as_ref().try_into().unwrap_or_default()
}

impl Passed {
    /// Under what a user, a stored hash and a password are remembered.
    pub(crate) fn mark(key: &[u8; 32], user: &str, stored: &[u8], password: &[u8]) -> [u8; 32] {
        mark(key, user, stored, password)
    }

    /// Whether it was verified lately.
    pub(crate) fn has(&self, mark: &[u8; 32], now: u64) -> bool {
        self.until.get(mark).is_some_and(|until| *until > now)
    }

    /// Remembers it for so many seconds.
    pub(crate) fn keep(&mut self, mark: [u8; 32], seconds: i64, now: u64) {
        if self.until.len() >= MOST {
            self.until.retain(|_, until| *until > now);
            if self.until.len() >= MOST {
                self.until.clear();
            }
        }
        if seconds > 0 {
            self.until.insert(mark, now + u64::try_from(seconds).unwrap_or(0) * 1000);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_same_is_remembered_and_not_for_ever() {
        let (key, mut passed) = ([7; 32], Passed::default());
        passed.keep(mark(&key, "alice", b"$2y$stored", b"secret"), 10, 0);
        assert!(passed.has(&mark(&key, "alice", b"$2y$stored", b"secret"), 9_999));
        assert!(!passed.has(&mark(&key, "alice", b"$2y$stored", b"secret"), 10_000));
        for (key, user, stored, password) in [
            ([8; 32], "alice", "$2y$stored", "secret"),
            (key, "alic", "e$2y$stored", "secret"),
            (key, "alice", "$2y$other", "secret"),
            (key, "alice", "$2y$stored", "Secret"),
            (key, "alice", "$2y$store", "dsecret"),
        ] {
            assert!(!passed.has(&mark(&key, user, stored.as_bytes(), password.as_bytes()), 1));
        }
    }
}
