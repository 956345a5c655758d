//! Compressed evidence, whole, damaged and cut off.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| why401_fuzz::compressed(data));
