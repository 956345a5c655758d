//! Captures that others made, against what tshark says of them.
#![allow(clippy::indexing_slicing, reason = "in a test a panic is the report")]

mod support;

use std::fs;
use why401_capture::{Capture, Limits, Segment, read};
use why401_span::SourceId;

fn capture_of(file: &[u8]) -> Capture {
    read(file, SourceId(0), Limits::default())
}

/// How often a run of bytes of any stream begins a line with one of these.
fn count(capture: &Capture, to_server: bool, is_start: impl Fn(&[u8]) -> bool) -> usize {
    let streams = capture.connections.iter().map(|c| match to_server {
        true => &c.client_to_server,
        false => &c.server_to_client,
    });
    let runs = streams.flat_map(|s| &s.segments).filter_map(|s| match s {
        Segment::Bytes(b) => Some(b.as_bytes()),
        Segment::Gap(_) => None,
    });
    runs.map(|r| (0..r.len()).filter(|i| (*i == 0 || r[i - 1] == b'\n') && is_start(&r[*i..])).count()).sum()
}

#[test]
fn packets_and_plain_messages_are_as_many_as_tshark_counts() {
    let Some(folder) = support::shared("peers/captures") else { return };
    let mut read_files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let Some(name) = path.to_str().and_then(|p| p.strip_suffix(".oracle.json")) else { continue };
        let oracle: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let capture = capture_of(&fs::read(name).unwrap());
        println!("{name}: {:?} {:?}", capture.counts, capture.problems);
        let packets = oracle["packets"].as_u64().unwrap();
        let cut = !oracle["stderr"].as_array().unwrap().is_empty();
        assert!(
            capture.counts.packets >= packets && capture.counts.packets <= packets + u64::from(cut),
            "{name}"
        );
        read_files += 1;
    }
    assert!(read_files > 15);
}

#[test]
fn every_exchange_of_the_lab_is_in_its_streams() {
    let Some(folder) = support::shared("lab") else { return };
    let mut responses = 0;
    for entry in fs::read_dir(folder).unwrap() {
        for name in ["capture.pcap", "capture.pcapng"] {
            let Ok(file) = fs::read(entry.as_ref().unwrap().path().join(name)) else { continue };
            let capture = capture_of(&file);
            responses += count(&capture, false, |b| b.starts_with(b"HTTP/1."));
            assert!(capture.problems.is_empty(), "{:?}: {:?}", entry, capture.problems);
            assert!(!capture.connections.is_empty(), "{entry:?}");
        }
    }
    assert!(responses > 40, "{responses}");
}
