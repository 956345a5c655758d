//! Takes what the readers yield and keeps what a diagnosis needs.

use crate::thin::Thinned;
use crate::{Case, correlate};
use std::collections::HashMap;
use why401_http::{Exchange, Fact, Moment, Statement};
use why401_report::{Problem, SourceReport};
use why401_span::{LayerId, SourceId};

/// So many statements are kept; of more, only one of each wording is kept and the rest counted.
const STATEMENTS: usize = 20_000;
/// So many facts are kept.
const FACTS: usize = 10_000;
/// So many problems are kept for each source; of more, only the number is told.
const PROBLEMS: usize = 20;

/// Takes exchanges, statements and facts in any amount, in memory that is bounded.
#[derive(Debug, Default)]
pub struct Collector {
    sources: Vec<Source>,
    thinned: Thinned,
    statements: Vec<(Statement, u64)>,
    wordings: HashMap<(String, Option<String>), usize>,
    facts: Vec<Fact>,
}

#[derive(Debug, Default)]
struct Source {
    report: SourceReport,
    first: Option<Moment>,
    last: Option<Moment>,
    more_problems: u64,
}

impl Collector {
    /// One that has taken nothing yet.
    pub fn new() -> Self {
        Collector::default()
    }

    /// Enters a source. Readers yield what they read under the number given back.
    pub fn source(&mut self, name: &str) -> SourceId {
        let report = SourceReport { name: name.to_owned(), ..SourceReport::default() };
        self.sources.push(Source { report, ..Source::default() });
        SourceId(self.sources.len() as u32 - 1)
    }

    /// Records format and size of a source once they are known.
    pub fn describe(&mut self, source: SourceId, format: &str, bytes: u64) {
        if let Some(s) = self.sources.get_mut(source.0 as usize) {
            s.report.format = format.to_owned();
            s.report.bytes = bytes;
        }
    }

    /// Takes an exchange.
    pub fn exchange(&mut self, exchange: Exchange) {
        if let Some(s) = self.sources.get_mut(exchange.source.0 as usize) {
            s.report.exchanges += 1;
            if let Some(status) = exchange.status() {
                *s.report.statuses.entry(status).or_default() += 1;
            }
            s.saw(exchange.time);
        }
        self.thinned.push(exchange);
    }

    /// Takes a statement.
    pub fn statement(&mut self, statement: Statement) {
        if let Some(s) = self.sources.get_mut(statement.source.0 as usize) {
            s.saw(statement.time);
        }
        if self.statements.len() < STATEMENTS {
            self.statements.push((statement, 1));
            return;
        }
        let wording = (correlate::wording(&statement), statement.user.clone());
        let next = self.statements.len();
        if self.wordings.len() >= STATEMENTS && !self.wordings.contains_key(&wording) {
            return;
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

    /// Takes a problem of a source.
    pub fn problem(&mut self, source: SourceId, problem: Problem) {
        if let Some(s) = self.sources.get_mut(source.0 as usize) {
            if s.report.problems.len() < PROBLEMS {
                s.report.problems.push(problem);
            } else {
                s.more_problems += 1;
            }
        }
    }

    /// Enters a decrypted or decompressed stream of a source.
    pub fn layer(&mut self, source: SourceId, name: String) -> LayerId {
        match self.sources.get_mut(source.0 as usize) {
            Some(s) => {
                s.report.layers.push(name);
                LayerId(s.report.layers.len() as u32 - 1)
            }
            None => LayerId(0),
        }
    }

    /// Puts together what belongs together.
    pub fn finish(mut self) -> Case {
        for s in &mut self.sources {
            s.report.first = s.first.map(|m| m.at.to_string());
            s.report.last = s.last.map(|m| m.at.to_string());
            if s.more_problems > 0 {
                let what = format!("{} further problems of this source are not listed", s.more_problems);
                s.report.problems.push(Problem { offset: 0, line: None, what });
            }
        }
        let mut sources: Vec<SourceReport> = self.sources.into_iter().map(|s| s.report).collect();
        if let (true, Some(first)) = (self.thinned.dropped > 0, sources.first_mut()) {
            let what = format!(
                "{} exchanges of rare kinds were counted only: there are more kinds than are told apart",
                self.thinned.dropped
            );
            first.problems.push(Problem { offset: 0, line: None, what });
        }
        Case::new(sources, self.thinned.kept, self.statements, self.facts)
    }
}

impl Source {
    fn saw(&mut self, time: Option<Moment>) {
        self.first = crate::thin::earlier(self.first, time);
        self.last = crate::thin::later(self.last, time);
    }
}
