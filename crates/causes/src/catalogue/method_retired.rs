//! A kind of credentials that is not taken any more.

use crate::Scene;
use crate::cause::{Answer, cause};
use why401_report::{Certainty, Party};

cause! {
    /// The service no longer takes this kind of credentials.
    ///
    /// # What happened
    /// The service took passwords here once (for its API, for a mailbox, for pushing code) and has stopped to. The password may be
    /// right; it is not looked at.
    ///
    /// # How it is decided
    /// The answer says so and such credentials are seen in the request; or the host is known for it. Some services give the same
    /// text for a dead token: then it is likely only.
    ///
    /// # Who acts
    /// Whoever configures the client.
    ///
    /// # What to do
    /// Use what the service takes today: a token, an application password, OAuth 2.0.
    ///
    /// # Evidence needed
    /// The answer, and the request with what it carried.
    ///
    /// # Not to be confused with
    /// second-factor-required: passwords are taken, with a code. token-expired: a token was sent and is dead.
    ///
    /// # References
    /// RFC 9700 section 2.4 (the password grant must not be used); the service's announcement, named with the wording.
    pub MethodRetired = "method-retired" in Refused, Fault by Caller, over ["credentials-refused", "wrong-password", "scheme-not-offered"]
}

impl MethodRetired {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        let Some(mut claim) =
            scene.told_claim("method-retired", "this kind of credentials is not taken any more")
        else {
            return Answer::RuledOut;
        };
        let password_seen = scene
            .credentials()
            .and_then(|s| s.basic())
            .is_some_and(|b| b.vendor.is_none() && b.is_well_formed());
        if !password_seen {
            claim.certainty = claim.certainty.min(Certainty::Likely);
        }
        claim
            .fix(Party::Caller, "Use what the service takes today: a token, an application password, or OAuth 2.0, in place of the password.")
            .or("token-expired", "whether what was sent is a token that has run out or was deleted")
            .as_told()
    }
}
