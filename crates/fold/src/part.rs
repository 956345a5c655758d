//! A stretch of a log, folded.

use crate::chain::{Chain, Keys, Link, Step, TALKS};
use crate::event::Spot;
use crate::group::Group;
use crate::hash::{Keyed, Seed};
use crate::head::{Head, Heads, Opening};
use crate::kinds::Kinds;
use crate::lanes::{Lanes, key_of};
use crate::wire::wire;
use crate::{Chart, Paths, Seen, Served};
use std::collections::{BTreeMap, VecDeque};

/// So many requests may lie between a challenge and its answer.
pub const REACH: u64 = if cfg!(test) { 40 } else { 32_768 };
/// So many lines that are no requests are kept of a part.
const ODDITIES: usize = 1000;

/// So many requests are looked at together.
pub(crate) const BATCH: usize = 16;

/// A line that is no request: words of a server, or nothing that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    /// The source, by its position in order of time.
    pub source: u32,
    /// Offset of the line.
    pub offset: u64,
    /// Its 1-based line.
    pub line: u32,
    /// The line; its beginning, if it is very long.
    pub text: Box<[u8]>,
}

/// The account of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The source, by its position in order of time.
    pub source: u32,
    /// Lines, whatever they are.
    pub lines: u64,
    /// Requests.
    pub exchanges: u64,
    /// How often each status was answered.
    pub statuses: BTreeMap<u16, u64>,
    /// The first time, in milliseconds since 1970.
    pub first: Option<i64>,
    /// The last time.
    pub last: Option<i64>,
    /// Lines that are no requests.
    pub odd: u64,
}

wire!(Oddity { source, offset, line, text });
wire!(Account { source, lines, exchanges, statuses, first, last, odd });

/// A chain that waits for an answer.
#[derive(Debug, Clone)]
pub(crate) enum Tail {
    Own(Chain),
    /// It is the first one of its conversation, too.
    InHead,
}

/// What a stretch of a log says.
#[derive(Debug, Clone)]
pub struct Part {
    pub(crate) seed: Seed,
    /// Whether lines cannot be read again by their offset, and are kept.
    pub(crate) keeps_text: bool,
    pub(crate) start: (u32, u64),
    pub(crate) end: (u32, u64),
    pub(crate) requests: u64,
    pub(crate) accounts: Vec<Account>,
    pub(crate) chart: Chart,
    pub(crate) paths: Paths,
    pub(crate) served: Served,
    pub(crate) lanes: Lanes,
    pub(crate) kinds: Kinds,
    pub(crate) oddities: Vec<Oddity>,
    pub(crate) heads: Heads,
    pub(crate) tails: Keyed<Tail>,
    /// So many of its first requests may answer what waits before it; none where nothing can be before it.
    pub(crate) front: u64,
    /// What waits, in order: the number of the request and its conversation.
    pub(crate) waiting: VecDeque<(u64, u64)>,
    /// How many chains of each group of conversations wait.
    watched: Vec<u16>,
    /// A bit for each group of which any waits: every request looks at them, so they are to stay in the nearest cache.
    watches: Vec<u64>,
    statuses: Vec<u64>,
}

impl Part {
    /// A part that begins at `offset` of a source, given by its position in order of time.
    pub fn new(seed: Seed, source: u32, offset: u64, keeps_text: bool) -> Part {
        Part {
            seed,
            keeps_text,
            start: (source, offset),
            end: (source, offset),
            requests: 0,
            accounts: vec![Account { source, ..Account::default() }],
            chart: Chart::default(),
            paths: Paths::default(),
            served: Served::default(),
            lanes: Lanes::new(keeps_text),
            kinds: Kinds::default(),
            oddities: Vec::new(),
            heads: Heads::default(),
            tails: Keyed::default(),
            front: if (source, offset) == (0, 0) { 0 } else { REACH },
            waiting: VecDeque::new(),
            watched: vec![0; TALKS as usize],
            watches: vec![0; TALKS as usize / 64],
            statuses: vec![0; 1000],
        }
    }

    /// One that takes no request any more, and has no room for what only those need.
    pub(crate) fn closed(seed: Seed, (source, offset): (u32, u64), keeps_text: bool) -> Part {
        let part = Part::new(seed, source, offset, keeps_text);
        Part { watched: Vec::new(), watches: Vec::new(), statuses: Vec::new(), ..part }
    }

    /// Tells that the source was read up to here, and how many more lines it has.
    pub fn advance(&mut self, offset: u64, lines: u64) {
        self.end.1 = offset;
        if let Some(account) = self.accounts.last_mut() {
            account.lines += lines;
        }
    }

    /// Tells that this was the end of the source: the next one follows.
    pub fn close(&mut self) {
        self.end = (self.end.0 + 1, 0);
    }

