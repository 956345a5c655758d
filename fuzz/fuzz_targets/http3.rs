//! HTTP/3 frames and compressed fields on the streams of both sides, with bytes missing.
#![no_main]

use why401_h3::{Decoder, Event, Side, Watch};
use why401_span::{Derived, SourceId, Span};

fn at(start: usize) -> Span {
    Span::new(SourceId(0), start as u64, start as u64)
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut watch = Watch::new();
    let mut told = |event: Event<'_>| match event {
        Event::Data { origin, .. } => assert!(origin.end <= data.len() as u64),
        Event::Fields { fields, .. } => {
            let parts = fields.iter().flat_map(|f| [&f.name, &f.value]).flatten();
            for place in parts.filter_map(Derived::whole) {
                assert!(place.span.start <= place.span.end && place.span.end <= data.len() as u64);
            }
        }
        other => drop(std::hint::black_box(format!("{other:?}"))),
    };
    // The first byte of each piece says on which stream it is, and what becomes of that.
    for piece in why401_fuzz::pieces(data) {
        let side = if piece.client { Side::Client } else { Side::Server };
        let Some((how, bytes)) = piece.bytes.split_first() else { continue };
        let stream = u64::from(how & 15);
        if piece.missing {
            watch.gap(side, stream, bytes.len() as u64, &mut told);
        } else {
            watch.bytes(side, stream, bytes, at(piece.start + 1), &mut told);
        }
        match how >> 4 {
            1 => watch.end(side, stream, &mut told),
            2 => watch.reset(side, stream, 0x10c, &mut told),
            _ => {}
        }
    }
    watch.finish(&mut told);
    let mut decoder = Decoder::new();
    decoder.allow(4096);
    for (number, block) in data.chunks(64).enumerate() {
        if number % 2 == 0 {
            decoder.instructions(block);
        } else {
            std::hint::black_box(decoder.as_known(&Derived::exact(block, at(0))));
        }
    }
});
