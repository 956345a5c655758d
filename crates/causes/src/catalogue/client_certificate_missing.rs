//! No client certificate.

use crate::cause::{Answer, Claim, cause};
use crate::reading::{at_most, settle};
use crate::{Scene, Step};
use why401_http::{AskedCertificate, FactKind, Speaker, Statement};
use why401_report::{Annotation, Certainty, Party};

cause! {
    /// The server wants a TLS client certificate and got none.
    ///
    /// # What happened
    /// The server asks for a certificate in the TLS handshake, and the client showed none, because it has none, was not
    /// told which, or has none of the issuers that the server names. Some servers end the handshake, others let it pass
    /// and answer 400, 401 or 403.
    ///
    /// # How it is decided
    /// The server's word for it (nginx's 400 page, IIS 403.7, the alert `certificate_required`, or `handshake_failure`
    /// behind an empty answer to the request for a certificate), or a field in which a TLS-ending proxy tells the server
    /// that there was none: certain. A transcript or a capture that shows the request for a certificate, and a client that
    /// gave none: likely.
    ///
    /// # Who acts
    /// Whoever configures the client.
    ///
    /// # What to do
    /// Give the client certificate and key (`curl --cert FILE --key FILE`). See that its issuer is among those that the
    /// server asks for.
    ///
    /// # Evidence needed
    /// The TLS part of the transcript, the server's log, or a capture (of TLS 1.3 with its key log: there the handshake
    /// is encrypted).
    ///
    /// # Not to be confused with
    /// client-certificate-refused: there was one, and it was not accepted. A client that does not trust the *server's*
    /// certificate: that ends the handshake from the other side.
    ///
    /// # References
    /// RFC 8446 section 4.4.2 and 6.2 (certificate_required); RFC 5246 section 7.4.6; Microsoft, HTTP status codes in
    /// IIS (403.7).
    pub ClientCertificateMissing = "client-certificate-missing" in Handshake, Fault by Caller,
        over ["no-credentials", "forbidden", "credentials-refused", "challenge-missing"]
}

impl ClientCertificateMissing {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        let told = scene
            .told_claim("client-certificate-missing", "a client certificate is wanted and none was shown");
        if let Some(claim) = given_and_not_asked(scene) {
            return advise(claim).confirmed();
        }
        let found = by_substatus(scene, &[(7, "IIS 403.7: a client certificate is required")])
            .or_else(|| scene.refused().and_then(|step| by_field(scene, step, "none")))
            .or_else(|| {
                by_alert(scene, &["alert certificate required", "certificate_required", "alert number 116"])
            })
            .or_else(|| by_connection(scene))
            .or_else(|| asked_and_not_given(scene));
        let found = found.map(|(shown, certainty)| {
            let says = if certainty == Certainty::Certain { "the server wants a client certificate and got none" } else {
                "the server asked for a client certificate in the TLS handshake, and the client was given none"
            };
            let mut claim = Claim::new(says).shown([shown]);
            if certainty != Certainty::Certain {
                claim = claim.or("no-credentials", "one try with a certificate, or the server's configuration: asking may be optional");
            }
            at_most(claim, certainty)
        });
        settle(found, told, advise)
    }
}

/// The substatus that IIS logs beside a 403.
pub(super) fn by_substatus(scene: &Scene<'_>, meanings: &[(u16, &str)]) -> Option<(Annotation, Certainty)> {
    let step = scene.refused().filter(|s| s.status() == Some(403))?;
    let (view, log) = step.attempt.views.iter().find_map(|v| v.log.as_ref().map(|l| (v, l)))?;
    let (_, says) = meanings.iter().find(|(n, _)| log.substatus == Some(*n))?;
    Some((scene.show_part(view.source, &log.line, 0..log.line.len(), *says), Certainty::Certain))
}

/// The outcome that a TLS-ending proxy passes on: `$ssl_client_verify` of nginx is `NONE`, `SUCCESS` or
/// `FAILED:reason`; the names of the field are the operators' own, and alike.
pub(super) fn by_field(scene: &Scene<'_>, step: &Step<'_>, begins: &str) -> Option<(Annotation, Certainty)> {
    const NAMES: &[&str] = &[
        "x-ssl-client-verify",
        "ssl-client-verify",
        "x-client-verify",
        "x-ssl-verify",
        "x-client-cert-verify",
        "x-ssl-verified",
    ];
    NAMES.iter().find_map(|name| {
        let (view, field) = step.request_field(name)?;
        let fits = field.text().trim().to_ascii_lowercase().starts_with(begins);
        fits.then(|| {
            (scene.show_field(view, field, "what the proxy found in the TLS handshake"), Certainty::Certain)
        })
    })
}

