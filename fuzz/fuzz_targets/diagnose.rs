//! From bytes to every form of output, with secrets planted: none may come out.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| why401_fuzz::end_to_end(data));
