//! Connections made in code, cut and damaged in any way.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "in a test a panic is the report")]

use proptest::prelude::*;
use why401_h2::{Event, PREFACE, Side, Watch};
use why401_span::{SourceId, Span};

fn frame(kind: u8, flags: u8, stream: u32, body: &[u8]) -> Vec<u8> {
    let len = body.len() as u32;
    let mut out = vec![(len >> 16) as u8, (len >> 8) as u8, len as u8, kind, flags];
    out.extend(stream.to_be_bytes());
    out.extend(body);
    out
}

fn at(start: usize) -> Span {
    Span::new(SourceId(0), start as u64, start as u64)
}

/// Events as text, pieces of a body joined.
#[derive(Default)]
struct Told(Vec<String>);

impl Told {
    fn event(&mut self, file: &[u8], event: Event<'_>) {
        let part =
            |p: &Option<why401_span::Derived>| p.as_ref().map_or("?".into(), |p| p.to_text().into_owned());
        let text = match event {
            Event::Fields { stream, fields, whole, end, .. } => {
                let fields: Vec<_> =
                    fields.iter().map(|f| format!("{}={}", part(&f.name), part(&f.value))).collect();
                format!("{stream} {} whole={whole} end={end}", fields.join(" "))
            }
            Event::Data { stream, bytes, origin, end, .. } => {
                if !bytes.is_empty() {
                    assert_eq!(&file[origin.start as usize..origin.end as usize], bytes);
                }
                let text = format!("{stream} data {}", bytes.escape_ascii());
                let same = format!("{stream} data ");
                match self.0.last_mut().filter(|l| l.starts_with(&same)) {
                    Some(last) => last.push_str(&bytes.escape_ascii().to_string()),
                    None => self.0.push(text),
                }
                if end {
                    self.0.push(format!("{stream} end"));
                }
                return;
            }
            other => format!("{other:?}"),
        };
        self.0.push(text);
    }
}

fn run(bytes: &[u8], mut cut: impl FnMut(usize) -> usize) -> Vec<String> {
    let (mut watch, mut told, mut done) = (Watch::new(), Told::default(), 0);
    while done < bytes.len() {
        let n = cut(bytes.len() - done).clamp(1, bytes.len() - done);
        watch.bytes(Side::Client, &bytes[done..done + n], at(done), &mut |e| told.event(bytes, e));
        done += n;
    }
    told.0
}

/// Two requests, the second of which refers to the dynamic table that the first one filled.
fn requests() -> Vec<u8> {
    let mut bytes = PREFACE.to_vec();
    bytes.extend(frame(4, 0, 0, &[0, 3, 0, 0, 0, 100]));
    let literal = |name: &[u8], value: &[u8]| {
        [&[0x40, name.len() as u8][..], name, &[value.len() as u8], value].concat()
    };
    let block =
        [&[0x83, 0x87, 0x84][..], &literal(b"authorization", b"Bearer x"), &literal(b"x-id", b"7")].concat();
    let padded = [&[2][..], &[0, 0, 0, 0, 9], &block[..5], &[0, 0]].concat();
    bytes.extend(frame(1, 0x28, 1, &padded));
    bytes.extend(frame(9, 4, 1, &block[5..]));
    bytes.extend(frame(0, 8, 1, b"\x03hello\0\0\0"));
    bytes.extend(frame(1, 5, 3, &[0x82, 0x87, 0x84, 0xbf, 0xbe]));
    bytes.extend(frame(0, 1, 1, b" world"));
    bytes.extend(frame(3, 0, 3, &[0, 0, 0, 8]));
    bytes
}

#[test]
fn interleaved_streams_with_padding_and_continuation() {
    let told = run(&requests(), |len| len);
    assert_eq!(
        told,
        [
            "1 :method=POST :scheme=https :path=/ authorization=Bearer x x-id=7 whole=true end=false",
            "1 data hello",
            "3 :method=GET :scheme=https :path=/ authorization=Bearer x x-id=7 whole=true end=true",
            "1 data  world",
            "1 end",
            "Reset { from: Client, stream: 3, error: 8 }",
        ]
    );
}

#[test]
fn behind_missing_bytes_what_cannot_be_known_is_said() {
    let bytes = requests();
    let data = bytes.windows(5).position(|w| w == b"hello").unwrap();
    let (mut watch, mut told) = (Watch::new(), Told::default());
    watch.bytes(Side::Client, &bytes[..60], at(0), &mut |e| told.event(&bytes, e));
    watch.gap(Side::Client, (data + 4 - 60) as u64, &mut |e| told.event(&bytes, e));
    watch.bytes(Side::Client, &bytes[data + 4..], at(data + 4), &mut |e| told.event(&bytes, e));
    assert_eq!(
        told.0,
        [
            "Missing { from: Client }",
            "3 :method=GET :scheme=https :path=/ ?=? ?=? whole=false end=true",
            "1 data  world",
            "1 end",
            "Reset { from: Client, stream: 3, error: 8 }",
        ]
    );
}

#[test]
fn a_gap_within_a_body_loses_nothing_else() {
    let bytes = requests();
    let data = bytes.windows(5).position(|w| w == b"hello").unwrap();
    let (mut watch, mut told) = (Watch::new(), Told::default());
    watch.bytes(Side::Client, &bytes[..data + 1], at(0), &mut |e| told.event(&bytes, e));
    watch.gap(Side::Client, 2, &mut |e| told.event(&bytes, e));
    watch.bytes(Side::Client, &bytes[data + 3..], at(data + 3), &mut |e| told.event(&bytes, e));
    assert_eq!(
        told.0[1..4],
        ["1 data h", "DataMissing { from: Client, stream: 1, end: false }", "1 data lo"]
    );
    assert!(told.0[4].contains("authorization=Bearer x"), "{:?}", told.0);
}

proptest! {
    #[test]
    fn any_cut_gives_the_same(sizes in proptest::collection::vec(1usize..40, 1..30)) {
        let mut sizes = sizes.into_iter().cycle();
        let cut = run(&requests(), |_| sizes.next().unwrap_or(1));
        prop_assert_eq!(cut, run(&requests(), |len| len));
    }

    #[test]
    fn random_frames_and_gaps_never_panic(
        preface: bool,
        pieces in proptest::collection::vec((0u8..11, any::<u8>(), 0u32..4, proptest::collection::vec(any::<u8>(), 0..60), 0u64..40), 0..40),
    ) {
        let mut watch = Watch::new();
        if preface {
            watch.bytes(Side::Client, PREFACE, at(0), &mut |_| {});
        }
        for (kind, flags, stream, body, gap) in pieces {
            if gap > 30 {
                watch.gap(Side::Client, gap - 31, &mut |_| {});
            }
            let bytes = if gap == 29 { body } else { frame(kind, flags, stream, &body) };
            watch.bytes(Side::Client, &bytes, at(0), &mut |_| {});
            watch.bytes(Side::Server, &bytes, at(0), &mut |_| {});
        }
    }
}
