//! The reader of the format `text`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| why401_fuzz::reader("text", data));
