//! An account that is switched off.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use why401_report::Party;

cause! {
    /// The account is disabled, suspended or unpaid.
    ///
    /// # What happened
    /// The credentials may be right; the account behind them is not in use any more: switched off by an administrator, suspended
    /// for a breach of terms, or stopped for want of payment.
    ///
    /// # How it is decided
    /// The server says so: Win32 status 1331 (`ERROR_ACCOUNT_DISABLED`), an identity provider's code, a body or log line.
    ///
    /// # Who acts
    /// The person whose account it is, with whoever administers the accounts.
    ///
    /// # What to do
    /// Ask the administrator or the service's billing to enable the account again. Another password changes nothing.
    ///
    /// # Evidence needed
    /// The body of the answer or the server's log.
    ///
    /// # Not to be confused with
    /// account-locked: that ends by itself after a time. password-expired: a new password is enough.
    ///
    /// # References
    /// RFC 9110 section 15.5.2 (a 401 refuses the credentials that were sent); Microsoft, System Error Codes (1331,
    /// ERROR_ACCOUNT_DISABLED); the product's own wording is named with its source.
    pub AccountDisabled = "account-disabled" in Refused, Fault by AccountOwner, over ["credentials-refused", "wrong-password"]
}

impl AccountDisabled {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("account-disabled", "the account is disabled");
        told.map_or(Answer::RuledOut, |claim| advise(claim).as_told())
    }
}

fn advise(claim: Claim) -> Claim {
    claim
        .fix(Party::AccountOwner, "Have the account enabled again by its administrator (or pay what is due): another password will not help.")
}
