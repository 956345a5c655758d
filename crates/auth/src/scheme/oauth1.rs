//! OAuth 1.0 (RFC 5849 section 3.5.1): protocol parameters in `Authorization`.

use crate::Secret;
use crate::field::Credentials;
use crate::percent;
use crate::problem::{Problem, ProblemKind};

/// OAuth 1.0 credentials; all values are percent-decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuth1 {
    /// The realm.
    pub realm: Option<String>,
    /// The client's identifier.
    pub consumer_key: Option<String>,
    /// The token's identifier.
    pub token: Option<Secret>,
    /// `HMAC-SHA1`, `RSA-SHA1`, `PLAINTEXT`, or another one (`HMAC-SHA256` is common).
    pub signature_method: Option<String>,
    /// When it was signed, in seconds since 1970.
    pub timestamp: Option<i64>,
    /// The nonce.
    pub nonce: Option<String>,
    /// The signature.
    pub signature: Option<Secret>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Reads OAuth 1.0 credentials.
pub fn of_credentials(credentials: &Credentials) -> OAuth1 {
    let mut problems = Vec::new();
    let mut bad = |range, kind, what: String| problems.push(Problem::new(range, kind, what));
    let text = |name: &str| {
        credentials
            .param(name)
            .filter(|p| p.is_clean())
            .map(|p| String::from_utf8_lossy(&percent::decode(p.bytes())).into_owned())
    };
    let method = text("oauth_signature_method");
    let plain = method.as_deref() == Some("PLAINTEXT");
    let needed: &[&str] = if plain { &[] } else { &["oauth_timestamp", "oauth_nonce"] };
    for name in ["oauth_consumer_key", "oauth_signature_method", "oauth_signature"].iter().chain(needed) {
        if credentials.param(name).is_none() {
            bad(credentials.scheme.range.clone(), ProblemKind::Missing, format!("{name} is missing"));
        }
    }
    let timestamp = text("oauth_timestamp").and_then(|t| t.parse::<i64>().ok());
    if let Some(p) = credentials.param("oauth_timestamp")
        && timestamp.is_none_or(|t| !(0..100_000_000_000).contains(&t))
    {
        let what = "oauth_timestamp is not a number of seconds since 1970";
        bad(p.raw_range.clone(), ProblemKind::BadValue, what.to_string());
    }
    if let Some(p) = credentials.param("oauth_version")
        && p.bytes() != b"1.0"
    {
        bad(p.raw_range.clone(), ProblemKind::BadValue, "oauth_version is not 1.0".to_string());
    }
    OAuth1 {
        realm: credentials.clean_text("realm").map(|t| t.into_owned()),
        consumer_key: text("oauth_consumer_key"),
        token: text("oauth_token").map(Secret::new),
        signature_method: method,
        timestamp,
        nonce: text("oauth_nonce"),
        signature: text("oauth_signature").map(Secret::new),
        problems,
    }
}
