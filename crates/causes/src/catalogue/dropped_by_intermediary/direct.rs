//! The same request, let in where the origin was asked without what stands between.

use super::advise;
use crate::cause::{Answer, Claim};
use crate::reading::token;
use crate::scene::{same_client, same_site};
use crate::{Scene, Step};
use why401_history::Attempt;
use why401_http::path_of;

/// The program says that it found no credentials in a request that has them.
pub(super) fn denied(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let sent = step.credentials().filter(|s| !s.scheme().is_empty() && !s.field.value.is_empty())?;
    // Who finds the token invalid has got it.
    if token::challenge(step).is_some_and(|(_, _, c)| c.error_written.is_some()) {
        return None;
    }
    let readable = !matches!(sent.inside, why401_auth::Inside::Empty);
    let offered = step.offers(sent.scheme()) || step.offered.is_empty();
    // Words that are said of refused credentials as well do not deny that there were any.
    let denies = |h: &&crate::Heard<'_>| !h.said.also.iter().any(|a| a == "credentials-refused");
    // A program's own log beside the one refusal that there is speaks of that.
    let of_log = |h: &crate::Heard<'_>| {
        h.speaker == Some(why401_http::Speaker::ServerLog) && scene.case.refusals.len() <= 2
    };
    let word = scene
        .heard_of("no-credentials")
        .filter(denies)
        .find(|h| h.attempt == Some(step.attempt.id) || of_log(h))?;
    if !readable || !offered {
        return None;
    }
    let claim = Claim::new("the request has the field, and what answered says that it got none")
        .shown([scene.show_field(sent.view, sent.field, "sent by the client")])
        .shown([scene.show_heard(word, "says that there were none")]);
    let boundary = scene.heard_of("dropped-by-intermediary").next();
    let claim = match boundary {
        Some(h) => claim
            .shown([scene.show_heard(h, format!("known for it: {}", scene.product_name(h.said.product)))]),
        None => claim,
    };
    Some(advise(claim).or("wrong-field", "which field and scheme the application reads").likely())
}

/// Whether a path leads to the same resource as another: it is the same, or one that a proxy has, with that behind it. What
/// is a proxy's own shows in its name, or in another port of the same host.
fn is_same_behind(a: &Attempt, b: &Attempt) -> bool {
    let (Some(path), Some(target)) = (a.path(), b.target()) else { return false };
    let other = path_of(&target);
    let behind = other.len() > 1 && path.ends_with(other);
    path == other
        || behind && (path.contains("/proxy/") || another_port(a, b) && other.matches('/').count() > 1)
}

/// Whether two requests went to two ports of one host.
fn another_port(a: &Attempt, b: &Attempt) -> bool {
    let of = |x: &Attempt| x.request().and_then(|r| r.authority());
    let (Some(a), Some(b)) = (of(a), of(b)) else { return false };
    let host = |authority: &str| authority.split(':').next().unwrap_or_default().to_ascii_lowercase();
    a != b && host(&a) == host(&b)
}

/// The same credentials are accepted when another server is asked for the same resource.
pub(super) fn direct(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let sent = step.credentials()?;
    let accepted = scene.accepted_with(sent.field.value.as_bytes()).find(|a| {
        a.id != step.attempt.id
            && same_client(a, step.attempt)
            && is_same_behind(step.attempt, a)
            && another_server(a, step.attempt)
    })?;
    // Two names of one owner are two services (regions, products), and no layers of one another.
    let named = |a: &Attempt| {
        a.request().and_then(|r| r.authority()).filter(|h| h.contains(|c: char| c.is_ascii_alphabetic()))
    };
    // What stands in front of one of them names itself (RFC 9110 section 7.6.3).
    let passed_on = |a: &Attempt| a.response_field("via").is_some();
    let in_front = passed_on(step.attempt) && !passed_on(accepted);
    if !in_front
        && let (Some(here), Some(there)) = (named(step.attempt), named(accepted))
        && here.matches('.').count() >= 2
        && same_site(&here, &there)
    {
        return None;
    }
    let other = accepted
        .request()
        .and_then(|r| r.authority())
        .or_else(|| accepted.server().map(ToString::to_string))?;
    let claim = Claim::new(format!(
        "the same credentials for the same resource are accepted when {other} is asked directly"
    ))
    .shown([scene.show_field(sent.view, sent.field, "refused here")])
    .shown([scene.show_status(accepted.view(), accepted.response()?, format!("accepted by {other}"))]);
    Some(
        advise(claim)
            .or(
                "credentials-refused",
                "a capture between the two servers: is the field in the request that is passed on?",
            )
            .or("wrong-environment", "whether both addresses lead to the same service")
            .likely(),
    )
}

fn another_server(a: &Attempt, b: &Attempt) -> bool {
    let authority = |x: &Attempt| x.request().and_then(|r| r.authority());
    authority(a) != authority(b) || a.server() != b.server()
}
