//! The reader of the format `nginx-debug`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| why401_fuzz::reader("nginx-debug", data));
