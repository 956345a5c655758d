//! What is the same for all refusals of a case, and worked out once.

use crate::Scene;
use crate::story::Story;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::OnceLock;
use why401_history::{Attempt, Case};

/// Worked out when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    break_: OnceLock<Break>,
    break_of_clients: OnceLock<Break>,
    sent: OnceLock<SentWith>,
    /// By the name of a log in small letters, those that were let in, in order of time.
    names: OnceLock<HashMap<String, Vec<usize>>>,
    /// Those at addresses that `why401 probe` made up, in order of time.
    made_up: OnceLock<Vec<usize>>,
    /// The hosts that let somebody in, as requests named them.
    hosts: OnceLock<HashSet<String>>,
}

/// A name in small letters.
fn lower(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).collect()
}

/// Requests by their credentials, as numbers in order of time: where there are many refusals among many requests, going
/// through all of them for each takes longer than reading them did.
#[derive(Debug, Default)]
struct SentWith {
    /// By the value of `Authorization`: all, and those that were let in.
    all: HashMap<Vec<u8>, Vec<usize>>,
    let_in: HashMap<Vec<u8>, Vec<usize>>,
    /// Those with it or `Proxy-Authorization`: of large logs, whose lines mostly show neither, few or none.
    sending: Vec<usize>,
    /// Those whose credentials `why401 probe` may have made up.
    made_up: Vec<usize>,
    /// Those that were let in without.
    without: Vec<usize>,
    /// Those whose answer sets a cookie.
    set_cookie: Vec<usize>,
}

impl SentWith {
    fn of(case: &Case) -> SentWith {
        let mut sent = SentWith::default();
        for a in &case.attempts {
            let value = a.request_field("authorization").map(|f| f.value.as_bytes());
            if let Some(value) = value {
                sent.all.entry(value.to_vec()).or_default().push(a.id);
            }
            match value {
                _ if !a.let_in() => {}
                Some(value) => sent.let_in.entry(value.to_vec()).or_default().push(a.id),
                None => sent.without.push(a.id),
            }
            if value.is_some() || a.request_field("proxy-authorization").is_some() {
                sent.sending.push(a.id);
                if ["authorization", "proxy-authorization"].iter().any(|f| may_be_made_up(a, f)) {
                    sent.made_up.push(a.id);
                }
            }
            if a.response().is_some_and(|r| r.fields.get("set-cookie").is_some()) {
                sent.set_cookie.push(a.id);
            }
        }
        sent
    }
}

/// Whether the name that `why401 probe` gives to what it makes up is in a field, as it is or in base64.
fn may_be_made_up(a: &Attempt, field: &str) -> bool {
    let named = |f: &why401_http::FieldLine| {
        let value = f.value.as_bytes();
        ["why401-", "d2h5NDAxL"].iter().any(|mark| memchr::memmem::find(value, mark.as_bytes()).is_some())
    };
    a.request_field(field).is_some_and(named)
}

/// Of these numbers, in order, those within a range.
fn within(ids: &[usize], range: Range<usize>) -> &[usize] {
    let (from, to) = (ids.partition_point(|i| *i < range.start), ids.partition_point(|i| *i < range.end));
    ids.get(from..to).unwrap_or_default()
}

/// Whether the last part of the path is a word of `why401 probe`'s own making: twelve hexadecimal digits behind its name.
fn is_made_up(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    last.strip_prefix("why401-").is_some_and(|d| d.len() == 12 && d.bytes().all(|b| b.is_ascii_hexdigit()))
}

