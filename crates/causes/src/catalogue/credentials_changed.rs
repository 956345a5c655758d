//! Worked until a moment, refused ever since.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use crate::reading::token;
use why401_report::{Certainty, Party};

cause! {
    /// This account's stored credentials worked until a moment and have been refused ever since, while other accounts go on working.
    ///
    /// # What happened
    /// The password was changed, or ran out, and a client still has the old one.
    ///
    /// # How it is decided
    /// Successes of the account before, only failures after, others succeed after. Without others the server itself may have
    /// changed: likely only.
    ///
    /// # Who acts
    /// The person whose account it is.
    ///
    /// # What to do
    /// Give the client the new password. Ask who changed it at the time named.
    ///
    /// # Evidence needed
    /// A log, or requests, from before and after.
    ///
    /// # Not to be confused with
    /// server-changed: everybody is refused since. client-changed: the client itself is another since.
    ///
    /// # References
    /// RFC 9110 section 15.5.2.
    pub CredentialsChanged = "credentials-changed" in Refused, Fault by AccountOwner, over ["credentials-refused", "wrong-password"]
}

impl CredentialsChanged {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("credentials-changed", "the credentials were changed");
        let Some((user, story)) = scene.account_story() else { return told() };
        // Messages show whether the very same secret was accepted before.
        let secret = |a: &why401_history::Attempt| {
            a.request_field("authorization").map(|f| f.value.as_bytes().to_vec())
        };
        let Some((before, first)) = story.turn().filter(|_| story.broke()) else { return told() };
        if let (Some(x), Some(y)) = (secret(before), secret(first)) {
            let both_basic = x.get(..5).is_some_and(|s| s.eq_ignore_ascii_case(b"basic"));
            if !both_basic || x != y {
                return told();
            }
        }
        let others = scene.others_accepted_after(user, first.id);
        let since = first.time().map_or_else(|| "then".to_owned(), |t| crate::show::clock(t.at));
        let mut claim = Claim::new(format!(
            "{user} was let in until {}, and has been refused since {since}",
            before.time().map_or_else(|| "then".to_owned(), |t| crate::show::clock(t.at))
        ));
        claim = claim
            .shown(super::client_changed::line(scene, before, "accepted"))
            .shown(super::client_changed::line(scene, first, "refused since"));
        if let Some(other) = others.first() {
            claim = claim.shown(super::client_changed::line(scene, other, "another account goes on working"));
        }
        claim = claim.fix(
            Party::AccountOwner,
            format!("Give this client the new password of {user}; ask who changed it at {since}."),
        );
        // A server that tells of a wrong password has looked at the account.
        if scene.told_claim("wrong-password", "").is_none_or(|c| c.certainty != Certainty::Certain) {
            claim = claim
                .or("account-locked", "the state of the account")
                .or("password-expired", "the state of the account");
        }
        // The server's own word for it goes before what the course of things suggests.
        if token::told_otherwise(
            scene,
            &["credentials-changed", "wrong-password", "account-locked", "password-expired"],
        ) {
            return claim.weighing(-5).likely();
        }
        if others.is_empty() || story.refused.len() < 2 {
            claim.or("server-changed", "whether other accounts are still let in").likely()
        } else {
            claim.confirmed()
        }
    }
}
