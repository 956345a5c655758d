//! A word in place of a secret.

use super::evidence_redacted::is_masked;
use crate::cause::{Answer, Claim, cause};
use crate::reading::pasted;
use crate::{Scene, elsewhere};
use why401_auth::placeholder::{Placeholder, Sureness};
use why401_auth::scheme::basic::Part;
use why401_auth::{Inside, placeholder};
use why401_http::FactKind;
use why401_report::Party;

cause! {
    /// A placeholder was sent instead of a secret: undefined, null, `${TOKEN}`, `<token>`, `YOUR_API_KEY`.
    ///
    /// # What happened
    /// Nobody put the secret in: a variable was never set or never replaced, an object was written as text, an example
    /// was copied as it stands.
    ///
    /// # How it is decided
    /// By the bytes of the field, decoded. What is written as a placeholder (brackets, dollar signs, a language's word
    /// for nothing) is certain; a word such as `changeme` may be somebody's password and is only likely.
    ///
    /// # Who acts
    /// Whoever writes or configures the client.
    ///
    /// # What to do
    /// Find the place where the secret should have been put in: an environment variable that is not exported, a template
    /// that is not rendered, a promise that is not awaited, a storage entry that is gone.
    ///
    /// # Evidence needed
    /// The request as it was sent.
    ///
    /// # Not to be confused with
    /// empty-credentials: nothing at all was sent after the scheme. evidence-redacted: the recorder wrote `***`.
    ///
    /// # References
    /// RFC 6750 section 2.1; ECMA-262 (how `undefined` and objects become text).
    pub PlaceholderCredentials = "placeholder-credentials" in NotSent, Fault by Caller,
        over ["credentials-refused", "token-malformed", "wrong-password", "unknown-user", "wrong-token-type", "bad-signature"]
}

impl PlaceholderCredentials {
    fn detect(scene: &Scene<'_>) -> Answer {
        let Some(step) = scene.refused() else {
            return typed(scene)
                .or_else(|| quoted_back(scene))
                .or_else(|| unexpanded(scene))
                .unwrap_or_else(|| scene.told("placeholder-credentials", "a placeholder was sent"));
        };
        for sent in &step.sent {
            let found: Option<(&str, Placeholder)> = match &sent.inside {
                Inside::Token(token) => token.placeholder.map(|p| ("token", p)),
                Inside::Basic(basic) => basic.placeholder.map(|(part, p)| {
                    let part = match part {
                        Part::User => "user name",
                        Part::Password => "password",
                        Part::Whole => "value",
                    };
                    (part, p)
                }),
                _ => None,
            };
            let whole = || placeholder::find(sent.field.value.as_bytes()).map(|p| ("value", p));
            let Some((part, found)) = found.or_else(whole) else { continue };
            // Asterisks are what whoever recorded it put over the secret.
            if is_masked(&sent.value()) {
                continue;
            }
            return claim(
                scene,
                part,
                found,
                scene.show_field(sent.view, sent.field, format!("{part}: {}", found.pattern)),
            );
        }
        let fields = step.attempt.views.iter().filter_map(|v| v.request.as_ref().map(|r| (v, r)));
        let fields = fields.flat_map(|(view, request)| request.fields.iter().map(move |f| (view, f)));
        for (view, field) in fields {
            let name = field.name.to_text().to_ascii_lowercase();
            let handled = matches!(name.as_str(), "authorization" | "proxy-authorization" | "cookie");
            if handled || !elsewhere::is_secret(&name) {
                continue;
            }
            if let Some(found) = placeholder::find(field.value.as_bytes()) {
                return claim(scene, "key", found, scene.show_field(view, field, found.pattern));
            }
        }
        scene.told("placeholder-credentials", "a placeholder was sent")
    }
}

/// A placeholder on a command line, where no request is shown: what the example had was run as it stands.
fn typed(scene: &Scene<'_>) -> Option<Answer> {
    scene.case.facts.iter().find_map(|fact| {
        let FactKind::Command { fields, .. } = &fact.kind else { return None };
        let found = fields.iter().find_map(|(name, value)| {
            let named = matches!(
                name.to_ascii_lowercase().as_str(),
                "authorization" | "x-api-key" | "api-key" | "apikey" | "x-auth-token" | "private-token"
            );
            let value = value.expose();
            let secret = value.split_once(' ').map_or(value.as_str(), |(_, s)| s).trim();
            placeholder::find(secret.as_bytes()).filter(|_| named && !is_masked(secret) && !masks(secret))
        })?;
        let claim =
            Claim::new(format!("the command has a placeholder where the secret belongs: {}", found.pattern))
                .shown([scene.show_fact(fact, found.pattern)])
                .fix(Party::Caller, "Put the secret where the placeholder stands.")
                .or("credentials-refused", "whether the secret was taken out before this was pasted");
        Some(if found.sure == Sureness::Sure { claim.weighing(8).likely() } else { claim.possible() })
    })
}

