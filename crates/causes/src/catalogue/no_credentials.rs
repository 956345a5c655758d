//! Nothing was sent.

use crate::cause::{Answer, Claim, cause};
use crate::reading::configured;
use crate::scene::same_resource;
use crate::{Scene, Step, carried, elsewhere, login};
use why401_http::FactKind;
use why401_knowledge::Weight;
use why401_report::Party;

cause! {
    /// The request carries no credentials, and the client sends none after the challenge either.
    ///
    /// # What happened
    /// The server asked for credentials and the client has none, or does not use those it has.
    ///
    /// # How it is decided
    /// The whole request was seen (a capture, a transcript of all that the client sent) and has no `Authorization`
    /// field, and no later request of the client answers the challenge: certain. An access log that shows `-` for the
    /// user makes it likely only: servers differ in when they log a refused name, and a Bearer token never shows there.
    /// A recorder that leaves secrets out proves nothing about absence.
    ///
    /// # Who acts
    /// Whoever writes or configures the client.
    ///
    /// # What to do
    /// Give the client its credentials where it looks for them, and look at the request again: the field must be there.
    ///
    /// # Evidence needed
    /// The request as it left the client (`curl -v`, a capture), not only the answer.
    ///
    /// # Not to be confused with
    /// A field that left the client and did not arrive (dropped-by-intermediary): look at the other end too. A session
    /// cookie that is missing (session-missing). A CORS preflight, which never carries any (preflight-challenged).
    ///
    /// # References
    /// RFC 9110 section 11.6.2 (Authorization), section 15.5.2 (401).
    pub NoCredentials = "no-credentials" in NotSent, Fault by Caller
}

