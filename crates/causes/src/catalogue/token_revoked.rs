//! The token was taken back before its time.

use crate::cause::{Answer, Claim, cause};
use crate::reading::clock;
use crate::reading::token::{self, Carried};
use crate::reading::{at_most, settle};
use crate::scene::{same_client, same_server};
use crate::{Scene, Step, carried};
use why401_auth::token::jwt::Jwt;
use why401_history::Attempt;
use why401_report::{Certainty, Party};

cause! {
    /// The token or key was revoked, rotated or deleted.
    ///
    /// # What happened
    /// The token worked, its time is not over, and it is refused: somebody revoked it, the person logged out, a newer
    /// one took its place, the password was changed, or the key was deleted.
    ///
    /// # How it is decided
    /// The same token was accepted by the same server for the same resource before, its `exp` or the lifetime given
    /// with it still lies ahead, and it has been refused since: certain. A request to a revocation or logout address in
    /// between shows when. A token without any known end may as well have expired.
    ///
    /// # Who acts
    /// The person whose token it is.
    ///
    /// # What to do
    /// Log in again or have a new token or key issued, and put it wherever the old one is stored.
    ///
    /// # Evidence needed
    /// An earlier request that was let in with the same token, or the server's word.
    ///
    /// # Not to be confused with
    /// token-expired: its time is over. credentials-changed: a password. server-changed: everybody's tokens are refused.
    ///
    /// # References
    /// RFC 7009 section 2 (revocation); RFC 6750 section 3.1; RFC 7662 section 2.2 (introspection).
    pub TokenRevoked = "token-revoked" in Token, Fault by AccountOwner, over ["credentials-refused", "credentials-changed"]
}

impl TokenRevoked {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("token-revoked", "the token was revoked or is not known any more");
        settle(
            scene.refused().and_then(|step| {
                look(scene, step).or_else(|| in_query(scene, step)).or_else(|| in_its_own_field(scene, step))
            }),
            told,
            advise,
        )
    }
}

fn look(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let carried = token::carried(step)?;
    let error = token::challenge(step).and_then(|(_, _, c)| c.error_written);
    if error.as_deref() == Some("insufficient_scope")
        || step.status() != Some(401)
        || token::accepted_after(scene, step, &carried).is_some()
    {
        return None;
    }
    let before = token::accepted_before(scene, step, &carried)?;
    let same = before.path() == step.attempt.path() && before.method() == step.attempt.method();
    let end = end(scene, &carried);
    let at = clock::of(scene, step);
    let lives = match (end, &at) {
        (Some(end), Some(at)) => (end > at.at).then_some(Certainty::Certain)?,
        // Nobody knows when it ends.
        (None, _) => Certainty::Possible,
        (Some(_), None) => Certainty::Likely,
    };
    let revoked = revocation(scene, step, before, &carried);
    let mut claim = Claim::new(match (&revoked, lives) {
        (Some((_, how)), _) => format!("the token was let in before, then {how}, and it is refused since"),
        (None, Certainty::Certain) => {
            "the same token was let in before, its time is not over, and it is refused since".to_owned()
        }
        (None, _) => {
            "the same token was let in before and is refused since; it may have been revoked".to_owned()
        }
    });
    if let Some(response) = before.response() {
        claim = claim.shown([scene.show_status(before.view(), response, "let in with this token")]);
    }
    if let Some((a, how)) = &revoked
        && let Some(request) = a.request()
    {
        claim = claim.shown([scene.show_request(a.view(), request, *how)]);
    }
    claim = claim.shown([scene.show_field(carried.view, carried.field, "the same token, refused")]);
    if let Some(end) = end {
        let range = carried.jwt().and_then(|j| j.claim_range("exp"));
        let says = format!("good until {}", clock::time_text(end));
        claim = claim.shown(range.map(|r| scene.show_in_field(carried.view, carried.field, r, says)));
    }
    claim = claim.or("server-changed", "whether other people's tokens are refused since then too");
    let certainty = match (same, revoked.is_some()) {
        (_, true) => Certainty::Certain,
        (true, false) => lives,
        (false, false) => lives.min(Certainty::Possible),
    };
    let other = token::told_otherwise(scene, &["token-revoked", "token-expired"]);
    Some(at_most(claim, if other { certainty.min(Certainty::Possible) } else { certainty }))
}

