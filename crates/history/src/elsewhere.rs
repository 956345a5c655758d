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
    refused_a_token(attempts, chains);
    chains.retain(|c| !c.steps.is_empty());
}

/// A client that asks for a token where the challenge says, and is given none, has answered it: that refusal is the one.
fn refused_a_token(attempts: &[Attempt], chains: &mut [Chain]) {
    /// So many requests after the challenge are looked at.
    const NEAR: usize = 16;
    let whole = chains.iter().enumerate().filter(|(_, c)| !c.steps.is_empty());
    let begun: HashMap<usize, usize> = whole.map(|(i, c)| (c.first(), i)).collect();
    for i in 0..chains.len() {
        let asked = chains.get(i).filter(|c| c.outcome == Outcome::Refused && !c.steps.is_empty());
        let Some(before) = asked.and_then(|c| attempts.get(c.last())).filter(|a| asks(a)) else { continue };
        let Some(service) = token_service(before) else { continue };
        let after = attempts.get(before.id + 1..).unwrap_or_default().iter().take(NEAR);
        let next =
            after.filter(|n| is_at(n, &service) && n.views.iter().any(|v| v.source == before.view().source));
        let own = next.filter_map(|n| begun.get(&n.id).copied()).next();
        let Some(own) = own.and_then(|at| chains.get_mut(at)).filter(|c| c.outcome == Outcome::Refused)
        else {
            continue;
        };
        let steps = std::mem::take(&mut own.steps);
        if let Some(c) = chains.get_mut(i) {
            c.steps.extend(steps);
        }
    }
}

/// The address of the token service that a challenge names, without its scheme.
fn token_service(a: &Attempt) -> Option<String> {
    let mut challenges = a.response()?.fields.all("www-authenticate");
    challenges.find_map(|f| {
        let text = f.text().into_owned();
        let realm = text.split("realm=\"").nth(1)?.split('"').next()?;
        Some(realm.split_once("://")?.1.to_ascii_lowercase())
    })
}

fn is_at(a: &Attempt, address: &str) -> bool {
    let authority = a.request().and_then(|r| r.authority()).unwrap_or_default();
    let path = a.path().unwrap_or_default();
    format!("{authority}{path}").eq_ignore_ascii_case(address)
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
