//! A refusal that hides whether there is anything.

use crate::cause::{Answer, Claim, cause};
use crate::reading::{quoted, token};
use crate::{Scene, Step};
use serde_json::Value;
use why401_history::Attempt;
use why401_http::Speaker;
use why401_report::Party;

cause! {
    /// The resource does not exist, or not for this user, and the server says 401 rather than 404 so as not to tell.
    ///
    /// # What happened
    /// The name is misspelt, the resource is private, or it was never there. Registries and forges answer all of these alike, so that
    /// nobody can find out names by asking.
    ///
    /// # How it is decided
    /// The answer says so (\"does not exist or may require\"), or a made-up address gets the same answer.
    ///
    /// # Who acts
    /// Whoever writes the client: check the name first, then the rights.
    ///
    /// # What to do
    /// Compare the name letter by letter with the one on the service's page; then sign in with an account that may see it.
    ///
    /// # Evidence needed
    /// The body of the answer.
    ///
    /// # Not to be confused with
    /// scope-missing: the resource is seen and the token may not do this. wrong-address: another host was meant.
    ///
    /// # References
    /// RFC 9110 section 15.5.5 (404 may hide a 403); Docker Registry HTTP API V2, `DENIED` and `UNAUTHORIZED`.
    pub ResourceHidden = "resource-hidden" in Server, Fault by Caller, over ["no-credentials", "credentials-refused", "login-redirect", "scope-missing"]
}

impl ResourceHidden {
    fn detect(scene: &Scene<'_>) -> Answer {
        if scene.let_in() {
            return not_there(scene).map_or(Answer::RuledOut, |claim| advise(claim).likely());
        }
        let told = scene.told_claim("resource-hidden", "the resource does not exist, or not for this user");
        match told {
            Some(claim) => advise(claim).as_told(),
            None => made_up(scene).or_else(|| allows_nothing(scene)).unwrap_or(Answer::RuledOut),
        }
    }
}

/// Whoever signs in is told that there is nothing, and the program ends with that.
pub(super) fn not_there(scene: &Scene<'_>) -> Option<Claim> {
    let (first, last) = (scene.steps.first()?, scene.last()?);
    let sent = last.attempt.carries_credentials();
    if !sent
        || last.status() != Some(404)
        || first.status() != Some(401)
        || first.attempt.carries_credentials()
    {
        return None;
    }
    let gave_up = scene.statements().filter(|s| s.speaker == Speaker::Client).find(|s| {
        let text = s.text.to_text().to_ascii_lowercase();
        text.contains("not found") && ["fatal", "remote:", "error"].iter().any(|word| text.contains(word))
    })?;
    let (view, response) = last.response()?;
    Some(
        Claim::new("without a login the server asks for one, and with one it says that there is nothing: the name is wrong, or not for this account")
            .shown([scene.show_status(view, response, "with credentials")])
            .shown([scene.show_statement(gave_up, "told here")])
            .or("wrong-address", "whether the name is written as it is on the service's page"),
    )
}

/// An address that `why401 probe` made up beside the refused one gets the same answer as it. That is no more than
/// possible: where everything in a folder is protected, what is there and what is not are answered alike as well.
fn made_up(scene: &Scene<'_>) -> Option<Answer> {
    let step = scene.refused().filter(|s| s.status() == Some(401))?;
    let path = step.attempt.path()?;
    let folder = |p: &str| p.trim_end_matches('/').rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let beside = |a: &&Attempt| {
        a.authority() == step.attempt.authority()
            && a.path().is_some_and(|p| p != path && folder(p) == folder(path))
    };
    let other = scene.at_made_up_paths().find(beside)?;
    // Held against a look at the real address that carries as little as the one at the made-up address does.
    let looks = |a: &&Attempt| {
        a.path() == Some(path)
            && a.authority() == step.attempt.authority()
            && a.carries_credentials() == other.carries_credentials()
    };
    let real = scene.attempts().filter(looks).find(|a| is_answered_alike(a, other))?;
    let (shown, there) = (real.response()?, other.response()?);
    let claim = Claim::new(format!(
        "the answer does not tell whether {path} exists: a made-up address beside it gets the same one"
    ))
    .shown([scene.show_status(real.view(), shown, "the answer for the address asked for")])
    .shown([scene.show_status(other.view(), there, "the same for an address that was made up")])
    .or("credentials-refused", "an account that is known to see the resource");
    Some(advise(claim).possible())
}

/// A registry gave a token that allows nothing on the repository asked for: it gives such a token for those that do not exist
/// as for those that this user may not see (<https://distribution.github.io/distribution/spec/auth/jwt/>).
fn allows_nothing(scene: &Scene<'_>) -> Option<Answer> {
    let step = scene.refused().filter(|s| s.status() == Some(401))?;
    let carried = token::carried(step)?;
    let jwt = carried.jwt()?;
    let path = step.attempt.path()?;
    let Value::Array(access) = jwt.claim("access")? else { return None };
    let name = access.iter().find_map(|entry| {
        let name = entry.get("name")?.as_str().filter(|n| path.contains(&format!("/v2/{n}/")))?;
        entry.get("actions")?.as_array()?.is_empty().then_some(name)
    })?;
    let claim = Claim::new(format!(
        "the registry gave a token that allows nothing on {}: it does not exist, or not for this user",
        quoted(name)
    ))
    .shown(jwt.claim_range("access").map(|range| {
        scene.show_in_field(carried.view, carried.field, range, "the token allows nothing here")
    }))
    .or("wrong-address", "whether the name is written as it is on the registry's page")
    .or("scope-missing", "whether the account may pull from this repository")
    .or("no-credentials", "a login, where the repository is a private one");
    Some(advise(claim).likely())
}

/// The same status, challenges and content, but for the address where the content repeats it.
pub(super) fn is_answered_alike(a: &Attempt, b: &Attempt) -> bool {
    let content = |a: &Attempt| {
        let text = a.response().map(|r| r.body.text().into_owned())?;
        Some(a.path().map_or(text.clone(), |p| text.replace(p, "")))
    };
    let challenges = |a: &Attempt| -> Vec<_> {
        let step = Step::of(a);
        step.challenges()
            .map(|(_, c)| (c.scheme.name.clone(), c.param("realm").and_then(|p| p.value.clone())))
            .collect()
    };
    a.status() == b.status() && content(a) == content(b) && challenges(a) == challenges(b)
}

fn advise(claim: Claim) -> Claim {
    claim
        .fix(Party::Caller, "Check the name of the resource letter by letter (case, dash and underscore, owner), then sign in with an account that may see it.")
}
