//! A refusal that hides whether there is anything.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use why401_report::Party;

cause! {
    /// The resource does not exist, or not for this user, and the server says 401 rather than 404 so as not to tell.
    ///
    /// # What happened
    /// The name is misspelt, the resource is private, or it was never there. Registries and forges answer all of these alike, so that
    /// nobody can find out names by asking.
    ///
    /// # How it is decided
    /// The answer says so (\"does not exist or may require\"), or a made-up address gets the same answer.
    ///
    /// # Who acts
    /// Whoever writes the client: check the name first, then the rights.
    ///
    /// # What to do
    /// Compare the name letter by letter with the one on the service's page; then sign in with an account that may see it.
    ///
    /// # Evidence needed
    /// The body of the answer.
    ///
    /// # Not to be confused with
    /// scope-missing: the resource is seen and the token may not do this. wrong-address: another host was meant.
    ///
    /// # References
    /// RFC 9110 section 15.5.5 (404 may hide a 403); Docker Registry HTTP API V2, `DENIED` and `UNAUTHORIZED`.
    pub ResourceHidden = "resource-hidden" in Server, Fault by Caller, over ["no-credentials", "credentials-refused", "login-redirect"]
}

impl ResourceHidden {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("resource-hidden", "the resource does not exist, or not for this user");
        told.map_or(Answer::RuledOut, |claim| advise(claim).as_told())
    }
}

fn advise(claim: Claim) -> Claim {
    claim
        .fix(Party::Caller, "Check the name of the resource letter by letter (case, dash and underscore, owner), then sign in with an account that may see it.")
}
