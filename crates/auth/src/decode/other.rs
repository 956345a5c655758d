//! Fields beside challenges and credentials that carry authentication.

use super::{Decoded, carried};
use crate::cookie;
use crate::message_signatures as signatures;
use crate::placeholder;
use crate::problem::Problem;
use crate::scheme::sigv4;
use crate::secret::mask;
use crate::time::rfc3339;
use crate::token::{self, dpop};
use serde_json::{Value, json};

/// Fields that are known, as they are customarily written.
const NAMES: &[&str] = &[
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Authorization",
    "Proxy-Authorization",
    "Authentication-Info",
    "Proxy-Authentication-Info",
    "DPoP",
    "DPoP-Nonce",
    "Signature-Input",
    "Signature",
    "Cookie",
    "Set-Cookie",
    "X-Api-Key",
    "Api-Key",
    "X-Auth-Token",
    "X-Access-Token",
    "X-Amz-Date",
    "X-Amz-Security-Token",
    "X-Amz-Content-Sha256",
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "Private-Token",
    "Job-Token",
    "X-Goog-Api-Key",
    "Ocp-Apim-Subscription-Key",
    "X-CSRF-Token",
    "X-Vault-Token",
    "X-Functions-Key",
    "X-Shopify-Access-Token",
    "Cookie2",
];

/// How a field's name is customarily written, given in lower case.
pub(super) fn canonical(lower: &str) -> Option<&'static str> {
    NAMES.iter().find(|n| n.eq_ignore_ascii_case(lower)).copied()
}

pub(super) fn decode(name: &str, lower: &str, value: &[u8], show: bool) -> Decoded {
    let mut decoded = Decoded::new(name, true);
    let (inside, problems) = match lower {
        "authentication-info" | "proxy-authentication-info" => info(value, show),
        "dpop" => proof(value, show),
        "dpop-nonce" => (json!({ "kind": "dpop-nonce", "length": value.len() }), Vec::new()),
        "signature-input" => signature_input(value),
        "signature" => signature(value, show),
        "cookie" => cookies(value, show),
        "set-cookie" => set_cookie(value, show),
        "x-amz-date" => date(value),
        "x-amz-content-sha256" => {
            (json!({ "kind": "payload-hash", "value": String::from_utf8_lossy(value) }), Vec::new())
        }
        _ => one_token(value, show),
    };
    decoded.ok = problems.is_empty();
    decoded.inside = inside;
    decoded.add_problems(&problems);
    decoded
}

/// `Authentication-Info = #auth-param` (RFC 9110 section 11.6.3).
fn info(value: &[u8], show: bool) -> (Value, Vec<Problem>) {
    let parsed = crate::parse_params(value);
    let params: Vec<Value> =
        parsed.value.iter().map(|p| json!([p.name, super::param(p, show, true)])).collect();
    (json!({ "kind": "authentication-info", "params": params }), parsed.problems)
}

fn proof(value: &[u8], show: bool) -> (Value, Vec<Problem>) {
    let Some(proof) = dpop::read(value) else { return one_token(value, show) };
    let mut inside = carried::jwt(&proof.jwt, show);
    if let Value::Object(map) = &mut inside {
        map.insert("kind".into(), "dpop-proof".into());
        map.insert("jkt".into(), json!(proof.jkt));
    }
    (inside, proof.problems)
}

fn signature_input(value: &[u8]) -> (Value, Vec<Problem>) {
    let parsed = signatures::signature_input(value);
    let list: Vec<Value> = parsed
        .value
        .iter()
        .map(|s| {
            carried::object(json!({
                "label": s.label,
                "components": s.components.iter().map(|c| format!("{}{}", c.name, c.parameters)).collect::<Vec<_>>(),
                "created": s.created.map(rfc3339),
                "expires": s.expires.map(rfc3339),
                "keyid": s.keyid,
                "alg": s.alg,
                "nonce": s.nonce,
                "tag": s.tag,
            }))
        })
        .collect();
    (json!({ "kind": "signature-input", "signatures": list }), parsed.problems)
}

fn signature(value: &[u8], show: bool) -> (Value, Vec<Problem>) {
    let parsed = signatures::signature(value);
    let list: Vec<Value> = parsed
        .value
        .iter()
        .map(|s| {
            let text = crate::base64::encode(s.signature.expose());
            json!({ "label": s.label, "length": s.signature.len(), "signature": if show { text } else { mask(text.as_bytes()) } })
        })
        .collect();
    (json!({ "kind": "signature", "signatures": list }), parsed.problems)
}

fn cookie_value(value: &[u8], range: &std::ops::Range<usize>, show: bool) -> (Value, Value, Vec<Problem>) {
    let found = token::read(value, range.clone());
    let shown = if show { found.text.expose_text().into_owned() } else { found.text.masked() };
    match &found.jwt {
        Some(jwt) => (Value::String(shown), carried::jwt(jwt, show), found.problems.clone()),
        None => (Value::String(shown), Value::Null, Vec::new()),
    }
}

fn cookies(value: &[u8], show: bool) -> (Value, Vec<Problem>) {
    let mut problems = Vec::new();
    let list: Vec<Value> = cookie::cookies(value)
        .iter()
        .take(1000)
        .map(|c| {
            let (shown, jwt, faults) = cookie_value(value, &c.value, show);
            problems.extend(faults);
            carried::object(json!({ "name": c.name, "value": shown, "inside": jwt }))
        })
        .collect();
    (json!({ "kind": "cookies", "cookies": list }), problems)
}

fn set_cookie(value: &[u8], show: bool) -> (Value, Vec<Problem>) {
    let set = cookie::set_cookie(value);
    let (shown, jwt, mut problems) = cookie_value(value, &set.cookie.value, show);
    problems.extend(set.problems);
    let attributes: Vec<Value> = set.attributes.iter().map(|(n, v)| json!([n, v])).collect();
    let inside = json!({
        "kind": "set-cookie", "name": set.cookie.name, "value": shown, "attributes": attributes, "inside": jwt,
    });
    (carried::object(inside), problems)
}

fn date(value: &[u8]) -> (Value, Vec<Problem>) {
    let text = String::from_utf8_lossy(value);
    let time = sigv4::time(text.trim());
    let what = "not of the form YYYYMMDDTHHMMSSZ";
    let problem = Problem::new(0..value.len(), crate::ProblemKind::BadValue, what);
    let problems = if time.is_none() { vec![problem] } else { Vec::new() };
    (json!({ "kind": "date", "value": text, "time": time.map(rfc3339) }), problems)
}

/// A field whose whole value is one secret, or a presigned address.
fn one_token(value: &[u8], show: bool) -> (Value, Vec<Problem>) {
    if let Some(signed) = sigv4::of_target(value) {
        return (carried::sigv4_of(&signed, show), signed.problems);
    }
    let range = crate::syntax::trimmed(value, 0..value.len());
    let found = token::read(value, range);
    // A scheme before the key, as these fields do not have it.
    let credentials = crate::parse_credentials(value);
    let scheme =
        credentials.value.first().filter(|c| crate::scheme::known(&c.scheme.name).is_some() && !c.is_bare());
    if let Some(c) = scheme
        && placeholder::find(value).is_none()
    {
        let what = "an auth-scheme before the secret, which this field does not have";
        let problem = Problem::new(c.scheme.range.clone(), crate::ProblemKind::SchemeDoubled, what);
        return (carried::of_credentials(&crate::inside::of(value, c), show), vec![problem]);
    }
    (carried::token(&found, show), found.problems)
}
