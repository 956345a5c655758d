//! The way of the data from bytes to every form of output, as the command line arranges it, without its start.

use why401_history::Collector;
use why401_http::{Exchange, Fact, Statement};
use why401_read::Sink;
use why401_render::{Layout, Secrets, Shown};
use why401_report::{Diagnosis, Problem, SourceReport};
use why401_span::{LayerId, SourceId};

#[path = "../../src/secrets.rs"]
mod secrets;
#[path = "../../src/tally.rs"]
mod tally;

/// Text, JSON, Markdown and HTML of a diagnosis of `bytes`; the message where nothing could be read.
pub(crate) fn outputs(bytes: &[u8], named: Option<&str>) -> Result<[String; 4], String> {
    let mut intake = Intake(Collector::new());
    let mut tally = tally::Tally::new(&mut intake);
    let read = why401_read::read(SourceId(0), &mut &*bytes, named, None, &[], &mut tally);
    let format = read.map_err(|e| e.to_string())?;
    let source = SourceReport {
        name: "evidence".into(),
        format: format.name.into(),
        bytes: bytes.len() as u64,
        ..tally.finish()
    };
    let case = intake.0.finish(vec![source]);
    let findings = why401_causes::diagnose(&case, None);
    let secrets = secrets::of(&case);
    let mut diagnosis = Diagnosis { sources: case.sources, findings, overview: None };
    why401_redact::diagnosis(&mut diagnosis, &secrets);
    let shown = Shown::new(diagnosis, Secrets::Masked);
    Ok([
        why401_render::text(&shown, Layout { all: true, ..Layout::default() }),
        why401_render::json(&shown, "why401").map_err(|e| e.to_string())?,
        why401_render::markdown(&shown),
        why401_render::html(&shown),
    ])
}

struct Intake(Collector);

impl Sink for Intake {
    fn exchange(&mut self, exchange: Exchange) {
        self.0.exchange(exchange);
    }
    fn statement(&mut self, statement: Statement) {
        self.0.statement(statement);
    }
    fn fact(&mut self, fact: Fact) {
        self.0.fact(fact);
    }
    fn problem(&mut self, _: Problem) {}
    fn layer(&mut self, _: String) -> LayerId {
        LayerId(0)
    }
}
