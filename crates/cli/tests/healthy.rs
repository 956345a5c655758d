//! What nobody has to act on is not called a fault: every piece of evidence in `tests/healthy` ends with exit status 0.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test a panic is the report"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Formats that the folder must hold, so that none loses its healthy evidence unnoticed.
const FORMATS: [&str; 11] =
    ["access-log", "curl", "error-log", "har", "http", "httpie", "iis", "json-log", "pcap", "text", "wget"];

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/healthy");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.file_name().is_some_and(|n| n != "README.md"));
    files.sort();
    files
}

#[test]
fn healthy_evidence_yields_no_fault() {
    let (mut formats, mut wrong) = (BTreeSet::new(), Vec::new());
    let files = files();
    assert!(files.len() >= 60, "{} pieces only", files.len());
    for file in &files {
        let out =
            Command::new(env!("CARGO_BIN_EXE_why401")).args(["--format", "json"]).arg(file).output().unwrap();
        let said = String::from_utf8_lossy(&out.stdout);
        if out.status.code() != Some(0) {
            wrong.push(format!("{}: {:?}\n{said}", file.display(), out.status.code()));
            continue;
        }
        let report: serde_json::Value = serde_json::from_str(&said).unwrap();
        let source = &report["sources"][0];
        assert_eq!(
            source["problems"].as_array().unwrap().len(),
            0,
            "{}: {}",
            file.display(),
            source["problems"]
        );
        formats.insert(source["format"].as_str().unwrap().to_owned());
        // A refusal that was read and that nobody speaks of would pass as healthy too.
        let refused = ["401", "407"].iter().any(|s| !source["statuses"][s].is_null());
        let findings = report["findings"].as_array().unwrap();
        let explained = findings.iter().any(|f| f["verdict"] == "normal");
        assert!(!refused || explained, "{}: a refusal that no finding explains", file.display());
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), files.len(), wrong.join("\n"));
    let lacking: Vec<&str> = FORMATS.into_iter().filter(|f| !formats.contains(*f)).collect();
    assert!(lacking.is_empty(), "no healthy evidence of {lacking:?}");
}

/// All of it together is healthy too: clients do not mix where their addresses tell them apart.
#[test]
fn a_refusal_among_healthy_evidence_is_found() {
    let log = files().into_iter().find(|f| f.ends_with("access-mixed.log")).unwrap();
    let mut text = std::fs::read_to_string(log).unwrap();
    text.push_str("192.0.2.77 - carol [22/Nov/2026:10:00:02 +0000] \"GET /private/ HTTP/1.1\" 401 512 \"-\" \"curl/8.5.0\"\n");
    let path = std::env::temp_dir().join(format!("why401-healthy-{}.log", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_why401")).arg(&path).output().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(out.status.code(), Some(1), "{}", String::from_utf8_lossy(&out.stdout));
}
