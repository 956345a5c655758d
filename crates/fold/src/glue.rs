//! Two parts that touch become one.

use crate::chain::Chain;
use crate::event::Spot;
use crate::head::Head;
use crate::lanes::Lanes;
use crate::part::Tail;
use crate::{Event, Part};

/// From so many pairs of account and client on it is worth while that another thread takes them in.
pub(crate) const MANY: usize = if cfg!(test) { 8 } else { 1000 };

/// How much stands before a part: requests of all; of the source that goes on in it, its exchanges and lines.
#[derive(Debug, Clone, Copy)]
struct Shift {
    requests: u64,
    source: u32,
    exchanges: u64,
    lines: u32,
}

impl Shift {
    fn event(&self, event: &mut Event) {
        if event.source == self.source {
            event.index += self.exchanges;
            event.line = event.line.saturating_add(self.lines);
        }
    }

    fn chain(&self, chain: &mut Chain) {
        chain.shift(self.requests, |event| self.event(event));
    }

    fn lanes(&self, mut lanes: Lanes) -> Lanes {
        self.spots(lanes.spots_mut());
        lanes
    }

    fn spots<'s>(&self, spots: impl Iterator<Item = &'s mut Spot>) {
        spots.filter(|s| s.source == self.source).for_each(|s| s.shift(self.exchanges, self.lines));
    }
}

