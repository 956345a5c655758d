//! Finds the requests that may be of one time, whatever the zone, without going through all of them.

use crate::correlate::{QUARTER_HOUR, SAME_TIME};
use std::collections::HashMap;
use why401_http::Moment;

/// So many requests without a time, or for a statement without one, are looked at: the last ones.
const LOOKS: usize = 256;
/// So many of one second.
const OF_ONE_SECOND: usize = 200;

/// Requests by their second within the quarter of an hour, in which all time zones agree.
#[derive(Debug, Default)]
pub(crate) struct Near {
    all: Vec<usize>,
    untimed: Vec<usize>,
    seconds: HashMap<i64, Vec<usize>>,
}

fn second(time: Moment) -> i64 {
    time.at.as_second().rem_euclid(QUARTER_HOUR as i64)
}

impl Near {
    pub(crate) fn push(&mut self, id: usize, time: Option<Moment>) {
        self.all.push(id);
        match time {
            Some(time) => self.seconds.entry(second(time)).or_default().push(id),
            None => self.untimed.push(id),
        }
    }

    /// Those that may be of that time.
    pub(crate) fn of(&self, time: Option<Moment>) -> impl Iterator<Item = usize> {
        let around = SAME_TIME.ceil() as i64 + 1;
        let timed = time.into_iter().flat_map(move |time| {
            let seconds = (-around..=around).map(move |d| (second(time) + d).rem_euclid(QUARTER_HOUR as i64));
            seconds.filter_map(|s| self.seconds.get(&s)).flat_map(|ids| ids.iter().rev().take(OF_ONE_SECOND))
        });
        let untimed = if time.is_some() { &self.untimed } else { &self.all };
        timed.chain(untimed.iter().rev().take(LOOKS)).copied()
    }
}
