//! What an account tells as a whole: a person's words, what programs printed and what was configured, held together.
//!
//! A clause has a gist ([`crate::gist`]), and a person's sentence may say outright what happened
//! ([`crate::reading::pasted`]); where neither does, an account relates things that stand in several sentences and are said
//! by several speakers: a redirect in one, a lost field in the next. Rules name the things by their words. All that a rule
//! names has to stand near together; what it gives is a place to look first, never a proof.

mod rules;

use crate::cause::Claim;
use crate::diagnose::first_sentence;
use crate::rank::Ranked;
use crate::{CATALOGUE, Scene};
use rules::{Rule, rules};
use std::collections::HashMap;
use std::ops::Range;
use why401_http::FactKind;
use why401_report::{Certainty, Fix};
use why401_span::{Derived, SourceId};

/// Where more refusals are to be explained, an account is of none in particular.
const FEW: usize = 4;
/// More words are not held together.
const MOST: usize = 6_000;

/// How far an account's claims stand behind others of the same certainty.
const BEHIND: i32 = 1_000;

/// A word of the account, in lower case, and where it stands.
struct Word {
    text: String,
    /// Of which text, by its number.
    part: usize,
    range: Range<usize>,
}

/// The texts of an account as words.
struct Account<'a> {
    parts: Vec<(SourceId, &'a Derived)>,
    words: Vec<Word>,
    /// Where each word stands, by its text.
    places: HashMap<String, Vec<usize>>,
}

/// Adds what the account of this refusal suggests to what the causes found.
pub(crate) fn add(scene: &Scene<'_>, claims: &mut Vec<Ranked>) {
    // Where nobody says more than that it was refused, an account says more.
    let vague = claims.iter().all(|r| {
        let name = r.meta.name;
        matches!(name, "credentials-refused" | "no-credentials" | "forbidden")
            || r.claim.certainty < Certainty::Likely
    });
    for (cause, mut claim) in of(scene) {
        let known = claims.iter().any(|r| r.meta.name == cause && r.claim.certainty >= claim.certainty);
        let Some((position, found)) = CATALOGUE.iter().enumerate().find(|(_, c)| c.meta().name == cause)
        else {
            continue;
        };
        if !known {
            if vague && !is_seen(scene) {
                claim.weight += 2 * BEHIND;
            } else {
                // It does not step before what is told outright.
                claim.certainty = Certainty::Possible;
            }
            let advice = first_sentence(found.meta().doc, "# What to do");
            claim.fixes.push(Fix { party: found.meta().party, action: format!("{advice}."), command: None });
            claims.retain(|r| r.meta.name != cause);
            claims.push(Ranked { meta: found.meta(), claim, position });
        }
    }
}

/// Whether it is seen what was sent: then words only add what else is possible.
fn is_seen(scene: &Scene<'_>) -> bool {
    scene.refused().is_some_and(|s| {
        s.attempt.shows_credentials() || s.attempt.carries_credentials() || !s.offered.is_empty()
    })
}

