//! What an account or a client did before and after a refusal.

use crate::Scene;
use why401_history::Attempt;

/// The requests of one account or client, sorted by how they ended.
#[derive(Debug, Default)]
pub(crate) struct Story<'a> {
    /// Let in before the first refusal.
    pub(crate) accepted_before: Vec<&'a Attempt>,
    /// Refused (401), the present one among them.
    pub(crate) refused: Vec<&'a Attempt>,
    /// Let in after the first refusal.
    pub(crate) accepted_after: Vec<&'a Attempt>,
}

impl<'a> Story<'a> {
    pub(crate) fn of(attempts: impl Iterator<Item = &'a Attempt>) -> Story<'a> {
        let mut story = Story::default();
        for a in attempts {
            if a.status() == Some(401) {
                story.refused.push(a);
            } else if a.let_in() && !matches!(a.status(), Some(300..=303 | 307 | 308)) {
                if story.refused.is_empty() { &mut story.accepted_before } else { &mut story.accepted_after }
                    .push(a);
            }
        }
        story
    }

    /// The last success before, the first refusal after.
    pub(crate) fn turn(&self) -> Option<(&'a Attempt, &'a Attempt)> {
        Some((self.accepted_before.last().copied()?, self.refused.first().copied()?))
    }

    /// Whether it worked until a moment and never again.
    pub(crate) fn broke(&self) -> bool {
        !self.accepted_before.is_empty() && !self.refused.is_empty() && self.accepted_after.is_empty()
    }
}

impl<'a> Scene<'a> {
    /// The story of the account of this refusal.
    pub(crate) fn account_story(&self) -> Option<(&'a str, Story<'a>)> {
        let case = self.case;
        let attempt = self.refused()?.attempt;
        let user = attempt.user.as_deref()?;
        let near = self.near(case.index.of_user(user), attempt);
        Some((user, Story::of(near.iter().filter_map(|&i| case.attempt(i)))))
    }

    /// The story of the client of this refusal, by its address; where the evidence has none, of all requests.
    pub(crate) fn client_story(&self) -> Option<Story<'a>> {
        let case = self.case;
        let attempt = self.refused()?.attempt;
        Some(match attempt.client() {
            Some(client) => {
                let near = self.near(case.index.of_client(&client.host), attempt);
                Story::of(near.iter().filter_map(|&i| case.attempt(i)))
            }
            None => Story::of(self.attempts().filter(|a| crate::scene::same_client(a, attempt))),
        })
    }

    /// Of these numbers of attempts, in order, those nearest to one: all, unless there are very many refusals to explain.
    pub(crate) fn near<'i>(&self, all: &'i [usize], attempt: &Attempt) -> &'i [usize] {
        let at = all.partition_point(|&i| i < attempt.id);
        let (from, to) = (at.saturating_sub(self.reach()), at.saturating_add(self.reach()));
        all.get(from..to.min(all.len())).unwrap_or(all)
    }

    /// Successes with credentials of other accounts after this moment.
    pub(crate) fn others_accepted_after(&self, user: &str, since: usize) -> Vec<&'a Attempt> {
        let case = self.case;
        let after = case.attempts.iter().skip(since).take(self.reach());
        after.filter(|a| a.user.as_deref().is_some_and(|u| u != user) && a.let_in()).take(8).collect()
    }
}