impl Part {
    /// Takes in the part that follows this one.
    pub(crate) fn append(&mut self, mut after: Part) {
        self.settle();
        after.settle();
        // Most conversations begin with a request that nobody before waits for, and of which nothing has to be known.
        if self.front == 0 {
            after.heads.keep(|talk, head| head.whole().is_some() || self.tails.contains_key(&talk));
        }
        let shift = after.shift(self);
        self.chart.absorb(std::mem::take(&mut after.chart));
        self.paths.absorb(&after.paths);
        shift.spots(after.served.spots_mut());
        self.served.absorb(std::mem::take(&mut after.served));
        let (mut lanes, theirs) = (std::mem::take(&mut self.lanes), std::mem::take(&mut after.lanes));
        let few = theirs.len() < MANY;
        let absorb = move || {
            lanes.absorb(shift.lanes(theirs));
            lanes
        };
        // Neither needs the other.
        self.lanes = std::thread::scope(|scope| {
            if few {
                self.converses(after, shift);
                return absorb();
            }
            let lanes = scope.spawn(absorb);
            self.converses(after, shift);
            lanes.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
    }

    /// Takes in the conversations of the part that follows; those that are counted already are yet to be shifted.
    fn converses(&mut self, after: Part, shift: Shift) {
        let (seed, offset) = (self.seed, self.requests);
        let all = self.requests + after.requests;
        self.kinds.absorb(after.kinds, seed, |chain| shift.chain(chain));
        let room = 1000usize.saturating_sub(self.oddities.len());
        self.oddities.extend(after.oddities.into_iter().take(room));

        // In order of place, as they are kept.
        let heads = after.heads.into_list();
        let mut waiting = Vec::new();
        for (talk, head) in heads {
            let before = self.tails.remove(&talk);
            let end = match &before {
                Some(Tail::Own(chain)) => Some(*chain.end()),
                Some(Tail::InHead) => self.heads.get(talk).and_then(Head::whole).map(|h| *h.chain.end()),
                None => None,
            };
            if end.is_some() {
                self.watch(talk, -1);
            }
            let opening = *head.opening();
            let link = end.and_then(|end| end.link(&opening, opening.index.saturating_sub(end.index)));
            if before.is_none() && matches!(head, Head::Bare { .. }) {
                if opening.index < self.front && !self.heads.has(talk) {
                    self.heads.add(talk, head);
                }
                continue;
            }
            let head = head.into_opening();
            let end = *head.chain.end();
            let tail = match (before, link) {
                (Some(Tail::Own(chain)), Some(link)) => {
                    self.keep(Part::join(chain, head.chain, link), head.through)
                }
                (Some(Tail::InHead), Some(link)) => {
                    if let Some(own) = self.heads.get_mut(talk).and_then(Head::whole_mut) {
                        own.chain.append(head.chain, link);
                        own.through = head.through;
                    }
                    head.through.then_some(Tail::InHead)
                }
                (before, _) => {
                    match before {
                        Some(Tail::Own(chain)) => self.kinds.add(chain, seed),
                        Some(Tail::InHead) => {
                            if let Some(own) = self.heads.get_mut(talk).and_then(Head::whole_mut) {
                                own.through = false;
                            }
                        }
                        None => {}
                    }
                    if opening.index < self.front && !self.heads.has(talk) {
                        let through = head.through;
                        self.heads.add(talk, Head::Whole(Box::new(head)));
                        through.then_some(Tail::InHead)
                    } else {
                        self.keep(head.chain, head.through)
                    }
                }
            };
            if let Some(tail) = tail {
                waiting.push((end, talk, tail));
            }
        }
        for (talk, tail) in after.tails {
            let Tail::Own(chain) = tail else { continue };
            // What waited here for the same conversation has waited too long.
            if let Some(before) = self.tails.remove(&talk) {
                let end = match before {
                    Tail::Own(before) => {
                        let end = *before.end();
                        self.kinds.add(before, seed);
                        Some(end)
                    }
                    Tail::InHead => self.heads.get_mut(talk).and_then(Head::whole_mut).map(|own| {
                        own.through = false;
                        *own.chain.end()
                    }),
                };
                end.into_iter().for_each(|_| self.watch(talk, -1));
            }
            waiting.push((*chain.end(), talk, Tail::Own(chain)));
        }
        waiting.sort_by_key(|(end, ..)| end.index);
        for (end, talk, tail) in waiting {
            self.wait(talk, end, tail);
        }
        debug_assert!(offset <= all, "requests are counted up");
        self.requests = all;
        self.end = after.end;
        self.forget(all);
    }

    /// Keeps a chain that waits, to be entered with the others; enters any other.
    fn keep(&mut self, chain: Chain, waits: bool) -> Option<Tail> {
        if waits {
            return Some(Tail::Own(chain));
        }
        self.kinds.add(chain, self.seed);
        None
    }

    /// Counts from the front of the part before, and within a source that goes on from the front of that: all but what
    /// is counted with others, which is shifted when it is taken in.
    fn shift(&mut self, before: &mut Part) -> Shift {
        let requests = before.requests;
        let mut begun = (u32::MAX, 0, 0);
        let mut accounts = std::mem::take(&mut self.accounts).into_iter();
        if let (Some(last), Some(first)) = (before.accounts.last_mut(), accounts.next()) {
            if last.source == first.source {
                begun = (last.source, last.exchanges, u32::try_from(last.lines).unwrap_or(u32::MAX));
                last.lines += first.lines;
                last.exchanges += first.exchanges;
                last.odd += first.odd;
                last.first = [last.first, first.first].into_iter().flatten().min();
                last.last = last.last.max(first.last);
                for (status, count) in first.statuses {
                    *last.statuses.entry(status).or_default() += count;
                }
            } else {
                before.accounts.push(first);
            }
        }
        before.accounts.extend(accounts);
        let (source, exchanges, lines) = begun;
        let shift = Shift { requests, source, exchanges, lines };
        for head in self.heads.values_mut() {
            match head {
                Head::Bare { step, event } => {
                    step.index += requests;
                    shift.event(event);
                }
                Head::Whole(opening) => shift.chain(&mut opening.chain),
            }
        }
        for tail in self.tails.values_mut() {
            if let Tail::Own(chain) = tail {
                shift.chain(chain);
            }
        }
        for oddity in self.oddities.iter_mut().filter(|o| o.source == source) {
            oddity.line = oddity.line.saturating_add(lines);
        }
        shift
    }
}
