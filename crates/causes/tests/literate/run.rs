//! Reads the evidence of a case, diagnoses it, and holds the findings against what is expected.

use crate::case::{Block, Case};
use crate::template;
use why401_history::Collector;
use why401_http::{Exchange, Fact, FactKind, Moment, Peer, Statement};
use why401_read::Sink;
use why401_report::{Finding, Problem, SourceReport, Verdict};
use why401_span::{Derived, LayerId, SourceId, Span};

/// Takes what a reader yields, with what the block says of it besides.
struct Intake<'a> {
    into: &'a mut Collector,
    block: &'a Block,
    index: &'a mut u64,
    problems: Vec<Problem>,
}

impl Sink for Intake<'_> {
    fn exchange(&mut self, mut e: Exchange) {
        for (name, value) in &self.block.attributes {
            match name.as_str() {
                "connection" => e.connection = Some(value.parse().unwrap()),
                "client" => e.client = Some(peer(value)),
                "server" => e.server = Some(peer(value)),
                "time" => e.time = Some(Moment::utc(value.parse().unwrap())),
                "every" => e.shows.every_request = true,
                "scheme" => {
                    if let Some(r) = &mut e.request {
                        r.scheme = Some(value.clone());
                    }
                }
                "version" => {
                    if let Some(r) = &mut e.request {
                        r.version = value.clone();
                    }
                }
                "same" => {}
                _ => panic!("no attribute is called {name}"),
            }
        }
        e.index = *self.index;
        *self.index += 1;
        self.into.exchange(e);
    }
    fn statement(&mut self, statement: Statement) {
        self.into.statement(statement);
    }
    fn fact(&mut self, fact: Fact) {
        self.into.fact(fact);
    }
    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
    fn layer(&mut self, _: String) -> LayerId {
        LayerId(0)
    }
}

fn peer(text: &str) -> Peer {
    match text.rsplit_once(':') {
        Some((host, port)) => Peer { host: host.to_owned(), port: Some(port.parse().unwrap()) },
        None => Peer { host: text.to_owned(), port: None },
    }
}

/// Whether the findings are those expected; else what was found instead.
pub(crate) fn check(case: &Case) -> Result<(), String> {
    let (findings, secrets) = findings(case)?;
    judge(case, &findings, &secrets).map_err(|why| format!("  {why}\n{}", told(&findings)))
}

/// The finding that a reader sees first.
pub(crate) fn first(findings: &[Finding]) -> Option<&Finding> {
    let is_fault = |f: &&Finding| matches!(f.verdict, Verdict::Fault | Verdict::Attack);
    findings.iter().find(is_fault).or(findings.first())
}

/// What is found in a case, and the secrets of its evidence.
pub(crate) fn findings(case: &Case) -> Result<(Vec<Finding>, Vec<String>), String> {
    let mut collector = Collector::new();
    let (mut sources, mut secrets) = (Vec::new(), Vec::new());
    let mut index = 0;
    for block in &case.blocks {
        let (text, hidden) = template::fill(&block.text);
        secrets.extend(hidden);
        // `same`: another part of the source before it, as the connections of one capture are.
        if !block.attributes.iter().any(|(n, _)| n == "same") {
            index = 0;
            let name = format!("{}-{}", block.format, sources.len());
            sources.push(SourceReport { name, format: block.format.clone(), ..SourceReport::default() });
        }
        let id = SourceId(sources.len() as u32 - 1);
        let mut intake = Intake { into: &mut collector, block, index: &mut index, problems: Vec::new() };
        let attribute = |name: &str| block.attributes.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
        if block.format == "config" {
            let name = attribute("name").unwrap_or_default();
            why401_read::configuration(id, &name, &mut text.as_bytes(), &mut intake).unwrap();
            continue;
        }
        if block.format == "clock" {
            let ahead = attribute("ahead").map_or(0, |a| a.parse().unwrap());
            let shows = attribute("shows").map(|t| Moment::utc(t.parse().unwrap()));
            let shown = attribute("ahead").or(attribute("shows")).unwrap();
            let span = Span::new(id, 0, shown.len() as u64);
            let kind = FactKind::Clock { shows, ahead };
            intake.fact(Fact { source: id, text: Derived::exact(shown, span), kind });
            continue;
        }
        if block.format == "tls" {
            intake.fact(crate::tls::fact(id, &attribute));
            continue;
        }
        if block.format == "intended" {
            let kind = FactKind::Intended { user: attribute("user"), scheme: attribute("scheme") };
            let shown = attribute("user").or(attribute("scheme")).unwrap();
            let span = Span::new(id, 0, shown.len() as u64);
            intake.fact(Fact { source: id, text: Derived::exact(shown, span), kind });
            continue;
        }
        let named = Some(block.format.as_str());
        why401_read::read(id, &mut text.as_bytes(), named, None, &[], &mut intake)
            .map_err(|e| format!("  {}: {e}", block.format))?;
        if let Some(problem) = intake.problems.first() {
            return Err(format!("  {}: {}", block.format, problem.what));
        }
    }
    let now = case.now.as_ref().map(|t| t.parse().unwrap());
    let gathered = collector.finish(sources);
    Ok((why401_causes::diagnose(&gathered, now), secrets))
}

fn judge(case: &Case, findings: &[Finding], secrets: &[String]) -> Result<(), String> {
    let is_fault = |f: &&Finding| matches!(f.verdict, Verdict::Fault | Verdict::Attack);
    let first = first(findings);
    match (first, case.expected.as_slice()) {
        (Some(f), []) if is_fault(&f) => return Err(format!("no fault expected, {} found", f.cause)),
        (_, []) => {}
        (None, _) => return Err("nothing found".to_owned()),
        (Some(f), wanted) => {
            let fits = wanted.iter().any(|w| {
                w.cause == f.cause
                    && w.certainty.as_ref().is_none_or(|c| *c == word(&f.certainty))
                    && w.party.as_ref().is_none_or(|p| *p == word(&f.party))
            });
            if !fits {
                return Err(format!("expected {wanted:?}"));
            }
        }
    }
    let open = |name: &String| findings.iter().flat_map(|f| &f.also_possible).any(|a| a.cause == name);
    for name in &case.not {
        if findings.iter().any(|f| f.cause == name) {
            return Err(format!("{name} must not be found"));
        }
    }
    for name in &case.also {
        if !open(name) && !findings.iter().any(|f| f.cause == name) {
            return Err(format!("{name} must be left open"));
        }
    }
    for words in &case.says {
        if !first.is_some_and(|f| f.summary.contains(words.as_str())) {
            return Err(format!("the summary must say {words:?}"));
        }
    }
    let output = told(findings);
    match secrets.iter().find(|s| output.contains(s.as_str())) {
        Some(_) => Err("a secret of the evidence stands in what is said about it".to_owned()),
        None => Ok(()),
    }
}

/// Certainty and party as the JSON writes them.
pub(crate) fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

/// Everything that a reader would see of the findings.
fn told(findings: &[Finding]) -> String {
    let mut out = String::new();
    for f in findings {
        out.push_str(&format!(
            "  - {} {} by {}: {}\n",
            f.cause,
            word(&f.certainty),
            word(&f.party),
            f.summary
        ));
        for e in &f.evidence {
            out.push_str(&format!("      | {} <- {}\n", e.excerpt.redacted(), e.says));
        }
        for fix in &f.fixes {
            out.push_str(&format!("      * {}\n", fix.action));
        }
        for a in &f.also_possible {
            out.push_str(&format!("      ? {}: {}\n", a.cause, a.settle));
        }
    }
    if findings.is_empty() { "  nothing found\n".to_owned() } else { out }
}
