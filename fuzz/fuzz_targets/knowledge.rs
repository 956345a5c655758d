//! Known wordings in any text, on every channel: what is found lies within it.
#![no_main]

use why401_knowledge::{Channel, Knowledge};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let knowledge = Knowledge::shared();
    for channel in [
        Channel::Body,
        Channel::Realm,
        Channel::Challenge,
        Channel::UserAgent,
        Channel::Log,
        Channel::Symptom,
        Channel::Host,
        Channel::Cookie,
        Channel::Field("server"),
    ] {
        for said in knowledge.said(channel, data) {
            assert!(said.range.start < said.range.end && said.range.end <= data.len(), "{:?}", said.range);
        }
        std::hint::black_box(knowledge.recognise(channel, data));
    }
    std::hint::black_box(knowledge.code(&String::from_utf8_lossy(data)));
});
