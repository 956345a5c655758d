//! The first packets of QUIC, with whatever frames in them.
#![no_main]

use why401_tls::{QuicInitials, is_quic_initial};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut initials = QuicInitials::default();
    for datagram in data.chunks(1200) {
        let begun = [&[0xc0, 0, 0, 0, 1], datagram].concat();
        assert!(is_quic_initial(&begun));
        std::hint::black_box(initials.datagram(&begun));
        std::hint::black_box(initials.datagram(datagram));
    }
});
