//! The token is bound to a key, and the proof of that key is missing or wrong.

use crate::cause::{Answer, Claim, cause};
use crate::reading::dpop;
use crate::reading::token::{self, Carried};
use crate::reading::{at_most, settle};
use crate::{Scene, Step};
use why401_auth::scheme::bearer::BearerError;
use why401_auth::token::jwt::{Confirmation, Jwt};
use why401_report::{Certainty, Party};

cause! {
    /// The token is bound to a key and the proof is missing or wrong.
    ///
    /// # What happened
    /// The token alone is worth nothing: it names a key (`cnf`), and each request has to prove that the client holds
    /// that key, by a DPoP field made for this very request or by the client certificate of the connection.
    ///
    /// # How it is decided
    /// A token with `cnf.jkt`, or the scheme `DPoP`, and no `DPoP` field; a proof whose `htm`, `htu`, `ath`, `nonce`,
    /// key, `typ` or algorithm does not fit the request, the token or the server's nonce; `invalid_dpop_proof` or
    /// `use_dpop_nonce` and no accepted retry: certain. A token bound to a certificate (`cnf.x5t#S256`) that is refused:
    /// likely, for a certificate does not show in HTTP.
    ///
    /// # Who acts
    /// Whoever writes or configures the client.
    ///
    /// # What to do
    /// Send the token with the scheme `DPoP` and make a fresh proof for each request: `htm` the method, `htu` the
    /// address without query, `ath` the token's hash, `iat` now, `nonce` the server's last one, signed with the key that
    /// the token is bound to.
    ///
    /// # Evidence needed
    /// The request with both fields, and the challenge.
    ///
    /// # Not to be confused with
    /// clock-skew: everything fits but the time. scheme-not-offered: no binding at all, the scheme is wrong.
    ///
    /// # References
    /// RFC 9449 sections 4.3, 7.1, 7.2, 8 and 9; RFC 8705 section 3; RFC 7800 section 3 (cnf).
    pub ProofOfPossessionFailed = "proof-of-possession-failed" in Token, Fault by Caller,
        over ["scheme-not-offered", "wrong-token-type", "credentials-refused"]
}

impl ProofOfPossessionFailed {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene
            .told_claim("proof-of-possession-failed", "the proof of the token's key is missing or wrong");
        settle(scene.refused().and_then(|step| look(scene, step)), told, advise)
    }
}

fn look(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let carried = token::carried(step);
    let bound = carried.as_ref().and_then(Carried::jwt).and_then(Jwt::confirmation);
    let error = token::challenge(step).and_then(|(_, _, c)| c.error);
    let scheme = carried.as_ref().map(|c| c.scheme.as_str()).unwrap_or_default();
    let by_key = matches!(bound, Some(Confirmation::Dpop { .. })) || scheme == "dpop";
    let asked = matches!(error, Some(BearerError::InvalidDpopProof | BearerError::UseDpopNonce));
    let proof = dpop::proof(step);
    let claim = match (&proof, &carried) {
        (Some(_), _) if by_key || asked => wrong_proof(scene, step, carried.as_ref(), asked)?,
        (None, Some(carried)) if by_key || (asked && token::takes_tokens(scheme)) => {
            missing_proof(scene, step, carried)?
        }
        (_, Some(carried)) if matches!(bound, Some(Confirmation::Certificate { .. })) => {
            certificate(scene, carried)?
        }
        _ => return None,
    };
    let other = token::told_otherwise(scene, &["proof-of-possession-failed", "clock-skew"]);
    Some(if other { at_most(claim, Certainty::Likely) } else { claim })
}

