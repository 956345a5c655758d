//! AWS Signature Version 4.

use crate::{Refusal, equal};
use sha2::{Digest, Sha256};
use why401_auth::scheme::sigv4::{self, Request, canonical_request, sign, string_to_sign};
use why401_auth::{Element, Secret};

/// The request that was signed.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The method.
    pub method: &'a str,
    /// The target as sent.
    pub target: &'a str,
    /// The fields as sent.
    pub fields: &'a [(&'a [u8], &'a [u8])],
    /// The content.
    pub body: &'a [u8],
}

/// Verifies a signature in the `Authorization` field. `secret_of` gives the secret of an access key id; `now` is in
/// seconds since 1970.
///
/// # Errors
/// `credentials-refused` for an unknown key, `clock-skew`, `signature-mismatch`.
pub fn verify(
    credentials: &Element,
    request: &Signed<'_>,
    secret_of: impl Fn(&str) -> Option<Secret>,
    now: i64,
) -> Result<String, Refusal> {
    let given = sigv4::of_credentials(credentials);
    let (Some(key), Some(signature)) = (given.access_key.as_deref(), given.signature.as_ref()) else {
        return Refusal::err("signature-mismatch", "the field lacks Credential or Signature");
    };
    let Some(secret) = secret_of(key) else {
        return Refusal::err("credentials-refused", format!("no access key {key}"));
    };
    let date = request.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(b"x-amz-date"));
    let moment = date.map(|(_, value)| String::from_utf8_lossy(value).trim().to_owned()).unwrap_or_default();
    let Some(time) = sigv4::time(&moment) else {
        return Refusal::err("signature-mismatch", "X-Amz-Date is missing or malformed");
    };
    // AWS allows five minutes, S3 fifteen.
    if time.abs_diff(now) > 300 {
        return Refusal::err(
            "clock-skew",
            format!("the request was signed {} s ago", now.saturating_sub(time)),
        );
    }
    let hash: String = Sha256::digest(request.body).iter().map(|b| format!("{b:02x}")).collect();
    let canonical = canonical_request(
        &given,
        &Request {
            method: request.method.as_bytes(),
            target: request.target.as_bytes(),
            fields: request.fields,
            payload_hash: Some(&hash),
            normalize: true,
            token_added_later: false,
        },
    );
    let right = sign(&given, &secret, &string_to_sign(&given, &moment, &canonical));
    match right.is_some_and(|right| equal(right.expose(), signature.expose())) {
        true => Ok(key.to_owned()),
        false => {
            Refusal::err("signature-mismatch", "the signature is not the one of this request and this key")
        }
    }
}
