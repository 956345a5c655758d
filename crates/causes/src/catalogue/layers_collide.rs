//! Two layers want the one field.

mod answerers;
mod compared;

use crate::cause::{Answer, Claim, cause};
use crate::reading::quoted;
use crate::scene::{same_resource, same_server};
use crate::{Scene, Sent, Step};
use why401_report::Party;

cause! {
    /// Two layers want the one Authorization field, and each refuses what is the other's.
    ///
    /// # What happened
    /// A proxy or platform in front asks for one login, the application behind it for another, and both read the same
    /// field. What satisfies the first is refused by the second.
    ///
    /// # How it is decided
    /// The credentials answer one challenge, and then a challenge of another scheme or realm comes; or two requests for one
    /// address, each refused in the words of another layer.
    ///
    /// # Who acts
    /// Who runs the layer in front.
    ///
    /// # What to do
    /// Let only one of them use the field: strip it before the application (`proxy_set_header Authorization ""`), move the
    /// application's token to another field or a cookie, or take the login in front away for the API.
    ///
    /// # Evidence needed
    /// The refusals of both layers.
    ///
    /// # Not to be confused with
    /// scheme-not-offered: only one layer, and the client uses the wrong scheme.
    ///
    /// # References
    /// RFC 9110 section 11.6.2: one Authorization field, one set of credentials.
    pub LayersCollide = "layers-collide" in NotSent, Fault by Intermediary,
        over ["credentials-refused", "credentials-changed", "scheme-not-offered", "wrong-password", "intermediary-challenged", "application-denied", "dropped-by-intermediary", "scheme-missing"]
}

/// So many requests of the evidence are looked at.
const LOOKS: usize = 500;

/// Whether what refused here has let another scheme through to somebody behind it, who refused that.
pub(super) fn has_two_answerers(scene: &Scene<'_>, step: &Step<'_>) -> bool {
    answerers::refused_by_two(scene, step).is_some()
}

impl LayersCollide {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("layers-collide", "two layers use the one field");
        let Some(step) = scene.refused().filter(|s| s.status() == Some(401)) else { return told() };
        let Some(sent) = step.credentials() else { return two_voices(scene, step).unwrap_or_else(told) };
        if let Some(answer) = passed_on(scene, step, sent) {
            return answer;
        }
        let compared = compared::displaced(scene, step, sent);
        if let Some(answer) = compared.or_else(|| compared::field_itself(scene, step, sent)) {
            return answer;
        }
        if let Some(answer) = answerers::refused_by_two(scene, step) {
            return answer;
        }
        if let Some(answer) = answerers::behind_the_page(scene, step) {
            return answer;
        }
        if let Some(claim) = token_of_the_front(scene, step, sent) {
            return claim.likely();
        }
        let scheme = sent.scheme();
        if step.offered.is_empty() || step.offers(scheme) && !another_realm(scene, step, scheme) {
            return two_voices(scene, step).unwrap_or_else(told);
        }
        // Somebody asked for just this scheme before: the first step of the handshake, or another request.
        let steps = scene.steps.iter().filter(|s| s.attempt.id != step.attempt.id);
        let asked = steps.filter(|s| s.status() == Some(401)).find_map(|s| s.challenge(scheme));
        let others: Vec<Step<'_>> = scene
            .same_path(step.attempt)
            .filter(|a| a.id != step.attempt.id && a.status() == Some(401) && same_resource(a, step.attempt))
            .map(Step::of)
            .collect();
        let asked = asked.or_else(|| others.iter().find_map(|s| s.challenge(scheme)));
        let (Some((o, challenge)), Some((now_o, now))) = (asked, step.challenges().next()) else {
            return two_voices(scene, step).unwrap_or_else(told);
        };
        advise(
            Claim::new(format!(
                "one layer asked for {} and let the request through, then another asks for {}",
                challenge.scheme.written, now.scheme.written
            ))
            .shown([scene.show_in_field(
                o.view,
                o.field,
                challenge.range.clone(),
                "the first layer asks for this",
            )])
            .shown([scene.show_field(sent.view, sent.field, "and gets it")])
            .shown([scene.show_in_field(
                now_o.view,
                now_o.field,
                now.range.clone(),
                "the second layer wants this instead",
            )]),
        )
        .confirmed()
    }
}

/// A token of an identity provider in a request that a proxy has passed on, and the program behind takes it for one of its
/// own API keys.
fn token_of_the_front(scene: &Scene<'_>, step: &Step<'_>, sent: &Sent<'_>) -> Option<Claim> {
    let token = sent.token()?;
    let issuer = token.jwt.as_deref()?.iss()?;
    let (view, forwarded) =
        ["x-forwarded-for", "x-forwarded-host", "forwarded"].iter().find_map(|n| step.request_field(n))?;
    let takes_keys = |h: &&crate::Heard<'_>| {
        let words = h.text.as_bytes().get(h.said.range.clone()).unwrap_or_default();
        String::from_utf8_lossy(words).to_ascii_lowercase().contains("api key")
    };
    let said = scene.heard.iter().filter(|h| h.attempt == Some(step.attempt.id)).find(takes_keys)?;
    let claim = Claim::new(format!(
        "a token of {} reached a program that takes what stands in the field for an API key of its own",
        quoted(issuer)
    ))
    .shown([scene.show_field(sent.view, sent.field, "the token of who is in front")])
    .shown([scene.show_field(view, forwarded, "passed on by a proxy")])
    .shown([scene.show_heard(said, "looked for among API keys")])
    .or("wrong-token-type", "whether the program is set to take such tokens")
    .weighing(6);
    Some(advise(claim))
}

