//! What is the same for all refusals of a case, and worked out once.

use crate::story::Story;
use std::collections::HashSet;
use std::sync::OnceLock;
use why401_history::{Attempt, Case};

/// Worked out when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    break_: OnceLock<Break>,
    break_of_clients: OnceLock<Break>,
}

/// Whether all accounts that are refused worked until one moment.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Break {
    /// How many worked until they were refused, and never again.
    pub(crate) broken: usize,
    /// Whether any other account was refused that had been let in, or was later.
    pub(crate) others: bool,
    /// The last success of those that broke.
    pub(crate) last_success: Option<usize>,
    /// The first refusal of those.
    pub(crate) first_refusal: Option<usize>,
    /// The last success of accounts that were never refused.
    pub(crate) going_on: Option<usize>,
}

impl Shared {
    /// How all accounts fared.
    pub(crate) fn break_of(&self, case: &Case) -> Break {
        *self.break_.get_or_init(|| {
            let mut all = Break::default();
            for (_, ids) in case.index.users() {
                all.add(&Story::of(ids.iter().filter_map(|&i| case.attempt(i))));
            }
            all
        })
    }

    /// How all clients fared that no name was logged for, with what was refused to any of them.
    pub(crate) fn break_of_clients(&self, case: &Case) -> Break {
        *self.break_of_clients.get_or_init(|| {
            let place = |a: &Attempt| Some((a.method()?.into_owned(), a.path()?.to_owned()));
            let unnamed = |a: &&Attempt| a.logged_dash() && !a.shows_credentials();
            let refused: HashSet<_> = case
                .attempts
                .iter()
                .filter(unnamed)
                .filter(|a| a.status() == Some(401))
                .filter_map(place)
                .collect();
            let mut all = Break::default();
            for (_, ids) in case.index.clients() {
                let own = ids.iter().filter_map(|&i| case.attempt(i)).filter(unnamed);
                all.add(&Story::of(own.filter(|a| place(a).is_some_and(|p| refused.contains(&p)))));
            }
            all
        })
    }
}

impl Break {
    fn add(&mut self, story: &Story<'_>) {
        let Some(latest) = story.accepted_after.last().or(story.accepted_before.last()) else { return };
        if story.refused.is_empty() {
            self.going_on = self.going_on.max(Some(latest.id));
        } else if story.broke() {
            self.broken += 1;
            self.last_success = self.last_success.max(Some(latest.id));
            let first = story.refused.first().map(|a| a.id);
            self.first_refusal = [self.first_refusal, first].into_iter().flatten().min();
        } else {
            self.others = true;
        }
    }
}
