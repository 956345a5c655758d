//! The last pass over a diagnosis before a renderer sees it.

use crate::finder::Finder;
use crate::grams::Grams;
use crate::ranges::Ranges;
use crate::set::masked;
use crate::{SecretSet, secrets_in_target, secrets_in_text, shapes};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use why401_report::{Annotation, Diagnosis, ExchangeRow, Finding, Fix, SourceReport};

/// From so many findings on they are looked through by several threads.
const MANY: usize = 24;

/// Hides every secret in every string of a diagnosis: what is one by its place or shape, and every value of the set.
///
/// Excerpts get further secret ranges; all other texts get `•` for each character.
pub fn diagnosis(diagnosis: &mut Diagnosis, secrets: &SecretSet) {
    let heard = Heard::default();
    // Of the secrets of a large case hardly any stands in its diagnosis: first it is looked which may.
    if !secrets.is_empty() {
        hide(&mut diagnosis.clone(), &heard);
    }
    hide(diagnosis, &secrets.among(&heard.into_inner()));
}

/// Where secrets stand in a text.
trait Find: Sync {
    /// Where values of the set stand.
    fn find(&self, text: &str) -> Vec<Range<usize>>;

    /// What is secret by its place or shape, as `judge` finds it; by default that.
    fn judge(&self, text: &str, judge: fn(&str) -> Vec<Range<usize>>) -> Vec<Range<usize>> {
        judge(text)
    }

    fn scrub(&self, text: &str) -> String {
        masked(text, &self.find(text))
    }

    /// Without the values of the set, and without what `judge` finds.
    fn clean(&self, text: &str, judge: fn(&str) -> Vec<Range<usize>>) -> String {
        let by_value = self.scrub(text);
        masked(&by_value, &self.judge(&by_value, judge))
    }
}

impl Find for Finder {
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        Finder::find(self, text)
    }
}

/// Remembers what was looked at, and finds nothing.
#[derive(Default)]
struct Heard(Mutex<Grams>);

impl Heard {
    fn into_inner(self) -> Grams {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Find for Heard {
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).add(text);
        Vec::new()
    }

    fn judge(&self, _: &str, _: fn(&str) -> Vec<Range<usize>>) -> Vec<Range<usize>> {
        Vec::new()
    }
}

fn hide(diagnosis: &mut Diagnosis, secrets: &dyn Find) {
    for SourceReport { name, first, last, problems, layers, format: _, .. } in &mut diagnosis.sources {
        scrub(secrets, [name].into_iter().chain(layers).chain(first).chain(last));
        prose(secrets, problems.iter_mut().map(|p| &mut p.what));
    }
    if let Some(overview) = &mut diagnosis.overview {
        let shares = overview.top_accounts.iter_mut().chain(&mut overview.top_clients);
        scrub(secrets, shares.map(|s| &mut s.name));
    }
    let findings = &mut diagnosis.findings;
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get().min(8));
    if findings.len() < MANY {
        return findings.iter_mut().for_each(|f| finding(f, secrets));
    }
    let share = findings.len().div_ceil(threads);
    std::thread::scope(|scope| {
        for part in findings.chunks_mut(share) {
            scope.spawn(move || part.iter_mut().for_each(|f| finding(f, secrets)));
        }
    });
}

fn finding(f: &mut Finding, secrets: &dyn Find) {
    prose(secrets, [&mut f.summary]);
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
    for name in f.sequence.participants.iter_mut().filter_map(|p| p.name.as_mut()) {
        *name = secrets.scrub(name);
    }
    for message in &mut f.sequence.messages {
        target(&mut message.what, secrets);
        scrub(secrets, &mut message.carries);
    }
    for Annotation { source, layer, excerpt, says, .. } in &mut f.evidence {
        prose(secrets, [source, says].into_iter().chain(layer));
        let text = excerpt.unredacted();
        let mut hidden = secrets.judge(text, secrets_in_text);
        hidden.extend(secrets.find(text));
        excerpt.hide(hidden);
    }
    for Fix { action, command, party: _ } in &mut f.fixes {
        prose(secrets, [action]);
        scrub(secrets, command);
    }
    prose(secrets, f.also_possible.iter_mut().map(|a| &mut a.settle));
}

