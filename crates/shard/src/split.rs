//! What one worker reads at a time.

use serde::{Deserialize, Serialize};

/// A piece of a log. A line belongs to the split that holds its first byte.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// What the log belongs to: different sites are never merged.
    #[serde(default)]
    pub site: String,
    /// The log, by its position in order of time.
    pub source: u32,
    /// The log, by its position as it was given.
    pub number: u32,
    /// Where it is.
    pub path: String,
    /// Offset of the first byte.
    pub start: u64,
    /// Offset behind the last byte.
    pub end: u64,
    /// Bytes of the whole log as it lies there.
    pub size: u64,
    /// `plain`, `gzip`, `zstd`, `bzip2` or `xz`; `none` where the log cannot be read.
    pub codec: String,
    /// The [`Plan`] as JSON, the same in all splits of it.
    pub plan: String,
    /// The bytes of the whole log, where they come along and are not read from the path.
    #[serde(skip)]
    pub content: Option<Vec<u8>>,
}

/// What all splits have in common; states of different plans are never merged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What keys are made with, drawn anew for each plan: nobody can choose names whose keys are equal.
    pub seed: u64,
    /// Into so many lots clients are shared out.
    pub lots: u32,
    /// The format of the logs, where it is not to be found by content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The `LogFormat` or `log_format` of the logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_format: Option<String>,
    /// Only requests from this time on, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// Only requests before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// Only requests under this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Only requests from this address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Only requests for this path and those below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
}

impl Plan {
    /// As splits carry it.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From what a split carries; `None` where that is no plan.
    pub fn of(text: &str) -> Option<Plan> {
        serde_json::from_str(text).ok().filter(|plan: &Plan| (1..=MOST_LOTS).contains(&plan.lots))
    }
}

/// More lots than this are not wanted by anybody, and each takes memory.
const MOST_LOTS: u32 = 65_536;
