//! A challenge that breaks the grammar.

use crate::cause::{Answer, Claim, cause};
use crate::{Scene, Step};
use why401_http::FactKind;
use why401_report::Party;

cause! {
    /// The challenge breaks RFC 9110's grammar, so clients cannot answer it or answer it wrongly.
    ///
    /// # What happened
    /// A comma is missing, a quote does not close, a value stands without quotes. Some clients forgive it, some give up.
    ///
    /// # How it is decided
    /// By the bytes of the field. It leads where the client gave up on it; beside another cause it is an observation.
    ///
    /// # Who acts
    /// Who runs the server.
    ///
    /// # What to do
    /// Mend the field: `scheme name="value", name="value"`.
    ///
    /// # Evidence needed
    /// The field as it was sent.
    ///
    /// # Not to be confused with
    /// challenge-misread: the field is right and the client reads it wrongly.
    ///
    /// # References
    /// RFC 9110 sections 11.2, 11.3 and 11.6.1.
    pub ChallengeMalformed = "challenge-malformed" in Server, Fault by Server, over ["no-credentials"]
}

impl ChallengeMalformed {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("challenge-malformed", "the challenge cannot be read");
        let Some(step) = scene.refused().filter(|s| matches!(s.status(), Some(401 | 407))) else {
            return told();
        };
        let broken = step
            .offered
            .iter()
            .find_map(|o| o.parsed.problems.iter().find(|p| p.breaks_grammar()).map(|p| (o, p)));
        let Some((offered, problem)) = broken else {
            return without_realm(scene, step).unwrap_or_else(told);
        };
        let claim = Claim::new(format!("the challenge breaks the grammar: {}", problem.what))
            .shown([scene.show_in_field(offered.view, offered.field, problem.range.clone(), problem.what.clone())])
            .fix(Party::Server, "Mend the field: scheme name=\"value\", name=\"value\" with commas between and quotes around the values.");
        let given = scene.case.facts.iter().any(|f| {
            matches!(
                &f.kind,
                FactKind::Command { user: Some(_), .. } | FactKind::Command { userinfo: Some(_), .. }
            )
        });
        // curl, before it asks: it was given a user and waits for the challenge.
        let holds_credentials = given || step.curl_has_user();
        // Beside a challenge that can be answered, the broken one is no reason to give up.
        let sound = step.offered.iter().any(|o| o.parsed.strict_ok() && !o.parsed.value.is_empty());
        let parser_complains = scene.heard_of("challenge-malformed").next().is_some()
            || scene.heard_of("challenge-misread").next().is_some()
            || step.curl_cannot_answer();
        let unusable = step.challenges().all(|(_, c)| c.scheme.name.is_empty());
        // Who sends a key in a field of its own waits for no challenge.
        let waits = !step.attempt.carries_credentials() && step.other_credentials(scene).is_none();
        let gave_up = waits && (parser_complains || unusable || holds_credentials);
        // Somebody tells of a client that failed, and the only challenge there is cannot be read.
        if waits && !sound && !gave_up && scene.is_told_by_a_person(None) {
            return claim
                .or("challenge-misread", "which part of the challenge the client stumbles over")
                .or("no-credentials", "whether the client answers a mended challenge")
                .likely();
        }
        // The client's parser says that it cannot read the one challenge there is, whatever the request had in its content.
        let (gave_up, unread) = (gave_up || parser_complains && !sound, parser_complains);
        match (gave_up, unread || unusable || (holds_credentials && !sound)) {
            (true, true) => claim.confirmed(),
            (true, false) => {
                claim.or("no-credentials", "whether the client answers a mended challenge").possible()
            }
            (false, _) => claim.beside().confirmed(),
        }
    }
}

/// Basic without its realm (RFC 7617 section 2 demands it), and a client whose parser stumbles over that.
fn without_realm(scene: &Scene<'_>, step: &Step<'_>) -> Option<Answer> {
    let (offered, challenge) = step.challenge("basic").filter(|(_, c)| c.param("realm").is_none())?;
    // By the grammar `realm=` is a token68; who writes it means a realm and gives none.
    let begun =
        offered.field.value.as_bytes().get(challenge.range.clone()).is_some_and(|c| c.ends_with(b"realm="));
    if begun && !step.attempt.carries_credentials() {
        let claim = Claim::new("the challenge names no realm: nothing stands behind realm=, not even quotes")
            .shown([scene.show_in_field(offered.view, offered.field, challenge.range.clone(), "no value")])
            .fix(Party::Server, "Let the server name a realm: WWW-Authenticate: Basic realm=\"...\".")
            .or("no-credentials", "whether the client answers a challenge with a realm");
        return Some(if scene.is_told_by_a_person(None) {
            claim.likely()
        } else {
            claim.beside().confirmed()
        });
    }
    let stumbles = scene.heard_of("challenge-malformed").next()?;
    if step.attempt.carries_credentials() {
        return None;
    }
    let claim = Claim::new("the challenge has no realm, which Basic demands, and the client cannot read it")
        .shown([scene.show_in_field(offered.view, offered.field, challenge.range.clone(), "no realm")])
        .shown([scene.show_heard(stumbles, "the client's parser")])
        .fix(Party::Server, "Let the server name a realm: WWW-Authenticate: Basic realm=\"...\".");
    Some(claim.or("challenge-misread", "whether other clients answer the same challenge").confirmed())
}
