//! The literate cases: prose, evidence in fenced blocks, and what is to be found in it. `tests/cases/README.md` tells
//! how one is written.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
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
#[path = "literate/tls.rs"]
mod tls;

use case::Case;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use why401_report::Verdict;

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

/// Every cause of the catalogue has two cases at least where it holds, a near miss where it must not be found, and one
/// more where the evidence does not suffice: there it is left open, or less than certain.
#[test]
fn every_cause_is_tried_from_all_sides() {
    if std::env::var_os("LITERATE").is_some() {
        return;
    }
    #[derive(Default)]
    struct Tried {
        holds: usize,
        near_misses: usize,
        left_open: usize,
        holds_or_open: usize,
    }
    let mut tried: BTreeMap<String, Tried> =
        why401_causes::CATALOGUE.iter().map(|c| (c.meta().name.to_owned(), Tried::default())).collect();
    for (cause, case) in cases() {
        let tried = tried.get_mut(&cause).unwrap_or_else(|| panic!("no cause is called {cause}"));
        let own: Vec<_> = case.expected.iter().filter(|e| e.cause == cause).collect();
        let holds = !own.is_empty();
        let weak = |e: &&case::Expected| matches!(e.certainty.as_deref(), Some("likely" | "possible"));
        let left_open = if holds { own.iter().all(weak) } else { case.also.contains(&cause) };
        tried.holds += usize::from(holds);
        tried.near_misses += usize::from(!holds && case.not.contains(&cause));
        tried.left_open += usize::from(left_open);
        tried.holds_or_open += usize::from(holds || left_open);
    }
    // What is left open is a case of its own, not one of the two where the cause holds.
    let enough = |t: &Tried| t.holds >= 2 && t.near_misses >= 1 && t.left_open >= 1 && t.holds_or_open >= 3;
    let lacking: Vec<String> = tried
        .iter()
        .filter(|(_, t)| !enough(t))
        .map(|(cause, t)| {
            format!(
                "{cause}: holds in {}, near misses {}, left open in {}",
                t.holds, t.near_misses, t.left_open
            )
        })
        .collect();
    assert!(lacking.is_empty(), "cases are lacking:\n{}", lacking.join("\n"));
}

/// What certainty is worth, over all cases: printed with `--nocapture`.
#[test]
fn certainty_keeps_its_word() {
    if std::env::var_os("LITERATE").is_some() {
        return;
    }
    let mut certainty: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    let mut causes: BTreeMap<(String, String), u32> = BTreeMap::new();
    let mut invented = Vec::new();
    for (_, case) in cases() {
        let (findings, _) = run::findings(&case).unwrap_or_else(|why| panic!("{}: {why}", case.place));
        let first = run::first(&findings);
        let fault = first.is_some_and(|f| matches!(f.verdict, Verdict::Fault | Verdict::Attack));
        let found = first.map_or("nothing", |f| f.cause);
        let healthy = case.expected.is_empty();
        let right = if healthy { !fault } else { case.expected.iter().any(|e| e.cause == found) };
        if healthy && fault {
            invented.push(format!("{}: {found}", case.place));
        }
        if let Some(f) = first.filter(|_| fault || !healthy) {
            let (all, good) = certainty.entry(run::word(&f.certainty)).or_default();
            *all += 1;
            *good += u32::from(right);
        }
        let expected = match case.expected.iter().find(|e| e.cause == found).or(case.expected.first()) {
            Some(e) => e.cause.clone(),
            None => "no fault".to_owned(),
        };
        let came = if healthy && !fault { "no fault" } else { found };
        *causes.entry((expected, came.to_owned())).or_default() += 1;
    }
    println!("certainty   findings  right");
    for (word, (all, good)) in &certainty {
        println!("{word:<10}  {all:>8}  {good:>5}");
    }
    println!("\n{:<30}  {:<30}  cases", "expected", "came first");
    for ((expected, came), count) in &causes {
        let mark = if expected == came { "" } else { "  <- wrong" };
        println!("{expected:<30}  {came:<30}  {count:>5}{mark}");
    }
    for (word, least) in [("certain", 99), ("likely", 85)] {
        let (all, good) = certainty.get(word).copied().unwrap_or_default();
        assert!(all > 0 && good * 100 >= all * least, "{word}: {good} of {all} right");
    }
    assert!(invented.is_empty(), "faults in healthy evidence:\n{}", invented.join("\n"));
}
