//! Findings and what belongs to them.

use crate::{Excerpt, Overview, Sequence, Series};
use serde::Serialize;
use std::collections::BTreeMap;

/// What kind of thing a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Somebody is guessing.
    Attack,
    /// Somebody has to act.
    Fault,
    /// An observation beside the main cause.
    Info,
    /// Nobody has to act.
    Normal,
}

/// How sure a finding is. The order is from unsure to sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// The evidence leaves it open.
    Possible,
    /// The evidence speaks for it and does not prove it.
    Likely,
    /// The evidence proves it.
    Certain,
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, PartialOrd, Ord)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// Whoever writes or configures the client.
    Caller,
    /// The person whose credentials these are.
    AccountOwner,
    /// Who runs the origin.
    Server,
    /// Who runs the proxy, gateway or CDN.
    Intermediary,
    /// Nobody.
    Nobody,
}

/// The whole answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Diagnosis {
    /// What was read.
    pub sources: Vec<SourceReport>,
    /// What was found, first what the reader should act on first.
    pub findings: Vec<Finding>,
    /// Large logs at a glance, where there are any.
    pub overview: Option<Overview>,
}

/// What was read from one piece of evidence.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SourceReport {
    /// Its name as given.
    pub name: String,
    /// The format that its content has.
    pub format: String,
    /// Its size.
    pub bytes: u64,
    /// How many exchanges were found in it.
    pub exchanges: u64,
    /// How often each status code was answered.
    pub statuses: BTreeMap<u16, u64>,
    /// The first time in it, RFC 3339.
    pub first: Option<String>,
    /// The last time in it, RFC 3339.
    pub last: Option<String>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Names of its layers (decrypted or decompressed streams), by [`why401_span::LayerId`].
    #[serde(skip)]
    pub layers: Vec<String>,
}

/// Something that could not be read, and where; reading went on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Byte offset into the source.
    pub offset: u64,
    /// 1-based line, where lines exist.
    pub line: Option<u32>,
    /// What is wrong.
    pub what: String,
}

/// One cause, found in one or many exchanges.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The name of the cause in the catalogue.
    pub cause: &'static str,
    /// What kind of thing it is.
    pub verdict: Verdict,
    /// How sure it is.
    pub certainty: Certainty,
    /// Who acts.
    pub party: Party,
    /// One sentence about this very evidence.
    pub summary: String,
    /// How many exchanges it covers.
    pub count: u64,
    /// The first of them, RFC 3339.
    pub first: Option<String>,
    /// The last of them, RFC 3339.
    pub last: Option<String>,
    /// The account, where all of them share one.
    pub account: Option<String>,
    /// The client, where all of them share one.
    pub client: Option<String>,
    /// The server, where all of them share one.
    pub server: Option<String>,
    /// The resource, where all of them share one.
    pub resource: Option<String>,
    /// How many fell in which time.
    pub series: Series,
    /// The messages of one of them.
    pub sequence: Sequence,
    /// Examples, at most 20.
    pub exchanges: Vec<ExchangeRow>,
    /// The bytes that prove it.
    pub evidence: Vec<Annotation>,
    /// What to do.
    pub fixes: Vec<Fix>,
    /// What else the evidence leaves open.
    pub also_possible: Vec<AlsoPossible>,
}

/// One exchange in a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ExchangeRow {
    /// Name of the source.
    pub source: String,
    /// Position in that source, from 0.
    pub index: u64,
    /// RFC 3339.
    pub time: Option<String>,
    /// Who asked.
    pub client: Option<String>,
    /// Who was asked.
    pub server: Option<String>,
    /// The method.
    pub method: Option<String>,
    /// The target, redacted.
    pub target: Option<String>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The user, claimed or decoded.
    pub user: Option<String>,
}

/// Bytes of the evidence and what they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// Name of the source.
    pub source: String,
    /// Name of the decrypted or decompressed stream that the offsets count in.
    pub layer: Option<String>,
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last byte.
    pub end: u64,
    /// 1-based line, where lines exist.
    pub line: Option<u32>,
    /// The line that the bytes stand in.
    pub excerpt: Excerpt,
    /// What they say, a few words.
    pub says: String,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// By whom.
    pub party: Party,
    /// What, one or two sentences.
    #[serde(rename = "do")]
    pub action: String,
    /// A line to run.
    pub command: Option<String>,
}

/// A cause that the evidence leaves open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlsoPossible {
    /// Its name in the catalogue.
    pub cause: &'static str,
    /// What would settle it.
    pub settle: String,
}
