//! Which idempotency keys have been seen: bounded in number and in time.

use std::collections::{HashMap, VecDeque};

/// So many keys are remembered at most.
const MOST: usize = 1_000_000;

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) receipt: String,
    /// The hash of the content.
    pub(super) content: String,
}

/// Keys in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Index {
    seen: HashMap<String, Seen>,
    order: VecDeque<(i64, String)>,
}

impl Index {
    pub(super) fn get(&self, key: &str) -> Option<&Seen> {
        self.seen.get(key)
    }

    /// Remembers a key of the moment `time`, forgets those before `since` (both in seconds since 1970).
    pub(super) fn add(&mut self, key: String, seen: Seen, time: i64, since: i64) {
        if self.seen.insert(key.clone(), seen).is_none() {
            self.order.push_back((time, key));
        }
        while self.order.len() > MOST || self.order.front().is_some_and(|(t, _)| *t < since) {
            if let Some((_, key)) = self.order.pop_front() {
                self.seen.remove(&key);
            }
        }
    }
}
