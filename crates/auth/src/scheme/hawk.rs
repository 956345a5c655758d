//! Hawk (<https://github.com/mozilla/hawk/blob/main/API.md>): a MAC over the request.

use crate::Secret;
use crate::field::Element;
use crate::problem::{Problem, ProblemKind};

/// Hawk credentials, or a Hawk challenge (which has `ts`, `tsm` and `error` where the clock was off).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hawk {
    /// The key's identifier.
    pub id: Option<String>,
    /// The sender's time, in seconds since 1970.
    pub ts: Option<i64>,
    /// The nonce.
    pub nonce: Option<String>,
    /// The hash of the content.
    pub hash: Option<String>,
    /// The sender's own data.
    pub ext: Option<String>,
    /// The MAC of the request.
    pub mac: Option<Secret>,
    /// Why it was refused, in a challenge.
    pub error: Option<String>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Reads Hawk credentials or a Hawk challenge.
pub fn read(element: &Element, is_challenge: bool) -> Hawk {
    let mut problems = Vec::new();
    let text = |name: &str| element.clean_text(name).map(|t| t.into_owned());
    if !is_challenge {
        for name in ["id", "ts", "nonce", "mac"] {
            if element.param(name).is_none() {
                let what = format!("{name} is missing");
                problems.push(Problem::new(element.scheme.range.clone(), ProblemKind::Missing, what));
            }
        }
    }
    let ts = text("ts").and_then(|t| t.parse::<i64>().ok());
    if let Some(p) = element.param("ts")
        && ts.is_none_or(|t| t > 100_000_000_000)
    {
        let what = "ts is not a number of seconds since 1970";
        problems.push(Problem::new(p.raw_range.clone(), ProblemKind::BadValue, what));
    }
    Hawk {
        id: text("id"),
        ts,
        nonce: text("nonce"),
        hash: text("hash"),
        ext: text("ext"),
        mac: text("mac").map(Secret::new),
        error: text("error"),
        problems,
    }
}
