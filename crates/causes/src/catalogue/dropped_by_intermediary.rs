//! A field that left the client and did not arrive.

mod mended;
mod shortened;

use crate::cause::{Answer, Claim, cause};
use crate::reading::configured::{self, Found, Reach};
use crate::reading::token;
use crate::scene::{same_client, same_server, same_site};
use crate::{Scene, Step};
use why401_history::Attempt;
use why401_http::{LoggedUser, Speaker, path_of};
use why401_knowledge::Weight;
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
                configured_unseen(scene).or_else(|| missed(scene)).or_else(|| typed(scene))
            } else {
                None
            };
            return known.unwrap_or_else(|| {
                scene.told("dropped-by-intermediary", "the field was taken away on the way")
            });
        };
        on_the_way(scene, step)
            .or_else(|| two_views(scene, step))
            .or_else(|| another_token(scene, step))
            .or_else(|| shortened::in_introspection(scene, step))
            .or_else(|| printed_environment(scene, step))
            .or_else(|| denied(scene, step))
            .or_else(|| configured(scene, step))
            .or_else(|| left_out(scene, step))
            .or_else(|| hidden(scene, step))
            .or_else(|| underscored(scene, step))
            .or_else(|| mended::by_a_rule(scene, step))
            .or_else(|| direct(scene, step))
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

/// Two vantage points of one request that differ in the field.
fn two_views(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
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
fn another_token(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
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
fn printed_environment(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
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

/// A configuration given along takes the field away. Which server it is for and whether its block was reached is not proved.
fn configured(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
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
fn left_out(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
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
fn configured_unseen(scene: &Scene<'_>) -> Option<Answer> {
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
fn boundary<'a>(scene: &Scene<'a>) -> Option<(&'a why401_http::Statement, &'static str)> {
    let statements = scene.case.statements.iter().chain(scene.refusal.statements());
    statements.into_iter().find_map(|s| {
        let text = s.text.to_text().to_ascii_lowercase();
        BOUNDARIES.iter().find(|b| text.contains(**b)).map(|b| (s, *b))
    })
}

/// The request has Basic credentials, what answers asks for Basic all the same, and such a boundary was named.
fn hidden(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let sent = step.credentials().filter(|s| !s.proxy && !s.field.value.is_empty())?;
    let (named, _) = boundary(scene)?;
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
    let (named, _) = boundary(scene)?;
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

/// The program says that it found no credentials in a request that has them.
fn denied(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
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
fn direct(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
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
    if let (Some(here), Some(there)) = (named(step.attempt), named(accepted))
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
