//! What every entry of the catalogue promises.

#![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the report")]

use std::collections::{HashMap, HashSet};
use std::path::Path;
use why401_causes::CATALOGUE;

#[test]
fn names_are_unique_and_those_of_the_files() {
    let mut seen = HashSet::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalogue");
    for cause in CATALOGUE {
        let name = cause.meta().name;
        assert!(seen.insert(name), "{name} twice");
        let file = folder.join(name.replace('-', "_")).with_extension("rs");
        assert!(file.exists(), "{name} has no file of its name");
    }
}

/// The text of `explain` answers the same questions of every cause.
#[test]
fn every_cause_is_explained() {
    let sections = [
        "# What happened",
        "# How it is decided",
        "# Who acts",
        "# What to do",
        "# Evidence needed",
        "# Not to be confused with",
        "# References",
    ];
    for cause in CATALOGUE {
        let meta = cause.meta();
        let mut at = 0;
        for section in sections {
            let found = meta.doc.get(at..).unwrap().find(section);
            let found =
                found.unwrap_or_else(|| panic!("{}: {section} is missing or out of order", meta.name));
            at += found + section.len();
            let next = meta.doc.get(at..).unwrap();
            let text = next.split("\n #").next().unwrap().trim();
            assert!(text.len() > 5, "{}: nothing under {section}", meta.name);
        }
    }
}

/// Whoever looks a reference up is told where in it to look.
#[test]
fn references_name_sections() {
    for cause in CATALOGUE {
        let meta = cause.meta();
        let references = meta.doc.split("# References").nth(1).unwrap();
        let references = references.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(references.contains("section"), "{}: {references}", meta.name);
        for after in references.split("RFC ").skip(1) {
            let (number, rest) = after.split_once(' ').unwrap_or((after, ""));
            assert!(
                rest.starts_with("section ")
                    || rest.starts_with("sections ")
                    || rest.starts_with("appendix "),
                "{}: where in RFC {number}?",
                meta.name
            );
        }
    }
}

/// "Speaks for as well" leads from the specific to the general, so it never comes back.
#[test]
fn what_is_superseded_never_supersedes_in_turn() {
    let over: HashMap<&str, &[&str]> =
        CATALOGUE.iter().map(|c| (c.meta().name, c.meta().supersedes)).collect();
    fn walk<'a>(over: &HashMap<&'a str, &'a [&'a str]>, name: &'a str, path: &mut Vec<&'a str>) {
        assert!(!path.contains(&name), "a circle: {} -> {name}", path.join(" -> "));
        path.push(name);
        for next in over.get(name).copied().unwrap_or_default() {
            walk(over, next, path);
        }
        path.pop();
    }
    for name in over.keys() {
        walk(&over, name, &mut Vec::new());
    }
}

#[test]
fn superseded_causes_exist() {
    let names: HashSet<&str> = CATALOGUE.iter().map(|c| c.meta().name).collect();
    for cause in CATALOGUE {
        for less in cause.meta().supersedes {
            assert!(names.contains(less), "{} speaks for {less}, which is no cause", cause.meta().name);
        }
    }
}
