//! The refusals of a log one by one, when it is read a second time and the kinds are known.

use crate::alike::Alike;
use crate::chain::{Keys, Link, Step};
use crate::hash::{Keyed, Seed};
use crate::part::REACH;
use crate::{Seen, Told};
use std::collections::{HashMap, VecDeque};

/// So many rows are held at most until it is known how their handshake ended.
const HELD: usize = 128 * 1024;

/// Rows on their way: each waits until its handshake is over.
pub struct Rows<T> {
    seed: Seed,
    /// Requests so far.
    requests: u64,
    open: Keyed<Open>,
    /// What waits, in order: the number of the request and its conversation.
    waiting: VecDeque<(u64, u64)>,
    held: VecDeque<Held<T>>,
    /// The number of the first row that is held.
    first: u64,
}

/// A handshake that may go on.
struct Open {
    opening: Step,
    end: Step,
    renewed: bool,
    wanted: bool,
    resource: u64,
    /// The numbers of its rows.
    rows: Vec<u64>,
}

struct Held<T> {
    row: Option<T>,
    /// What it is like, once that is known.
    alike: Option<Alike>,
    over: bool,
}

impl<T> Rows<T> {
    /// With the seed of the first reading.
    pub fn new(seed: Seed) -> Rows<T> {
        Rows {
            seed,
            requests: 0,
            open: Keyed::default(),
            waiting: VecDeque::new(),
            held: VecDeque::new(),
            first: 0,
        }
    }

    /// Takes the next request, with its row where it was not let in. Rows that are decided go to `out`, in order.
    pub fn take(&mut self, seen: &Seen<'_>, row: impl FnOnce() -> T, out: &mut impl FnMut(T, Alike)) {
        let index = self.requests;
        self.requests += 1;
        self.forget(index);
        let keys = Keys::of(seen, self.seed);
        let step = Step::of(seen, &keys, index);
        let talk = keys.talk(seen, self.seed);
        let before = self.open.remove(&talk);
        let wanted = seen.wants_explanation();
        if before.is_none() && !wanted && !step.waits() {
            return self.give(out);
        }
        let number = (!seen.let_in()).then(|| {
            self.held.push_back(Held { row: Some(row()), alike: None, over: false });
            self.first + self.held.len() as u64 - 1
        });
        let link = before.as_ref().and_then(|b| b.end.link(&step, index - b.end.index));
        let open = match (before, link) {
            (Some(before), Some(link)) => {
                let mut rows = before.rows;
                rows.extend(number);
                let renewed = before.renewed || link == Link::Renewal;
                Open { end: step, renewed, wanted: before.wanted || wanted, rows, ..before }
            }
            (before, _) => {
                before.into_iter().for_each(|open| self.decide(open));
                let rows = number.into_iter().collect();
                Open { opening: step, end: step, renewed: false, wanted, resource: keys.resource, rows }
            }
        };
        if step.waits() {
            self.waiting.push_back((index, talk));
            self.open.insert(talk, open);
        } else {
            self.decide(open);
        }
        self.give(out);
    }

    /// Gives out what is left.
    pub fn finish(mut self, out: &mut impl FnMut(T, Alike)) {
        let open: Vec<Open> = std::mem::take(&mut self.open).into_values().collect();
        open.into_iter().for_each(|open| self.decide(open));
        self.give(out);
    }

    /// Decides about what the request number `now` cannot answer any more.
    fn forget(&mut self, now: u64) {
        while let Some((index, talk)) = self.waiting.front().copied()
            && (index + REACH < now || self.held.len() > HELD)
        {
            self.waiting.pop_front();
            if self.open.get(&talk).is_some_and(|open| open.end.index == index)
                && let Some(open) = self.open.remove(&talk)
            {
                self.decide(open);
            }
        }
    }

    fn decide(&mut self, open: Open) {
        let goes_on = open.opening.index != open.end.index;
        let alike = Alike::of(&open.opening, &open.end, (open.renewed, goes_on), open.resource, self.seed);
        for number in open.rows {
            let at = number.checked_sub(self.first).and_then(|at| usize::try_from(at).ok());
            if let Some(held) = at.and_then(|at| self.held.get_mut(at)) {
                held.over = true;
                held.alike = open.wanted.then_some(alike);
            }
        }
    }

    fn give(&mut self, out: &mut impl FnMut(T, Alike)) {
        while let Some(held) = self.held.pop_front_if(|held| held.over) {
            self.first += 1;
            if let (Some(row), Some(alike)) = (held.row, held.alike) {
                out(row, alike);
            }
        }
    }
}

/// Which refusals were explained together, as [`crate::Wanted::group`] numbers them.
#[derive(Debug, Default)]
pub struct Known {
    /// Those that a renewed nonce seems to have ended, and whose account was let in for the first time then.
    alone: HashMap<u64, u64>,
    exact: HashMap<(u64, u64), u64>,
    fine: HashMap<u64, u64>,
    by_account: HashMap<u64, u64>,
    outcome: HashMap<u64, u64>,
    like: HashMap<u64, u64>,
}

impl Known {
    /// The number of those that these are explained with; of several that are alike, the one with the most refusals.
    pub fn group(&self, alike: &Alike) -> Option<u64> {
        let alone = self.alone.get(&alike.opening);
        let found = alone.or_else(|| self.exact.get(&(alike.fine, alike.resource)));
        let found = found.or_else(|| self.fine.get(&alike.fine));
        let found = found.or_else(|| self.by_account.get(&alike.by_account));
        found.or_else(|| self.outcome.get(&alike.outcome)).or_else(|| self.like.get(&alike.like)).copied()
    }
}

impl Told {
    /// What the kinds have in common, by the seed that they were made with.
    pub fn known(&self, seed: Seed) -> Known {
        let mut known = Known::default();
        for (id, kinds) in self.grouped() {
            for chain in kinds.into_iter().flat_map(|kind| &kind.examples) {
                let alike = Alike::of_chain(chain, seed);
                if chain.alone {
                    known.alone.insert(alike.opening, id);
                }
                known.exact.entry((alike.fine, alike.resource)).or_insert(id);
                known.fine.entry(alike.fine).or_insert(id);
                known.by_account.entry(alike.by_account).or_insert(id);
                known.outcome.entry(alike.outcome).or_insert(id);
                known.like.entry(alike.like).or_insert(id);
            }
        }
        known
    }
}