/// The same scheme, but another protection space than the one that was asked for before.
fn another_realm(scene: &Scene<'_>, step: &Step<'_>, scheme: &str) -> bool {
    let realm = |s: &Step<'_>| s.challenge(scheme).and_then(|(_, c)| c.text("realm").map(|r| r.into_owned()));
    let Some(now) = realm(step) else { return false };
    scene
        .steps
        .iter()
        .filter(|s| s.attempt.id != step.attempt.id && s.status() == Some(401))
        .filter_map(realm)
        .any(|before| before != now)
}

/// One address, two logins, and each is refused in other words: one by the layer in front, one by what stands behind.
fn two_voices(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let voice = |s: &Step<'_>| {
        let body = s.body();
        let trimmed = body.trim_start();
        if trimmed.is_empty() { None } else { Some(trimmed.starts_with('{') || trimmed.starts_with('[')) }
    };
    let mine = voice(step)?;
    let sent = step.credentials()?;
    let pair = |s: &Step<'_>| {
        s.credentials().and_then(|c| {
            c.basic().map(|b| (b.user.expose().to_vec(), b.password.as_ref().map(|p| p.expose().to_vec())))
        })
    };
    let wants = |s: &Step<'_>| s.request_field("accept").map(|(_, f)| f.text().into_owned());
    let mine_sent = pair(step)?;
    let other = scene
        .same_path(step.attempt)
        .filter(|a| a.id != step.attempt.id && same_resource(a, step.attempt) && !a.let_in())
        .map(Step::of)
        .find(|s| {
            voice(s).is_some_and(|v| v != mine)
                && pair(s).is_some_and(|p| p != mine_sent)
                && wants(s) == wants(step)
        })?;
    let (view, response) = step.response()?;
    let (other_view, other_response) = other.response()?;
    let end = |len: usize| 0..len.min(80);
    Some(
        advise(
            Claim::new("two logins are refused at one address in two different voices: a layer in front, and the application behind it")
                .shown([scene.show_field(sent.view, sent.field, "sent with this login")])
                .shown([scene.show_part(view.source, &response.body.bytes, end(response.body.bytes.len()), "refused in these words")])
                .shown([scene.show_part(other_view.source, &other_response.body.bytes, end(other_response.body.bytes.len()), "and another login in these")]),
        )
        .or("application-denied", "whether the layer in front lets this login through")
        .likely(),
    )
}

/// The login that a layer in front asked for with a page of its own is let in there, and refused by a document that asks
/// for nothing: the program behind it got it too.
fn passed_on(scene: &Scene<'_>, step: &Step<'_>, sent: &Sent<'_>) -> Option<Answer> {
    let document = |s: &Step<'_>| s.body().trim_start().starts_with(['{', '[']);
    if sent.basic().is_none() || !step.offered.is_empty() || !document(step) {
        return None;
    }
    let here = || scene.attempts().filter(|a| same_server(a, step.attempt));
    let page = here().map(Step::of).find(|s| {
        let asks = s.status() == Some(401) && s.challenge("basic").is_some() && s.credentials().is_none();
        asks && s.body().trim_start().starts_with('<')
    })?;
    let value = sent.field.value.as_bytes();
    let own = |a: &&why401_history::Attempt| {
        a.request_field("authorization").is_some_and(|f| f.value.as_bytes() == value)
    };
    let good = here().filter(own).find(|a| a.let_in())?;
    let (o, challenge) = page.challenge("basic")?;
    let (view, response) = step.response()?;
    let end = response.body.bytes.len().min(80);
    let claim = Claim::new("the layer in front asks for a login and lets it in; the program behind it gets the same login and refuses it")
        .shown([scene.show_in_field(o.view, o.field, challenge.range.clone(), "the layer in front asks")])
        .shown(good.request_field("authorization").map(|f| scene.show_field(good.view(), f, "let in with this")))
        .shown([scene.show_part(view.source, &response.body.bytes, 0..end, "the program behind refuses it in other words")])
        .or("acl-denied", "whether this account may use this address");
    Some(advise(claim).weighing(10).likely())
}

fn advise(claim: Claim) -> Claim {
    claim.fix(
        Party::Intermediary,
        "Let only one layer use the Authorization field: remove it before the application is asked, or give one of the two another field or a cookie.",
    )
}
