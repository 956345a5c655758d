//! How each account fared with each client.

use crate::chain::Keys;
use crate::hash::Keyed;
use crate::{Event, Seen};

/// So many pairs of account and client are told apart; of more, those with the fewest requests are let go.
pub(crate) const MOST: usize = if cfg!(test) { 2_000 } else { 2_000_000 };

/// What one account did with one client; without a name, what a client did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
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
    /// The first and the last request with a name that was let in.
    pub admitted: Option<(Event, Event)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Row {
    key: u64,
    client: u64,
    name: u64,
    seen: u64,
    let_in: u64,
    refused: u64,
    /// Position in the list of admissions, from 1.
    admitted: u32,
}

/// All lanes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lanes {
    at: Keyed<u32>,
    rows: Vec<Row>,
    admitted: Vec<(Event, Event)>,
    /// Lanes that were let go, and their requests.
    pub(crate) dropped: (u64, u64),
}

impl Lanes {
    /// Counts a request; `event` is asked for where its place has to be remembered.
    #[inline]
    pub(crate) fn count(&mut self, seen: &Seen<'_>, keys: Keys, event: impl FnOnce() -> Event) {
        let at = match self.at.get(&keys.lane) {
            Some(at) => *at as usize,
            None => self.add(keys),
        };
        let Some(row) = self.rows.get_mut(at) else { return };
        row.seen += 1;
        row.refused += u64::from(matches!(seen.status, 401 | 403 | 407));
        if seen.let_in() {
            row.let_in += 1;
            if seen.is_named() {
                let event = event();
                match (row.admitted as usize).checked_sub(1).and_then(|at| self.admitted.get_mut(at)) {
                    Some((_, last)) => *last = event,
                    None => {
                        self.admitted.push((event.clone(), event));
                        row.admitted = u32::try_from(self.admitted.len()).unwrap_or(0);
                    }
                }
            }
        }
    }

    fn add(&mut self, keys: Keys) -> usize {
        if self.rows.len() >= MOST {
            self.let_go();
        }
        self.push(Row { key: keys.lane, client: keys.client, name: keys.name, ..Row::default() })
    }

    fn push(&mut self, row: Row) -> usize {
        let at = self.rows.len();
        self.at.insert(row.key, u32::try_from(at).unwrap_or(u32::MAX));
        self.rows.push(row);
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
        let mut admitted: Vec<Option<(Event, Event)>> =
            std::mem::take(&mut self.admitted).into_iter().map(Some).collect();
        self.at.clear();
        for mut row in rows {
            if row.seen > median || (row.seen == median && room > 0) {
                room = room.saturating_sub(usize::from(row.seen == median));
                let events =
                    (row.admitted as usize).checked_sub(1).and_then(|at| admitted.get_mut(at)?.take());
                row.admitted = 0;
                if let Some(events) = events {
                    self.admitted.push(events);
                    row.admitted = u32::try_from(self.admitted.len()).unwrap_or(0);
                }
                self.push(row);
            } else {
                self.dropped.0 += 1;
                self.dropped.1 += row.seen;
            }
        }
    }

    pub(crate) fn events_mut(&mut self) -> impl Iterator<Item = &mut Event> {
        self.admitted.iter_mut().flat_map(|(first, last)| [first, last])
    }

    /// Takes what came after in.
    pub(crate) fn absorb(&mut self, after: Lanes) {
        self.dropped.0 += after.dropped.0;
        self.dropped.1 += after.dropped.1;
        let mut events: Vec<Option<(Event, Event)>> = after.admitted.into_iter().map(Some).collect();
        for row in after.rows {
            let keys = Keys { client: row.client, name: row.name, lane: row.key };
            let at = match self.at.get(&row.key) {
                Some(at) => *at as usize,
                None => self.add(keys),
            };
            let Some(into) = self.rows.get_mut(at) else { continue };
            into.seen += row.seen;
            into.let_in += row.let_in;
            into.refused += row.refused;
            let added = (row.admitted as usize).checked_sub(1).and_then(|at| events.get_mut(at)?.take());
            let Some(added) = added else { continue };
            match (into.admitted as usize).checked_sub(1).and_then(|at| self.admitted.get_mut(at)) {
                Some((_, last)) => *last = added.1,
                None => {
                    self.admitted.push(added);
                    into.admitted = u32::try_from(self.admitted.len()).unwrap_or(0);
                }
            }
        }
    }

    /// The first request of a lane that was let in under a name.
    pub(crate) fn first_admitted(&self, key: u64) -> Option<&Event> {
        let row = self.rows.get(*self.at.get(&key)? as usize)?;
        self.admitted.get((row.admitted as usize).checked_sub(1)?).map(|(first, _)| first)
    }

    /// All of them, in the order in which they first came.
    pub(crate) fn finish(self) -> Vec<Lane> {
        let mut events: Vec<Option<(Event, Event)>> = self.admitted.into_iter().map(Some).collect();
        let lane = |row: Row| Lane {
            client: row.client,
            name: row.name,
            seen: row.seen,
            let_in: row.let_in,
            refused: row.refused,
            admitted: (row.admitted as usize).checked_sub(1).and_then(|at| events.get_mut(at)?.take()),
        };
        self.rows.into_iter().map(lane).collect()
    }
}
