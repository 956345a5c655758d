//! A client certificate that the server does not accept.

use super::client_certificate_missing::{by_alert, by_field, by_substatus};
use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use crate::reading::{at_most, quoted, settle};
use why401_http::{AskedCertificate, ShownCertificate};
use why401_report::{Annotation, Certainty, Party};

cause! {
    /// The client showed a TLS certificate and the server did not accept it.
    ///
    /// # What happened
    /// The certificate has expired or was revoked, its issuer is not one that the server trusts, it is for another
    /// purpose, or no account belongs to its name.
    ///
    /// # How it is decided
    /// The server's word for it: a TLS alert in a capture or as the client received it (expired, revoked, unknown
    /// authority, bad certificate), nginx's 400 page, IIS 403.12, 403.13, 403.16 and 403.17, a field in which a TLS-ending proxy tells the
    /// server that the check failed, the server's log: certain. A capture that shows the client's certificate and that it was not
    /// valid at that time, and a refusal that asks for nothing else: likely.
    ///
    /// # Who acts
    /// Whoever configures the client; the server's operator, where the list of trusted issuers is old. A long-running
    /// program may still use the old certificate after the file was renewed.
    ///
    /// # What to do
    /// Look at the certificate's dates, issuer and purpose, renew it, and restart what uses it.
    ///
    /// # Evidence needed
    /// The alert or the server's log, and the certificate's own dates.
    ///
    /// # Not to be confused with
    /// A client that does not trust the *server's* certificate ("SSL certificate problem"): no request was sent at all.
    ///
    /// # References
    /// RFC 8446 section 6.2 (alerts); RFC 5280 section 6; Microsoft, HTTP status codes in IIS (403.12 to 403.17).
    pub ClientCertificateRefused = "client-certificate-refused" in Handshake, Fault by Caller,
        over ["no-credentials", "forbidden", "credentials-refused", "client-certificate-missing", "challenge-missing"]
}

/// Alerts by which a server refuses a certificate, as OpenSSL, Go, Java and GnuTLS write them.
const ALERTS: &[&str] = &[
    "alert certificate expired",
    "alert certificate revoked",
    "alert certificate unknown",
    "alert unknown ca",
    "alert bad certificate",
    "alert unsupported certificate",
    "remote error: tls: expired certificate",
    "remote error: tls: bad certificate",
    "remote error: tls: unknown certificate",
    "remote error: tls: revoked certificate",
    "received fatal alert: certificate_expired",
    "received fatal alert: certificate_unknown",
    "received fatal alert: bad_certificate",
    "received fatal alert: unknown_ca",
    "received fatal alert: certificate_revoked",
];

/// What IIS logs (Microsoft, HTTP status codes in IIS).
const SUBSTATUS: &[(u16, &str)] = &[
    (12, "IIS 403.12: no account is mapped to the certificate"),
    (13, "IIS 403.13: the certificate was revoked, or that could not be checked"),
    (16, "IIS 403.16: the certificate is not trusted or not valid"),
    (17, "IIS 403.17: the certificate has expired or is not valid yet"),
];

impl ClientCertificateRefused {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("client-certificate-refused", "the client certificate is not accepted");
        let found = by_substatus(scene, SUBSTATUS)
            .or_else(|| scene.refused().and_then(|step| by_field(scene, step, "failed")))
            .or_else(|| by_connection(scene))
            .or_else(|| by_alert(scene, ALERTS));
        let found = found.map(|(shown, certainty)| {
            let says = match certainty {
                Certainty::Certain => {
                    format!("the server did not accept the client certificate: {}", shown.says)
                }
                _ => format!("the client certificate is most likely not accepted: {}", shown.says),
            };
            // Go's servers give this alert to a client without any certificate as well, up to TLS 1.2 (crypto/tls); a
            // capture shows whether there was one.
            let either = scene.secured().is_none()
                && shown
                    .excerpt
                    .redacted()
                    .to_ascii_lowercase()
                    .replace('_', " ")
                    .contains("bad certificate");
            let claim = at_most(Claim::new(says).shown([shown]), certainty);
            match either {
                true => at_most(
                    claim.or(
                        "client-certificate-missing",
                        "whether the client was given a certificate and its key",
                    ),
                    Certainty::Likely,
                ),
                false => claim,
            }
        });
        settle(found, told, advise)
    }
}

/// The connection itself: the alert, or a certificate that was not valid at that time.
fn by_connection(scene: &Scene<'_>) -> Option<(Annotation, Certainty)> {
    let (fact, secured) = scene.secured()?;
    let given = match &secured.client_certificate {
        AskedCertificate::Given(certificate) => certificate.as_deref(),
        AskedCertificate::NotGiven => return None,
        _ => None,
    };
    let about = given.map_or(String::new(), |c| format!(", shown was {}", described(c)));
    if let Some(alert) = secured.refusing_alert().filter(|a| *a != "certificate_required") {
        let says = format!("the server ended the handshake with the alert {alert}{about}");
        return Some((scene.show_fact(fact, says), Certainty::Certain));
    }
    let step = scene.refused().filter(|s| matches!(s.status(), Some(400 | 401 | 403 | 495)))?;
    let at = secured.time?.at;
    let certificate = given?;
    let invalid =
        certificate.not_after.is_some_and(|t| t < at) || certificate.not_before.is_some_and(|t| t > at);
    (invalid && step.offered.is_empty() && step.sent.is_empty()).then(|| {
        let says = format!("at that time it was not valid: {}", described(certificate));
        (scene.show_fact(fact, says), Certainty::Likely)
    })
}

fn described(c: &ShownCertificate) -> String {
    let mut text = format!("the certificate of {} issued by {}", quoted(&c.subject), quoted(&c.issuer));
    if let (Some(from), Some(until)) = (c.not_before, c.not_after) {
        text += &format!(", valid from {from} until {until}");
    }
    text
}

fn advise(claim: Claim) -> Claim {
    claim.fix_by(
        Party::Caller,
        "Look at the certificate's dates, issuer and purpose; renew it and restart what uses it, for running programs keep the old one.",
        "openssl x509 -in CERT.pem -noout -dates -issuer -subject -ext extendedKeyUsage",
    )
}
