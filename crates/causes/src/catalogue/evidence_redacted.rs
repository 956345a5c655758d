//! Evidence that was cleaned.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use why401_report::Party;

cause! {
    /// The evidence was cleaned, or its recorder leaves credentials out, so that their absence proves nothing.
    ///
    /// # What happened
    /// A browser's export drops `Authorization` and `Cookie`, a tool masks values, somebody took the secrets out before sending.
    ///
    /// # How it is decided
    /// A HAR of a recorder that omits these fields or merges the two exchanges of a challenge, masked values, a sanitized export.
    ///
    /// # Who acts
    /// Whoever recorded the evidence.
    ///
    /// # What to do
    /// Record again so that the fields are there: `curl -v`, a HAR "with sensitive data", a capture with a key log. why401 masks secrets
    /// in all that it prints.
    ///
    /// # Evidence needed
    /// The same request with its fields.
    ///
    /// # Not to be confused with
    /// no-credentials: the whole request was seen and they are not there.
    ///
    /// # References
    /// RFC 9110 section 11.6.2 (Authorization); Chrome DevTools, "Export HAR (sanitized)"; Playwright, recordHar.
    pub EvidenceRedacted = "evidence-redacted" in Server, Info by Caller
}

impl EvidenceRedacted {
    fn detect(scene: &Scene<'_>) -> Answer {
        let Some(step) = scene.refused().filter(|s| matches!(s.status(), Some(401 | 403 | 407))) else {
            return Answer::RuledOut;
        };
        if let Some(sent) = step.credentials().filter(|s| is_masked(&s.value())) {
            return advise(
                Claim::new(
                    "the credentials in the evidence are masked, so what was really sent cannot be checked",
                )
                .shown([scene.show_field(
                    sent.view,
                    sent.field,
                    "masked by whoever recorded it",
                )]),
            )
            .confirmed();
        }
        let view = step.attempt.view();
        let leaves_out = view.log.is_none()
            && view.request.is_some()
            && !view.shows.authorization
            && view.shows.request_fields;
        if leaves_out && step.credentials().is_none() {
            let mut claim =
                Claim::new("this recorder leaves Authorization out, so its absence proves nothing");
            if let Some(request) = &view.request {
                claim = claim.shown([scene.show_request(
                    view,
                    request,
                    "recorded without credentials, sent or not",
                )]);
            }
            return advise(claim)
                .or("no-credentials", "the request as it was sent: curl -v, or an export with sensitive data")
                .or(
                    "credentials-refused",
                    "the request as it was sent: curl -v, or an export with sensitive data",
                )
                .confirmed();
        }
        if !step.attempt.carries_credentials() && scene.speaks_of_credentials(step).is_some() {
            return Answer::Undecidable(
                "the request as it left the client, before it was pasted or exported",
            );
        }
        Answer::RuledOut
    }
}

/// Whether what follows the scheme is a mask and no secret: `***`, `<redacted>`, `[FILTERED]`, `xxxx`.
pub(super) fn is_masked(value: &str) -> bool {
    let secret = value.split_once(' ').map_or(value, |(_, s)| s).trim();
    let lower = secret.to_ascii_lowercase();
    let word = ["redacted", "filtered", "masked", "removed", "hidden", "sanitized", "omitted"]
        .iter()
        .any(|w| lower.contains(w));
    let same =
        secret.len() >= 3 && secret.chars().all(|c| matches!(c, '*' | '•' | '.' | '…' | 'X' | 'x' | '#'));
    // Caddy empties the list of values (modules/caddyhttp/marshalers.go).
    (word && secret.len() < 40)
        || same
        || secret == "[]"
        || secret.contains("****")
        || secret.contains("••••")
}

fn advise(claim: Claim) -> Claim {
    claim.fix_by(
        Party::Caller,
        "Record the request with its fields; secrets are masked in everything that is printed from it.",
        "curl -v URL 2>&1 | why401",
    )
}
