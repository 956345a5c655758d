//! Refused chains that are counted together: their exact number, and a few of them.

use crate::Chain;
use crate::wire::{In, Malformed, Wire, wire};
use why401_report::Series;

/// Chains of one resource, or of all the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) resource: u64,
    pub(crate) chains: u64,
    pub(crate) refused: u64,
    pub(crate) first: Option<i64>,
    pub(crate) last: Option<i64>,
    pub(crate) series: Series,
    pub(crate) opening: Chain,
    /// In boxes: most are refused but once.
    pub(crate) second: Option<Box<Chain>>,
    pub(crate) latest: Option<Box<Chain>>,
}

wire!(Group { resource: key, chains, refused, first, last, series, opening, second, latest });

impl Wire for Series {
    fn put(&self, out: &mut Vec<u8>) {
        let (level, doubled, slots) = self.as_raw();
        (level, doubled).put(out);
        (slots.len() as u64).put(out);
        slots.iter().for_each(|slot| slot.put(out));
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        let (level, doubled) = Wire::get(from)?;
        Series::from_raw(level, doubled, Wire::get(from)?).ok_or(Malformed)
    }
}

impl Group {
    pub(crate) fn new(chain: Chain) -> Group {
        let mut series = Series::default();
        if let Some(ms) = chain.first.time {
            series.add(ms.div_euclid(1000), chain.refused.max(1));
        }
        Group {
            resource: chain.resource,
            chains: 1,
            refused: chain.refused.max(1),
            first: chain.first.time.or(chain.last().time),
            last: chain.last().time.or(chain.first.time),
            series,
            opening: chain,
            second: None,
            latest: None,
        }
    }

    pub(crate) fn add(&mut self, chain: Chain) {
        let refused = chain.refused.max(1);
        self.chains += 1;
        self.refused += refused;
        if let Some(ms) = chain.first.time {
            self.series.add(ms.div_euclid(1000), refused);
        }
        let (first, last) = (chain.first.time.or(chain.last().time), chain.last().time.or(chain.first.time));
        self.first = [self.first, first].into_iter().flatten().min();
        self.last = self.last.max(last);
        self.example(chain);
    }

    /// Something of all that the next chain changes.
    pub(crate) fn look(&self) -> u64 {
        let latest = self.latest.as_ref().map_or(0, |latest| latest.place().1);
        self.chains ^ latest ^ self.series.as_raw().2.last().map_or(0, |(_, count)| *count)
    }

    pub(crate) fn absorb(&mut self, other: Group) {
        self.chains += other.chains;
        self.refused += other.refused;
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        self.series.merge(&other.series);
        self.example(other.opening);
        other.second.into_iter().chain(other.latest).for_each(|c| self.example(*c));
    }

    /// Keeps the first two and the last one in order of place.
    #[inline]
    pub(crate) fn example(&mut self, mut chain: Chain) {
        // Mostly they come in order: then nothing else has to be fetched.
        if let Some(latest) = &mut self.latest
            && latest.place() < chain.place()
        {
            **latest = chain;
            return;
        }
        if chain.place() < self.opening.place() {
            std::mem::swap(&mut chain, &mut self.opening);
        }
        match &mut self.second {
            None => {
                self.second = Some(Box::new(chain));
                return;
            }
            Some(second) if chain.place() < second.place() => std::mem::swap(&mut chain, second),
            Some(_) => {}
        }
        match &mut self.latest {
            None => self.latest = Some(Box::new(chain)),
            Some(latest) if latest.place() < chain.place() => **latest = chain,
            Some(_) => {}
        }
    }

    pub(crate) fn examples_mut(&mut self) -> impl Iterator<Item = &mut Chain> {
        let (second, latest) = (self.second.as_deref_mut(), self.latest.as_deref_mut());
        std::iter::once(&mut self.opening).chain(second).chain(latest)
    }
}
