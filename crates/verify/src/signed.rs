//! Requests that are signed with a shared secret: a MAC over the content, and HTTP Message Signatures (RFC 9421).

use crate::{Refusal, equal};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use why401_auth::Secret;
use why401_auth::message_signatures::{signature, signature_input};

/// HMAC-SHA-256 in hexadecimal digits, as webhooks carry it.
pub fn mac_hex(secret: &Secret, content: &[u8]) -> String {
    mac(secret, content).iter().map(|b| format!("{b:02x}")).collect()
}

fn mac(secret: &Secret, content: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(secret.expose())
        .map(|m| m.chain_update(content).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

/// Verifies a field such as `X-Hub-Signature-256: sha256=...` over the content.
///
/// # Errors
/// `signature-mismatch`.
pub fn verify_content(field: &[u8], secret: &Secret, content: &[u8]) -> Result<(), Refusal> {
    let given = field.trim_ascii();
    let given = given.strip_prefix(b"sha256=").unwrap_or(given).to_ascii_lowercase();
    match equal(mac_hex(secret, content).as_bytes(), &given) {
        true => Ok(()),
        false => Refusal::err("signature-mismatch", "the MAC is not the one of the content as received"),
    }
}

/// The parts of a request that may be signed.
#[derive(Debug, Clone, Copy)]
pub struct Components<'a> {
    /// The method.
    pub method: &'a str,
    /// Host and port.
    pub authority: &'a str,
    /// The path without its query.
    pub path: &'a str,
    /// The query with its question mark.
    pub query: &'a str,
    /// The fields as sent.
    pub fields: &'a [(&'a [u8], &'a [u8])],
}

/// The signature base (RFC 9421 section 2.5) of `names`, with `params` as they stand in `Signature-Input`.
pub fn base(names: &[&str], params: &str, request: &Components<'_>) -> Option<String> {
    let mut text = String::new();
    for name in names {
        let value = match *name {
            "@method" => request.method.to_owned(),
            "@authority" => request.authority.to_ascii_lowercase(),
            "@path" => request.path.to_owned(),
            "@query" => if request.query.is_empty() { "?" } else { request.query }.to_owned(),
            _ => {
                let values: Vec<_> = request
                    .fields
                    .iter()
                    .filter(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()))
                    .map(|(_, v)| String::from_utf8_lossy(v.trim_ascii()).into_owned())
                    .collect();
                if values.is_empty() {
                    return None;
                }
                values.join(", ")
            }
        };
        text.push_str(&format!("\"{name}\": {value}\n"));
    }
    text.push_str(&format!("\"@signature-params\": {params}"));
    Some(text)
}

/// Signs with hmac-sha256 (RFC 9421 section 3.3.3); the outcome is base64.
pub fn sign(secret: &Secret, base: &str) -> String {
    why401_auth::base64::encode(&mac(secret, base.as_bytes()))
}

/// Verifies the first signature of `Signature-Input` and `Signature` with hmac-sha256.
///
/// # Errors
/// `signature-mismatch`, `clock-skew`.
pub fn verify_message(
    input: &[u8],
    given: &[u8],
    request: &Components<'_>,
    secret: &Secret,
    now: i64,
) -> Result<(), Refusal> {
    let mismatch = |says: &str| Refusal::err("signature-mismatch", says);
    let (inputs, signatures) = (signature_input(input), signature(given));
    let Some(first) = inputs.value.first() else { return mismatch("Signature-Input cannot be read") };
    let Some(found) = signatures.value.iter().find(|s| s.label == first.label) else {
        return mismatch("Signature has no member of that label");
    };
    let text = String::from_utf8_lossy(input);
    let params = text.split_once('=').map(|(_, p)| p.trim()).unwrap_or_default();
    let names: Vec<&str> = first.components.iter().map(|c| c.name.as_str()).collect();
    let Some(base) = base(&names, params, request) else {
        return mismatch("a signed component is not in the request");
    };
    if !equal(sign(secret, &base).as_bytes(), encoded(found.signature.expose()).as_bytes()) {
        return mismatch("the signature is not the one of this request");
    }
    match first.created.filter(|c| c.abs_diff(now) > 300) {
        Some(created) => Refusal::err("clock-skew", format!("signed {} s ago", now.saturating_sub(created))),
        None => Ok(()),
    }
}

fn encoded(signature: &[u8]) -> String {
    why401_auth::base64::encode(signature)
}
