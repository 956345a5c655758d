//! The token's time is over.

use crate::cause::{Answer, Claim, cause};
use crate::reading::clock::{self, Clock, Whose, span_text, time_text};
use crate::reading::lifetime;
use crate::reading::token::{self, Carried};
use crate::reading::{at_most, settle};
use crate::{Scene, Step};
use why401_auth::token::jwt::Jwt;
use why401_report::{Certainty, Party};

/// A token that is late by less than this may be so because of a clock, in seconds.
const CLOSE: i64 = 300;

cause! {
    /// The token's time is over.
    ///
    /// # What happened
    /// Tokens live for minutes or hours. The client sent one whose time had run out, because it keeps a token without
    /// renewing it, renews it too late, or has a fixed one in its configuration.
    ///
    /// # How it is decided
    /// The token is a JWT and its `exp` lies before the time of the request, by the `Date` of the answer or the clock of
    /// whoever recorded it; or the token endpoint's answer is in the evidence and its `expires_in` is over; or the
    /// signed address (a SAS, a presigned request) names an end that is past; or the server says so: certain. A token
    /// that nobody can look into and that simply stops working may also have been revoked: likely.
    ///
    /// # Who acts
    /// Whoever writes or configures the client.
    ///
    /// # What to do
    /// Get a new token and make the client renew it: before `exp`, and once after a 401 with `invalid_token`.
    ///
    /// # Evidence needed
    /// The token (its claims are readable without any key) and the time of the request.
    ///
    /// # Not to be confused with
    /// clock-skew: a fresh token counts as old because the server's clock is ahead. token-revoked: its time is not
    /// over. session-expired: a cookie, not a token.
    ///
    /// # References
    /// RFC 7519 section 4.1.4 (exp); RFC 6750 section 3.1 (invalid_token); RFC 6749 section 5.1 (expires_in).
    pub TokenExpired = "token-expired" in Token, Fault by Caller, over ["credentials-refused", "token-revoked"]
}

impl TokenExpired {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("token-expired", "the token has expired");
        // "invalid or expired", and its own claims say that it is not expired.
        let told = told.filter(|t| {
            t.certainty == Certainty::Certain || !scene.refused().is_some_and(|s| is_good(scene, s))
        });
        // Words that only repeat the status, or none: what else was printed or told.
        let weak = told.as_ref().is_none_or(|t| t.certainty == Certainty::Possible);
        let told = weak.then(|| lifetime::over(scene)).flatten().or(told);
        settle(scene.refused().and_then(|step| look(scene, step)), told, advise)
    }
}

/// Whether the token's own time is not over by the server's clock or the recorder's.
pub(super) fn is_good(scene: &Scene<'_>, step: &Step<'_>) -> bool {
    let exp = token::carried(step).and_then(|c| c.jwt().and_then(Jwt::exp));
    let clock = clock::of(scene, step).filter(|c| c.whose != Whose::Reader);
    matches!((exp, clock), (Some(exp), Some(clock)) if exp > clock.at)
}

fn look(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let clock = clock::of(scene, step);
    if let (Some(clock), Some(end)) = (&clock, end_of_address(step))
        && end.at <= clock.at
    {
        let claim = Claim::new(format!(
            "the signed address was good until {}, {} before the request",
            time_text(end.at),
            span_text(clock.at - end.at)
        ));
        let claim = claim.shown(end.shown(scene)).shown(clock.shown(scene));
        return Some(at_most(claim, clock.certainty(end.at)));
    }
    let carried = token::carried(step)?;
    match carried.jwt().and_then(Jwt::exp) {
        Some(exp) => by_claim(scene, step, &carried, exp, &clock?),
        None => by_life(scene, step, &carried, clock.as_ref()),
    }
}

/// A JWT says itself when it ends.
fn by_claim(
    scene: &Scene<'_>,
    step: &Step<'_>,
    carried: &Carried<'_>,
    exp: i64,
    clock: &Clock<'_>,
) -> Option<Claim> {
    // A server that takes it afterwards does not look at exp.
    if exp > clock.at || token::accepted_after(scene, step, carried).is_some() {
        return None;
    }
    let late = clock.at - exp;
    let mut claim = Claim::new(format!(
        "the token expired at {}; {} it was over for {}",
        time_text(exp),
        clock.by(),
        span_text(late)
    ));
    let range =
        carried.jwt().and_then(|j| j.claim_range("exp")).unwrap_or_else(|| carried.token.range.clone());
    claim = claim.shown([scene.show_in_field(
        carried.view,
        carried.field,
        range,
        format!("exp is {}", time_text(exp)),
    )]);
    claim = claim.shown(clock.shown(scene));
    if let Some(before) =
        token::accepted_before(scene, step, carried).and_then(|a| a.response().map(|r| (a, r)))
    {
        claim = claim.shown([scene.show_status(before.0.view(), before.1, "the same token was let in here")]);
    }
    if let Some((view, response)) = step.response() {
        claim = claim.shown([scene.show_status(view, response, "and is refused here")]);
    }
    let mut certainty = clock.certainty(exp);
    if token::told_otherwise(scene, &["token-expired", "clock-skew", "token-revoked"]) || !token::wanted(step)
    {
        certainty = certainty.min(Certainty::Likely);
    }
    // 400 is the answer to much else.
    if step.status() == Some(400) && step.offered.is_empty() {
        certainty = certainty.min(Certainty::Likely);
    }
    // By the recorder's clock it is still good: then one of the two clocks is wrong.
    if clock.whose == Whose::Server && clock::recorder(scene, step).is_some_and(|at| at < exp) {
        certainty = certainty.min(Certainty::Likely);
    }
    if late < CLOSE {
        claim =
            claim.or("clock-skew", "the clocks of the issuer and of this server, held against each other");
    }
    Some(at_most(claim, certainty))
}