/// A log: the same address with its token in the query was let in and is refused since, and with another token it is let in.
fn in_query(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let target = step.attempt.target()?;
    let (path, query) = target.split_once('?')?;
    let has_token = |q: &str| {
        q.split('&').any(|p| p.split('=').next().is_some_and(|n| n.to_ascii_lowercase().contains("token")))
    };
    if step.attempt.shows_credentials() || !has_token(query) {
        return None;
    }
    let before = scene.earlier().take(1_000).find(|a| a.let_in() && a.target() == step.attempt.target())?;
    let after = scene.later().take(1_000).find(|a| {
        a.let_in()
            && a.target().is_some_and(|t| {
                t != target && t.split_once('?').is_some_and(|(p, q)| p == path && has_token(q))
            })
    })?;
    let claim = Claim::new(
        "the token in the address was let in before and is refused since; another one is let in now",
    )
    .shown(super::client_changed::line(scene, before, "let in with it"))
    .shown(super::client_changed::line(scene, step.attempt, "refused with it"))
    .shown(super::client_changed::line(scene, after, "let in with another one"))
    .or("token-expired", "how long such a token lives")
    .weighing(8);
    Some(at_most(claim, Certainty::Likely))
}

/// A key in a field of its own, let in by this server before; now the answer says that it is not known, and it is not let in
/// again. Who lacks a permission is told otherwise.
fn in_its_own_field(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let unknown = scene
        .heard_of("credentials-refused")
        .find(|h| h.attempt == Some(step.attempt.id) && h.said.weight > why401_knowledge::Weight::Reports)?;
    if step.status() != Some(401) || step.credentials().is_some() {
        return None;
    }
    let of_server = |a: &Attempt| a.served() && same_server(a, step.attempt);
    let is_same = |mine: &carried::Place, there: &carried::Place| mine == there;
    let later = |a: &Attempt| of_server(a) && a.id > step.attempt.id;
    if carried::accepted(scene, step, later, is_same).is_some() {
        return None;
    }
    let (key, before, _) =
        carried::accepted(scene, step, |a| of_server(a) && a.id < step.attempt.id, is_same)?;
    let claim = Claim::new("the same key was let in before, and now the server does not know it any more")
        .shown(before.response().map(|r| scene.show_status(before.view(), r, "let in with this key")))
        .shown(carried::show(scene, step.attempt, &key.place, "the same key, refused"))
        .shown([scene.show_heard(unknown, "not known")])
        .or("server-changed", "whether other people's keys are refused since then too")
        .or("scope-missing", "whether the key has the right to this resource")
        .weighing(8);
    Some(at_most(claim, Certainty::Likely))
}

/// When the token ends, by itself or by the answer that brought it.
fn end(scene: &Scene<'_>, carried: &Carried<'_>) -> Option<i64> {
    carried.jwt().and_then(Jwt::exp).or_else(|| {
        let text = carried.token.text.expose_text();
        let issued = token::issued(scene).into_iter().find(|i| i.token == text)?;
        issued.at?.checked_add(issued.expires_in?)
    })
}

/// A request between success and refusal that takes tokens back.
fn revocation<'a>(
    scene: &Scene<'a>,
    step: &Step<'_>,
    before: &Attempt,
    carried: &Carried<'_>,
) -> Option<(&'a Attempt, &'static str)> {
    // A logout carries the token itself, and may be the last request that it was let in with.
    let between = scene.earlier().take_while(|a| a.id >= before.id).take(2_000);
    let text = carried.token.text.expose_text();
    between.filter(|a| matches!(a.status(), Some(200..=399)) && same_client(a, step.attempt)).find_map(|a| {
        let path = a.path()?.to_ascii_lowercase();
        let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        if last.contains("revoke") || last.contains("revocation") {
            let named = a.request().is_some_and(|r| r.body.text().contains(&*text));
            return (named || a.request_field("authorization").is_some()).then_some((a, "was revoked"));
        }
        matches!(last, "logout" | "signout" | "logoff" | "sign_out" | "end_session")
            .then_some((a, "the client logged out"))
    })
}

fn advise(claim: Claim) -> Claim {
    claim.fix(
        Party::AccountOwner,
        "Log in again or have a new token issued, and replace the old one wherever it is stored.",
    )
}
