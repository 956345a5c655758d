//! What is the same for all refusals of a case, and worked out once.

use crate::story::Story;
use std::sync::OnceLock;
use why401_history::Case;

/// Worked out when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    break_: OnceLock<Break>,
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
                let story = Story::of(ids.iter().filter_map(|&i| case.attempt(i)));
                let Some(latest) = story.accepted_after.last().or(story.accepted_before.last()) else {
                    continue;
                };
                if story.refused.is_empty() {
                    all.going_on = all.going_on.max(Some(latest.id));
                } else if story.broke() {
                    all.broken += 1;
                    all.last_success = all.last_success.max(Some(latest.id));
                    let first = story.refused.first().map(|a| a.id);
                    all.first_refusal = [all.first_refusal, first].into_iter().flatten().min();
                } else {
                    all.others = true;
                }
            }
            all
        })
    }
}
