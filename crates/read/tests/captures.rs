//! Captures that others made, against what tshark sees in them, and those of the lab.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "in a test a panic is the report"
)]

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use why401_read::{Collected, KeyLog, read};
use why401_span::SourceId;

fn shared(part: &str) -> Option<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found = here.ancestors().map(|a| a.join("shared").join(part)).find(|p| p.is_dir());
    if found.is_none() {
        println!("skipped: no shared folder");
    }
    found
}

fn collect(file: &Path, keys: &[Vec<u8>]) -> Collected {
    let keys: Vec<_> = keys.iter().map(|text| Arc::new(KeyLog::of(text))).collect();
    let mut collected = Collected::default();
    let bytes = fs::read(file).unwrap();
    read(SourceId(0), &mut bytes.as_slice(), None, None, &keys, &mut collected).unwrap();
    collected
}

/// How many requests and how many answers of each status there are in messages of a version.
fn seen(of: &Collected, version: &str) -> (u64, BTreeMap<String, u64>) {
    let requests = of.exchanges.iter().filter_map(|e| e.request.as_ref());
    let requests = requests.filter(|r| r.version.starts_with(version)).count() as u64;
    let mut statuses = BTreeMap::new();
    for response in of.exchanges.iter().filter_map(|e| e.response.as_ref()) {
        if response.version.starts_with(version) {
            *statuses.entry(response.status.to_string()).or_default() += 1;
        }
    }
    (requests, statuses)
}

#[test]
fn no_fewer_exchanges_than_tshark_finds() {
    let Some(folder) = shared("peers/captures") else { return };
    let mut wrong = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let Some(name) = path.to_str().and_then(|p| p.strip_suffix(".oracle.json")) else { continue };
        let oracle: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let keys = oracle["args"][1].as_str().and_then(|a| Path::new(a).file_name().map(|f| f.to_owned()));
        let keys = keys.and_then(|k| {
            let file = Path::new(name).file_stem()?.to_str()?.to_owned();
            fs::read(folder.join(format!("{file}__{}", k.to_str()?))).ok()
        });
        let found = collect(Path::new(name), &Vec::from_iter(keys));
        for (part, version) in [("http1", "1"), ("http2_3", "2")] {
            let (requests, statuses) = seen(&found, version);
            let wanted = oracle[part]["requests"].as_u64().unwrap();
            println!(
                "{name} {part}: {requests} of {wanted} requests, {statuses:?} of {}",
                oracle[part]["status"]
            );
            let missing = oracle[part]["status"].as_object().unwrap().iter();
            let missing =
                missing.filter(|(s, n)| statuses.get(*s).copied().unwrap_or(0) < n.as_u64().unwrap());
            if requests < wanted || missing.count() > 0 {
                wrong.push(format!("{name} {part}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_capture_of_the_lab_has_its_exchanges() {
    let Some(folder) = shared("lab") else { return };
    let mut all = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let folder = entry.unwrap().path();
        for name in ["capture.pcap", "capture.pcapng"] {
            let file = folder.join(name);
            if !file.exists() {
                continue;
            }
            let found = collect(&file, &Vec::from_iter(fs::read(folder.join("keys.log")).ok()));
            for e in &found.exchanges {
                let asked = e.request.as_ref().map(|r| format!("{} {}", r.method(), r.target()));
                println!("{file:?}: {asked:?} {:?}", e.status());
            }
            assert!(!found.exchanges.is_empty(), "{file:?}");
            assert!(found.problems.is_empty(), "{file:?}: {:?}", found.problems);
            all += found.exchanges.len();
        }
    }
    assert!(all > 40);
}

/// Every field that tshark decodes stands in one of our messages.
#[test]
fn the_fields_of_http_2_are_those_that_tshark_decodes() {
    let Some(folder) = shared("peers/captures") else { return };
    let mut compared = 0;
    for name in ["wireshark_http2_follow_multistream.pcapng", "wireshark_http2-brotli.pcapng"] {
        let oracle = fs::read(folder.join(format!("{name}.oracle.json"))).unwrap();
        let oracle: serde_json::Value = serde_json::from_slice(&oracle).unwrap();
        let found = collect(&folder.join(name), &[]);
        let requests = found.exchanges.iter().filter_map(|e| e.request.as_ref()).map(|r| &r.fields);
        let responses = found.exchanges.iter().filter_map(|e| e.response.as_ref()).map(|r| &r.fields);
        let ours: std::collections::HashSet<(String, String)> = requests
            .chain(responses)
            .flat_map(|f| f.iter().map(|f| (f.name.to_text().into_owned(), f.text().into_owned())))
            .collect();
        let targets: Vec<_> =
            found.exchanges.iter().filter_map(|e| Some(e.request.as_ref()?.target().into_owned())).collect();
        for pair in
            oracle["h2_messages"].as_array().unwrap().iter().flat_map(|m| m["headers"].as_array().unwrap())
        {
            let (field, value) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
            match field {
                ":path" => assert!(targets.iter().any(|t| t == value), "{name}: {value}"),
                ":method" | ":scheme" | ":status" => {}
                _ => assert!(ours.contains(&(field.into(), value.into())), "{name}: {field}: {value}"),
            }
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn damaged_captures_never_panic(
        pick: prop::sample::Index,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        cut: prop::sample::Index,
    ) {
        let Some(folder) = shared("peers/captures") else { return Ok(()) };
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        files.retain(|f| !f.to_string_lossy().contains(".oracle.") && !f.to_string_lossy().ends_with(".keys"));
        files.sort();
        let mut bytes = fs::read(pick.get(&files)).unwrap();
        let len = bytes.len();
        for (at, value) in changes {
            bytes[at.index(len)] = value;
        }
        bytes.truncate(len - cut.index(len) / 4);
        let mut collected = Collected::default();
        let _ = read(SourceId(0), &mut bytes.as_slice(), Some("pcap"), None, &[], &mut collected);
    }
}
