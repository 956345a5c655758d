//! `why401 probe`: asks a live server, then diagnoses what it said.

pub(crate) mod args;
mod connection;
mod content;
mod outline;
mod prepare;
mod stores;
mod token;
mod watch;

pub(crate) use connection::environment_proxies;

use crate::args::Args;
use crate::tally::Tally;
use crate::{Status, diagnose, output};
use args::Probe;
use why401_http::{Exchange, Fact, Statement};
use why401_probe::driver;
use why401_read::Sink;
use why401_report::{Finding, Problem, SourceReport};
use why401_span::{LayerId, SourceId};

/// Asks and diagnoses.
///
/// # Errors
/// Where it cannot be asked like this, or nothing was heard.
pub(crate) fn run(args: &Args, probe: &Probe) -> Result<Status, String> {
    let prepared = prepare::of(probe)?;
    if probe.plan {
        return outline::print(args, &prepared);
    }
    let mut intake = diagnose::Intake::default();
    let told: &dyn Fn(&str) = if probe.quiet { &|_| {} } else { &aside };
    let asked = ask(probe, prepared, SourceId(0), &mut intake, told)?;
    diagnose::finish(args, intake, vec![asked.report.clone()], |findings| asked.keep(findings))
}

/// What was asked and heard.
pub(crate) struct Asked {
    pub(crate) report: SourceReport,
    /// The exchanges that are the wish itself.
    course: Vec<u64>,
}

impl Asked {
    /// Leaves out what is found of requests that only look beside the way.
    pub(crate) fn keep(&self, findings: &mut Vec<Finding>) {
        let beside = |f: &Finding| {
            let mut rows = f.exchanges.iter().filter(|e| e.source == self.report.name).peekable();
            rows.peek().is_some() && !rows.any(|e| self.course.contains(&e.index))
        };
        findings.retain(|f| !beside(f));
    }
}

/// Tells on standard error.
pub(crate) fn aside(text: &str) {
    output::print_aside(&format!("{text}\n"));
}

/// Asks one address without credentials, as evidence among others; what is asked and answered goes to `told`.
///
/// # Errors
/// Where nothing was heard.
pub(crate) fn look(
    url: &str,
    id: SourceId,
    sink: &mut dyn Sink,
    told: &dyn Fn(&str),
) -> Result<Asked, String> {
    let probe = Probe {
        url: Some(url.to_owned()),
        max_requests: 20,
        max_attempts: 2,
        pause: 200,
        max_time: 90,
        ..Probe::default()
    };
    let prepared = prepare::of(&probe)?;
    ask(&probe, prepared, id, sink, told)
}

/// Passes all on but the exchanges with these indexes, which are counted only.
struct Without<'a> {
    to: &'a mut dyn Sink,
    left_out: Vec<u64>,
}

impl Sink for Without<'_> {
    fn exchange(&mut self, exchange: Exchange) {
        if !self.left_out.contains(&exchange.index) {
            self.to.exchange(exchange);
        }
    }
    fn statement(&mut self, statement: Statement) {
        self.to.statement(statement);
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

fn ask(
    probe: &Probe,
    prepared: prepare::Prepared,
    id: SourceId,
    sink: &mut dyn Sink,
    told: &dyn Fn(&str),
) -> Result<Asked, String> {
    let prepare::Prepared { wish, wire, limits, left_out } = prepared;
    let mut watcher = watch::Watch::new(&wish, told);
    let probed = driver::run(&wish, &limits, &wire, &probe.trust_host, &mut watcher, id)?;
    watcher.over(&probed);
    let heard = probed.taken.exchanges.iter().any(|e| e.response.is_some()) || !probed.taken.facts.is_empty();
    if let (Some(trouble), false) = (&probed.trouble, heard) {
        return Err(watcher.masked(&trouble.to_string()));
    }
    let mut tally = Tally::new(Without { to: sink, left_out: probed.left_out });
    let taken = probed.taken;
    watch::said(&wish, &taken).into_iter().for_each(|s| tally.statement(s));
    taken.exchanges.into_iter().for_each(|e| tally.exchange(e));
    taken.facts.into_iter().for_each(|f| tally.fact(f));
    taken.statements.into_iter().for_each(|s| tally.statement(s));
    taken.problems.into_iter().for_each(|p| tally.problem(p));
    let (name, format) = (watcher.name(), "probe".to_owned());
    let mut report = SourceReport { name, format, bytes: probed.bytes, ..tally.finish() };
    let left_out = left_out.iter().map(|l| Problem { offset: 0, line: None, what: watcher.masked(l) });
    report.problems.extend(left_out);
    if probed.why == why401_probe::plan::NEGOTIATE {
        report.problems.push(Problem { offset: probed.bytes, line: None, what: probed.why });
    }
    if let Some(trouble) = probed.trouble {
        let what = watcher.masked(&trouble.to_string());
        report.problems.push(Problem { offset: probed.bytes, line: None, what });
    }
    Ok(Asked { report, course: probed.course })
}
