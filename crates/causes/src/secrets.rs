//! What in a text is secret.

use std::ops::Range;

pub(crate) fn secrets_in_field(name: &str, value: &[u8]) -> Vec<Range<usize>> {
    let hidden = ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "dpop"];
    if !hidden.contains(&name.to_ascii_lowercase().as_str()) {
        return Vec::new();
    }
    let from = value.iter().position(|c| *c == b' ').map_or(0, |i| i + 1);
    vec![from..value.len()]
}
pub(crate) fn secrets_in_target(_: &str) -> Vec<Range<usize>> {
    Vec::new()
}
pub(crate) fn secrets_in_text(_: &str) -> Vec<Range<usize>> {
    Vec::new()
}
