//! The token's signature does not verify.

use super::token_expired::is_good;
use crate::cause::{Answer, Claim, cause};
use crate::reading::token::{self, Carried};
use crate::reading::{at_most, quoted, settle, signed};
use crate::{Scene, Step};
use serde_json::Value;
use std::ops::Range;
use why401_auth::token::jwt::Jwt;
use why401_report::{Certainty, Party};

cause! {
    /// The token's signature does not verify.
    ///
    /// # What happened
    /// The server cannot verify the token with the keys it has: it was signed with a key that the server does not know
    /// (`kid`), with another secret, by an algorithm that is not allowed, not at all, or was altered afterwards.
    ///
    /// # How it is decided
    /// `alg` is `none`; the key set of the issuer is in the evidence and lacks the token's `kid`; the same signature
    /// stood under other claims, or the same claims over another signature, where the token was issued or accepted; or
    /// the server says so: certain.
    ///
    /// # Who acts
    /// Whoever writes or configures the client; the server's operator, where its key set is old or unreachable.
    ///
    /// # What to do
    /// Take the token as the issuer gave it. Hold its `kid` and `alg` against the issuer's key set (`jwks_uri`), and see
    /// that the server fetches that key set: after a rotation of keys it may hold the old one.
    ///
    /// # Evidence needed
    /// The token, the key set, the server's log.
    ///
    /// # Not to be confused with
    /// auth-backend-down: the server could not fetch the key set at all. wrong-issuer: the keys are those of another
    /// issuer. signature-mismatch: a signature over the request.
    ///
    /// # References
    /// RFC 7515 sections 4.1.4 (kid) and 5.2; RFC 7517 section 5 (key sets); RFC 8725 section 3.1 (algorithms).
    pub BadSignature = "bad-signature" in Token, Fault by Caller, over ["credentials-refused", "token-malformed"]
}

impl BadSignature {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene
            .told_claim("bad-signature", "the token's signature does not verify")
            .filter(|claim| claim.certainty == Certainty::Certain || !signed::is_told(scene))
            .map(|claim| detail(scene, claim));
        let found = scene.refused().and_then(|step| look(scene, step).or_else(|| not_expired(scene, step)));
        settle(found, told, advise)
    }
}

/// Which key and algorithm the token names.
fn detail(scene: &Scene<'_>, mut claim: Claim) -> Claim {
    let Some(carried) = scene.refused().and_then(token::carried) else { return claim };
    let Some((jwt, alg)) = carried.jwt().and_then(|j| Some((j, j.alg()?))) else { return claim };
    let key = jwt.kid().map(|k| format!(" with the key {}", quoted(k))).unwrap_or_default();
    claim.summary.push_str(&format!("; it is signed by {}{key}", quoted(alg)));
    let range = header(&carried, jwt);
    claim.shown([scene.show_in_field(
        carried.view,
        carried.field,
        range,
        format!("alg is {}{key}", quoted(alg)),
    )])
}

/// The server says that the token is invalid or expired, and it is not expired.
fn not_expired(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let said = scene.heard_of("token-expired").find(|h| {
        h.attempt == Some(step.attempt.id) && !h.proves() && h.said.also.iter().any(|a| a == "bad-signature")
    })?;
    let carried = token::carried(step)?;
    let jwt = carried.jwt().filter(|_| is_good(scene, step))?;
    let claim = Claim::new("the token is said to be invalid or expired, and its time is not over: then its signature or its issuer is not taken")
        .shown([scene.show_heard(said, "invalid or expired")])
        .shown(jwt.claim_range("exp").map(|r| scene.show_in_field(carried.view, carried.field, r, "not over yet")))
        .or("wrong-issuer", "the issuer that the server trusts, against the token's iss")
        .or("wrong-token-type", "the kind of token that the server takes")
        .or("clock-skew", "the server's clock");
    Some(at_most(claim, Certainty::Likely))
}

fn look(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let carried = token::carried(step)?;
    let jwt = carried.jwt()?;
    let claim = unsigned(scene, &carried, jwt)
        .or_else(|| unknown_key(scene, &carried, jwt))
        .or_else(|| altered(scene, step, &carried, jwt))?;
    let other = token::told_otherwise(
        scene,
        &["bad-signature", "wrong-issuer", "auth-backend-down", "token-malformed"],
    );
    let wanted = token::wanted(step);
    Some(if other || !wanted { at_most(claim, Certainty::Likely) } else { claim })
}

