//! Finds attempts by account, client and resource without going through all of them.

use crate::{Attempt, Tries};
use std::collections::BTreeMap;

/// Attempts by what they share, each list in order of time; in the order of the names, so that each run says the same.
#[derive(Debug, Default)]
pub struct Index {
    by_user: BTreeMap<String, Vec<usize>>,
    by_client: BTreeMap<String, Vec<usize>>,
    by_path: BTreeMap<String, Vec<usize>>,
    of_users: BTreeMap<String, Tries>,
    of_clients: BTreeMap<String, Tries>,
}

impl Index {
    pub(crate) fn of(attempts: &[Attempt]) -> Index {
        let mut index = Index::default();
        for a in attempts {
            if let Some(user) = &a.user {
                index.by_user.entry(user.clone()).or_default().push(a.id);
            }
            if let Some(client) = a.client() {
                index.by_client.entry(client.host.clone()).or_default().push(a.id);
            }
            if let Some(path) = a.path() {
                index.by_path.entry(path.to_owned()).or_default().push(a.id);
            }
        }
        let tries = |ids: &[usize]| Tries::of(ids.iter().filter_map(|&i| attempts.get(i)));
        index.of_users = index.by_user.iter().map(|(user, ids)| (user.clone(), tries(ids))).collect();
        index.of_clients = index.by_client.iter().map(|(host, ids)| (host.clone(), tries(ids))).collect();
        index
    }

    /// What was tried for a user.
    pub fn tries_for(&self, user: &str) -> Option<&Tries> {
        self.of_users.get(user)
    }

    /// What a client tried, by its address.
    pub fn tries_of(&self, host: &str) -> Option<&Tries> {
        self.of_clients.get(host)
    }

    /// The attempts of a user.
    pub fn of_user(&self, user: &str) -> &[usize] {
        self.by_user.get(user).map_or(&[], Vec::as_slice)
    }

    /// The attempts of a client, by its address.
    pub fn of_client(&self, host: &str) -> &[usize] {
        self.by_client.get(host).map_or(&[], Vec::as_slice)
    }

    /// The attempts for a path.
    pub fn of_path(&self, path: &str) -> &[usize] {
        self.by_path.get(path).map_or(&[], Vec::as_slice)
    }

    /// Every user with their attempts.
    pub fn users(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.by_user.iter().map(|(user, ids)| (user.as_str(), ids.as_slice()))
    }

    /// Every path with its attempts.
    pub fn paths(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.by_path.iter().map(|(path, ids)| (path.as_str(), ids.as_slice()))
    }

    /// Every client with its attempts.
    pub fn clients(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.by_client.iter().map(|(client, ids)| (client.as_str(), ids.as_slice()))
    }
}
