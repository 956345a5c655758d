//! What is spoken around and beside plain HTTP: RTSP, SIP, WebSocket, upgrades to HTTP/2, the PROXY protocol.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]

#[path = "../../capture/tests/support/mod.rs"]
mod support;

use std::net::SocketAddr;
use support::{Talk, ethernet, frame, ip, pcap, udp};
use why401_read::{Collected, read};
use why401_span::SourceId;

fn collect(file: &[u8]) -> Collected {
    let mut collected = Collected::default();
    read(SourceId(0), &mut &file[..], None, None, &[], &mut collected).unwrap();
    collected
}

/// A conversation in turns, beginning with the client.
fn talk(turns: &[&[u8]]) -> Collected {
    let mut talk = Talk::begin(1000, 5000);
    for (i, turn) in turns.iter().enumerate() {
        turn.chunks(1400).for_each(|part| talk.say(i % 2, part));
    }
    talk.end();
    collect(&talk.file())
}

fn lines(of: &Collected) -> Vec<String> {
    let line = |e: &why401_http::Exchange| {
        let asked = e.request.as_ref().map(|r| format!("{} {} {}", r.method(), r.target(), r.version));
        format!("{} {}", asked.unwrap_or_default(), e.status().unwrap_or(0))
    };
    of.exchanges.iter().map(line).collect()
}

#[test]
fn a_camera_speaks_rtsp_and_its_media_is_passed_over() {
    let media = [&b"$\x00\x04\x00"[..], &[b'\n'; 1024], b"$\x01\x00\x02GE"].concat();
    let found = talk(&[
        b"DESCRIBE rtsp://192.0.2.2/live RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Digest realm=\"cam\", nonce=\"abc\"\r\n\r\n",
        b"DESCRIBE rtsp://192.0.2.2/live RTSP/1.0\r\nCSeq: 2\r\nAuthorization: Digest username=\"alice\"\r\n\r\n",
        &[b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 4\r\n\r\nv=0\n", media.as_slice()].concat(),
        b"TEARDOWN rtsp://192.0.2.2/live RTSP/1.0\r\nCSeq: 3\r\n\r\n",
        &[media.as_slice(), b"RTSP/1.0 200 OK\r\nCSeq: 3\r\n\r\n"].concat(),
    ]);
    assert_eq!(
        lines(&found),
        [
            "DESCRIBE rtsp://192.0.2.2/live RTSP/1.0 401",
            "DESCRIBE rtsp://192.0.2.2/live RTSP/1.0 200",
            "TEARDOWN rtsp://192.0.2.2/live RTSP/1.0 200"
        ]
    );
    assert_eq!(found.exchanges[0].request.as_ref().unwrap().scheme.as_deref(), Some("rtsp"));
    assert!(found.problems[0].what.contains("192.0.2.2:8080 speaks RTSP, not HTTP"), "{:?}", found.problems);
}

#[test]
fn sip_is_named_and_never_taken_for_http() {
    let answer = b"SIP/2.0 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"pbx\", nonce=\"1\"\r\n\r\n";
    let found = talk(&[b"REGISTER sip:pbx.example.com SIP/2.0\r\nCSeq: 1 REGISTER\r\n\r\n", answer]);
    assert!(found.exchanges.is_empty() && found.problems[0].what.contains("SIP"), "{:?}", found.problems);
    let (phone, pbx): (SocketAddr, SocketAddr) =
        ("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap());
    let packet = ethernet(0x0800, &ip(pbx, phone, 17, &udp(pbx, phone, answer)));
    let found = collect(&pcap(1, &[frame(1_000_000, packet)]));
    assert!(found.exchanges.is_empty() && found.problems[0].what.contains("SIP"), "{:?}", found.problems);
}

#[test]
fn a_websocket_that_is_refused_is_an_exchange() {
    let upgrade =
        b"GET /chat HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let found = talk(&[
        upgrade,
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        upgrade,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05GET /",
        b"\x81\x85GET / HTTP/1.1\r\n\r\n",
    ]);
    assert_eq!(lines(&found), ["GET /chat 1.1 401", "GET /chat 1.1 101"]);
}

#[test]
fn the_proxy_protocol_names_the_client_of_a_refusal() {
    let request = b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n";
    let refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    let one = [&b"PROXY TCP4 198.51.100.7 192.0.2.2 40000 80\r\n"[..], request].concat();
    let v2 = *b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64\x07\xc0\0\x02\x02\x9c\x40\0\x50";
    let two = [&v2[..], request].concat();
    for front in [one, two] {
        let found = talk(&[&front, refusal]);
        assert_eq!(lines(&found), ["GET / 1.1 401"]);
        let client = found.exchanges[0].client.as_ref().unwrap();
        assert_eq!((client.host.as_str(), client.port), ("198.51.100.7", Some(40000)));
    }
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn http2(kind: u8, flags: u8, stream: u32, body: &[u8]) -> Vec<u8> {
    let len = (body.len() as u32).to_be_bytes();
    [&len[1..], &[kind, flags], &stream.to_be_bytes(), body].concat()
}

/// Fields without indexing and without Huffman coding (RFC 7541, section 6.2.2).
fn literal(fields: &[(&str, &str)]) -> Vec<u8> {
    let text = |s: &str| [&[s.len() as u8], s.as_bytes()].concat();
    fields.iter().flat_map(|(n, v)| [&[0u8][..], &text(n), &text(v)].concat()).collect()
}

#[test]
fn the_answer_to_an_upgrade_to_http_2_comes_on_stream_one() {
    let answer = http2(1, 5, 1, &literal(&[(":status", "401"), ("www-authenticate", "Basic realm=\"a\"")]));
    let found = talk(&[
        b"GET /a HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
        &[&b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"[..], &http2(4, 0, 0, &[]), &answer].concat(),
        &[&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &http2(4, 0, 0, &[])].concat(),
    ]);
    assert_eq!(lines(&found), ["GET /a 1.1 401"]);
}

#[test]
fn http_2_joined_in_the_middle_is_read_as_far_as_it_is_known() {
    let client: SocketAddr = "192.0.2.1:50000".parse().unwrap();
    let server: SocketAddr = "192.0.2.2:8080".parse().unwrap();
    let asked =
        literal(&[(":method", "GET"), (":path", "/b"), (":scheme", "http"), (":authority", "example.com")]);
    // `authorization` by an entry of the dynamic table that was sent before the capture began.
    let unknown = [asked.as_slice(), &[0x80 | 62]].concat();
    let refused = literal(&[(":status", "401"), ("www-authenticate", "Bearer")]);
    let packet = |from, to, seq, ack, body: &[u8]| {
        ethernet(0x0800, &ip(from, to, 6, &support::tcp(from, to, seq, ack, support::ACK, body)))
    };
    let (question, answer) = (http2(1, 5, 7, &unknown), http2(1, 5, 7, &refused));
    let end = 100 + question.len() as u32;
    let file = pcap(
        1,
        &[
            frame(1_000_000, packet(client, server, 100, 500, &question)),
            frame(1_000_500, packet(server, client, 500, end, &answer)),
            frame(9_000_000, packet(client, server, end, 500 + answer.len() as u32, &[])),
        ],
    );
    let found = collect(&file);
    assert_eq!(lines(&found), ["GET /b 2 401"]);
    let request = found.exchanges[0].request.as_ref().unwrap();
    assert!(!request.complete, "a field of it is not known");
}
