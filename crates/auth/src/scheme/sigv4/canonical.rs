//! The canonical request and the string to sign, so that a mismatch can be shown line by line.

use super::Sigv4;
use crate::Secret;
use crate::percent::{encode, encode_except};
use crate::syntax::hex;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// The request as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a [u8],
    /// The target: path and query.
    pub target: &'a [u8],
    /// The fields in their order, as they were sent.
    pub fields: &'a [(&'a [u8], &'a [u8])],
    /// The hash of the content in hexadecimal digits, or `UNSIGNED-PAYLOAD`. `None`: what `x-amz-content-sha256`
    /// says, else the hash of nothing.
    pub payload_hash: Option<&'a str>,
    /// Whether `.`, `..` and doubled slashes in the path are resolved: for every service but S3.
    pub normalize: bool,
    /// Whether `X-Amz-Security-Token` was put into the query after signing, as AWS IoT has it.
    pub token_added_later: bool,
}

/// The canonical request for the signed fields that `signature` names.
pub fn canonical_request(signature: &Sigv4, request: &Request<'_>) -> String {
    let (path, query) = split(request.target);
    let payload = payload_hash(signature, request);
    let names = &signature.signed_headers;
    let mut text = format!(
        "{}\n{}\n{}\n",
        String::from_utf8_lossy(request.method),
        canonical_path(signature, path, request.normalize),
        canonical_query(query, request.token_added_later)
    );
    let mut values: HashMap<Vec<u8>, Vec<String>> = HashMap::new();
    for (name, value) in request.fields {
        values.entry(name.to_ascii_lowercase()).or_default().push(collapse(value));
    }
    for name in names {
        let name = name.to_ascii_lowercase();
        let value = values.get(name.as_bytes()).map(|v| v.join(",")).unwrap_or_default();
        text.push_str(&format!("{name}:{value}\n"));
    }
    text.push_str(&format!("\n{}\n{payload}", names.join(";")));
    text
}

fn split(target: &[u8]) -> (&[u8], &[u8]) {
    match target.iter().position(|b| *b == b'?') {
        Some(i) => (target.get(..i).unwrap_or_default(), target.get(i + 1..).unwrap_or_default()),
        None => (target, &[]),
    }
}

fn payload_hash(signature: &Sigv4, request: &Request<'_>) -> String {
    if let Some(hash) = request.payload_hash {
        return hash.to_string();
    }
    let field = request.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case(b"x-amz-content-sha256"));
    match field {
        Some((_, value)) => String::from_utf8_lossy(value).trim().to_string(),
        None if signature.presigned && is_s3(signature) => "UNSIGNED-PAYLOAD".to_string(),
        None => hex(&Sha256::digest(b"")),
    }
}

fn is_s3(signature: &Sigv4) -> bool {
    signature.scope.as_ref().is_some_and(|s| s.service == "s3" || s.service == "s3-object-lambda")
}

/// Every service but S3 encodes the path once more than it stands in the request line.
fn canonical_path(signature: &Sigv4, path: &[u8], normalize: bool) -> String {
    let path = if path.is_empty() { &b"/"[..] } else { path };
    if is_s3(signature) {
        return encode_except(path, |b| b == b'/' || b == b'%');
    }
    let path = if normalize { resolve(path) } else { path.to_vec() };
    encode_except(&path, |b| b == b'/')
}

/// Without `.`, `..` and empty segments (RFC 3986 section 5.2.4, and what AWS adds to it).
fn resolve(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    for segment in path.split(|b| *b == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    let mut out = Vec::with_capacity(path.len());
    for segment in &kept {
        out.push(b'/');
        out.extend_from_slice(segment);
    }
    let directory = path.ends_with(b"/") || path.ends_with(b"/.") || path.ends_with(b"/..");
    if kept.is_empty() || directory {
        out.push(b'/');
    }
    out
}

/// Sorted pairs, each part decoded and encoded anew; without the signature itself.
fn canonical_query(query: &[u8], token_added_later: bool) -> String {
    if query.is_empty() {
        return String::new();
    }
    let mut pairs: Vec<(String, String)> = super::query_pairs(query, 0)
        .filter(|(name, value, _)| !(name.is_empty() && value.is_empty()))
        .filter(|(name, _, _)| name != b"X-Amz-Signature" && name != b"X-Goog-Signature")
        .filter(|(name, _, _)| !(token_added_later && name == b"X-Amz-Security-Token"))
        .map(|(name, value, _)| (encode(&name), encode(&value)))
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// A value without white space at its ends, and with one space for each run of it.
fn collapse(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// The string to sign: algorithm, moment (`YYYYMMDDTHHMMSSZ`), scope, and the hash of the canonical request.
pub fn string_to_sign(signature: &Sigv4, moment: &str, canonical: &str) -> String {
    let scope = signature.scope.as_ref().map(super::Scope::text).unwrap_or_default();
    format!("{}\n{moment}\n{scope}\n{}", signature.algorithm, hex(&Sha256::digest(canonical.as_bytes())))
}

/// The signature of a string to sign with a secret access key, in hexadecimal digits (AWS4-HMAC-SHA256 only).
pub fn sign(signature: &Sigv4, secret_key: &Secret, string_to_sign: &str) -> Option<Secret> {
    let scope = signature.scope.as_ref()?;
    let mut key = [b"AWS4", secret_key.expose()].concat();
    for part in [&scope.date, &scope.region, &scope.service, &scope.terminator] {
        key = mac(&key, part.as_bytes())?;
    }
    Some(Secret::new(hex(&mac(&key, string_to_sign.as_bytes())?)))
}

fn mac(key: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    Some(mac.chain_update(text).finalize().into_bytes().to_vec())
}
