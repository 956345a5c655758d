//! Keeps memory bounded: of exchanges that are alike, examples are kept and the rest is counted.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use why401_http::{Exchange, FieldLine, Fields, LoggedUser, Moment, Request, path_of};
use why401_report::Series;

/// So many exchanges, and so many bytes of them, are kept whatever they are; thinning begins beyond.
const FREE: usize = 20_000;
const FREE_BYTES: usize = 40 * 1024 * 1024;
/// More than this is not kept at all.
const MOST: usize = 30_000;
const MOST_BYTES: usize = 56 * 1024 * 1024;
/// So many refusals of each kind are kept when thinning, and so many successes.
const EXAMPLES: u64 = 6;
const SUCCESSES: u64 = 2;
/// So many kinds are told apart when thinning; beyond, exchanges are told apart by status and user only, where one of that
/// kind was kept, else by status only.
const KINDS: usize = 50_000;
/// Behind so many exchanges, of the content of a success only the beginning is kept.
const WHOLE_BODIES: usize = 500;
const BODY: usize = 2 * 1024;
/// Room is made for so many at a time.
const MORE: usize = 2048;
/// A series takes so many bytes at most.
const SERIES: usize = 1200;

/// An exchange that was kept, and how many it stands for.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) exchange: Exchange,
    pub(crate) stands_for: u64,
    pub(crate) first: Option<Moment>,
    pub(crate) last: Option<Moment>,
    /// Those that it stands for over time, where it stands for more than itself.
    pub(crate) series: Option<Box<Series>>,
    /// Whether it stands for exchanges that have no more in common than their status.
    pub(crate) mixed: bool,
    pub(crate) folded: Option<Folded>,
}

/// Accounts and clients by keys that are the same for the same one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whose {
    /// The accounts.
    pub accounts: BTreeSet<u64>,
    /// The clients.
    pub clients: BTreeSet<u64>,
}

/// How the fold of a large log makes those keys of names.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Of a seed and a name, as the log spells it.
    pub make: fn(u64, &[u8]) -> u64,
    /// The seed.
    pub seed: u64,
}

impl Key {
    pub(crate) fn of(self, name: &str) -> u64 {
        (self.make)(self.seed, name.as_bytes())
    }
}

/// What the fold of a large log knows of an exchange beyond the exchange itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    /// Exchanges with the same number are steps of one handshake, and belong to no other.
    pub chain: u64,
    /// Handshakes with the same number are explained together.
    pub group: u64,
    /// Whose those are.
    pub whose: Arc<Whose>,
    /// Whether anybody may have been let in at its path, with any method and with its own; `false` is certain.
    pub works: (bool, bool),
    /// How many exchanges that were not let in the handshake stands for, its own among them.
    pub refused: u64,
    /// The first of what it stands for.
    pub first: Option<Moment>,
    /// The last of what it stands for.
    pub last: Option<Moment>,
    /// Where its client is kept out: how many addresses at least were served its resource without a name, and how many were
    /// refused. None was both.
    pub by_address: Option<(u64, u64)>,
}

#[derive(Debug, Default)]
pub(crate) struct Thinned {
    pub(crate) kept: Vec<Kept>,
    /// About how many bytes of memory they take.
    bytes: usize,
    /// How many of each kind there were.
    kinds: HashMap<u64, u64>,
    /// The last one that was kept of each kind, fine and coarse.
    newest: HashMap<u64, usize>,
    /// Those that are told apart by their status only: how many, and the last one that was kept.
    rest: HashMap<(u32, Option<u16>), (u64, usize)>,
}

impl Thinned {
    /// Keeps an exchange that the fold of a large log chose.
    pub(crate) fn keep_folded(&mut self, exchange: Exchange, folded: Folded, series: Series) {
        let at = self.keep(exchange, false);
        if let Some(kept) = self.kept.get_mut(at) {
            (kept.first, kept.last, kept.series) = (folded.first, folded.last, Some(Box::new(series)));
            kept.folded = Some(folded);
        }
    }

    pub(crate) fn push(&mut self, mut exchange: Exchange) {
        if self.kept.len() >= WHOLE_BODIES && is_success(&exchange) {
            shorten(&mut exchange);
        }
        let kinds = [kind(&exchange), coarse_kind(&exchange)];
        let count = self.of_kind(kinds[0]);
        let examples = if is_success(&exchange) { SUCCESSES } else { EXAMPLES };
        let free = self.kept.len() < FREE && self.bytes < FREE_BYTES;
        let room = self.kept.len() < MOST && self.bytes < MOST_BYTES;
        if free || (room && count.is_some_and(|n| n <= examples)) {
            let at = self.keep(exchange, false);
            self.newest.extend(kinds.map(|kind| (kind, at)));
            return;
        }
        let like = kinds.iter().find_map(|kind| self.newest.get(kind)).copied();
        if let Some(kept) = like.and_then(|i| self.kept.get_mut(i)) {
            self.bytes += kept.count(&exchange);
            // The latest stands for them, so that what came to an end is told from what goes on.
            if exchange.time.is_some() && exchange.time > kept.exchange.time {
                self.bytes = (self.bytes + size(&exchange)).saturating_sub(size(&kept.exchange));
                kept.exchange = exchange;
                fit(&mut kept.exchange);
            }
            return;
        }
        let status = (exchange.source.0, exchange.status());
        match self.rest.get_mut(&status) {
            Some((count, at)) if *count >= EXAMPLES => {
                *count += 1;
                if let Some(kept) = self.kept.get_mut(*at) {
                    self.bytes += kept.count(&exchange);
                }
            }
            _ => {
                let at = self.keep(exchange, true);
                let (count, newest) = self.rest.entry(status).or_insert((0, at));
                *count += 1;
                *newest = at;
            }
        }
    }

