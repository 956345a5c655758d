//! Claims that rest on somebody's words: what a server, a library or a client is known to say.

use crate::cause::{Answer, Claim, Group};
use crate::heard::Heard;
use crate::reading::{pasted, program};
use crate::{Scene, Step};
use why401_http::Speaker;
use why401_knowledge::Knowledge;
use why401_knowledge::Weight;
use why401_report::Certainty;

impl Scene<'_> {
    /// What the known wordings say of a cause. `meaning` completes "… says that …": `the password is wrong`.
    ///
    /// A wording that means only this proves it; one that products give for several causes suggests it, and the
    /// others stand among what is also possible.
    pub fn told(&self, cause: &'static str, meaning: &str) -> Answer {
        self.told_claim(cause, meaning).map_or(Answer::RuledOut, Claim::as_told)
    }

    /// The same as a claim, to be completed by the cause; its certainty is set already.
    pub fn told_claim(&self, cause: &'static str, meaning: &str) -> Option<Claim> {
        // What was said on the way of a handshake that ended well explains nothing.
        let best = self.heard_of(cause).find(|h| h.attempt.is_none() || !self.let_in());
        // A program that was pasted tells of it as well; more surely than words that repeat the status.
        let written = best.is_none_or(|h| h.said.weight == Weight::Reports);
        if let Some(claim) = written.then(|| program::claim(self, cause)).flatten() {
            return Some(claim);
        }
        if let Some(claim) = written.then(|| pasted::claim(self, cause)).flatten() {
            return Some(claim);
        }
        let best = best?;
        let who = self.speaker_name(best.said.product);
        let (certainty, summary, label) = match best.said.weight {
            Weight::Proves => {
                (Certainty::Certain, format!("{who} says that {meaning}"), format!("{who}: {meaning}"))
            }
            Weight::Suggests => {
                (Certainty::Likely, format!("{who} says that {meaning}"), format!("{who}: {meaning}"))
            }
            Weight::Reports => (
                Certainty::Possible,
                format!("{who} reports a refusal and not its reason"),
                format!("{who}: refused"),
            ),
        };
        let mut claim = Claim::new(summary);
        claim.certainty = certainty;
        // The longer a wording, the less by accident it stands there.
        claim.weight = (best.said.phrase.split_whitespace().count().min(12)) as i32;
        claim.evidence.push(self.show_heard(best, label));
        // Somebody saw what does not go with it: the same credentials taken elsewhere.
        if best.said.weight == Weight::Suggests && pasted::speaks_against(self, cause) {
            claim.certainty = Certainty::Possible;
            claim.weight = 0;
        }
        // The answer itself names another reason than a person's words do.
        let of_answer = |h: &crate::Heard<'_>| {
            h.attempt.is_some() && h.speaker.is_none() && h.names_a_reason() && h.said.cause != cause
        };
        let person = best.speaker == Some(Speaker::Person) && best.attempt.is_none();
        let contradicted = person && self.heard.iter().any(of_answer);
        if contradicted && !best.said.also.iter().any(|c| self.heard_of(c).any(|h| h.attempt.is_some())) {
            claim.certainty = Certainty::Possible;
            claim.weight = 0;
        }
        for name in best.said.also {
            if let Some(other) = crate::catalogue::by_name(name) {
                claim.also.push((other.meta().name, format!("{who} gives the same words for it")));
            }
        }
        Some(claim)
    }

    /// What a recognised client is known to do, where that speaks of all these words: `curl: drops … (since 7.58.0)`.
    pub(crate) fn habit(&self, words: &[&str]) -> Option<String> {
        let clients = self.products.iter().filter_map(|id| Knowledge::shared().product(*id));
        clients.flat_map(|p| p.habits.iter().map(move |h| (p, h))).find_map(|(product, habit)| {
            let versions = habit.versions.as_ref().map(|v| format!(" ({v})")).unwrap_or_default();
            let speaks = words.iter().all(|w| habit.what.contains(w));
            speaks.then(|| format!("{}: {}{versions}", product.name, habit.what))
        })
    }

    /// A wording of the answer that speaks of credentials: of ones that were refused, not of their absence.
    pub(crate) fn speaks_of_credentials(&self, step: &Step<'_>) -> Option<&Heard<'_>> {
        self.heard.iter().find(|h| {
            h.attempt == Some(step.attempt.id)
                && h.speaker.is_none()
                && h.proves()
                // A server's standard page says the same to whoever sent nothing.
                && !h.said.also.iter().any(|a| a == "no-credentials")
                && crate::catalogue::by_name(h.said.cause)
                    .is_some_and(|c| matches!(c.meta().group, Group::Refused | Group::Token))
        })
    }
}