/// Our own sentences: a name of a secret in them is no sign of one, so only values and shapes count.
fn prose<'a>(secrets: &dyn Find, texts: impl IntoIterator<Item = &'a mut String>) {
    texts.into_iter().for_each(|text| *text = secrets.clean(text, shaped));
}

fn shaped(text: &str) -> Vec<Range<usize>> {
    let mut found = Ranges::default();
    shapes::find_in(text, &mut found);
    found.finish()
}

/// Anything else.
fn scrub<'a>(secrets: &dyn Find, texts: impl IntoIterator<Item = &'a mut String>) {
    texts.into_iter().for_each(|text| *text = secrets.clean(text, secrets_in_text));
}

fn target(text: &mut String, secrets: &dyn Find) {
    *text = secrets.clean(text, secrets_in_target);
}

#[cfg(test)]
mod tests {
    use super::*;
    use why401_report::{Certainty, Excerpt, Party, Sequence, Series, Verdict};

    #[test]
    fn of_very_many_secrets_the_one_that_is_shown_is_hidden() {
        let mut set = SecretSet::default();
        for n in 0..30_000_u32 {
            set.add(&format!("{:08x}.{}", n.wrapping_mul(0x9e37_79b1), format!("{n:05}").repeat(100)));
        }
        let mut d = Diagnosis::default();
        let shown = format!("Bearer {:08x}.{}", 77_u32.wrapping_mul(0x9e37_79b1), "00077".repeat(100));
        d.sources.push(SourceReport { name: format!("{shown} was refused"), ..SourceReport::default() });
        let heard = Heard::default();
        hide(&mut d.clone(), &heard);
        let among = set.among(&heard.into_inner());
        assert!(among.len() < 100, "{}", among.len());
        diagnosis(&mut d, &set);
        assert_eq!(d.sources[0].name, format!("Bearer {} was refused", "•".repeat(509)));
    }

    #[test]
    fn secrets_leave_every_string_and_sentences_stay() {
        let mut set = SecretSet::default();
        set.add("hunter2");
        let mut d = Diagnosis::default();
        d.findings.push(Finding {
            cause: "wrong-password",
            verdict: Verdict::Fault,
            certainty: Certainty::Certain,
            party: Party::Caller,
            summary: "the password hunter2 was refused".into(),
            count: 1,
            first: None,
            last: None,
            account: Some("hunter2".into()),
            client: None,
            server: None,
            resource: Some("/p?token=abcd".into()),
            series: Series::default(),
            sequence: Sequence::default(),
            exchanges: Vec::new(),
            evidence: vec![Annotation {
                source: "a".into(),
                layer: None,
                start: 0,
                end: 1,
                line: None,
                excerpt: Excerpt::new("x password=abcd hunter2", 0..1, Vec::new()),
                says: "x".into(),
            }],
            fixes: vec![Fix {
                party: Party::Caller,
                action: "Write the scheme before it: Authorization: Bearer <token>, as the server wants"
                    .into(),
                command: Some("curl -u alice:abcd https://h/".into()),
            }],
            also_possible: Vec::new(),
        });
        diagnosis(&mut d, &set);
        let f = &d.findings[0];
        assert_eq!(f.summary, "the password ••••••• was refused");
        assert_eq!(f.account.as_deref(), Some("•••••••"));
        assert_eq!(f.resource.as_deref(), Some("/p?token=••••"));
        assert_eq!(f.evidence[0].excerpt.redacted(), "x password=•••• •••••••");
        assert!(f.fixes[0].action.ends_with("Authorization: Bearer <token>, as the server wants"));
        assert_eq!(f.fixes[0].command.as_deref(), Some("curl -u alice:•••• https://h/"));
    }
}
