//! Which requests are wanted, by the options.

use crate::args::Only;
use jiff::Timestamp;
use why401_http::{Exchange, Fact, Moment, Statement, Words};
use why401_read::bulk::Filter;
use why401_read::{Alike, Likeness, Sink};
use why401_report::Problem;
use why401_span::LayerId;

/// A time as an option gives it: `2026-11-22T17:00:00Z`, with any offset; a date or a time without one is UTC.
///
/// # Errors
/// Where it is no time.
pub(crate) fn time(text: &str) -> Result<Timestamp, String> {
    let utc = |civil: jiff::civil::DateTime| civil.to_zoned(jiff::tz::TimeZone::UTC).map(|z| z.timestamp());
    text.parse::<Timestamp>()
        .or_else(|_| text.parse::<jiff::civil::DateTime>().and_then(utc))
        .map_err(|_| "a time is wanted, such as 2026-11-22T17:00:00Z or 2026-11-22".to_owned())
}

/// The filter of the options.
pub(crate) fn of(only: &Only) -> Filter {
    Filter {
        since: only.since.map(|t| t.as_millisecond()),
        until: only.until.map(|t| t.as_millisecond()),
        account: only.account.clone(),
        client: only.client.clone(),
        resource: only.resource.clone(),
    }
}

/// Passes on what is wanted.
pub(crate) struct Wanted<'a> {
    pub(crate) to: &'a mut dyn Sink,
    pub(crate) filter: Filter,
}

impl Sink for Wanted<'_> {
    fn exchange(&mut self, exchange: Exchange) {
        if self.filter.wants_exchange(&exchange) {
            self.to.exchange(exchange);
        }
    }
    fn statement(&mut self, statement: Statement) {
        if self.filter.wants_statement(&statement) {
            self.to.statement(statement);
        }
    }
    fn repeated(&mut self, words: &Words<'_>) -> bool {
        // Whether they are wanted, a statement tells.
        self.filter.is_open() && self.to.repeated(words)
    }
    fn likeness(&self) -> Option<Likeness> {
        if self.filter.is_open() { self.to.likeness() } else { None }
    }
    fn repeated_alike(&mut self, alike: &Alike, time: Option<Moment>) -> bool {
        self.to.repeated_alike(alike, time)
    }
    fn fact(&mut self, fact: Fact) {
        self.to.fact(fact);
    }
    fn problem(&mut self, problem: Problem) {
        self.to.problem(problem);
    }
    fn layer(&mut self, name: String) -> LayerId {
        self.to.layer(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_taken_as_people_write_them() {
        for (text, want) in [
            ("2026-11-22", "2026-11-22T00:00:00Z"),
            ("2026-11-22T17:00", "2026-11-22T17:00:00Z"),
            ("2026-11-22 17:00:05", "2026-11-22T17:00:05Z"),
            ("2026-11-22T17:00:00+02:00", "2026-11-22T15:00:00Z"),
        ] {
            assert_eq!(time(text).map(|t| t.to_string()).as_deref(), Ok(want));
        }
        assert!(time("yesterday").is_err());
    }
}
