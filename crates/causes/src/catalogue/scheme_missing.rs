//! A secret and no scheme.

use super::evidence_redacted::is_masked;
use crate::cause::{Answer, Claim, cause};
use crate::scene::same_server;
use crate::{Scene, Step};
use why401_auth::ProblemKind;
use why401_auth::token::jwt;
use why401_report::Party;

cause! {
    /// The Authorization field has a bare secret without a scheme before it.
    ///
    /// # What happened
    /// The field reads `Authorization: <secret>` where the server expects `Authorization: <scheme> <secret>`, so it
    /// takes the secret for the name of a scheme.
    ///
    /// # How it is decided
    /// By the bytes of the field.
    ///
    /// # Who acts
    /// Whoever writes the client.
    ///
    /// # What to do
    /// Write the scheme that the server wants before the secret: `Bearer`, `Token`, `Bot` ... as its challenge or its
    /// documentation says.
    ///
    /// # Evidence needed
    /// The request as it was sent.
    ///
    /// # Not to be confused with
    /// A service that wants the bare key there: some do, and then another cause holds.
    ///
    /// # References
    /// RFC 9110 section 11.4 (credentials = auth-scheme ...).
    pub SchemeMissing = "scheme-missing" in Unreadable, Fault by Caller,
        over ["credentials-refused", "scheme-not-offered", "token-malformed", "dropped-by-intermediary", "no-credentials"]
}

impl SchemeMissing {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("scheme-missing", "the scheme before the secret is missing");
        let Some(step) = scene.refused() else { return told() };
        let Some(sent) = step.credentials() else {
            let bare = || in_a_field_of_its_own(scene, step).unwrap_or(Answer::RuledOut);
            return if step.attempt.shows_credentials() { bare() } else { told() };
        };
        let glued = sent.parsed.problem(ProblemKind::SchemeGlued).is_some();
        let missing = sent
            .parsed
            .problem(ProblemKind::SchemeMissing)
            .or_else(|| sent.parsed.problem(ProblemKind::SchemeGlued));
        // Firebase's older interface: `Authorization: key=…` (Firebase Cloud Messaging, HTTP protocol (legacy)).
        let of_its_own = sent.value().starts_with("key=");
        let is_whole = !sent.field.value.is_empty() && !is_masked(&sent.value()) && !of_its_own;
        // The same field is let in elsewhere: this service takes bare secrets.
        let let_in = |a: &why401_history::Attempt| {
            a.let_in()
                && a.request_field("authorization")
                    .is_some_and(|f| f.value.as_bytes() == sent.field.value.as_bytes())
        };
        // So is another one without a scheme.
        let bare = |a: &why401_history::Attempt| {
            let own = |f: &why401_http::FieldLine| jwt::looks_like(f.value.as_bytes());
            a.let_in() && same_server(a, step.attempt) && a.request_field("authorization").is_some_and(own)
        };
        let other = || {
            !glued && jwt::looks_like(sent.field.value.as_bytes()) && scene.attempts().take(LOOKS).any(bare)
        };
        let taken = missing.is_some() && (scene.attempts().any(let_in) || other());
        let takes_bare = !glued && BARE.iter().any(|product| scene.is_product(product));
        let Some(problem) = missing.filter(|_| is_whole && !taken && !takes_bare) else {
            return Answer::RuledOut;
        };
        let wanted = step.challenges().map(|(_, c)| c.scheme.written.clone()).find(|s| !s.is_empty());
        let scheme = wanted.clone().unwrap_or_else(|| "Bearer".to_owned());
        let mut claim =
            Claim::new(if glued {
                "the Authorization field has no space between the scheme and the secret, so it is read as no scheme at all"
            } else {
                "the Authorization field holds a bare secret: no scheme stands before it"
            })
            .shown([
                scene.show_in_field(sent.view, sent.field, problem.range.clone(), if glued { "a space belongs here" } else { "no scheme before this" }),
            ]);
        if let Some((offered, challenge)) = step.challenges().next() {
            let says = "this scheme is wanted";
            claim = claim.shown([scene.show_in_field(
                offered.view,
                offered.field,
                challenge.scheme.range.clone(),
                says,
            )]);
        }
        let claim = claim.fix(
            Party::Caller,
            format!(
                "Write the scheme before the secret: Authorization: {scheme} <secret>{}",
                if wanted.is_some() { "" } else { " (or what the service's documentation names)" }
            ),
        );
        // Without a word of the server, it may be one of those that want the bare secret.
        let said = scene.heard_of("scheme-missing").any(|h| h.attempt == Some(step.attempt.id));
        let is_asked = wanted.is_some() || said || glued;
        if is_asked || jwt::looks_like(sent.field.value.as_bytes()) {
            claim.confirmed()
        } else {
            claim
                .or("credentials-refused", "whether this service wants the secret alone")
                .weighing(5)
                .likely()
        }
    }
}

/// A bare JWT in a field that a program reads in place of `Authorization`, in the same form (ThingsBoard, "REST API":
/// `X-Authorization: Bearer $JWT`).
fn in_a_field_of_its_own(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let (view, field) = step.request_field("x-authorization")?;
    let bare = jwt::looks_like(field.value.as_bytes());
    let claim = Claim::new("the field X-Authorization holds a bare token: no scheme stands before it")
        .shown([scene.show_field(view, field, "no scheme before this")])
        .fix(Party::Caller, "Write the scheme before the token: X-Authorization: Bearer <token>.")
        .or("wrong-field", "which field the service's documentation names");
    bare.then(|| claim.likely())
}

/// Products that take a key by itself in `Authorization`: MISP ("Automation and MISP API", Authorization: YOUR_API_KEY),
/// ClickUp (its reference, "Personal API token").
const BARE: &[&str] = &["misp", "clickup"];

/// So many requests are looked at.
const LOOKS: usize = 1000;
