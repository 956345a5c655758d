//! Counts what a source yields on its way to whoever diagnoses it.

use jiff::Timestamp;
use why401_http::{Exchange, Fact, Moment, Statement, Words};
use why401_read::{Alike, Likeness, Sink};
use why401_report::{Problem, SourceReport};
use why401_span::LayerId;

/// How many problems of one source are told one by one.
const PROBLEMS: usize = 100;

/// Passes on what a reader yields and keeps the account of it.
pub(crate) struct Tally<S> {
    to: S,
    report: SourceReport,
    times: Option<(Timestamp, Timestamp)>,
    /// Statements and facts.
    words: u64,
    problems_left_out: u64,
}

impl<S: Sink> Tally<S> {
    pub(crate) fn new(to: S) -> Self {
        Tally { to, report: SourceReport::default(), times: None, words: 0, problems_left_out: 0 }
    }

    fn at(&mut self, time: Option<Moment>) {
        if let Some(at) = time.map(|t| t.at) {
            let (first, last) = self.times.unwrap_or((at, at));
            self.times = Some((first.min(at), last.max(at)));
        }
    }

    /// Whether anything at all was read.
    pub(crate) fn has_any(&self) -> bool {
        self.report.exchanges > 0 || self.words > 0
    }

    /// Whether something could not be read.
    pub(crate) fn has_problems(&self) -> bool {
        !self.report.problems.is_empty()
    }

    /// The account, without name, format and size.
    pub(crate) fn finish(self) -> SourceReport {
        self.split().1
    }

    /// Whoever took it all, and the account.
    pub(crate) fn split(mut self) -> (S, SourceReport) {
        if let Some((first, last)) = self.times {
            self.report.first = Some(first.to_string());
            self.report.last = Some(last.to_string());
        }
        if self.problems_left_out > 0
            && let Some(last) = self.report.problems.last()
        {
            let what = format!("{} more problems after this one", self.problems_left_out);
            self.report.problems.push(Problem { what, ..last.clone() });
        }
        (self.to, self.report)
    }
}

impl<S: Sink> Sink for Tally<S> {
    fn exchange(&mut self, exchange: Exchange) {
        self.report.exchanges += 1;
        if let Some(status) = exchange.status() {
            *self.report.statuses.entry(status).or_default() += 1;
        }
        self.at(exchange.time);
        self.to.exchange(exchange);
    }

    fn passed(&mut self, status: Option<u16>, count: u64, first: Option<Moment>, last: Option<Moment>) {
        self.report.exchanges += count;
        if let Some(status) = status {
            *self.report.statuses.entry(status).or_default() += count;
        }
        [first, last].into_iter().for_each(|time| self.at(time));
        self.to.passed(status, count, first, last);
    }

    fn statement(&mut self, statement: Statement) {
        self.words += 1;
        self.to.statement(statement);
    }

    fn repeated(&mut self, words: &Words<'_>) -> bool {
        let repeated = self.to.repeated(words);
        self.words += u64::from(repeated);
        repeated
    }

    fn likeness(&self) -> Option<Likeness> {
        self.to.likeness()
    }

    fn repeated_alike(&mut self, alike: &Alike, time: Option<Moment>) -> bool {
        let repeated = self.to.repeated_alike(alike, time);
        self.words += u64::from(repeated);
        repeated
    }

    fn fact(&mut self, fact: Fact) {
        self.words += 1;
        self.to.fact(fact);
    }

    fn problem(&mut self, problem: Problem) {
        if self.report.problems.len() < PROBLEMS {
            self.report.problems.push(problem.clone());
        } else {
            self.problems_left_out += 1;
        }
        self.to.problem(problem);
    }

    fn layer(&mut self, name: String) -> LayerId {
        self.report.layers.push(name.clone());
        self.to.layer(name);
        // Numbered source by source: a span names its source as well.
        LayerId(self.report.layers.len() as u32 - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use why401_http::{Moment, Shows};
    use why401_read::Collected;
    use why401_span::SourceId;

    #[test]
    fn the_account_has_statuses_times_and_a_bounded_list_of_problems() {
        let mut to = Collected::default();
        let mut tally = Tally::new(&mut to);
        for second in [5, 3, 9] {
            let mut e = Exchange::new(SourceId(0), second as u64, Shows::EVERYTHING);
            e.time = Timestamp::from_second(second).ok().map(Moment::utc);
            tally.exchange(e);
        }
        for offset in 0..150 {
            tally.problem(Problem { offset, line: None, what: "cut off".into() });
        }
        assert!(tally.has_any() && tally.has_problems());
        let report = tally.finish();
        assert_eq!(report.exchanges, 3);
        assert_eq!(report.first.as_deref(), Some("1970-01-01T00:00:03Z"));
        assert_eq!(report.last.as_deref(), Some("1970-01-01T00:00:09Z"));
        assert_eq!(report.problems.len(), PROBLEMS + 1);
        assert_eq!(report.problems[PROBLEMS].what, "50 more problems after this one");
        assert_eq!(to.exchanges.len(), 3);
    }
}
