//! What servers said, in bounded memory: the first of it whole, of more each wording about an account and a client once.

use crate::thin::later;
use foldhash::fast::RandomState;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use why401_http::{Moment, Statement, Words};
use why401_report::Series;

/// So many statements are kept; of more, one of each wording about a user and a client, and the others are counted.
const STATEMENTS: usize = 20_000;
/// So much of a text is its wording, in bytes.
const WORDING: usize = 400;

/// A statement, and how many it stands for.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) statement: Statement,
    pub(crate) count: u64,
    /// The last time.
    pub(crate) last: Option<Moment>,
    /// All of them over time, where they are more than one.
    pub(crate) series: Option<Box<Series>>,
}

impl Heard {
    fn new(statement: Statement) -> Heard {
        let last = statement.time;
        Heard { statement, count: 1, last, series: None }
    }

    fn repeat(&mut self, time: Option<Moment>) {
        let mut series = self.series.take().unwrap_or_else(|| self.series().into());
        if let Some(time) = time {
            series.add(time.at.as_second(), 1);
        }
        self.series = Some(series);
        self.count += 1;
        self.last = later(self.last, time);
    }

    /// All of them over time.
    pub(crate) fn series(&self) -> Series {
        match (&self.series, self.statement.time) {
            (Some(series), _) => (**series).clone(),
            (None, time) => crate::thin::of_one(time),
        }
    }
}

/// All that was said.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) kept: Vec<Heard>,
    /// Where those stand that stand for more, by what they have in common.
    alike: HashMap<u64, usize, RandomState>,
    hasher: RandomState,
}

impl Said {
    /// Takes a statement.
    pub(crate) fn take(&mut self, mut statement: Statement) {
        if self.repeat(&statement.words()) {
            return;
        }
        if self.kept.len() >= STATEMENTS {
            let level = (self.alike.len() / STATEMENTS).min(LEVELS - 1);
            let key = self.keys(&statement.words()).nth(level);
            if level >= 2 {
                // Of more users than are told apart: one stands for all, and names none.
                statement.user = None;
            }
            self.alike.extend(key.map(|key| (key, self.kept.len())));
        }
        self.kept.push(Heard::new(statement));
    }

    /// Counts words, where statements stand for them already.
    pub(crate) fn repeat(&mut self, words: &Words<'_>) -> bool {
        if self.kept.len() < STATEMENTS {
            return false;
        }
        // Only as coarsely as there was no more room to tell them apart.
        let levels = self.alike.len() / STATEMENTS + 1;
        let found = self.keys(words).take(levels).find_map(|key| self.alike.get(&key)).copied();
        match found.and_then(|at| self.kept.get_mut(at)) {
            Some(heard) => {
                heard.repeat(words.time);
                true
            }
            None => false,
        }
    }

    /// What words have in common with others: all, all but the client, the wording, nothing.
    fn keys<'w>(&self, words: &Words<'w>) -> impl Iterator<Item = u64> + use<'w> {
        let Words { text, user, client, .. } = *words;
        let of = self.hasher.clone();
        let mut hasher = of.build_hasher();
        wording(text, &mut hasher);
        let text = hasher.finish();
        (0..LEVELS).map(move |level| {
            let (text, user, client) = match level {
                0 => (text, user, client),
                1 => (text, user, None),
                2 => (text, None, None),
                _ => (0, None, None),
            };
            of.hash_one((level, text, user, client))
        })
    }
}

/// So many ways there are to have something in common.
const LEVELS: usize = 4;

/// The words without what changes from line to line, as [`crate::correlate::wording`] takes them.
fn wording(text: &[u8], into: &mut impl Hasher) {
    let mut quoted = false;
    let text = text.get(..WORDING).unwrap_or(text);
    // At one go: a hash of many small pieces takes longer, and depends on where they were cut.
    let mut room = [0; WORDING];
    let mut taken = 0;
    for part in text.split_inclusive(|b| *b == b'"' || b.is_ascii_digit()) {
        let (words, end) = match part.split_last() {
            Some((end, words)) if *end == b'"' || end.is_ascii_digit() => (words, *end),
            _ => (part, 0),
        };
        if !quoted && let Some(free) = room.get_mut(taken..taken + words.len()) {
            free.copy_from_slice(words);
            taken += words.len();
        }
        quoted ^= end == b'"';
    }
    into.write(room.get(..taken).unwrap_or_default());
}
