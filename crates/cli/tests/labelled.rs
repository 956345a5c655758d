//! How often is the cause named right? Evidence with the truth beside it, kept outside the repository in a folder
//! `shared` beside it; skipped with a word where that is absent.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "in a test a panic is the report"
)]

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

fn shared(folder: &str) -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = here.ancestors().map(|d| d.join("shared").join(folder)).find(|d| d.is_dir());
    if found.is_none() {
        println!("skipped: no shared folder with {folder}");
    }
    found
}

fn diagnose(files: &[PathBuf]) -> Value {
    let out =
        Command::new(env!("CARGO_BIN_EXE_why401")).args(["--format", "json"]).args(files).output().unwrap();
    assert!(matches!(out.status.code(), Some(0 | 1)), "{files:?}: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// The first fault or attack, else the first finding, else none.
fn first(report: &Value) -> (String, String) {
    let findings = report["findings"].as_array().unwrap();
    let main =
        findings.iter().find(|f| f["verdict"] == "fault" || f["verdict"] == "attack").or(findings.first());
    let text = |key: &str| main.and_then(|f| f[key].as_str()).unwrap_or("none").to_owned();
    (text("cause"), text("certainty"))
}

/// How often each certainty was right, and where a certain finding was wrong.
#[derive(Default)]
struct Tally {
    right: usize,
    all: usize,
    by_certainty: BTreeMap<String, (usize, usize)>,
    wrong_for_certain: Vec<String>,
    misses: Vec<String>,
}

impl Tally {
    fn count(&mut self, name: String, got: (String, String), fine: &[&str]) {
        let (cause, certainty) = got;
        let right = fine.contains(&cause.as_str());
        self.all += 1;
        self.right += usize::from(right);
        let entry = self.by_certainty.entry(certainty.clone()).or_default();
        entry.0 += usize::from(right);
        entry.1 += 1;
        if !right {
            self.misses.push(format!("{name}: want {}, got {cause} ({certainty})", fine.join(" or ")));
            if certainty == "certain" {
                self.wrong_for_certain.push(name);
            }
        }
    }

    fn print(&self, what: &str) {
        println!("{what}: {} of {} right", self.right, self.all);
        for (certainty, (right, all)) in &self.by_certainty {
            println!("  {certainty:8} right {right} of {all}");
        }
        for miss in &self.misses {
            println!("  {miss}");
        }
    }
}

fn names(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[test]
fn reported_cases_are_named_right() {
    let Some(dir) = shared("cases") else { return };
    let mut tally = Tally::default();
    for case in folders(&dir) {
        let Ok(text) = std::fs::read(case.join("case.json")) else { continue };
        let label: Value = serde_json::from_slice(&text).unwrap();
        let files: Vec<PathBuf> = label["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| case.join(f["name"].as_str().unwrap()))
            .collect();
        let mut fine = vec![label["primary"].as_str().unwrap()];
        fine.extend(names(&label["accept"]));
        tally.count(label["id"].to_string(), first(&diagnose(&files)), &fine);
    }
    tally.print("cases");
    assert!(tally.wrong_for_certain.is_empty(), "wrong and certain: {:?}", tally.wrong_for_certain);
    assert!(tally.right * 54 >= tally.all * 44, "{} of {} right", tally.right, tally.all);
}

#[test]
fn evidence_of_the_lab_is_named_right() {
    let Some(dir) = shared("lab") else { return };
    let mut tally = Tally::default();
    for scenario in folders(&dir) {
        let Ok(text) = std::fs::read(scenario.join("truth.json")) else { continue };
        let truth: Value = serde_json::from_slice(&text).unwrap();
        for (name, e) in truth["evidence"].as_object().unwrap() {
            let files: Vec<PathBuf> =
                name.split('+').chain(names(&e["needs"])).map(|part| scenario.join(part)).collect();
            let mut fine = names(&e["expect"]);
            let healthy = fine.is_empty() || fine.first() == Some(&"challenge-answered");
            if fine.is_empty() || e["silence"] == true {
                fine.push("none");
            }
            if healthy {
                fine.extend(["none", "challenge-answered", "evidence-redacted"]);
            }
            let shown = format!("{}/{name}", scenario.file_name().unwrap().to_string_lossy());
            tally.count(shown, first(&diagnose(&files)), &fine);
        }
    }
    tally.print("lab");
    assert!(tally.wrong_for_certain.is_empty(), "wrong and certain: {:?}", tally.wrong_for_certain);
    assert!(tally.right * 58 >= tally.all * 40, "{} of {} right", tally.right, tally.all);
}

fn folders(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    found.sort();
    found
}
