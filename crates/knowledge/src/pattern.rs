//! A phrase as a pattern of words, and how it is held against the words of a text.

use std::collections::HashMap;

use crate::words::{Word, each_word};

/// One thing that a pattern demands of one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Atom {
    /// This word, or exactly this number.
    Word(u32),
    /// Any number.
    Number,
}

/// Runs of words with gaps between them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pattern {
    /// The runs; none is empty.
    pub(crate) runs: Vec<Vec<Atom>>,
}

/// A word of the text, looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// Its number in the vocabulary; 0 where no pattern has it.
    pub(crate) id: u32,
    pub(crate) number: bool,
    pub(crate) spaced: bool,
    pub(crate) lined: bool,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

// A gap ends at the end of a line: what stands on two lines of a log or of a message's fields is not one sentence.
/// At most so many words fill a gap: a token or a path has many.
const GAP_WORDS: usize = 48;
/// At most so many pieces divided by white space fill a gap.
const GAP_PIECES: usize = 10;

/// Every word of every pattern, numbered from 1.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    /// By first byte: the lengths of the words, a bit each.
    lengths: [u64; 256],
    ids: Map<Box<[u8]>, u32>,
}

/// A map whose keys are short and our own.
pub(crate) type Map<K, V> = HashMap<K, V, std::hash::BuildHasherDefault<Fnv>>;

/// Fowler, Noll and Vo's hash (FNV-1a, RFC 9923), for short keys. The keys in the table are our own data, so nobody can fill
/// it with collisions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl std::hash::Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl Default for Vocabulary {
    fn default() -> Self {
        Vocabulary { lengths: [0; 256], ids: Map::default() }
    }
}

fn length_bit(folded: &[u8]) -> u64 {
    1 << folded.len().min(63)
}

impl Vocabulary {
    pub(crate) fn id(&self, folded: &[u8]) -> u32 {
        // Most words of a text begin in no way that a known word of that length does, which is quicker told.
        let known = folded.first().and_then(|&first| self.lengths.get(usize::from(first)));
        match known {
            Some(lengths) if lengths & length_bit(folded) != 0 => self.ids.get(folded).copied().unwrap_or(0),
            _ => 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len() + 1
    }

    fn intern(&mut self, folded: &[u8]) -> u32 {
        if let Some(lengths) = folded.first().and_then(|&first| self.lengths.get_mut(usize::from(first))) {
            *lengths |= length_bit(folded);
        }
        if let Some(known) = self.ids.get(folded) {
            return *known;
        }
        let next = self.ids.len() as u32 + 1;
        self.ids.insert(folded.into(), next);
        next
    }

    /// The words of a text, looked up.
    pub(crate) fn look_up(&self, text: &[u8]) -> Vec<Seen> {
        let mut seen = Vec::with_capacity(text.len() / 6 + 1);
        each_word(text, |w| {
            let Word { folded, number, spaced, lined, start, end } = w;
            seen.push(Seen { id: self.id(folded), number, spaced, lined, start, end });
        });
        seen
    }

    /// Reads a wording: `{}` is a gap, `{=401.3}` exactly this number, any other number any number.
    pub(crate) fn pattern(&mut self, text: &str) -> Pattern {
        let mut pattern = Pattern::default();
        let mut rest = text;
        let mut joined = false;
        while let Some((before, after)) = rest.split_once('{') {
            self.add_words(&mut pattern, before, false, &mut joined);
            let Some((inside, after)) = after.split_once('}') else { break };
            match inside.strip_prefix('=') {
                Some(exact) => self.add_words(&mut pattern, exact, true, &mut joined),
                None => joined = false,
            }
            rest = after;
        }
        self.add_words(&mut pattern, rest, false, &mut joined);
        pattern
    }

    /// Reads a code, whose every digit counts.
    pub(crate) fn code(&mut self, text: &str) -> Pattern {
        let mut pattern = Pattern::default();
        self.add_words(&mut pattern, text, true, &mut false);
        pattern
    }

    fn add_words(&mut self, pattern: &mut Pattern, text: &str, exact: bool, joined: &mut bool) {
        each_word(text.as_bytes(), |word| {
            let atom =
                if word.number && !exact { Atom::Number } else { Atom::Word(self.intern(word.folded)) };
            match pattern.runs.last_mut() {
                Some(run) if *joined => run.push(atom),
                _ => pattern.runs.push(vec![atom]),
            }
            *joined = true;
        });
    }
}

impl Atom {
    fn fits(self, word: &Seen) -> bool {
        match self {
            Atom::Word(id) => word.id == id,
            Atom::Number => word.number,
        }
    }
}

fn run_fits(run: &[Atom], words: &[Seen], at: usize) -> bool {
    words.get(at..at + run.len()).is_some_and(|here| run.iter().zip(here).all(|(atom, word)| atom.fits(word)))
}

impl Pattern {
    /// Whether the text fits with run `run` at word `at`; if so, the range of bytes from first to last word.
    ///
    /// Each gap is filled by as few words as possible, without going back, so the cost is bounded by the length
    /// of the pattern and of its gaps.
    pub(crate) fn fit(&self, words: &[Seen], run: usize, at: usize) -> Option<std::ops::Range<usize>> {
        let (left, right) = self.runs.split_at_checked(run)?;
        let (anchor, right) = right.split_first()?;
        if !run_fits(anchor, words, at) {
            return None;
        }
        let mut end = at + anchor.len();
        for run in right {
            end = Self::next_run(run, words, end)? + run.len();
        }
        let mut start = at;
        for run in left.iter().rev() {
            start = Self::previous_run(run, words, start)?;
        }
        Some(words.get(start)?.start..words.get(end.checked_sub(1)?)?.end)
    }

    fn next_run(run: &[Atom], words: &[Seen], from: usize) -> Option<usize> {
        let mut pieces = 0;
        for at in from..=from + GAP_WORDS {
            if words.get(at)?.lined {
                return None;
            }
            if run_fits(run, words, at) {
                return Some(at);
            }
            pieces += usize::from(words.get(at)?.spaced || at == from);
            if pieces > GAP_PIECES {
                return None;
            }
        }
        None
    }

    fn previous_run(run: &[Atom], words: &[Seen], before: usize) -> Option<usize> {
        let mut pieces = 0;
        let nearest = before.checked_sub(run.len())?;
        for at in (nearest.saturating_sub(GAP_WORDS)..=nearest).rev() {
            if words.get(at + run.len())?.lined {
                return None;
            }
            if run_fits(run, words, at) {
                return Some(at);
            }
            pieces += usize::from(words.get(at + run.len())?.spaced);
            if pieces > GAP_PIECES {
                return None;
            }
        }
        None
    }
}
