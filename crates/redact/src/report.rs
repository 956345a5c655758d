//! The last pass over a diagnosis before a renderer sees it.

use crate::set::masked;
use crate::{SecretSet, secrets_in_target, secrets_in_text};
use why401_report::{Annotation, Diagnosis, ExchangeRow, Finding, Fix, SourceReport};

/// Hides every secret in every string of a diagnosis: what is one by its place or shape, and every value of the set.
///
/// Excerpts get further secret ranges; all other texts get `•` for each character.
pub fn diagnosis(diagnosis: &mut Diagnosis, secrets: &SecretSet) {
    for SourceReport { name, first, last, problems, layers, format: _, .. } in &mut diagnosis.sources {
        scrub(secrets, [name].into_iter().chain(layers).chain(first).chain(last));
        scrub(secrets, problems.iter_mut().map(|p| &mut p.what));
    }
    for f in &mut diagnosis.findings {
        finding(f, secrets);
    }
}

fn finding(f: &mut Finding, secrets: &SecretSet) {
    scrub(secrets, [&mut f.summary]);
    // Names of accounts and hosts are no sentences: only known values are hidden in them.
    for name in [&mut f.account, &mut f.client, &mut f.server].into_iter().flatten() {
        *name = secrets.scrub(name);
    }
    f.resource.iter_mut().for_each(|r| target(r, secrets));
    for ExchangeRow { source, client, server, method, target: asked, user, time: _, index: _, status: _ } in
        &mut f.exchanges
    {
        for name in [client, server, method, user].into_iter().flatten().chain([source]) {
            *name = secrets.scrub(name);
        }
        asked.iter_mut().for_each(|t| target(t, secrets));
    }
    for Annotation { source, layer, excerpt, says, .. } in &mut f.evidence {
        scrub(secrets, [source, says].into_iter().chain(layer));
        let text = excerpt.unredacted();
        let mut hidden = secrets_in_text(text);
        hidden.extend(secrets.find(text));
        excerpt.hide(hidden);
    }
    for Fix { action, command, party: _ } in &mut f.fixes {
        scrub(secrets, [action].into_iter().chain(command));
    }
    scrub(secrets, f.also_possible.iter_mut().map(|a| &mut a.settle));
}

fn scrub<'a>(secrets: &SecretSet, texts: impl IntoIterator<Item = &'a mut String>) {
    for text in texts {
        let by_value = secrets.scrub(text);
        *text = masked(&by_value, &secrets_in_text(&by_value));
    }
}

fn target(text: &mut String, secrets: &SecretSet) {
    let by_value = secrets.scrub(text);
    *text = masked(&by_value, &secrets_in_target(&by_value));
}
