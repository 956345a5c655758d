//! Two sets of credentials.

use crate::cause::{Answer, Claim, cause};
use crate::scene::same_server;
use crate::{Scene, Step, elsewhere};
use why401_auth::ProblemKind;
use why401_history::Attempt;
use why401_http::{FieldLine, Request, query_of};
use why401_report::Party;

cause! {
    /// Two sets of credentials in one request.
    ///
    /// # What happened
    /// Two parts of the client each add an `Authorization` field, or their values were joined with a comma, or a field
    /// stands beside a signed query. The server takes the wrong one, or refuses both.
    ///
    /// # How it is decided
    /// By the bytes of the request.
    ///
    /// # Who acts
    /// Whoever writes the client.
    ///
    /// # What to do
    /// Let one place add the credentials. A library's default and an interceptor, a `.netrc` and an explicit field, a
    /// signed address and a session's token are the usual pairs.
    ///
    /// # Evidence needed
    /// The request as it was sent.
    ///
    /// # Not to be confused with
    /// scheme-doubled: one secret with two schemes before it.
    ///
    /// # References
    /// RFC 9110 section 11.6.2 (one set of credentials), section 5.3 (a field that is no list must not be repeated).
    pub DuplicateCredentials = "duplicate-credentials" in Unreadable, Fault by Caller,
        over ["credentials-refused", "scheme-not-offered", "token-malformed", "dropped-by-intermediary", "wrong-password", "unknown-user", "stray-characters", "wrong-token-type"]
}

impl DuplicateCredentials {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("duplicate-credentials", "the request has two sets of credentials");
        let Some(step) = scene.refused() else { return told() };
        let proxy = step.status() == Some(407);
        for view in &step.attempt.views {
            let fields: Vec<_> =
                step.sent.iter().filter(|s| s.proxy == proxy && s.view.source == view.source).collect();
            if let [first, second, ..] = fields.as_slice() {
                return advise(
                    Claim::new(
                        "the request has two Authorization fields, and the server can take one at the most",
                    )
                    .shown([scene.show_field(first.view, first.field, "the first")])
                    .shown([scene.show_field(second.view, second.field, "the second")]),
                )
                .confirmed();
            }
        }
        if let Some(claim) = keys(scene, step) {
            return advise(claim).confirmed();
        }
        if let Some(answer) = same_key_twice(scene, step) {
            return answer;
        }
        let Some(sent) = step.credentials() else { return told() };
        if let Some(problem) = sent.parsed.problem(ProblemKind::SecondCredentials) {
            return advise(
                Claim::new("two sets of credentials stand in one field, joined by a comma").shown([
                    scene.show_in_field(sent.view, sent.field, problem.range.clone(), "the second set")
                ]),
            )
            .confirmed();
        }
        let target = step.attempt.target().unwrap_or_default();
        let signed = query_of(&target).unwrap_or_default().split('&').find(|p| {
            let name = p.split('=').next().unwrap_or_default();
            ["x-amz-signature", "x-goog-signature", "sig"].contains(&name.to_ascii_lowercase().as_str())
        });
        match (signed, step.request()) {
            (Some(_), Some((view, request))) => advise(
                Claim::new(
                    "the address is signed already, and an Authorization field stands beside the signature",
                )
                .shown([scene.show_request(view, request, "signed by its query")])
                .shown([scene.show_field(
                    sent.view,
                    sent.field,
                    "and credentials once more",
                )]),
            )
            .confirmed(),
            // Something in between may have added the other one.
            _ => told(),
        }
    }
}

/// Two fields for a key whose names differ at most in letter case (RFC 9110 section 5.1).
fn twice(request: &Request) -> impl Iterator<Item = (&FieldLine, &FieldLine)> {
    let keys = request.fields.iter().filter(|f| {
        let name = f.name.to_text().to_ascii_lowercase();
        let other = name.ends_with("authorization") || name.contains("cookie") || name.contains("signature");
        !other && elsewhere::is_secret(&name) && f.value.len() >= 8
    });
    let keys: Vec<_> = keys.take(20).collect();
    let pairs = (0..keys.len()).flat_map(|i| (i + 1..keys.len()).map(move |k| (i, k)));
    let pairs: Vec<_> = pairs.filter_map(|(i, k)| Some((*keys.get(i)?, *keys.get(k)?))).collect();
    pairs.into_iter().filter(|(one, two)| one.name.to_text().eq_ignore_ascii_case(&two.name.to_text()))
}

/// With different keys.
fn keys(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (view, request) = step.request()?;
    let (first, second) = twice(request).find(|(one, two)| one.value.as_bytes() != two.value.as_bytes())?;
    Some(
        Claim::new(format!("the request has the field {} twice, with two keys", first.name.to_text()))
            .shown([scene.show_field(view, first, "the first")])
            .shown([scene.show_field(view, second, "the second")]),
    )
}

/// With one key: a server that joins them (RFC 9110 section 5.3) reads another key.
fn same_key_twice(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let (view, request) = step.request()?;
    let (first, second) = twice(request).find(|(one, two)| one.value.as_bytes() == two.value.as_bytes())?;
    let name = first.name.to_text().to_ascii_lowercase();
    let claim = Claim::new(format!("the request has the field {name} twice: joined, they are another key"))
        .shown([scene.show_field(view, first, "the first")])
        .shown([scene.show_field(view, second, "the second")]);
    let once = |a: &Attempt| {
        let mut of = a.request()?.fields.all(&name);
        let one = of.next().filter(|f| f.value.as_bytes() == first.value.as_bytes())?;
        let good = a.let_in() && same_server(a, step.attempt) && of.next().is_none();
        good.then(|| scene.show_field(a.view(), one, "once, and let in"))
    };
    Some(match scene.attempts().take(LOOKS).find_map(once) {
        Some(good) => advise(claim.shown([good])).confirmed(),
        None => advise(claim).or("credentials-refused", "the same key in one field").likely(),
    })
}

/// So many requests of the evidence are looked at.
const LOOKS: usize = 200;

fn advise(claim: Claim) -> Claim {
    claim.fix(Party::Caller, "Let one place add the credentials and remove the other (a default of the library, an interceptor, a stored login).")
}
