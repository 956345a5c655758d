//! DPoP proofs (RFC 9449).

use crate::Refusal;
use crate::jwk::VerifyingKey;
use why401_auth::token::dpop::{self, Mismatch};

/// What a proof is held against.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// The address of the request: scheme, host and path.
    pub url: &'a str,
    /// The access token that goes with it.
    pub token: &'a [u8],
    /// The nonce that the server has given out, where it wants one.
    pub nonce: Option<&'a str>,
    /// For how many seconds a proof is good, before and after its `iat`.
    pub window: i64,
    /// The present, in seconds since 1970.
    pub now: i64,
}

/// Verifies a proof; returns its `jti`, which a server may remember so as to refuse it a second time.
///
/// # Errors
/// `proof-of-possession-failed`, or `clock-skew` where only its time does not fit.
pub fn verify(proof: &[u8], rules: &Rules<'_>) -> Result<String, Refusal> {
    const CAUSE: &str = "proof-of-possession-failed";
    let Some(read) = dpop::read(proof) else { return Refusal::err(CAUSE, "the DPoP field holds no JWT") };
    if let Some(problem) = read.problems.first() {
        return Refusal::err(CAUSE, problem.what.clone());
    }
    let key = read.jwt.header.as_ref().and_then(|h| h.get("jwk")?.as_object()).and_then(VerifyingKey::of_jwk);
    let signed = key.is_some_and(|k| {
        read.jwt.alg() == Some(k.algorithm())
            && k.verifies(read.jwt.signing_input.expose(), read.jwt.signature.expose())
    });
    if !signed {
        return Refusal::err(CAUSE, "the signature of the proof does not verify");
    }
    let mismatch = read.mismatches(rules.method, Some(rules.url), Some(rules.token));
    if let Some(mismatch) = mismatch.first() {
        let what = match mismatch {
            Mismatch::Method => "htm is not the method",
            Mismatch::Address => "htu is not the address",
            Mismatch::TokenHash => "ath is the hash of another token",
            Mismatch::TokenHashMissing => "ath is missing",
            Mismatch::Key => "the token is bound to another key",
        };
        return Refusal::err(CAUSE, what);
    }
    let iat = read.iat.unwrap_or_default();
    if iat.abs_diff(rules.now) > rules.window.unsigned_abs() {
        return Refusal::err(
            "clock-skew",
            format!("the proof was made {} s ago", rules.now.saturating_sub(iat)),
        );
    }
    match rules.nonce {
        Some(wanted) if read.nonce.as_deref() != Some(wanted) => {
            Refusal::err(CAUSE, "the nonce is missing or old")
        }
        _ => Ok(read.jti.unwrap_or_default()),
    }
}
