//! Takes what the readers yield and keeps what a diagnosis needs.

use crate::thin::{Folded, Thinned};
use crate::{Case, correlate};
use std::collections::HashMap;
use why401_http::{Exchange, Fact, Statement};
use why401_report::{Series, SourceReport};

/// So many statements are kept; of more, only one of each wording is kept and the rest counted.
const STATEMENTS: usize = 20_000;
/// So many facts are kept.
const FACTS: usize = 10_000;

/// Takes exchanges, statements and facts in any amount, in memory that is bounded.
#[derive(Debug, Default)]
pub struct Collector {
    thinned: Thinned,
    statements: Vec<(Statement, u64)>,
    wordings: HashMap<(String, Option<String>), usize>,
    facts: Vec<Fact>,
}

impl Collector {
    /// One that has taken nothing yet.
    pub fn new() -> Self {
        Collector::default()
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
    pub fn statement(&mut self, mut statement: Statement) {
        if self.statements.len() < STATEMENTS {
            self.statements.push((statement, 1));
            return;
        }
        let mut wording = (correlate::wording(&statement), statement.user.clone());
        let next = self.statements.len();
        if self.wordings.len() >= STATEMENTS && !self.wordings.contains_key(&wording) {
            // Of more users than are told apart: one stands for all, and names none.
            (wording.1, statement.user) = (None, None);
        }
        if self.wordings.len() >= 2 * STATEMENTS && !self.wordings.contains_key(&wording) {
            wording.0 = String::new();
        }
        let at = *self.wordings.entry(wording).or_insert(next);
        match self.statements.get_mut(at) {
            Some((_, count)) => *count += 1,
            None => self.statements.push((statement, 1)),
        }
    }

    /// Takes a fact.
    pub fn fact(&mut self, fact: Fact) {
        if self.facts.len() < FACTS {
            self.facts.push(fact);
        }
    }

    /// Puts together what belongs together. `sources` is the account of what was read, in the order of their numbers.
    pub fn finish(self, sources: Vec<SourceReport>) -> Case {
        Case::new(sources, self.thinned.kept, self.statements, self.facts)
    }
}
