//! The reader of the format `pcapng`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| why401_fuzz::reader("pcapng", data));
