//! To which resources a client was let in without a name, and to which it was not.
//!
//! Of each lane without a name those are kept whose keys are the least. The keys are the same for every client, so clients
//! that use the same resources keep the same of them; and below the greatest that is kept, none is missing.

use super::{Lane, Lanes, Pairs};
use crate::Event;
use crate::event::Spot;
use crate::wire::{In, Malformed, Wire};

/// The key of a resource among the few that are kept: the first bits of that which orders the kinds.
#[inline]
pub(crate) fn key_of(resource: u64) -> u32 {
    (resource >> 32) as u32
}

/// No resource: no key is greater.
const NONE: u32 = u32::MAX;

/// The least keys, in order. Both lists fill the place of a [`Spot`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sample {
    let_in: [u32; 4],
    refused: [u32; 3],
}

impl Sample {
    pub(super) const EMPTY: Sample = Sample { let_in: [NONE; 4], refused: [NONE; 3] };

    fn list(&self, refused: bool) -> &[u32] {
        if refused { &self.refused } else { &self.let_in }
    }

    /// Whether a key belongs in it and is not there yet. For nearly all requests it does not, or is.
    #[inline]
    pub(super) fn lacks(&self, key: u32, refused: bool) -> bool {
        let list = self.list(refused);
        list.last().is_some_and(|last| key < *last) && !list.contains(&key)
    }

    fn has(&self, key: u32, refused: bool) -> bool {
        key != NONE && self.list(refused).contains(&key)
    }

    /// Enters a key that it lacks; whether another had to leave.
    fn enter(&mut self, key: u32, refused: bool) -> bool {
        let list = if refused { &mut self.refused[..] } else { &mut self.let_in[..] };
        let at = list.partition_point(|k| *k < key);
        let mut out = key;
        list.iter_mut().skip(at).for_each(|slot| std::mem::swap(slot, &mut out));
        out != NONE
    }

    /// The keys of what was refused.
    pub(crate) fn refused(&self) -> impl Iterator<Item = u32> {
        self.refused.into_iter().filter(|key| *key != NONE)
    }

    /// The keys of what was let in.
    pub(crate) fn let_in(&self) -> impl Iterator<Item = u32> {
        self.let_in.into_iter().filter(|key| *key != NONE)
    }

    /// The least key of which it does not tell whether it was let in.
    pub(crate) fn bar(&self) -> u32 {
        self.let_in.last().copied().unwrap_or(NONE)
    }

    /// Whether a resource was certainly never let in.
    pub(crate) fn never_let_in(&self, key: u32) -> bool {
        self.never(key, false)
    }

    /// Whether a resource was certainly never refused.
    pub(crate) fn never_refused(&self, key: u32) -> bool {
        self.never(key, true)
    }

    /// It is not there, and belonged there if it ever came.
    fn never(&self, key: u32, refused: bool) -> bool {
        key != NONE && self.lacks(key, refused)
    }
}

/// The first request of one of these resources.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The number of the row times two, and one more if it was refused.
    of: u32,
    key: u32,
    /// The number of its line among those that are kept, from 1; 0 if it can be read again.
    text: u32,
    spot: Spot,
}

/// Without its row.
impl Wire for Place {
    fn put(&self, out: &mut Vec<u8>) {
        (self.is_refused(), self.key).put(out);
        self.spot.put(out);
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        let (refused, key) = <(bool, u32)>::get(from)?;
        Ok(Place { of: u32::from(refused), key, text: 0, spot: Wire::get(from)? })
    }
}

impl Place {
    fn row(&self) -> usize {
        (self.of / 2) as usize
    }

    fn is_refused(&self) -> bool {
        self.of % 2 == 1
    }
}

/// The places of all lanes, in no order. What had to leave a sample is dropped later, with others.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    list: Vec<Place>,
    texts: Vec<Box<[u8]>>,
    /// How many had to leave.
    left: usize,
}

impl Places {
    fn push(&mut self, row: usize, key: u32, refused: bool, spot: Spot, text: Option<Box<[u8]>>) {
        let text = text.map_or(0, |text| {
            self.texts.push(text);
            u32::try_from(self.texts.len()).unwrap_or(0)
        });
        self.list.push(Place { of: super::number(row) * 2 + u32::from(refused), key, text, spot });
    }

    fn text(&self, place: &Place) -> Option<&[u8]> {
        (place.text as usize).checked_sub(1).and_then(|t| self.texts.get(t)).map(|text| &**text)
    }

    pub(super) fn spots_mut(&mut self) -> impl Iterator<Item = &mut Spot> {
        self.list.iter_mut().map(|place| &mut place.spot)
    }

    /// Keeps those to which `row` gives a row, the same one or another.
    pub(super) fn keep(&mut self, row: impl Fn(usize, u32, bool) -> Option<usize>) {
        let mut texts = std::mem::take(&mut self.texts);
        let kept = &mut self.texts;
        self.list.retain_mut(|place| {
            let Some(to) = row(place.row(), place.key, place.is_refused()) else { return false };
            place.of = super::number(to) * 2 + place.of % 2;
            if let Some(text) = (place.text as usize).checked_sub(1).and_then(|t| texts.get_mut(t)) {
                kept.push(std::mem::take(text));
                place.text = u32::try_from(kept.len()).unwrap_or(0);
            }
            true
        });
        self.left = 0;
    }

    /// Gives each to the lot and the row there that its row has.
    pub(super) fn share(self, to: impl Fn(usize) -> Option<(usize, usize)>, lots: &mut [Lanes]) {
        let mut texts = self.texts;
        for place in self.list {
            let Some((lot, row)) = to(place.row()) else { continue };
            let Some(lot) = lots.get_mut(lot) else { continue };
            let text = (place.text as usize).checked_sub(1).and_then(|t| texts.get_mut(t));
            let text = text.map(std::mem::take);
            lot.places.push(row, place.key, place.is_refused(), place.spot, text);
        }
    }

