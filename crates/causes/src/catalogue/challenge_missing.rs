//! A refusal that does not say what it wants.

use crate::cause::{Answer, Claim, cause};
use crate::scene::same_server;
use crate::{Scene, Step};
use why401_http::FactKind;
use why401_report::Party;

cause! {
    /// The 401 has no WWW-Authenticate field, so a client that waits to be asked never answers.
    ///
    /// # What happened
    /// The server refuses and does not say which credentials it would take. A browser then shows the error page and no dialog; a library
    /// that answers challenges has nothing to answer.
    ///
    /// # How it is decided
    /// By the fields of the answer. It leads where the client holds credentials and waits for the challenge; beside another cause it
    /// is an observation.
    ///
    /// # Who acts
    /// Who runs the server.
    ///
    /// # What to do
    /// Send `WWW-Authenticate` with every 401. Meanwhile, let the client send its credentials unasked.
    ///
    /// # Evidence needed
    /// The whole head of the answer.
    ///
    /// # Not to be confused with
    /// A log, or a browser's script, which does not show the field.
    ///
    /// # References
    /// RFC 9110 section 15.5.2 ("MUST send a WWW-Authenticate header field") and section 11.6.1.
    pub ChallengeMissing = "challenge-missing" in Server, Fault by Server, over ["no-credentials", "scheme-unsupported-by-client"]
}

impl ChallengeMissing {
    fn detect(scene: &Scene<'_>) -> Answer {
        let Some(step) = scene.refused().filter(|s| s.status() == Some(401)) else {
            return scene.told("challenge-missing", "the answer does not say what it wants");
        };
        if !step.offered.is_empty() || !step.answer_is_whole() {
            return Answer::RuledOut;
        }
        let Some((view, response)) = step.response() else { return Answer::RuledOut };
        let mut claim =
            Claim::new("the 401 has no WWW-Authenticate field, so the client is not told what is wanted")
                .shown([scene.show_status(view, response, "no WWW-Authenticate in this answer")])
                .fix(Party::Server, "Send WWW-Authenticate with every 401, naming the scheme that is taken.")
                .fix(Party::Caller, "Let the client send its credentials unasked (preemptively).")
                .or("no-credentials", "whether the client was given credentials");
        match waits(scene, step) {
            Some(good) => {
                if let Some(r) = good.and_then(|a| a.response().map(|r| (a, r))) {
                    claim = claim.shown([scene.show_status(
                        r.0.view(),
                        r.1,
                        "with credentials sent unasked it is served",
                    )]);
                }
                claim.confirmed()
            }
            None => claim.beside().confirmed(),
        }
    }
}

/// Whether the client holds credentials and waits to be asked; with the request that got in by sending them unasked.
fn waits<'a>(scene: &Scene<'a>, step: &Step<'_>) -> Option<Option<&'a why401_history::Attempt>> {
    // Wget says so of an answer without any challenge as well, where it has credentials to give.
    if scene.statements().any(|s| s.text.to_text().contains("Unknown authentication scheme")) {
        return Some(None);
    }
    // Whose form was looked at waits for nothing.
    if step.attempt.carries_credentials()
        || crate::moved::may_be_in_form(step)
        || step.request_field("cookie").is_some()
        || !step.attempt.shows_credentials()
    {
        return None;
    }
    let unasked = scene.sending_credentials().find(|a| {
        a.let_in()
            && a.request_field("authorization").is_some()
            && same_server(a, step.attempt)
            && a.path() == step.attempt.path()
    });
    let navigates = step.request_field("upgrade-insecure-requests").is_some()
        || step.request_field("sec-fetch-mode").is_some_and(|(_, f)| f.text() == "navigate")
        || step.request_field("accept").is_some_and(|(_, f)| f.text().starts_with("text/html"));
    let given = scene.case.facts.iter().any(|f| {
        matches!(
            &f.kind,
            FactKind::Command { user: Some(_), .. } | FactKind::Command { userinfo: Some(_), .. }
        )
    });
    let browser = step.request_field("user-agent").is_some_and(|(_, f)| f.text().starts_with("Mozilla/"));
    // curl, when it was given a user and does not send it before it is asked.
    let told = step.curl_has_user();
    (unasked.is_some() || given || told || (navigates && browser)).then_some(unasked)
}