/// The service quotes the key that it got, and it is the name of a variable.
fn quoted_back(scene: &Scene<'_>) -> Option<Answer> {
    const BEFORE: [&str; 4] = ["key provided: ", "token provided: ", "key: '", "token: '"];
    scene.statements().find_map(|s| {
        let text = s.text.to_text();
        let from = BEFORE.iter().find_map(|b| text.find(b).map(|at| at + b.len()))?;
        let end = text.get(from..)?.find([' ', '\'', '"', ',']).map_or(text.len(), |e| from + e);
        let value = text.get(from..end)?.trim_end_matches('.');
        let name = value.strip_prefix('$').is_some_and(|n| {
            n.len() > 2 && n.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.' | '{' | '}'))
        });
        let found = placeholder::find(value.as_bytes()).filter(|p| p.sure == Sureness::Sure);
        (name || found.is_some()).then_some(())?;
        // Whoever pastes an answer may write such a name over the key.
        let claim = Claim::new("the service quotes what it was sent, and that is a placeholder and no key")
            .shown([scene.show_part(s.source, &s.text, from..from + value.len(), "sent as it stands")])
            .fix(Party::Caller, "Put the secret where the placeholder stands: set the variable before the client is made, or give the value itself.")
            .or("credentials-refused", "whether the key was taken out of the answer before this was pasted");
        Some(claim.weighing(6).likely())
    })
}

/// Two listings of one setting: the name of a variable in the first, which the program sends as it stands, and a value in the
/// second.
fn unexpanded(scene: &Scene<'_>) -> Option<Answer> {
    const NAMES: [&str; 4] = ["token", "password", "secret", "key"];
    pasted::texts(scene).find_map(|fact| {
        let text = fact.text.to_text();
        let settings = || {
            let lines = text.lines().take(SETTINGS).filter_map(|line| {
                let (name, value) = line.split_once([':', '='])?;
                let (name, value) = (name.trim(), value.trim().trim_matches(['"', '\'']));
                let secret = NAMES.iter().any(|n| name.to_ascii_lowercase().ends_with(n));
                (secret && !name.contains(' ') && !value.is_empty()).then_some((name, value))
            });
            lines.collect::<Vec<_>>()
        };
        let all = settings();
        let (name, value) = all.iter().find(|(name, value)| {
            let variable = value.starts_with("${") && value.ends_with('}');
            variable && all.iter().any(|(n, v)| n == name && !v.contains("${"))
        })?;
        let at = text.find(value)?;
        let claim = Claim::new(format!(
            "{name} holds the name of a variable, which the program sends as it stands; with the value itself it works"
        ))
        .shown([scene.show_part(fact.source, &fact.text, at..at + value.len(), "not replaced by its value")])
        .fix(Party::Caller, "Write the value itself, or have the file rendered before the program reads it.")
        .or("credentials-refused", "whether the program replaces variables in this file");
        Some(claim.weighing(6).likely())
    })
}

/// So many lines are looked at for settings.
const SETTINGS: usize = 2_000;

/// What people write over a secret before they paste it: a variable of the shell, a row of one letter, brackets.
fn masks(secret: &str) -> bool {
    let first = secret.chars().next().unwrap_or(' ');
    secret.starts_with(['$', '<', '%', '{', '['])
        || secret.chars().all(|c| c == first)
        || secret.contains("...")
}

fn claim(scene: &Scene<'_>, part: &str, found: Placeholder, shown: why401_report::Annotation) -> Answer {
    let _ = scene;
    let claim = Claim::new(format!("the {part} that was sent is a placeholder: {}", found.pattern))
        .shown([shown])
        .fix(Party::Caller, "Put the secret where the placeholder stands: set and export the variable, render the template, await the value, log in again.");
    match found.sure {
        Sureness::Sure => claim.confirmed(),
        Sureness::Likely => claim.or("wrong-password", "whether this word really is the secret").likely(),
    }
}
