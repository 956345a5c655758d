//! A question that never carries credentials was asked for some.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use why401_report::Party;

cause! {
    /// A CORS preflight, which never carries credentials, was asked for some.
    ///
    /// # What happened
    /// Before a page of another origin may send a request with an `Authorization` field, the browser asks the server by
    /// an OPTIONS request whether it may. That request carries no credentials by design. The server demanded some, so
    /// the browser gave up and never sent the real request.
    ///
    /// # How it is decided
    /// An OPTIONS request with `Origin` and `Access-Control-Request-Method` was answered 401.
    ///
    /// # Who acts
    /// Who runs the server, or the gateway before it.
    ///
    /// # What to do
    /// Answer OPTIONS without authentication, with 204 and the `Access-Control-Allow-*` fields. In most frameworks: put
    /// the CORS handler before the authentication.
    ///
    /// # Evidence needed
    /// The OPTIONS request with its fields. An access log shows only the method: likely.
    ///
    /// # Not to be confused with
    /// no-credentials: the real request lacks them.
    ///
    /// # References
    /// Fetch standard, CORS-preflight fetch ("the request's credentials mode is not include"); RFC 9110 section 9.3.7.
    pub PreflightChallenged = "preflight-challenged" in NotSent, Fault by Server, over ["no-credentials", "challenge-missing"]
}

impl PreflightChallenged {
    fn detect(scene: &Scene<'_>) -> Answer {
        let Some(step) = scene.focus().filter(|s| matches!(s.status(), Some(401 | 403 | 407))) else {
            let told = || scene.told("preflight-challenged", "the preflight was refused");
            return in_words(scene).unwrap_or_else(told);
        };
        if step.attempt.method().as_deref() != Some("OPTIONS")
            || step.attempt.carries_credentials()
            || scene.let_in()
        {
            return Answer::RuledOut;
        }
        // WebDAV and ActiveSync clients ask with OPTIONS what a server can do; browsers call themselves Mozilla/5.0.
        let browser = step.request_field("user-agent").is_none_or(|(_, f)| f.text().starts_with("Mozilla/5"));
        let Some((view, request)) = step.request() else { return Answer::RuledOut };
        let mut claim =
            Claim::new("the browser's preflight (OPTIONS) was asked for credentials, which it never carries")
                .shown([scene.show_request(view, request, "a preflight carries no credentials")]);
        if let Some((view, field)) = step.request_field("access-control-request-method") {
            claim = claim.shown([scene.show_field(view, field, "this makes it a preflight")]);
        }
        if let Some((view, response)) = step.response() {
            claim = claim.shown([scene.show_status(
                view,
                response,
                "refused, so the real request is never sent",
            )]);
        }
        claim = claim.fix(
            Party::Server,
            "Answer OPTIONS without authentication: put CORS handling before the login check, and answer 204 with the Access-Control-Allow-* fields.",
        );
        let marked = request.fields.has("origin") && request.fields.has("access-control-request-method");
        if marked {
            claim.confirmed()
        } else if view.shows.request_fields || !browser {
            Answer::RuledOut
        } else {
            claim
                .or(
                    "no-credentials",
                    "a log does not show Origin and Access-Control-Request-Method: a capture does",
                )
                .likely()
        }
    }
}

/// A browser's console names the method and the status: `OPTIONS https://api.example.com/x 401 (Unauthorized)`.
fn in_words(scene: &Scene<'_>) -> Option<Answer> {
    let refused = |s: &&why401_http::Statement| {
        s.status == Some(401) && s.method.as_deref() == Some("OPTIONS") && s.text.to_text().contains("://")
    };
    let said = scene.statements().find(refused).filter(|_| !scene.let_in())?;
    let claim = Claim::new("the browser's preflight (OPTIONS) was refused with 401: it never carries credentials")
        .shown([scene.show_statement(said, "the preflight, refused")])
        .fix(Party::Server, "Answer OPTIONS without authentication: put CORS handling before the login check (IIS: allow anonymous requests beside Windows authentication, or install the IIS CORS module).");
    Some(claim.weighing(6).likely())
}
