//! A kind of credentials that is not taken any more.

use crate::cause::{Answer, Claim, cause};
use crate::{Scene, Step};
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
            return scene
                .refused()
                .and_then(|step| by_host(scene, step))
                .map_or(Answer::RuledOut, Claim::confirmed);
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

/// Hosts of services that have ended Basic with the account's password: Exchange Online, October 2022 (Microsoft,
/// "Deprecation of Basic authentication in Exchange Online").
const ENDED: &[&str] = &["outlook.office365.com", "outlook.office.com", "autodiscover-s.outlook.com"];

/// A password for such a service, which offers Bearer only.
fn by_host(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let sent = step.credentials().filter(|s| s.basic().is_some())?;
    let host = step.attempt.request()?.authority()?.to_ascii_lowercase();
    let ended = ENDED.contains(&host.split(':').next().unwrap_or(&host));
    let (offered, challenge) = step.challenge("bearer").filter(|_| ended && !step.offers_password())?;
    let says = "only tokens are taken";
    Some(
        Claim::new(format!("{host} takes no password any more: Basic was switched off there"))
            .shown([scene.show_field(sent.view, sent.field, "a password was sent")])
            .shown([scene.show_in_field(offered.view, offered.field, challenge.scheme.range.clone(), says)])
            .fix(
                Party::Caller,
                "Get a token (OAuth 2.0, with the permission for this mailbox) and send it as Bearer.",
            )
            .or("scheme-not-offered", "whether this tenant ever took Basic"),
    )
}
