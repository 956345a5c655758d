//! JSON Web Tokens (RFC 7519) in compact serialization: JWS (RFC 7515), whose claims can be read, and JWE (RFC 7516),
//! whose header alone can.

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
    places: Vec<(String, Range<usize>)>,
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
    if jwt.form == Form::Broken {
        let n = parts.len();
        let what = match n {
            1 => "a JWT has three parts with dots between; this has one: it was cut off".to_string(),
            2 => "a JWT has three parts; this has two: the signature is missing".to_string(),
            _ => format!("a JWT has three parts (encrypted: five); this has {n}"),
        };
        jwt.problem(range.clone(), ProblemKind::WrongPartCount, what);
    }
    if let Some(part) = parts.first() {
        jwt.header = jwt.object(value, part, "header").map(|(map, _)| map);
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

    /// A claim.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.as_ref()?.get(name)
    }

    /// A claim that is text.
    pub fn claim_text(&self, name: &str) -> Option<&str> {
        self.claim(name)?.as_str()
    }

    /// The encoded bytes in the field value that hold a claim (its name and its value).
    pub fn claim_range(&self, name: &str) -> Option<Range<usize>> {
        self.places.iter().find(|(n, _)| n == name).map(|(_, r)| r.clone())
    }

    /// A header parameter that is text.
    pub fn header_text(&self, name: &str) -> Option<&str> {
        self.header.as_ref()?.get(name)?.as_str()
    }

    /// The algorithm (`alg`).
    pub fn alg(&self) -> Option<&str> {
        self.header_text("alg")
    }

    /// The type (`typ`).
    pub fn typ(&self) -> Option<&str> {
        self.header_text("typ")
    }

    /// The key id (`kid`).
    pub fn kid(&self) -> Option<&str> {
        self.header_text("kid")
    }

    /// The issuer.
    pub fn iss(&self) -> Option<&str> {
        self.claim_text("iss")
    }

    /// The subject.
    pub fn sub(&self) -> Option<&str> {
        self.claim_text("sub")
    }

    /// The audiences: `aud` is one text or a list of them.
    pub fn aud(&self) -> Vec<&str> {
        match self.claim("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// A NumericDate in whole seconds since 1970; milliseconds are read as such.
    pub fn time(&self, name: &str) -> Option<i64> {
        let seconds = match self.claim(name)? {
            Value::Number(n) => n.as_i64().or_else(|| n.as_f64().filter(|f| f.is_finite()).map(whole))?,
            Value::String(s) => s.trim().parse().ok()?,
            _ => return None,
        };
        Some(if seconds > 100_000_000_000 { seconds / 1000 } else { seconds })
    }

    /// When it expires, in seconds since 1970.
    pub fn exp(&self) -> Option<i64> {
        self.time("exp")
    }

    /// Before when it is not valid.
    pub fn nbf(&self) -> Option<i64> {
        self.time("nbf")
    }

    /// When it was issued.
    pub fn iat(&self) -> Option<i64> {
        self.time("iat")
    }

    /// The scopes: `scope` is text with spaces between (RFC 9068), `scp` text or a list (Microsoft, Okta).
    pub fn scopes(&self) -> Vec<&str> {
        ["scope", "scp"]
            .iter()
            .filter_map(|name| self.claim(name))
            .flat_map(|claim| match claim {
                Value::String(text) => text.split(' ').filter(|s| !s.is_empty()).collect::<Vec<_>>(),
                Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            })
            .collect()
    }

    /// The confirmation method (RFC 7800): which key the token is bound to.
    pub fn confirmation(&self) -> Option<Confirmation<'_>> {
        let cnf = self.claim("cnf")?.as_object()?;
        let text = |name: &str| cnf.get(name).and_then(Value::as_str);
        Some(match (text("jkt"), text("x5t#S256")) {
            (Some(jkt), _) => Confirmation::Dpop { jkt },
            (None, Some(thumbprint)) => Confirmation::Certificate { thumbprint },
            _ => Confirmation::Other,
        })
    }

    /// What kind of token it says it is.
    pub fn kind(&self) -> JwtKind {
        let typ = self.typ().unwrap_or_default().to_ascii_lowercase();
        let typ = typ.strip_prefix("application/").unwrap_or(&typ);
        let uses = self.claim_text("token_use").or_else(|| self.claim_text("typ")).unwrap_or_default();
        match (typ, uses.to_ascii_lowercase().as_str()) {
            ("dpop+jwt", _) => JwtKind::DpopProof,
            ("at+jwt", _) | (_, "access" | "bearer") => JwtKind::Access,
            ("logout+jwt", _) => JwtKind::Logout,
            (_, "id") => JwtKind::Id,
            (_, "refresh" | "offline") => JwtKind::Refresh,
            _ if ["at_hash", "c_hash", "nonce"].iter().any(|c| self.claim(c).is_some()) => JwtKind::Id,
            _ if self.claim("scope").is_some() || self.claim("scp").is_some() => JwtKind::Access,
            _ => JwtKind::Unknown,
        }
    }

    /// Whether the signature is right under a shared key: HS256, HS384 and HS512 (RFC 7518 section 3.2).
    /// `None` where the algorithm is another one.
    pub fn verify_hmac(&self, key: &[u8]) -> Option<bool> {
        use hmac::{Hmac, Mac};
        let input = self.signing_input.expose();
        let signature = self.signature.expose();
        Some(match self.alg()? {
            "HS256" => Hmac::<sha2::Sha256>::new_from_slice(key)
                .ok()?
                .chain_update(input)
                .verify_slice(signature)
                .is_ok(),
            "HS384" => Hmac::<sha2::Sha384>::new_from_slice(key)
                .ok()?
                .chain_update(input)
                .verify_slice(signature)
                .is_ok(),
            "HS512" => Hmac::<sha2::Sha512>::new_from_slice(key)
                .ok()?
                .chain_update(input)
                .verify_slice(signature)
                .is_ok(),
            _ => return None,
        })
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

/// The key that a token is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation<'a> {
    /// A DPoP key, by its thumbprint (RFC 9449 section 6.1).
    Dpop {
        /// The JWK's SHA-256 thumbprint, base64url.
        jkt: &'a str,
    },
    /// A client certificate, by its thumbprint (RFC 8705 section 3.1).
    Certificate {
        /// The certificate's SHA-256 thumbprint, base64url.
        thumbprint: &'a str,
    },
    /// Another method.
    Other,
}

/// What kind of token a JWT says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JwtKind {
    /// An access token (RFC 9068, or by `token_use` or `scope`).
    Access,
    /// An OpenID Connect ID token (by `token_use`, or by `nonce`, `at_hash` or `c_hash`).
    Id,
    /// A refresh token.
    Refresh,
    /// A DPoP proof (RFC 9449).
    DpopProof,
    /// A logout token.
    Logout,
    /// It does not say.
    Unknown,
}

impl JwtKind {
    /// The kind in words.
    pub fn name(self) -> &'static str {
        match self {
            JwtKind::Access => "access token",
            JwtKind::Id => "ID token",
            JwtKind::Refresh => "refresh token",
            JwtKind::DpopProof => "DPoP proof",
            JwtKind::Logout => "logout token",
            JwtKind::Unknown => "token that does not say its kind",
        }
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

fn whole(seconds: f64) -> i64 {
    // `as` saturates, and a fraction of a second decides nothing here.
    seconds as i64
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
