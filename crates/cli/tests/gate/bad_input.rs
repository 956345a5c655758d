//! Slow, half-open, oversize and malformed: every one of them ends, and others are served meanwhile.

use crate::running::{Gate, config, upstream};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

const ALICE: &str = "Authorization: Basic YWxpY2U6c2VjcmV0\r\n";

fn gate(limits: &str) -> Gate {
    let upstream = upstream();
    Gate::start(&config(&format!(
        "[limits]\n{limits}\n[[site]]\nupstream = \"{upstream}\"\n[[site.rule]]\npath = \"/**\"\n"
    )))
}

fn served(gate: &Gate) {
    let out = gate.raw(format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{ALICE}\r\n").as_bytes());
    assert!(out.starts_with("HTTP/1.1 200"), "{out}");
}

fn until_closed(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut out = Vec::new();
    let _ = stream.read_to_end(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn slow_clients_are_ended_and_hinder_nobody() {
    let gate = gate("head_time = \"1s\"\nidle = \"1s\"\nbody_idle = \"1s\"");
    let open = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(gate.authority()).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    };
    let mut silent = open(b"");
    let mut dripping = open(b"GET / HTTP/1.1\r\nHo");
    let mut half =
        open(format!("POST / HTTP/1.1\r\nHost: x\r\n{ALICE}Content-Length: 10\r\n\r\nhalf").as_bytes());
    let crowd: Vec<TcpStream> = (0..200).map(|_| open(b"G")).collect();
    served(&gate);
    let begun = Instant::now();
    assert_eq!(until_closed(&mut silent), "");
    assert!(until_closed(&mut dripping).starts_with("HTTP/1.1 408"));
    assert!(until_closed(&mut half).starts_with("HTTP/1.1 408"));
    assert!(begun.elapsed() < Duration::from_secs(10));
    drop(crowd);
    // Half-open: the client has ended its side and waits for the answer.
    let mut ended = open(format!("GET / HTTP/1.1\r\nHost: x\r\n{ALICE}\r\n").as_bytes());
    ended.shutdown(Shutdown::Write).unwrap();
    assert!(until_closed(&mut ended).starts_with("HTTP/1.1 200"));
    let mut cut = open(b"GET / HTTP/1.1\r\nHost");
    cut.shutdown(Shutdown::Write).unwrap();
    assert!(until_closed(&mut cut).starts_with("HTTP/1.1 400"));
    served(&gate);
}

#[test]
fn what_is_too_large_is_refused_with_its_own_status() {
    let gate = gate("head = \"4k\"\nbody = \"100k\"");
    let large = "x".repeat(8000);
    for (request, status) in [
        (format!("GET /{large} HTTP/1.1\r\nHost: x\r\n\r\n"), "431"),
        (format!("GET / HTTP/1.1\r\nHost: x\r\nA: {large}\r\n\r\n"), "431"),
        (format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "a: b\r\n".repeat(150)), "431"),
        (large.clone(), "431"),
        (format!("POST / HTTP/1.1\r\nHost: x\r\n{ALICE}Content-Length: 200000\r\n\r\n"), "413"),
        (format!("POST / HTTP/1.1\r\nHost: x\r\n{ALICE}Content-Length: 99999999999999999999\r\n\r\n"), "400"),
        (
            format!(
                "POST / HTTP/1.1\r\nHost: x\r\n{ALICE}Transfer-Encoding: chunked\r\n\r\n{}",
                format!("1f40\r\n{large}\r\n").repeat(20)
            ),
            "413",
        ),
        ("GET / HTTP/3.0\r\n\r\n".to_owned(), "505"),
        ("\x16\x03\x01\x02\x00\x01\x00\x01\n\n".to_owned(), "400"),
        ("PRI * HTTP/2.0\r\n\r\nXY\r\n\r\n".to_owned(), "505"),
    ] {
        let out = gate.raw(request.as_bytes());
        assert!(
            out.starts_with(&format!("HTTP/1.1 {status}")),
            "{}: {out}",
            &request[..request.len().min(60)]
        );
    }
    served(&gate);
}

#[test]
fn connections_are_bounded_for_each_address() {
    let gate = gate("connections_per_address = 3\nidle = \"2s\"");
    let open: Vec<TcpStream> = (0..3).map(|_| TcpStream::connect(gate.authority()).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(200));
    let mut fourth = TcpStream::connect(gate.authority()).unwrap();
    assert_eq!(until_closed(&mut fourth), "");
    drop(open);
    std::thread::sleep(Duration::from_millis(200));
    served(&gate);
}

#[test]
fn a_graceful_end_lets_a_request_finish() {
    let mut gate = gate("");
    let mut stream = TcpStream::connect(gate.authority()).unwrap();
    stream
        .write_all(format!("POST / HTTP/1.1\r\nHost: x\r\n{ALICE}Content-Length: 4\r\n\r\nha").as_bytes())
        .unwrap();
    std::thread::sleep(Duration::from_millis(200));
    gate.signal("-TERM");
    std::thread::sleep(Duration::from_millis(200));
    stream.write_all(b"lf").unwrap();
    assert!(until_closed(&mut stream).contains("content: half"));
    assert_eq!(gate.end("-TERM"), Some(0));
}

#[test]
fn a_full_disk_loses_lines_of_logs_and_no_request() {
    if !std::path::Path::new("/dev/full").exists() {
        println!("skipped: no /dev/full");
        return;
    }
    let upstream = upstream();
    let gate = Gate::start(&format!(
        "[log]\naccess = \"/dev/full\"\njson = \"/dev/full\"\n[accounts]\nhtpasswd = \"users\"\n[[site]]\nupstream = \"{upstream}\"\n[[site.rule]]\npath = \"/**\"\n"
    ));
    for _ in 0..5 {
        served(&gate);
        std::thread::sleep(Duration::from_millis(20));
    }
}
