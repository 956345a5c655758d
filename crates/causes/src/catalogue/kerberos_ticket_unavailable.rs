//! No ticket to answer with.

use crate::cause::{Answer, Claim, cause};
use crate::reading::{at_most, settle, token};
use crate::{Scene, Step};
use why401_history::Attempt;
use why401_http::{FactKind, Speaker};
use why401_report::{Annotation, Certainty, Party};

cause! {
    /// Negotiate was asked for and the client got no ticket to answer with.
    ///
    /// # What happened
    /// The server asks for Negotiate, and the client cannot get a Kerberos ticket for it: nobody logged in (`kinit`), the
    /// server's name is not in the Kerberos database, no KDC can be reached, or the realm is the wrong one. It then
    /// sends nothing, and the refusal looks as if it had no credentials.
    ///
    /// # How it is decided
    /// The client's or library's own error, or a KDC's answer: certain. A client that was told to use Negotiate (curl
    /// says so in its transcript) and left the challenge unanswered: certain that it had no ticket, not why.
    ///
    /// # Who acts
    /// Whoever configures the client.
    ///
    /// # What to do
    /// Get a ticket (`kinit`), then ask for the service's (`kvno HTTP/host`): its error names the reason.
    ///
    /// # Evidence needed
    /// The client's error message. `KRB5_TRACE=/dev/stderr` before the command writes the whole search down.
    ///
    /// # Not to be confused with
    /// no-credentials: the client was never told to use Negotiate. kerberos-fell-back-to-ntlm: it sent NTLM instead.
    ///
    /// # References
    /// RFC 4559 section 4; RFC 4120 section 7.5.9 (KDC errors 6 and 7); curl manual (--negotiate).
    pub KerberosTicketUnavailable = "kerberos-ticket-unavailable" in Handshake, Fault by Caller,
        over ["no-credentials", "scheme-unsupported-by-client", "credentials-refused", "empty-credentials"]
}

impl KerberosTicketUnavailable {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("kerberos-ticket-unavailable", "there is no Kerberos ticket");
        settle(scene.refused().and_then(|step| look(scene, step)), told, advise)
    }
}

fn look(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (offered, challenge) = step.challenge("negotiate").filter(|(_, c)| c.is_bare())?;
    let integrated = step.sent.iter().any(|s| {
        matches!(s.scheme(), "negotiate" | "ntlm" | "kerberos")
            && s.credentials().is_some_and(|c| !c.is_bare())
    });
    if integrated || step.sent.iter().any(|s| !matches!(s.scheme(), "negotiate" | "")) {
        return None;
    }
    let show = |claim: Claim| {
        claim.shown([scene.show_in_field(
            offered.view,
            offered.field,
            challenge.range.clone(),
            "asked for, and not answered",
        )])
    };
    if let Some((shown, certainty)) = tried(scene, step) {
        let claim = Claim::new(
            "the client was to answer Negotiate and sent nothing: it got no Kerberos ticket for this server",
        )
        .shown([shown]);
        return Some(at_most(show(claim), certainty));
    }
    // A browser that is offered nothing else stays silent where it has no ticket or does not trust the site.
    let only =
        step.challenges().all(|(_, c)| matches!(c.scheme.name.as_str(), "negotiate" | "kerberos" | "ntlm"));
    let seen = step.attempt.shows_credentials() && step.sent.is_empty();
    (only && seen).then(|| {
        let claim = Claim::new("nothing but Negotiate is offered, and the client sent nothing: it may have had no ticket for this server");
        at_most(show(claim), Certainty::Possible)
    })
}

/// Where the evidence shows that the client was to use Negotiate.
fn tried(scene: &Scene<'_>, step: &Step<'_>) -> Option<(Annotation, Certainty)> {
    // curl asks once more, and tells of its failure with the second request.
    let again = scene.case.attempt(step.attempt.id + 1).filter(|a| {
        let target = |a: &Attempt| a.request().map(|r| r.target().into_owned());
        target(a) == target(step.attempt) && !a.carries_credentials()
    });
    let later = again.into_iter().flat_map(|a| a.statements.iter());
    let said = scene.statements().chain(later).filter(|s| s.speaker == Speaker::Client).find(|s| {
        let text = s.text.to_text().to_ascii_lowercase();
        text.contains("auth using negotiate") || text.contains("gss_init_sec_context")
    });
    if let Some(statement) = said {
        return Some((
            scene.show_statement(statement, "the client set out to use Negotiate"),
            Certainty::Certain,
        ));
    }
    let told = scene.case.facts.iter().take(200).find(|f| match &f.kind {
        FactKind::Command { program, words, .. } => {
            let has = |w: &str| words.iter().any(|x| x.expose() == w);
            program == "curl" && (has("--negotiate") || (has("--anyauth") && has("-u") && has(":")))
        }
        _ => false,
    })?;
    Some((scene.show_fact(told, "the client was told to use Negotiate"), Certainty::Likely))
}

fn advise(claim: Claim) -> Claim {
    claim.fix_by(
        Party::Caller,
        "Log in and ask for the service's ticket: the error that comes back names the reason (no login, unknown name, no KDC).",
        "kinit && KRB5_TRACE=/dev/stderr kvno HTTP/HOST",
    )
}