/// A token that says nothing of itself: what its issuer said, or how long it worked.
fn by_life(
    scene: &Scene<'_>,
    step: &Step<'_>,
    carried: &Carried<'_>,
    clock: Option<&Clock<'_>>,
) -> Option<Claim> {
    if token::accepted_after(scene, step, carried).is_some() {
        return None;
    }
    let text = carried.token.text.expose_text();
    let issued = token::issued(scene).into_iter().find(|i| i.token == text);
    if let Some(issued) = &issued
        && let (Some(at), Some(lifetime), Some(clock)) = (issued.at, issued.expires_in, clock)
    {
        if at.saturating_add(lifetime) > clock.at {
            return None;
        }
        let mut claim = Claim::new(format!(
            "the token was issued at {} for {} and was used {} after that",
            time_text(at),
            span_text(lifetime),
            span_text(clock.at - at - lifetime)
        ));
        if let Some(response) = issued.attempt.response() {
            let says = format!("issued here; expires_in is {lifetime}");
            claim = claim.shown([scene.show_status(issued.attempt.view(), response, says)]);
        }
        claim = claim
            .shown([scene.show_field(carried.view, carried.field, "and still used here")])
            .shown(clock.shown(scene));
        return Some(at_most(claim, clock.certainty(at)));
    }
    let before = token::accepted_before(scene, step, carried)?;
    let error = token::challenge(step).and_then(|(_, _, c)| c.error_written);
    let same = before.path() == step.attempt.path() || error.as_deref() == Some("invalid_token");
    if !same
        || step.status() != Some(401)
        || error.as_deref() == Some("insufficient_scope")
        || carried.jwt().is_some()
    {
        return None;
    }
    let mut claim = Claim::new(format!(
        "the same {} was let in before and is refused since: its time is over, or it was revoked",
        carried.noun()
    ));
    if let Some(response) = before.response() {
        claim = claim.shown([scene.show_status(before.view(), response, "let in with this token")]);
    }
    claim = claim.shown([scene.show_field(carried.view, carried.field, "the same token, refused")]);
    claim = claim
        .or("token-revoked", "the issuer's account of this token (introspection, its list of tokens)")
        .or("credentials-changed", "whether the account or its key was changed at that time");
    Some(at_most(claim, Certainty::Likely))
}

/// The end of a signed address.
struct End<'a> {
    at: i64,
    view: &'a why401_http::Exchange,
    field: Option<&'a why401_http::FieldLine>,
}

impl End<'_> {
    fn shown(&self, scene: &Scene<'_>) -> Option<why401_report::Annotation> {
        let says = format!("good until {}", time_text(self.at));
        match (self.field, self.view.request.as_ref()) {
            (Some(field), _) => Some(scene.show_field(self.view, field, says)),
            (None, Some(request)) => Some(scene.show_request(self.view, request, says)),
            (None, None) => None,
        }
    }
}

/// Azure's shared access signatures (`se`), presigned requests of S3 and Google Cloud Storage (`X-…-Expires` seconds
/// after `X-…-Date`), and the older form with `Expires` beside a `Signature`.
fn end_of_address<'a>(step: &Step<'a>) -> Option<End<'a>> {
    if let Some(sent) = step.credentials().filter(|s| s.scheme() == "sharedaccesssignature") {
        let text = sent.value();
        let (_, pairs) = text.split_once(' ')?;
        let se = pairs.split('&').find_map(|pair| pair.trim().strip_prefix("se="))?;
        return Some(End { at: clock::parse(se)?, view: sent.view, field: Some(sent.field) });
    }
    let (view, request) = step.request()?;
    let target = request.target();
    let param = |name: &str| token::query_param(&target, name);
    let time = |name: &str| param(name).and_then(|v| clock::parse(&v));
    let presigned = |prefix: &str| {
        let lifetime: i64 = param(&format!("X-{prefix}-Expires"))?.parse().ok()?;
        time(&format!("X-{prefix}-Date"))?.checked_add(lifetime)
    };
    let old = || if param("Signature").is_some() { time("Expires") } else { None };
    let shared = || if param("sig").is_some() { time("se") } else { None };
    let at = presigned("Amz").or_else(|| presigned("Goog")).or_else(shared).or_else(old)?;
    Some(End { at, view, field: None })
}

fn advise(claim: Claim) -> Claim {
    claim.fix(
        Party::Caller,
        "Get a new token, and let the client renew it before its exp and once after a 401 with invalid_token.",
    )
}