    /// By row: where those of each begin in a list of all, and that list.
    fn by_row(&self, rows: usize) -> (Vec<u32>, Vec<u32>) {
        let mut starts = vec![0u32; rows + 1];
        for place in &self.list {
            starts.iter_mut().skip(place.row() + 1).take(1).for_each(|n| *n += 1);
        }
        let mut all = 0;
        for start in &mut starts {
            all += *start;
            *start = all;
        }
        let mut order = vec![0u32; self.list.len()];
        let mut next = starts.clone();
        for (number, place) in (0u32..).zip(&self.list) {
            let Some(at) = next.get_mut(place.row()) else { continue };
            order.iter_mut().skip(*at as usize).take(1).for_each(|n| *n = number);
            *at += 1;
        }
        (starts, order)
    }
}

/// The places of what a part held, row by row.
pub(super) struct ByRow {
    places: Places,
    starts: Vec<u32>,
    order: Vec<u32>,
}

impl ByRow {
    pub(super) fn new(places: Places, rows: usize) -> ByRow {
        let (starts, order) = places.by_row(rows);
        ByRow { places, starts, order }
    }

    fn of(&self, row: usize) -> impl Iterator<Item = &Place> {
        let at = |row: usize| self.starts.get(row).map_or(0, |n| *n as usize);
        let own = self.order.get(at(row)..at(row + 1)).unwrap_or_default();
        own.iter().filter_map(|n| self.places.list.get(*n as usize))
    }
}

/// From so many on that had to leave, they are dropped, if they are half of all.
const LEFT: usize = 1024;

impl Lanes {
    /// Keeps a request of a resource that the sample of its row lacks.
    #[inline(never)]
    pub(super) fn open(&mut self, row: usize, key: u32, refused: bool, spot: Spot, text: Option<Box<[u8]>>) {
        let Some(sample) = self.rows.get_mut(row).and_then(|r| r.kept.sample_mut()) else { return };
        self.places.left += usize::from(sample.enter(key, refused));
        self.places.push(row, key, refused, spot, text);
        if self.places.left >= LEFT && self.places.left * 2 >= self.places.list.len() {
            self.drop_left();
        }
    }

    /// How many places and lines are kept.
    #[cfg(test)]
    pub(crate) fn kept_places(&self) -> usize {
        self.places.list.len().max(self.places.texts.len())
    }

    /// Drops the places of what had to leave.
    pub(super) fn drop_left(&mut self) {
        if self.places.left == 0 {
            return;
        }
        let rows = &self.rows;
        self.places.keep(|row, key, refused| {
            rows.get(row)?.kept.sample().is_some_and(|sample| sample.has(key, refused)).then_some(row)
        });
    }

    /// Takes the places of a row of a later part in, whose sample is given.
    pub(super) fn absorb_open(&mut self, at: usize, sample: Option<&Sample>, theirs: &mut ByRow, row: usize) {
        let Some(sample) = sample.filter(|sample| **sample != Sample::EMPTY) else { return };
        let wanted: Vec<Place> =
            theirs.of(row).filter(|p| sample.has(p.key, p.is_refused())).copied().collect();
        for place in wanted {
            let own = self.rows.get(at).and_then(|r| r.kept.sample());
            if own.is_some_and(|own| own.lacks(place.key, place.is_refused())) {
                let text = (place.text as usize).checked_sub(1).and_then(|t| theirs.places.texts.get_mut(t));
                let text = text.map(std::mem::take);
                self.open(at, place.key, place.is_refused(), place.spot, text);
            }
        }
    }
}

/// What had to leave is dropped before.
impl Lanes {
    /// Appends the places of a row.
    pub(super) fn put_open(&self, by_row: &ByRow, row: usize, out: &mut Vec<u8>) {
        let live = |p: &&Place| {
            let sample = self.rows.get(row).and_then(|r| r.kept.sample());
            sample.is_some_and(|sample| sample.has(p.key, p.is_refused()))
        };
        (by_row.of(row).filter(live).count() as u64).put(out);
        for place in by_row.of(row).filter(live) {
            place.put(out);
            super::stored::put_text(by_row.places.text(place).unwrap_or_default(), out);
        }
    }

    /// Takes the places of a row from the front.
    pub(super) fn get_open(&mut self, row: usize, from: &mut In<'_>) -> Result<(), Malformed> {
        for _ in 0..u64::get(from)? {
            let place = Place::get(from)?;
            let text = Some(Box::<[u8]>::get(from)?).filter(|text| !text.is_empty());
            let sample = self.rows.get(row).and_then(|r| r.kept.sample());
            if !sample.is_some_and(|sample| sample.lacks(place.key, place.is_refused())) {
                return Err(Malformed);
            }
            self.open(row, place.key, place.is_refused(), place.spot, text);
        }
        Ok(())
    }
}

impl Pairs {
    /// The first requests of what is kept of lanes without a name: of which lane and resource, and whether it was refused. In no
    /// order.
    pub(crate) fn open(&self) -> impl Iterator<Item = (Lane<'_>, u32, bool, Event)> {
        let lanes = &self.0;
        let live = |p: &&Place| {
            let sample = lanes.rows.get(p.row()).and_then(|r| r.kept.sample());
            sample.is_some_and(|sample| sample.has(p.key, p.is_refused()))
        };
        lanes.places.list.iter().filter(live).filter_map(|p| {
            let text = lanes.places.text(p).map(Box::from);
            Some((self.lane(p.row())?, p.key, p.is_refused(), p.spot.event(text)))
        })
    }
}
