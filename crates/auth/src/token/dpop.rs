//! DPoP proofs (RFC 9449): what a proof says, and whether it fits the request and the token.

use super::jwt::{self, Jwt};
use crate::base64::encode_url;
use crate::problem::{Problem, ProblemKind};
use crate::syntax::slice;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::ops::Range;

/// A DPoP proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The proof as a JWT.
    pub jwt: Jwt,
    /// The method it was made for.
    pub htm: Option<String>,
    /// The address it was made for, without query and fragment.
    pub htu: Option<String>,
    /// When it was made, in seconds since 1970.
    pub iat: Option<i64>,
    /// Its own identifier.
    pub jti: Option<String>,
    /// The server's nonce.
    pub nonce: Option<String>,
    /// The hash of the access token.
    pub ath: Option<String>,
    /// The thumbprint of its key (RFC 7638), which `cnf.jkt` of the token must equal.
    pub jkt: Option<String>,
    /// What is wrong, with ranges in the field value.
    pub problems: Vec<Problem>,
}

/// Reads the value of a `DPoP` field; `None` where it is no JWT at all.
pub fn read(value: &[u8]) -> Option<Proof> {
    let range = crate::syntax::trimmed(value, 0..value.len());
    if !jwt::looks_like(slice(value, &range)) {
        return None;
    }
    let jwt = jwt::read(value, range.clone());
    let mut problems = jwt.problems.clone();
    let header = jwt.parts.first().cloned().unwrap_or(range.clone());
    let payload = jwt.parts.get(1).cloned().unwrap_or(range.clone());
    let mut bad =
        |range: &Range<usize>, kind, what: &str| problems.push(Problem::new(range.clone(), kind, what));
    if !jwt.typ().is_some_and(|t| t.eq_ignore_ascii_case("dpop+jwt")) {
        bad(&header, ProblemKind::BadValue, "typ is not dpop+jwt");
    }
    if jwt.alg().is_some_and(|a| a.starts_with("HS") || a == "none") {
        bad(&header, ProblemKind::BadValue, "alg is not an asymmetric algorithm");
    }
    let jwk = jwt.header.as_ref().and_then(|h| h.get("jwk")).and_then(Value::as_object);
    match jwk {
        None => bad(&header, ProblemKind::Missing, "jwk is missing: the proof brings its public key along"),
        Some(jwk) if ["d", "p", "k"].iter().any(|secret| jwk.contains_key(*secret)) => {
            bad(&header, ProblemKind::BadValue, "jwk holds a private key");
        }
        Some(_) => {}
    }
    for name in ["jti", "htm", "htu", "iat"] {
        if jwt.claims.is_some() && jwt.claim(name).is_none() {
            bad(&payload, ProblemKind::Missing, &format!("{name} is missing"));
        }
    }
    let text = |name: &str| jwt.claim_text(name).map(str::to_string);
    Some(Proof {
        htm: text("htm"),
        htu: text("htu"),
        iat: jwt.iat(),
        jti: text("jti"),
        nonce: text("nonce"),
        ath: text("ath"),
        jkt: jwk.and_then(thumbprint),
        jwt,
        problems,
    })
}

/// The SHA-256 thumbprint of a public key (RFC 7638), base64url. `None` where a member that counts is missing.
pub fn thumbprint(jwk: &Map<String, Value>) -> Option<String> {
    let names: &[&str] = match jwk.get("kty")?.as_str()? {
        "EC" => &["crv", "kty", "x", "y"],
        "RSA" => &["e", "kty", "n"],
        "OKP" => &["crv", "kty", "x"],
        "oct" => &["k", "kty"],
        _ => return None,
    };
    let mut members = Vec::new();
    for name in names {
        members.push(format!("\"{name}\":{}", Value::String(jwk.get(*name)?.as_str()?.to_string())));
    }
    Some(encode_url(&Sha256::digest(format!("{{{}}}", members.join(",")))))
}

