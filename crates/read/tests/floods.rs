//! Captures of very many connections, and of very many exchanges on one.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "in a test a panic is the report")]

use why401_http::{Exchange, Fact, Moment, Statement};
use why401_read::{Sink, read};
use why401_report::Problem;
use why401_span::{LayerId, SourceId};

#[derive(Default)]
struct Told {
    exchanges: Vec<Exchange>,
    passed: Vec<(Option<u16>, u64)>,
    problems: Vec<Problem>,
}

impl Sink for Told {
    fn exchange(&mut self, exchange: Exchange) {
        self.exchanges.push(exchange);
    }
    fn passed(&mut self, status: Option<u16>, count: u64, _: Option<Moment>, _: Option<Moment>) {
        self.passed.push((status, count));
    }
    fn statement(&mut self, _: Statement) {}
    fn fact(&mut self, _: Fact) {}
    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
    fn layer(&mut self, _: String) -> LayerId {
        LayerId(0)
    }
}

const SYN: u8 = 2;
const ACK: u8 = 16;

/// A capture of raw IP packets, to a server on this port.
struct Capture(Vec<u8>, u16);

impl Capture {
    fn new() -> Capture {
        let mut file = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
        file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 101, 0, 0, 0]);
        Capture(file, 80)
    }

    /// Opens a connection, on which both sides then say this.
    fn say(&mut self, connection: u32, client: &[u8], server: &[u8]) {
        self.segment(connection, true, 1000, 0, SYN, b"");
        self.segment(connection, false, 5000, 1001, SYN | ACK, b"");
        let mut next = [1001, 5001];
        for (out, said) in [(true, client), (false, server)] {
            for piece in said.chunks(50_000) {
                let [client, server] = next;
                let (seq, ack) = if out { (client, server) } else { (server, client) };
                self.segment(connection, out, seq, ack, ACK, piece);
                next[usize::from(!out)] += piece.len() as u32;
            }
        }
    }

    /// A segment of the connection with this number; `out` says that the client sends it.
    fn segment(&mut self, connection: u32, out: bool, seq: u32, ack: u32, flags: u8, data: &[u8]) {
        let [_, a, b, c] = (connection >> 8).to_be_bytes();
        let (client, server) = ([10, a, b, c], [192, 0, 2, 1]);
        let ports = (1024 + (connection & 255) as u16, self.1);
        let (from, to, ports) =
            if out { (client, server, ports) } else { (server, client, (ports.1, ports.0)) };
        let len = 40 + data.len() as u16;
        let mut packet = vec![0x45, 0];
        packet.extend(len.to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        packet.extend(from.iter().chain(&to));
        packet.extend(ports.0.to_be_bytes().iter().chain(&ports.1.to_be_bytes()));
        packet.extend(seq.to_be_bytes().iter().chain(&ack.to_be_bytes()));
        packet.extend([0x50, flags, 255, 255, 0, 0, 0, 0]);
        packet.extend(data);
        let time = 1_795_000_000_u32 + connection / 1000;
        for word in [time, 0, packet.len() as u32, packet.len() as u32] {
            self.0.extend(word.to_le_bytes());
        }
        self.0.extend(packet);
    }

    fn told(&self) -> Told {
        let mut told = Told::default();
        read(SourceId(0), &mut self.0.as_slice(), None, None, &[], &mut told).unwrap();
        told
    }
}

#[test]
fn connections_on_which_nothing_is_said_are_counted_and_told() {
    const MANY: u32 = 70_000;
    for (answered, says) in [
        (false, "it holds 70000 attempts to connect by TCP and no answer to any"),
        (true, "it holds 70000 TCP connections, 70000 of them answered, and not one byte"),
    ] {
        let mut capture = Capture::new();
        for connection in 0..MANY {
            capture.segment(connection, true, 1000, 0, SYN, b"");
            if answered {
                capture.segment(connection, false, 5000, 1001, SYN | ACK, b"");
            }
        }
        let told = capture.told();
        assert!(told.exchanges.is_empty());
        assert!(told.problems[0].what.starts_with(says), "{:?}", told.problems);
        let given_up = "a connection was given up, as more are open than the limit allows (4464 times)";
        assert!(told.problems.iter().any(|p| p.what == given_up), "{:?}", told.problems);
    }
}

