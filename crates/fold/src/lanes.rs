//! How each account fared with each client.

mod open;
mod stored;
mod told;

pub(crate) use open::{Sample, key_of};
pub use told::{Lane, Pairs};

use crate::Seen;
use crate::chain::Keys;
use crate::event::Spot;
use crate::glue::MANY;
use crate::hash::Index;
use crate::part::BATCH;
use open::{ByRow, Places};

/// So many pairs of account and client are told apart; of more, those with the fewest requests are let go.
pub(crate) const MOST: usize = if cfg!(test) { 2_000 } else { 2_000_000 };

/// What changes with each request: one line of the processor's cache.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Row {
    key: u64,
    seen: u64,
    let_in: u64,
    refused: u32,
    /// A bit for each group of resources of which a request is kept.
    groups: u32,
    kept: Kept,
}

/// What is kept of some of the requests, in the place of one.
#[derive(Debug, Clone, Copy)]
enum Kept {
    /// The last request with a name that was let in.
    Last(Spot),
    /// There is none: resources that were asked for without a name.
    Open(Sample),
}

const _: () = assert!(size_of::<Row>() == 64, "one line of the processor's cache");

impl Kept {
    #[inline]
    fn last(&self) -> Option<&Spot> {
        match self {
            Kept::Last(spot) => Some(spot),
            Kept::Open(_) => None,
        }
    }

    fn last_mut(&mut self) -> Option<&mut Spot> {
        match self {
            Kept::Last(spot) => Some(spot),
            Kept::Open(_) => None,
        }
    }

    #[inline]
    fn sample(&self) -> Option<&Sample> {
        match self {
            Kept::Last(_) => None,
            Kept::Open(sample) => Some(sample),
        }
    }

    fn sample_mut(&mut self) -> Option<&mut Sample> {
        match self {
            Kept::Last(_) => None,
            Kept::Open(sample) => Some(sample),
        }
    }
}

/// What does not.
#[derive(Debug, Clone, Copy)]
struct Whose {
    client: u64,
    name: u64,
    /// The first request with a name that was let in.
    first: Option<Spot>,
}

/// Into so many groups, by chance that is the same in every run, the resources of a lane fall.
const GROUPS: u32 = 32;
/// Of so many of them, the first that come, a request is kept; which ones does not depend on cuts.
const KEPT: u32 = 4;
/// From so many rows on, the room of those that were taken in is given back, a quarter of it at a time.
const GIVEN_BACK: usize = 16 * 1024;
/// As many are kept as may be.
const FULL: u32 = u32::MAX;

/// The first request of a group of resources that was let in under a name.
#[derive(Debug, Clone, Copy)]
struct Elsewhere {
    /// The number of the row times [`GROUPS`], and the group.
    of: u32,
    /// The number of its line among those that are kept, from 1; 0 if it can be read again.
    text: u32,
    spot: Spot,
}

/// The lines of the first and the last request.
type Texts = [Vec<u8>; 2];

/// All lanes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lanes {
    at: Index,
    rows: Vec<Row>,
    whose: Vec<Whose>,
    /// The lines of what was admitted, where they are kept.
    texts: Vec<Texts>,
    keeps_text: bool,
    elsewhere: Vec<Elsewhere>,
    elsewhere_texts: Vec<Box<[u8]>>,
    places: Places,
    /// Lanes that were let go, and their requests.
    pub(crate) dropped: (u64, u64),
}

