//! The same secret, refused in one place and let in from another.

use crate::carried::{self, Place};
use crate::cause::Claim;
use crate::scene::same_server;
use crate::{Scene, Sent, Step};
use why401_auth::percent;
use why401_history::Attempt;
use why401_http::{FieldLine, query_of};
use why401_report::Party;

/// A key in one place, refused; the same key in another place, let in.
pub(crate) fn to_another_place(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    if step.credentials().is_some() {
        return None;
    }
    let (key, good, place) =
        carried::accepted(scene, step, |a| same_server(a, step.attempt), |mine, there| mine != there)?;
    // What a form names may be what is asked about (RFC 7662), and not what asks.
    let form = |place: &Place| matches!(place, Place::Form(_) | Place::Member(_));
    if (form(&key.place) || form(&place)) && good.path() != step.attempt.path() {
        return None;
    }
    let claim = Claim::new(format!(
        "the key was refused in {} and is accepted in {}",
        key.place.says(),
        place.says()
    ))
    .shown(carried::show(scene, step.attempt, &key.place, "refused here"))
    .shown(carried::show(scene, good, &place, "the same key, accepted here"));
    Some(match &place {
        Place::Field(name) => {
            let name =
                good.request_field(name).map_or_else(|| name.clone(), |f| f.name.to_text().into_owned());
            advise(claim, &name)
        }
        Place::Query(name) => {
            claim.fix(Party::Caller, format!("Send the secret in the parameter {name} of the query."))
        }
        Place::Form(name) => {
            claim.fix(Party::Caller, format!("Send the secret in the parameter {name} of the content."))
        }
        Place::Member(name) => {
            claim.fix(Party::Caller, format!("Send the secret in the member {name} of the content."))
        }
    })
}

/// The same secret in another field of a request that was let in.
pub(crate) fn from_authorization(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let sent = step.credentials().filter(|s| !s.proxy)?;
    let value = sent.value();
    // In Basic the password may be the key.
    let password = sent.basic().and_then(|b| b.password.as_ref()).map(|p| p.expose_text().into_owned());
    let secrets = value.rsplit(' ').next().into_iter().chain(password.as_deref());
    // What base64 is filled up with is no separator.
    let mut secrets = secrets.map(|s| s.trim_end_matches('=')).filter(|s| s.len() >= 8);
    secrets.find_map(|secret| elsewhere_than(scene, step, sent, secret))
}

/// This secret of `Authorization` in another place of a request that was let in.
fn elsewhere_than(scene: &Scene<'_>, step: &Step<'_>, sent: &Sent<'_>, secret: &str) -> Option<Claim> {
    let is_it = |f: &FieldLine| {
        // Most fields end otherwise: their text need not be made.
        let text = f.value.as_bytes().trim_ascii_end();
        let filled = text.iter().rev().take_while(|b| **b == b'=').count();
        let may_be = !secret.is_ascii()
            || text.get(..text.len() - filled).is_some_and(|t| t.ends_with(secret.as_bytes()));
        may_be
            && !f.is("authorization")
            && !f.is("cookie")
            && f.text().trim_end_matches('=').rsplit([' ', '=']).next() == Some(secret)
    };
    let others = || scene.accepted_without().filter(|a| same_server(a, step.attempt));
    let in_query = |a: &Attempt| {
        a.target().is_some_and(|t| query_of(&t).is_some_and(|q| q.split(['&', '=']).any(|v| v == secret)))
    };
    if let Some(a) = others().find(|a| a.served() && a.path() == step.attempt.path() && in_query(a)) {
        let mut claim = Claim::new("the secret was refused in Authorization and is accepted in the query")
            .shown([scene.show_field(sent.view, sent.field, "refused here")]);
        if let Some(response) = a.response() {
            claim = claim.shown([scene.show_status(
                a.view(),
                response,
                "the same secret in the query, accepted",
            )]);
        }
        return Some(
            claim
                .fix(
                    Party::Caller,
                    "Send the secret where it is accepted, if the field cannot be made to arrive.",
                )
                .or("dropped-by-intermediary", "whether the field reaches the program that checks it"),
        );
    }
    if let Some(a) =
        others().filter(|a| a.served() && a.path() == step.attempt.path()).find(|a| in_form(a, step))
    {
        let mut claim = Claim::new(
            "the pair was refused in Authorization, and the same request is accepted with it in the content",
        )
        .shown([scene.show_field(sent.view, sent.field, "refused here")]);
        if let Some(response) = a.response() {
            claim = claim.shown([scene.show_status(a.view(), response, "without the field, accepted")]);
        }
        return Some(
            claim
                .fix(
                    Party::Caller,
                    "Send client_id and client_secret as parameters of the content (client_secret_post).",
                )
                .or("application-denied", "which ways of authentication the client is registered for"),
        );
    }
    let (view, field) = others()
        .flat_map(|a| a.views.iter())
        .find_map(|v| v.request.as_ref()?.fields.iter().find(|f| is_it(f)).map(|f| (v, f)))?;
    let name = field.name.to_text().into_owned();
    let claim =
        Claim::new(format!("the secret was refused in Authorization and is accepted in the field {name}"))
            .shown([scene.show_field(sent.view, sent.field, "refused here")])
            .shown([scene.show_field(view, field, "the same secret, accepted here")]);
    Some(advise(claim, &name))
}

