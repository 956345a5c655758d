//! Authentication fields, the messages inside of them, tokens.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    why401_auth::fuzz::fields(data);
    why401_auth::fuzz::messages(data);
    why401_auth::fuzz::tokens(data);
});
