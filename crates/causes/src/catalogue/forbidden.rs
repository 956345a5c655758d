//! 403 is another answer than 401.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use why401_knowledge::Weight;
use why401_report::Party;

cause! {
    /// 403: the server understood who asks and refuses; other credentials of the same user will not help.
    ///
    /// # What happened
    /// The answer is 403 Forbidden, not 401 Unauthorized. The server does not ask for credentials; it says no.
    ///
    /// # How it is decided
    /// By the status.
    ///
    /// # Who acts
    /// Who runs the server: it is a matter of permissions, addresses or rules.
    ///
    /// # What to do
    /// Ask for the permission on this resource. Look at the server's error log for the rule that refused.
    ///
    /// # Evidence needed
    /// The status line.
    ///
    /// # Not to be confused with
    /// acl-denied: the same with IIS's 401.3. server-misconfigured: nginx answers 403 where its password file is missing.
    ///
    /// # References
    /// RFC 9110 section 15.5.4.
    pub Forbidden = "forbidden" in Neighbour, Fault by Server
}

impl Forbidden {
    fn detect(scene: &Scene<'_>) -> Answer {
        let Some(step) = scene.focus().filter(|s| s.status() == Some(403)) else {
            return if scene.status() == Some(403) {
                match scene.told("forbidden", "the permission is missing") {
                    Answer::RuledOut => named(scene),
                    told => told,
                }
            } else {
                Answer::RuledOut
            };
        };
        let mut claim = Claim::new("the answer is 403, not 401: the server refuses whoever it is that asks");
        if let Some((view, response)) = step.response() {
            claim = claim.shown([scene.show_status(view, response, "403 asks for no credentials")]);
        }
        claim = claim.fix(Party::Server, "Look in the error log for the rule that refused this request, and grant the permission if it is due.");
        // The answer itself says that something else is meant: the address, the key, a limit.
        let otherwise = scene.heard.iter().any(|h| {
            h.said.cause != "forbidden"
                && h.attempt == Some(step.attempt.id)
                && h.speaker.is_none()
                && h.said.weight > Weight::Reports
        });
        if otherwise { claim.weighing(-1).likely() } else { scene.proved(claim) }
    }
}

/// A 403 that is known from words alone.
fn named(scene: &Scene<'_>) -> Answer {
    match scene.statements().find(|s| s.status == Some(403)) {
        Some(statement) => {
            Claim::new("the answer is 403, not 401: the server refuses whoever it is that asks")
                .shown([scene.show_statement(statement, "403 asks for no credentials")])
                .weighing(-2_000)
                .likely()
        }
        None => Answer::RuledOut,
    }
}
