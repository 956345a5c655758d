//! Connections as they are met, with what is missing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]

use proptest::prelude::*;
use why401_h3::{Event, Side, Watch, error_name};
use why401_span::{Derived, SourceId, Span};

/// A frame shorter than 64 bytes.
fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind, body.len() as u8], body].concat()
}

/// SETTINGS behind the type of a control stream, with a table of 220 bytes.
const SETTINGS: [u8; 6] = [0, 4, 3, 1, 0x40, 220];
/// RFC 9204, appendix B.2: two inserts on an encoder stream.
const INSERTS: &[u8] = b"\x02\x3f\xbd\x01\xc0\x0fwww.example.com\xc1\x0c/sample/path";
/// The section that refers to them.
const REFERS: [u8; 4] = [0x03, 0x81, 0x10, 0x11];
/// `:status: 401` with the name of the static table, `:status: 103`, `:status: 200`.
const REFUSED: &[u8] = b"\0\0\x5f\x09\x03401";
const INTERIM: [u8; 3] = [0, 0, 0xd8];
const OK: [u8; 3] = [0, 0, 0xd9];

struct Said {
    watch: Watch,
    at: u64,
    events: Vec<String>,
}

impl Said {
    fn new() -> Said {
        Said { watch: Watch::new(), at: 0, events: Vec::new() }
    }

    fn act(&mut self, act: impl FnOnce(&mut Watch, &mut dyn FnMut(Event<'_>))) -> &mut Said {
        let events = &mut self.events;
        act(&mut self.watch, &mut |event| events.push(told(&event)));
        self
    }

    fn bytes(&mut self, from: Side, stream: u64, bytes: &[u8]) -> &mut Said {
        let origin = Span::new(SourceId(0), self.at, self.at + bytes.len() as u64);
        self.at = origin.end;
        self.act(|w, out| w.bytes(from, stream, bytes, origin, out))
    }

    fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.events)
    }
}