/// What the account of this refusal suggests.
fn of(scene: &Scene<'_>) -> Vec<(&'static str, Claim)> {
    if scene.let_in() || scene.case.refusals.len() > FEW {
        return Vec::new();
    }
    let seen = is_seen(scene);
    let account = Account::of(scene);
    let mut found: Vec<(&'static str, Claim)> = Vec::new();
    for (rank, rule) in rules().enumerate() {
        if found.iter().any(|(cause, _)| *cause == rule.cause) {
            continue;
        }
        let Some(places) = account.holds(rule) else { continue };
        let mut claim = Claim::new(format!("what is told speaks of this: {}", rule.tells))
            .or("credentials-refused", "the request as it was sent: curl -v, or a capture");
        claim.evidence.extend(account.shown(scene, &places));
        claim.certainty = if rule.strong && !seen { Certainty::Likely } else { Certainty::Possible };
        // Behind whatever else is as sure; how they stand to each other is kept.
        claim.weight = i32::try_from(rules().count().saturating_sub(rank)).unwrap_or_default() - BEHIND;
        found.push((rule.cause, claim));
    }
    found
}

impl<'a> Account<'a> {
    fn of(scene: &Scene<'a>) -> Account<'a> {
        let case = scene.case;
        let said = scene.refusal.statements().iter().chain(&case.statements);
        let mut parts: Vec<(SourceId, &Derived)> = said.map(|s| (s.source, &s.text)).collect();
        let given = case.facts.iter().filter(|f| {
            matches!(
                f.kind,
                FactKind::Command { .. } | FactKind::Configuration { .. } | FactKind::Address { .. }
            )
        });
        parts.extend(given.map(|f| (f.source, &f.text)));
        // Answers that were shown in passing: a redirect.
        for view in case.attempts.iter().take(FEW).flat_map(|a| a.views.iter()) {
            let Some(response) = &view.response else { continue };
            parts.push((view.source, &response.line));
            parts.extend(response.fields.get("location").map(|f| (view.source, &f.value)));
        }
        let mut account = Account { parts, words: Vec::new(), places: HashMap::new() };
        for (part, (_, text)) in account.parts.iter().enumerate() {
            for (text, range) in words(&text.to_text()) {
                if account.words.len() >= MOST {
                    return account;
                }
                account.places.entry(text.clone()).or_default().push(account.words.len());
                account.words.push(Word { text, part, range });
            }
        }
        account
    }

    /// Where a rule's words stand, one place a group, the nearest together; `None` where the rule does not hold.
    fn holds(&self, rule: &Rule) -> Option<Vec<Range<usize>>> {
        if rule.not.iter().any(|p| !self.find(p).is_empty()) {
            return None;
        }
        let mut hits: Vec<(Range<usize>, usize)> = Vec::new();
        for (group, phrases) in rule.groups.iter().enumerate() {
            let before = hits.len();
            hits.extend(phrases.iter().flat_map(|p| self.find(p)).map(|r| (r, group)));
            if hits.len() == before {
                return None;
            }
        }
        hits.sort_by_key(|(r, _)| r.start);
        // The last place of each group so far: the span from the first of them to here is the nearest that ends here.
        let mut last: Vec<Option<Range<usize>>> = vec![None; rule.groups.len()];
        for (range, group) in hits {
            let end = range.end;
            if let Some(place) = last.get_mut(group) {
                *place = Some(range);
            }
            let all: Option<Vec<Range<usize>>> = last.iter().cloned().collect();
            let start = all.as_ref().and_then(|a| a.iter().map(|r| r.start).min());
            if start.is_some_and(|s| end - s <= rule.within) {
                return all;
            }
        }
        None
    }

    /// Where a phrase stands; a word of it that ends in `~` is the beginning of one.
    fn find(&self, phrase: &str) -> Vec<Range<usize>> {
        let wanted: Vec<&str> = phrase.split(' ').collect();
        let Some(first) = wanted.first() else { return Vec::new() };
        let starts: Vec<usize> = match first.strip_suffix('~') {
            Some(stem) => self
                .places
                .iter()
                .filter(|(w, _)| w.starts_with(stem))
                .flat_map(|(_, p)| p.iter().copied())
                .collect(),
            None => self.places.get(*first).cloned().unwrap_or_default(),
        };
        let fits = |at: usize| {
            let there = self.words.get(at..at + wanted.len()).unwrap_or_default();
            there.len() == wanted.len()
                && there.iter().zip(&wanted).all(|(word, want)| match want.strip_suffix('~') {
                    Some(stem) => word.text.starts_with(stem),
                    None => word.text == *want,
                })
        };
        starts.into_iter().filter(|at| fits(*at)).map(|at| at..at + wanted.len()).collect()
    }

    /// The places in the evidence, one annotation a text.
    fn shown(&self, scene: &Scene<'_>, places: &[Range<usize>]) -> Vec<why401_report::Annotation> {
        let mut shown: Vec<usize> = Vec::new();
        let mut annotations = Vec::new();
        for place in places {
            let (Some(first), Some(last)) = (self.words.get(place.start), self.words.get(place.end - 1))
            else {
                continue;
            };
            if shown.contains(&first.part) {
                continue;
            }
            shown.push(first.part);
            let end = if last.part == first.part { last.range.end } else { first.range.end };
            if let Some((source, text)) = self.parts.get(first.part) {
                annotations.push(scene.show_part(*source, text, first.range.start..end, "told here"));
            }
        }
        annotations
    }
}

/// How a version stands among the words, whatever its numbers: `2.14.1`, `v0.77`.
const VERSION: &str = "version#";

/// The words of a text in lower case, with their places; `isn't` is two, and `SameSite` one. A version is one.
fn words(text: &str) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    let mut from = None;
    let bytes = text.as_bytes();
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    for (i, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let point = c == '.' && i > 0 && digit(i - 1) && digit(i + 1);
        match (from, c.is_alphanumeric() || point) {
            (None, true) => from = Some(i),
            (Some(start), false) => {
                let word = text.get(start..i).unwrap_or_default().to_lowercase();
                let dots = word.matches('.').count();
                let short = word
                    .strip_prefix('v')
                    .is_some_and(|n| !n.is_empty() && n.len() <= 3 && n.bytes().all(|b| b.is_ascii_digit()));
                let numbers = word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
                let version = short
                    || numbers
                        && (1..=3).contains(&dots)
                        && word.len() <= 14
                        && !(dots == 3 && word.len() > 9);
                found.push((if version { VERSION.to_owned() } else { word }, start..i));
                from = None;
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Option<&'static str> {
        let text = Derived::synthetic(text);
        let mut account =
            Account { parts: vec![(SourceId(0), &text)], words: Vec::new(), places: HashMap::new() };
        for (text, range) in words(&text.to_text()) {
            account.places.entry(text.clone()).or_default().push(account.words.len());
            account.words.push(Word { text, part: 0, range });
        }
        rules().find(|r| account.holds(r).is_some()).map(|r| r.cause)
    }

    #[test]
    fn relations_are_understood() {
        for (text, cause) in [
            (
                "The server redirects to https and the Authorization header is lost: 401",
                "dropped-on-redirect",
            ),
            ("curl -I answers 301 Moved Permanently. The client then gets a 401.", "dropped-on-redirect"),
            ("My digest client reuses a cached nonce that is too old and gets 401", "digest-nonce-stale"),
            ("the OPTIONS request is answered 401 by the API", "preflight-challenged"),
            ("nginx strips the Authorization header, the app gets 401", "dropped-by-intermediary"),
            ("the session cookie is not sent with the request: 401", "session-missing"),
            ("git uses the old password from the credential manager and never asks", "overridden-by-client"),
            ("the token is Bearer undefined", "placeholder-credentials"),
            ("The header is never sent, so I get 401", "no-credentials"),
            ("my board's clock was two hours behind, and the token was refused: 401", "clock-skew"),
            (
                "NTLM needs keep-alive and the proxy opens a new connection each time",
                "ntlm-connection-broken",
            ),
        ] {
            assert_eq!(first(text), Some(cause), "{text}");
        }
    }

    #[test]
    fn what_stands_far_apart_is_not_related() {
        let far = format!("a redirect {} lost authorization", "word ".repeat(300));
        assert_eq!(first(&far), None);
        for text in ["", "401", "HTTP 401 Unauthorized", "it worked"] {
            assert_eq!(first(text), None, "{text}");
        }
    }
}