impl NoCredentials {
    fn detect(scene: &Scene<'_>) -> Answer {
        // A client that could ask for nothing but an anonymous token is refused with 403 as well.
        let told_so = || {
            scene.steps.is_empty()
                && scene.heard_of("no-credentials").any(|h| h.said.weight > Weight::Reports)
        };
        if scene.let_in() || !scene.is_unauthorized() && !told_so() {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("no-credentials", "the request brought no credentials");
        let unread = || {
            let (fact, line) = configured::stores::unread(scene).filter(|_| scene.refused().is_none())?;
            let claim = Claim::new(
                "the secret stands under a scope's name, where npm does not read it, so none is sent",
            )
            .shown([scene.show_part(fact.source, &fact.text, line, "not read")])
            .fix(
                Party::Caller,
                "Write it for the registry's address: `//HOST/PATH/:_auth=…` or `//HOST/PATH/:_authToken=…`.",
            );
            Some(claim.or("credentials-refused", "the request as it was sent: npm --loglevel http").likely())
        };
        if let Some(answer) = unread() {
            return answer;
        }
        if let Some(claim) = validation(scene) {
            return claim.confirmed();
        }
        let Some(step) = scene.focus() else {
            return match told {
                Some(claim) => advise(claim).as_told(),
                None => debug_log(scene),
            };
        };
        if step.status() == Some(407) || scene.steps.iter().any(|s| s.attempt.carries_credentials()) {
            return Answer::RuledOut;
        }
        if step.attempt.shows_credentials() {
            // Credentials in a place of their own: refused there, or looked for in vain (wrong-field).
            if step.other_credentials(scene).is_some() {
                let asks = step.challenges().any(|(_, c)| !super::wrong_field::of_keys(c));
                return match told {
                    Some(claim) => advise(claim).as_told(),
                    None if asks => advise(seen(scene, step))
                        .or("wrong-field", "which field the service's documentation names")
                        .or("credentials-refused", "whether the server reads what stands in another place")
                        .weighing(-5)
                        .likely(),
                    None => Answer::RuledOut,
                };
            }
            let claim = advise(without_entry(scene, step, seen(scene, step)));
            // An answer that speaks of credentials (the request may have been cleaned before it was pasted), of addresses,
            // limits or tenants: then it is not the missing field that was refused.
            let speaks = scene.speaks_of_credentials(step).or_else(|| another_reason(scene, step));
            if let Some(heard) = speaks.filter(|_| told.is_none()) {
                return claim
                    .shown([scene.show_heard(heard, "the answer speaks of something else")])
                    .or("evidence-redacted", "the request as it left the client")
                    .weighing(-1)
                    .likely();
            }
            // It may have had some, and failed to read what was asked.
            if super::challenge_misread::fails_at_parsing(scene, step) {
                return claim.or("challenge-misread", "the client's own error").weighing(-1).likely();
            }
            // The form may hold them.
            if crate::moved::may_be_in_form(step) && told.is_none() {
                return claim
                    .or(
                        "wrong-field",
                        "the content of the form: whether client_id and client_secret are in it",
                    )
                    .weighing(-1)
                    .likely();
            }
            // Credentials were given, and only a scheme is offered that few clients speak: then it is that which failed.
            let given = scene.case.facts.iter().any(|f| {
                matches!(
                    &f.kind,
                    FactKind::Command { user: Some(_), .. }
                        | FactKind::Command { userinfo: Some(_), .. }
                        | FactKind::Address { userinfo: Some(_), .. }
                )
            });
            if given && step.offers("digest") && !step.offers_password() {
                return claim.weighing(-1).likely();
            }
            // A login just before was accepted: what it gave did not come along.
            if step.offered.is_empty()
                && step.request_field("cookie").is_none()
                && login::accepted_before(scene, step).is_some()
            {
                return claim
                    .or("session-missing", "what the login's answer gave, and whether it is kept")
                    .likely();
            }
            // Without a challenge nobody says where the credentials belong: it may be in a field of the service's own.
            if let Some(field) = step
                .request()
                .filter(|_| step.offered.is_empty())
                .and_then(|(_, request)| elsewhere::may_be_key(request))
            {
                // Its name alone: the value may be a secret.
                let shown = step.request().map(|(view, _)| {
                    let name = 0..field.name.len();
                    scene.show_part(view.source, &field.name, name, "what stands in this field may be a key")
                });
                return claim
                    .shown(shown)
                    .or(
                        "credentials-refused",
                        "whether the service reads this field, and what the key may do",
                    )
                    .or("wrong-field", "which field the service's documentation names")
                    .likely();
            }
            // The address itself is a key, and is let in by another method.
            let served = |a: &why401_history::Attempt| {
                a.served() && same_resource(a, step.attempt) && a.method() != step.attempt.method()
            };
            if carried::is_in_path(step.attempt) && scene.attempts().take(LOOKS).any(served) {
                return claim.or("wrong-method", "which method the address is for").weighing(-5).likely();
            }
            // A session cookie may be all that this server wants.
            let cookie_only = step.request_field("cookie").is_some() && step.offered.is_empty();
            return if cookie_only {
                claim.or("session-expired", "whether the server takes the session in the cookie").likely()
            } else {
                scene.proved(claim)
            };
        }
        if let Some(claim) = probe(scene, step) {
            return claim.likely();
        }
        if let Some(claim) = crawler(scene, step) {
            return claim.likely();
        }
        if login::in_log(scene, step).is_some() {
            return Answer::RuledOut;
        }
        if let Some(claim) = unlike_others(scene, step) {
            return advise(claim).likely();
        }
        if step.attempt.logged_dash() && tried(step) {
            return Answer::RuledOut;
        }
        if step.attempt.logged_dash() {
            let mut claim =
                Claim::new("no user name was logged for the request, so it probably carried no credentials")
                    .or(
                        "dropped-by-intermediary",
                        "a capture or transcript at the client shows whether it sent the field",
                    )
                    .or(
                        "credentials-refused",
                        "a token leaves no name in a log: the client's own transcript shows it",
                    );
            if let Some(log) = step.attempt.views.iter().find_map(|v| v.log.as_ref().map(|l| (v, l))) {
                claim = claim.shown([scene.show_part(
                    log.0.source,
                    &log.1.line,
                    0..log.1.line.len(),
                    "no user here",
                )]);
            }
            if let Some(told) = told {
                claim.also.extend(told.also);
            }
            // Somebody saw that the same request is let in by another way.
            let lost = ["dropped-by-intermediary", "layers-collide"];
            if scene.accounts().iter().any(|t| lost.contains(&t.cause())) {
                return advise(claim).possible();
            }
            return advise(claim).likely();
        }
        match told {
            Some(claim) => advise(claim).as_told(),
            None => Answer::Undecidable("the request as the client sent it: curl -v, or a capture"),
        }
    }
}

/// Windows tried the credentials of a request for which IIS logged no name: `SEC_E_LOGON_DENIED` and
/// `ERROR_LOGON_FAILURE` (Microsoft, COM error codes for security; system error codes).
fn tried(step: &Step<'_>) -> bool {
    const DENIED: [u32; 2] = [0x8009_030c, 1326];
    let mut logs = step.attempt.views.iter().filter_map(|v| v.log.as_ref());
    logs.any(|l| l.win32.is_some_and(|w| DENIED.contains(&w)))
}

/// Product names of programs that only look whether something answers; they send no credentials unless told to.
const PROBES: &[&str] = &[
    "kube-probe",
    "elb-healthchecker",
    "googlehc",
    "consul health check",
    "amazon-route53-health-check",
    "edge health probe",
    "load balancer agent",
    "uptimerobot",
    "uptime-kuma",
    "pingdom",
    "blackbox exporter",
    "statuscake",
    "site24x7",
    "azure traffic manager",
    "haproxy-check",
    "gatus",
    "betteruptime",
    "updown.io",
];

/// A health check that a log names by its product and shows without a user.
fn probe(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (view, agent) = step.request_field("user-agent")?;
    let name = agent.text().to_ascii_lowercase();
    let log = view.log.as_ref()?;
    PROBES.iter().any(|p| name.contains(p)).then(|| {
        Claim::new("a health check asks for a protected address, and no user is logged for it")
            .shown([scene.show_part(view.source, &log.line, 0..log.line.len(), "a health check")])
            .fix(Party::Caller, "Let the check ask for an address that needs no login, give it credentials, or let it take 401 as a sign of health.")
            .or("credentials-refused", "the definition of the check: does it send a field of its own?")
    })
}

/// Product names of the crawlers of search engines and archives, which never log in anywhere.
const CRAWLERS: &[&str] = &[
    "googlebot",
    "bingbot",
    "yandexbot",
    "duckduckbot",
    "baiduspider",
    "applebot",
    "slurp",
    "ahrefsbot",
    "semrushbot",
    "mj12bot",
    "dotbot",
    "petalbot",
    "gptbot",
    "ccbot",
    "claudebot",
    "amazonbot",
    "bytespider",
    "facebookexternalhit",
    "archive.org_bot",
];

/// A crawler was turned away from a protected address, as it should be.
/// A log that keeps the fields of requests shows `Authorization` in others and none in this one.
fn unlike_others(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (view, log) = step.attempt.views.iter().find_map(|v| Some((v, v.log.as_ref()?)))?;
    let keeps_fields = view.request.as_ref().is_some_and(|r| r.fields.iter().next().is_some());
    let other = scene.sending_credentials().find(|a| {
        a.view().source == view.source
            && a.id != step.attempt.id
            && a.request_field("authorization").is_some()
    })?;
    if !keeps_fields || step.request_field("authorization").is_some() || step.attempt.logged_name().is_some()
    {
        return None;
    }
    let field = other.request_field("authorization")?;
    let claim = Claim::new("the log shows the Authorization field of other requests, and none of this one")
        .shown([scene.show_part(view.source, &log.line, 0..log.line.len(), "without the field")])
        .shown([scene.show_field(other.view(), field, "another request has it")])
        .or(
            "server-misconfigured",
            "whether the client was asked for credentials at the address that it asks first",
        );
    Some(claim)
}

/// The path of a certificate authority's visit (RFC 8555 section 8.3): it follows redirects and never logs in.
const ACME: &str = "/.well-known/acme-challenge/";

/// A certificate authority that looks for its token and is asked for a password, as a log tells it.
fn validation(scene: &Scene<'_>) -> Option<Claim> {
    let said =
        scene.refusal.statements().iter().find(|s| s.target.as_deref().is_some_and(|t| t.starts_with(ACME)));
    let visit = |s: &&Step<'_>| s.attempt.path().is_some_and(|p| p.starts_with(ACME));
    let step = scene.focus().filter(visit);
    let shown = match (said, step.and_then(Step::request)) {
        (Some(said), _) => scene.show_statement(said, "a certificate authority's visit, which never logs in"),
        (None, Some((view, request))) => {
            scene.show_request(view, request, "a certificate authority's visit, which never logs in")
        }
        (None, None) => {
            let view = step?.attempt.views.iter().find(|v| v.log.is_some())?;
            let line = &view.log.as_ref()?.line;
            scene.show_part(
                view.source,
                line,
                0..line.len(),
                "a certificate authority's visit, which never logs in",
            )
        }
    };
    Some(
        Claim::new("a certificate authority looks for its token and is asked for a password: the certificate is not renewed")
            .shown([shown])
            .fix(Party::Server, format!("Let {ACME} be read without a login (nginx: `location ^~ {ACME} {{ auth_basic off; }}`; Apache: `Require all granted` for it)."))
            .by(Party::Server),
    )
}

fn crawler(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (view, agent) = step.request_field("user-agent")?;
    let name = agent.text().to_ascii_lowercase();
    let log = view.log.as_ref()?;
    CRAWLERS.iter().any(|c| name.contains(c)).then(|| {
        Claim::new("a crawler found a protected address and was turned away; it never logs in")
            .shown([scene.show_part(view.source, &log.line, 0..log.line.len(), "a crawler")])
            .harmless()
    })
}

/// A wording of the answer that gives another reason than credentials, where it asks for none.
fn another_reason<'s, 'a>(scene: &'s Scene<'a>, step: &Step<'_>) -> Option<&'s crate::Heard<'a>> {
    let mine = |h: &&crate::Heard<'_>| h.attempt == Some(step.attempt.id) && h.speaker.is_none();
    let others = |h: &&crate::Heard<'_>| {
        h.names_a_reason()
            && h.said.cause != "session-missing"
            && !h.said.also.iter().any(|a| a == "no-credentials")
    };
    scene.heard.iter().filter(mine).find(others).filter(|_| step.offered.is_empty())
}