/// What to do about it.
pub(crate) fn advise(claim: Claim, name: &str) -> Claim {
    claim.fix(
        Party::Caller,
        format!(
            "Send the secret in the field {name}, in the form that the challenge or the documentation gives."
        ),
    )
}

/// Whether a form is the refused one with the pair of its Basic field in it (RFC 6749 section 2.3.1): the pair is seen
/// there, or the form is longer by as much as it takes.
fn in_form(good: &Attempt, step: &Step<'_>) -> bool {
    let Some(basic) = step.credentials().and_then(|s| s.basic()) else { return false };
    let (Some(password), Some(request)) = (&basic.password, good.request()) else { return false };
    let (user, password) = (basic.user.expose_text(), password.expose_text());
    let is_form = |a: &Attempt| {
        a.request_field("content-type")
            .is_some_and(|f| f.text().starts_with("application/x-www-form-urlencoded"))
    };
    if password.len() < 8 || !is_form(good) {
        return false;
    }
    let body = request.body.text();
    if !body.is_empty() {
        let mut values = body.split('&').filter_map(|pair| pair.split_once('='));
        return values.any(|(_, value)| percent::decode(value.as_bytes()) == password.as_bytes());
    }
    let length = |a: &Attempt| a.request_field("content-length")?.text().trim().parse::<usize>().ok();
    let pair = "&client_id=".len() + user.len() + "&client_secret=".len() + password.len();
    is_form(step.attempt)
        && length(good).zip(length(step.attempt)).is_some_and(|(with, without)| with == without + pair)
}

/// Whether a form that is not shown may hold the credentials: the client's id and secret (RFC 6749 section 2.3.1), which the
/// answer finds invalid (section 5.2), or those of a login.
pub(crate) fn may_be_in_form(step: &Step<'_>) -> bool {
    let Some((_, request)) = step.request() else { return false };
    let field = |name: &str| step.attempt.request_field(name).map(|f| f.text().to_ascii_lowercase());
    let form = field("content-type").is_some_and(|t| t.starts_with("application/x-www-form-urlencoded"));
    let unseen = request.body.text().is_empty()
        && field("content-length").and_then(|l| l.trim().parse::<u64>().ok()).is_some_and(|l| l > 0);
    let invalid = step.attempt.response().is_some_and(|r| r.body.text().contains("invalid_client"));
    // So may a login be that asks for no other way.
    let login = step.offered.is_empty()
        && step.attempt.path().is_some_and(|p| {
            let p = p.to_ascii_lowercase();
            ["login", "signin", "token", "ticket", "session", "auth"].iter().any(|w| p.contains(w))
        });
    form && unseen && (invalid || login) && step.credentials().is_none()
}

/// The client was found invalid by a form that is not shown, and the same request is let in with its pair in Basic.
pub(crate) fn from_an_unseen_form(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    if !may_be_in_form(step) {
        return None;
    }
    let (good, field) =
        scene.attempts().filter(|a| a.let_in() && same_server(a, step.attempt)).find_map(|a| {
            let field = a
                .request_field("authorization")
                .filter(|f| f.text().to_ascii_lowercase().starts_with("basic "))?;
            (a.path() == step.attempt.path() && a.method() == step.attempt.method()).then_some((a, field))
        })?;
    let claim = Claim::new("the client was not known by what the form holds, and is let in with its pair in the Authorization field")
        .shown(step.request().map(|(view, request)| scene.show_request(view, request, "refused; the form is not shown")))
        .shown([scene.show_field(good.view(), field, "let in")])
        .or("no-credentials", "the content of the form: whether client_id and client_secret are in it");
    Some(advise(claim, "Authorization"))
}
