//! From data files to [`Tables`]: for those that are built in when the program is built, for others when they are read.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::model::Product;
use crate::place::Places;
use crate::tables::{Anchor, Entry, Tables, Wordings, part};
use crate::words::{Word, each_word};

/// Takes products in, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    tables: Tables,
    said: Wording,
    seen: Wording,
}

impl Compiler {
    /// Takes a product in as the next one.
    pub(crate) fn add(&mut self, product: &Product) {
        let Ok(id) = u16::try_from(self.tables.names.len()) else { return };
        for (number, phrase) in (0..).zip(&product.phrases) {
            let entry = self.entry(id, number, &phrase.places, phrase.needs_product);
            let target = push(&mut self.tables.phrases, entry);
            for text in &phrase.text.0 {
                self.said.add_text(text, target);
            }
            for code in &phrase.codes {
                push(&mut self.tables.codes, (code.clone().into(), target));
                // A bare number means nothing but in the column or field that it is the code of.
                if phrase.places.narrow() || code.bytes().any(|b| b.is_ascii_alphabetic()) {
                    self.said.add_code(code, target);
                }
            }
        }
        for (number, mark) in (0..).zip(&product.marks) {
            let entry = self.entry(id, number, &mark.places, false);
            let target = push(&mut self.tables.marks, entry);
            if mark.text.is_empty() {
                push(&mut self.tables.bare, target);
            }
            self.seen.add_text(&mark.text, target);
        }
        push(&mut self.tables.names, product.product.clone().into());
    }

    fn entry(&mut self, product: u16, number: u16, places: &Places, needs_product: bool) -> Entry {
        let known = self.tables.places.iter().position(|p| p == places);
        let places = known.unwrap_or_else(|| push(&mut self.tables.places, places.clone()) as usize);
        Entry { product, number, places: u16::try_from(places).unwrap_or(u16::MAX), needs_product }
    }

    pub(crate) fn finish(self) -> Tables {
        Tables { said: self.said.finish(), seen: self.seen.finish(), ..self.tables }
    }
}

/// The number of what is added.
fn push<T: Clone>(list: &mut Cow<'static, [T]>, item: T) -> u32 {
    list.to_mut().push(item);
    list.len() as u32 - 1
}

/// Wordings on their way into tables.
#[derive(Debug, Default)]
struct Wording {
    numbers: HashMap<Box<[u8]>, u32>,
    tables: Wordings,
}

impl Wording {
    /// Reads a wording: `{}` is a gap, `{=401.3}` exactly this number, any other number any number.
    fn add_text(&mut self, text: &str, target: u32) {
        let mut rest = text;
        let mut joined = false;
        while let Some((before, after)) = rest.split_once('{') {
            self.add_words(before, false, &mut joined);
            let Some((inside, after)) = after.split_once('}') else { break };
            match inside.strip_prefix('=') {
                Some(exact) => self.add_words(exact, true, &mut joined),
                None => joined = false,
            }
            rest = after;
        }
        self.add_words(rest, false, &mut joined);
        self.end(target);
    }

    /// Reads a code, whose every digit counts.
    fn add_code(&mut self, text: &str, target: u32) {
        self.add_words(text, true, &mut false);
        self.end(target);
    }

    fn end(&mut self, target: u32) {
        push(&mut self.tables.wording_ends, self.tables.run_ends.len() as u32);
        push(&mut self.tables.targets, target);
    }

    fn add_words(&mut self, text: &str, exact: bool, joined: &mut bool) {
        each_word(text.as_bytes(), |word: Word<'_>| {
            let atom = if word.number && !exact { 0 } else { self.intern(word.folded) };
            let end = push(&mut self.tables.atoms, atom) + 1;
            match self.tables.run_ends.to_mut().last_mut() {
                Some(last) if *joined => *last = end,
                _ => _ = push(&mut self.tables.run_ends, end),
            }
            *joined = true;
        });
    }

    fn intern(&mut self, folded: &[u8]) -> u32 {
        if let Some(known) = self.numbers.get(folded) {
            return *known;
        }
        self.tables.words.to_mut().extend_from_slice(folded);
        let number = push(&mut self.tables.word_ends, self.tables.words.len() as u32) + 1;
        self.numbers.insert(folded.into(), number);
        number
    }

    /// Chooses for every wording the word or pair by which it is found.
    fn finish(self) -> Wordings {
        let mut tables = self.tables;
        let words = tables.word_ends.len();
        let mut counts: HashMap<(u32, u32), usize> = HashMap::new();
        let all = 0..tables.targets.len();
        for number in all.clone() {
            for (_, key) in keys(&tables, number) {
                *counts.entry(key).or_default() += 1;
            }
        }
        let mut singles = vec![Vec::new(); words + 1];
        let mut pairs = vec![Vec::new(); words + 1];
        for number in all {
            // A pair is rarer in any text than a word alone, so it is preferred.
            let rarest = keys(&tables, number)
                .into_iter()
                .min_by_key(|(_, key)| (key.1 == 0, counts.get(key).copied()));
            let Some((anchor, (first, second))) = rarest else { continue };
            match second {
                0 => singles.get_mut(first as usize).into_iter().for_each(|list| list.push(anchor)),
                _ => pairs.get_mut(first as usize).into_iter().for_each(|list| list.push((second, anchor))),
            }
        }
        pairs.iter_mut().for_each(|list| list.sort_by_key(|(second, _)| *second));
        (tables.singles, tables.single_ends) = flat(singles);
        (tables.pairs, tables.pair_ends) = flat(pairs);
        tables.index_words();
        tables
    }
}

fn flat<T: Clone>(lists: Vec<Vec<T>>) -> (Cow<'static, [T]>, Cow<'static, [u32]>) {
    let ends = lists.iter().scan(0, |end, list| {
        *end += list.len() as u32;
        Some(*end)
    });
    let ends = ends.collect();
    (lists.concat().into(), ends)
}

/// Every word (paired with 0) and every pair of neighbours of a wording, with where it stands.
fn keys(tables: &Wordings, wording: usize) -> Vec<(Anchor, (u32, u32))> {
    let mut keys = Vec::new();
    for (run, atoms) in (0..).zip(tables.runs(wording)) {
        for (offset, first) in (0..).zip(atoms) {
            let anchor = Anchor { wording: wording as u32, run, offset };
            let second = atoms.get(usize::from(offset) + 1).copied().unwrap_or(0);
            if *first != 0 {
                keys.push((anchor, (*first, 0)));
                if second != 0 {
                    keys.push((anchor, (*first, second)));
                }
            }
        }
    }
    keys
}

impl Wordings {
    /// Makes the table by which words are found.
    fn index_words(&mut self) {
        let mut slots = vec![0; (self.word_ends.len() * 2).next_power_of_two()];
        let mut lengths = vec![0; 256];
        for number in 0..self.word_ends.len() {
            let word = part(&self.words, &self.word_ends, number);
            if let Some(lengths) = word.first().and_then(|first| lengths.get_mut(usize::from(*first))) {
                *lengths |= Wordings::length_bit(word);
            }
            let free = Wordings::places(word, slots.len()).find(|at| slots.get(*at) == Some(&0));
            if let Some(slot) = free.and_then(|at| slots.get_mut(at)) {
                *slot = number as u32 + 1;
            }
        }
        (self.slots, self.lengths) = (slots.into(), lengths.into());
    }
}
