//! A Digest nonce that is not good any more.

use crate::cause::{Answer, Claim, cause};
use crate::reading::{at_most, before, settle, token};
use crate::scene::{same_client, same_server};
use crate::{Scene, Sent, Step};
use std::ops::Range;
use why401_auth::Inside;
use why401_auth::scheme::digest::{self, DigestCredentials};
use why401_history::Attempt;
use why401_report::{Certainty, Party};

cause! {
    /// The server says the Digest nonce is stale and the client does not retry with the new one.
    ///
    /// # What happened
    /// A nonce is good for a time or for a number of requests. When it is over the server says `stale=true` and gives a
    /// new one: user name and password are right, the client need only compute its answer again. This client does not,
    /// or it goes on with the old one, or it uses one nonce from several connections whose counts do not rise.
    ///
    /// # How it is decided
    /// `stale=true` in the challenge that refused Digest credentials, and no later request that was let in; or one nonce
    /// used with a count (`nc`) that had been used before: certain. A nonce that is not the one of the newest challenge:
    /// likely.
    ///
    /// # Who acts
    /// Whoever writes or configures the client; who runs several servers behind one name, if each has its own secret
    /// for nonces.
    ///
    /// # What to do
    /// Let the client answer the new challenge (most libraries do so once per request). Count `nc` up for every request
    /// that uses the nonce. Give all servers behind one name the same secret, or keep a client on one of them.
    ///
    /// # Evidence needed
    /// The requests with their Digest fields in order, and the challenge.
    ///
    /// # Not to be confused with
    /// challenge-answered: the client did retry and got in. digest-mismatch: the nonce is right, something else is not.
    ///
    /// # References
    /// RFC 7616 section 3.3 (stale, nonce), 3.4 (nc), 5.4 (replay).
    pub DigestNonceStale = "digest-nonce-stale" in Handshake, Fault by Caller, over ["credentials-refused", "wrong-password"]
}

impl DigestNonceStale {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("digest-nonce-stale", "the nonce is not good any more");
        settle(scene.refused().and_then(|step| look(scene, step)), told, advise)
    }
}

fn look(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (sent, credentials) = digest_of(step)?;
    stale(scene, step, sent, credentials)
        .or_else(|| reused(scene, step, sent, credentials))
        .or_else(|| outdated(scene, step, sent, credentials))
}

/// The Digest credentials of a step.
fn digest_of<'s, 'a>(step: &'s Step<'a>) -> Option<(&'s Sent<'a>, &'s DigestCredentials)> {
    let sent = step.credentials()?;
    match &sent.inside {
        Inside::Digest(credentials) => Some((sent, credentials)),
        _ => None,
    }
}

fn stale(
    scene: &Scene<'_>,
    step: &Step<'_>,
    sent: &Sent<'_>,
    credentials: &DigestCredentials,
) -> Option<Claim> {
    let (offered, element, challenge) = step
        .challenges()
        .filter(|(_, c)| c.is("digest"))
        .map(|(o, c)| (o, c, digest::challenge(c)))
        .find(|(_, _, d)| d.stale)?;
    // A new nonce that is the old one helps nobody.
    let same = challenge.nonce.is_some() && challenge.nonce == credentials.nonce;
    let tries = scene
        .steps
        .iter()
        .filter(|s| s.challenge_param("stale").is_some_and(|(_, _, v)| v.eq_ignore_ascii_case("true")))
        .count();
    let mut claim = Claim::new(match (same, tries) {
        (true, _) => "the server says that the nonce is stale and offers the very same one again".to_owned(),
        (_, 2..) => format!(
            "the server called the nonce stale {tries} times over: each new one is stale again at once"
        ),
        _ => "the server says that the nonce is stale, and the client does not answer with the new one"
            .to_owned(),
    });
    let param = element.param("stale").map_or(element.range.clone(), |p| p.range());
    claim = claim
        .shown([scene.show_in_field(sent.view, sent.field, nonce_range(sent), "the nonce that was used")])
        .shown([scene.show_in_field(offered.view, offered.field, param, "stale: right answer, old nonce")]);
    if tries > 1 || same {
        claim = claim.by(Party::Server);
    }
    Some(claim)
}

