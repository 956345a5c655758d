//! Which wordings a text fits: found by a rare pair of neighbouring words first, then held against the text around it.

use std::ops::Range;

use crate::tables::{Wordings, part};
use crate::words::{Word, each_word};

/// A word of the text, looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// Its number among the words of all wordings; 0 where none has it.
    pub(crate) id: u32,
    pub(crate) number: bool,
    pub(crate) spaced: bool,
    pub(crate) lined: bool,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Wordings {
    /// Every wanted target of which a wording stands in the text, where it first stands: once for each of its wordings.
    /// Linear in the text.
    pub(crate) fn find(&self, text: &[u8], wanted: impl Fn(usize) -> bool) -> Vec<(usize, Range<usize>)> {
        let words = self.look_up(text);
        let mut found: Vec<(usize, Range<usize>)> = Vec::new();
        let mut wordings: Vec<u32> = Vec::new();
        let mut next = words.iter().skip(1);
        for (at, word) in words.iter().enumerate() {
            let after = next.next().map_or(0, |w| w.id);
            if word.id == 0 {
                continue;
            }
            let singles = part(&self.singles, &self.single_ends, word.id as usize);
            for anchor in singles.iter().chain(self.pairs(word.id, after)) {
                let Some(target) = self.targets.get(anchor.wording as usize).map(|t| *t as usize) else {
                    continue;
                };
                if !wanted(target) || wordings.contains(&anchor.wording) {
                    continue;
                }
                let begin = at.checked_sub(usize::from(anchor.offset));
                let runs = self.runs(anchor.wording as usize);
                if let Some(range) =
                    begin.and_then(|at| crate::pattern::fit(runs, &words, usize::from(anchor.run), at))
                {
                    found.push((target, range));
                    wordings.push(anchor.wording);
                }
            }
        }
        found
    }

    /// Where two neighbouring words are looked for.
    fn pairs(&self, first: u32, second: u32) -> impl Iterator<Item = &crate::tables::Anchor> {
        let led = if second == 0 { &[][..] } else { part(&self.pairs, &self.pair_ends, first as usize) };
        let from = led.partition_point(|(word, _)| *word < second);
        led.iter().skip(from).take_while(move |(word, _)| *word == second).map(|(_, anchor)| anchor)
    }

    /// The words of a text, looked up.
    fn look_up(&self, text: &[u8]) -> Vec<Seen> {
        let mut seen = Vec::with_capacity(text.len() / 6 + 1);
        each_word(text, |w| {
            let Word { folded, number, spaced, lined, start, end } = w;
            seen.push(Seen { id: self.id(folded), number, spaced, lined, start, end });
        });
        seen
    }

    fn id(&self, folded: &[u8]) -> u32 {
        // Most words of a text begin in no way that a known word of that length does, which is quicker told.
        let known = folded.first().and_then(|&first| self.lengths.get(usize::from(first)));
        if known.is_none_or(|lengths| lengths & Wordings::length_bit(folded) == 0) {
            return 0;
        }
        let numbers = Wordings::places(folded, self.slots.len()).map_while(|at| self.slots.get(at));
        let is = |number: u32| part(&self.words, &self.word_ends, number as usize - 1) == folded;
        numbers.copied().take_while(|number| *number != 0).find(|number| is(*number)).unwrap_or(0)
    }

    pub(crate) fn length_bit(word: &[u8]) -> u64 {
        1 << word.len().min(63)
    }

    /// Where the number of a word may stand, of so many slots: by Fowler, Noll and Vo's hash (FNV-1a, RFC 9923). The words in
    /// the table are our own data, so nobody can fill it with collisions.
    pub(crate) fn places(word: &[u8], slots: usize) -> impl Iterator<Item = usize> {
        let hash = word.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        // Its last bits depend on the last bytes least.
        let first = (hash ^ hash >> 32) as usize;
        (0..slots).map(move |nth| first.wrapping_add(nth) & (slots - 1))
    }

    /// The runs of a wording; none is empty.
    pub(crate) fn runs(
        &self,
        wording: usize,
    ) -> impl DoubleEndedIterator<Item = &[u32]> + ExactSizeIterator + Clone {
        let end = |wording: usize| self.wording_ends.get(wording).map_or(0, |end| *end as usize);
        let start = wording.checked_sub(1).map_or(0, end);
        (start..end(wording)).map(|run| part(&self.atoms, &self.run_ends, run))
    }
}
