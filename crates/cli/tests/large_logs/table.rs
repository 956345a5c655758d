//! The refusals as a table.

use crate::hub::Hub;
use crate::{diagnose, findings};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

/// How many rows of a table have each cause.
fn causes(rows: impl Iterator<Item = Value>) -> BTreeMap<String, u64> {
    let mut causes = BTreeMap::new();
    for row in rows {
        *causes.entry(row["cause"].as_str().unwrap_or("none").to_owned()).or_default() +=
            row["count"].as_u64().unwrap();
    }
    causes
}

#[test]
fn every_refusal_of_a_large_log_is_a_row_with_its_cause() {
    let hub = Hub::day();
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    std::fs::write(&log, &hub.log).unwrap();
    let mut found = BTreeMap::new();
    for (cause, _, _, count) in findings(&diagnose(&[&log], &[])) {
        *found.entry(cause).or_default() += count;
    }
    let program = env!("CARGO_BIN_EXE_why401");
    let (rows, table) = (folder.path().join("rows.ndjson"), folder.path().join("rows.parquet"));
    let out =
        Command::new(program).args(["--format", "ndjson", "--out"]).args([&table, &log]).output().unwrap();
    assert_eq!(out.status.code(), Some(1), "{}", String::from_utf8_lossy(&out.stderr));
    let lines = |bytes: &[u8]| -> Vec<Value> {
        bytes
            .split(|b| *b == b'\n')
            .filter(|l| !l.is_empty())
            .map(|l| serde_json::from_slice(l).unwrap())
            .collect()
    };
    let told = lines(&out.stdout);
    assert_eq!(causes(told.iter().cloned()), found);
    let text: Vec<&str> = hub.log.lines().collect();
    for row in &told {
        let line = text[usize::try_from(row["line"].as_u64().unwrap()).unwrap() - 1];
        assert!(line.starts_with(row["client"].as_str().unwrap()), "{line} {row}");
        assert!(
            line.contains(&format!(" {} ", row["status"])) && line.contains(row["target"].as_str().unwrap()),
            "{line} {row}"
        );
    }
    let head = std::fs::read(&table).unwrap();
    assert!(head.starts_with(b"PAR1") && head.ends_with(b"PAR1"));

    // The same from a pipe, which is read once only, and beside the diagnosis.
    let out = Command::new(program).arg("--out").args([&rows, &log]).output().unwrap();
    assert!(String::from_utf8_lossy(&out.stdout).contains("credentials-changed"));
    assert_eq!(lines(&std::fs::read(&rows).unwrap()), told);
    let out = Command::new(program).args(["--out", "rows.csv"]).arg(&log).output().unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("FILE.parquet"));
}
