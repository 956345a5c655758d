//! A base64 decoder that reads on after faults and knows which encoded bytes each decoded byte came from (RFC 4648).

use crate::Secret;
use crate::problem::{Problem, ProblemKind};
use crate::syntax::{hex_value, slice};
use std::ops::Range;

/// Which alphabet and padding the specification of the value wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// `+`, `/` and `=` padding (RFC 4648 section 4).
    Standard,
    /// `-`, `_` and no padding (RFC 4648 section 5, RFC 7515 section 2).
    UrlSafe,
}

/// What came out of decoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The decoded bytes.
    pub bytes: Secret,
    /// What is wrong with the encoding; ranges are relative to the field value.
    pub problems: Vec<Problem>,
    start: usize,
    /// Where each character of the alphabet stands, where that is not simply one after the other.
    at: Option<Vec<usize>>,
    end: usize,
}

impl Decoded {
    /// The encoded bytes, relative to the field value, that hold `range` of the decoded ones.
    pub fn encoded_range(&self, range: &Range<usize>) -> Range<usize> {
        let first = range.start.saturating_mul(8) / 6;
        let last = range.end.saturating_mul(8).div_ceil(6);
        let start = self.position(first);
        if range.is_empty() {
            return start..start;
        }
        start..self.position(last.saturating_sub(1)).saturating_add(1).clamp(start, self.end)
    }

    fn position(&self, sextet: usize) -> usize {
        match &self.at {
            None => self.start.saturating_add(sextet).min(self.end),
            Some(at) => at.get(sextet).copied().unwrap_or(self.end),
        }
    }

    /// Whether the encoding has a problem of this kind.
    pub fn has(&self, kind: ProblemKind) -> bool {
        self.problems.iter().any(|p| p.kind == kind)
    }
}

fn sextet(b: u8) -> Option<u8> {
    match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

/// Decodes `range` of `value`. Both alphabets, missing and doubled padding, white space, percent-encoding and
/// foreign bytes are read through; each is a problem where `alphabet` does not allow it.
pub fn decode(value: &[u8], range: Range<usize>, alphabet: Alphabet) -> Decoded {
    let mut reader = Reader { base: range.start, ..Reader::default() };
    let text = slice(value, &range);
    let mut i = 0;
    while let Some(b) = text.get(i).copied() {
        let (b, width) = match (
            b,
            text.get(i + 1).copied().and_then(hex_value),
            text.get(i + 2).copied().and_then(hex_value),
        ) {
            (b'%', Some(high), Some(low)) => {
                reader.note(i, i + 3, ProblemKind::PercentEncoded);
                (high << 4 | low, 3)
            }
            _ => (b, 1),
        };
        reader.byte(b, i, i + width, alphabet);
        i += width;
    }
    reader.finish(text.len(), alphabet)
}

#[derive(Default)]
struct Reader {
    base: usize,
    out: Vec<u8>,
    at: Vec<usize>,
    bits: u32,
    pending: u32,
    padding: usize,
    odd: bool,
    problems: Vec<Problem>,
}

impl Reader {
    /// One problem a kind: the first place, stretched over those that follow it directly.
    fn note(&mut self, start: usize, end: usize, kind: ProblemKind) {
        let (start, end) = (self.base + start, self.base + end);
        if let Some(p) = self.problems.iter_mut().find(|p| p.kind == kind) {
            if p.range.end == start {
                p.range.end = end;
            }
            return;
        }
        self.problems.push(Problem::new(start..end, kind, describe(kind)));
    }

    fn byte(&mut self, b: u8, start: usize, end: usize, alphabet: Alphabet) {
        if end - start > 1 {
            self.odd = true;
        }
        match (b, sextet(b)) {
            (b'=', _) => self.padding += 1,
            (b' ' | b'\t' | b'\r' | b'\n', _) => {
                self.odd = true;
                self.note(start, end, ProblemKind::Wrapped);
            }
            (_, None) => {
                self.odd = true;
                self.note(start, end, ProblemKind::NotBase64);
            }
            (_, Some(bits)) => {
                if self.padding > 0 {
                    self.odd = true;
                    self.note(start, end, ProblemKind::WrongPadding);
                }
                match (b, alphabet) {
                    (b'-' | b'_', Alphabet::Standard) => {
                        self.note(start, end, ProblemKind::Base64UrlAlphabet)
                    }
                    (b'+' | b'/', Alphabet::UrlSafe) => {
                        self.note(start, end, ProblemKind::Base64StandardAlphabet)
                    }
                    _ => {}
                }
                self.at.push(self.base + start);
                self.push(bits);
            }
        }
    }

    fn push(&mut self, bits: u8) {
        self.bits = (self.bits << 6 | u32::from(bits)) & 0xffff;
        self.pending += 6;
        if self.pending >= 8 {
            self.pending -= 8;
            self.out.push(u8::try_from(self.bits >> self.pending & 0xff).unwrap_or_default());
        }
    }

    fn finish(mut self, len: usize, alphabet: Alphabet) -> Decoded {
        let count = self.at.len();
        let wanted = (4 - count % 4) % 4;
        if count % 4 == 1 {
            self.note(len.saturating_sub(1), len, ProblemKind::Base64Truncated);
        } else {
            match (alphabet, self.padding) {
                (Alphabet::Standard, 0) if wanted > 0 => self.note(len, len, ProblemKind::MissingPadding),
                (Alphabet::Standard, n) if n != wanted => {
                    self.note(len.saturating_sub(n), len, ProblemKind::WrongPadding);
                }
                (Alphabet::UrlSafe, n) if n > 0 => {
                    self.note(len.saturating_sub(n), len, ProblemKind::UnexpectedPadding);
                }
                _ => {}
            }
            if self.bits & ((1 << self.pending) - 1) != 0 {
                self.note(len.saturating_sub(self.padding + 1), len, ProblemKind::TrailingBits);
            }
        }
        let end = self.base + len;
        let at = self.odd.then_some(self.at);
        self.problems.sort_by_key(|p| p.range.start);
        Decoded { bytes: Secret::new(self.out), problems: self.problems, start: self.base, at, end }
    }
}

fn describe(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::PercentEncoded => "percent-encoded: base64 in a field stands as it is",
        ProblemKind::Wrapped => {
            "white space or a line break inside the base64 value (encoders wrap at 76 characters)"
        }
        ProblemKind::NotBase64 => "not a character of base64",
        ProblemKind::WrongPadding => "'=' at the wrong place or in the wrong number",
        ProblemKind::MissingPadding => "the '=' at the end are missing",
        ProblemKind::UnexpectedPadding => "'=' padding: base64url here has none",
        ProblemKind::Base64UrlAlphabet => "'-' or '_' are base64url; here the alphabet has '+' and '/'",
        ProblemKind::Base64StandardAlphabet => {
            "'+' or '/' are standard base64; here the alphabet has '-' and '_'"
        }
        ProblemKind::Base64Truncated => "one character too many or too few: the value was cut off",
        ProblemKind::TrailingBits => {
            "the unused bits of the last character are not zero: the value may be cut off"
        }
        _ => "not base64",
    }
}