/// A frame of HTTP/2 (RFC 9113, section 4.1) that holds all fields of a message without content.
fn headers(stream: u32, block: &[u8]) -> Vec<u8> {
    let mut frame = vec![0, 0, block.len() as u8, 1, 5];
    frame.extend(stream.to_be_bytes());
    frame.extend(block);
    frame
}

#[test]
fn successes_over_http_2_are_counted_behind_the_first_ones() {
    const MANY: u32 = 2000;
    let mut capture = Capture::new();
    let mut next = [1001, 5001];
    capture.segment(0, true, 1000, 0, SYN, b"");
    capture.segment(0, false, 5000, 1001, SYN | ACK, b"");
    let mut say = |capture: &mut Capture, out: bool, data: &[u8]| {
        let [client, server] = next;
        let (seq, ack) = if out { (client, server) } else { (server, client) };
        capture.segment(0, out, seq, ack, ACK, data);
        next[usize::from(!out)] += data.len() as u32;
    };
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    say(&mut capture, true, &[&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &settings].concat());
    say(&mut capture, false, &settings);
    // Fields by their places in the static table (RFC 7541, appendix A): GET, /, http; 200; at last 401 in letters.
    for n in 0..=MANY {
        say(&mut capture, true, &headers(2 * n + 1, &[0x82, 0x84, 0x86]));
        let answer: &[u8] = if n < MANY { &[0x88] } else { b"\x08\x03401" };
        say(&mut capture, false, &headers(2 * n + 1, answer));
    }
    let told = capture.told();
    let statuses: Vec<_> = told.exchanges.iter().map(Exchange::status).collect();
    // The first 500, then the refusal and the last one before it.
    assert_eq!(statuses.len(), 502, "{:?}", told.problems);
    assert_eq!(statuses.last(), Some(&Some(401)));
    assert_eq!(told.exchanges[500].index, u64::from(MANY) - 1);
    assert_eq!(told.passed, [(Some(200), u64::from(MANY) - 501)]);
    let counted = told.problems.iter().find(|p| p.what.starts_with("1499 exchanges were counted"));
    assert!(counted.is_some(), "{:?}", told.problems);
}

#[test]
fn of_very_many_handshakes_the_longest_silent_are_given_up_and_counted() {
    const MANY: u32 = 30_000;
    // A ClientHello without extensions (RFC 8446, section 4.1.2).
    let body = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0]].concat();
    let record = [&[22, 3, 1, 0, body.len() as u8 + 4, 1, 0, 0, body.len() as u8], &body[..]].concat();
    let mut capture = Capture::new();
    for connection in 0..MANY {
        capture.segment(connection, true, 1000, 0, SYN, b"");
        capture.segment(connection, false, 5000, 1001, SYN | ACK, b"");
        capture.segment(connection, true, 1001, 5001, ACK, &record);
    }
    let told = capture.told();
    assert!(told.exchanges.is_empty());
    let given_up =
        told.problems.iter().find_map(|p| p.what.split_once(" connections were given up, the longest"));
    let count: u32 = given_up.unwrap().0.parse().unwrap();
    assert!((10_000..MANY).contains(&count), "{count}");
}

