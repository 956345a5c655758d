//! Any bytes, in the format that they look like; compressed ones too.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| why401_fuzz::any_reader(data));
