//! Challenges that are answered with another request than the one that was challenged.
//!
//! A registry names in its challenge where tokens are given out (Docker Registry v2 authentication, "Requesting a Token"):
//! the client asks there and goes on with what it wants. Many clients first ask for `/v2/` only to get that challenge (OCI
//! distribution specification, "Determining Support").

use crate::Attempt;
use crate::chain::{self, Chain, Outcome};
use std::collections::HashMap;
use why401_http::FieldLine;

/// Joins the chains that a later request of the same client answers to that request's own.
pub(crate) fn answered(attempts: &[Attempt], chains: &mut Vec<Chain>) {
    let refused = |c: &Chain| {
        let last = c.steps.last().and_then(|&i| attempts.get(i));
        c.outcome == Outcome::Refused && last.is_some_and(asks)
    };
    if !chains.iter().any(refused) {
        return;
    }
    let mut answers: HashMap<String, Vec<&Attempt>> = HashMap::new();
    for a in attempts.iter().filter(|a| bears_token(a) || in_registry(a)) {
        answers.entry(chain::parties(a)).or_default().push(a);
    }
    let begun: HashMap<usize, usize> = chains.iter().enumerate().map(|(i, c)| (c.first(), i)).collect();
    for i in 0..chains.len() {
        let Some(before) = chains.get(i).filter(|c| refused(c)).and_then(|c| attempts.get(c.last())) else {
            continue;
        };
        let Some(all) = answers.get(&chain::parties(before)) else { continue };
        // In order of time, so that the first one behind it is the nearest.
        let next = all.get(all.partition_point(|a| a.id <= before.id)..).and_then(<[_]>::first);
        let Some(next) = next.filter(|n| chain::in_window(before.time(), n.time())) else { continue };
        let own = begun.get(&next.id).and_then(|&at| chains.get_mut(at)).filter(|c| !c.steps.is_empty());
        // Several challenges at once are answered by one token: the first of them takes the request's own chain along.
        let (steps, outcome) = match own {
            Some(own) => (std::mem::take(&mut own.steps), own.outcome),
            None if next.let_in() => (vec![next.id], Outcome::LetIn),
            None => continue,
        };
        if let Some(c) = chains.get_mut(i) {
            c.steps.extend(steps);
            c.outcome = outcome;
        }
    }
    chains.retain(|c| !c.steps.is_empty());
}

/// Whether it is a request without credentials, refused with the address of a token service, or a mere look whether a
/// registry is there.
fn asks(a: &Attempt) -> bool {
    let look = a.path().is_some_and(|p| p == "/v2/" || p == "/v2") && a.logged_dash();
    a.status() == Some(401) && chain::credentials(a).is_none() && (look || names_token_service(a))
}

fn names_token_service(a: &Attempt) -> bool {
    let mut challenges = a.response().into_iter().flat_map(|r| r.fields.all("www-authenticate"));
    let names = |f: &FieldLine| {
        let text = f.text().to_ascii_lowercase();
        text.starts_with("bearer ") && text.contains("realm=\"http") && text.contains("service=")
    };
    challenges.any(names)
}

fn bears_token(a: &Attempt) -> bool {
    a.request_field("authorization").is_some_and(|f| f.text().to_ascii_lowercase().starts_with("bearer "))
}

/// A log does not show the token: that the client got in is all there is to go by.
fn in_registry(a: &Attempt) -> bool {
    !a.shows_credentials() && a.let_in() && a.path().is_some_and(|p| p.starts_with("/v2/"))
}
