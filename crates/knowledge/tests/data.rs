//! Holds every data file against what the format promises.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    reason = "in a test a panic is the report"
)]

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use why401_knowledge::{Channel, Knowledge, Phrase, ProductId, Said, Weight};

mod known;

fn shared(name: &str) -> Option<String> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .find_map(|folder| std::fs::read_to_string(folder.join("shared").join(name)).ok())
}

fn phrases() -> impl Iterator<Item = (ProductId, &'static str, &'static Phrase)> {
    let known = Knowledge::shared();
    known.products().flat_map(|(id, product)| product.phrases.iter().map(move |p| (id, &*product.product, p)))
}

/// A channel on which the phrase is heard.
fn channel_of(phrase: &'static Phrase) -> Channel<'static> {
    let all = [Channel::Symptom, Channel::Realm, Channel::UserAgent, Channel::Host, Channel::Cookie];
    all.into_iter()
        .chain(phrase.fields().map(Channel::Field))
        .find(|&channel| phrase.heard_on(channel))
        .unwrap_or_else(|| panic!("heard nowhere: {}", phrase.label()))
}

#[test]
fn every_file_can_be_read_and_is_built_in() {
    let known = Knowledge::shared();
    assert!(known.problems().is_empty(), "{:#?}", known.problems());
    let mut files = Vec::new();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    for group in std::fs::read_dir(&data).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()) {
        files.extend(std::fs::read_dir(group).unwrap().map(|e| e.unwrap().path()));
    }
    let named = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let group = |path: &PathBuf| path.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    for path in &files {
        let (_, product) = known.named(&named(path)).unwrap_or_else(|| {
            panic!("{} is not built in, or its `product` is not its file name", path.display())
        });
        assert_eq!(product.kind.to_string(), group(path), "{} stands in the wrong folder", path.display());
    }
    assert_eq!(files.len(), known.products().count(), "two files of one product");
}

#[test]
fn causes_are_in_the_catalogue_and_parties_are_parties() {
    let causes: HashSet<&str> = known::CAUSES.iter().copied().collect();
    for (_, product, phrase) in phrases() {
        for cause in phrase.also.iter().chain([&phrase.cause]) {
            assert!(causes.contains(&**cause), "{product}: {cause} of {:?}", phrase.label());
        }
        assert!(!phrase.also.contains(&phrase.cause), "{product}: {:?} leaves itself open", phrase.label());
    }
    for (_, product) in Knowledge::shared().products() {
        for fix in &product.fixes {
            assert!(causes.contains(&*fix.cause), "{}: {} of a fix", product.product, fix.cause);
            let parties = ["caller", "account-owner", "server", "intermediary"];
            assert!(parties.contains(&&*fix.party), "{}: party {}", product.product, fix.party);
            assert!(fix.source.starts_with("https://"), "{}: {:?}", product.product, fix.source);
        }
        for habit in &product.habits {
            assert!(habit.source.starts_with("https://"), "{}: {:?}", product.product, habit.what);
        }
    }
}

/// "Incorrect username or password" does not tell which of the two it is, on purpose.
#[test]
fn user_and_password_in_one_breath_is_neither() {
    let users = ["username", "user", "email", "login", "account"];
    for (_, product, phrase) in
        phrases().filter(|(_, _, p)| ["wrong-password", "unknown-user"].contains(&&*p.cause))
    {
        for text in phrase.text.0.iter() {
            let words: Vec<String> = text
                .replace('/', " or ")
                .split(|c: char| !c.is_alphanumeric())
                .map(str::to_ascii_lowercase)
                .collect();
            let has = |wanted: &[&str]| words.iter().any(|w| wanted.contains(&w.as_str()));
            let both = has(&users) && has(&["password"]) && has(&["or", "and"]);
            assert!(!both, "{product}: {text:?} names user and password: credentials-refused");
        }
    }
}

#[test]
fn the_list_of_causes_is_the_shared_one() {
    let Some(catalogue) = shared("causes.toml") else {
        println!("skipped: no shared folder");
        return;
    };
    let shared: HashSet<&str> =
        catalogue.lines().filter_map(|l| l.strip_prefix('[')?.strip_suffix(']')).collect();
    assert_eq!(known::CAUSES.iter().copied().collect::<HashSet<_>>(), shared);
}

#[test]
fn every_phrase_has_a_source_and_says_something() {
    for (_, product, phrase) in phrases() {
        let label = phrase.label();
        // What why401 itself logs stands in this repository.
        let found = phrase.source.starts_with("https://") || phrase.source.starts_with("crates/");
        assert!(found, "{product}: source of {label:?}");
        assert!(!label.is_empty(), "{product}: a phrase without text and codes");
        for text in &phrase.text.0 {
            let (open, close) = (text.matches('{').count(), text.matches('}').count());
            assert_eq!(open, close, "{product}: braces of {text:?}");
        }
    }
}

