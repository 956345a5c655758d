//! Everybody, since one moment.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use why401_report::Party;

cause! {
    /// Everybody, or every account of one kind, has been refused since one moment.
    ///
    /// # What happened
    /// Something changed at the server: an upgrade, a configuration, the password file, a directory, a key.
    ///
    /// # How it is decided
    /// Successes of several accounts before, only failures of all of them after.
    ///
    /// # Who acts
    /// Who runs the server.
    ///
    /// # What to do
    /// Find out what was changed between the last success and the first refusal, and look at the server's error log from that moment.
    ///
    /// # Evidence needed
    /// A log from before and after with several accounts in it.
    ///
    /// # Not to be confused with
    /// credentials-changed: only one account is concerned.
    ///
    /// # References
    /// RFC 9110 section 15.5.2.
    pub ServerChanged = "server-changed" in Server, Fault by Server,
        over ["credentials-changed", "credentials-refused", "client-changed", "password-guessing", "no-credentials"]
}

/// So many accounts at least: of one, the account itself is the nearer explanation.
const ACCOUNTS: usize = 2;

impl ServerChanged {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("server-changed", "the server was changed");
        let case = scene.case;
        let (all, whose) = match scene.account_story() {
            Some((_, story)) => match story.turn().filter(|_| story.broke()) {
                // Somebody goes on working, or was let in again.
                Some((_, first)) if scene.shared.break_of(case).going_on.is_none_or(|id| id < first.id) => {
                    (scene.shared.break_of(case), "accounts")
                }
                _ => return told(),
            },
            None if scene
                .refused()
                .is_some_and(|s| s.attempt.logged_dash() && !s.attempt.shows_credentials()) =>
            {
                (scene.shared.break_of_clients(case), "clients")
            }
            None => return told(),
        };
        // All successes lie before all refusals: one moment.
        let one_moment = matches!((all.last_success, all.first_refusal), (Some(s), Some(r)) if s < r);
        let goes_on = all.going_on.zip(all.first_refusal).is_some_and(|(latest, first)| latest > first);
        if all.others || all.broken < ACCOUNTS || !one_moment || goes_on {
            return told();
        }
        let (Some(before), Some(after)) =
            (all.last_success.and_then(|i| case.attempt(i)), all.first_refusal.and_then(|i| case.attempt(i)))
        else {
            return told();
        };
        let when = |a: &why401_history::Attempt| {
            a.time().map_or_else(|| "an unknown time".to_owned(), |t| crate::show::clock(t.at))
        };
        let claim = Claim::new(format!("{} {whose} were let in until {} and all of them have been refused since {}", all.broken, when(before), when(after)))
            .shown(super::client_changed::line(scene, before, "the last success"))
            .shown(super::client_changed::line(scene, after, "the first refusal, and none was let in since"))
            .fix(Party::Server, format!("Find out what was changed at the server between {} and {}: an upgrade, its configuration, the password file, the directory behind it.", when(before), when(after)))
            .or("auth-backend-down", "the server's error log from that moment");
        if whose == "accounts" {
            return claim
                .or("credentials-refused", "whether these accounts all changed their passwords")
                .confirmed();
        }
        // Whom the server knows without a name in its log: by a token, a cookie, an address.
        claim.or("no-credentials", "whether these requests still carry what they carried before").likely()
    }
}
