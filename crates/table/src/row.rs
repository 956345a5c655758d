//! A refused exchange and its cause.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use why401_report::{Certainty, Party, Verdict};

/// A refused exchange and its cause. Names and meanings are those of the diagnosis as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The piece of evidence.
    pub source: String,
    /// Which exchange of it this is, from 0; `None` where only words tell of it.
    pub index: Option<u64>,
    /// Its 1-based line, where it stands on one.
    pub line: Option<u32>,
    /// When it was.
    #[serde(serialize_with = "rfc3339")]
    pub time: Option<Timestamp>,
    /// Who asked.
    pub client: Option<String>,
    /// Who was asked.
    pub server: Option<String>,
    /// The method.
    pub method: Option<String>,
    /// The target, without secrets.
    pub target: Option<String>,
    /// The status.
    pub status: Option<u16>,
    /// The account.
    pub user: Option<String>,
    /// The name of the cause; `None`, as are the next three, where nothing can be said.
    pub cause: Option<&'static str>,
    /// What the cause means here.
    pub verdict: Option<Verdict>,
    /// How sure it is.
    pub certainty: Option<Certainty>,
    /// Who has to act.
    pub party: Option<Party>,
    /// How many exchanges the row stands for: more than one where alike ones were not kept apart.
    pub count: u64,
}

fn rfc3339<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    time.map(|t| t.to_string()).serialize(to)
}
