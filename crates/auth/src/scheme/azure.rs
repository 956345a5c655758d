//! Azure's keys: Shared Key of Storage, and shared access signatures of Service Bus, Event Hubs and IoT Hub.
//!
//! <https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-with-shared-key>,
//! <https://learn.microsoft.com/en-us/rest/api/eventhub/generate-sas-token>

use crate::Secret;
use crate::percent;
use crate::problem::{Problem, ProblemKind};
use crate::syntax::slice;
use std::ops::Range;

/// `SharedKey account:signature` and `SharedKeyLite account:signature`; also `AWS key:signature` of Amazon S3's
/// Signature Version 2, which has the same form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountSignature {
    /// The account or access key, which is no secret.
    pub account: String,
    /// The signature.
    pub signature: Option<Secret>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Reads `account:signature`, `range` of the field's `value`.
pub fn account_signature(value: &[u8], range: Range<usize>) -> AccountSignature {
    let text = slice(value, &range);
    let mut problems = Vec::new();
    let Some(colon) = text.iter().position(|b| *b == b':') else {
        problems.push(Problem::new(range, ProblemKind::NoColon, "no colon between account and signature"));
        return AccountSignature { account: String::new(), signature: Some(Secret::new(text)), problems };
    };
    let signature = range.start + colon + 1..range.end;
    let decoded = crate::base64::decode(value, signature.clone(), crate::base64::Alphabet::Standard);
    problems.extend(decoded.problems.clone());
    if !matches!(decoded.bytes.len(), 20 | 32) {
        let what = "the signature is not the base64 of an HMAC (20 or 32 bytes)";
        problems.push(Problem::new(signature.clone(), ProblemKind::BadValue, what));
    }
    AccountSignature {
        account: String::from_utf8_lossy(text.get(..colon).unwrap_or_default()).into_owned(),
        signature: Some(Secret::new(slice(value, &signature))),
        problems,
    }
}

/// `SharedAccessSignature sr=...&sig=...&se=...&skn=...`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SharedAccess {
    /// The resource it is good for.
    pub resource: Option<String>,
    /// The name of the policy whose key signed it.
    pub key_name: Option<String>,
    /// Until when it is good, in seconds since 1970.
    pub expires: Option<i64>,
    /// The signature.
    pub signature: Option<Secret>,
    /// Where the moment of expiry stands.
    pub expires_range: Range<usize>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Reads a shared access signature, `range` of the field's `value`.
pub fn shared_access(value: &[u8], range: Range<usize>) -> SharedAccess {
    let mut found = SharedAccess::default();
    let mut at = range.start;
    for pair in slice(value, &range).split(|b| *b == b'&') {
        let place = at..at + pair.len();
        at = place.end + 1;
        let split = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
        let text = percent::decode(pair.get(split + 1..).unwrap_or_default());
        let text_lossy = String::from_utf8_lossy(&text).into_owned();
        match pair.get(..split).unwrap_or_default() {
            b"sr" => found.resource = Some(text_lossy),
            b"skn" => found.key_name = Some(text_lossy),
            b"sig" => found.signature = Some(Secret::new(text)),
            b"se" => {
                found.expires = text_lossy.parse().ok();
                if found.expires.is_none() {
                    let what = "se is not a number of seconds since 1970";
                    found.problems.push(Problem::new(place.clone(), ProblemKind::BadValue, what));
                }
                found.expires_range = place;
            }
            _ => {}
        }
    }
    for (name, missing) in [
        ("sr", found.resource.is_none()),
        ("se", found.expires.is_none()),
        ("sig", found.signature.is_none()),
    ] {
        if missing {
            found.problems.push(Problem::new(
                range.clone(),
                ProblemKind::Missing,
                format!("{name} is missing"),
            ));
        }
    }
    found
}
