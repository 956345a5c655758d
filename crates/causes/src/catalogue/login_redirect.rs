//! A login page in place of a refusal.

use crate::cause::{Answer, Claim, cause};
use crate::{Scene, Step};
use why401_http::path_of;
use why401_report::Party;

cause! {
    /// Instead of a 401 the server redirects to, or shows, a login page.
    ///
    /// # What happened
    /// The server takes whoever asks for a person at a browser. A program that follows gets a page with status 200 and takes it for
    /// success.
    ///
    /// # How it is decided
    /// A 3xx answer that leads to a login address (also of another host), or 200 or 203 with a login form where data was asked for.
    ///
    /// # Who acts
    /// Whoever writes the client: its credentials were not accepted. The server's operator should answer 401 to programs.
    ///
    /// # What to do
    /// Treat it as a refusal: check the credentials and the address of the API (not of the web pages). Send `Accept: application/json`.
    ///
    /// # Evidence needed
    /// The answer with its `Location`, or its body.
    ///
    /// # Not to be confused with
    /// dropped-on-redirect: the redirect leads to the same resource elsewhere.
    ///
    /// # References
    /// RFC 9110 sections 15.4 and 15.5.2.
    pub LoginRedirect = "login-redirect" in Neighbour, Fault by Caller, over ["credentials-refused"]
}

impl LoginRedirect {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || match scene.told_claim("login-redirect", "a login page is shown instead of an answer") {
            Some(claim) => advise(claim).as_told(),
            None => Answer::RuledOut,
        };
        let Some(step) = scene.last() else { return told() };
        if matches!(step.status(), Some(401 | 403 | 407)) || !wants_data(step) {
            return if step.status().is_some_and(|s| s < 400) { Answer::RuledOut } else { told() };
        }
        // What it leads to refused as well: no page was shown.
        let next = scene.case.attempt(step.attempt.id + 1).filter(|a| {
            let led = step.attempt.login_location().map(|l| path_of(&l.text()).to_owned());
            led.is_some() && a.path().map(str::to_owned) == led
        });
        if next.is_some_and(|a| matches!(a.status(), Some(401 | 407))) {
            return Answer::RuledOut;
        }
        if let Some(location) = step.attempt.login_location() {
            let mut claim =
                Claim::new("instead of refusing with 401 the server redirects the request to a login page");
            if let Some((view, response)) = step.response() {
                claim = claim.shown([scene.show_status(view, response, "no 401")]).shown([scene.show_field(
                    view,
                    location,
                    "a login page",
                )]);
            }
            return advise(claim).confirmed();
        }
        if step.attempt.shows_login_page()
            && let Some((view, response)) = step.response()
        {
            let body = response.body.text().to_ascii_lowercase();
            let at = ["<title", "type=\"password\"", "type='password'", "type=password"]
                .iter()
                .find_map(|w| body.find(w))
                .unwrap_or(0);
            let end = (at + 60).min(response.body.bytes.len());
            return advise(
                Claim::new(format!(
                    "the answer is {} and holds a login page instead of the data asked for",
                    response.status
                ))
                .shown([scene.show_status(view, response, "no 401")])
                .shown([scene.show_part(
                    view.source,
                    &response.body.bytes,
                    at..end,
                    "a login page",
                )]),
            )
            .confirmed();
        }
        told()
    }
}

/// Whether a program asked for data: it sent credentials, or wants JSON, or is no browser that opens a page.
fn wants_data(step: &Step<'_>) -> bool {
    let accept = step.request_field("accept").map(|(_, f)| f.text().to_ascii_lowercase()).unwrap_or_default();
    let script = step.request_field("x-requested-with").is_some()
        || step.request_field("sec-fetch-mode").is_some_and(|(_, f)| f.text() == "cors");
    let path = step.attempt.path().unwrap_or_default().to_ascii_lowercase();
    let api = path
        .split('/')
        .any(|s| matches!(s, "api" | "_apis" | "rest" | "graphql" | "v1" | "v2" | "v3" | "v4"));
    step.attempt.request_field("authorization").is_some()
        || accept.contains("json")
        || script
        || (api && !accept.contains("text/html"))
}

fn advise(claim: Claim) -> Claim {
    claim
        .fix(Party::Caller, "Take it for a refusal: check the credentials, and that the address is the API's and not that of the web pages; send Accept: application/json.")
        .fix(Party::Server, "Answer programs with 401 and WWW-Authenticate, and keep the redirect for browsers that open a page.")
}
