//! The reader of the format `json-log`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| why401_fuzz::reader("json-log", data));
