//! A field that left the client and did not arrive.

mod direct;
mod mended;
mod settings;
mod shortened;
mod views;

use crate::cause::{Answer, Claim, cause};
use crate::scene::same_server;
use crate::{Scene, Step};
use why401_history::Attempt;
use why401_report::Party;

cause! {
    /// The client sent its credentials, but something on the way to the code that checks them took them away.
    ///
    /// # What happened
    /// The field left the client and did not arrive: a reverse proxy did not pass it on, the boundary between web server
    /// and program (CGI, FastCGI, mod_wsgi) hides it, a gateway or CDN removed or replaced it.
    ///
    /// # How it is decided
    /// Certain: two vantage points of one request that differ in the field (a capture on both sides of the proxy), or
    /// the program's own word that it found no such field while the request has it. Likely: a line of a configuration
    /// given along that takes the field away from this host and path (possible where a condition or a regular expression
    /// decides), a known signature of such a boundary, or the same credentials accepted when the origin is asked directly.
    ///
    /// # Who acts
    /// Who runs what stands between.
    ///
    /// # What to do
    /// Let it pass the field on: `proxy_set_header Authorization $http_authorization` (nginx), `CGIPassAuth On` or
    /// `WSGIPassAuthorization On` (Apache), the forwarding settings of the gateway or CDN.
    ///
    /// # Evidence needed
    /// What the client sent and what arrived.
    ///
    /// # Not to be confused with
    /// dropped-on-redirect: the client itself did not send the field again. no-credentials: it never left.
    ///
    /// # References
    /// Apache, `CGIPassAuth`; mod_wsgi, `WSGIPassAuthorization`; nginx, `proxy_set_header`; RFC 9110 section 11.6.2 ("A
    /// proxy forwarding a request MUST NOT modify any Authorization fields in that request").
    pub DroppedByIntermediary = "dropped-by-intermediary" in NotSent, Fault by Intermediary,
        over ["no-credentials", "credentials-refused", "intermediary-challenged", "wrong-password", "bad-signature", "wrong-issuer", "wrong-audience"]
}

impl DroppedByIntermediary {
    fn detect(scene: &Scene<'_>) -> Answer {
        let Some(step) = scene.refused().filter(|s| s.status() != Some(407)) else {
            let unseen = scene.steps.iter().all(|s| matches!(s.status(), None | Some(0)));
            let known = if unseen {
                settings::configured_unseen(scene).or_else(|| missed(scene)).or_else(|| typed(scene))
            } else {
                None
            };
            return known.unwrap_or_else(|| {
                scene.told("dropped-by-intermediary", "the field was taken away on the way")
            });
        };
        on_the_way(scene, step)
            .or_else(|| views::two_views(scene, step))
            .or_else(|| views::another_token(scene, step))
            .or_else(|| shortened::in_introspection(scene, step))
            .or_else(|| views::printed_environment(scene, step))
            .or_else(|| direct::denied(scene, step))
            .or_else(|| settings::configured(scene, step))
            .or_else(|| settings::left_out(scene, step))
            .or_else(|| hidden(scene, step))
            .or_else(|| underscored(scene, step))
            .or_else(|| mended::by_a_rule(scene, step))
            .or_else(|| direct::direct(scene, step))
            .or_else(|| by_cgi(scene, step))
            .unwrap_or_else(|| scene.told("dropped-by-intermediary", "the field was taken away on the way"))
    }
}

/// A capture on both sides of the intermediary.
fn on_the_way(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let (outer, inner) = match (step.attempt.forwarded_as, step.attempt.forwarded_from) {
        (Some(inner), _) => (step.attempt, scene.case.attempt(inner)?),
        (None, Some(outer)) => (scene.case.attempt(outer)?, step.attempt),
        (None, None) => return None,
    };
    if !inner.shows_credentials() {
        return None;
    }
    let outer = Step::of(outer);
    let inner = Step::of(inner);
    let (view, left) = outer.request_field("authorization")?;
    let (arrived_view, arrived_request) = inner.request()?;
    let (summary, shown) = match inner.request_field("authorization") {
        None => (
            "the client's Authorization field reached the intermediary and was not passed on",
            scene.show_request(arrived_view, arrived_request, "passed on without an Authorization field"),
        ),
        Some((v, field)) if field.value.as_bytes() != left.value.as_bytes() => (
            "the intermediary replaced the client's Authorization field with another one",
            scene.show_field(v, field, "passed on like this"),
        ),
        Some(_) => return None,
    };
    Some(
        advise(
            Claim::new(summary).shown([scene.show_field(view, left, "sent by the client")]).shown([shown]),
        )
        .seen_on_the_wire()
        .confirmed(),
    )
}

/// The request has Basic credentials, what answers asks for Basic all the same, and such a boundary was named.
fn hidden(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let sent = step.credentials().filter(|s| !s.proxy && !s.field.value.is_empty())?;
    let (named, _) = settings::boundary(scene)?;
    if step.status() != Some(401) || !step.offers(sent.scheme()) {
        return None;
    }
    let claim = Claim::new("the client sent its credentials, and the boundary to the program may hide them")
        .shown([scene.show_field(sent.view, sent.field, "sent by the client")])
        .shown([scene.show_statement(named, "this boundary hides the field unless told otherwise")]);
    Some(advise(claim).or("credentials-refused", "what the program finds in its environment").likely())
}

