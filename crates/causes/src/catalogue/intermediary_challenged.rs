//! Somebody else asked.

mod absent;

use crate::cause::{Answer, Claim, cause};
use crate::scene::same_server;
use crate::{Scene, Step};
use why401_history::Attempt;
use why401_report::Party;

cause! {
    /// The 401 is not the origin's: a proxy, gateway, CDN or firewall in front of it answered.
    ///
    /// # What happened
    /// What stands before the service wants a login of its own. The service itself has not seen the request.
    ///
    /// # How it is decided
    /// The answer's own fields (Server, Via, realm) against the origin's; or the origin's log has no such request.
    ///
    /// # Who acts
    /// Who runs what answered.
    ///
    /// # What to do
    /// Send what that layer wants, or let it pass this address without a login.
    ///
    /// # Evidence needed
    /// The answer's fields, and an answer of the origin to compare.
    ///
    /// # Not to be confused with
    /// proxy-authentication-required: a proxy that says so by 407. layers-collide: both ask, in the one field.
    ///
    /// # References
    /// RFC 9110 sections 3.7 (intermediaries) and 10.2.4 (Server).
    pub IntermediaryChallenged = "intermediary-challenged" in Server, Fault by Intermediary,
        over ["credentials-refused", "no-credentials", "token-malformed", "wrong-token-type", "challenge-missing", "scheme-not-offered"]
}

impl IntermediaryChallenged {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || match scene
            .told_claim("intermediary-challenged", "the layer in front answered, not the service")
        {
            Some(claim) => advise(claim).as_told(),
            None => Answer::RuledOut,
        };
        if scene.let_in() {
            return Answer::RuledOut;
        }
        if let Some(claim) =
            scene.told_claim("intermediary-challenged", "the layer in front answered, not the service")
        {
            return advise(claim).as_told();
        }
        if let Some(claim) = own_page(scene) {
            return advise(claim).likely();
        }
        if let Some(claim) = absent::from_its_log(scene) {
            return claim.likely();
        }
        let Some(step) = scene.refused().filter(|s| s.status() == Some(401)) else { return told() };
        let by_itself = || by_balancer(scene, step).or_else(|| by_portal(scene, step));
        let told = || by_itself().map_or_else(told, |claim| advise(claim).likely());
        let server = |a: &why401_history::Attempt| {
            a.response_field("server")
                .map(|f| f.text().split(['/', ' ']).next().unwrap_or_default().to_ascii_lowercase())
        };
        let Some(mine) = server(step.attempt) else { return told() };
        let mut others = scene.attempts().filter(|a| a.let_in() && same_server(a, step.attempt));
        let mut origin = None;
        if others.any(|a| {
            let name = server(a);
            origin = origin.or(name.is_some().then_some(a));
            name.as_deref() == Some(&mine)
        }) {
            return told();
        }
        let Some(origin) = origin else { return told() };
        let mut claim = Claim::new(
            "what refused names itself otherwise than what answers the other requests of this host",
        );
        if let Some((view, field)) = step.response_field("server") {
            claim = claim.shown([scene.show_field(view, field, "this refused")]);
        }
        if let Some(field) = origin.response_field("server") {
            claim = claim.shown([scene.show_field(origin.view(), field, "this answers otherwise")]);
        }
        let claim = advise(claim).or("credentials-refused", "the origin's log: has it this request?");
        if asked_directly(step.attempt, origin) { claim.confirmed() } else { claim.likely() }
    }
}

/// Whether the same was asked of another address of the host and let in, with nothing that the refused request had not.
fn asked_directly(refused: &Attempt, origin: &Attempt) -> bool {
    let host = |a: &Attempt| a.server().map(|peer| peer.host.clone());
    let (Some(front), Some(behind)) = (host(refused), host(origin)) else { return false };
    let bare = |a: &Attempt| {
        a.shows_credentials() && !a.carries_credentials() && a.request_field("cookie").is_none()
    };
    front != behind
        && refused.target() == origin.target()
        && refused.method() == origin.method()
        && bare(refused)
        && bare(origin)
}

fn advise(claim: Claim) -> Claim {
    claim.fix(
        Party::Intermediary,
        "Send what the layer in front wants, or let it pass this address without a login of its own.",
    )
}

/// What AWS's load balancer calls itself in answers of its own; what it passes on keeps its server's name (AWS, "Troubleshoot
/// your Application Load Balancers", HTTP 401: the action on an unauthenticated request is to deny it).
const BALANCER: &str = "awselb/";

/// The balancer itself refuses, and the secret that the request has is the program's behind it.
fn by_balancer(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (view, field) = step.response_field("server")?;
    let claim = Claim::new(
        "AWS's load balancer refused by itself: the request did not come to the program behind it",
    )
    .shown([scene.show_field(view, field, "its own answer")])
    .or("no-credentials", "what it is set to do with who has not signed in")
    .weighing(5);
    field.text().trim().to_ascii_lowercase().starts_with(BALANCER).then_some(claim)
}

/// A 401 that names a page of another host, and tells it what was asked for: a portal in front answers so to who has not
/// signed in there (Authelia, "Proxy integration": 401 with Location for what is no page's request).
fn by_portal(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (view, field) = step.response_field("location")?;
    let asked = step.attempt.request()?.authority()?.to_ascii_lowercase();
    let text = field.text();
    let there = why401_http::Address::parse(&text)?;
    let query = why401_http::query_of(&there.target)?;
    let told = why401_auth::percent::decode(query.as_bytes());
    let told = String::from_utf8_lossy(&told).to_ascii_lowercase();
    let of_request = told.contains(&format!("://{asked}/")) && !asked.starts_with(&there.host);
    let claim = Claim::new(format!("a portal in front refuses who has not signed in at {}", there.host))
        .shown([scene.show_field(view, field, "sign in there")])
        .or("login-redirect", "whether the client would follow it")
        .weighing(5);
    of_request.then_some(claim)
}

/// Pages with which what stands in front refuses by itself: whose, and what is in every one of them.
const PAGES: &[(&str, &[&str])] = &[
    // ngx_http_special_response.c.
    ("nginx", &["<title>401 Authorization Required</title>", "<center>nginx"]),
    // http_err_msgs in HAProxy's src/http.c.
    ("HAProxy", &["<h1>401 Unauthorized</h1>", "You need a valid user and password to access this content."]),
];

/// Whose own page a text is.
pub(super) fn whose_page(text: &str) -> Option<&'static str> {
    PAGES.iter().find(|(_, marks)| marks.iter().all(|m| text.contains(m))).map(|(who, _)| *who)
}

/// The own page of what stands in front answers a request whose key is for a program behind it.
fn own_page(scene: &Scene<'_>) -> Option<Claim> {
    let step = scene.focus()?;
    let (place, key) = step.other_credentials(scene)?;
    let body = step.response().and_then(|(v, r)| {
        let who = whose_page(&r.body.text())?;
        let shown = 0..r.body.bytes.len().min(80);
        Some((who, scene.show_part(v.source, &r.body.bytes, shown, format!("{who}'s own page"))))
    });
    let (who, page) = body.or_else(|| {
        let (who, said) = scene.statements().find_map(|s| Some((whose_page(&s.text.to_text())?, s)))?;
        Some((who, scene.show_statement(said, format!("{who}'s own page"))))
    })?;
    let claim =
        Claim::new(format!("{who} itself refused, before the program that the key in {place} is for"));
    Some(
        claim.shown([page, key]).or("wrong-field", format!("whether {who} is to check this key")).weighing(6),
    )
}
