//! The last minutes of logs that are followed, at a glance.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use why401_http::{Exchange, LoggedUser};
use why401_report::{Overview, Share};

/// So many minutes in which there were requests, the latest.
const MINUTES: usize = 10;
/// So many accounts and so many clients are told apart in a minute.
const NAMES: usize = 1000;
/// So many causes, accounts and clients are named.
const NAMED: usize = 3;

/// What the requests of the last minutes were, by the times of the logs.
#[derive(Default)]
pub(crate) struct Glance {
    minutes: BTreeMap<i64, Minute>,
    /// Whether anything came since it was asked last.
    is_new: bool,
}

#[derive(Default)]
struct Minute {
    requests: u64,
    refused: u64,
    accounts: HashMap<String, u64>,
    clients: HashMap<String, u64>,
}

/// Where refusals come from.
pub(crate) struct Cause {
    pub(crate) name: &'static str,
    pub(crate) is_certain: bool,
    pub(crate) count: u64,
}

impl Glance {
    /// Takes in an exchange.
    pub(crate) fn add(&mut self, exchange: &Exchange) {
        let own = exchange.time.map(|t| t.at.as_second().div_euclid(60));
        // What has no time has the latest.
        let minute = own.or_else(|| self.minutes.keys().next_back().copied()).unwrap_or_default();
        let is_old = self.minutes.keys().next().is_some_and(|first| minute < *first);
        if is_old && self.minutes.len() >= MINUTES {
            return;
        }
        self.is_new = true;
        self.minutes.entry(minute).or_default().add(exchange);
        if self.minutes.len() > MINUTES {
            self.minutes.pop_first();
        }
    }

    /// It is to be told again.
    pub(crate) fn renew(&mut self) {
        self.is_new = !self.minutes.is_empty();
    }

    /// The minutes together, if anything came since this was asked last.
    pub(crate) fn news(&mut self) -> Option<Overview> {
        std::mem::take(&mut self.is_new).then(|| {
            let sum = |of: fn(&Minute) -> u64| self.minutes.values().map(of).sum();
            Overview {
                requests: sum(|m| m.requests),
                refused: sum(|m| m.refused),
                top_accounts: top(self.minutes.values().map(|m| &m.accounts)),
                top_clients: top(self.minutes.values().map(|m| &m.clients)),
                ..Overview::default()
            }
        })
    }

    /// When the first of the minutes began, if the logs tell times.
    pub(crate) fn since(&self) -> Option<jiff::Timestamp> {
        let first = self.minutes.keys().next().filter(|minute| **minute != 0)?;
        jiff::Timestamp::from_second(first * 60).ok()
    }

    /// The rows to be shown: made safe for a terminal, of any width.
    pub(crate) fn rows(
        overview: &Overview,
        causes: impl Iterator<Item = Cause>,
        since: Option<jiff::Timestamp>,
    ) -> Vec<String> {
        let mut counts: BTreeMap<(&str, bool), u64> = BTreeMap::new();
        causes.for_each(|c| *counts.entry((c.name, c.is_certain)).or_default() += c.count);
        let mut causes: Vec<_> = counts.into_iter().collect();
        causes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let causes = causes.into_iter().take(NAMED);
        let causes = causes.map(|((name, certain), count)| {
            // What is not proved is asked.
            (format!("{name}{}", if certain { "" } else { "?" }), count)
        });
        let shares = |shares: &[Share]| -> Vec<(String, u64)> {
            shares.iter().map(|s| (s.name.clone(), s.refused)).collect()
        };
        let mut first = since.map(|at| format!("since {at}: ")).unwrap_or_default();
        let _ = write!(first, "{} requests, {} refused", overview.requests, overview.refused);
        let rows = [
            row("causes", causes),
            row("accounts", shares(&overview.top_accounts)),
            row("clients", shares(&overview.top_clients)),
        ];
        std::iter::once(first).chain(rows.into_iter().flatten()).collect()
    }
}

