//! A password past its time.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use why401_report::Party;

cause! {
    /// The password has expired or must be changed.
    ///
    /// # What happened
    /// The password was right, but its time is over, or the account must set a new one at its first login.
    ///
    /// # How it is decided
    /// The server says so: Win32 status 1330 (`ERROR_PASSWORD_EXPIRED`) or 1907 (`ERROR_PASSWORD_MUST_CHANGE`), a body or log line.
    ///
    /// # Who acts
    /// The person whose account it is.
    ///
    /// # What to do
    /// Set a new password where people sign in, then give it to every client that uses the account.
    ///
    /// # Evidence needed
    /// The body of the answer or the server's log.
    ///
    /// # Not to be confused with
    /// account-locked; credentials-changed: somebody set a new password already and this client has the old one.
    ///
    /// # References
    /// RFC 9110 section 15.5.2 (a 401 refuses the credentials that were sent); Microsoft, System Error Codes (1330, 1907).
    pub PasswordExpired = "password-expired" in Refused, Fault by AccountOwner, over ["credentials-refused", "wrong-password"]
}

impl PasswordExpired {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("password-expired", "the password has expired or must be changed");
        told.map_or(Answer::RuledOut, |claim| advise(claim).as_told())
    }
}

fn advise(claim: Claim) -> Claim {
    claim.fix(
        Party::AccountOwner,
        "Set a new password by signing in by hand, then give it to every client of this account.",
    )
}
