//! The token allows too little.

use crate::cause::{Answer, Claim, cause};
use crate::reading::token::{self, Carried};
use crate::reading::{at_most, quoted, settle};
use crate::{Scene, Step};
use serde_json::Value;
use why401_auth::scheme::bearer::BearerError;
use why401_auth::token::jwt::Jwt;
use why401_report::{Certainty, Party};

cause! {
    /// The token is valid but lacks a scope or permission.
    ///
    /// # What happened
    /// The server took the token for what it is and found that it does not allow this request. RFC 6750 wants 403 for
    /// that; many servers answer 401.
    ///
    /// # How it is decided
    /// `error="insufficient_scope"` in the challenge, or the server's word: certain. A challenge that names the scopes
    /// it wants, and a token whose own claims lack one of them: likely.
    ///
    /// # Who acts
    /// Whoever writes or configures the client, or grants it its rights.
    ///
    /// # What to do
    /// Ask for the missing scope when getting the token (and have it consented to or granted), then use the new token:
    /// an old one does not change.
    ///
    /// # Evidence needed
    /// The challenge, and the token's `scope` or `scp`.
    ///
    /// # Not to be confused with
    /// resource-hidden: a registry asks for a scope that nobody can have, because there is no such repository.
    /// wrong-audience: the scopes are those of another service. forbidden: no scope would help.
    ///
    /// # References
    /// RFC 6750 section 3.1 (insufficient_scope); RFC 9068 section 2.2.3 (scope); the distribution project's token
    /// specification (access).
    pub ScopeMissing = "scope-missing" in Token, Fault by Caller, over ["credentials-refused", "forbidden"]
}

impl ScopeMissing {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        // Without any token there is none that could lack a scope.
        let without = |s: &Step<'_>| {
            s.attempt.shows_credentials()
                && !s.attempt.carries_credentials()
                && s.other_credentials(scene).is_none()
        };
        if scene.refused().is_some_and(without) {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("scope-missing", "the token lacks a permission");
        // A registry's client puts it into its own words, and says what else it may be.
        let hidden = scene.heard_of("resource-hidden").next().is_some();
        let told = if hidden || scene.refused().is_some_and(of_registry) {
            told.map(|c| at_most(c, Certainty::Likely))
        } else {
            told
        };
        settle(scene.refused().and_then(|step| look(scene, step)), told, advise)
    }
}

fn look(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (offered, element, challenge) = token::challenge(step)?;
    let says_so = challenge.error == Some(BearerError::InsufficientScope);
    let carried = token::carried(step);
    let jwt = carried.as_ref().and_then(Carried::jwt);
    let missing = jwt.map(|j| missing(j, &challenge.scope)).unwrap_or_default();
    let denied = matches!(challenge.error, Some(BearerError::InvalidToken | BearerError::InvalidRequest));
    if !says_so && (missing.is_empty() || denied) {
        return None;
    }
    let mut claim = Claim::new(match (missing.is_empty(), challenge.scope.is_empty()) {
        (false, _) => format!("the token lacks {}, which the server wants", quoted(&missing.join(" "))),
        (true, false) => format!(
            "the server wants {} and says that the token does not allow it",
            quoted(&challenge.scope.join(" "))
        ),
        (true, true) => "the server says that the token lacks a scope".to_owned(),
    });
    let mark =
        ["error", "scope"].iter().find_map(|n| element.param(n)).map_or(element.range.clone(), |p| p.range());
    claim = claim.shown([scene.show_in_field(offered.view, offered.field, mark, "the server's reason")]);
    if let (Some(carried), Some(jwt)) = (&carried, jwt) {
        let claims = ["scope", "scp", "access"].iter().find_map(|n| jwt.claim_range(n));
        let have = jwt.scopes().join(" ");
        let says = if have.is_empty() {
            "the token's rights".to_owned()
        } else {
            format!("the token has {}", quoted(&have))
        };
        claim = claim.shown(claims.map(|r| scene.show_in_field(carried.view, carried.field, r, says)));
    }
    let registry = of_registry(step);
    if registry {
        claim = claim.or("resource-hidden", "whether the repository exists under this very name: a registry says the same of one that does not");
    }
    let certain = says_so && !registry;
    Some(at_most(claim, if certain { Certainty::Certain } else { Certainty::Likely }))
}

/// Whether the challenge is a registry's: it says the same of a repository that it does not have.
fn of_registry(step: &Step<'_>) -> bool {
    token::challenge(step).is_some_and(|(_, _, c)| c.scope.iter().any(|s| s.starts_with("repository:")))
}

/// The scopes wanted that the token does not have; none where it says nothing of scopes.
fn missing(jwt: &Jwt, wanted: &[String]) -> Vec<String> {
    let have = jwt.scopes();
    if have.is_empty() {
        // A registry's token lists what it allows in `access`.
        let Some(Value::Array(access)) = jwt.claim("access") else { return Vec::new() };
        return if access.is_empty() { wanted.to_vec() } else { Vec::new() };
    }
    wanted.iter().filter(|w| !have.contains(&w.as_str())).cloned().collect()
}

fn advise(claim: Claim) -> Claim {
    claim.fix(
        Party::Caller,
        "Ask for the missing scope when getting the token, have it granted, and use the new token: the old one does not change.",
    )
}
