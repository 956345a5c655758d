//! A token that the settings of its service do not fit.

use super::trusted::{self, Value, What, claimed, is_issuer};
use super::{at_most, quoted};
use crate::Scene;
use crate::cause::Claim;
use std::ops::Range;
use why401_http::Fact;
use why401_report::Certainty;

/// The settings of the evidence that a token's issuer or audience is none of: the claim's value, where it stands, and the
/// first setting.
pub(crate) fn at_odds<'a>(scene: &Scene<'a>, what: What, carried: Option<&[&str]>) -> Option<AtOdds<'a>> {
    // Without a refusal that is shown, somebody has to tell of one.
    if scene.refused().is_none() && !scene.is_told_by_a_person(None) {
        return None;
    }
    let settings = trusted::settings(scene, what);
    let trusts = |claim: &str| {
        settings.iter().any(|s| match what {
            What::Issuer => {
                is_issuer(&s.value.text, claim) && !(s.value.exact && only_slash(&s.value.text, claim))
            }
            What::Audience => s.value.text == claim,
        })
    };
    if let Some(values) = carried {
        let first = settings.first()?;
        let at_odds = !values.iter().any(|v| trusts(v));
        return at_odds.then(|| AtOdds {
            have: values.join(", "),
            shown: None,
            fact: first.fact,
            wanted: first.value.clone(),
        });
    }
    let claims = claimed(scene, what);
    let have = claims.first().filter(|_| !claims.iter().any(|c| trusts(&c.value.text)))?;
    let first = settings.first()?;
    let shown = Some((have.fact, have.value.range.clone()));
    Some(AtOdds { have: have.value.text.clone(), shown, fact: first.fact, wanted: first.value.clone() })
}

/// Whether two differ by a slash at the end alone.
fn only_slash(a: &str, b: &str) -> bool {
    a != b && a.trim_end_matches('/') == b.trim_end_matches('/')
}

/// A claim and a setting that do not fit.
pub(crate) struct AtOdds<'a> {
    /// What the token says.
    pub(crate) have: String,
    /// Where it says so, unless that is in the request.
    pub(crate) shown: Option<(&'a Fact, Range<usize>)>,
    pub(crate) fact: &'a Fact,
    pub(crate) wanted: Value,
}

impl AtOdds<'_> {
    /// The claim of a cause, to be completed by it.
    pub(crate) fn claim(&self, scene: &Scene<'_>, name: &str) -> Claim {
        let have = if self.have.is_empty() { "nothing".to_owned() } else { quoted(&self.have) };
        let mut claim = Claim::new(format!(
            "the token's {name} is {have}, and the settings name {}",
            quoted(&self.wanted.text)
        ));
        if let Some((fact, range)) = &self.shown {
            claim = claim.shown([scene.show_part(
                fact.source,
                &fact.text,
                range.clone(),
                format!("the token's {name}"),
            )]);
        }
        let claim = claim.shown([scene.show_part(
            self.fact.source,
            &self.fact.text,
            self.wanted.range.clone(),
            "set here",
        )]);
        at_most(claim.weighing(13), Certainty::Likely)
    }
}
