//! What makes refusals alike.

use crate::Chain;
use crate::chain::{Step, User};
use crate::hash::Seed;

/// What refusals have in common, by keys: first all, then ever less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alike {
    /// The client, the account, the program and how it went.
    pub(crate) fine: u64,
    /// The account and how it went.
    pub(crate) by_account: u64,
    /// How it went.
    pub(crate) outcome: u64,
    /// The last status, whether that let the client in, and whether there was a name.
    pub(crate) like: u64,
    /// The first of its requests, by its number in the whole.
    pub(crate) opening: u64,
    /// Method and path; 0 where the client got in, since there they do not matter.
    pub(crate) resource: u64,
}

impl Alike {
    pub(crate) fn of_chain(chain: &Chain, seed: Seed) -> Alike {
        Alike::of(&chain.opening, chain.end(), (chain.renewed, chain.goes_on()), chain.resource, seed)
    }

    /// Of a chain with these first and last steps; whether a nonce was renewed in it, and whether it has more than one step.
    pub(crate) fn of(
        opening: &Step,
        end: &Step,
        (renewed, goes_on): (bool, bool),
        resource: u64,
        seed: Seed,
    ) -> Alike {
        let agent = if end.user == User::Named { 0 } else { end.agent };
        let outcome = u64::from(end.status) << 32
            | u64::from(opening.status) << 8
            | u64::from(renewed) << 2
            | u64::from(goes_on) << 1;
        Alike {
            fine: seed.of([end.lane, agent, outcome, end.code]),
            by_account: seed.of([end.name, outcome]),
            outcome,
            opening: opening.index,
            like: u64::from(end.status) << 2 | u64::from(end.let_in) << 1 | u64::from(end.name > 2),
            resource: if end.let_in { 0 } else { resource },
        }
    }
}