    /// How many of that kind there were with this one; `None` where there are too many kinds to tell.
    fn of_kind(&mut self, kind: u64) -> Option<u64> {
        if self.kinds.len() >= KINDS && !self.kinds.contains_key(&kind) {
            return None;
        }
        let count = self.kinds.entry(kind).or_insert(0);
        *count += 1;
        Some(*count)
    }

    fn keep(&mut self, mut exchange: Exchange, mixed: bool) -> usize {
        let time = exchange.time;
        fit(&mut exchange);
        self.bytes += size(&exchange);
        if self.kept.len() == self.kept.capacity() {
            // Twice as much room as before would be many megabytes that nothing is kept in.
            self.kept.reserve_exact(MORE);
        }
        self.kept.push(Kept {
            exchange,
            stands_for: 1,
            first: time,
            last: time,
            series: None,
            mixed,
            folded: None,
        });
        self.kept.len() - 1
    }
}

impl Kept {
    /// It stands for one more. Gives how many bytes of memory that takes.
    fn count(&mut self, exchange: &Exchange) -> usize {
        self.stands_for += 1;
        self.first = earlier(self.first, exchange.time);
        self.last = later(self.last, exchange.time);
        let Some(time) = exchange.time.filter(|_| !is_success(exchange)) else { return 0 };
        let (own, is_new) = (self.exchange.time, self.series.is_none());
        self.series.get_or_insert_with(|| Box::new(of_one(own))).add(time.at.as_second(), 1);
        if is_new { SERIES } else { 0 }
    }
}

/// A series with one entry, or none where the time is not known.
pub(crate) fn of_one(time: Option<Moment>) -> Series {
    let mut series = Series::default();
    if let Some(time) = time {
        series.add(time.at.as_second(), 1);
    }
    series
}

/// Whether nothing about this exchange asks for an explanation.
fn is_success(e: &Exchange) -> bool {
    matches!(e.status(), Some(200..=299 | 304 | 404))
}

/// Cuts the content of a success that is no page with a form.
fn shorten(e: &mut Exchange) {
    let Some(response) = &mut e.response else { return };
    let is_page = response.fields.text("content-type").is_some_and(|t| t.contains("html"));
    if response.body.bytes.len() > BODY && !is_page {
        response.body.bytes = response.body.bytes.slice(0..BODY);
        response.body.complete = false;
    }
}

/// Gives back the room for further fields, of which none will come.
fn fit(e: &mut Exchange) {
    let request = e.request.as_mut().map(|r| &mut r.fields);
    let response = e.response.as_mut().map(|r| &mut r.fields);
    request.into_iter().chain(response).for_each(|fields| fields.0.shrink_to_fit());
}

/// About how many bytes of memory an exchange takes: what it says, the bookkeeping of every part, and what is made of it
/// while it is explained.
fn size(e: &Exchange) -> usize {
    const PART: usize = 180;
    // As measured: a path is in the indices and the conversations, and with its secrets masked in the finding; long
    // credentials are among what is hidden, taken apart and shown.
    const OF_TARGET: usize = 5;
    const OF_VALUE: usize = 3;
    const LONG: usize = 1024;
    let long = |f: &FieldLine| OF_VALUE * f.value.len().saturating_sub(LONG);
    let explained = |r: &Request| OF_TARGET * r.target.len() + r.fields.iter().map(long).sum::<usize>();
    let fields =
        |f: &Fields| f.iter().map(|f| f.name.footprint() + f.value.footprint() + 2 * PART).sum::<usize>();
    let request = e.request.as_ref().map_or(0, |r| {
        fields(&r.fields) + r.body.bytes.footprint() + 2 * r.line.footprint() + 4 * PART + explained(r)
    });
    let response = e
        .response
        .as_ref()
        .map_or(0, |r| fields(&r.fields) + r.body.bytes.footprint() + r.line.footprint() + 2 * PART);
    let log = e.log.as_ref().map_or(0, |l| l.line.footprint() + PART);
    request + response + log + size_of::<Kept>()
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

/// Kinds where there are too many of them: without the client and what it sent.
fn coarse_kind(e: &Exchange) -> u64 {
    let mut h = DefaultHasher::new();
    ("coarse", e.source, e.status()).hash(&mut h);
    if let LoggedUser::Name(name) = &e.user {
        name.as_bytes().hash(&mut h);
    }
    h.finish()
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
        // Where somebody was let in, it matters that they were.
        if !is_success(e) {
            path_of(&r.target()).hash(&mut h);
        }
        for field in r.fields.iter().filter(|f| f.is("authorization") || f.is("user-agent") || f.is("cookie"))
        {
            field.value.as_bytes().hash(&mut h);
        }
    }
    h.finish()
}
