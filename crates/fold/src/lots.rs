//! A part as bytes, and shared out by client.
//!
//! A lot is a part that knows some of the clients only: all that is decided about a request is decided by what its own
//! client did, so lots of one number are glued by themselves, on as many machines as there are lots. What no client
//! decides (accounts of sources, the chart, paths, lines that are no requests) goes with the first one.

use crate::Told;
use crate::chain::Chain;
use crate::hash::Seed;
use crate::head::Head;
use crate::part::{Part, Tail};
use crate::wire::{In, Key, MOST, Malformed, Wire};

impl Wire for Tail {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Tail::Own(chain) => Some(chain.clone()).put(out),
            Tail::InHead => None::<Chain>.put(out),
        }
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        Ok(Option::<Chain>::get(from)?.map_or(Tail::InHead, Tail::Own))
    }
}

impl Part {
    /// As bytes, which [`Part::from_bytes`] takes.
    pub fn to_bytes(mut self, out: &mut Vec<u8>) {
        self.settle();
        self.keeps_text.put(out);
        (self.start, self.end).put(out);
        (self.requests, self.front).put(out);
        self.accounts.put(out);
        self.chart.put(out);
        self.paths.put(out);
        self.served.put(out);
        self.lanes.put(out);
        self.kinds.put(out);
        self.oddities.put(out);
        self.heads.put(out);
        let mut tails: Vec<(u64, Tail)> = self.tails.into_iter().collect();
        tails.sort_unstable_by_key(|(talk, _)| *talk);
        (tails.len() as u64).put(out);
        for (talk, tail) in tails {
            Key(talk).put(out);
            tail.put(out);
        }
    }

    /// From bytes, whose keys were made with `seed`.
    ///
    /// # Errors
    /// Where they are damaged. What is well-formed and untrue cannot be told from what is true, but does no harm.
    pub fn from_bytes(from: &mut In<'_>, seed: Seed) -> Result<Part, Malformed> {
        let keeps_text = Wire::get(from)?;
        let (start, end) = <((u32, u64), (u32, u64))>::get(from)?;
        let mut part = Part::closed(seed, start, keeps_text);
        part.end = end;
        (part.requests, part.front) = Wire::get(from)?;
        part.accounts = Wire::get(from)?;
        part.chart = Wire::get(from)?;
        part.paths = Wire::get(from)?;
        part.served = Wire::get(from)?;
        part.lanes = Wire::get(from)?;
        part.kinds = Wire::get(from)?;
        part.oddities = Wire::get(from)?;
        part.heads = Wire::get(from)?;
        let mut waiting = Vec::new();
        for _ in 0..u64::get(from)? {
            let (Key(talk), tail) = <(Key, Tail)>::get(from)?;
            let end = match &tail {
                Tail::Own(chain) => *chain.end(),
                Tail::InHead => *part.heads.get(talk).and_then(Head::whole).ok_or(Malformed)?.chain.end(),
            };
            waiting.push((end, talk, tail));
        }
        waiting.sort_by_key(|(end, ..)| end.index);
        for (end, talk, tail) in waiting {
            part.wait(talk, end, tail);
        }
        let counts =
            part.accounts.iter().flat_map(|a| a.statuses.values().chain([&a.exchanges, &a.lines, &a.odd]));
        let all = counts.fold(part.requests, |all, count| all.saturating_add(*count));
        let sound = start <= end && all <= MOST && part.accounts.first().is_some_and(|a| a.source == start.0);
        if sound { Ok(part) } else { Err(Malformed) }
    }

