//! Refusals that are alike, as one.

use crate::{Chain, Whose};
use std::sync::Arc;
use why401_http::{Moment, Statement};
use why401_report::Series;

/// What a refusal is known from.
#[derive(Debug, Clone)]
pub enum Subject {
    /// From messages or log lines: chains that are alike, examples first to last.
    Chains(Vec<Chain>),
    /// Only from what somebody said: statements that are alike.
    Statements(Vec<Statement>),
}

/// One refusal, or ten thousand alike.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// What it is known from.
    pub subject: Subject,
    /// How many there were.
    pub count: u64,
    /// Whose it is, where that is more than the examples show.
    pub whose: Arc<Whose>,
    /// The first time.
    pub first: Option<Moment>,
    /// The last time.
    pub last: Option<Moment>,
    /// How many fell in which time.
    pub series: Series,
}

impl Refusal {
    /// The chain that stands for all of them.
    pub fn chain(&self) -> Option<&Chain> {
        match &self.subject {
            Subject::Chains(chains) => chains.first(),
            Subject::Statements(_) => None,
        }
    }

    /// All the chains that were kept as examples.
    pub fn chains(&self) -> &[Chain] {
        match &self.subject {
            Subject::Chains(chains) => chains,
            Subject::Statements(_) => &[],
        }
    }

    /// The statements, where that is all there is.
    pub fn statements(&self) -> &[Statement] {
        match &self.subject {
            Subject::Chains(_) => &[],
            Subject::Statements(statements) => statements,
        }
    }
}
