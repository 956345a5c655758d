//! Bearer (RFC 6750) with JWTs.

use super::{Case, Known, standing};
use why401_verify::{Refusal, jwt};

/// The challenge: an error only where a token was sent (RFC 6750 section 3.1).
pub(super) fn challenge(case: &Case<'_>, refusal: &Refusal) -> String {
    let scope = case.rule.scope.as_ref().map(|s| format!(", scope=\"{s}\"")).unwrap_or_default();
    let error = match refusal.cause {
        "scope-missing" => ", error=\"insufficient_scope\"",
        "token-expired"
        | "token-malformed"
        | "token-not-yet-valid"
        | "clock-skew"
        | "wrong-audience"
        | "wrong-issuer"
        | "bad-signature"
        | "wrong-token-type" => ", error=\"invalid_token\"",
        _ => "",
    };
    format!("Bearer realm=\"{}\"{scope}{error}", case.site.realm)
}

pub(super) fn verify(case: &Case<'_>, token: &[u8]) -> Result<Known, Refusal> {
    let Some(rules) = &case.setup.config.bearer else {
        return Err(Refusal::new("server-misconfigured", "there is no section [bearer]"));
    };
    let keys = case.setup.keys.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    let Some(keys) = keys.as_ref() else {
        return Err(Refusal::new("auth-backend-down", "the key set has not been had yet"));
    };
    let wanted = jwt::Rules {
        issuer: &rules.issuer,
        audience: &rules.audience,
        scope: case.rule.scope.as_deref(),
        leeway: rules.leeway,
        now: case.asked.now,
    };
    let read = jwt::verify(token, keys, &wanted)?;
    let Some(user) = read.claim_text(&rules.user_claim) else {
        return Err(Refusal::new("token-malformed", format!("the token has no claim {}", rules.user_claim)));
    };
    standing(case, user)?;
    let claims = read.claims.as_ref().and_then(|c| c.get(&rules.groups_claim)).and_then(|v| v.as_array());
    let groups = claims.into_iter().flatten().filter_map(|g| g.as_str().map(str::to_owned)).collect();
    Ok(Known { user: user.to_owned(), groups })
}
