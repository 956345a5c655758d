//! The field is there and holds nothing.

use super::evidence_redacted::is_masked;
use super::wrong_field::PARAMETERS;
use crate::cause::{Answer, Claim, cause};
use crate::{Scene, Step};
use why401_auth::{Inside, ProblemKind};
use why401_http::{LoggedUser, query_of};
use why401_report::Party;

const FIX: &str = "Find where the client takes its credentials from (a variable, a setting, a secret store): it is empty there. Without credentials, leave the field out.";

cause! {
    /// The field is there but there is nothing in it: a scheme without a value, an empty user and password.
    ///
    /// # What happened
    /// The client wrote an `Authorization` field and had nothing to put into it: `Bearer` and no token, or a Basic value
    /// that decodes to a lone colon.
    ///
    /// # How it is decided
    /// By the bytes of the field.
    ///
    /// # Who acts
    /// Whoever writes or configures the client: a variable is empty, a setting has no value, a health check has its
    /// boxes for name and password left blank.
    ///
    /// # What to do
    /// Fill in the credentials, or leave the field out. Some pages are served to whoever sends no field at all and
    /// refused to whoever sends an empty one.
    ///
    /// # Evidence needed
    /// The request as it was sent.
    ///
    /// # Not to be confused with
    /// placeholder-credentials: something was sent in place of the secret. no-credentials: the field is not there.
    ///
    /// # References
    /// RFC 7617 section 2 (user-id and password may be empty); RFC 6750 section 2.1 (b64token has at least one
    /// character).
    pub EmptyCredentials = "empty-credentials" in NotSent, Fault by Caller,
        over ["credentials-refused", "no-credentials", "wrong-password", "unknown-user", "token-malformed", "basic-malformed"]
}

impl EmptyCredentials {
    fn detect(scene: &Scene<'_>) -> Answer {
        let Some(step) = scene.refused() else {
            return pasted(scene)
                .unwrap_or_else(|| scene.told("empty-credentials", "the credentials are empty"));
        };
        let Some(sent) = step.credentials() else {
            if let Some(claim) = logged(scene, step) {
                return claim.likely();
            }
            if let Some(claim) = in_query(scene, step) {
                return claim.confirmed();
            }
            return if step.attempt.carries_credentials() {
                Answer::RuledOut
            } else {
                scene.told("empty-credentials", "the credentials are empty")
            };
        };
        if let Inside::Basic(basic) = &sent.inside
            && basic.problem(ProblemKind::EmptyPassword).is_some()
            && !basic.user_is_secret()
        {
            return Claim::new("the Basic value has a user name and an empty password")
                .shown([scene.show_in_field(
                    sent.view,
                    sent.field,
                    basic.user_range.clone(),
                    "nothing after the colon",
                )])
                .fix(Party::Caller, FIX)
                .or("wrong-password", "whether this account really has no password")
                .likely();
        }
        let what = match &sent.inside {
            // Nothing is left where the rest was masked.
            _ if is_masked(&sent.value()) => return Answer::RuledOut,
            _ if sent.field.value.is_empty() => "the Authorization field has no value".to_owned(),
            Inside::Empty => format!(
                "the field says {} and nothing after it",
                sent.credentials().map_or("", |c| &c.scheme.written)
            ),
            Inside::Basic(basic) if basic.text.is_empty() => "the Basic value decodes to nothing".to_owned(),
            Inside::Basic(basic)
                if basic.user.is_empty() && basic.password.as_ref().is_some_and(|p| p.is_empty()) =>
            {
                "the Basic value decodes to a lone colon: no user and no password".to_owned()
            }
            Inside::Digest(digest) if digest.username.as_deref() == Some("") => {
                "the Digest credentials name no user".to_owned()
            }
            Inside::Token(token) if token.text.is_empty() => "the token is empty".to_owned(),
            _ => return Answer::RuledOut,
        };
        Claim::new(what)
            .shown([scene.show_field(sent.view, sent.field, "nothing in it")])
            .fix(Party::Caller, FIX)
            .confirmed()
    }
}

/// An address in an error's text whose query ends a secret's name with nothing: `…?api_key=`.
fn pasted(scene: &Scene<'_>) -> Option<Answer> {
    let (statement, range) = scene.refusal.statements().iter().find_map(|s| {
        let text = s.text.to_text();
        text.match_indices(['?', '&']).take(100).find_map(|(at, _)| {
            let (name, rest) = text.get(at + 1..)?.split_once('=')?;
            let empty = rest.is_empty() || rest.starts_with(['&', ' ', '\n', '\r', '"', '\'', ')']);
            let known = PARAMETERS.contains(&name.to_ascii_lowercase().as_str());
            (empty && known && text.contains("://")).then(|| (s, at + 1..at + 2 + name.len()))
        })
    })?;
    let claim = Claim::new("the address names a secret's parameter and has no value for it")
        .shown([scene.show_part(statement.source, &statement.text, range, "nothing in it")])
        .or("evidence-redacted", "whether the value was taken out before this was pasted")
        .fix(Party::Caller, FIX);
    Some(claim.weighing(6).likely())
}

/// A parameter whose name is that of a secret, and nothing behind it.
fn in_query(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let (view, request) = step.request()?;
    let target = request.target().into_owned();
    let pairs = query_of(&target)?.split('&');
    let pair = pairs.take(100).find(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        value.is_empty() && PARAMETERS.contains(&name.to_ascii_lowercase().as_str())
    })?;
    if step.other_credentials(scene).is_some() || !matches!(step.status(), Some(400 | 401 | 403)) {
        return None;
    }
    let from = request.line.to_text().find(pair)?;
    let claim = Claim::new(format!("the query names {} and has no value for it", pair.trim_end_matches('=')))
        .shown([scene.show_part(view.source, &request.line, from..from + pair.len(), "nothing in it")]);
    Some(claim.fix(Party::Caller, FIX))
}

/// Apache logs `""` for a Basic field with an empty name, be it a lone colon or what does not decode.
fn logged(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let view = step.attempt.views.iter().find(|v| v.user == LoggedUser::Empty)?;
    let line = &view.log.as_ref()?.line;
    let claim = Claim::new("the server logged an empty user name: a Basic field came, without a name in it")
        .shown([scene.show_part(view.source, line, 0..line.len(), "an empty name was claimed")])
        .or("basic-malformed", "the field as it was sent: a value that does not decode is logged alike")
        .fix(Party::Caller, FIX);
    Some(claim)
}
