//! Unencrypted.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use crate::scene::same_client;
use why401_http::Address;
use why401_report::Party;

cause! {
    /// The request went over http where the server takes credentials only over https.
    ///
    /// # What happened
    /// The address begins with `http://`, and the server does not take credentials that anybody on the way can read.
    ///
    /// # How it is decided
    /// http in the address, and https accepted or named by the answer.
    ///
    /// # Who acts
    /// Whoever configures the client.
    ///
    /// # What to do
    /// Use `https://`.
    ///
    /// # Evidence needed
    /// The address, and the answer over https or its words.
    ///
    /// # Not to be confused with
    /// dropped-on-redirect: the server redirects to https and the client leaves the credentials behind.
    ///
    /// # References
    /// RFC 9110 section 4.2.2; RFC 6750 section 5.3 (tokens over TLS only).
    pub PlainHttp = "plain-http" in Request, Fault by Caller, over ["credentials-refused", "no-credentials"]
}

impl PlainHttp {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        let told = || match scene.told_claim("plain-http", "https is wanted") {
            Some(claim) => advise(claim).as_told(),
            None => Answer::RuledOut,
        };
        let Some(step) = scene.refused() else { return told() };
        let Some((view, request)) = step.request() else { return told() };
        let redirect = scene.earlier().take(4).find(|a| {
            same_client(a, step.attempt)
                && matches!(a.status(), Some(301 | 302 | 307 | 308))
                && a.request_field("authorization").is_some()
                && a.response_field("location")
                    .is_some_and(|l| Address::parse(&l.text()).is_some_and(|to| to.scheme == "https"))
                && step.attempt.request_field("authorization").is_none()
        });
        if let Some(location) = redirect.and_then(|a| a.response_field("location").map(|l| (a, l))) {
            return advise(
                Claim::new("the first request went over http and was redirected to https")
                    .shown([scene.show_field(location.0.view(), location.1, "https is wanted")]),
            )
            .possible();
        }
        if request.scheme.as_deref() != Some("http") {
            return told();
        }
        let secure = scene.attempts().find(|a| {
            a.let_in()
                && a.path() == step.attempt.path()
                && a.request().is_some_and(|r| r.scheme.as_deref() == Some("https"))
                && a.request_field("authorization").map(|f| f.value.as_bytes())
                    == request.fields.get("authorization").map(|f| f.value.as_bytes())
        });
        match secure {
            Some(good) => {
                let mut claim = Claim::new("the same request is refused over http and accepted over https")
                    .shown([scene.show_request(view, request, "refused over http")]);
                if let Some(response) = good.response() {
                    claim = claim.shown([scene.show_status(good.view(), response, "accepted over https")]);
                }
                advise(claim).confirmed()
            }
            None => told(),
        }
    }
}

fn advise(claim: Claim) -> Claim {
    claim.fix(Party::Caller, "Use https:// in the address.")
}
