//! Two answerers of one address, each of which refuses what the other one wants.

use super::{LOOKS, advise};
use crate::catalogue::intermediary_challenged::whose_page;
use crate::cause::{Answer, Claim};
use crate::scene::same_resource;
use crate::{Scene, Step};

/// One scheme is refused by an answer that asks for nothing, another scheme by an answer that asks for the first: who
/// asks has let the first one through, and somebody behind refused it. Certain where the asking answer is a page of a
/// server's own making and the other is none; a program alone may ask in one answer and not in the other.
pub(super) fn refused_by_two(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let others = scene.same_path(step.attempt).take(LOOKS);
    let mut others = others
        .filter(|a| a.id != step.attempt.id && a.status() == Some(401) && same_resource(a, step.attempt))
        .map(Step::of);
    others.find_map(|other| {
        if went_through(step, &other) {
            claim(scene, step, &other)
        } else if went_through(&other, step) {
            claim(scene, &other, step)
        } else {
            None
        }
    })
}

/// The server in front asked by a page of its own making, and with what it asked for another program refuses in other words,
/// asking for nothing: who knows a wrong password himself answers by his page again.
pub(super) fn behind_the_page(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let sent = step.credentials().filter(|s| !s.scheme().is_empty() && step.offered.is_empty())?;
    let (view, response) = step.response()?;
    let words = 0..response.body.bytes.len().min(80);
    if words.is_empty() || whose_page(&step.body()).is_some() {
        return None;
    }
    let before = scene.same_path(step.attempt).take(LOOKS).filter(|a| a.id != step.attempt.id);
    let asked = before
        .filter(|a| a.status() == Some(401) && same_resource(a, step.attempt) && !a.carries_credentials())
        .map(Step::of)
        .find(|s| s.offers(sent.scheme()) && whose_page(&s.body()).is_some())?;
    let (challenged, challenge) = asked.challenge(sent.scheme())?;
    let claim = Claim::new("the layer in front asked and lets the credentials through, and what stands behind refuses them in other words")
        .shown([scene.show_in_field(challenged.view, challenged.field, challenge.range.clone(), "asked by a page of its own making")])
        .shown([scene.show_field(sent.view, sent.field, "and lets this through")])
        .shown([scene.show_part(view.source, &response.body.bytes, words, "refused behind it")])
        .or("credentials-refused", "whether what stands behind is meant to take the same credentials");
    Some(advise(claim).weighing(6).likely())
}

/// Whether the one who asks in the answer to `asked` has let the credentials of `behind` through.
fn went_through(behind: &Step<'_>, asked: &Step<'_>) -> bool {
    let (Some(first), Some(second)) = (behind.credentials(), asked.credentials()) else { return false };
    let (first, second) = (first.scheme(), second.scheme());
    !first.is_empty()
        && first != second
        && behind.offered.is_empty()
        && asked.offers(first)
        && !asked.offers(second)
}

fn claim(scene: &Scene<'_>, behind: &Step<'_>, asked: &Step<'_>) -> Option<Answer> {
    let (first, second) = (behind.credentials()?, asked.credentials()?);
    let (challenged, challenge) = asked.challenge(first.scheme())?;
    let (view, response) = behind.response()?;
    let words = 0..response.body.bytes.len().min(80);
    let page = whose_page(&asked.body());
    let own = page.is_some() && whose_page(&behind.body()).is_none() && !words.is_empty();
    if !own && !differ(behind, asked) {
        return None;
    }
    let claim = Claim::new(format!(
        "the layer in front asks for {} and lets it through, and what stands behind refuses it; {} does not get past the layer in front",
        challenge.scheme.written,
        second.credentials().map_or("the other", |c| c.scheme.written.as_str())
    ))
    .shown([scene.show_in_field(
        challenged.view,
        challenged.field,
        challenge.range.clone(),
        "the layer in front asks for this",
    )])
    .shown([scene.show_field(first.view, first.field, "and lets it through")])
    .shown([scene.show_part(view.source, &response.body.bytes, words, "refused behind it, in other words")])
    .or("application-denied", "whether what stands behind wants a login of its own elsewhere than in this field");
    let claim = advise(claim).weighing(6);
    Some(if own { claim.confirmed() } else { claim.likely() })
}

/// Whether two answers are of two programs, by what they call themselves. The kind of document tells nothing: a program
/// may explain one refusal and not the other.
fn differ(a: &Step<'_>, b: &Step<'_>) -> bool {
    ["server", "x-powered-by"].iter().any(|name| {
        let maker = |s: &Step<'_>| s.response_field(name).map(|(_, f)| f.text().to_ascii_lowercase());
        maker(a) != maker(b)
    })
}
