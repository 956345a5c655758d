//! Keeps memory bounded: of exchanges that are alike, examples are kept and the rest is counted.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use why401_http::{Exchange, LoggedUser, Moment, path_of};

/// So many exchanges are kept whatever they are; thinning begins beyond.
const FREE: usize = 20_000;
/// So many of each kind are kept when thinning.
const EXAMPLES: u64 = 6;
/// So many kinds are told apart when thinning; the rest is counted as a whole.
const KINDS: usize = 100_000;

/// An exchange that was kept, and how many it stands for.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) exchange: Exchange,
    pub(crate) stands_for: u64,
    pub(crate) first: Option<Moment>,
    pub(crate) last: Option<Moment>,
}

#[derive(Debug, Default)]
pub(crate) struct Thinned {
    pub(crate) kept: Vec<Kept>,
    kinds: HashMap<u64, (u64, usize)>,
    /// Exchanges that no kept one stands for.
    pub(crate) dropped: u64,
}

impl Thinned {
    pub(crate) fn push(&mut self, exchange: Exchange) {
        let kind = kind(&exchange);
        let known = self.kinds.len() < KINDS || self.kinds.contains_key(&kind);
        if !known && self.kept.len() >= FREE {
            self.dropped += 1;
            return;
        }
        let next = self.kept.len();
        let (count, newest) = self.kinds.entry(kind).or_insert((0, next));
        *count += 1;
        if next < FREE || *count <= EXAMPLES {
            *newest = next;
            let time = exchange.time;
            self.kept.push(Kept { exchange, stands_for: 1, first: time, last: time });
        } else if let Some(kept) = self.kept.get_mut(*newest) {
            kept.stands_for += 1;
            kept.first = earlier(kept.first, exchange.time);
            kept.last = later(kept.last, exchange.time);
        }
    }
}

pub(crate) fn earlier(a: Option<Moment>, b: Option<Moment>) -> Option<Moment> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

pub(crate) fn later(a: Option<Moment>, b: Option<Moment>) -> Option<Moment> {
    a.max(b)
}

/// Exchanges of one kind teach a cause the same.
fn kind(e: &Exchange) -> u64 {
    let mut h = DefaultHasher::new();
    e.source.hash(&mut h);
    e.client.as_ref().map(|c| &c.host).hash(&mut h);
    e.status().hash(&mut h);
    match &e.user {
        LoggedUser::Name(name) => name.as_bytes().hash(&mut h),
        LoggedUser::Empty => 1u8.hash(&mut h),
        _ => 0u8.hash(&mut h),
    }
    if let Some(log) = &e.log {
        (log.substatus, log.win32).hash(&mut h);
    }
    if let Some(r) = &e.request {
        r.method.as_bytes().hash(&mut h);
        path_of(&r.target()).hash(&mut h);
        for field in r.fields.iter().filter(|f| f.is("authorization") || f.is("user-agent") || f.is("cookie"))
        {
            field.value.as_bytes().hash(&mut h);
        }
    }
    h.finish()
}
