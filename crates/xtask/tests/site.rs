//! The web site of the catalogue, made in a folder of its own and read again.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "in a test a panic is the report")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use why401_causes::CATALOGUE;

fn make(folder: &Path) -> BTreeMap<String, String> {
    let made = Command::new(env!("CARGO_BIN_EXE_xtask")).arg("site").arg(folder).status().unwrap();
    assert!(made.success());
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap());
    entries
        .map(|e| (e.file_name().into_string().unwrap(), std::fs::read_to_string(e.path()).unwrap()))
        .collect()
}

#[test]
fn every_cause_has_its_page_and_the_index_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let pages = make(folder.path());
    let index = pages.get("index.html").expect("no index");
    assert_eq!(pages.len(), CATALOGUE.len() + 1);
    for cause in CATALOGUE {
        let meta = cause.meta();
        let file = format!("{}.html", meta.name);
        let page = pages.get(&file).unwrap_or_else(|| panic!("{file} is missing"));
        assert!(index.contains(&format!("href=\"{file}\"")), "{file} is not in the index");
        assert!(page.contains("What to do</h2>"), "{file}");
        assert!(index.contains(&meta.group.title().replace('\'', "&#39;")), "{}", meta.group.title());
    }
}

#[test]
fn every_link_inside_leads_somewhere() {
    let folder = tempfile::tempdir().unwrap();
    let pages = make(folder.path());
    for (name, page) in &pages {
        for link in page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            if link.starts_with("https://www.rfc-editor.org/rfc/rfc") {
                continue;
            }
            let (file, part) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { name } else { file };
            let there = pages.get(target).unwrap_or_else(|| panic!("{name}: {link} leads nowhere"));
            assert!(part.is_empty() || there.contains(&format!("id=\"{part}\"")), "{name}: no {link}");
        }
    }
}

/// Markup is what the site's own templates write: a few elements that open and close in order, and no other `<`, `>` or
/// bare `&`; nothing is loaded and nothing runs.
#[test]
fn nothing_of_the_texts_is_markup() {
    const ELEMENTS: [&str; 27] = [
        "html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section", "article",
        "footer", "h1", "h2", "p", "ul", "li", "dl", "dt", "dd", "pre", "code", "a", "span", "div", "b",
        "em",
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, page) in make(folder.path()) {
        let page = page.strip_prefix("<!doctype html>").unwrap();
        let (before, rest) = page.split_once("<style>").unwrap();
        let (_, after) = rest.split_once("</style>").unwrap();
        let mut open: Vec<String> = Vec::new();
        for piece in [before, after].concat().split('<').skip(1) {
            let (tag, text) = piece.split_once('>').unwrap_or_else(|| panic!("{name}: <{piece}"));
            assert!(!text.contains('>'), "{name}: a bare > in {text:?}");
            let entities = ["&lt;", "&gt;", "&amp;", "&quot;", "&#39;"];
            let left = entities.iter().fold(text.to_owned(), |t, e| t.replace(e, ""));
            assert!(!left.contains('&') && !left.contains('`'), "{name}: not turned into HTML: {text:?}");
            match tag.strip_prefix('/') {
                Some(closed) => assert_eq!(open.pop().as_deref(), Some(closed), "{name}"),
                None => {
                    let element = tag.split(' ').next().unwrap().to_owned();
                    assert!(ELEMENTS.contains(&element.as_str()), "{name}: <{tag}>");
                    if element != "meta" {
                        open.push(element);
                    }
                }
            }
        }
        assert!(open.is_empty(), "{name}: {open:?} not closed");
        assert!(
            !page.contains("src=") && !page.contains("url(") && !page.contains("@import"),
            "{name} loads"
        );
    }
}

#[test]
fn the_same_catalogue_gives_the_same_bytes() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert_eq!(make(a.path()), make(b.path()));
}