impl<'a> Scene<'a> {
    fn sent_with(&self) -> &'a SentWith {
        self.shared.sent.get_or_init(|| SentWith::of(self.case))
    }

    fn of_ids(&self, ids: &'a [usize], range: Range<usize>) -> impl DoubleEndedIterator<Item = &'a Attempt> {
        let case = self.case;
        within(ids, range).iter().filter_map(move |&i| case.attempt(i))
    }

    /// Whether any of the hosts that let somebody in fits.
    pub(crate) fn lets_in(&self, fits: impl Fn(&str) -> bool) -> bool {
        let hosts = || {
            let let_in = self.case.attempts.iter().filter(|a| a.let_in());
            let_in.filter_map(|a| a.request()?.authority()).collect()
        };
        self.shared.hosts.get_or_init(hosts).iter().any(|host| fits(host))
    }

    /// Of [`Scene::attempts`], those that were let in with these credentials.
    pub(crate) fn accepted_with(&self, value: &[u8]) -> impl DoubleEndedIterator<Item = &'a Attempt> {
        let ids = self.sent_with().let_in.get(value).map_or(&[][..], Vec::as_slice);
        self.of_ids(ids, self.range())
    }

    /// Of [`Scene::attempts`], those that show credentials in `Authorization` or `Proxy-Authorization`.
    pub(crate) fn sending_credentials(&self) -> impl DoubleEndedIterator<Item = &'a Attempt> {
        self.of_ids(&self.sent_with().sending, self.range())
    }

    /// Of [`Scene::attempts`], those with credentials that `why401 probe` may have made up.
    pub(crate) fn made_up(&self) -> impl DoubleEndedIterator<Item = &'a Attempt> {
        self.of_ids(&self.sent_with().made_up, self.range())
    }

    /// Of [`Scene::attempts`], those that were let in without `Authorization`.
    pub(crate) fn accepted_without(&self) -> impl DoubleEndedIterator<Item = &'a Attempt> {
        self.of_ids(&self.sent_with().without, self.range())
    }

    /// Of [`Scene::attempts`], for each credentials the first that was let in with them and `fits`; in order of time.
    pub(crate) fn accepted_first(&self, fits: impl Fn(&Attempt) -> bool) -> Vec<&'a Attempt> {
        let each = self.sent_with().let_in.values();
        let mut firsts: Vec<_> =
            each.filter_map(|ids| self.of_ids(ids, self.range()).find(|a| fits(a))).collect();
        firsts.sort_unstable_by_key(|a| a.id);
        firsts
    }

    /// Of [`Scene::attempts`], those that were let in under a name that a log shows and that differs by letter case at
    /// most.
    pub(crate) fn accepted_like(&self, name: &str) -> impl Iterator<Item = &'a Attempt> {
        let names = self.shared.names.get_or_init(|| {
            let mut names: HashMap<String, Vec<usize>> = HashMap::new();
            for a in self.case.attempts.iter().filter(|a| a.let_in()) {
                if let Some(name) = a.logged_name() {
                    names.entry(lower(&name)).or_default().push(a.id);
                }
            }
            names
        });
        self.of_ids(names.get(&lower(name)).map_or(&[][..], Vec::as_slice), self.range())
    }

    /// Of [`Scene::attempts`], those at addresses that `why401 probe` made up.
    pub(crate) fn at_made_up_paths(&self) -> impl Iterator<Item = &'a Attempt> {
        let ids = self.shared.made_up.get_or_init(|| {
            let made_up = self.case.attempts.iter().filter(|a| a.path().is_some_and(is_made_up));
            made_up.map(|a| a.id).collect()
        });
        self.of_ids(ids, self.range())
    }

    /// Of [`Scene::attempts`], those for the same path.
    pub(crate) fn same_path(&self, attempt: &Attempt) -> impl Iterator<Item = &'a Attempt> {
        // Requests that show no path are of no list.
        let ids = attempt.path().map(|path| self.case.index.of_path(path));
        let all = ids.is_none().then(|| self.attempts()).into_iter().flatten();
        self.of_ids(ids.unwrap_or_default(), self.range()).chain(all)
    }

    /// Of [`Scene::earlier`], those with these credentials, the nearest first.
    pub(crate) fn earlier_with(&self, value: &[u8]) -> impl Iterator<Item = &'a Attempt> {
        let ids = self.sent_with().all.get(value).map_or(&[][..], Vec::as_slice);
        self.of_ids(ids, self.earlier_range()).rev()
    }

    /// Of [`Scene::earlier`], those whose answer sets a cookie, the nearest first.
    pub(crate) fn earlier_setting_cookies(&self) -> impl Iterator<Item = &'a Attempt> {
        self.of_ids(&self.sent_with().set_cookie, self.earlier_range()).rev()
    }

    /// Of [`Scene::later`], those that were let in with these credentials.
    pub(crate) fn later_accepted_with(&self, value: &[u8]) -> impl Iterator<Item = &'a Attempt> {
        let ids = self.sent_with().let_in.get(value).map_or(&[][..], Vec::as_slice);
        self.of_ids(ids, self.later_range())
    }
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
                // Who logged in again after a refusal says nothing of what was broken before.
                let mut refused_yet = false;
                let until_login = ids.iter().filter_map(|&i| case.attempt(i)).take_while(|a| {
                    refused_yet |= a.status() == Some(401);
                    !(refused_yet && crate::login::is_call(a) && a.let_in())
                });
                let own = until_login.filter(unnamed);
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
