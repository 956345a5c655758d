//! The password alone is not enough.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use why401_report::Party;

cause! {
    /// The password alone is not enough: a one-time code or an application password is wanted.
    ///
    /// # What happened
    /// The account has a second factor. A program that sends only user name and password cannot give it.
    ///
    /// # How it is decided
    /// The answer says so, for example by a field (`X-GitHub-OTP: required`) or in its body.
    ///
    /// # Who acts
    /// The person whose account it is.
    ///
    /// # What to do
    /// Create an application password or a token for the program and send that instead of the account's password.
    ///
    /// # Evidence needed
    /// The fields and the body of the answer.
    ///
    /// # Not to be confused with
    /// method-retired: no password is taken at all, with or without a second factor.
    ///
    /// # References
    /// RFC 9470 section 3 (a stronger login is asked for); the service's own documentation, named with the wording.
    pub SecondFactorRequired = "second-factor-required" in Refused, Fault by AccountOwner, over ["credentials-refused", "wrong-password", "method-retired"]
}

impl SecondFactorRequired {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("second-factor-required", "a second factor is wanted");
        told.map_or(Answer::RuledOut, |claim| advise(claim).as_told())
    }
}

fn advise(claim: Claim) -> Claim {
    claim
        .fix(Party::AccountOwner, "Create a token or an application password for the program, and send that in place of the account's own password.")
}
