//! Another scheme than the server offers.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use why401_report::Party;

cause! {
    /// The credentials use a scheme that the server does not offer.
    ///
    /// # What happened
    /// The client sent, say, Basic, and the challenges of the answer name only Token. The server did not look at the
    /// credentials at all.
    ///
    /// # How it is decided
    /// The scheme that was sent is in none of the challenges of the answer. IIS logs it as 401.2.
    ///
    /// # Who acts
    /// Whoever writes or configures the client; the server's operator, if the scheme should be offered.
    ///
    /// # What to do
    /// Use a scheme that is offered, with the kind of secret that belongs to it.
    ///
    /// # Evidence needed
    /// Request and answer.
    ///
    /// # Not to be confused with
    /// dropped-by-intermediary: what answered never saw the field. wrong-token-type: the scheme fits, the secret does not.
    ///
    /// # References
    /// RFC 9110 sections 11.1 and 11.6.1; Microsoft, HTTP status codes in IIS (401.2).
    pub SchemeNotOffered = "scheme-not-offered" in Unreadable, Fault by Caller,
        over ["credentials-refused", "no-credentials"]
}

/// Names of schemes that are one and the same in practice, as servers offer and take them.
const ALIKE: &[&[&str]] = &[
    // SPNEGO carries NTLM too (MS-SPNG).
    &["negotiate", "ntlm", "kerberos"],
    // A DPoP-bound token is refused as Bearer, but that is its own cause (RFC 9449 section 7.2).
    &["dpop", "bearer"],
];

impl SchemeNotOffered {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("scheme-not-offered", "this scheme is not taken here");
        let Some(step) = scene.refused().filter(|s| matches!(s.status(), Some(401 | 407))) else {
            return told();
        };
        let Some(sent) = step.credentials().filter(|s| !s.scheme().is_empty()) else { return told() };
        let offered: Vec<&str> = step
            .offered
            .iter()
            .filter(|o| o.proxy == sent.proxy)
            .flat_map(|o| o.parsed.value.iter().map(|c| c.scheme.name.as_str()))
            .filter(|name| !name.is_empty())
            .collect();
        let scheme = sent.scheme();
        let alike = |name: &str| {
            name == scheme
                || ALIKE.iter().any(|a| a.contains(&name) && a.contains(&scheme) && scheme != "dpop")
        };
        if offered.is_empty() || offered.iter().any(|name| alike(name)) {
            return if offered.is_empty() { told() } else { Answer::RuledOut };
        }
        let mut names = offered.clone();
        names.dedup();
        let written = sent.credentials().map_or(scheme, |c| c.scheme.written.as_str());
        let mut claim =
            Claim::new(format!("{written} was sent, but the server offers only {}", names.join(", ")));
        if let Some(credentials) = sent.credentials() {
            claim = claim.shown([scene.show_in_field(
                sent.view,
                sent.field,
                credentials.scheme.range.clone(),
                "this scheme was sent",
            )]);
        }
        for (o, challenge) in step.challenges().take(3) {
            claim = claim.shown([scene.show_in_field(
                o.view,
                o.field,
                challenge.scheme.range.clone(),
                "this one is offered",
            )]);
        }
        claim
            .fix(
                Party::Caller,
                format!(
                    "Send credentials for {}: the scheme and the secret that the service gives out for it.",
                    names.join(" or ")
                ),
            )
            .or(
                "dropped-by-intermediary",
                "whether the field reached what answered: a capture behind the proxy",
            )
            .confirmed()
    }
}
