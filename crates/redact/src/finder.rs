//! Finds values in a text, however they are written.

use crate::base64;
use crate::ranges::{Ranges, part};
use aho_corasick::{AhoCorasick, MatchKind};
use std::ops::Range;

/// Longer values are looked for by pieces of this length, so that one cut off is found too.
const PIECE: usize = 24;

/// Finds spellings of values.
pub(crate) struct Finder(Option<AhoCorasick>);

impl Finder {
    pub(crate) fn new(mut spellings: Vec<String>) -> Finder {
        spellings.sort_unstable();
        spellings.dedup();
        let any = (!spellings.is_empty()).then_some(spellings);
        Finder(any.and_then(|s| AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(s).ok()))
    }

    /// How many spellings it looks for.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, AhoCorasick::patterns_len)
    }

    pub(crate) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Ranges::default();
        let Some(finder) = &self.0 else { return Vec::new() };
        let mut at = 0;
        while let Some(hit) = finder.find(aho_corasick::Input::new(text).range(at..)) {
            let range = whole_run(text, hit.range(), hit.len() >= PIECE);
            if stands_alone(text, &range) {
                at = range.end.max(hit.end());
                found.add(range);
            } else {
                at = next_char(text, hit.start());
            }
        }
        found.finish()
    }
}

/// How a value may be written; a long one in pieces.
pub(crate) fn each_spelling(value: &str, each: &mut dyn FnMut(&str)) {
    pieces(value, each);
    let json = json_escaped(value);
    if json != value {
        pieces(&json, each);
    }
    let percent =
        percent_encoded(value, |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'));
    if percent != value {
        pieces(&percent.to_ascii_lowercase(), &mut |piece| {
            if piece.contains('%') {
                each(piece);
            }
        });
        pieces(&percent, each);
    }
    let mut hex = hex(value);
    pieces(&hex, each);
    hex.make_ascii_uppercase();
    pieces(&hex, each);
    for shift in 0..3usize {
        let encoded = in_base64(value.as_bytes(), shift);
        if encoded.len() >= 6 {
            pieces(&encoded.replace('+', "-").replace('/', "_"), each);
            pieces(&encoded, each);
        }
    }
}

fn hex(value: &str) -> String {
    let digit = |n: u8| char::from_digit(u32::from(n), 16).unwrap_or('0');
    value.bytes().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

/// The base64 characters that depend on the value alone where `shift` other bytes stand before it.
fn in_base64(value: &[u8], shift: usize) -> String {
    let mut bytes = vec![0; shift];
    bytes.extend_from_slice(value);
    let encoded = base64::encode(&bytes);
    let from = (shift * 8).div_ceil(6);
    let to = bytes.len() * 8 / 6;
    encoded.get(from..to).unwrap_or_default().to_owned()
}

fn pieces(value: &str, each: &mut dyn FnMut(&str)) {
    if value.len() <= PIECE * 2 {
        return each(value);
    }
    let mut start = 0;
    for (at, c) in value.char_indices() {
        let end = at + c.len_utf8();
        if end - start >= PIECE {
            each(part(value, start..end));
            start = end;
        }
    }
}

/// A piece of a long value is widened to the run of token characters around it.
fn whole_run(text: &str, hit: Range<usize>, widen: bool) -> Range<usize> {
    if !widen {
        return hit;
    }
    // Before it, `=` separates it from its name.
    let token = |b: &u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+' | b'/' | b'=' | b'.' | b'~' | b'%')
    };
    let bytes = text.as_bytes();
    let after = bytes.get(hit.end..).unwrap_or_default().iter().take_while(|b| token(b)).count();
    let before = bytes
        .get(..hit.start)
        .unwrap_or_default()
        .iter()
        .rev()
        .take(PIECE)
        .take_while(|b| token(b) && **b != b'=')
        .count();
    hit.start - before..hit.end + after
}

/// A short value made of letters is found as a word only: `pass` is not hidden in `compass`.
fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let value = part(text, range.clone());
    if value.len() >= 8 || !value.bytes().all(|b| b.is_ascii_lowercase()) {
        return true;
    }
    let letter = |c: char| c.is_alphanumeric();
    !part(text, 0..range.start).ends_with(letter) && !part(text, range.end..text.len()).starts_with(letter)
}

fn next_char(text: &str, at: usize) -> usize {
    at + part(text, at..text.len()).chars().next().map_or(1, char::len_utf8)
}

fn percent_encoded(value: &str, plain: impl Fn(u8) -> bool) -> String {
    let mut out = String::new();
    for b in value.bytes() {
        if plain(b) { out.push(char::from(b)) } else { out.push_str(&format!("%{b:02X}")) }
    }
    out
}

/// As in a JSON string (RFC 8259 section 7), with what must be escaped escaped.
fn json_escaped(value: &str) -> String {
    let mut out = String::new();
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out
}
