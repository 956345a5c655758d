//! Digest (RFC 7616), with a count that rises.

use super::{Case, Known, failed, standing};
use crate::state::Count;
use why401_auth::Secret;
use why401_auth::scheme::digest::{Algorithm, DigestCredentials};
use why401_verify::Refusal;
use why401_verify::digest::{Challenge, Freshness, Nonces, Request, verify as compare};

const OPAQUE: &str = "why401";

fn nonces(case: &Case<'_>) -> Nonces {
    Nonces::new(&case.state.key, case.site.nonce_lasts)
}

fn challenge<'a>(case: &Case<'a>, algorithm: Algorithm) -> Challenge<'a> {
    Challenge { realm: &case.site.realm, algorithm, qop: "auth", opaque: OPAQUE, userhash: false }
}

/// One challenge an algorithm.
pub(super) fn challenges(case: &Case<'_>, is_stale: bool) -> Vec<String> {
    let nonce = nonces(case).issue(case.asked.now);
    case.site.algorithms.iter().map(|a| challenge(case, *a).text(&nonce, is_stale)).collect()
}

pub(super) fn verify(case: &Case<'_>, given: &DigestCredentials) -> Result<Known, Refusal> {
    let algorithm = given.algorithm.unwrap_or(Algorithm::DEFAULT);
    if !case.site.algorithms.contains(&algorithm) {
        return Err(Refusal::new("digest-mismatch", "the algorithm is not one of the challenge"));
    }
    let user = given.username.clone().unwrap_or_default();
    let nonce = given.nonce.as_deref().unwrap_or_default();
    let freshness = nonces(case).check(nonce, case.asked.now);
    let account = case.setup.store.find(&user);
    let fits = |d: &&crate::accounts::Ha1| d.realm == case.site.realm && d.algorithm == algorithm;
    let stored: Vec<&Secret> =
        account.into_iter().flat_map(|a| &a.digests).filter(fits).map(|d| &d.hash).collect();
    let is_known = !stored.is_empty();
    // An unknown user's answer is computed all the same.
    let decoy = Secret::new("0".repeat(algorithm.hash.digits()));
    let candidates = if is_known { stored } else { vec![&decoy] };
    let request = Request { method: case.asked.head.method(), target: case.asked.head.target(), body: b"" };
    let challenge = challenge(case, algorithm);
    let attempt =
        |hash: &Secret| compare(given, &challenge, freshness, &request, [(user.as_str(), hash.clone())]);
    let mut result = Err(Refusal::new("unknown-user", ""));
    for hash in candidates {
        result = attempt(hash);
        if result.is_ok() {
            break;
        }
    }
    if let Err(refusal) = standing(case, &user)
        && (refusal.cause == "account-locked" || result.is_ok())
    {
        return Err(refusal);
    }
    match result {
        Ok(user) if freshness == Freshness::Fresh => {
            let count = given.nc.as_deref().and_then(|nc| u32::from_str_radix(nc, 16).ok()).unwrap_or(0);
            let taken =
                case.state.memory().replays.take(nonce, count, case.site.nonce_lasts, case.asked.tick);
            if taken == Count::Old {
                let says = format!("the count {count} of this nonce was used before");
                return Err(Refusal::new("digest-nonce-stale", says));
            }
            if case.setup.config.lockout.is_some() {
                case.state.memory().lockouts.passed(&user);
            }
            Ok(Known { user, groups: Vec::new() })
        }
        Ok(_) => Err(Refusal::new("digest-nonce-stale", "the time of the nonce is over")),
        Err(refusal) if refusal.cause == "wrong-password" => {
            failed(case, &user);
            match is_known {
                true => Err(refusal),
                false => {
                    Err(Refusal::new("unknown-user", format!("no account is called {user} in this realm")))
                }
            }
        }
        Err(refusal) => Err(refusal),
    }
}
