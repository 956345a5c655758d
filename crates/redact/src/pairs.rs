//! `name=value` lists as fields have them.

use crate::ranges::{find, part, trimmed};
use std::ops::Range;

/// A pair of such a list, by where its parts stand. The value is without its quotes.
pub(crate) struct Pair {
    pub(crate) name: Range<usize>,
    pub(crate) value: Range<usize>,
}

/// The pairs of a list of auth-params (RFC 9110 section 11.2), as leniently as it goes: parted by commas or blanks,
/// values bare or quoted.
pub(crate) fn auth_params(text: &str) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let start = find(text, at, |c| !matches!(c, ',' | ' ' | '\t' | ';'));
        let end = find(text, start, |c| matches!(c, '=' | ',' | ' ' | '\t' | ';'));
        let equals = find(text, end, |c| !matches!(c, ' ' | '\t'));
        if part(text, equals..equals + 1) != "=" {
            at = end.max(at + 1);
            continue;
        }
        let value = find(text, equals + 1, |c| !matches!(c, ' ' | '\t'));
        let (value, next) = match part(text, value..value + 1) {
            "\"" => {
                let end = end_of_quoted(text, value + 1);
                (value + 1..end, end + 1)
            }
            _ => {
                let end = find(text, value, |c| matches!(c, ',' | ' ' | '\t'));
                (value..end, end)
            }
        };
        pairs.push(Pair { name: start..end, value });
        at = next;
    }
    pairs
}

/// Offset of the quote that ends a quoted-string whose content begins at `at`; a backslash quotes the next character.
pub(crate) fn end_of_quoted(text: &str, at: usize) -> usize {
    let mut quoted = false;
    for (i, c) in part(text, at..text.len()).char_indices() {
        match c {
            _ if quoted => quoted = false,
            '\\' => quoted = true,
            '"' => return at + i,
            _ => {}
        }
    }
    text.len()
}

/// The pairs of a `Cookie` or `Set-Cookie` value (RFC 6265 section 4), also of several joined by line breaks or by `, `.
///
/// What has no `=` is a value without a name.
pub(crate) fn cookies(text: &str) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let mut end = find(text, start, |c| matches!(c, ';' | '\n' | ','));
        // The comma of `Expires=Wed, 21 Oct 2026` parts nothing.
        while part(text, end..end + 1) == "," && !begins_pair(text, end + 1) {
            end = find(text, end + 1, |c| matches!(c, ';' | '\n' | ','));
        }
        let whole = trimmed(text, start..end);
        let inner = part(text, whole.clone());
        let (name, value) = match inner.find('=') {
            Some(i) => (whole.start..whole.start + i, whole.start + i + 1..whole.end),
            None => (whole.start..whole.start, whole.clone()),
        };
        pairs.push(Pair { name: trimmed(text, name), value: trimmed(text, value) });
        start = end + 1;
    }
    pairs
}

/// Whether a name and `=` follow. A name is at most 64 bytes here, so that many commas stay cheap.
fn begins_pair(text: &str, at: usize) -> bool {
    let name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'$' | b'!');
    let bytes = text.as_bytes().get(at..).unwrap_or_default();
    let blanks = bytes.iter().take(8).take_while(|b| **b == b' ').count();
    let rest = bytes.get(blanks..).unwrap_or_default();
    let length = rest.iter().take(64).take_while(|b| name(b)).count();
    length > 0 && rest.get(length) == Some(&b'=')
}