fn unsigned(scene: &Scene<'_>, carried: &Carried<'_>, jwt: &Jwt) -> Option<Claim> {
    jwt.alg().filter(|a| a.eq_ignore_ascii_case("none"))?;
    let claim = Claim::new("the token is not signed: its alg is none, which no server may take");
    Some(claim.shown([scene.show_in_field(carried.view, carried.field, header(carried, jwt), "alg is none")]))
}

/// The issuer's key set is in the evidence and lacks the key.
fn unknown_key(scene: &Scene<'_>, carried: &Carried<'_>, jwt: &Jwt) -> Option<Claim> {
    let kid = jwt.kid()?;
    let fetched = scene.attempts().take(5_000).filter(|a| a.status() == Some(200));
    let sets = fetched.filter(|a| {
        a.path().is_some_and(|p| p.contains("jwks") || p.contains("certs") || p.contains("keys"))
    });
    let sets: Vec<_> = sets.filter_map(|a| Some((a, keys(a.response()?)?))).take(4).collect();
    let (attempt, known) = sets.first()?;
    if sets.iter().any(|(_, keys)| keys.iter().any(|k| k == kid)) {
        return None;
    }
    let mut claim = Claim::new(format!(
        "the token is signed with the key {}, which is not in the key set ({})",
        quoted(kid),
        quoted(&known.join(", "))
    ));
    claim = claim.shown([scene.show_in_field(
        carried.view,
        carried.field,
        header(carried, jwt),
        format!("kid is {}", quoted(kid)),
    )]);
    if let Some(response) = attempt.response() {
        claim = claim.shown([scene.show_status(attempt.view(), response, "the key set, without that key")]);
    }
    Some(claim.or("wrong-issuer", "whether the key set is that of the token's issuer"))
}

/// The `kid` of every key of a key set (RFC 7517 section 5).
fn keys(response: &why401_http::Response) -> Option<Vec<String>> {
    let Value::Object(document) = token::json(&response.body)? else { return None };
    let keys = document.get("keys")?.as_array()?;
    Some(keys.iter().filter_map(|k| k.get("kid")?.as_str().map(str::to_owned)).collect())
}

/// A token of the evidence that this one was made of: same claims and another signature, or the reverse.
fn altered(scene: &Scene<'_>, step: &Step<'_>, carried: &Carried<'_>, jwt: &Jwt) -> Option<Claim> {
    let sent = carried.token.text.expose_text().into_owned();
    let issued = token::issued(scene).into_iter().map(|i| (i.attempt, i.token));
    let accepted = token::accepted_others(scene, step, carried).into_iter().map(|(a, f, _)| {
        let text = f.text();
        (a, text.rsplit(' ').next().unwrap_or_default().to_owned())
    });
    let (attempt, what, part) = issued.chain(accepted).find_map(|(a, original)| {
        let (what, part) = difference(&original, &sent)?;
        Some((a, what, part))
    })?;
    let range = jwt.parts.get(part).cloned().unwrap_or_else(|| carried.token.range.clone());
    let mut claim = Claim::new(format!(
        "the token was altered after it was signed: {what} than the one that the issuer gave"
    ));
    claim = claim.shown([scene.show_in_field(carried.view, carried.field, range, "this part differs")]);
    if let Some(response) = attempt.response() {
        claim = claim.shown([scene.show_status(
            attempt.view(),
            response,
            "the token as it was issued or accepted",
        )]);
    }
    Some(claim)
}

/// Which part of two tokens differs where one was made of the other.
fn difference(original: &str, sent: &str) -> Option<(&'static str, usize)> {
    let (o, s): (Vec<&str>, Vec<&str>) = (original.split('.').collect(), sent.split('.').collect());
    let ([oh, oc, os], [sh, sc, ss]) = (o.as_slice(), s.as_slice()) else { return None };
    if os == ss && !os.is_empty() && oc != sc {
        return Some(("the signature is the same over other claims", 1));
    }
    // An end that is missing is a token cut off, not altered, and what base64url has not came along behind it.
    let odd = |b: u8| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let came_along = ss.strip_prefix(os).is_some_and(|rest| rest.bytes().any(odd));
    (oh == sh && oc == sc && os != ss && !os.starts_with(ss) && !came_along)
        .then_some(("it has another signature over the same claims", 2))
}

fn header(carried: &Carried<'_>, jwt: &Jwt) -> Range<usize> {
    jwt.parts.first().cloned().unwrap_or_else(|| carried.token.range.clone())
}

fn advise(claim: Claim) -> Claim {
    claim
        .fix(Party::Caller, "Send the token exactly as the issuer gave it, and take it from the issuer whose keys this server has.")
        .fix(
            Party::Server,
            "Hold the token's kid and alg against the key set that the server uses, and let it fetch the set again after a rotation.",
        )
}
