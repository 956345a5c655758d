//! Which patterns a text fits: found by a rare pair of neighbouring words first, then held against the text around it.

use std::ops::Range;

use crate::pattern::{Atom, Map, Pattern, Vocabulary};

/// Many patterns, searched for at once in time linear in the text.
#[derive(Debug, Default)]
pub(crate) struct Index {
    vocabulary: Vocabulary,
    patterns: Vec<(Pattern, usize)>,
    /// By word: the patterns that are looked for where it stands.
    singles: Vec<Vec<Anchor>>,
    /// By two neighbouring words; asked only for words in `leads`.
    pairs: Map<(u32, u32), Vec<Anchor>>,
    leads: Vec<bool>,
}

/// Where in a pattern the word or pair stands.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    pattern: usize,
    run: usize,
    offset: usize,
}

impl Index {
    /// Adds a wording that stands for `target`.
    pub(crate) fn add_text(&mut self, text: &str, target: usize) {
        let pattern = self.vocabulary.pattern(text);
        self.patterns.push((pattern, target));
    }

    /// Adds a code that stands for `target`.
    pub(crate) fn add_code(&mut self, code: &str, target: usize) {
        let pattern = self.vocabulary.code(code);
        self.patterns.push((pattern, target));
    }

    /// Chooses for every pattern the word or pair by which it is found. To be called when all are added.
    pub(crate) fn finish(&mut self) {
        let mut counts: Map<(u32, u32), usize> = Map::default();
        for (pattern, _) in &self.patterns {
            for (_, _, key) in keys(pattern) {
                *counts.entry(key).or_default() += 1;
            }
        }
        self.singles = vec![Vec::new(); self.vocabulary.len()];
        self.leads = vec![false; self.vocabulary.len()];
        for (number, (pattern, _)) in self.patterns.iter().enumerate() {
            // A pair is rarer in any text than a word alone, so it is preferred.
            let rarest = keys(pattern).min_by_key(|(_, _, key)| (key.1 == 0, counts.get(key).copied()));
            let Some((run, offset, key)) = rarest else { continue };
            let anchor = Anchor { pattern: number, run, offset };
            if key.1 == 0 {
                if let Some(list) = self.singles.get_mut(key.0 as usize) {
                    list.push(anchor);
                }
            } else {
                if let Some(lead) = self.leads.get_mut(key.0 as usize) {
                    *lead = true;
                }
                self.pairs.entry(key).or_default().push(anchor);
            }
        }
    }

    /// Every wanted target whose pattern stands in the text, where it first stands: once for each of its patterns.
    pub(crate) fn find(&self, text: &[u8], wanted: impl Fn(usize) -> bool) -> Vec<(usize, Range<usize>)> {
        let words = self.vocabulary.look_up(text);
        let mut found: Vec<(usize, Range<usize>)> = Vec::new();
        let mut patterns: Vec<usize> = Vec::new();
        let mut next = words.iter().skip(1);
        for (at, word) in words.iter().enumerate() {
            let after = next.next().map_or(0, |w| w.id);
            if word.id == 0 {
                continue;
            }
            let singles = self.singles.get(word.id as usize).into_iter().flatten();
            let leads = after != 0 && self.leads.get(word.id as usize).is_some_and(|&lead| lead);
            let pairs = leads.then(|| self.pairs.get(&(word.id, after))).flatten().into_iter().flatten();
            for anchor in singles.chain(pairs) {
                let Some((pattern, target)) = self.patterns.get(anchor.pattern) else { continue };
                if !wanted(*target) || patterns.contains(&anchor.pattern) {
                    continue;
                }
                let fit = at.checked_sub(anchor.offset).and_then(|at| pattern.fit(&words, anchor.run, at));
                if let Some(range) = fit {
                    found.push((*target, range));
                    patterns.push(anchor.pattern);
                }
            }
        }
        found
    }
}

/// Every word (paired with 0) and every pair of neighbours of a pattern, with run and offset.
fn keys(pattern: &Pattern) -> impl Iterator<Item = (usize, usize, (u32, u32))> {
    pattern.runs.iter().enumerate().flat_map(|(run, atoms)| {
        let next = atoms.iter().skip(1).map(Some).chain([None]);
        atoms.iter().zip(next).enumerate().flat_map(move |(offset, pair)| {
            let (first, second) = match pair {
                (Atom::Word(first), Some(Atom::Word(second))) => (Some(*first), Some(*second)),
                (Atom::Word(first), _) => (Some(*first), None),
                _ => (None, None),
            };
            let single = first.map(|f| (run, offset, (f, 0)));
            let double = first.zip(second).map(|(f, s)| (run, offset, (f, s)));
            single.into_iter().chain(double)
        })
    })
}
