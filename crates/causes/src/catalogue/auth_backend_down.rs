//! What checks the credentials cannot be reached.

use crate::cause::{Answer, Claim, cause};
use crate::{Scene, Step};
use why401_report::Party;

cause! {
    /// What checks the credentials cannot be reached: directory, database, identity provider, key set.
    ///
    /// # What happened
    /// The server wanted to check the credentials and could not ask: the LDAP server, the database, the identity provider or its key
    /// set does not answer. Some servers call that a wrong password.
    ///
    /// # How it is decided
    /// The server's log or body says so.
    ///
    /// # Who acts
    /// Who runs the server.
    ///
    /// # What to do
    /// Reach the back end from the server itself: name, port, certificate, its own credentials.
    ///
    /// # Evidence needed
    /// The server's log.
    ///
    /// # Not to be confused with
    /// bad-signature: the key set was reached and lacks the key. server-misconfigured: it was never set up rightly.
    ///
    /// # References
    /// Apache httpd, mod_authnz_ldap; OpenID Connect Discovery 1.0 section 4.
    pub AuthBackendDown = "auth-backend-down" in Server, Fault by Server,
        over ["bad-signature", "wrong-password", "unknown-user", "credentials-refused", "server-misconfigured", "token-malformed"]
}

impl AuthBackendDown {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        if let Some(claim) =
            scene.told_claim("auth-backend-down", "what checks the credentials cannot be reached")
        {
            return advise(claim).as_told();
        }
        // A challenge that was answered, and then an error of a gateway.
        let Some(last) = scene.last().filter(|s| matches!(s.status(), Some(502..=504))) else {
            return Answer::RuledOut;
        };
        let asked = scene.steps.iter().any(|s| s.status() == Some(401));
        match (asked, last.response()) {
            (true, Some((view, response))) => advise(
                Claim::new("the credentials were sent, and the server answered with an error of its own instead of yes or no")
                    .shown(first_challenge(scene))
                    .shown([scene.show_status(view, response, "an error of the server")]),
            )
            .or("server-misconfigured", "the server's error log")
            .possible(),
            _ => Answer::RuledOut,
        }
    }
}

pub(super) fn first_challenge(scene: &Scene<'_>) -> Option<why401_report::Annotation> {
    let step: &Step<'_> = scene.steps.iter().find(|s| s.status() == Some(401))?;
    let (view, response) = step.response()?;
    Some(scene.show_status(view, response, "the server asked"))
}

fn advise(claim: Claim) -> Claim {
    claim.fix(Party::Server, "Reach the back end (directory, database, identity provider, key set) from the server itself: name, port, certificate, and the server's own credentials for it.")
}
