//! The diagnosis as one JSON document, schema 1: keys and their order are a promise to scripts.

use crate::Shown;
use serde::Serialize;
use why401_report::{
    AlsoPossible, Annotation, Certainty, ExchangeRow, Finding, Fix, Overview, Party, Sequence, Slots,
    SourceReport, Verdict,
};

/// How many examples of exchanges a finding shows.
const EXAMPLES: usize = 20;

/// The document, indented, ending in a line break. `tool` is name and version: `why401 0.1.0`.
///
/// # Errors
/// None in practice: every key is text and every value has a JSON form.
pub fn json(shown: &Shown, tool: &str) -> serde_json::Result<String> {
    let document = Document {
        schema: 1,
        tool,
        sources: shown.sources(),
        overview: shown.overview(),
        findings: shown.findings().iter().map(FindingJson::from).collect(),
    };
    json_of(&document)
}

/// Anything else as an indented JSON document, ending in a line break.
///
/// # Errors
/// Where a value has no JSON form.
pub fn json_of(value: &impl Serialize) -> serde_json::Result<String> {
    serde_json::to_string_pretty(value).map(|text| text + "\n")
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    tool: &'a str,
    sources: &'a [SourceReport],
    #[serde(skip_serializing_if = "Option::is_none")]
    overview: Option<&'a Overview>,
    findings: Vec<FindingJson<'a>>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    cause: &'a str,
    verdict: Verdict,
    certainty: Certainty,
    party: Party,
    summary: &'a str,
    count: u64,
    first: Option<&'a str>,
    last: Option<&'a str>,
    account: Option<&'a str>,
    client: Option<&'a str>,
    server: Option<&'a str>,
    resource: Option<&'a str>,
    exchanges: Vec<&'a ExchangeRow>,
    evidence: Vec<AnnotationJson<'a>>,
    fixes: &'a [Fix],
    also_possible: &'a [AlsoPossible],
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<Slots>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<&'a Sequence>,
}

impl<'a> From<&'a Finding> for FindingJson<'a> {
    fn from(f: &'a Finding) -> Self {
        FindingJson {
            cause: f.cause,
            verdict: f.verdict,
            certainty: f.certainty,
            party: f.party,
            summary: &f.summary,
            count: f.count,
            first: f.first.as_deref(),
            last: f.last.as_deref(),
            account: f.account.as_deref(),
            client: f.client.as_deref(),
            server: f.server.as_deref(),
            resource: f.resource.as_deref(),
            series: f.series.slots(),
            sequence: Some(&f.sequence).filter(|s| !s.messages.is_empty()),
            exchanges: f.exchanges.iter().take(EXAMPLES).collect(),
            evidence: f.evidence.iter().map(AnnotationJson::from).collect(),
            fixes: &f.fixes,
            also_possible: &f.also_possible,
        }
    }
}

#[derive(Serialize)]
struct AnnotationJson<'a> {
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    layer: Option<&'a str>,
    start: u64,
    end: u64,
    line: Option<u32>,
    text: String,
    says: &'a str,
}

impl<'a> From<&'a Annotation> for AnnotationJson<'a> {
    fn from(a: &'a Annotation) -> Self {
        AnnotationJson {
            source: &a.source,
            layer: a.layer.as_deref(),
            start: a.start,
            end: a.end,
            line: a.line,
            text: a.excerpt.redacted(),
            says: &a.says,
        }
    }
}
