//! What is secret in any text, target and field: ranges that may be cut out, and secrets that are gone afterwards.
#![no_main]

use std::ops::Range;
use why401_redact::{SecretSet, secrets_in_field, secrets_in_target, secrets_in_text};

const SECRET: &str = "tokCanaryx8842QzW71k";

fn fit(text: &str, ranges: &[Range<usize>]) {
    let mut done = 0;
    for range in ranges {
        assert!(range.start >= done && range.start < range.end, "{ranges:?}");
        assert!(text.get(range.clone()).is_some(), "{range:?} is off a character");
        done = range.end;
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    fit(&text, &secrets_in_text(&text));
    fit(&text, &secrets_in_target(&text));
    for name in ["Authorization", "Cookie", "Set-Cookie", "X-Api-Key", "WWW-Authenticate", "Location"] {
        fit(&text, &secrets_in_field(name, &text));
    }
    let mut set = SecretSet::default();
    set.add(SECRET);
    set.text(&text);
    fit(&text, &set.find(&text));
    let (before, behind) = data.split_at(data.len() / 2);
    let around = format!("{}{SECRET}{}", String::from_utf8_lossy(before), String::from_utf8_lossy(behind));
    assert!(!set.scrub(&around).contains(SECRET));
});