/// Encodes with the standard alphabet and padding.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = encode_with(bytes, STANDARD);
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}

/// Encodes with the URL-safe alphabet and no padding.
pub fn encode_url(bytes: &[u8]) -> String {
    encode_with(bytes, URL_SAFE)
}

/// RFC 4648 section 4.
const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// RFC 4648 section 5.
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn encode_with(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let character = |sextet: u32| alphabet.get(sextet as usize).copied().unwrap_or(b'=');
    // Written out: `map` over these four shifts takes three times as long.
    let sextets = |group: u32| {
        [
            character(group >> 18 & 63),
            character(group >> 12 & 63),
            character(group >> 6 & 63),
            character(group & 63),
        ]
    };
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    let (groups, rest) = bytes.as_chunks::<3>();
    for [a, b, c] in groups {
        out.extend_from_slice(&sextets(u32::from_be_bytes([0, *a, *b, *c])));
    }
    match rest {
        [a, b] => out.extend(sextets(u32::from_be_bytes([0, *a, *b, 0])).into_iter().take(3)),
        [a] => out.extend(sextets(u32::from_be_bytes([0, *a, 0, 0])).into_iter().take(2)),
        _ => {}
    }
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ProblemKind::*;

    fn read(text: &str, alphabet: Alphabet) -> (Vec<u8>, Vec<ProblemKind>) {
        let d = decode(text.as_bytes(), 0..text.len(), alphabet);
        (d.bytes.expose().to_vec(), d.problems.iter().map(|p| p.kind).collect())
    }

    #[test]
    fn vectors_of_rfc_4648_section_10() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(plain.as_bytes()), coded);
            assert_eq!(read(coded, Alphabet::Standard), (plain.as_bytes().to_vec(), vec![]));
        }
        assert_eq!(encode_url(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn faults_are_named_and_read_through() {
        let pair = b"alice:secret".to_vec();
        assert_eq!(read("YWxpY2U6c2VjcmV0", Alphabet::Standard), (pair.clone(), vec![]));
        assert_eq!(read("YWxpY2U6\r\nc2VjcmV0", Alphabet::Standard), (pair.clone(), vec![Wrapped]));
        assert_eq!(read("Zm8", Alphabet::Standard), (b"fo".to_vec(), vec![MissingPadding]));
        assert_eq!(read("Zm8%3D", Alphabet::Standard), (b"fo".to_vec(), vec![PercentEncoded]));
        assert_eq!(read("Zm8==", Alphabet::Standard), (b"fo".to_vec(), vec![WrongPadding]));
        assert_eq!(read("Zm9vY", Alphabet::Standard).1, vec![Base64Truncated]);
        assert_eq!(read("Zm9", Alphabet::Standard).1, vec![TrailingBits, MissingPadding]);
        assert_eq!(read("-_8=", Alphabet::Standard).1, vec![Base64UrlAlphabet]);
        assert_eq!(read("+/8=", Alphabet::UrlSafe).1, vec![Base64StandardAlphabet, UnexpectedPadding]);
        assert_eq!(read("Zm{9v", Alphabet::Standard), (b"foo".to_vec(), vec![NotBase64]));
    }

    #[test]
    fn decoded_bytes_are_found_in_the_encoded_text() {
        let value = b"Basic YWxpY2U6c2VjcmV0";
        let d = decode(value, 6..value.len(), Alphabet::Standard);
        assert_eq!(d.encoded_range(&(0..3)), 6..10);
        assert_eq!(d.encoded_range(&(11..12)), 20..22);
        assert_eq!(d.encoded_range(&(0..12)), 6..22);
        let wrapped = decode(b"YWxp\nY2U6", 0..9, Alphabet::Standard);
        assert_eq!(wrapped.encoded_range(&(3..6)), 5..9);
    }
}
