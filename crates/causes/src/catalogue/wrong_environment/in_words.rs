//! A key that one host accepts, and a program with the same key that asks another host of the same owner.

use super::are_siblings;
use crate::cause::Claim;
use crate::scene::same_site;
use crate::{Scene, Step};
use why401_http::FactKind;
use why401_report::Certainty;

/// Shorter values stand in any text.
const SHORTEST: usize = 16;
/// So many requests and words are looked at.
const LOOKS: usize = 200;
const WORDS: usize = 4_000;

/// What was pasted has a key twice: in a request that is let in, and in a program of which only the host is told.
pub(super) fn sibling(scene: &Scene<'_>) -> Option<Claim> {
    // A refusal that is shown tells its own host.
    if scene.refused().is_some() {
        return None;
    }
    let pasted = || scene.case.facts.iter().filter(|f| f.kind == FactKind::Pasted);
    pasted().next()?;
    scene.attempts().filter(|a| a.let_in()).take(LOOKS).find_map(|good| {
        let step = Step::of(good);
        let accepted = good.authority()?;
        let sent = step.credentials()?;
        let value = sent.value();
        let key = value.rsplit(' ').next().filter(|k| k.len() >= SHORTEST)?;
        pasted().find_map(|fact| {
            let text = fact.text.to_text();
            text.match_indices(key).nth(1)?;
            let hosts = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))).take(WORDS);
            let other = hosts.map(|h| h.trim_matches(['.', '-'])).find(|h| {
                h.split('.').count() > 2 && same_site(h, accepted) && are_siblings(h, accepted)
            })?;
            let at = text.find(other)?;
            let mut claim = Claim::new(format!(
                "{accepted} accepts the key that a program sends to {other}: it belongs to that region or environment"
            ))
            .shown([scene.show_part(fact.source, &fact.text, at..at + other.len(), "the program asks here")])
            .shown([scene.show_field(sent.view, sent.field, format!("accepted by {accepted}"))])
            .or("wrong-address", "which of the two hosts is meant")
            .weighing(6);
            claim.certainty = Certainty::Likely;
            Some(claim)
        })
    })
}
