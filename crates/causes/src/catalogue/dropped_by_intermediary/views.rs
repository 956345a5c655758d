//! Two views of one request that differ in the field.

use super::advise;
use crate::cause::{Answer, Claim};
use crate::reading::token;
use crate::{Scene, Step};
use why401_http::{LoggedUser, Speaker};
use why401_report::Party;

/// Two vantage points of one request that differ in the field.
pub(super) fn two_views(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let views = &step.attempt.views;
    let has = |v: &why401_http::Exchange| v.request.as_ref().is_some_and(|r| r.fields.has("authorization"));
    let sent = views.iter().find(|v| has(v))?;
    let field = sent.request.as_ref()?.fields.get("authorization")?;
    let without = views
        .iter()
        .find(|v| !has(v) && v.shows.authorization && v.request.as_ref().is_some_and(|r| r.complete));
    if let Some(view) = without {
        let claim = Claim::new("the field left the client and is not in the request that arrived")
            .shown([scene.show_field(sent, field, "sent by the client")])
            .shown([scene.show_request(
                view,
                view.request.as_ref()?,
                "arrived without an Authorization field",
            )]);
        return Some(advise(claim).confirmed());
    }
    let basic_with_name = step.credentials()?.basic().is_some_and(|b| !b.user.is_empty());
    let logged = views.iter().find(|v| v.user == LoggedUser::Dash && basic_with_name)?;
    let line = &logged.log.as_ref()?.line;
    let claim = Claim::new("the client sent a user name, and the log of what answered shows none")
        .shown([scene.show_field(sent, field, "sent by the client")])
        .shown([scene.show_part(logged.source, line, 0..line.len(), "no user arrived")]);
    Some(advise(claim).or("credentials-refused", "a server that does not log refused names").likely())
}

/// What the service's own log shows of the token that arrived is of another algorithm and issuer than what was sent.
pub(super) fn another_token(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let carried = token::carried(step)?;
    let jwt = carried.jwt()?;
    let (alg, iss) = (jwt.alg()?, jwt.iss()?);
    // What a person decodes may be any token.
    let own = || scene.statements().filter(|s| s.speaker == Speaker::ServerLog);
    let texts = || own().map(|s| (s.source, &s.text)).take(TEXTS);
    let member = |name: &str, sent: &str| {
        texts().find_map(|(source, text)| {
            let text_ = text.to_text();
            let speaks = ["token", "authorization"].iter().any(|w| text_.to_ascii_lowercase().contains(w));
            let (range, value) = member_of(&text_, name)?;
            (speaks && value != sent)
                .then(|| scene.show_part(source, text, range, format!("arrived with this {name}")))
        })
    };
    let claim = Claim::new("another token arrived than the one that was sent")
        .shown([scene.show_in_field(carried.view, carried.field, carried.token.range.clone(), format!("sent: {alg}, issued by {iss}"))])
        .shown([member("alg", alg)?])
        .shown([member("iss", iss)?])
        .fix(Party::Intermediary, "Let what stands between pass the field on as it came, or send the token in another field that it leaves alone.");
    Some(claim.or("layers-collide", "which layer puts its own token into the field").confirmed())
}

/// The program's own environment (`$_SERVER`, `ENV`) was printed, with fields of this request and without the one that was sent.
pub(super) fn printed_environment(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let sent = step.credentials().filter(|s| !s.proxy && !s.field.value.is_empty())?;
    let texts: Vec<_> = scene.texts().collect();
    let names = |what: &str| texts.iter().find(|(_, t)| t.to_text().contains(what));
    let host = names("HTTP_HOST")?;
    let shown = ["HTTP_ACCEPT", "HTTP_USER_AGENT", "HTTP_CONNECTION", "REQUEST_METHOD"];
    let whole = shown.iter().filter(|name| names(name).is_some()).count() >= 2;
    // Who says that there is none names it too.
    let printed = |what: &str| {
        texts.iter().any(|(_, t)| {
            let t = t.to_text();
            let denied = |at: usize| {
                let before = t.get(..at).unwrap_or_default().trim_end().to_ascii_lowercase();
                before.ends_with("no") || before.ends_with("without") || before.ends_with("redirect_")
            };
            t.match_indices(what).take(10).any(|(at, _)| !denied(at))
        })
    };
    if !whole || printed("HTTP_AUTHORIZATION") || printed("PHP_AUTH_USER") {
        return None;
    }
    let line = host.1.to_text();
    let at = line.find("HTTP_HOST")?;
    let claim = Claim::new(
        "the client sent its credentials, and the environment that the program printed has no such field",
    )
    .shown([scene.show_field(sent.view, sent.field, "sent by the client")])
    .shown([scene.show_part(
        host.0,
        host.1,
        at..at + "HTTP_HOST".len(),
        "other fields arrived, no HTTP_AUTHORIZATION",
    )]);
    // Whoever pasted it may have left lines out.
    Some(
        advise(claim)
            .or("credentials-refused", "the whole of what was printed, for this very request")
            .likely(),
    )
}

/// So many texts are searched.
const TEXTS: usize = 200;

/// The text of a member of a JSON object that stands in a text, and where it stands.
fn member_of<'t>(text: &'t str, name: &str) -> Option<(std::ops::Range<usize>, &'t str)> {
    let key = format!("\"{name}\"");
    let at = text.find(&key)?;
    let rest = text.get(at + key.len()..)?.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let value = rest.get(..rest.find('"')?)?;
    let from = text.len() - rest.len();
    Some((from..from + value.len(), value))
}
