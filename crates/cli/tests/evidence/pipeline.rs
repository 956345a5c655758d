//! The way of the data from bytes to every form of output, as the command line arranges it, without its start.

use std::io::{Cursor, Read};
use why401_bundle::{Manifest, Masker, Options, Piece, Reports, pack};
use why401_history::{Case, Collector};
use why401_http::{Exchange, Fact, Statement};
use why401_read::Sink;
use why401_render::{Layout, Secrets, Shown};
use why401_report::{Diagnosis, Problem, SourceReport};
use why401_span::{LayerId, SourceId};

#[path = "../../src/secrets.rs"]
mod secrets;
#[path = "../../src/tally.rs"]
mod tally;

/// The case of one source, its diagnosis not yet redacted.
pub(crate) fn diagnosed(bytes: &[u8], named: Option<&str>) -> Result<(Case, Diagnosis), String> {
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
    let diagnosis = Diagnosis { sources: case.sources.clone(), findings, overview: None };
    Ok((case, diagnosis))
}

/// Path and bytes of each file of a bundle.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// Path and bytes of everything in a bundle of `bytes`, and what was left out of it.
pub(crate) fn bundle(name: &str, bytes: &[u8], options: Options) -> Result<(Files, Manifest), String> {
    let (case, mut diagnosis) = diagnosed(bytes, None)?;
    let secrets = secrets::of(&case);
    why401_redact::diagnosis(&mut diagnosis, &secrets);
    let shown = Shown::new(diagnosis, Secrets::Masked);
    let (html, markdown) = (why401_render::html(&shown), why401_render::markdown(&shown));
    let json = why401_render::json(&shown, "why401").map_err(|e| e.to_string())?;
    let reports = Reports { diagnosis: shown.into_inner(), html, markdown, json, programs: Vec::new() };
    let format = reports.diagnosis.sources.first().map(|s| s.format.clone()).unwrap_or_default();
    let piece = Piece { name, format: &format, bytes };
    let mut out = Cursor::new(Vec::new());
    let mut masker = Masker::new(&secrets);
    let manifest =
        pack(&mut out, "why401", &reports, &[piece], options, &mut masker).map_err(|e| e.to_string())?;
    let mut zip = zip::ZipArchive::new(out).map_err(|e| e.to_string())?;
    let mut files = Vec::new();
    for i in 0..zip.len() {
        let mut file = zip.by_index(i).map_err(|e| e.to_string())?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|e| e.to_string())?;
        let name = file.name().map_err(|e| e.to_string())?.into_owned();
        files.push((name, bytes));
    }
    Ok((files, manifest))
}

/// Text, JSON, Markdown and HTML of a diagnosis of `bytes`; the message where nothing could be read.
pub(crate) fn outputs(bytes: &[u8], named: Option<&str>) -> Result<[String; 4], String> {
    let (case, mut diagnosis) = diagnosed(bytes, named)?;
    let secrets = secrets::of(&case);
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
