//! Settings and boundaries that are known to take the field away.

use crate::cause::{Answer, Claim};
use crate::reading::configured::{self, Found, Reach};
use crate::{Scene, Step};
use why401_knowledge::Weight;
use why401_report::Party;

/// A configuration given along takes the field away. Which server it is for and whether its block was reached is not proved.
pub(super) fn configured(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    if !step.attempt.shows_credentials() && step.credentials().is_none() && step.status() == Some(401) {
        return configured_unseen(scene);
    }
    let sent = step.credentials().filter(|s| !s.proxy && !s.field.value.is_empty())?;
    let Found { fact, place } = configured::strips(scene, Some(step))?;
    let claim = Claim::new(format!("the client sent its credentials, and the configuration {}", place.how))
        .shown([scene.show_field(sent.view, sent.field, "sent by the client")])
        .shown([scene.show_part(fact.source, &fact.text, place.range, "taken away here")])
        .fix(Party::Intermediary, place.mend)
        .seen_on_the_wire()
        .or(
            "credentials-refused",
            "a capture behind this server: is the field in the request that is passed on?",
        );
    Some(if place.reach == Reach::Here { claim.likely() } else { claim.possible() })
}

/// A field with an underscore in its name, and an nginx that leaves such fields out.
pub(super) fn left_out(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let (Found { fact, place }, name) = configured::leaves_out(scene, step)?;
    let (view, field) = step.request_field(&name)?;
    Some(
        Claim::new(format!("the client sent {name}, and the configuration {}", place.how))
            .shown([scene.show_field(view, field, "sent by the client")])
            .shown([scene.show_part(fact.source, &fact.text, place.range, "left out here")])
            .fix(Party::Intermediary, place.mend)
            .seen_on_the_wire()
            .or(
                "credentials-refused",
                "a capture behind this server: is the field in the request that is passed on?",
            )
            .likely(),
    )
}

/// The configuration takes the field away, and nothing shows what the client sent. A server that asks for a login of
/// its own takes the field away for good reason, and the refusal may be its own.
pub(super) fn configured_unseen(scene: &Scene<'_>) -> Option<Answer> {
    let Found { fact, place } = configured::strips(scene, scene.focus())?;
    // Who names another reason has got the field.
    let another = scene.heard.iter().any(|h| {
        h.said.weight > Weight::Reports
            && !matches!(h.said.cause, "no-credentials" | "dropped-by-intermediary")
    });
    if another || configured::asks(scene) {
        return None;
    }
    let claim =
        Claim::new(format!("the configuration {}, so what stands behind it never gets it", place.how))
            .shown([scene.show_part(fact.source, &fact.text, place.range, "taken away here")])
            .fix(Party::Intermediary, place.mend);
    Some(
        claim
            .or("no-credentials", "the request as the client sends it: curl -v")
            .or("credentials-refused", "the same request sent to the origin directly")
            .likely(),
    )
}

/// Signs of a boundary between web server and program that hides the field: CGI and FastCGI (RFC 3875 section 4.1.18
/// lets a server withhold it), mod_wsgi.
const BOUNDARIES: &[&str] = &[
    "fcgid",
    "fastcgi",
    "fpm",
    "php-cgi",
    "mod_wsgi",
    "getallheaders",
    "apache_request_headers",
    "$_server",
];

/// The first statement or piece of context that names such a boundary.
pub(super) fn boundary<'a>(scene: &Scene<'a>) -> Option<(&'a why401_http::Statement, &'static str)> {
    let statements = scene.case.statements.iter().chain(scene.refusal.statements());
    statements.into_iter().find_map(|s| {
        let text = s.text.to_text().to_ascii_lowercase();
        BOUNDARIES.iter().find(|b| text.contains(**b)).map(|b| (s, *b))
    })
}