/// Apache's log at level debug says "denied (no authenticated user yet)" (AH01626) in every request, good ones too. It
/// speaks for a request without credentials where nothing was granted after it.
fn debug_log(scene: &Scene<'_>) -> Answer {
    let statements = scene.refusal.statements();
    let denied =
        |s: &&why401_http::Statement| s.text.to_text().contains("denied (no authenticated user yet)");
    let granted = statements.iter().any(|s| s.text.to_text().contains(": granted"));
    match statements.iter().find(denied) {
        Some(line) if !granted && statements.iter().all(|s| denied(&s)) => advise(
            Claim::new("the server asked for a user, and nothing in its log says that one was ever named")
                .shown([scene.show_statement(line, "no user yet, and none after")]),
        )
        .or("challenge-answered", "the access log: does a request of the same client with a user follow?")
        .likely(),
        _ => Answer::RuledOut,
    }
}

/// The store of the client, given along, has nothing for this address.
fn without_entry(scene: &Scene<'_>, step: &Step<'_>, claim: Claim) -> Claim {
    let Some((fact, store, host)) = configured::stores::lacks(scene, step) else { return claim };
    let mut claim = claim;
    let called = store.called;
    claim.summary.push_str(&format!("; {called} has no credentials for {host}"));
    let nearest =
        store.entries.iter().find(|e| e.host.as_deref() == Some(host.as_str())).or(store.entries.first());
    if let Some(entry) = nearest {
        let says = match &entry.host {
            Some(other) if *other != host => format!("{called} has some for {other}"),
            Some(_) if entry.complete => format!("{called} has some for another path of this host"),
            _ => format!("{called} has nothing to log in with here"),
        };
        claim = claim.shown([scene.show_part(fact.source, &fact.text, entry.range.clone(), says)]);
    }
    claim.fix(Party::Caller, store.mend.replace("HOST", &host)).seen_on_the_wire()
}

fn seen(scene: &Scene<'_>, step: &Step<'_>) -> Claim {
    let mut claim = Claim::new("the request has no Authorization field and nothing follows the challenge");
    if let Some((view, request)) = step.request() {
        claim = claim.shown([scene.show_request(view, request, "no Authorization field in this request")]);
    }
    if let Some((offered, challenge)) = step.challenges().next() {
        let says = "this is what the server asks for";
        claim =
            claim.shown([scene.show_in_field(offered.view, offered.field, challenge.range.clone(), says)]);
    }
    claim
}

fn advise(claim: Claim) -> Claim {
    claim.fix(
        Party::Caller,
        "Give the client credentials for this address, and check that its request then has an Authorization field.",
    )
}

/// So many requests are looked at.
const LOOKS: usize = 500;
