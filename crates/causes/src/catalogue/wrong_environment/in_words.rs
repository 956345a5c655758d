//! A key that one host accepts, and a program with the same key that asks another host of the same owner.

use super::{advise, are_siblings, is_region};
use crate::cause::{Answer, Claim};
use crate::reading::pasted;
use crate::scene::same_site;
use crate::{Scene, Step};
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
    pasted::texts(scene).next()?;
    scene.attempts().filter(|a| a.let_in()).take(LOOKS).find_map(|good| {
        let step = Step::of(good);
        let accepted = good.authority()?;
        let sent = step.credentials()?;
        let value = sent.value();
        let key = value.rsplit(' ').next().filter(|k| k.len() >= SHORTEST)?;
        pasted::texts(scene).find_map(|fact| {
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

/// Somebody names another host of the same owner that has a region in its name, which the refused one has not: where the
/// account or the key was made, or where it is at home.
pub(super) fn home(scene: &Scene<'_>, host: &str) -> Option<Answer> {
    let name = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
    let regions = |h: &str| {
        // The domain itself is no region: `.de`, `.in`.
        let within = h.rsplit_once('.').map_or(h, |(labels, _)| labels);
        let words = within.split(['.', '-']).filter(|w| !w.is_empty() && is_region(w));
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    if !name.bytes().any(|c| c.is_ascii_alphabetic()) || name.split('.').count() < 3 {
        return None;
    }
    let mine = regions(&name);
    pasted::texts(scene).find_map(|fact| {
        let text = fact.text.to_text();
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))).take(WORDS);
        let other = words.map(|h| h.trim_matches(['.', '-'])).find(|h| {
            let theirs = regions(&h.to_ascii_lowercase());
            h.split('.').count() > 2 && same_site(h, &name) && !theirs.is_empty() && theirs != mine
        })?;
        let at = text.find(other)?;
        let claim = Claim::new(format!(
            "{host} was asked, and {other} is named beside it: what belongs to one region is not known to another"
        ))
        .shown([scene.show_part(fact.source, &fact.text, at..at + other.len(), "another region is named here")])
        .or("wrong-address", "which of the two hosts is meant")
        .or("credentials-refused", "the same credentials at that region's host");
        Some(advise(claim).possible())
    })
}
