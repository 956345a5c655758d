//! Chooses among the claims of the causes.
//!
//! What a finding names first is decided by how sure a claim is, then by the relation "speaks for as well"
//! ([`Meta::supersedes`]), then by the claim's own weight, then by the order of the catalogue. A claim that is
//! superseded, or merely less sure, is not lost: it stands among what else is possible.

use crate::cause::{Claim, Meta};
use std::cmp::Reverse;
use why401_report::{Certainty, Verdict};

/// A claim and whose it is.
#[derive(Debug)]
pub struct Ranked {
    /// The cause.
    pub meta: &'static Meta,
    /// What it says.
    pub claim: Claim,
    /// Its position in the catalogue.
    pub position: usize,
}

impl Ranked {
    /// The verdict: the claim's own, else the cause's.
    pub fn verdict(&self) -> Verdict {
        self.claim.verdict.unwrap_or(self.meta.verdict)
    }

    fn is_main(&self) -> bool {
        matches!(self.verdict(), Verdict::Fault | Verdict::Attack)
    }
}

/// Puts claims in order: the one that explains the refusal first.
pub fn rank(mut claims: Vec<Ranked>) -> Vec<Ranked> {
    claims.sort_by_key(|r| {
        (Reverse(r.is_main()), Reverse(r.claim.certainty), Reverse(r.claim.weight), r.position)
    });
    // A claim steps before those that it supersedes, if it is at least as sure, or if they are not certain either.
    let mut i = 0;
    let mut moves = 0;
    while i < claims.len() {
        let before = claims.iter().take(i).position(|other| {
            claims.get(i).is_some_and(|this| {
                this.is_main()
                    && other.is_main()
                    && supersedes(this.meta, other.meta)
                    && (this.claim.certainty >= other.claim.certainty
                        || (this.claim.certainty == Certainty::Likely
                            && other.meta.name == "credentials-refused"))
            })
        });
        match before {
            // Bounded, should the relation ever hold a circle: a test keeps it free of any.
            Some(j) if moves < 1000 => {
                let this = claims.remove(i);
                claims.insert(j, this);
                moves += 1;
            }
            _ => i += 1,
        }
    }
    claims
}

/// Whether `this` speaks for `other` as well, directly or through others.
pub fn supersedes(this: &Meta, other: &Meta) -> bool {
    fn reaches(from: &Meta, to: &str, depth: usize) -> bool {
        depth > 0
            && from.supersedes.iter().any(|name| {
                *name == to
                    || crate::catalogue::by_name(name).is_some_and(|c| reaches(c.meta(), to, depth - 1))
            })
    }
    reaches(this, other.name, 8)
}
