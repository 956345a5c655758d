//! JSON Web Tokens (RFC 7519) in compact serialization: JWS (RFC 7515), whose claims can be read, and JWE (RFC 7516),
//! whose header alone can.

pub use super::claims::{Confirmation, JwtKind};

use super::json;
use crate::Secret;
use crate::base64::{self, Alphabet, Decoded};
use crate::problem::{Problem, ProblemKind};
use crate::syntax::slice;
use serde_json::{Map, Value};
use std::ops::Range;

/// A JWT as far as it can be read.
#[derive(Clone, PartialEq, Eq)]
pub struct Jwt {
    /// Signed, encrypted, or neither one nor the other by its number of parts.
    pub form: Form,
    /// The JOSE header.
    pub header: Option<Map<String, Value>>,
    /// The claims.
    pub claims: Option<Map<String, Value>>,
    /// The parts between the dots, in the field value.
    pub parts: Vec<Range<usize>>,
    /// The signature, decoded.
    pub signature: Secret,
    /// What was signed: header, dot, payload, as written.
    pub signing_input: Secret,
    /// What is wrong, with ranges in the field value.
    pub problems: Vec<Problem>,
    pub(super) places: Vec<(String, Range<usize>)>,
}

/// What a JWT is by its number of parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// Three parts: signed (or `alg` none).
    Signed,
    /// Five parts: encrypted.
    Encrypted,
    /// Another number.
    Broken,
}

/// Whether the text is meant as a JWT: it begins as the header of one does, or is three parts of base64url of which
/// the first is JSON.
pub fn looks_like(text: &[u8]) -> bool {
    let first = text.split(|b| *b == b'.').next().unwrap_or_default();
    // `{"` and `{ ` and a line break after the brace, in base64.
    let begins = [&b"eyJ"[..], b"eyA", b"ewo", b"ew0", b"eyI"].iter().any(|p| text.starts_with(p));
    begins && (text.contains(&b'.') || first.len() >= 16 && header_json(first))
}

fn header_json(first: &[u8]) -> bool {
    let decoded = base64::decode(first, 0..first.len(), Alphabet::UrlSafe);
    let bytes = decoded.bytes.expose();
    bytes.windows(5).any(|w| w == b"\"alg\"") || bytes.windows(5).any(|w| w == b"\"typ\"")
}

/// Reads a JWT, `range` of the field's `value`.
pub fn read(value: &[u8], range: Range<usize>) -> Jwt {
    let text = slice(value, &range);
    let mut parts = Vec::new();
    let mut at = range.start;
    for part in text.split(|b| *b == b'.').take(16) {
        parts.push(at..at + part.len());
        at += part.len() + 1;
    }
    let mut jwt = Jwt {
        form: match parts.len() {
            3 => Form::Signed,
            5 => Form::Encrypted,
            _ => Form::Broken,
        },
        header: None,
        claims: None,
        parts: parts.clone(),
        signature: Secret::default(),
        signing_input: Secret::default(),
        problems: Vec::new(),
        places: Vec::new(),
    };
    if let Some(part) = parts.first() {
        jwt.header = jwt.object(value, part, "header").map(|(map, _)| map);
    }
    // Whatever is encrypted says how (RFC 7516 section 4.1.2).
    if jwt.form == Form::Encrypted && jwt.header.as_ref().is_some_and(|h| !h.contains_key("enc")) {
        jwt.form = Form::Broken;
    }
    if jwt.form == Form::Broken {
        let n = parts.len();
        let what = match n {
            1 => "a JWT has three parts with dots between; this has one: it was cut off".to_string(),
            2 => "a JWT has three parts; this has two: the signature is missing".to_string(),
            _ => format!("a JWT has three parts (encrypted: five); this has {n}"),
        };
        jwt.problem(range.clone(), ProblemKind::WrongPartCount, what);
    }
    if jwt.form != Form::Encrypted {
        if let Some(part) = parts.get(1) {
            jwt.payload(value, part);
        }
        if let (Some(a), Some(b), Some(c)) = (parts.first(), parts.get(1), parts.get(2)) {
            jwt.signing_input = Secret::new(slice(value, &(a.start..b.end)));
            jwt.sign(value, c);
        }
    }
    jwt.check_times();
    jwt.problems.sort_by_key(|p| (p.range.start, p.range.end));
    jwt
}

impl Jwt {
    fn problem(&mut self, range: Range<usize>, kind: ProblemKind, what: impl Into<String>) {
        self.problems.push(Problem::new(range, kind, what));
    }

    fn object(
        &mut self,
        value: &[u8],
        part: &Range<usize>,
        name: &str,
    ) -> Option<(Map<String, Value>, Decoded)> {
        let decoded = base64::decode(value, part.clone(), Alphabet::UrlSafe);
        for p in &decoded.problems {
            self.problem(p.range.clone(), p.kind, format!("{name}: {}", p.what));
        }
        match serde_json::from_slice::<Value>(decoded.bytes.expose()) {
            Ok(Value::Object(map)) => return Some((map, decoded)),
            Ok(_) => {
                self.problem(part.clone(), ProblemKind::NotJson, format!("the {name} is JSON, but no object"))
            }
            Err(e) if e.is_eof() => {
                let what = format!("the {name} ends within its JSON: the token was cut off");
                self.problem(part.clone(), ProblemKind::Truncated, what);
            }
            Err(_) => self.problem(part.clone(), ProblemKind::NotJson, format!("the {name} is not JSON")),
        }
        None
    }

    fn payload(&mut self, value: &[u8], part: &Range<usize>) {
        if let Some((map, decoded)) = self.object(value, part, "payload") {
            let places = json::members(decoded.bytes.expose());
            self.places = places.into_iter().map(|(name, r)| (name, decoded.encoded_range(&r))).collect();
            self.claims = Some(map);
        }
    }

