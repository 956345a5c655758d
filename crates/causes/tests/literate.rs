//! The literate cases: prose, evidence in fenced blocks, and what is to be found in it. `tests/cases/README.md` tells
//! how one is written.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "in a test a panic is the report"
)]

#[path = "literate/case.rs"]
mod case;
#[path = "literate/run.rs"]
mod run;
#[path = "literate/template.rs"]
mod template;

use case::Case;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for folder in std::fs::read_dir(root()).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()) {
        files.extend(std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()));
    }
    files.retain(|f| f.extension().is_some_and(|e| e == "md"));
    files.sort();
    files
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// The cases with the cause whose folder they stand in. `LITERATE=word` keeps those whose place has the word.
fn cases() -> Vec<(String, Case)> {
    let only = std::env::var("LITERATE").unwrap_or_default();
    let mut cases = Vec::new();
    for file in files() {
        let cause = file.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let shown = file.strip_prefix(root()).unwrap().display().to_string();
        let found = case::parse(&shown, &text);
        assert!(!found.is_empty(), "{shown} holds no case");
        cases.extend(found.into_iter().filter(|c| c.place.contains(&only)).map(|c| (cause.clone(), c)));
    }
    cases
}

#[test]
fn every_case_finds_what_it_says() {
    let mut wrong = Vec::new();
    let cases = cases();
    for (_, case) in &cases {
        if let Err(why) = run::check(case) {
            wrong.push(format!("{}\n{why}", case.place));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
}

/// A cause that is tried must be seen to hold, and seen not to hold where the evidence looks alike.
#[test]
fn every_cause_is_tried_both_ways() {
    if std::env::var_os("LITERATE").is_some() {
        return;
    }
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (cause, case) in cases() {
        assert!(why401_causes::catalogue::by_name(&cause).is_some(), "no cause is called {cause}");
        let (holds, not) = counts.entry(cause.clone()).or_default();
        let expected = case.expected.iter().any(|e| e.cause == cause);
        *(if expected { holds } else { not }) += 1;
    }
    for (cause, (holds, not)) in counts {
        assert!(holds >= 2 && not >= 1, "{cause}: {holds} cases where it holds, {not} where it does not");
    }
}