/// The hash of an access token that `ath` must equal (RFC 9449 section 4.2).
pub fn access_token_hash(token: &[u8]) -> String {
    encode_url(&Sha256::digest(token))
}

/// What of a proof does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mismatch {
    /// The method is another one.
    Method,
    /// The address is another one.
    Address,
    /// The hash is another token's.
    TokenHash,
    /// The token goes with the request, and the proof has no hash of it.
    TokenHashMissing,
    /// The token is bound to another key.
    Key,
}

impl Proof {
    /// Holds the proof against the request and the access token that goes with it. `url` is the address of the
    /// request (scheme, host and path); `None` where it is not known.
    pub fn mismatches(&self, method: &str, url: Option<&str>, token: Option<&[u8]>) -> Vec<Mismatch> {
        let mut found = Vec::new();
        if self.htm.as_deref().is_some_and(|htm| htm != method) {
            found.push(Mismatch::Method);
        }
        if let (Some(htu), Some(url)) = (&self.htu, url)
            && normalize(htu) != normalize(url)
        {
            found.push(Mismatch::Address);
        }
        let Some(token) = token else { return found };
        match &self.ath {
            None => found.push(Mismatch::TokenHashMissing),
            Some(ath) if *ath != access_token_hash(token) => found.push(Mismatch::TokenHash),
            Some(_) => {}
        }
        if jwt::looks_like(token) {
            let bound = jwt::read(token, 0..token.len());
            if let (Some(jwt::Confirmation::Dpop { jkt }), Some(own)) = (bound.confirmation(), &self.jkt)
                && jkt != own
            {
                found.push(Mismatch::Key);
            }
        }
        found
    }
}

/// As RFC 9449 section 4.3 compares addresses: without query and fragment, scheme and host in lower case, the
/// default port left out, an empty path as `/`.
fn normalize(url: &str) -> String {
    let bare = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = bare.split_once("://") else { return bare.to_string() };
    let scheme = scheme.to_ascii_lowercase();
    let (host, path) = match rest.find('/') {
        Some(i) => rest.split_at_checked(i).unwrap_or((rest, "")),
        None => (rest, "/"),
    };
    let host = host.to_ascii_lowercase();
    let port = if scheme == "https" { ":443" } else { ":80" };
    let host = host.strip_suffix(port).unwrap_or(&host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(claims: &str) -> Proof {
        // The key of RFC 9449 section 4.1.
        let header = r#"{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}}"#;
        let text = [header.as_bytes(), claims.as_bytes(), &[1; 64]].map(encode_url).join(".");
        read(text.as_bytes()).unwrap()
    }

    #[test]
    fn thumbprint_and_hash_of_rfc_9449() {
        let p = proof(
            r#"{"jti":"x","htm":"GET","htu":"https://resource.example.org/protectedresource","iat":1562262618,"ath":"fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"}"#,
        );
        assert_eq!(p.problems, []);
        assert_eq!(p.jkt.as_deref(), Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"));
        let token = b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
        let url = Some("HTTPS://Resource.Example.org:443/protectedresource?query#fragment");
        assert_eq!(p.mismatches("GET", url, Some(token)), []);
        assert_eq!(
            p.mismatches("POST", Some("http://resource.example.org/protectedresource"), Some(b"x")),
            [Mismatch::Method, Mismatch::Address, Mismatch::TokenHash]
        );
    }

    #[test]
    fn a_token_bound_to_another_key_is_seen() {
        let bound =
            [&br#"{"alg":"ES256"}"#[..], br#"{"cnf":{"jkt":"another"}}"#, &[1; 64]].map(encode_url).join(".");
        let p = proof(r#"{"jti":"x","htm":"GET","htu":"https://a.example/","iat":1}"#);
        assert_eq!(
            p.mismatches("GET", None, Some(bound.as_bytes())),
            [Mismatch::TokenHashMissing, Mismatch::Key]
        );
    }
}
