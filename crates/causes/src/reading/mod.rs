//! Readings that several causes share: whose clock counts, the token of a request and its life so far, the messages of
//! integrated authentication, signed requests.

pub(crate) mod at_odds;
pub(crate) mod canonical;
pub(crate) mod clock;
pub(crate) mod configured;
pub(crate) mod dpop;
pub(crate) mod dumped;
pub(crate) mod gss;
pub(crate) mod lifetime;
pub(crate) mod listed;
pub(crate) mod litter;
pub(crate) mod pac;
pub(crate) mod pasted;
pub(crate) mod program;
pub(crate) mod published;
pub(crate) mod signed;
pub(crate) mod token;
pub(crate) mod trusted;

use crate::Scene;
use crate::cause::{Answer, Claim};
use why401_history::Attempt;
use why401_report::Certainty;

/// Requests before this one, the nearest first.
pub(crate) fn before<'a>(
    scene: &Scene<'a>,
    attempt: &Attempt,
) -> impl Iterator<Item = &'a Attempt> + use<'a> {
    scene.case.attempts.iter().take(attempt.id).rev().take(scene.reach())
}

/// Puts what the evidence shows and what was said of one cause together: the surer of the two speaks, the other one's
/// evidence stands beside it. `advise` adds what to do.
pub(crate) fn settle(found: Option<Claim>, told: Option<Claim>, advise: impl Fn(Claim) -> Claim) -> Answer {
    let (mut first, second) = match (found, told) {
        (Some(found), Some(told)) if told.certainty > found.certainty => (told, Some(found)),
        (Some(found), told) => (found, told),
        (None, Some(told)) => (told, None),
        (None, None) => return Answer::RuledOut,
    };
    if let Some(second) = second {
        first.evidence.extend(second.evidence);
        first.also.extend(second.also);
        first.party = first.party.or(second.party);
        first.weight = first.weight.max(second.weight);
    }
    advise(first).as_told()
}

/// The first lines of a text, with their ends, each with the place where it begins.
pub(crate) fn lines_at(text: &str, most: usize) -> Vec<(usize, &str)> {
    let begins = |at: &mut usize, line: &'_ str| Some(std::mem::replace(at, *at + line.len()));
    let lines = text.split_inclusive('\n').take(most);
    lines.clone().scan(0, begins).zip(lines).collect()
}

/// At most so sure.
pub(crate) fn at_most(mut claim: Claim, certainty: Certainty) -> Claim {
    claim.certainty = claim.certainty.min(certainty);
    claim
}

/// A value of the evidence as it may stand in a sentence: not longer than a line.
pub(crate) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().take(100).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