    fn sign(&mut self, value: &[u8], part: &Range<usize>) {
        let decoded = base64::decode(value, part.clone(), Alphabet::UrlSafe);
        for p in &decoded.problems {
            self.problem(p.range.clone(), p.kind, format!("signature: {}", p.what));
        }
        let none = self.alg().is_some_and(|a| a.eq_ignore_ascii_case("none"));
        match (part.is_empty(), none) {
            (true, false) => self.problem(part.clone(), ProblemKind::Missing, "the signature is empty"),
            (_, true) => {
                let what = "alg is none: the token is not signed, and servers refuse that";
                self.problem(self.parts.first().cloned().unwrap_or_default(), ProblemKind::BadValue, what);
            }
            _ => {}
        }
        let wanted = self.alg().and_then(signature_length);
        let length = decoded.bytes.len();
        if wanted.is_some_and(|n| n != length) && !part.is_empty() {
            let what = format!(
                "{} bytes of signature, where {} has {}: the token was cut off or altered",
                length,
                self.alg().unwrap_or_default(),
                wanted.unwrap_or_default()
            );
            self.problem(part.clone(), ProblemKind::Truncated, what);
        }
        self.signature = decoded.bytes;
    }

    /// A NumericDate is seconds since 1970 (RFC 7519 section 2); milliseconds and text are common slips.
    fn check_times(&mut self) {
        for name in ["exp", "nbf", "iat", "auth_time"] {
            let Some(claim) = self.claim(name) else { continue };
            let what = match claim {
                Value::Number(n) if n.as_f64().is_some_and(|n| n > 1e11) => {
                    "is in milliseconds; a NumericDate is in seconds, so this lies far in the future"
                }
                Value::Number(_) => continue,
                Value::String(_) => "is text; a NumericDate is a number",
                _ => "is no number",
            };
            let range = self.claim_range(name).unwrap_or_default();
            self.problem(range, ProblemKind::BadValue, format!("{name} {what}"));
        }
    }
}

impl std::fmt::Debug for Jwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names =
            |map: &Option<Map<String, Value>>| map.as_ref().map(|m| m.keys().cloned().collect::<Vec<_>>());
        f.debug_struct("Jwt")
            .field("form", &self.form)
            .field("header", &names(&self.header))
            .field("claims", &names(&self.claims))
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

/// How long a signature is, for algorithms where the key's size does not change it (RFC 7518 section 3, RFC 8037).
fn signature_length(alg: &str) -> Option<usize> {
    Some(match alg {
        "HS256" => 32,
        "HS384" => 48,
        "HS512" | "ES256" | "ES256K" | "EdDSA" | "Ed25519" => 64,
        "ES384" => 96,
        "ES512" => 132,
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::string_slice, reason = "in a test a panic is the report")]
mod tests {
    use super::*;

    fn token(header: &str, claims: &str, signature: &[u8]) -> String {
        [header.as_bytes(), claims.as_bytes(), signature].map(base64::encode_url).join(".")
    }

    fn of(text: &str) -> Jwt {
        read(text.as_bytes(), 0..text.len())
    }

    #[test]
    fn claims_are_read_and_found() {
        let text = token(
            r#"{"alg":"HS256","typ":"JWT"}"#,
            r#"{"iss":"a","aud":["x","y"],"exp":1700000000,"scope":"r w"}"#,
            &[7; 32],
        );
        let jwt = of(&text);
        assert_eq!(jwt.problems, []);
        assert_eq!((jwt.alg(), jwt.iss(), jwt.exp()), (Some("HS256"), Some("a"), Some(1_700_000_000)));
        assert_eq!((jwt.aud(), jwt.scopes(), jwt.kind()), (vec!["x", "y"], vec!["r", "w"], JwtKind::Access));
        let part = &text[jwt.claim_range("exp").unwrap()];
        let plain = base64::decode(text.as_bytes(), jwt.parts[1].clone(), Alphabet::UrlSafe);
        assert!(plain.bytes.expose_text().contains("1700000000") && part.len() < 32, "{part}");
    }

    #[test]
    fn faults_have_their_kinds() {
        let good = token(r#"{"alg":"HS256"}"#, r#"{"exp":1}"#, &[7; 32]);
        let kinds = |t: &str| of(t).problems.iter().map(|p| p.kind).collect::<Vec<_>>();
        assert_eq!(kinds(&good[..good.rfind('.').unwrap()]), [ProblemKind::WrongPartCount]);
        assert_eq!(kinds(&good[..good.len() - 4]), [ProblemKind::Truncated]);
        assert_eq!(kinds(&token(r#"{"alg":"none"}"#, "{}", b"")), [ProblemKind::BadValue]);
        assert_eq!(
            kinds(&token(r#"{"alg":"HS256"}"#, r#"{"exp":1700000000000}"#, &[7; 32])),
            [ProblemKind::BadValue]
        );
        assert_eq!(kinds(&token(r#"{"alg":"HS256"}"#, "[]", &[7; 32])), [ProblemKind::NotJson]);
        assert_eq!(kinds(&token(r#"{"alg":"HS256"}"#, r#"{"a":"#, &[7; 32])), [ProblemKind::Truncated]);
        assert_eq!(of(&token("{}", r#"{"exp":1700000000000}"#, b"")).exp(), Some(1_700_000_000));
    }

    #[test]
    fn debug_shows_names_only() {
        let text = token(r#"{"alg":"HS256"}"#, r#"{"sub":"alice"}"#, &[7; 32]);
        let shown = format!("{:?}", of(&text));
        assert!(shown.contains("sub") && !shown.contains("alice"), "{shown}");
    }
}