/// A secret in a field whose name has an underscore, and nginx or what is made of it in front: it drops such fields
/// unless told otherwise (ngx_http_core_module, `underscores_in_headers`).
fn underscored(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let (view, request) = step.request()?;
    let named = |name: &str| ["token", "key", "auth", "secret"].iter().any(|w| name.contains(w));
    let field = request.fields.iter().find(|f| {
        let name = f.name.to_text().to_ascii_lowercase();
        name.contains('_') && named(&name) && f.value.len() >= 6
    })?;
    let (server_view, server) = step.response_field("server")?;
    let name = server.text().to_ascii_lowercase();
    if step.status() != Some(401)
        || !["nginx", "openresty", "kong", "tengine"].iter().any(|n| name.contains(n))
    {
        return None;
    }
    let claim = Claim::new(
        "the secret stands in a field whose name has an underscore, which nginx drops unless told otherwise",
    )
    .shown([scene.show_field(view, field, "dropped for its name")])
    .shown([scene.show_field(server_view, server, "this server stands in front")])
    .fix(
        Party::Intermediary,
        "Set underscores_in_headers on, or let client and service use a name with hyphens.",
    );
    Some(claim.or("wrong-field", "which names the service reads").seen_on_the_wire().weighing(8).likely())
}

/// Somebody misses the field where such a boundary is.
fn missed(scene: &Scene<'_>) -> Option<Answer> {
    const MISSES: &[&str] = &[
        "not being sent",
        "not sent",
        "isn't sent",
        "missing",
        "not there",
        "isn't there",
        "not arrive",
        "doesn't arrive",
        "not present",
        "not passed",
        "is empty",
        "not received",
        "not in the",
        "is null",
        "not set",
    ];
    let (named, _) = settings::boundary(scene)?;
    let misses = scene.statements().find(|s| {
        let text = s.text.to_text().to_ascii_lowercase();
        text.contains("authorization") && MISSES.iter().any(|m| text.contains(m))
    })?;
    let claim = Claim::new("the field is missed at a boundary between web server and program that hides it")
        .shown([scene.show_statement(misses, "missed here")])
        .shown([scene.show_statement(named, "this boundary hides the field unless told otherwise")]);
    Some(advise(claim).or("no-credentials", "the request as the client sends it: curl -v").likely())
}

/// A command gives credentials, and what answers says that there were none; the request itself is not shown.
fn typed(scene: &Scene<'_>) -> Option<Answer> {
    let gives = |f: &&why401_http::Fact| match &f.kind {
        why401_http::FactKind::Command { program, user, fields, .. } => {
            let field = fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"));
            program == "curl" && (user.as_ref().is_some_and(|u| u.contains(':') || !u.is_empty()) || field)
        }
        _ => false,
    };
    let mut commands =
        scene.case.facts.iter().filter(|f| matches!(f.kind, why401_http::FactKind::Command { .. }));
    let (command, other) = (commands.next().filter(gives)?, commands.next());
    let denies = |h: &&crate::Heard<'_>| !h.said.also.iter().any(|a| a == "credentials-refused");
    let word = scene.heard_of("no-credentials").find(denies).filter(|_| other.is_none())?;
    // What is let in got its credentials; the words are another program's.
    if scene.case.attempts.iter().any(Attempt::let_in) {
        return None;
    }
    let claim = Claim::new("the command gives credentials, and what answered says that it got none")
        .shown([scene.show_fact(command, "given here")])
        .shown([scene.show_heard(word, "says that there were none")])
        .or(
            "credentials-refused",
            "some programs pass over credentials that they do not know, as if there were none",
        )
        .or("unknown-user", "whether this user exists there");
    Some(advise(claim).likely())
}

fn advise(claim: Claim) -> Claim {
    claim.fix(
        Party::Intermediary,
        "Let what stands between pass the Authorization field on (nginx: proxy_set_header Authorization $http_authorization; Apache: CGIPassAuth On or WSGIPassAuthorization On), and look at the request again behind it.",
    )
}

/// A key sent as Basic user name and refused, accepted in the query of the same server, which runs its programs by CGI or
/// FastCGI: these are not given the field (RFC 3875 section 4.1.18 leaves it to the server; Apache: CGIPassAuth).
fn by_cgi(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let sent = step.credentials()?;
    let key = sent.basic()?.user_text().into_owned();
    let (view, server) = step.response_field("server")?;
    let text = server.text().to_ascii_lowercase();
    let cgi = ["fcgid", "fastcgi", "fpm"].iter().any(|w| text.contains(w));
    if !cgi || key.len() < 16 {
        return None;
    }
    let good = scene.attempts().find(|a| {
        let carries = |t: std::borrow::Cow<'_, str>| t.split(['=', '&', '?']).any(|v| v == key);
        a.let_in() && same_server(a, step.attempt) && a.target().is_some_and(carries)
    })?;
    let claim = Claim::new("the key is accepted in the query, and in the field the program does not see it: it runs by CGI or FastCGI")
        .shown([scene.show_field(sent.view, sent.field, "sent here and not seen")])
        .shown(good.request().map(|r| scene.show_request(good.view(), r, "the same key, accepted")))
        .shown([scene.show_field(view, server, "runs programs by FastCGI")])
        .fix_by(Party::Server, "Let Apache hand the field to the program (since 2.4.13; before: `SetEnvIf Authorization .+ HTTP_AUTHORIZATION=$0`).", "CGIPassAuth On")
        .or("wrong-field", "whether this program takes the key as a user name");
    Some(claim.likely())
}
