//! Evidence in, diagnosis out.

use crate::args::{Args, Evidence, Format};
use crate::live::Live;
use crate::{Status, bulk, evidence, output, secrets, table};
use clap::CommandFactory;
use std::cell::RefCell;
use std::io::Read;
use std::rc::Rc;
use std::sync::Arc;
use why401_causes::Because;
use why401_fold::Seed;
use why401_history::{Case, Collector, Folded, Key};
use why401_http::{Exchange, Fact, Moment, Statement, Words};
use why401_read::bulk::Filter;
use why401_read::{Alike, Likeness, Sink};
use why401_redact::SecretSet;
use why401_report::{Diagnosis, Finding, Overview, Problem, Series, SourceReport, Verdict};
use why401_span::{LayerId, SourceId};

/// Reads, diagnoses and prints.
///
/// # Errors
/// Where no evidence could be used; where none is given, the error is the short help.
pub(crate) fn run(args: &Args) -> Result<Status, String> {
    if evidence::is_absent(&args.evidence) {
        return Err(Args::command().render_help().to_string());
    }
    let live = watches(args).then(|| Live::new(args.evidence.now, args.output.show_secrets));
    let mut intake = Intake { each: table::is_wanted(args)?, ..Intake::watched(live) };
    let (sources, asked) = evidence::read_all(&args.evidence, None, &mut intake)?;
    finish(args, intake, sources, |findings| asked.iter().for_each(|a| a.keep(findings)))
}

/// Diagnoses what was taken in and prints it, without the findings that `keep` leaves out.
///
/// # Errors
/// Where the diagnosis cannot be printed.
pub(crate) fn finish(
    args: &Args,
    intake: Intake,
    sources: Vec<SourceReport>,
    keep: impl FnOnce(&mut Vec<Finding>),
) -> Result<Status, String> {
    let explained = explained(intake, sources, args.evidence.now, keep);
    let status = status(&explained.diagnosis);
    table::write(args, &explained)?;
    if args.output.format != Format::Ndjson {
        output::diagnosis(args, redacted(args, explained))?;
    }
    Ok(status)
}

/// Diagnoses what was taken in; the text for standard error or a file.
///
/// # Errors
/// Where the diagnosis cannot be rendered.
pub(crate) fn rendered(args: &Args, intake: Intake, sources: Vec<SourceReport>) -> Result<String, String> {
    output::aside(args, redacted(args, explained(intake, sources, args.evidence.now, |_| {})))
}

/// What the exit status tells of a diagnosis.
pub(crate) fn status(diagnosis: &Diagnosis) -> Status {
    let faulty = diagnosis.findings.iter().any(|f| matches!(f.verdict, Verdict::Fault | Verdict::Attack));
    if faulty { Status::Fault } else { Status::NoFault }
}

/// The diagnosis without secrets, unless these were asked for.
fn redacted(args: &Args, explained: Explained) -> Diagnosis {
    let Explained { mut diagnosis, secrets, case, logs, .. } = explained;
    // The program is about to end: what large evidence takes is given back with it, at once.
    std::mem::forget((case, logs));
    if !args.output.show_secrets {
        why401_redact::diagnosis(&mut diagnosis, &secrets);
    }
    diagnosis
}

