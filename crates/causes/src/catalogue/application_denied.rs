//! The program behind the server said no.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use why401_report::Party;

cause! {
    /// The application behind the server refused the request (IIS 401.5: ISAPI or CGI).
    ///
    /// # What happened
    /// The web server let the request through; the program that it hands requests to answered 401 itself.
    ///
    /// # How it is decided
    /// Substatus 401.5, or an answer whose body is the application's own.
    ///
    /// # Who acts
    /// Who runs the application.
    ///
    /// # What to do
    /// Look at the application's own log and settings: its users are not the web server's. A program that may not write where it
    /// must also answers so.
    ///
    /// # Evidence needed
    /// The IIS log with `sc-substatus`, or the answer's body.
    ///
    /// # Not to be confused with
    /// filter-denied (401.4): a module of the server. layers-collide: both want the one field.
    ///
    /// # References
    /// RFC 9110 section 15.5.2; Microsoft, HTTP status codes in IIS (401.5).
    pub ApplicationDenied = "application-denied" in Server, Fault by Server, over ["credentials-refused"]
}

impl ApplicationDenied {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        let log =
            scene.focus().and_then(|s| s.attempt.views.iter().find_map(|v| v.log.as_ref().map(|l| (v, l))));
        if let Some((view, log)) = log.filter(|(_, l)| l.substatus == Some(5)) {
            return advise(
                Claim::new("the server let the request through and the application refused it (401.5)")
                    .shown([scene.show_part(
                        view.source,
                        &log.line,
                        0..log.line.len(),
                        "substatus 5: the application",
                    )]),
            )
            .confirmed();
        }
        scene
            .told_claim("application-denied", "the application itself refuses")
            .map_or(Answer::RuledOut, |claim| advise(claim).as_told())
    }
}

fn advise(claim: Claim) -> Claim {
    claim
        .fix(Party::Server, "Look at the application's own log and settings: its users and permissions are not the web server's.")
        .or("acl-denied", "whether the application's identity may use the files that it needs")
}