    /// How many requests it has taken.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// How many of them were answered 401, 403 or 407.
    pub fn refused(&self) -> u64 {
        [401, 403, 407].iter().filter_map(|s: &usize| self.statuses.get(*s)).sum()
    }

    /// Takes a request. `line` is its 1-based line in this part.
    pub fn take(&mut self, seen: &Seen<'_>, line: u32) {
        self.take_all(&[(*seen, line)]);
    }

    /// Takes requests in order, each with its 1-based line in this part. What several of them need of the memory is
    /// fetched together, which is much faster than one after the other.
    pub fn take_all(&mut self, requests: &[(Seen<'_>, u32)]) {
        let (batches, rest) = requests.as_chunks::<BATCH>();
        // Compiled by itself for what is as long as most are.
        batches.iter().for_each(|batch| self.take_batch(batch));
        if !rest.is_empty() {
            self.take_batch(rest);
        }
    }

    /// Takes at most [`BATCH`] requests.
    #[inline(always)]
    fn take_batch(&mut self, requests: &[(Seen<'_>, u32)]) {
        let mut keys = [Keys::default(); BATCH];
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        for (keys, (seen, _)) in keys.iter_mut().zip(requests) {
            *keys = Keys::of(seen, self.seed);
            if let Some(ms) = seen.time {
                (first, last) = (first.min(ms), last.max(ms));
            }
        }
        std::hint::black_box(keys.iter().fold(0, |all, keys| all ^ self.paths.fetch(keys.path)));
        let rows = self.lanes.look(&keys);
        let mut known = [true; BATCH];
        for (known, keys) in known.iter_mut().zip(&keys) {
            *known = self.paths.knows(keys.path, keys.resource);
        }
        if let (true, Some(account)) = (first <= last, self.accounts.last_mut()) {
            account.first = Some(account.first.map_or(first, |before| before.min(first)));
            account.last = account.last.max(Some(last));
        }
        for (((keys, known), at), (seen, line)) in keys.iter().zip(known).zip(rows).zip(requests) {
            let let_in = seen.let_in();
            if !known && let_in {
                self.paths.add(keys.path, keys.resource);
            }
            self.take_one(seen, *line, keys, at, let_in);
        }
    }

    #[inline(always)]
    fn take_one(&mut self, seen: &Seen<'_>, line: u32, keys: &Keys, at: usize, let_in: bool) {
        let index = self.requests;
        self.requests += 1;
        if let Some(count) = self.statuses.get_mut(usize::from(seen.status)) {
            *count += 1;
        }
        let refused = matches!(seen.status, 401 | 403 | 407);
        if let Some(ms) = seen.time {
            self.chart.add(ms, refused);
        }
        // Made anew for each who keeps it: one that lay in the memory would have to be waited for until it is written.
        let source = self.end.0;
        let spot = || Spot::new((source, line), seen.offset, index, seen.time);
        let open = seen.open();
        self.lanes.count(seen, keys, at, (let_in, refused, open), spot);
        if let Some(refused) = open {
            let key = key_of(keys.resource);
            if !refused && self.served.lacks(key, (source, seen.offset)) {
                let text = self.keeps_text.then(|| seen.text.into());
                self.served.add(key, spot(), text);
            }
        }
        let group = keys.group() as usize;
        let is_watched = self.watches.get(group / 64).is_some_and(|bits| bits >> (group % 64) & 1 == 1);
        if is_watched || index < self.front || !let_in {
            self.converse(seen, keys, spot());
        }
    }

    /// Takes a line that is no request.
    pub fn odd(&mut self, text: &[u8], offset: u64, line: u32) {
        if let Some(account) = self.accounts.last_mut() {
            account.odd += 1;
        }
        if self.oddities.len() < ODDITIES {
            self.oddities.push(Oddity { source: self.end.0, offset, line, text: text.into() });
        }
    }

    /// Puts a request in its conversation.
    #[inline(never)]
    fn converse(&mut self, seen: &Seen<'_>, keys: &Keys, spot: Spot) {
        self.forget(spot.index);
        let wanted = seen.wants_explanation();
        let step = Step::of(seen, keys, spot.index);
        let talk = keys.talk(seen, self.seed);
        let before = self.tails.remove(&talk);
        if before.is_none() && !wanted && !step.waits() {
            if step.index < self.front && !self.heads.has(talk) {
                let text = self.keeps_text.then(|| seen.text.into());
                self.heads.add(talk, Head::Bare { step, event: spot.event(text) });
            }
            return;
        }
        let event = spot.event(self.keeps_text.then(|| seen.text.into()));
        let seed = self.seed;
        let chain = Chain::new(step, event, keys.resource, wanted);
        let link = match &before {
            Some(Tail::Own(tail)) => tail.end().link(&step, step.index.saturating_sub(tail.end().index)),
            Some(Tail::InHead) => {
                let end = self.heads.get(talk).and_then(Head::whole).map(|h| *h.chain.end());
                end.and_then(|end| end.link(&step, step.index.saturating_sub(end.index)))
            }
            None => None,
        };
        if before.is_some() {
            self.watch(talk, -1);
        }
        match (before, link) {
            (Some(Tail::Own(mut tail)), Some(link)) => {
                tail.append(chain, link);
                self.hold(talk, step, tail);
            }
            (Some(Tail::InHead), Some(link)) => {
                if let Some(head) = self.heads.get_mut(talk).and_then(Head::whole_mut) {
                    head.chain.append(chain, link);
                    head.through = step.waits();
                }
                if step.waits() {
                    self.wait(talk, step, Tail::InHead);
                }
            }
            (before, _) => {
                match before {
                    Some(Tail::Own(tail)) => self.kinds.add(tail, seed),
                    Some(Tail::InHead) => self.head_ends(talk),
                    None => {}
                }
                if step.index < self.front && !self.heads.has(talk) {
                    let opening = Opening { chain, through: step.waits() };
                    self.heads.add(talk, Head::Whole(Box::new(opening)));
                    if step.waits() {
                        self.wait(talk, step, Tail::InHead);
                    }
                } else {
                    self.hold(talk, step, chain);
                }
            }
        }
    }

    /// Keeps a chain that waits; enters any other.
    fn hold(&mut self, talk: u64, end: Step, chain: Chain) {
        if end.waits() {
            self.wait(talk, end, Tail::Own(chain));
        } else {
            self.kinds.add(chain, self.seed);
        }
    }

    pub(crate) fn wait(&mut self, talk: u64, end: Step, tail: Tail) {
        self.tails.insert(talk, tail);
        self.waiting.push_back((end.index, talk));
        self.watch(talk, 1);
    }

    pub(crate) fn watch(&mut self, talk: u64, by: i16) {
        let group = (talk % TALKS) as usize;
        if let (Some(count), Some(bits)) = (self.watched.get_mut(group), self.watches.get_mut(group / 64)) {
            *count = count.saturating_add_signed(by);
            *bits = *bits & !(1 << (group % 64)) | u64::from(*count > 0) << (group % 64);
        }
    }

    fn head_ends(&mut self, talk: u64) {
        if let Some(head) = self.heads.get_mut(talk).and_then(Head::whole_mut) {
            head.through = false;
        }
    }

    /// Enters what the request number `now` cannot answer any more.
    pub(crate) fn forget(&mut self, now: u64) {
        while let Some((index, talk)) = self.waiting.front().copied()
            && index + REACH < now
        {
            self.waiting.pop_front();
            self.look_ahead();
            let end = match self.tails.get(&talk) {
                Some(Tail::Own(chain)) => Some(*chain.end()),
                Some(Tail::InHead) => self.heads.get(talk).and_then(Head::whole).map(|h| *h.chain.end()),
                None => None,
            };
            if end.is_none_or(|end| end.index != index) {
                continue;
            }
            self.watch(talk, -1);
            match self.tails.remove(&talk) {
                Some(Tail::Own(chain)) => self.kinds.add(chain, self.seed),
                Some(Tail::InHead) => self.head_ends(talk),
                None => {}
            }
        }
    }

    /// Looks at what will be forgotten soon, a part of it each time: it lies far apart in the memory, and is fetched while
    /// other lines are read.
    fn look_ahead(&self) {
        let chain = |nth: usize| match self.tails.get(&self.waiting.get(nth)?.1)? {
            Tail::Own(chain) => Some(chain),
            Tail::InHead => None,
        };
        let kind = |chain| self.kinds.look(chain, self.seed);
        std::hint::black_box(chain(4).map(|c| c.opening.index));
        std::hint::black_box(chain(2).and_then(kind).map(|group| group.chains));
        std::hint::black_box(chain(0).and_then(kind).map(Group::look));
    }

    /// Nothing in hand any more: what can be summed up is.
    pub(crate) fn settle(&mut self) {
        self.forget(self.requests);
        let statuses = std::mem::take(&mut self.statuses);
        self.statuses.resize(statuses.len(), 0);
        let Some(account) = self.accounts.last_mut() else { return };
        let mut all = 0;
        for (status, count) in statuses.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            all += count;
            // Status 0 stands for none.
            if let (Ok(status), true) = (u16::try_from(status), status > 0) {
                *account.statuses.entry(status).or_default() += count;
            }
        }
        account.exchanges += all;
    }

    /// Joins a chain with the one that continues it.
    pub(crate) fn join(mut before: Chain, after: Chain, link: Link) -> Chain {
        before.append(after, link);
        before
    }
}
