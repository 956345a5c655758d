//! What is left when nothing finer is proved.

use crate::cause::{Answer, Claim, cause};
use crate::{Scene, Step};
use why401_report::{Certainty, Party};

cause! {
    /// Well-formed credentials were refused, and the evidence does not tell which of the finer causes it is.
    ///
    /// # What happened
    /// The client sent credentials of a scheme that the server offers, the server read them and said no.
    ///
    /// # How it is decided
    /// Credentials on the request, 401 on the answer, and nothing that proves a finer cause: the answer to a wrong
    /// password, an unknown user and a locked account is the same on purpose. The server's own log tells them apart.
    ///
    /// # Who acts
    /// The person whose credentials these are.
    ///
    /// # What to do
    /// Try the same user name and password where they are known to work (the service's own login page), by hand,
    /// once: too many attempts lock accounts. If they fail there, set a new password. If they work, ask the operator for
    /// the line of the error log with the time, the account and the address.
    ///
    /// # Evidence needed
    /// The server's error log of that second settles it.
    ///
    /// # Not to be confused with
    /// no-credentials: the field is not there at all.
    ///
    /// # References
    /// RFC 9110 section 15.5.2: "If the request included authentication credentials, then the 401 response indicates
    /// that authorization has been refused for those credentials."
    pub CredentialsRefused = "credentials-refused" in Refused, Fault by AccountOwner
}

impl CredentialsRefused {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() || !scene.is_unauthorized() {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("credentials-refused", "these credentials are not accepted");
        let Some(step) = scene.focus().filter(|s| s.attempt.carries_credentials() && s.status() == Some(401)) else {
            return match told {
                Some(mut claim) => {
                    claim.certainty = claim.certainty.min(Certainty::Likely);
                    leave_open(claim, "basic").as_told()
                }
                None => Answer::RuledOut,
            };
        };
        let scheme = step.credentials().map(|s| s.scheme().to_owned()).unwrap_or_default();
        let who = step.attempt.user.clone();
        let mut claim = Claim::new(match (&who, scheme.as_str()) {
            (Some(user), _) => format!("the server read the credentials of {user} and refused them; why, it does not say"),
            (None, "") => "the server read the credentials and refused them; why, it does not say".to_owned(),
            (None, scheme) => format!("the server read the {scheme} credentials and refused them; why, it does not say"),
        });
        claim = show(scene, step, claim);
        if let Some(t) = told {
            claim.evidence.extend(t.evidence);
            claim.also.extend(t.also);
        }
        leave_open(claim, &scheme).likely()
    }
}

fn show(scene: &Scene<'_>, step: &Step<'_>, mut claim: Claim) -> Claim {
    if let Some(sent) = step.credentials() {
        claim = claim.shown([scene.show_field(sent.view, sent.field, "sent and refused")]);
    } else if let Some(v) = step.attempt.views.iter().find(|v| v.log.is_some())
        && let (Some(log), why401_http::LoggedUser::Name(name)) = (&v.log, &v.user)
    {
            let line = log.line.to_text();
            let mark = line.find(&*name.to_text()).map_or(0..line.len(), |i| i..i + name.len());
            claim = claim.shown([scene.show_part(v.source, &log.line, mark, "this name was claimed and refused")]);
    }
    if let Some((view, response)) = step.response() {
        claim = claim.shown([scene.show_status(view, response, "refused")]);
    }
    claim
}

fn leave_open(claim: Claim, scheme: &str) -> Claim {
    let claim = claim.fix(
        Party::AccountOwner,
        "Try the same credentials once by hand where they are known to work; if they fail there, set new ones.",
    );
    let claim = claim.fix(
        Party::Server,
        "Look up the error log at this time for this account: it tells wrong password, unknown user and locked account apart.",
    );
    match scheme {
        "bearer" | "dpop" | "token" | "jwt" => claim
            .or("token-expired", "the time of issue and the lifetime of the token")
            .or("token-revoked", "whether the token was revoked or replaced since")
            .or("wrong-environment", "whether the token is for this very host"),
        _ => claim
            .or("wrong-password", "the server's error log, or one login by hand with the same password")
            .or("unknown-user", "the server's error log, or the list of accounts")
            .or("account-locked", "the state of the account"),
    }
}
