//! What servers said, in bounded memory: the first of it whole, of more each wording about an account and a client once.

use crate::thin::later;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
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
    alike: HashMap<u64, usize>,
    hasher: RandomState,
    room: Vec<u8>,
}

impl Said {
    /// Takes a statement.
    pub(crate) fn take(&mut self, mut statement: Statement) {
        if self.repeat(&statement.words()) {
            return;
        }
        if self.kept.len() >= STATEMENTS {
            let keys = self.keys(&statement.words());
            let level = self.alike.len() / STATEMENTS;
            if level >= LEVELS - 2 {
                // Of more users than are told apart: one stands for all, and names none.
                statement.user = None;
            }
            if let Some(key) = keys.get(level).or(keys.last()) {
                self.alike.insert(*key, self.kept.len());
            }
        }
        self.kept.push(Heard::new(statement));
    }

    /// Counts words, where statements stand for them already.
    pub(crate) fn repeat(&mut self, words: &Words<'_>) -> bool {
        if self.kept.len() < STATEMENTS {
            return false;
        }
        // Only as coarsely as there was no more room to tell them apart.
        let keys = self.keys(words);
        let levels = keys.iter().take(self.alike.len() / STATEMENTS + 1);
        let found = levels.filter_map(|key| self.alike.get(key)).next().copied();
        match found.and_then(|at| self.kept.get_mut(at)) {
            Some(heard) => {
                heard.repeat(words.time);
                true
            }
            None => false,
        }
    }

    /// What words have in common with others: all, all but the client, the wording, nothing.
    fn keys(&mut self, words: &Words<'_>) -> [u64; LEVELS] {
        let mut room = std::mem::take(&mut self.room);
        wording(words.text, &mut room);
        let key = |level: u8, text: &[u8], of: [Option<&[u8]>; 2]| {
            let mut hasher = self.hasher.build_hasher();
            hasher.write_u8(level);
            hasher.write(text);
            for part in of {
                // Where one ends and the next begins.
                hasher.write_u8(u8::from(part.is_some()));
                hasher.write(part.unwrap_or_default());
            }
            hasher.finish()
        };
        let keys = [
            key(0, &room, [words.user, words.client]),
            key(1, &room, [words.user, None]),
            key(2, &room, [None, None]),
            key(3, b"", [None, None]),
        ];
        self.room = room;
        keys
    }
}

/// So many ways there are to have something in common.
const LEVELS: usize = 4;

/// The words without what changes from line to line, as [`crate::correlate::wording`] takes them.
fn wording(text: &[u8], into: &mut Vec<u8>) {
    into.clear();
    let mut quoted = false;
    for b in text.iter().take(WORDING) {
        match b {
            b'"' => quoted = !quoted,
            _ if quoted || b.is_ascii_digit() => {}
            _ => into.push(*b),
        }
    }
}