/// Evidence and its diagnosis.
pub(crate) struct Explained {
    /// The evidence put in order.
    pub(crate) case: Case,
    /// Its diagnosis, not yet redacted.
    pub(crate) diagnosis: Diagnosis,
    /// The secrets in it.
    pub(crate) secrets: SecretSet,
    /// What each refusal of the case comes from.
    pub(crate) each: Vec<Option<Because>>,
    /// The large logs, which requests of them are wanted, and what they say together.
    pub(crate) logs: Option<(Vec<bulk::Log<'static>>, Filter, bulk::Folded)>,
}

/// Reads and diagnoses, for whoever goes on with it.
///
/// # Errors
/// Where no evidence could be used.
pub(crate) fn of(given: &Evidence, stdin: &mut dyn Read) -> Result<Explained, String> {
    let mut intake = Intake::default();
    let (sources, asked) = evidence::read_all(given, Some(stdin), &mut intake)?;
    Ok(explained(intake, sources, given.now, |findings| asked.iter().for_each(|a| a.keep(findings))))
}

/// Diagnoses what was taken in, without the findings that `keep` leaves out.
pub(crate) fn explained(
    intake: Intake,
    sources: Vec<SourceReport>,
    now: Option<jiff::Timestamp>,
    keep: impl FnOnce(&mut Vec<Finding>),
) -> Explained {
    let (overview, (logs, filter)) = (intake.overview, intake.logs);
    let logs = intake.folded.map(|folded| (logs, filter, folded));
    let case = intake.collector.finish(sources);
    let (why401_causes::Explained { mut findings, each }, secrets) = std::thread::scope(|scope| {
        // Both take long of large evidence, and neither needs the other.
        let secrets = scope.spawn(|| secrets::of(&case));
        let explained = why401_causes::explain_each(&case, now);
        // Without them nothing may be shown.
        (explained, secrets.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    keep(&mut findings);
    let diagnosis = Diagnosis { sources: case.sources.clone(), findings, overview };
    Explained { case, diagnosis, secrets, each, logs }
}

/// Whether findings are told while the evidence still comes: text for people, from a pipe.
fn watches(args: &Args) -> bool {
    let piped = args.evidence.evidence.is_empty() || args.evidence.evidence.iter().any(|e| e == "-");
    args.output.format == Format::Text && (piped || args.evidence.follow)
}

/// Hands what the readers yield to the collector. Problems and layers are kept in the account of each source.
#[derive(Default)]
pub(crate) struct Intake {
    collector: Collector,
    /// Large logs at a glance.
    pub(crate) overview: Option<Overview>,
    /// What is told while the evidence still comes.
    pub(crate) live: Option<Rc<RefCell<Live>>>,
    /// Whether each refusal is wanted, and not only what they come from.
    pub(crate) each: bool,
    /// The large logs, and which requests of them are wanted.
    pub(crate) logs: (Vec<bulk::Log<'static>>, Filter),
    /// What they say together.
    pub(crate) folded: Option<bulk::Folded>,
}

impl bulk::Take for Intake {
    fn folded(&mut self, exchange: Exchange, known: Folded, series: Series) {
        self.collector.folded(exchange, known, series);
    }
    fn statement(&mut self, statement: Statement) {
        self.collector.statement(statement);
    }
}

impl Intake {
    /// One of which `live` is told what comes.
    pub(crate) fn watched(live: Option<Live>) -> Self {
        Intake { live: live.map(|live| Rc::new(RefCell::new(live))), ..Intake::default() }
    }

    /// Tells that large access logs stand beside what comes.
    pub(crate) fn beside(&mut self, logs: &[bulk::Log<'_>]) {
        if !logs.is_empty() {
            self.collector.beside_a_fold();
        }
    }

    /// Takes in what large logs say, after all that is said of their requests.
    pub(crate) fn enter(
        &mut self,
        logs: &[bulk::Log<'_>],
        folded: &mut bulk::Folded,
    ) -> Vec<(SourceId, SourceReport)> {
        folded.told.said = self.collector.said(Key { make: Seed::key_of_name, seed: folded.seed.0 });
        let (reports, overview) = bulk::enter(logs, folded, self);
        self.overview = Some(overview);
        reports
    }

    fn live(&self) -> Option<std::cell::RefMut<'_, Live>> {
        self.live.as_deref().map(RefCell::borrow_mut)
    }
}

impl Sink for Intake {
    fn exchange(&mut self, exchange: Exchange) {
        if let Some(mut live) = self.live() {
            live.exchange(&exchange);
        }
        self.collector.exchange(exchange);
    }
    fn statement(&mut self, statement: Statement) {
        if let Some(mut live) = self.live() {
            live.statement(&statement);
        }
        self.collector.statement(statement);
    }
    fn repeated(&mut self, words: &Words<'_>) -> bool {
        // Whoever is told what comes is told of each.
        self.live.is_none() && self.collector.repeated(words)
    }
    fn likeness(&self) -> Option<Likeness> {
        let likeness = || -> Likeness { Arc::new(self.collector.likeness()) };
        self.live.is_none().then(likeness)
    }
    fn repeated_alike(&mut self, alike: &Alike, time: Option<Moment>) -> bool {
        self.collector.repeated_alike(alike, time)
    }
    fn fact(&mut self, fact: Fact) {
        if let Some(mut live) = self.live() {
            live.fact(&fact);
        }
        self.collector.fact(fact);
    }
    fn problem(&mut self, _: Problem) {}
    fn layer(&mut self, _: String) -> LayerId {
        // Whoever keeps the account of the source numbers its layers.
        LayerId(0)
    }
}
