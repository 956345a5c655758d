//! Every secret that the kept evidence holds, to be looked for in the diagnosis.

use std::collections::{BTreeSet, HashSet};
use why401_history::Case;
use why401_http::{Exchange, FactKind, FieldLine, Userinfo};
use why401_redact::SecretSet;

/// The secrets of a case. A diagnosis can quote only what the case keeps, so this is all that it could give away: of
/// every exchange the fields and the target, of those that are explained the words too.
pub(crate) fn of(case: &Case) -> SecretSet {
    let mut set = SecretSet::default();
    // A field that many requests repeat is looked at once.
    let mut known = HashSet::new();
    for exchange in case.attempts.iter().flat_map(|a| &a.views) {
        of_exchange(exchange, &mut known, &mut set);
    }
    let chains = case.refusals.iter().flat_map(|r| r.chains());
    let explained: BTreeSet<usize> = chains.flat_map(|c| c.steps.iter().copied()).collect();
    for exchange in explained.into_iter().filter_map(|id| case.attempt(id)).flat_map(|a| &a.views) {
        of_words(exchange, &mut set);
    }
    let attached = case.attempts.iter().flat_map(|a| &a.statements);
    for statement in case.statements.iter().chain(attached) {
        set.text(&statement.text.to_text());
    }
    for fact in &case.facts {
        set.text(&fact.text.to_text());
        of_fact(&fact.kind, &mut set);
    }
    set
}

fn of_exchange<'c>(exchange: &'c Exchange, known: &mut HashSet<(&'c [u8], &'c [u8])>, set: &mut SecretSet) {
    let mut new = |f: &&'c FieldLine| known.insert((f.name.as_bytes(), f.value.as_bytes()));
    if let Some(request) = &exchange.request {
        set.target(&request.target());
        of_fields(request.fields.iter().filter(&mut new), set);
    }
    if let Some(response) = &exchange.response {
        of_fields(response.fields.iter().filter(&mut new), set);
    }
}

fn of_words(exchange: &Exchange, set: &mut SecretSet) {
    if let Some(request) = &exchange.request {
        set.text(&request.body.text());
    }
    if let Some(response) = &exchange.response {
        set.text(&response.body.text());
    }
    if let Some(log) = &exchange.log {
        set.text(&log.line.to_text());
    }
}

fn of_fields<'f>(fields: impl Iterator<Item = &'f FieldLine>, set: &mut SecretSet) {
    for field in fields {
        // A line that is no field is what a line break has cut off the one before it.
        if field.name.is_empty() {
            set.add(&field.text());
        }
        set.field(&field.name.to_text(), &field.text());
    }
}

fn of_fact(kind: &FactKind, set: &mut SecretSet) {
    let of_userinfo = |userinfo: &Option<Userinfo>, set: &mut SecretSet| {
        if let Some(password) = userinfo.as_ref().and_then(|u| u.password.as_ref()) {
            set.add(password.expose());
        }
    };
    match kind {
        FactKind::Command { userinfo, fields, .. } => {
            of_userinfo(userinfo, set);
            fields.iter().for_each(|(name, value)| set.field(name, value.expose()));
        }
        FactKind::Address { userinfo, .. } => of_userinfo(userinfo, set),
        FactKind::Netrc { password: Some(password), .. } => set.add(password.expose()),
        _ => {}
    }
}
