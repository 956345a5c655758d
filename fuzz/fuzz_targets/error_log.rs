//! The reader of the format `error-log`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| why401_fuzz::reader("error-log", data));
