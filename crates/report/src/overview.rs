//! A large log at a glance.

use crate::{Series, Slots};
use serde::{Serialize, Serializer};

/// How many requests of somebody's were refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The account or client.
    pub name: String,
    /// Requests.
    pub seen: u64,
    /// Requests that were answered 401, 403 or 407.
    pub refused: u64,
}

/// What large logs hold all together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Overview {
    /// Requests.
    pub requests: u64,
    /// Requests that were answered 401, 403 or 407.
    pub refused: u64,
    /// How many account names there are.
    pub accounts: u64,
    /// How many clients there are.
    pub clients: u64,
    /// The accounts with the most refusals.
    pub top_accounts: Vec<Share>,
    /// The clients with the most refusals.
    pub top_clients: Vec<Share>,
    /// Requests over time.
    #[serde(serialize_with = "slots")]
    pub over_time: Series,
    /// Refusals over time.
    #[serde(serialize_with = "slots")]
    pub refused_over_time: Series,
    /// How many pairs of account and client were let go because there are too many, and with how many requests.
    pub left_out: (u64, u64),
}

fn slots<S: Serializer>(series: &Series, to: S) -> Result<S::Ok, S::Error> {
    let slots: Option<Slots> = series.slots();
    slots.serialize(to)
}
