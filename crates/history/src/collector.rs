//! Takes what the readers yield and keeps what a diagnosis needs.

use crate::Case;
use crate::heard::Said;
use crate::thin::{Folded, Key, Thinned};
use std::collections::HashMap;
use why401_http::{Exchange, Fact, Moment, Statement, Words};
use why401_report::{Series, SourceReport};

/// So many facts are kept.
const FACTS: usize = 10_000;

/// Takes exchanges, statements and facts in any amount, in memory that is bounded.
#[derive(Debug, Default)]
pub struct Collector {
    thinned: Thinned,
    said: Said,
    facts: Vec<Fact>,
    key: Option<Key>,
}

impl Collector {
    /// One that has taken nothing yet.
    pub fn new() -> Self {
        Collector::default()
    }

    /// Tells that a large access log stands beside what is said, whose examples come at the end.
    pub fn beside_a_fold(&mut self) {
        self.said.is_beside = true;
    }

    /// What was said of the requests of each client under each name, by the keys that `key` makes of both: the same number for
    /// the same words.
    pub fn said(&mut self, key: Key) -> HashMap<(u64, u64), u64> {
        self.key = Some(key);
        self.said.by_whom(key)
    }

    /// Takes an exchange.
    pub fn exchange(&mut self, exchange: Exchange) {
        self.thinned.push(exchange);
    }

    /// Takes an exchange that the fold of a large log chose to stand for others; `series` has all of them over time.
    pub fn folded(&mut self, exchange: Exchange, folded: Folded, series: Series) {
        self.thinned.keep_folded(exchange, folded, series);
    }

    /// Takes a statement.
    pub fn statement(&mut self, statement: Statement) {
        self.said.take(statement);
    }

    /// Counts words that so many statements stand for already that no more are kept; whether that is so.
    pub fn repeated(&mut self, words: &Words<'_>) -> bool {
        self.said.repeat(words)
    }

    /// Tells what words have in common with others, on any thread, for [`Collector::repeated_alike`].
    pub fn likeness(&self) -> impl Fn(&Words<'_>) -> [u64; 4] + Send + Sync + use<> {
        self.said.likeness()
    }

    /// As [`Collector::repeated`], of words of which it is known what they have in common with others, and of when.
    pub fn repeated_alike(&mut self, alike: &[u64; 4], time: Option<Moment>) -> bool {
        self.said.repeat_alike(alike, time)
    }

    /// Takes a fact.
    pub fn fact(&mut self, fact: Fact) {
        if self.facts.len() < FACTS {
            self.facts.push(fact);
        }
    }

    /// Puts together what belongs together. `sources` is the account of what was read, in the order of their numbers.
    pub fn finish(self, sources: Vec<SourceReport>) -> Case {
        Case::new(sources, self.thinned.kept, (self.said.kept, self.key), self.facts)
    }
}