    /// Shares it out into so many lots of clients.
    pub fn lots(mut self, count: u64) -> Vec<Part> {
        self.settle();
        let count = count.max(1);
        let mut lots: Vec<Part> = (0..count)
            .map(|_| {
                let mut lot = Part::closed(self.seed, self.start, self.keeps_text);
                (lot.end, lot.requests, lot.front) = (self.end, self.requests, self.front);
                lot.accounts = self.accounts.clone();
                lot
            })
            .collect();
        if let Some(first) = lots.first_mut() {
            first.chart = std::mem::take(&mut self.chart);
            first.paths = std::mem::take(&mut self.paths);
            first.served = std::mem::take(&mut self.served);
            first.oddities = std::mem::take(&mut self.oddities);
        }
        let lanes = self.lanes.lots(count);
        let kinds = self.kinds.lots(count);
        for ((lot, lanes), kinds) in lots.iter_mut().zip(lanes).zip(kinds) {
            (lot.lanes, lot.kinds) = (lanes, kinds);
        }
        let mut waiting = Vec::new();
        for (talk, tail) in self.tails {
            let end = match &tail {
                Tail::Own(chain) => Some(*chain.end()),
                Tail::InHead => self.heads.get(talk).and_then(Head::whole).map(|h| *h.chain.end()),
            };
            waiting.extend(end.map(|end| (end, talk, tail)));
        }
        for (talk, head) in self.heads.into_list() {
            if let Some(lot) = lots.get_mut((head.opening().client % count) as usize) {
                lot.heads.add(talk, head);
            }
        }
        waiting.sort_by_key(|(end, ..)| end.index);
        for (end, talk, tail) in waiting {
            if let Some(lot) = lots.get_mut((end.client % count) as usize) {
                lot.wait(talk, end, tail);
            }
        }
        lots
    }

    /// Takes another lot of the same stretch in, for the last time before [`Told`].
    fn unite(&mut self, other: Part) {
        self.settle();
        self.chart.absorb(other.chart);
        self.paths.absorb(&other.paths);
        self.served.absorb(other.served);
        self.lanes.absorb(other.lanes);
        self.kinds.absorb(other.kinds, self.seed, |_| {});
        if self.oddities.is_empty() {
            self.oddities = other.oddities;
        }
        for (talk, head) in other.heads.into_list() {
            if !self.heads.has(talk) {
                self.heads.add(talk, head);
            }
        }
        self.tails.extend(other.tails);
    }

    /// The accounts of its sources, in order.
    pub fn accounts(&self) -> &[crate::Account] {
        &self.accounts
    }

    /// Where it begins: the source, by its position in order of time, and the offset there.
    pub fn start(&self) -> (u32, u64) {
        self.start
    }

    /// Where it ends; the front of the source behind, where it ends with its own.
    pub fn end(&self) -> (u32, u64) {
        self.end
    }
}

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It is counted.
    New,
    /// All of it or of what it holds was there already, and counts once.
    Again,
    /// Some of its lines were there already and some were not: it is left out.
    Overlaps,
}

impl crate::Parts {
    /// Takes a part in unless its lines are there already.
    pub fn insert_once(&mut self, part: Part) -> Inserted {
        // A part without a line lies within a very long one.
        let before = self.by_start.range(..part.end).rev().map(|(_, p)| p);
        let over: Vec<&Part> = before.take_while(|p| part.start < p.end).collect();
        if over.iter().any(|p| p.start <= part.start && part.end <= p.end) {
            return Inserted::Again;
        }
        let within = over.iter().all(|p| part.start <= p.start && p.end <= part.end);
        if !within {
            return Inserted::Overlaps;
        }
        let again: Vec<(u32, u64)> = over.iter().map(|p| p.start).collect();
        again.iter().for_each(|start| {
            self.by_start.remove(start);
        });
        self.insert(part);
        if again.is_empty() { Inserted::New } else { Inserted::Again }
    }

    /// The parts that do not touch, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Part> {
        self.by_start.values()
    }

    /// The parts that do not touch, in order.
    pub fn into_parts(self) -> impl Iterator<Item = Part> {
        self.by_start.into_values()
    }

    /// What all lots say together; each holds the same stretches, of other clients.
    pub fn finish_lots(lots: impl IntoIterator<Item = crate::Parts>) -> Told {
        let mut wholes = lots.into_iter().filter_map(crate::Parts::joined);
        let Some(mut whole) = wholes.next() else { return Told::default() };
        wholes.for_each(|lot| whole.unite(lot));
        whole.finish()
    }
}
