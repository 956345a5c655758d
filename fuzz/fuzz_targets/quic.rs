//! Datagrams of QUIC, with a key log.
#![no_main]

use why401_tls::{KeyLog, QuicConnection, Side, is_quic_initial, quic_destination};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut keys = KeyLog::default();
    keys.add(data);
    let begun = [&[0xc0, 0, 0, 0, 1], data].concat();
    assert!(is_quic_initial(&begun));
    for datagram in [begun.as_slice(), data] {
        std::hint::black_box(quic_destination(datagram));
        let Some(mut connection) = QuicConnection::begun_by(datagram) else { continue };
        for piece in why401_fuzz::pieces(data) {
            let from = if piece.client { Side::Client } else { Side::Server };
            connection.datagram(from, piece.bytes, &keys, &mut |_| {});
        }
        connection.finish(&mut |_| {});
    }
});