fn told(event: &Event<'_>) -> String {
    let part = |p: &Option<Derived>| p.as_ref().map_or("?".into(), |p| p.to_text().into_owned());
    match event {
        Event::Fields { from, stream, fields, whole, promised } => {
            let fields: String =
                fields.iter().map(|f| format!(" {}={}", part(&f.name), part(&f.value))).collect();
            let unknown = if *whole { "" } else { " unknown" };
            format!("{from:?} {stream}{fields}{unknown}{}", if *promised { " promised" } else { "" })
        }
        Event::Data { from, stream, bytes, .. } => {
            format!("{from:?} {stream} \"{}\"", String::from_utf8_lossy(bytes))
        }
        Event::Missing { from, stream } => format!("{from:?} {stream} missing"),
        Event::End { from, stream } => format!("{from:?} {stream} end"),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_response_with_all_that_may_come() {
    let mut said = Said::new();
    // A frame of an unknown type stands between, and PRIORITY_UPDATE, GOAWAY on the control stream.
    let message = [
        frame(1, &INTERIM),
        frame(0x21, b"grease"),
        frame(1, REFUSED),
        frame(0, b"No"),
        frame(1, b"\0\0\x21t\x011"),
    ]
    .concat();
    said.bytes(Side::Server, 3, &[&SETTINGS[..], &[7, 1, 8]].concat());
    for byte in message {
        said.bytes(Side::Server, 0, &[byte]);
    }
    said.act(|w, out| w.end(Side::Server, 0, out));
    assert_eq!(
        said.take(),
        [
            "GoAway { from: Server, first: 8 }",
            "Server 0 :status=103",
            "Server 0 :status=401",
            "Server 0 \"N\"",
            "Server 0 \"o\"",
            "Server 0 t=1",
            "Server 0 end"
        ]
    );
}

#[test]
fn a_section_waits_for_its_entries_and_all_behind_it_too() {
    let mut said = Said::new();
    said.bytes(Side::Client, 0, &[frame(1, &REFERS), frame(0, b"body")].concat());
    said.act(|w, out| w.end(Side::Client, 0, out));
    said.bytes(Side::Client, 4, &frame(1, &[0, 0, 0xd1]));
    assert_eq!(said.take(), ["Client 4 :method=GET"], "only what refers to the table waits");
    said.bytes(Side::Client, 6, INSERTS);
    assert!(said.take().is_empty(), "how entries are counted is for the server to say");
    said.bytes(Side::Server, 3, &SETTINGS);
    let fields = "Client 0 :authority=www.example.com :path=/sample/path";
    assert_eq!(said.take(), [fields, "Client 0 \"body\"", "Client 0 end"]);
}

#[test]
fn what_refers_to_lost_inserts_is_unknown() {
    let unknown = "Client 0 ?=? ?=? unknown";
    let request = frame(1, &REFERS);
    // The end of the encoder stream is missing, its middle, its front, and what the server allows.
    let mut said = Said::new();
    said.bytes(Side::Server, 3, &SETTINGS).bytes(Side::Client, 0, &request);
    said.act(|w, out| w.finish(out));
    assert_eq!(said.take(), [unknown]);
    for stream in [2, 6] {
        let mut said = Said::new();
        said.bytes(Side::Server, 3, &SETTINGS);
        if stream == 6 {
            said.bytes(Side::Client, 6, &INSERTS[..10]);
        }
        said.bytes(Side::Client, 0, &request);
        said.act(|w, out| w.gap(Side::Client, stream, 5, out));
        assert_eq!(said.take(), [unknown]);
    }
    let mut said = Said::new();
    said.bytes(Side::Client, 6, INSERTS).bytes(Side::Client, 0, &request);
    said.act(|w, out| w.gap(Side::Server, 3, 1, out));
    assert_eq!(said.take(), [unknown]);
}

#[test]
fn missing_bytes_end_what_they_were_part_of() {
    let mut said = Said::new();
    let head = [frame(1, &OK), vec![0, 20]].concat();
    said.bytes(Side::Server, 0, &head).bytes(Side::Server, 0, b"front");
    said.act(|w, out| w.gap(Side::Server, 0, 10, out)).bytes(Side::Server, 0, b"after");
    said.bytes(Side::Server, 0, &frame(1, &OK));
    assert_eq!(
        said.take(),
        [
            "Server 0 :status=200",
            "Server 0 \"front\"",
            "Server 0 missing",
            "Server 0 \"after\"",
            "Server 0 :status=200"
        ]
    );
    // More than the frame is missing: what follows cannot be told apart.
    said.bytes(Side::Server, 4, &head);
    said.act(|w, out| w.gap(Side::Server, 4, 21, out)).bytes(Side::Server, 4, &frame(1, REFUSED));
    assert_eq!(said.take(), ["Server 4 :status=200", "Server 4 missing"]);
    // The middle of a section.
    said.bytes(Side::Server, 8, &[1, 7, 0]);
    said.act(|w, out| w.gap(Side::Server, 8, 2, out)).bytes(Side::Server, 8, b"abcd");
    said.bytes(Side::Server, 8, &frame(1, REFUSED));
    assert_eq!(said.take(), ["Server 8 missing", "Server 8 :status=401"]);
}

#[test]
fn what_is_none_of_http_is_left_alone() {
    let mut said = Said::new();
    // WebTransport's streams both ways, of an unknown type, and a server's own.
    said.bytes(Side::Client, 0, &[0x40, 0x41, 0, 1, 3, 0, 0, 0xd9]);
    said.bytes(Side::Client, 14, &[0x40, 0x54, 0, 1, 3, 0, 0, 0xd9]);
    said.bytes(Side::Server, 1, &frame(1, &OK));
    assert!(said.take().is_empty());
    said.act(|w, out| w.reset(Side::Client, 0, 0x10c, out));
    assert_eq!(said.take(), ["Reset { from: Client, stream: 0, error: 268 }"]);
    assert_eq!(error_name(0x10c), Some("H3_REQUEST_CANCELLED"));
    assert_eq!((error_name(0xff), error_name(0x111)), (None, None));
}

#[test]
fn memory_is_bounded_whatever_waits() {
    let mut said = Said::new();
    said.bytes(Side::Server, 3, &SETTINGS);
    let body = vec![0; 1000];
    for n in 0..3000u64 {
        said.bytes(Side::Client, n * 4, &frame(1, &REFERS)).bytes(Side::Client, n * 4, &body);
        said.bytes(Side::Server, n * 4, &[1, 0x80, 2, 0, 0]).bytes(Side::Server, n * 4, &body);
    }
    assert!(said.take().iter().any(|e| e.ends_with("unknown")));
    assert!(format!("{:?}", said.watch).len() < 32 << 20);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    /// However the bytes are cut, the same is told.
    #[test]
    fn anything_is_read_without_a_fault_and_the_same_in_parts(
        streams in proptest::collection::vec(
            (0u64..12, any::<bool>(), proptest::collection::vec(any::<u8>(), 0..60)),
            0..8,
        ),
        size in 1usize..9,
        gap in any::<bool>(),
    ) {
        let side = |client: bool| if client { Side::Client } else { Side::Server };
        let run = |size: usize| {
            let mut said = Said::new();
            for (stream, client, bytes) in &streams {
                for part in bytes.chunks(size) {
                    said.bytes(side(*client), *stream, part);
                }
                if gap {
                    said.act(|w, out| w.gap(side(*client), *stream, bytes.len() as u64 % 5, out));
                }
            }
            said.act(|w, out| w.finish(out));
            let events = said.take();
            // Bodies come in parts as well.
            events.into_iter().filter(|e| !e.contains('"')).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(usize::MAX), run(size));
    }
}
