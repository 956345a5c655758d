//! The proof of possession that a DPoP request carries (RFC 9449), held against the request that carries it.

use super::clock;
use super::token::{Carried, host_of};
use crate::{Scene, Step};
use std::ops::Range;
use why401_auth::token::dpop::{self, access_token_hash};
use why401_auth::token::jwt::{Confirmation, Jwt};
use why401_http::{Exchange, FieldLine, path_of};

/// A proof with its field.
pub(crate) struct Proof<'a> {
    pub(crate) view: &'a Exchange,
    pub(crate) field: &'a FieldLine,
    /// `None` where the field holds no JWT at all.
    proof: Option<dpop::Proof>,
}

/// What is wrong with a proof: the bytes of the field, and what they say.
pub(crate) struct Fault {
    pub(crate) range: Range<usize>,
    pub(crate) says: String,
}

/// The proof of a step.
pub(crate) fn proof<'a>(step: &Step<'a>) -> Option<Proof<'a>> {
    let (view, field) = step.request_field("dpop")?;
    Some(Proof { view, field, proof: dpop::read(field.value.as_bytes()) })
}

/// Everything in a proof that RFC 9449 section 4.3 lets a server refuse it for, as far as it can be seen without the
/// key. The time is not among it: that is the clock's matter.
pub(crate) fn faults(
    scene: &Scene<'_>,
    step: &Step<'_>,
    sent: &Proof<'_>,
    carried: Option<&Carried<'_>>,
) -> Vec<Fault> {
    let mut found = Vec::new();
    let whole = 0..sent.field.value.len();
    let Some(proof) = &sent.proof else {
        return vec![Fault { range: whole, says: "the proof is no JWT that can be read".to_owned() }];
    };
    let jwt = &proof.jwt;
    let head = jwt.parts.first().cloned().unwrap_or_else(|| whole.clone());
    let mut fault = |range: Option<Range<usize>>, says: String| {
        found.push(Fault { range: range.unwrap_or_else(|| head.clone()), says });
    };
    if step.request().is_some_and(|(_, r)| r.fields.all("dpop").count() > 1) {
        fault(Some(whole), "there is more than one DPoP field".to_owned());
    }
    for problem in &proof.problems {
        fault(Some(problem.range.clone()), format!("the proof is not in order: {}", problem.what));
    }
    let bound = carried.and_then(Carried::jwt).and_then(Jwt::confirmation);
    if let (Some(Confirmation::Dpop { jkt }), Some(own)) = (bound, &proof.jkt)
        && jkt != own
    {
        fault(
            None,
            "the proof is signed with another key than the one the token is bound to (cnf.jkt)".to_owned(),
        );
    }
    let algorithms = step.challenge_param("algs").map(|(_, _, text)| text).unwrap_or_default();
    if let Some(alg) = jwt.alg()
        && !algorithms.is_empty()
        && !algorithms.split([' ', ',']).any(|a| a == alg)
    {
        fault(None, format!("the proof is signed with {alg}; the server takes {algorithms}"));
    }
    if let (Some(htm), Some(method)) = (&proof.htm, step.attempt.method())
        && *htm != method
    {
        fault(jwt.claim_range("htm"), format!("the proof is for {htm}, the request is a {method}"));
    }
    if let Some(says) = proof.htu.as_deref().and_then(|htu| wrong_address(step, htu)) {
        fault(jwt.claim_range("htu"), says);
    }
    if let Some(carried) = carried {
        match &proof.ath {
            None => {
                fault(jwt.parts.get(1).cloned(), "the proof has no hash of the access token (ath)".to_owned())
            }
            Some(ath) if *ath != access_token_hash(carried.token.text.expose()) => {
                fault(jwt.claim_range("ath"), "the proof was made for another access token (ath)".to_owned());
            }
            Some(_) => {}
        }
    }
    if let Some(nonce) = wanted_nonce(scene, step)
        && proof.nonce.as_deref() != Some(nonce.as_str())
    {
        let old = proof.nonce.is_some();
        let says = if old { "the proof has an old nonce" } else { "the proof lacks the server's nonce" };
        let range = jwt.claim_range("nonce").or_else(|| jwt.parts.get(1).cloned());
        fault(range, format!("{says}; the server gave one with its answer before"));
    }
    found
}

/// What is wrong with the proof's address; only what must agree whatever the server's leniency: host and path.
fn wrong_address(step: &Step<'_>, htu: &str) -> Option<String> {
    let (_, request) = step.request()?;
    let target = request.target();
    let path = path_of(htu);
    let path = if path.is_empty() { "/" } else { path };
    if path != path_of(&target) {
        return Some(format!("the proof is for the path {path}, the request for {}", path_of(&target)));
    }
    let (named, asked) = (host_of(htu)?, request.authority()?.to_ascii_lowercase());
    let bare = |h: &str| h.trim_end_matches(":443").trim_end_matches(":80").to_owned();
    (bare(&named) != bare(&asked))
        .then(|| format!("the proof is for the host {named}, the request for {asked}"))
}

/// The nonce that the server gave last before this request (RFC 9449 section 8.2).
fn wanted_nonce(scene: &Scene<'_>, step: &Step<'_>) -> Option<String> {
    let before = crate::reading::before(scene, step.attempt).take(200);
    let mut same = before
        .filter(|a| crate::scene::same_server(a, step.attempt) && crate::scene::same_client(a, step.attempt));
    // One given along with a success is for the next proofs; the one before stays good for a while.
    same.find_map(|a| a.response_field("dpop-nonce").map(|f| (a.status(), f.text().into_owned())))
        .filter(|(status, _)| matches!(status, Some(400 | 401)))
        .map(|(_, nonce)| nonce)
}

/// Whether the same proof was sent with an earlier request: servers take each once (RFC 9449 section 11.1).
pub(crate) fn sent_before(scene: &Scene<'_>, step: &Step<'_>, proof: &Proof<'_>) -> bool {
    let mut before = crate::reading::before(scene, step.attempt).take(2_000);
    let same = |a: &why401_history::Attempt| {
        a.request_field("dpop").is_some_and(|f| f.value.as_bytes() == proof.field.value.as_bytes())
    };
    before.any(|a| same(a) && step.attempt.forwarded_from != Some(a.id))
}

/// When the proof says that it was made, and where it says so.
pub(crate) fn stamp(step: &Step<'_>) -> Option<(i64, Range<usize>)> {
    let sent = proof(step)?;
    let proof = sent.proof?;
    let at = proof.iat?;
    clock::parse(&at.to_string())?;
    Some((at, proof.jwt.claim_range("iat").unwrap_or(0..sent.field.value.len())))
}
