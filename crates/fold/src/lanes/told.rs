//! Lanes as they are told of.

use super::{Elsewhere, GROUPS, Lanes, Row, Sample, Whose, number};
use crate::Event;
use crate::event::Spot;

/// What one account did with one client; without a name, what a client did.
#[derive(Clone, Copy)]
pub struct Lane<'l> {
    lanes: &'l Lanes,
    at: usize,
    /// The same for all that one client did.
    pub client: u64,
    /// The same for all that was done under one name; 0, 1 and 2 where there was none.
    pub name: u64,
    /// Requests.
    pub seen: u64,
    /// Requests that were let in.
    pub let_in: u64,
    /// Requests that were answered 401, 403 or 407.
    pub refused: u64,
}

impl<'l> Lane<'l> {
    fn spots(&self) -> Option<(Spot, Spot)> {
        self.lanes.whose.get(self.at)?.first.zip(self.lanes.rows.get(self.at)?.kept.last().copied())
    }

    /// Where the first and the last request with a name stand that were let in.
    pub(crate) fn places(&self) -> Option<[(u32, u64); 2]> {
        self.spots().map(|(first, last)| [first, last].map(|spot| (spot.source, spot.offset)))
    }

    /// When the last of them was.
    pub(crate) fn last_time(&self) -> Option<i64> {
        self.spots().and_then(|(_, last)| last.time())
    }

    /// The first and the last request with a name that was let in.
    pub fn admitted(&self) -> Option<(Event, Event)> {
        let (first, last) = self.spots()?;
        let texts = self.lanes.texts.get(self.at);
        // Of a source whose lines can be read again there is no text.
        let kept = |text: &Vec<u8>| (!text.is_empty()).then(|| text.as_slice().into());
        let (opening, latest) = texts.map_or((None, None), |[first, last]| (kept(first), kept(last)));
        Some((first.event(opening), last.event(latest)))
    }

    /// The resources that were asked for without a name: none where one was let in under a name.
    pub(crate) fn sample(&self) -> Option<&'l Sample> {
        self.lanes.rows.get(self.at)?.kept.sample()
    }

    fn own_elsewhere(&self) -> &'l [Elsewhere] {
        let all = self.lanes.elsewhere.as_slice();
        let row = number(self.at);
        let from = all.partition_point(|e| e.of / GROUPS < row);
        let rest = all.get(from..).unwrap_or_default();
        rest.get(..rest.partition_point(|e| e.of / GROUPS == row)).unwrap_or_default()
    }

    /// Whether it was let in at more than one of the groups of resources.
    pub(crate) fn goes_elsewhere(&self) -> bool {
        self.own_elsewhere().len() > 1
    }

    /// The first request that was let in under a name of each of a few groups of resources: where a client uses few, of
    /// each of them.
    pub fn elsewhere(&self) -> impl Iterator<Item = Event> + use<'l> {
        let texts = &self.lanes.elsewhere_texts;
        self.own_elsewhere()
            .iter()
            .map(move |e| e.spot.event((e.text as usize).checked_sub(1).and_then(|t| texts.get(t)).cloned()))
    }
}

impl std::fmt::Debug for Lane<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Lane { client, name, seen, let_in, refused, .. } = self;
        f.debug_struct("Lane")
            .field("whose", &(client, name))
            .field("counts", &(seen, let_in, refused))
            .field("admitted", &self.admitted())
            .field("elsewhere", &self.elsewhere().collect::<Vec<_>>())
            .finish()
    }
}

impl PartialEq for Lane<'_> {
    fn eq(&self, other: &Self) -> bool {
        let counts = |l: &Self| [l.client, l.name, l.seen, l.let_in, l.refused];
        counts(self) == counts(other)
            && self.admitted() == other.admitted()
            && self.elsewhere().eq(other.elsewhere())
    }
}

impl Eq for Lane<'_> {}

/// All lanes as they are told of, in the order in which they first came; in as little room as they were kept.
#[derive(Clone, Default)]
pub struct Pairs(pub(super) Lanes);

impl Pairs {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.rows.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Lane<'_>> {
        let lanes = &self.0;
        let rows = lanes.rows.iter().zip(&lanes.whose).enumerate();
        rows.map(move |(at, (row, whose))| lane(lanes, at, row, whose))
    }

    pub(super) fn lane(&self, at: usize) -> Option<Lane<'_>> {
        let lanes = &self.0;
        Some(lane(lanes, at, lanes.rows.get(at)?, lanes.whose.get(at)?))
    }

    /// What is kept of lanes without a name, in order: client, name, key of the resource, whether it was refused.
    pub(crate) fn opened(&self) -> Vec<([u64; 4], Event)> {
        let all = self.open();
        let all = all.map(|(l, key, refused, event)| ([l.client, l.name, key.into(), refused.into()], event));
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(whose, event)| (*whose, event.place()));
        all
    }
}

fn lane<'l>(lanes: &'l Lanes, at: usize, row: &Row, whose: &Whose) -> Lane<'l> {
    Lane {
        lanes,
        at,
        client: whose.client,
        name: whose.name,
        seen: row.seen,
        let_in: row.let_in,
        refused: row.refused.into(),
    }
}

impl PartialEq for Pairs {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter()) && self.opened() == other.opened()
    }
}

impl Eq for Pairs {}

impl std::fmt::Debug for Pairs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).entries(self.opened()).finish()
    }
}