/// IIS logs an `HRESULT` as an unsigned decimal; a slip in such a number is seen by nobody.
#[test]
fn decimal_codes_of_windows_are_their_hexadecimal_ones() {
    for (_, product, phrase) in phrases() {
        let hex: HashSet<u32> =
            phrase.codes.iter().filter_map(|c| u32::from_str_radix(c.strip_prefix("0x")?, 16).ok()).collect();
        for decimal in phrase.codes.iter().filter_map(|c| c.parse::<u32>().ok()).filter(|&c| c >= 1 << 31) {
            assert!(hex.contains(&decimal), "{product}: {decimal} is {decimal:#X}, which is not beside it");
        }
    }
}

#[test]
fn every_mark_is_seen_where_it_says() {
    let known = Knowledge::shared();
    for (id, product) in known.products() {
        for mark in &product.marks {
            let text = in_the_wild(&mark.text, "x", false);
            for channel in mark.channels() {
                assert!(known.recognise(channel, &text).contains(&id), "{}: {text:?}", product.product);
            }
        }
    }
}

/// The wording as it might stand in the wild: gaps filled, other numbers, other punctuation, wrapped in markup.
fn in_the_wild(text: &str, filling: &str, vary: bool) -> String {
    let mut wild = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (inside, after) = after.split_once('}').unwrap();
        wild.push_str(&varied(before, vary));
        wild.push_str(inside.strip_prefix('=').unwrap_or(filling));
        rest = after;
    }
    wild.push_str(&varied(rest, vary));
    wild
}

fn varied(text: &str, vary: bool) -> String {
    if !vary {
        return text.to_owned();
    }
    text.split_inclusive(' ')
        .map(|word| {
            let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
            if !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit()) {
                word.replace(bare, "987")
            } else {
                word.to_uppercase()
            }
        })
        .map(|word| word.replace('\'', "&#39;").replace('"', "\\\"").replace(' ', "  "))
        .collect()
}

#[test]
fn every_phrase_is_found_as_written_and_varied() {
    let known = Knowledge::shared();
    let mut lost = Vec::new();
    for (id, product, phrase) in phrases() {
        let channel = channel_of(phrase);
        for text in &phrase.text.0 {
            for wild in [
                in_the_wild(text, "x", false),
                in_the_wild(text, "a/b-1", true),
                format!("<p>12 {}</p>", in_the_wild(text, "<b>two words</b>", true)),
            ] {
                let said = known.said(channel, &wild);
                let found =
                    |s: &Said<'_>| (s.product == id && s.phrase == phrase.label()) || s.cause == phrase.cause;
                if !said.iter().any(found) {
                    let instead: Vec<_> = said.iter().map(|s| (s.phrase, s.cause)).collect();
                    lost.push(format!("{product}: {text:?} in {wild:?}, only {instead:?}"));
                }
            }
        }
        for code in &phrase.codes {
            assert!(known.code(code).iter().any(|(p, f)| *p == id && f.label() == phrase.label()), "{code}");
        }
    }
    assert!(lost.is_empty(), "{lost:#?}");
}

/// Words of a wording outside its gaps; a code of letters and digits counts for three.
fn worth(text: &str) -> usize {
    let mut bare = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (inside, after) = after.split_once('}').unwrap();
        bare.push_str(before);
        bare.push_str(inside.strip_prefix('=').unwrap_or(" "));
        rest = after;
    }
    bare.push_str(rest);
    bare.split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(|w| {
            let digits = w.bytes().filter(u8::is_ascii_digit).count();
            let humps = w
                .chars()
                .skip(1)
                .zip(w.chars())
                .filter(|(b, a)| b.is_uppercase() && a.is_lowercase())
                .count();
            if w.len() > digits && digits >= 4 || humps >= 2 || w.len() >= 16 { 3 } else { 1 }
        })
        .sum()
}

#[test]
fn what_proves_is_too_long_to_be_said_by_accident() {
    let mut short = Vec::new();
    for (_, product, phrase) in phrases() {
        if phrase.weight == Weight::Proves && !phrase.is_narrow() && !phrase.needs_product {
            for text in phrase
                .text
                .0
                .iter()
                .chain(phrase.codes.iter().filter(|c| c.bytes().any(|b| b.is_ascii_alphabetic())))
            {
                if worth(text) < 3 {
                    short.push((product, text));
                }
            }
        }
    }
    assert!(short.is_empty(), "too short to prove anything: {short:#?}");
}

#[test]
fn innocent_texts_prove_nothing() {
    let innocent = include_str!("innocent.txt");
    let mut guilty = HashSet::new();
    let known = Knowledge::shared();
    for text in innocent.split("\n---\n").chain([innocent]) {
        for channel in [Channel::Body, Channel::Log, Channel::Symptom, Channel::Challenge] {
            for said in known.said(channel, text) {
                if said.weight == Weight::Proves && !said.needs_product {
                    guilty.insert((said.phrase, text[said.range].to_owned()));
                }
            }
        }
    }
    assert!(guilty.is_empty(), "{guilty:#?}");
}
