//! States of a fold in pieces, and the rows that carry them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| why401_fuzz::state(data));