impl Minute {
    fn add(&mut self, exchange: &Exchange) {
        self.requests += 1;
        if !matches!(exchange.status(), Some(401 | 403 | 407)) {
            return;
        }
        self.refused += 1;
        if let LoggedUser::Name(name) = &exchange.user {
            count(&mut self.accounts, why401_history::named(&name.to_text()));
        }
        if let Some(client) = &exchange.client {
            count(&mut self.clients, client.host.clone());
        }
    }
}

fn count(counts: &mut HashMap<String, u64>, name: String) {
    if counts.len() < NAMES || counts.contains_key(&name) {
        *counts.entry(name).or_default() += 1;
    }
}

/// The names with the most refusals.
fn top<'a>(minutes: impl Iterator<Item = &'a HashMap<String, u64>>) -> Vec<Share> {
    let mut all: HashMap<&str, u64> = HashMap::new();
    minutes.flatten().for_each(|(name, count)| *all.entry(name).or_default() += count);
    let mut all: Vec<(&str, u64)> = all.into_iter().collect();
    all.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let share = |(name, refused): (&str, u64)| Share { name: name.to_owned(), seen: refused, refused };
    all.into_iter().take(NAMED).map(share).collect()
}

fn row(of: &str, counts: impl IntoIterator<Item = (String, u64)>) -> Option<String> {
    let told: Vec<String> = counts.into_iter().map(|(name, count)| format!("{name} {count}")).collect();
    (!told.is_empty()).then(|| why401_render::visible(&format!("{of:<9} {}", told.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use why401_http::{Moment, Peer, Response, Shows};
    use why401_span::{Derived, SourceId, Span};

    fn exchange(second: i64, user: &str, status: u16) -> Exchange {
        let source = SourceId(0);
        let mut e = Exchange::new(source, 0, Shows::EVERYTHING);
        e.time = jiff::Timestamp::from_second(second).ok().map(Moment::utc);
        e.client = Some(Peer { host: "192.0.2.1".to_owned(), port: None });
        e.user = LoggedUser::Name(Derived::exact(user, Span::new(source, 0, user.len() as u64)));
        e.response = Some(Response { status, ..Response::default() });
        e
    }

    fn rows(glance: &mut Glance, causes: Vec<Cause>) -> Vec<String> {
        let since = glance.since();
        Glance::rows(&glance.news().unwrap(), causes.into_iter(), since)
    }

    #[test]
    fn the_last_minutes_are_counted_and_the_most_refused_named() {
        let mut glance = Glance::default();
        for minute in 0..30 {
            glance.add(&exchange(1_800_000_000 + minute * 60, "alice", 401));
            glance.add(&exchange(
                1_800_000_000 + minute * 60,
                "bob\u{1b}[2J",
                if minute % 2 == 0 { 403 } else { 200 },
            ));
        }
        // Another log that is further behind.
        glance.add(&exchange(1_700_000_000, "carol", 401));
        let cause = |name, is_certain, count| Cause { name, is_certain, count };
        let causes = vec![
            cause("wrong-password", false, 3),
            cause("token-expired", true, 2),
            cause("token-expired", true, 5),
        ];
        assert_eq!(
            rows(&mut glance, causes),
            [
                "since 2027-01-15T08:20:00Z: 20 requests, 15 refused",
                "causes    token-expired 7, wrong-password? 3",
                "accounts  alice 10, bob␛[2J 5",
                "clients   192.0.2.1 15",
            ]
        );
        assert!(glance.news().is_none());
    }

    #[test]
    fn names_without_end_are_counted_together() {
        let mut glance = Glance::default();
        for n in 0..NAMES * 3 {
            glance.add(&exchange(1_800_000_000, &format!("user{n}"), 401));
        }
        assert_eq!(glance.minutes.values().map(|m| m.accounts.len()).max(), Some(NAMES));
        assert_eq!(
            rows(&mut glance, Vec::new())[0],
            "since 2027-01-15T08:00:00Z: 3000 requests, 3000 refused"
        );
    }
}
