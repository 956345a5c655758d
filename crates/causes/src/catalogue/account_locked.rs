//! Locked for a time.

use crate::cause::{Answer, Claim, cause};
use crate::scene::same_server;
use crate::{Scene, Step};
use why401_report::Party;

/// So many failures before the refusal of a right secret make a lock likely: many services lock after three to ten.
const FAILURES: usize = 3;

cause! {
    /// The account is locked for a time or after too many failures.
    ///
    /// # What happened
    /// Too many wrong attempts were made, by a forgotten client with an old password perhaps, and the server does not look at the
    /// password for a while.
    ///
    /// # How it is decided
    /// The server says so (Win32 status 1909, body or log), or right credentials are refused after a run of failures and
    /// accepted again later.
    ///
    /// # Who acts
    /// The person whose account it is.
    ///
    /// # What to do
    /// Stop every client that still has an old password, wait for the time to pass or have the account unlocked, and only then
    /// try again.
    ///
    /// # Evidence needed
    /// The server's log or body; or the requests before and after.
    ///
    /// # Not to be confused with
    /// rate-limited: good requests without failures before them. account-disabled: that does not end by itself.
    ///
    /// # References
    /// RFC 9110 section 15.5.2 (a 401 refuses the credentials that were sent); Microsoft, System Error Codes (1909,
    /// ERROR_ACCOUNT_LOCKED_OUT).
    pub AccountLocked = "account-locked" in Refused, Fault by AccountOwner,
        over ["credentials-refused", "wrong-password", "rate-limited"]
}

impl AccountLocked {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        if let Some(claim) = scene.told_claim("account-locked", "the account is locked") {
            return advise(claim).as_told();
        }
        let Some(step) = scene.refused() else { return Answer::RuledOut };
        let Some(sent) = step.credentials().filter(|s| s.basic().is_some()) else { return Answer::RuledOut };
        let user = |s: &Step<'_>| s.credentials().and_then(|c| c.basic().map(|b| b.user.expose().to_vec()));
        let me = user(step);
        let same = |a: &why401_history::Attempt| {
            a.request_field("authorization")
                .is_some_and(|f| f.value.as_bytes() == sent.field.value.as_bytes())
        };
        let later =
            scene.later_accepted_with(sent.field.value.as_bytes()).find(|a| same_server(a, step.attempt));
        let failures = || {
            let failed = |a: &&why401_history::Attempt| a.status() == Some(401) && !same(a);
            let mine = |a: &&why401_history::Attempt| user(&Step::of(a)) == me;
            scene.earlier().filter(|a| failed(a) && same_server(a, step.attempt)).filter(mine).count()
        };
        let failures = later.map_or(0, |_| failures());
        match later {
            Some(after) if failures >= FAILURES => {
                let mut claim = Claim::new(format!("these credentials were refused after {failures} failures of the account and accepted again later"))
                    .shown([scene.show_field(sent.view, sent.field, "refused here, accepted later")]);
                if let Some(response) = after.response() {
                    claim = claim.shown([scene.show_status(
                        after.view(),
                        response,
                        "the same credentials are accepted",
                    )]);
                }
                advise(claim).confirmed()
            }
            _ => Answer::RuledOut,
        }
    }
}

fn advise(claim: Claim) -> Claim {
    claim
        .fix(Party::AccountOwner, "Stop every client that still sends an old password, then wait until the lock ends or have it lifted; more attempts make it longer.")
}
