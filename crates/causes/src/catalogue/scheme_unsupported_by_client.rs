//! Challenges that this client cannot speak.

use crate::cause::{Answer, Claim, cause};
use crate::{Scene, Step};
use why401_http::FactKind;
use why401_report::Party;

cause! {
    /// The server offers only schemes, or only algorithms of one, that this client cannot speak.
    ///
    /// # What happened
    /// The client has credentials and wants to answer the challenge, but knows none of the schemes or algorithms in it.
    /// On the wire it looks as if it had no credentials.
    ///
    /// # How it is decided
    /// The challenges, and a client that is known to lack all of them. Never certain without the client's own error.
    ///
    /// # Who acts
    /// Whoever configures the client.
    ///
    /// # What to do
    /// Use a client (or a build of it) that speaks the scheme, or let the server offer one more.
    ///
    /// # Evidence needed
    /// The challenges, and the client's name, version and own error.
    ///
    /// # Not to be confused with
    /// no-credentials: the client was given none. scheme-not-offered: the client sent another scheme.
    ///
    /// # References
    /// RFC 7616 section 3.3 (algorithm); curl, "Digest with SSPI" (MD5 only); Wget manual, HTTP options.
    pub SchemeUnsupportedByClient = "scheme-unsupported-by-client" in Unreadable, Fault by Caller, over ["no-credentials", "credentials-refused"]
}

/// The schemes that a client answers by itself.
const BROWSER: &[&str] = &["basic", "digest", "ntlm", "negotiate"];

impl SchemeUnsupportedByClient {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("scheme-unsupported-by-client", "the client does not speak this scheme");
        let Some(step) = scene.refused().filter(|s| matches!(s.status(), Some(401 | 407))) else {
            return told();
        };
        if step.attempt.carries_credentials() || step.offered.is_empty() {
            return told();
        }
        // What breaks the grammar no client answers.
        if step.curl_cannot_answer() && step.offered.iter().any(|o| !o.parsed.strict_ok()) {
            return told();
        }
        let Some((what, sure)) = lacking(scene, step) else { return told() };
        let mut claim = Claim::new(what);
        for (o, c) in step.challenges().take(2) {
            claim = claim.shown([scene.show_in_field(
                o.view,
                o.field,
                c.range.clone(),
                "this is all that is offered",
            )]);
        }
        if let Some((view, agent)) = step.request_field("user-agent") {
            claim = claim.shown([scene.show_field(view, agent, "this client asks")]);
        }
        claim = claim
            .fix(Party::Caller, "Use a client or build that speaks what is offered.")
            .fix(Party::Server, "Offer a scheme or algorithm that the client speaks as well (Digest with MD5, Basic over https).")
            .or("no-credentials", "whether the client was given credentials at all");
        match sure {
            // It said so itself.
            _ if own_error(scene) || step.curl_cannot_answer() => claim.confirmed(),
            true => claim.likely(),
            false => claim.possible(),
        }
    }
}

/// Whether the client says that it speaks none of the schemes: GNU Wget's "Unknown authentication scheme".
fn own_error(scene: &Scene<'_>) -> bool {
    scene.statements().any(|s| s.text.to_text().contains("Unknown authentication scheme"))
}

/// What the client lacks, and whether that it tried is known.
fn lacking(scene: &Scene<'_>, step: &Step<'_>) -> Option<(String, bool)> {
    let agent =
        step.request_field("user-agent").map(|(_, f)| f.text().to_ascii_lowercase()).unwrap_or_default();
    let tried = scene.statements().any(|s| {
        let text = s.text.to_text();
        text.contains("Server auth using")
            || text.contains("Ignoring this")
            || text.contains("Unknown authentication scheme")
    }) || scene.case.facts.iter().any(|f| {
        matches!(
            &f.kind,
            FactKind::Command { user: Some(_), .. }
                | FactKind::Command { userinfo: Some(_), .. }
                | FactKind::Address { userinfo: Some(_), .. }
        )
    });
    let only = |name: &str| step.challenges().all(|(_, c)| c.scheme.name == name);
    if only("digest") {
        let algorithms: Vec<String> = step
            .challenges()
            .map(|(_, c)| c.text("algorithm").map_or("MD5".to_owned(), |a| a.into_owned()))
            .collect();
        let beyond_md5 = algorithms.iter().all(|a| !a.to_ascii_uppercase().starts_with("MD5"));
        let sspi = scene.statements().any(|s| s.text.to_text().contains("SSPI"))
            || scene.case.facts.iter().any(|f| f.text.to_text().contains("SSPI"));
        let old =
            ["wget/", "python-requests/2.1", "python-requests/2.0", "java/", "php/", "webdavfs", "lavf"]
                .iter()
                .any(|p| agent.starts_with(p));
        if beyond_md5 && (tried || sspi || old) {
            return Some((
                format!(
                    "the server offers Digest with {} only, which this client does not answer",
                    algorithms.join(", ")
                ),
                tried || sspi,
            ));
        }
        return None;
    }
    // A client that is named for the one scheme that it speaks.
    let digest_only = ["digest-auth", "digest_auth", "digestauth", "digest-fetch"];
    let named = scene.statements().any(|s| {
        let text = s.text.to_text().to_ascii_lowercase();
        digest_only.iter().any(|n| text.contains(n))
    });
    if named && !step.offers("digest") {
        return Some(("the server offers no Digest, and this client speaks nothing else".to_owned(), true));
    }
    let names: Vec<&str> = step.challenges().map(|(_, c)| c.scheme.name.as_str()).collect();
    let speaks: &[&str] = match agent.split('/').next().unwrap_or_default() {
        "wget" => &["basic", "digest", "ntlm"],
        "curl" => &["basic", "digest", "ntlm", "negotiate", "bearer"],
        "mozilla" => BROWSER,
        "java" => &["basic", "digest", "ntlm", "negotiate"],
        "python-requests" => &["basic"],
        _ => return None,
    };
    let none_spoken = names.iter().all(|n| !speaks.contains(n));
    (none_spoken && tried && !names.is_empty()).then(|| {
        (format!("the server offers only {}, which this client does not speak", names.join(", ")), true)
    })
}
