//! HTTP/2 frames and compressed fields of both sides, with bytes missing.
#![no_main]

use why401_h2::{Decoder, Event, PREFACE, Side, Watch};
use why401_span::{Derived, SourceId, Span};

fn at(start: usize) -> Span {
    Span::new(SourceId(0), start as u64, start as u64)
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut watch = Watch::new();
    let mut told = |event: Event<'_>| match event {
        Event::Data { bytes, origin, .. } => assert!(bytes.is_empty() || origin.end <= data.len() as u64),
        Event::Fields { fields, .. } => {
            let parts = fields.iter().flat_map(|f| [&f.name, &f.value]).flatten();
            for place in parts.filter_map(Derived::whole) {
                assert!(
                    place.span.start <= place.span.end && place.span.end <= data.len() as u64,
                    "{:?}",
                    place.span
                );
            }
        }
        other => drop(std::hint::black_box(format!("{other:?}"))),
    };
    if data.first().is_some_and(|b| b & 4 == 0) {
        watch.bytes(Side::Client, PREFACE, at(0), &mut told);
    }
    for piece in why401_fuzz::pieces(data) {
        let side = if piece.client { Side::Client } else { Side::Server };
        if piece.missing {
            watch.gap(side, piece.bytes.len() as u64, &mut told);
        } else {
            watch.bytes(side, piece.bytes, at(piece.start), &mut told);
        }
    }
    let mut decoder = Decoder::new();
    for block in data.chunks(64) {
        std::hint::black_box(decoder.block(&Derived::exact(block, at(0))));
    }
    let (client, server) = data.split_at(data.len() / 2);
    std::hint::black_box(why401_h2::is_front(client, server));
});
