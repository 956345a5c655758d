//! TLS records and handshakes of both sides, with bytes missing; key logs; certificates.
#![no_main]

use why401_tls::{Certificate, KeyLog, Side, Watch};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut keys = KeyLog::default();
    // Secrets for connections whose random bytes are all 7, so that what claims to be encrypted is tried.
    for label in ["CLIENT_RANDOM", "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET"] {
        keys.add(format!("{label} {} {}", "07".repeat(32), "11".repeat(48)).as_bytes());
    }
    keys.add(data);
    let mut watch = Watch::new();
    let mut opened = 0;
    for piece in why401_fuzz::pieces(data) {
        let side = if piece.client { Side::Client } else { Side::Server };
        if piece.missing {
            watch.gap(side, piece.bytes.len() as u64);
        } else {
            watch.bytes(side, piece.bytes, &keys, &mut |_| opened += 1);
        }
    }
    // Nothing is opened that is not there.
    assert!(opened <= data.len());
    std::hint::black_box((format!("{:?}", watch.handshake()), Certificate::read(data)));
});