/// A TLS alert that the client received, in its own words.
pub(super) fn by_alert(scene: &Scene<'_>, words: &[&str]) -> Option<(Annotation, Certainty)> {
    // Nothing but the client's own report of what came in: a server's log shows the alerts that the client sent.
    let mut said =
        scene.statements().filter(|s| matches!(s.speaker, Speaker::Client | Speaker::Person)).take(2_000);
    said.find_map(|s| {
        let text = s.text.to_text().to_ascii_lowercase();
        let at = words.iter().find_map(|w| text.find(w).map(|i| i..i + w.len()))?;
        let in_range = at.end <= s.text.len();
        let at = if in_range { at } else { 0..s.text.len() };
        Some((scene.show_part(s.source, &s.text, at, "the server's TLS alert"), Certainty::Certain))
    })
}

/// The connection itself: asked for a certificate, the client gave none.
fn by_connection(scene: &Scene<'_>) -> Option<(Annotation, Certainty)> {
    let (fact, secured) = scene.secured()?;
    let none_given = secured.client_certificate == AskedCertificate::NotGiven;
    match secured.refusing_alert() {
        Some(alert) if none_given || alert == "certificate_required" => {
            let says = format!("the server ended the handshake with the alert {alert}");
            Some((scene.show_fact(fact, says), Certainty::Certain))
        }
        Some(_) => None,
        None => {
            let step = scene.refused().filter(|s| matches!(s.status(), Some(400 | 401 | 403)))?;
            // A challenge asks for something else; a certificate may be optional beside it.
            let nothing_else = step.offered.is_empty() && step.sent.is_empty();
            let says = "the server asked for a certificate and the client gave none";
            (none_given && nothing_else).then(|| (scene.show_fact(fact, says), Certainty::Likely))
        }
    }
}

/// curl's transcript shows the server's request for a certificate; its command, whether it was given one.
fn asked_and_not_given(scene: &Scene<'_>) -> Option<(Annotation, Certainty)> {
    let step = scene.refused().filter(|s| matches!(s.status(), Some(400 | 401 | 403)))?;
    let asked = |s: &&Statement| {
        let text = s.text.to_text();
        s.speaker == Speaker::Client
            && (text.contains("Request CERT (13)") || text.contains("CertificateRequest"))
    };
    let statement = scene.statements().find(asked)?;
    let given = scene.case.facts.iter().any(|f| match &f.kind {
        FactKind::Command { words, .. } => {
            words.iter().any(|w| matches!(w.expose().as_str(), "--cert" | "-E" | "--pkcs11" | "--key"))
        }
        _ => false,
    });
    // A challenge asks for something else; a certificate may be optional beside it.
    (!given && step.offered.is_empty() && step.sent.is_empty())
        .then(|| (scene.show_statement(statement, "the server asks for a certificate"), Certainty::Likely))
}

/// The command gives a certificate, and curl's transcript of the TLS handshake shows that the server asked for none: what
/// ends the TLS connection is not what checks certificates.
fn given_and_not_asked(scene: &Scene<'_>) -> Option<Claim> {
    let step = scene.refused().filter(|s| matches!(s.status(), Some(400 | 401 | 403)))?;
    let host = step.request().and_then(|(_, r)| r.authority())?;
    let mut commands = scene.case.facts.iter().filter(|f| match &f.kind {
        FactKind::Command { addresses, .. } => addresses.iter().any(|a| a.contains(&host)),
        _ => false,
    });
    // Of several commands for this host one may have given none.
    let (command, None) = (commands.next()?, commands.next()) else { return None };
    let FactKind::Command { words, .. } = &command.kind else { return None };
    words.iter().find(|w| matches!(w.expose().as_str(), "--cert" | "-E"))?;
    let said = |what: &str| step.attempt.statements.iter().find(|s| s.text.to_text().contains(what));
    let hello = said("TLS handshake, Server hello (2)")?;
    // A resumed session asks for nothing again.
    said("(IN), TLS handshake, Certificate (11)")?;
    said("TLS handshake, Finished (20)")?;
    let asked = said("Request CERT (13)").is_some() || said("CertificateRequest").is_some();
    (!asked && step.offered.is_empty() && step.sent.is_empty()).then(|| {
        Claim::new("the client was given a certificate, and what ended its TLS connection did not ask for one")
            .shown([scene.show_fact(command, "given here")])
            .shown([scene.show_statement(hello, "no Request CERT in this handshake")])
            .fix(Party::Intermediary, "Let what stands in front pass TLS through, or ask for the certificate itself and hand on what it finds.")
            .or("dropped-by-intermediary", "the same request to the server behind it")
    })
}

fn advise(claim: Claim) -> Claim {
    claim.fix_by(
        Party::Caller,
        "Give the client its certificate and key, issued by an authority that the server asks for.",
        "curl -v --cert CERT.pem --key KEY.pem URL",
    )
}
