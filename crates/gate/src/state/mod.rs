//! What the gate remembers between requests; all of it bounded, none of it a secret. Times are milliseconds of a clock that
//! never jumps, so that setting the machine's clock neither unlocks nor locks anybody.

mod lockout;
mod passed;
mod rate;
mod replay;

pub(crate) use lockout::Lockouts;
pub(crate) use passed::Passed;
pub(crate) use rate::Rates;
pub(crate) use replay::{Count, Replays};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Everything that is remembered.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) per_address: Rates<u128>,
    pub(crate) per_account: Rates<String>,
    pub(crate) failures_per_address: Rates<u128>,
    pub(crate) lockouts: Lockouts,
    pub(crate) passed: Passed,
    pub(crate) replays: Replays,
}

/// The memory, shared, and the key of this process.
#[derive(Default)]
pub(crate) struct State {
    memory: Mutex<Memory>,
    /// Signs nonces and hides remembered passwords; made at the start and never written anywhere.
    pub(crate) key: [u8; 32],
}

impl State {
    /// An empty memory with that key.
    pub(crate) fn new(key: [u8; 32]) -> State {
        State { key, ..State::default() }
    }

    /// The memory, for as long as a few look-ups take.
    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many entries each table holds at most.
const MOST: usize = 1 << 17;
