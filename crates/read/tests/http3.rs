//! A capture of HTTP/3 made with a real client and server: a key update, a Retry packet, early data, QPACK's dynamic table.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]

use std::path::Path;
use std::sync::Arc;
use why401_http::Exchange;
use why401_read::{Collected, KeyLog, read};
use why401_span::SourceId;

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples").join(name)).unwrap()
}

fn with_keys(capture: &[u8], keys: &[Vec<u8>]) -> Collected {
    let keys: Vec<_> = keys.iter().map(|text| Arc::new(KeyLog::of(text))).collect();
    let mut sink = Collected::default();
    read(SourceId(0), &mut &*capture, None, None, &keys, &mut sink).unwrap();
    sink
}

fn told(e: &Exchange) -> String {
    let request = e.request.as_ref().map(|r| r.line.to_text().into_owned()).unwrap_or_default();
    format!("{request} {}", e.response.as_ref().map_or(0, |r| r.status))
}

/// The packets of a capture (tcpdump's own byte order), each with its record's header.
fn packets(capture: &[u8]) -> (&[u8], Vec<&[u8]>) {
    let (head, mut rest) = capture.split_at(24);
    let mut packets = Vec::new();
    while rest.len() >= 16 {
        let len = 16 + u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        packets.push(&rest[..len]);
        rest = &rest[len..];
    }
    (head, packets)
}

#[test]
fn every_exchange_of_the_sample_is_read_whole() {
    let sink = with_keys(&sample("http3.pcap"), &[sample("http3.keys")]);
    let all: Vec<String> = sink.exchanges.iter().map(told).collect();
    let count = |what: &str| all.iter().filter(|e| e.as_str() == what).count();
    assert_eq!(count("GET /data.json HTTP/3 401"), 6, "{all:?}");
    assert_eq!(count("GET /after-update HTTP/3 401"), 1, "{all:?}");
    assert_eq!(count("GET /early HTTP/3 401"), 1, "{all:?}");
    assert_eq!(count("GET /big HTTP/3 200"), 3, "{all:?}");
    for i in 0..3 {
        assert_eq!(count(&format!("GET /many/{i} HTTP/3 200")), 3, "{all:?}");
    }
    assert_eq!(all.len(), 20);
    assert!(sink.problems.is_empty(), "{:?}", sink.problems);
    for e in &sink.exchanges {
        let (request, response) = (e.request.as_ref().unwrap(), e.response.as_ref().unwrap());
        assert_eq!((request.version.as_str(), request.scheme.as_deref()), ("3", Some("https")));
        assert!(request.complete && response.complete && response.body.complete);
        // The interim response was passed over; trailers are there.
        assert_eq!(response.fields.text("x-trailer").as_deref(), Some("t"));
        // Places count in what the side said, under a name of its own.
        let at = response.fields.get("server").unwrap().value.whole().unwrap();
        assert!(at.span.layer.is_some());
    }
    assert!(sink.layers.iter().any(|name| name.starts_with("quic client 127.0.0.1:")), "{:?}", sink.layers);
}

#[test]
fn without_keys_the_server_is_named() {
    let sink = with_keys(&sample("http3.pcap"), &[]);
    assert!(sink.exchanges.is_empty());
    let told: Vec<&str> = sink.problems.iter().map(|p| p.what.as_str()).collect();
    assert!(told.iter().any(|p| p.starts_with("HTTP/3 (QUIC) to api.example.com (127.0.0.1:")), "{told:?}");
}

#[test]
fn whatever_packet_is_missing_no_exchange_is_made_up() {
    let (capture, keys) = (sample("http3.pcap"), sample("http3.keys"));
    let (head, packets) = packets(&capture);
    let whole: Vec<String> =
        with_keys(&capture, std::slice::from_ref(&keys)).exchanges.iter().map(told).collect();
    for missing in 0..packets.len() {
        let kept = packets.iter().enumerate().filter(|(i, _)| *i != missing).map(|(_, p)| *p);
        let cut: Vec<u8> = head.iter().copied().chain(kept.flatten().copied()).collect();
        let sink = with_keys(&cut, std::slice::from_ref(&keys));
        // One packet has at most one connection's handshake in it, of ten exchanges.
        assert!(sink.exchanges.len() + 10 >= whole.len(), "without packet {missing}");
        for e in &sink.exchanges {
            let status = e.response.as_ref().map(|r| r.status);
            let complete = e.request.as_ref().is_some_and(|r| r.complete);
            let known = complete && status.is_some();
            assert!(!known || whole.contains(&told(e)), "without packet {missing}: {}", told(e));
        }
    }
}

#[test]
fn a_client_that_moves_is_known_by_the_id_it_sends_to() {
    let (mut capture, keys) = (sample("http3.pcap"), sample("http3.keys"));
    let whole = with_keys(&capture, std::slice::from_ref(&keys)).exchanges.len();
    // From the second half on, the client of the first connection has another port, as behind a NAT.
    let (_, all) = packets(&capture);
    let lens: Vec<usize> = all.iter().map(|p| p.len()).collect();
    const UDP: usize = 16 + 14 + 20;
    let server = 4601u16.to_be_bytes();
    let (mut at, mut seen) = (24, 0);
    for len in lens {
        let ports = at + UDP..at + UDP + 4;
        let [a, b, c, d]: [u8; 4] = capture[ports.clone()].try_into().unwrap();
        seen += 1;
        if seen > 30 && ([a, b] == server || [c, d] == server) {
            let moved = if [a, b] == server { [a, b, 0xc0, 1] } else { [0xc0, 1, c, d] };
            capture[ports].copy_from_slice(&moved);
        }
        at += len;
    }
    assert_eq!(with_keys(&capture, &[keys]).exchanges.len(), whole);
}
