//! Large logs: a day of a hub, whole, cut, rotated and compressed; exact counts; bad input.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "in a test a panic is the report"
)]

mod errors;
mod follow;
mod hostile;
mod hub;
mod listed;
mod size;
mod table;
mod whole;

use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn diagnose(args: &[&Path], options: &[&str]) -> Value {
    let out = Command::new(env!("CARGO_BIN_EXE_why401"))
        .args(["--format", "json"])
        .args(options)
        .args(args)
        .output()
        .unwrap();
    assert!(matches!(out.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// Cause, account, client and count of every finding, in order.
fn findings(report: &Value) -> Vec<(String, Option<String>, Option<String>, u64)> {
    let text = |v: &Value| v.as_str().map(str::to_owned);
    let all = report["findings"].as_array().unwrap().iter();
    let mut all: Vec<_> = all
        .map(|f| {
            (
                text(&f["cause"]).unwrap(),
                text(&f["account"]),
                text(&f["client"]),
                f["count"].as_u64().unwrap(),
            )
        })
        .collect();
    all.sort();
    all
}
