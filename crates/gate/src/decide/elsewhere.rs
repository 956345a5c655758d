//! A request without credentials where they belong: is there a secret in another place?

use super::{Case, is_preflight};
use crate::rule::Scheme;
use why401_verify::Refusal;

/// Fields that clients which are nearly right put secrets into.
const FIELDS: &[&str] = &[
    "proxy-authorization",
    "authorization",
    "authorisation",
    "authentication",
    "x-api-key",
    "x-auth-token",
    "x-authorization",
    "api-key",
];
/// Parameters of the query, the same.
const PARAMETERS: &[&str] = &["access_token", "api_key", "apikey", "token", "password", "auth"];

pub(super) fn nothing(case: &Case<'_>) -> Refusal {
    let head = case.asked.head;
    if is_preflight(head) {
        return Refusal::new("preflight-challenged", "a CORS preflight never carries credentials");
    }
    if let Some(field) = FIELDS.iter().find(|name| head.field(name).is_some_and(|v| !v.is_empty())) {
        return Refusal::new(
            "wrong-field",
            format!("a secret may stand in {field}, which is not asked here"),
        );
    }
    let query = case.asked.target.query.as_deref().unwrap_or_default();
    let has = |name: &&&str| query.split('&').any(|p| p.split('=').next().is_some_and(|n| n == **name));
    if let Some(name) = PARAMETERS.iter().find(has) {
        return Refusal::new(
            "wrong-field",
            format!("a secret may stand in the query ({name}), which is not asked here"),
        );
    }
    if case.rule.schemes == [Scheme::Certificate] {
        return Refusal::new("client-certificate-missing", "no certificate was shown");
    }
    let what = if case.site.as_proxy { "Proxy-Authorization" } else { "Authorization" };
    let refusal = Refusal::new("no-credentials", format!("the request has no {what} field"));
    match case.site.as_proxy {
        true => Refusal { cause: "proxy-authentication-required", ..refusal },
        false => refusal,
    }
}
