//! What servers said, in bounded memory: the first of it whole, of more each wording about an account and a client once.

use crate::thin::{Key, later};
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, Hasher};
use why401_http::{Moment, Statement, Words};
use why401_report::Series;

/// So many statements are kept; of more, one of each wording about a user and a client, and the others are counted.
const STATEMENTS: usize = 20_000;
/// So many where a large access log stands beside them: there they are about what an example stands for.
const BESIDE: usize = 2_000;
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
    /// Whether a large access log stands beside them.
    pub(crate) is_beside: bool,
}

impl Said {
    /// So many are kept whatever they say.
    fn whole(&self) -> usize {
        if self.is_beside { BESIDE } else { STATEMENTS }
    }

    /// Takes a statement.
    pub(crate) fn take(&mut self, mut statement: Statement) {
        if self.repeat(&statement.words()) {
            return;
        }
        if self.kept.len() >= self.whole() {
            let level = (self.alike.len() / STATEMENTS).min(LEVELS - 1);
            let key = keys(&self.hasher, &statement.words()).get(level).copied();
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
        self.kept.len() >= self.whole() && self.repeat_alike(&keys(&self.hasher, words), words.time)
    }

    /// The same, of words of which it is known what they have in common with others.
    pub(crate) fn repeat_alike(&mut self, keys: &[u64; LEVELS], time: Option<Moment>) -> bool {
        if self.kept.len() < self.whole() {
            return false;
        }
        // Only as coarsely as there was no more room to tell them apart.
        let levels = self.alike.len() / STATEMENTS + 1;
        let found = keys.iter().take(levels).find_map(|key| self.alike.get(key)).copied();
        match found.and_then(|at| self.kept.get_mut(at)) {
            Some(heard) => {
                heard.repeat(time);
                true
            }
            None => false,
        }
    }

    /// What was said of each client and user, by keys: the same number for the same wordings.
    pub(crate) fn by_whom(&self, key: Key) -> HashMap<(u64, u64), u64> {
        let mut wordings: HashMap<u64, u64, RandomState> = HashMap::default();
        let mut said: HashMap<(u64, u64), BTreeSet<u64>> = HashMap::new();
        for heard in &self.kept {
            let statement = &heard.statement;
            let (Some(client), Some(user)) = (&statement.client, &statement.user) else { continue };
            let mut hasher = self.hasher.build_hasher();
            wording(statement.words().text, &mut hasher);
            let next = wordings.len() as u64 + 1;
            let number = *wordings.entry(hasher.finish()).or_insert(next);
            said.entry((key.of(&client.host), key.of(user))).or_default().insert(number);
        }
        let mut sets: BTreeMap<BTreeSet<u64>, u64> = BTreeMap::new();
        let mut whose: Vec<_> = said.into_iter().collect();
        whose.sort_by(|a, b| a.1.cmp(&b.1));
        let number = |(whom, set): ((u64, u64), BTreeSet<u64>)| {
            let next = sets.len() as u64 + 1;
            (whom, *sets.entry(set).or_insert(next))
        };
        whose.into_iter().map(number).collect()
    }

    /// Tells what words have in common with others, on any thread.
    pub(crate) fn likeness(&self) -> impl Fn(&Words<'_>) -> [u64; LEVELS] + Send + Sync + use<> {
        let of = self.hasher.clone();
        move |words| keys(&of, words)
    }
}

/// What words have in common with others: all, all but the client, the wording, nothing.
fn keys(of: &RandomState, words: &Words<'_>) -> [u64; LEVELS] {
    let mut hasher = of.build_hasher();
    wording(words.text, &mut hasher);
    let text = hasher.finish();
    let (user, client) = (of.hash_one(words.user), of.hash_one(words.client));
    let key = |level: u8, text: u64, user: u64, client: u64| of.hash_one((level, text, user, client));
    [key(0, text, user, client), key(1, text, user, 0), key(2, text, 0, 0), key(3, 0, 0, 0)]
}

/// So many ways there are to have something in common.
pub(crate) const LEVELS: usize = 4;

/// The words without what changes from line to line, as [`crate::correlate::wording`] takes them.
fn wording(text: &[u8], into: &mut impl Hasher) {
    let mut quoted = false;
    let text = text.get(..WORDING).unwrap_or(text);
    // At one go: a hash of many small pieces takes longer, and depends on where they were cut.
    let mut room = [0; WORDING];
    let mut taken = 0;
    // Each is written, and kept if the next one is written behind it: that spares a guess at each.
    for byte in text {
        let is_quote = *byte == b'"';
        quoted ^= is_quote;
        if let Some(free) = room.get_mut(taken) {
            *free = *byte;
        }
        taken += usize::from(!(quoted | is_quote | byte.is_ascii_digit()));
    }
    into.write(room.get(..taken).unwrap_or_default());
}
