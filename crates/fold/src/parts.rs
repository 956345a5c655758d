//! Parts in any order, and what they say together.

use crate::head::Head;
use crate::kinds::Kind;
use crate::lanes::Pairs;
use crate::part::{Account, Oddity, Part};
use crate::{Chart, Paths, Served};
use std::collections::{BTreeMap, HashMap};

/// Parts of one or more sources. Those that touch are glued; the order in which they come does not matter.
#[derive(Debug, Default)]
pub struct Parts {
    pub(crate) by_start: BTreeMap<(u32, u64), Part>,
}

/// What a log says as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The account of each source, in order of time.
    pub accounts: Vec<Account>,
    /// How much there was when.
    pub chart: Chart,
    /// Which resources let anybody in.
    pub paths: Paths,
    /// Examples of what was served without a name.
    pub served: Served,
    /// Accounts and clients, in the order in which they first came.
    pub lanes: Pairs,
    /// How many pairs of account and client there were more, and with how many requests.
    pub dropped: (u64, u64),
    /// What was refused, in order of place.
    pub kinds: Vec<Kind>,
    /// Lines that are no requests: the first of them.
    pub oddities: Vec<Oddity>,
    /// What an error log says of a client under a name, by keys: the same number for the same words.
    pub said: HashMap<(u64, u64), u64>,
}

impl Parts {
    /// Takes a part in.
    pub fn insert(&mut self, mut part: Part) {
        if let Some(before) = self.by_start.range(..=part.start).next_back().map(|(start, _)| *start)
            && self.by_start.get(&before).is_some_and(|b| b.end == part.start)
            && let Some(mut before) = self.by_start.remove(&before)
        {
            before.append(part);
            part = before;
        }
        while let Some(after) = self.by_start.remove(&part.end) {
            part.append(after);
        }
        self.by_start.insert(part.start, part);
    }

    /// Takes all of others in.
    pub fn absorb(&mut self, others: Parts) {
        others.by_start.into_values().for_each(|part| self.insert(part));
    }

    /// What they say together; sources follow each other.
    pub fn finish(self) -> Told {
        self.joined().map_or_else(Told::default, Part::finish)
    }

    /// All of them as one, in order, whether they touch or not.
    pub(crate) fn joined(self) -> Option<Part> {
        let mut parts = self.by_start.into_values();
        let mut whole = parts.next()?;
        parts.for_each(|part| whole.append(part));
        Some(whole)
    }
}

impl Part {
    /// What the part says when nothing follows.
    pub(crate) fn finish(mut self) -> Told {
        self.settle();
        let seed = self.seed;
        for tail in std::mem::take(&mut self.tails).into_values() {
            if let crate::part::Tail::Own(chain) = tail {
                self.kinds.add(chain, seed);
            }
        }
        for (_, head) in std::mem::take(&mut self.heads).into_list() {
            // What was let in at once needs no explanation.
            if let Head::Whole(head) = head {
                self.kinds.add(head.chain, seed);
            }
        }
        let (dropped, kinds) = (self.lanes.dropped, self.kinds);
        let (lanes, kinds) = self
            .lanes
            .finish(|lanes| kinds.finish(|lane, chain| lanes.first_admitted(lane) == Some(chain.place())));
        Told {
            accounts: self.accounts,
            chart: self.chart.settled(),
            paths: self.paths,
            served: self.served,
            dropped,
            lanes,
            kinds,
            oddities: self.oddities,
            said: HashMap::new(),
        }
    }
}
