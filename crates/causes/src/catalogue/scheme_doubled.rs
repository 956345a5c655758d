//! The scheme stands twice.

use crate::Scene;
use crate::cause::{Answer, Claim, cause};
use why401_auth::ProblemKind;
use why401_report::Party;

cause! {
    /// The scheme, or the field name, stands twice: 'Bearer Bearer x', 'Authorization: Authorization: ...'.
    ///
    /// # What happened
    /// Two places add the scheme: the program writes `Bearer` before a value that has it already, or a tool adds the name
    /// of the field to what is pasted into it.
    ///
    /// # How it is decided
    /// By the bytes of the field.
    ///
    /// # Who acts
    /// Whoever writes or configures the client.
    ///
    /// # What to do
    /// Take one of them away: give the tool only the secret, or only the whole value.
    ///
    /// # Evidence needed
    /// The request as it was sent.
    ///
    /// # Not to be confused with
    /// duplicate-credentials: two whole sets of credentials.
    ///
    /// # References
    /// RFC 9110 section 11.4.
    pub SchemeDoubled = "scheme-doubled" in Unreadable, Fault by Caller,
        over ["credentials-refused", "token-malformed", "basic-malformed", "scheme-not-offered", "stray-characters", "dropped-by-intermediary", "wrong-token-type"]
}

impl SchemeDoubled {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("scheme-doubled", "the scheme stands twice");
        let Some(step) = scene.refused() else { return told() };
        let Some(sent) = step.credentials() else {
            return if step.attempt.shows_credentials() { Answer::RuledOut } else { told() };
        };
        let kinds = [ProblemKind::SchemeDoubled, ProblemKind::FieldNameInValue];
        let Some(problem) = kinds.iter().find_map(|k| sent.parsed.problem(*k)) else {
            return Answer::RuledOut;
        };
        let what = match problem.kind {
            ProblemKind::FieldNameInValue => "the name of the field stands inside its own value",
            _ => "a scheme stands twice before the secret",
        };
        Claim::new(what)
            .shown([scene.show_in_field(sent.view, sent.field, problem.range.clone(), "once too often")])
            .fix(Party::Caller, "Take one of the two away: the library or tool adds the scheme by itself, so give it the secret alone.")
            .confirmed()
    }
}