fn missing_proof(scene: &Scene<'_>, step: &Step<'_>, carried: &Carried<'_>) -> Option<Claim> {
    let seen = step
        .attempt
        .views
        .iter()
        .any(|v| v.shows.request_fields && v.request.as_ref().is_some_and(|r| r.complete));
    let cnf = carried.jwt().and_then(|j| j.claim_range("cnf"));
    let mut claim = Claim::new(match (carried.scheme.as_str(), &cnf) {
        ("bearer", Some(_)) => {
            "the token is bound to a key (cnf.jkt) and was sent as Bearer, without a DPoP proof"
        }
        (_, Some(_)) => "the token is bound to a key (cnf.jkt), and the request has no DPoP proof",
        _ => "the request has the scheme DPoP and no DPoP proof",
    });
    let says = if cnf.is_some() { "cnf binds it to a key" } else { "a DPoP token" };
    let range = cnf.unwrap_or_else(|| carried.token.range.clone());
    claim = claim.shown([scene.show_in_field(carried.view, carried.field, range, says)]);
    if let Some((view, request)) = step.request() {
        claim = claim.shown([scene.show_request(view, request, "no DPoP field in this request")]);
    }
    Some(at_most(
        shown_challenge(scene, step, claim),
        if seen { Certainty::Certain } else { Certainty::Likely },
    ))
}

fn wrong_proof(
    scene: &Scene<'_>,
    step: &Step<'_>,
    carried: Option<&Carried<'_>>,
    asked: bool,
) -> Option<Claim> {
    let proof = dpop::proof(step)?;
    let faults = dpop::faults(scene, step, &proof, carried);
    if let Some(first) = faults.first() {
        let mut claim = Claim::new(first.says.clone());
        for fault in faults.iter().take(4) {
            claim = claim.shown([scene.show_in_field(
                proof.view,
                proof.field,
                fault.range.clone(),
                fault.says.clone(),
            )]);
        }
        return Some(shown_challenge(scene, step, claim));
    }
    let show = |claim: Claim, says: &str| {
        shown_challenge(scene, step, claim.shown([scene.show_field(proof.view, proof.field, says)]))
    };
    if dpop::sent_before(scene, step, &proof) {
        let claim = Claim::new("the same DPoP proof was sent twice; a server takes each once");
        return Some(at_most(show(claim, "this very proof was sent before"), Certainty::Likely));
    }
    let nonce = step.challenge_param("error").is_some_and(|(_, _, e)| e == "use_dpop_nonce");
    let fresh = step.response_field("dpop-nonce");
    if nonce {
        let mut claim = Claim::new(
            "the server wants its nonce in the proof (use_dpop_nonce), and the client does not try again with it",
        );
        claim =
            claim.shown(fresh.map(|(v, f)| scene.show_field(v, f, "the nonce to put into the next proof")));
        return Some(show(claim, "a proof without that nonce"));
    }
    asked.then(|| show(Claim::new("the server refuses the DPoP proof; what can be seen of it fits the request, so look at its key and signature"), "refused"))
}

fn certificate(scene: &Scene<'_>, carried: &Carried<'_>) -> Option<Claim> {
    let range = carried.jwt()?.claim_range("cnf")?;
    let claim = Claim::new(
        "the token is bound to a client certificate; the connection probably had none, or another",
    )
    .shown([scene.show_in_field(
        carried.view,
        carried.field,
        range,
        "cnf binds it to a certificate (x5t#S256)",
    )])
    .or("client-certificate-missing", "a capture of the TLS handshake, or the server's log")
    .or("token-revoked", "introspection of the token");
    Some(at_most(claim, Certainty::Likely))
}

fn shown_challenge(scene: &Scene<'_>, step: &Step<'_>, claim: Claim) -> Claim {
    let Some((offered, element, _)) = token::challenge(step) else { return claim };
    claim.shown([scene.show_in_field(
        offered.view,
        offered.field,
        element.range.clone(),
        "the server's answer",
    )])
}

fn advise(claim: Claim) -> Claim {
    claim.fix(
        Party::Caller,
        "Send the token with the scheme DPoP and, with each request, a fresh proof for its method and address (htm, htu, ath, the server's nonce), signed with the key that the token is bound to.",
    )
}