impl Lanes {
    pub(crate) fn new(keeps_text: bool) -> Lanes {
        Lanes { keeps_text, ..Lanes::default() }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    #[inline]
    fn find(&self, key: u64) -> Option<usize> {
        self.at.get(key, |row| self.rows.get(row).is_some_and(|r| r.key == key))
    }

    /// Where the rows of the lanes of several requests stand, or should. Nothing here depends on what was found for the
    /// request before, so that the processor fetches all of them at once.
    #[inline(always)]
    pub(crate) fn look(&self, keys: &[Keys; BATCH]) -> [usize; BATCH] {
        let (mut at, mut found) = ([0; BATCH], [0; BATCH]);
        for (at, keys) in at.iter_mut().zip(keys) {
            *at = self.at.first(keys.lane);
        }
        for (found, at) in found.iter_mut().zip(at) {
            *found = self.rows.get(at).map_or(0, |r| r.key);
        }
        for ((at, found), keys) in at.iter_mut().zip(found).zip(keys) {
            if found != keys.lane {
                *at = self.find(keys.lane).unwrap_or(usize::MAX);
            }
        }
        at
    }

    /// Counts a request that stands at `spot`; `at` is where its row was when it was looked for. Whether it was let in, or
    /// refused, is known, and what [`Seen::open`] says.
    #[inline(always)]
    pub(crate) fn count(
        &mut self,
        seen: &Seen<'_>,
        keys: &Keys,
        at: usize,
        (let_in, refused, open): (bool, bool, Option<bool>),
        spot: impl Fn() -> Spot,
    ) {
        let at = match self.rows.get(at) {
            Some(row) if row.key == keys.lane => at,
            _ => match self.find(keys.lane) {
                Some(at) => at,
                None => self.add(keys.lane, keys.client, keys.name),
            },
        };
        let Some(row) = self.rows.get_mut(at) else { return };
        row.seen += 1;
        row.refused = row.refused.saturating_add(u32::from(refused));
        if let_in {
            row.let_in += 1;
            if seen.is_named() {
                let is_first = row.kept.last().is_none();
                row.kept = Kept::Last(spot());
                let group = (keys.resource >> 58) as u32 % GROUPS;
                if row.groups >> group & 1 == 0 {
                    row.groups = with(row.groups, group);
                    let text = self.keeps_text.then(|| Box::from(seen.text));
                    self.elsewhere.push(elsewhere(at, group, spot(), text, &mut self.elsewhere_texts));
                }
                if is_first && let Some(whose) = self.whose.get_mut(at) {
                    whose.first = Some(spot());
                }
                if let Some([first, last]) = self.texts.get_mut(at) {
                    if is_first {
                        first.extend_from_slice(seen.text);
                    }
                    last.clear();
                    last.extend_from_slice(seen.text);
                }
                return;
            }
        }
        if let Some(challenged) = open
            && let Kept::Open(sample) = &row.kept
            && sample.lacks(key_of(keys.resource), challenged)
        {
            let text = self.keeps_text.then(|| Box::from(seen.text));
            self.open(at, key_of(keys.resource), challenged, spot(), text);
        }
    }

    #[inline(never)]
    fn add(&mut self, key: u64, client: u64, name: u64) -> usize {
        if self.rows.len() >= MOST {
            self.let_go();
        }
        let row = Row { key, seen: 0, let_in: 0, refused: 0, groups: 0, kept: Kept::Open(Sample::EMPTY) };
        self.push(row, Whose { client, name, first: None }, Texts::default())
    }

    fn push(&mut self, row: Row, whose: Whose, texts: Texts) -> usize {
        let at = self.rows.len();
        self.rows.push(row);
        self.whose.push(whose);
        if self.keeps_text {
            self.texts.push(texts);
        }
        let rows = &self.rows;
        self.at.add(row.key, at, |row| rows.get(row).map_or(0, |r| r.key));
        at
    }

    /// Lets the half with the fewest requests go. Half, so that it happens seldom.
    fn let_go(&mut self) {
        let mut counts: Vec<u64> = self.rows.iter().map(|r| r.seen).collect();
        let middle = counts.len() / 2;
        let (_, median, _) = counts.select_nth_unstable(middle);
        let median = *median;
        let mut room = middle;
        let rows = std::mem::take(&mut self.rows);
        let whose = std::mem::take(&mut self.whose);
        let mut texts = std::mem::take(&mut self.texts).into_iter();
        self.at.clear();
        let mut moved = Vec::with_capacity(rows.len());
        for (row, whose) in rows.into_iter().zip(whose) {
            moved.push(None);
            let texts = texts.next().unwrap_or_default();
            if row.seen > median || (row.seen == median && room > 0) {
                room = room.saturating_sub(usize::from(row.seen == median));
                let to = self.push(row, whose, texts);
                moved.pop();
                moved.push(Some(to));
            } else {
                self.dropped.0 += 1;
                self.dropped.1 += row.seen;
            }
        }
        self.elsewhere.retain_mut(|e| {
            let Some(Some(to)) = moved.get((e.of / GROUPS) as usize) else { return false };
            e.of = number(*to) * GROUPS + e.of % GROUPS;
            true
        });
        self.places.keep(|row, _, _| moved.get(row).copied().flatten());
    }

    pub(crate) fn spots_mut(&mut self) -> impl Iterator<Item = &mut Spot> {
        self.whose
            .iter_mut()
            .filter_map(|w| w.first.as_mut())
            .chain(self.rows.iter_mut().filter_map(|r| r.kept.last_mut()))
            .chain(self.elsewhere.iter_mut().map(|e| &mut e.spot))
            .chain(self.places.spots_mut())
    }

    /// Takes what came after in.
    pub(crate) fn absorb(&mut self, after: Lanes) {
        self.dropped.0 += after.dropped.0;
        self.dropped.1 += after.dropped.1;
        // Compressed sources keep their lines and others do not: where one does, all have a place for them.
        if after.keeps_text && !self.keeps_text {
            self.keeps_text = true;
            self.texts.resize_with(self.rows.len(), Texts::default);
        }
        drop(after.at);
        let mut texts = after.texts.into_iter();
        let mut theirs = after.elsewhere;
        in_order(&mut theirs);
        let mut theirs = theirs.into_iter().peekable();
        let mut their_texts = after.elsewhere_texts;
        let mut their_places = ByRow::new(after.places, after.rows.len());
        // What was taken in gives its room back meanwhile: where there are many, both would be there twice.
        let (mut rows, mut theirs_whose) = (after.rows, after.whose);
        rows.reverse();
        theirs_whose.reverse();
        let next = || {
            if rows.len() >= GIVEN_BACK && rows.len() * 4 <= rows.capacity() * 3 {
                rows.shrink_to_fit();
                theirs_whose.shrink_to_fit();
            }
            rows.pop().zip(theirs_whose.pop())
        };
        for (nth, (row, whose)) in std::iter::from_fn(next).enumerate() {
            let [opening, latest] = texts.next().unwrap_or_default();
            let at = match self.find(row.key) {
                Some(at) => at,
                None => self.add(row.key, whose.client, whose.name),
            };
            let (Some(into), Some(own)) = (self.rows.get_mut(at), self.whose.get_mut(at)) else { continue };
            into.seen += row.seen;
            into.let_in += row.let_in;
            into.refused = into.refused.saturating_add(row.refused);
            while let Some(e) = theirs.next_if(|e| e.of / GROUPS == number(nth)) {
                let group = e.of % GROUPS;
                if into.groups >> group & 1 == 0 {
                    into.groups = with(into.groups, group);
                    let text = (e.text as usize).checked_sub(1).and_then(|t| their_texts.get_mut(t));
                    let text = text.map(std::mem::take);
                    self.elsewhere.push(elsewhere(at, group, e.spot, text, &mut self.elsewhere_texts));
                }
            }
            let Kept::Last(last) = row.kept else {
                self.absorb_open(at, row.kept.sample(), &mut their_places, nth);
                continue;
            };
            let is_first = into.kept.last().is_none();
            into.kept = Kept::Last(last);
            if is_first {
                own.first = whose.first;
            }
            if let Some([first, last]) = self.texts.get_mut(at) {
                if is_first {
                    *first = opening;
                }
                *last = latest;
            }
        }
    }

    /// The place of the first request of a lane that was let in under a name.
    pub(crate) fn first_admitted(&self, key: u64) -> Option<(u32, u64)> {
        let first = self.whose.get(self.find(key)?)?.first?;
        Some((first.source, first.offset))
    }

    /// All of them, to be told of, and beside that what `meanwhile` makes of them.
    pub(crate) fn finish<T>(mut self, meanwhile: impl FnOnce(&Lanes) -> T) -> (Pairs, T) {
        let mut elsewhere = std::mem::take(&mut self.elsewhere);
        let made = std::thread::scope(|scope| {
            let mut sort = || in_order(&mut elsewhere);
            match self.rows.len() {
                0..MANY => sort(),
                _ => drop(scope.spawn(sort)),
            }
            meanwhile(&self)
        });
        self.elsewhere = elsewhere;
        self.at = Index::default();
        (Pairs(self), made)
    }
}

/// The groups with one more.
fn with(groups: u32, group: u32) -> u32 {
    let more = groups | 1 << group;
    if more.count_ones() < KEPT { more } else { FULL }
}

/// By row, and of one row by place. In the room in which they are.
fn in_order(elsewhere: &mut [Elsewhere]) {
    elsewhere.sort_unstable_by_key(|e| (e.of / GROUPS, e.spot.source, e.spot.offset));
}

fn number(row: usize) -> u32 {
    // There are never more rows than MOST.
    u32::try_from(row).unwrap_or(u32::MAX / GROUPS)
}

fn elsewhere(
    row: usize,
    group: u32,
    spot: Spot,
    text: Option<Box<[u8]>>,
    texts: &mut Vec<Box<[u8]>>,
) -> Elsewhere {
    let text = text.map_or(0, |text| {
        texts.push(text);
        u32::try_from(texts.len()).unwrap_or(0)
    });
    Elsewhere { of: number(row) * GROUPS + group, text, spot }
}