/// The count of this nonce was used before.
fn reused(
    scene: &Scene<'_>,
    step: &Step<'_>,
    sent: &Sent<'_>,
    credentials: &DigestCredentials,
) -> Option<Claim> {
    let (nonce, count) = (credentials.nonce.as_deref()?, credentials.count?);
    let earlier = before(scene, step.attempt).take(2_000);
    let mut same =
        earlier.filter(|a| step.attempt.forwarded_from != Some(a.id) && same_server(a, step.attempt));
    let (attempt, then) = same.find_map(|a| {
        let then = used(a, sent)?;
        // An answer repeated to the letter is a retry of the request, or its other vantage point.
        let other = a
            .request_field(&sent.field.name.to_text())
            .is_some_and(|f| f.value.as_bytes() != sent.field.value.as_bytes());
        (then.nonce.as_deref() == Some(nonce)
            && then.count.is_some_and(|c| c >= count)
            && (other || !same_client(a, step.attempt)))
        .then_some((a, then))
    })?;
    let mut claim = Claim::new(format!(
        "the nonce was used with the count {count:08x} after it had been used with {:08x}: the count must rise",
        then.count.unwrap_or_default()
    ));
    if let Some(field) = attempt.request_field(&sent.field.name.to_text()) {
        claim = claim.shown([scene.show_field(attempt.view(), field, "this nonce, this count")]);
    }
    claim = claim.shown([scene.show_in_field(
        sent.view,
        sent.field,
        param_range(sent, "nc"),
        "the same nonce, no higher count",
    )]);
    let told = token::told_otherwise(scene, &["digest-nonce-stale"]);
    Some(at_most(claim, if told { Certainty::Likely } else { Certainty::Certain }))
}

/// The nonce is none that the newest challenge before gave.
fn outdated(
    scene: &Scene<'_>,
    step: &Step<'_>,
    sent: &Sent<'_>,
    credentials: &DigestCredentials,
) -> Option<Claim> {
    let nonce = credentials.nonce.as_deref()?;
    let mut earlier = before(scene, step.attempt)
        .take(200)
        .filter(|a| same_server(a, step.attempt) && same_client(a, step.attempt));
    let newest = earlier.find_map(|a| {
        let step = Step::of(a);
        let nonces: Vec<String> = step
            .challenges()
            .filter(|(_, c)| c.is("digest"))
            .filter_map(|(_, c)| Some(c.text("nonce")?.into_owned()))
            .collect();
        (!nonces.is_empty()).then_some(nonces)
    })?;
    if newest.iter().any(|n| n == nonce) {
        return None;
    }
    let claim = Claim::new("the client answers with another nonce than the newest challenge gave it")
        .shown([scene.show_in_field(
            sent.view,
            sent.field,
            nonce_range(sent),
            "not the nonce of the newest challenge",
        )])
        .or("credentials-refused", "one request that uses the newest nonce");
    Some(at_most(claim, Certainty::Likely))
}

fn used(a: &Attempt, sent: &Sent<'_>) -> Option<DigestCredentials> {
    let field = a.request_field(&sent.field.name.to_text())?;
    let parsed = why401_auth::parse_credentials(field.value.as_bytes());
    let element = parsed.value.first().filter(|e| e.is("digest"))?;
    Some(digest::credentials(element))
}

fn nonce_range(sent: &Sent<'_>) -> Range<usize> {
    param_range(sent, "nonce")
}

fn param_range(sent: &Sent<'_>, name: &str) -> Range<usize> {
    sent.credentials().and_then(|c| c.param(name)).map_or(0..sent.field.value.len(), |p| p.range())
}

fn advise(claim: Claim) -> Claim {
    claim
        .fix(Party::Caller, "Let the client answer the new challenge with the new nonce, and count nc up with every request that uses it.")
        .fix(Party::Server, "Where several servers answer under one name, give them one secret for nonces or keep each client on one of them.")
}
