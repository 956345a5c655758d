//! What the fuzz targets call.

use why401_read::Collected;
use why401_span::SourceId;

#[path = "../../crates/cli/tests/evidence/pipeline.rs"]
mod pipeline;

/// Reads `data` in the format of that name; every part of what comes out must resolve into the evidence.
pub fn reader(format: &str, data: &[u8]) {
    let mut sink = Collected::default();
    let _ = why401_read::read(SourceId(0), &mut &*data, Some(format), None, &[], &mut sink);
    check(&sink, data.len());
}

/// Reads `data` in the format that fits.
pub fn any_reader(data: &[u8]) {
    let mut sink = Collected::default();
    let _ = why401_read::read(SourceId(0), &mut &*data, None, None, &[], &mut sink);
    check(&sink, data.len());
}

fn check(sink: &Collected, length: usize) {
    // So much memory as the evidence, times a constant: nothing multiplies.
    assert!(sink.exchanges.len() <= length && sink.problems.len() <= length + 1);
    for exchange in &sink.exchanges {
        let Some(request) = &exchange.request else { continue };
        for field in request.fields.iter() {
            if let Some(at) = field.value.whole().filter(|at| at.span.layer.is_none()) {
                assert!(at.span.start <= at.span.end && at.span.end <= length as u64, "{:?}", at.span);
            }
        }
    }
}

/// Secrets that the seeds hold; where the evidence has one whole in a place that a reader knows, no output has it.
const CANARIES: [&str; 3] = ["Pw9#canary+4711", "tokCanaryx8842QzW71k", "c00kieCanary9317yTr"];

/// Diagnoses `data` behind a fixed exchange that plants the secrets.
pub fn end_to_end(data: &[u8]) {
    let planted = format!(
        "> GET /a?access_token={} HTTP/1.1\n> Host: h.example.com\n> Authorization: Bearer {}\n> Cookie: sid={}\n> X-Api-Key: {}\n> \n< HTTP/1.1 401 Unauthorized\n< WWW-Authenticate: Bearer error=\"invalid_token\"\n< \n",
        CANARIES[1], CANARIES[1], CANARIES[2], CANARIES[0]
    );
    let _ = pipeline::outputs(data, None);
    let evidence = [planted.as_bytes(), data].concat();
    let Ok(outputs) = pipeline::outputs(&evidence, Some("curl")) else { return };
    for (number, output) in outputs.iter().enumerate() {
        for canary in CANARIES {
            assert!(!output.contains(canary), "output {number} holds {canary}");
        }
        let deceives = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert!(!output.contains(deceives), "output {number} holds a control character");
    }
}