#[test]
fn a_connection_that_let_go_of_a_request_is_read_on() {
    const MANY: u32 = 10_000;
    let request = b"GET /a HTTP/1.1\r\nHost: api.example.com\r\n\r\n";
    let mut capture = Capture::new();
    for connection in 0..MANY {
        capture.segment(connection, true, 1000, 0, SYN, b"");
        capture.segment(connection, false, 5000, 1001, SYN | ACK, b"");
        capture.segment(connection, true, 1001, 5001, ACK, request);
    }
    // The first one, whose request was let go of long ago, goes on.
    let (seq, answer) = (1001 + request.len() as u32, b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n");
    capture.segment(0, true, seq, 5001, ACK, request);
    capture.segment(0, false, 5001, seq + request.len() as u32, ACK, answer);
    let told = capture.told();
    let refused: Vec<_> = told.exchanges.iter().filter(|e| e.status() == Some(401)).collect();
    assert_eq!(refused.len(), 1, "{:?}", told.problems);
    assert_eq!(refused[0].client.as_ref().unwrap().host, "10.0.0.0");
    assert!(refused[0].request.is_some());
}

/// How many connections were given up.
fn given_up(told: &Told) -> Option<u32> {
    let counts =
        told.problems.iter().filter_map(|p| p.what.split_once(" connections were given up, the longest"));
    counts.map(|(count, _)| count.parse().unwrap()).next()
}

fn lets_go(told: &Told) -> bool {
    told.problems.iter().any(|p| p.what.starts_with("more is said at one time than is kept in memory"))
}

#[test]
fn tables_of_http_2_are_counted_by_what_they_hold() {
    // RFC 7541: the table may grow to 262,144 bytes (section 6.3), then 60 fields that enter it (section 6.2.1).
    let mut block = vec![0x3f, 0xe1, 0xff, 0x0f, 0x82, 0x84, 0x86];
    for _ in 0..60 {
        block.extend(b"\x40\x01a\x7f\x81\x1f");
        block.extend([b'v'; 4096]);
    }
    let len = (block.len() as u32).to_be_bytes();
    let head = [&len[1..], &[1, 5, 0, 0, 0, 1]].concat();
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let client = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &settings[..], &head, &block].concat();
    let server = [&settings[..], &headers(1, &[0x88])].concat();
    let mut capture = Capture::new();
    (0..170).for_each(|connection| capture.say(connection, &client, &server));
    let told = capture.told();
    assert_eq!(told.exchanges.len(), 170, "{:?}", told.problems);
    assert!(told.exchanges[0].request.as_ref().unwrap().fields.iter().count() >= 60);
    assert!(given_up(&told).is_some_and(|count| count < 170), "{:?}", told.problems);
}

#[test]
fn handshakes_that_promise_much_are_counted_by_what_they_hold() {
    // A Certificate message (RFC 8446, section 4.4.2) of 250,000 bytes, of which the last ones never come.
    let mut record = vec![22, 3, 3, 0x3e, 0x80, 11, 3, 0xd0, 0x90];
    record.resize(5 + 16_000, 7);
    let more = [&[22, 3, 3, 0x3e, 0x80][..], &[7; 16_000]].concat();
    let server = [record, more.repeat(14)].concat();
    let mut capture = Capture::new();
    (0..200).for_each(|connection| capture.say(connection, b"", &server));
    let count = given_up(&capture.told());
    assert!(count.is_some_and(|count| count < 200), "{count:?}");
}

#[test]
fn content_in_chunks_of_one_byte_is_counted_with_its_places() {
    let head = b"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n";
    let server = [&head[..], &b"1\r\nz\r\n".repeat(30_000)].concat();
    let mut capture = Capture::new();
    (0..30).for_each(|connection| capture.say(connection, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", &server));
    let told = capture.told();
    assert!(lets_go(&told), "{:?}", told.problems);
    assert_eq!(told.exchanges.len(), 30);
}

#[test]
fn answers_of_a_kdc_that_never_end_are_let_go_of() {
    let server = [&60_000_u32.to_be_bytes()[..], &[0x7e; 59_000]].concat();
    let mut capture = Capture::new();
    capture.1 = 88;
    (0..300).for_each(|connection| capture.say(connection, b"", &server));
    assert!(lets_go(&capture.told()));
}
