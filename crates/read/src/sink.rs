//! Where readers put what they read.

use std::sync::Arc;
use why401_http::{Exchange, Fact, Moment, Statement, Words};
use why401_report::Problem;
use why401_span::LayerId;

/// What words have in common with others, from all to nothing: keys that only who made them understands.
pub type Alike = [u64; 4];

/// Tells what words have in common with others, on any thread.
pub type Likeness = Arc<dyn Fn(&Words<'_>) -> Alike + Send + Sync>;

/// Takes what a reader yields, in the order of the source.
pub trait Sink {
    /// One request and its answer.
    fn exchange(&mut self, exchange: Exchange);
    /// So many further exchanges that ended with this status, or without an answer, explain nothing; the first and the
    /// last of them were at these times.
    fn passed(&mut self, status: Option<u16>, count: u64, first: Option<Moment>, last: Option<Moment>) {
        let _ = (status, count, first, last);
    }
    /// What somebody said.
    fn statement(&mut self, statement: Statement);
    /// A server said this; whether it was said before of the same client and user so often that it is only counted. If not,
    /// a statement is made of it.
    fn repeated(&mut self, words: &Words<'_>) -> bool {
        let _ = words;
        false
    }
    /// What tells which words it takes for the same; `None` where it wants every statement.
    fn likeness(&self) -> Option<Likeness> {
        None
    }
    /// As [`Sink::repeated`], of words that were told apart by [`Sink::likeness`], and of when they were said.
    fn repeated_alike(&mut self, alike: &Alike, time: Option<Moment>) -> bool {
        let _ = (alike, time);
        false
    }
    /// Context given along.
    fn fact(&mut self, fact: Fact);
    /// What could not be read, and where; reading goes on.
    fn problem(&mut self, problem: Problem);
    /// A decrypted or decompressed stream inside the source, whose offsets count by themselves.
    fn layer(&mut self, name: String) -> LayerId;
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn exchange(&mut self, exchange: Exchange) {
        (**self).exchange(exchange);
    }
    fn passed(&mut self, status: Option<u16>, count: u64, first: Option<Moment>, last: Option<Moment>) {
        (**self).passed(status, count, first, last);
    }
    fn statement(&mut self, statement: Statement) {
        (**self).statement(statement);
    }
    fn repeated(&mut self, words: &Words<'_>) -> bool {
        (**self).repeated(words)
    }
    fn likeness(&self) -> Option<Likeness> {
        (**self).likeness()
    }
    fn repeated_alike(&mut self, alike: &Alike, time: Option<Moment>) -> bool {
        (**self).repeated_alike(alike, time)
    }
    fn fact(&mut self, fact: Fact) {
        (**self).fact(fact);
    }
    fn problem(&mut self, problem: Problem) {
        (**self).problem(problem);
    }
    fn layer(&mut self, name: String) -> LayerId {
        (**self).layer(name)
    }
}

/// A sink that keeps everything: for tests and for small evidence.
#[derive(Debug, Default)]
pub struct Collected {
    /// The exchanges.
    pub exchanges: Vec<Exchange>,
    /// The statements.
    pub statements: Vec<Statement>,
    /// The facts.
    pub facts: Vec<Fact>,
    /// The problems.
    pub problems: Vec<Problem>,
    /// Names of the layers.
    pub layers: Vec<String>,
}

impl Sink for Collected {
    fn exchange(&mut self, exchange: Exchange) {
        self.exchanges.push(exchange);
    }
    fn statement(&mut self, statement: Statement) {
        self.statements.push(statement);
    }
    fn fact(&mut self, fact: Fact) {
        self.facts.push(fact);
    }
    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
    fn layer(&mut self, name: String) -> LayerId {
        self.layers.push(name);
        LayerId(self.layers.len() as u32 - 1)
    }
}
