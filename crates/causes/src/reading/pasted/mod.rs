//! What a person pasted, read as a whole: the account that they give of it in their own words.
//!
//! Words of a person are what they saw and believe, not what was sent. So nothing here is certain, and nothing is said
//! where the requests themselves or the server's words tell more.

mod account;
mod rules;

use crate::Scene;
use crate::cause::Claim;
use std::ops::Range;
use why401_http::{Fact, FactKind};
use why401_report::{Certainty, Party};

/// Where so many refusals have to be explained, nobody's words are about this one.
const FEW: usize = 4;

/// Something that is told of a cause, and where.
#[derive(Debug)]
pub(crate) struct Told {
    cause: &'static str,
    /// Which of the facts.
    fact: usize,
    range: Range<usize>,
    rule: &'static Rule,
}

impl Told {
    /// The cause that it speaks for.
    pub(crate) fn cause(&self) -> &'static str {
        self.cause
    }
}

/// What, in a person's words, speaks for a cause. Phrases are words in lower case without punctuation; a phrase that ends
/// in `~` is the beginning of a word.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) cause: &'static str,
    /// Of each group one phrase must be in one sentence or in two that follow each other.
    pub(crate) near: &'static [&'static [&'static str]],
    /// Of each group one phrase must be anywhere in what was pasted.
    pub(crate) around: &'static [&'static [&'static str]],
    /// None of these may be in those sentences.
    pub(crate) not: &'static [&'static str],
    pub(crate) certainty: Certainty,
    /// One sentence: what it speaks for.
    pub(crate) what: &'static str,
    pub(crate) fix: (Party, &'static str),
    /// What else it may be, and what settles it.
    pub(crate) also: &'static [(&'static str, &'static str)],
}

/// Everything that is told in what was pasted.
pub(crate) fn all(scene: &Scene<'_>) -> Vec<Told> {
    if scene.case.refusals.len() > FEW {
        return Vec::new();
    }
    let texts: Vec<(usize, String)> = pasted(scene)
        .filter(|(_, fact)| scene.is_told_by_a_person(Some(fact.source)))
        .map(|(i, fact)| (i, fact.text.to_text().into_owned()))
        .collect();
    account::read(&texts, rules::all())
}

/// The claim of a cause that rests on a person's account; its certainty is set.
pub(crate) fn claim(scene: &Scene<'_>, cause: &str) -> Option<Claim> {
    if scene.let_in() {
        return None;
    }
    let told = scene.accounts().iter().find(|t| t.cause == cause)?;
    let fact = scene.case.facts.get(told.fact)?;
    let rule = told.rule;
    let mut claim = Claim::new(rule.what)
        .shown([scene.show_part(fact.source, &fact.text, told.range.clone(), "told here")])
        .fix(rule.fix.0, rule.fix.1)
        .weighing(2);
    for (other, settle) in rule.also.iter().rev() {
        claim = claim.or(other, *settle);
    }
    claim.certainty = rule.certainty;
    Some(claim)
}

/// Whether a person tells of another reason, with which refused credentials do not go.
pub(crate) fn speaks_against(scene: &Scene<'_>, cause: &str) -> bool {
    const REFUSED: &[&str] = &["credentials-refused", "wrong-password", "unknown-user"];
    const OTHERS: &[&str] = &[
        "layers-collide",
        "dropped-by-intermediary",
        "dropped-on-redirect",
        "kerberos-refused",
        "loopback-check",
        "ntlm-connection-broken",
        "address-not-allowed",
        "server-misconfigured",
        "wrong-token-type",
    ];
    REFUSED.contains(&cause) && scene.accounts().iter().any(|t| OTHERS.contains(&t.cause))
}

/// What people pasted, where so few refusals are to be explained that it is about these.
pub(crate) fn texts<'a>(scene: &Scene<'a>) -> impl Iterator<Item = &'a Fact> + use<'a> {
    let few = scene.case.refusals.len() <= FEW;
    pasted(scene).map(|(_, fact)| fact).filter(move |_| few)
}

fn pasted<'a>(scene: &Scene<'a>) -> impl Iterator<Item = (usize, &'a Fact)> + use<'a> {
    scene.case.facts.iter().enumerate().filter(|(_, f)| f.kind == FactKind::Pasted)
}
