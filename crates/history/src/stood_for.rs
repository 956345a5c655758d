//! Words about requests of a large log that are not among its examples: they are about the example that stands for them.

use crate::thin::{Key, Whose};
use crate::{Attempt, correlate, thin};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use why401_http::{Moment, Statement};

/// How far the clocks of an access log and an error log may be apart, in seconds: one writes when a request ends.
const APART: f64 = 2.0;

/// Examples of a large log that stand for refusals, by client and account.
pub(crate) struct StoodFor(HashMap<(String, String), Vec<usize>>);

impl StoodFor {
    pub(crate) fn of(attempts: &[Attempt]) -> StoodFor {
        let mut by_whom: HashMap<(String, String), Vec<usize>> = HashMap::new();
        let refused = |a: &&Attempt| a.folded.as_ref().is_some_and(|f| f.refused > 0) && !a.let_in();
        for a in attempts.iter().filter(refused) {
            if let (Some(client), Some(user)) = (a.client(), &a.user) {
                by_whom.entry((client.host.clone(), user.clone())).or_default().push(a.id);
            }
        }
        StoodFor(by_whom)
    }

    /// The example that stands for the request that the statement is about, and whether it says nothing new of it.
    pub(crate) fn find(&self, attempts: &[Attempt], statement: &Statement) -> Option<(usize, bool)> {
        let (client, user) = (statement.client.as_ref()?, statement.user.as_ref()?);
        let ids = self.0.get(&(client.host.clone(), user.clone()))?;
        let attempt = ids
            .iter()
            .filter_map(|&id| attempts.get(id))
            .find(|a| a.folded.as_ref().is_some_and(|f| within(statement.time, f.first, f.last)))?;
        let wording = correlate::wording(statement);
        let known = attempt.statements.iter().any(|s| correlate::wording(s) == wording);
        Some((attempt.id, known))
    }
}

/// What is explained together with the examples of a large log, and what was said of these.
pub(crate) struct Together {
    key: Key,
    groups: Vec<Group>,
}

struct Group {
    whose: Arc<Whose>,
    first: Option<Moment>,
    last: Option<Moment>,
    wordings: HashSet<String>,
}

impl Together {
    pub(crate) fn of(attempts: &[Attempt], key: Key) -> Together {
        let mut groups: HashMap<u64, Group> = HashMap::new();
        for a in attempts.iter().filter(|a| !a.let_in()) {
            let Some(folded) = a.folded.as_ref().filter(|f| f.group != 0) else { continue };
            let group = groups.entry(folded.group).or_insert_with(|| Group {
                whose: Arc::clone(&folded.whose),
                first: folded.first,
                last: folded.last,
                wordings: HashSet::new(),
            });
            group.first = thin::earlier(group.first, folded.first);
            group.last = thin::later(group.last, folded.last);
            group.wordings.extend(a.statements.iter().map(correlate::wording));
        }
        Together { key, groups: groups.into_values().filter(|group| !group.wordings.is_empty()).collect() }
    }

    /// Whether a statement says of one whose refusals are among them what was said of an example: then it is counted.
    pub(crate) fn covers(&self, statement: &Statement) -> bool {
        let (Some(client), Some(user)) = (&statement.client, &statement.user) else { return false };
        let (client, user) = (self.key.of(&client.host), self.key.of(user));
        let wording = correlate::wording(statement);
        self.groups.iter().any(|group| {
            group.whose.clients.contains(&client)
                && group.whose.accounts.contains(&user)
                && group.wordings.contains(&wording)
                && within(statement.time, group.first, group.last)
        })
    }
}

fn within(time: Option<Moment>, first: Option<Moment>, last: Option<Moment>) -> bool {
    let (Some(time), Some(first), Some(last)) = (time, first, last) else { return true };
    time.seconds_since(&first) >= -APART && last.seconds_since(&time) >= -APART
}
