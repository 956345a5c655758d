//! Requests held against each other: what one layer gives out the other refuses, or the field itself is what is refused.

use super::{LOOKS, advise};
use crate::cause::{Answer, Claim};
use crate::scene::{same_resource, same_server};
use crate::{Scene, Sent, Step};
use why401_history::Attempt;

/// The program behind gave out the token that the layer in front refuses: it has let its own login in before, and wants
/// it again.
pub(super) fn displaced(scene: &Scene<'_>, step: &Step<'_>, sent: &Sent<'_>) -> Option<Answer> {
    let (offered, challenge) = step.challenge("basic").filter(|_| sent.basic().is_none())?;
    let value = sent.value();
    // A key is longer than what stands in any answer by chance.
    let token = value.rsplit(' ').next().filter(|t| t.len() >= 16)?;
    let behind = scene.earlier().take(LOOKS).find(|a| {
        let given = |a: &Attempt| {
            let body = a.response().map(|r| r.body.bytes.as_bytes());
            body.is_some_and(|b| memchr::memmem::find(b, token.as_bytes()).is_some())
        };
        a.let_in()
            && same_server(a, step.attempt)
            && Step::of(a).credentials().is_some_and(|c| c.basic().is_some())
            && given(a)
    })?;
    let field = behind.request_field("authorization")?;
    let claim = Claim::new(
        "the token of the program behind takes the place of the login that the layer in front wants in the same field",
    )
    .shown([scene.show_field(behind.view(), field, "let in with this; the answer gave the token")])
    .shown([scene.show_field(sent.view, sent.field, "the token, in the same field")])
    .shown([scene.show_in_field(
        offered.view,
        offered.field,
        challenge.range.clone(),
        "the layer in front still wants this",
    )]);
    Some(advise(claim).confirmed())
}

/// The same request with the same cookie is let in without the field and refused with it: the login of the layer in front
/// reaches the program, which takes the field for its own.
pub(super) fn field_itself(scene: &Scene<'_>, step: &Step<'_>, sent: &Sent<'_>) -> Option<Answer> {
    if sent.basic().is_none() || !step.offered.is_empty() {
        return None;
    }
    let (_, cookie) = step.request_field("cookie")?;
    let same = |a: &&Attempt| {
        a.id != step.attempt.id
            && a.method() == step.attempt.method()
            && same_resource(a, step.attempt)
            && a.request_field("cookie").is_some_and(|c| c.value.as_bytes() == cookie.value.as_bytes())
            && a.shows_credentials()
            && a.request_field("authorization").is_none()
    };
    let near = || scene.same_path(step.attempt).take(LOOKS).filter(same);
    let good = near().find(|a| a.let_in())?;
    let claim = Claim::new("without the field the same request is let in by its cookie: what refuses takes the login of the layer in front for its own")
        .shown([scene.show_field(sent.view, sent.field, "refused with this")])
        .shown(good.view().request.as_ref().map(|r| scene.show_request(good.view(), r, "the same without it, let in")));
    let gate = near().map(Step::of).find(|s| s.status() == Some(401) && s.challenge("basic").is_some());
    Some(match gate.as_ref().and_then(|s| s.challenge("basic")) {
        Some((o, challenge)) => advise(claim.shown([scene.show_in_field(
            o.view,
            o.field,
            challenge.range.clone(),
            "the layer in front asks for it",
        )]))
        .confirmed(),
        None => advise(claim).or("duplicate-credentials", "who asked for the login in the field").likely(),
    })
}
