//! Packets on every kind of link, in tunnels, in fragments.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| why401_fuzz::packets(data));
