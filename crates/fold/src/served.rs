//! Examples of what was served without a name, whoever asked for it.

use crate::Event;
use crate::event::Spot;
use crate::hash::FIXED;
use crate::wire::{In, Malformed, Wire};

/// Into so many groups resources fall, by keys that are the same in every run.
const GROUPS: usize = 8192;

/// Of each group of resources one request, by a lot that its place draws: the more a resource is asked for, the likelier is
/// one of its requests. Which one it is does not depend on cuts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Served {
    /// The least lot of each group; none until there is a request.
    lots: Vec<u32>,
    kept: Vec<Option<Kept>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    key: u32,
    spot: Spot,
    text: Option<Box<[u8]>>,
}

/// The lot of a request by its place. No more than a product: every request draws one.
#[inline]
fn lot(source: u32, offset: u64) -> u32 {
    ((offset ^ u64::from(source) << 48).wrapping_mul(FIXED.0) >> 32) as u32
}

impl Served {
    /// Whether a request for the resource with this key, by its place, is to be kept.
    #[inline]
    pub(crate) fn lacks(&self, key: u32, (source, offset): (u32, u64)) -> bool {
        self.lots.get(group(key)).is_none_or(|least| lot(source, offset) <= *least)
    }

    /// Keeps a request for the resource with this key, if it is to be kept.
    #[inline(never)]
    pub(crate) fn add(&mut self, key: u32, spot: Spot, text: Option<Box<[u8]>>) {
        self.keep(lot(spot.source, spot.offset), Kept { key, spot, text });
    }

    fn keep(&mut self, lot: u32, new: Kept) {
        if self.lots.is_empty() {
            self.lots.resize(GROUPS, u32::MAX);
            self.kept.resize(GROUPS, None);
        }
        let at = group(new.key);
        let (Some(least), Some(kept)) = (self.lots.get_mut(at), self.kept.get_mut(at)) else { return };
        let place = |kept: &Kept| (kept.spot.source, kept.spot.offset);
        if kept.as_ref().is_none_or(|own| (lot, place(&new)) < (*least, place(own))) {
            (*least, *kept) = (lot, Some(new));
        }
    }

    pub(crate) fn spots_mut(&mut self) -> impl Iterator<Item = &mut Spot> {
        self.kept.iter_mut().flatten().map(|kept| &mut kept.spot)
    }

    pub(crate) fn absorb(&mut self, other: Served) {
        for kept in other.kept.into_iter().flatten() {
            self.keep(lot(kept.spot.source, kept.spot.offset), kept);
        }
    }

    /// A request for the resource with this key, if one is kept.
    pub(crate) fn at(&self, key: u32) -> Option<Event> {
        let kept = self.kept.get(group(key))?.as_ref().filter(|kept| kept.key == key)?;
        Some(kept.spot.event(kept.text.clone()))
    }
}

/// By bits that samples of the least keys do not choose by.
#[inline]
fn group(key: u32) -> usize {
    key as usize % GROUPS
}

impl Wire for Served {
    fn put(&self, out: &mut Vec<u8>) {
        (self.kept.iter().flatten().count() as u64).put(out);
        for kept in self.kept.iter().flatten() {
            (kept.key, kept.spot).put(out);
            kept.text.put(out);
        }
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        let mut served = Served::default();
        for _ in 0..u64::get(from)? {
            let ((key, spot), text) = <((u32, Spot), Option<Box<[u8]>>)>::get(from)?;
            served.keep(lot(spot.source, spot.offset), Kept { key, spot, text });
        }
        Ok(served)
    }
}
