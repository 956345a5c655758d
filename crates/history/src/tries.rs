//! What one client tried, and what was tried for one account: counted once, not once for every refusal.

use crate::Attempt;
use std::collections::BTreeSet;

/// The requests of one client or account that name a user, and how they ended.
#[derive(Debug, Default, Clone)]
pub struct Tries {
    /// Those answered 401, in order of time.
    pub refused: Vec<usize>,
    /// For how many requests those stand.
    pub times: u64,
    /// How many were let in.
    pub let_in: usize,
    /// How many users those answered 401 name.
    pub users: usize,
    /// From how many addresses they came.
    pub clients: usize,
    /// How many different secrets were sent, where they are shown; a Digest response is another one each time.
    pub secrets: usize,
}

impl Tries {
    pub(crate) fn of<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> Tries {
        let mut tries = Tries::default();
        let (mut users, mut clients, mut secrets) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for a in attempts {
            let Some(user) = &a.user else { continue };
            tries.let_in += usize::from(a.let_in());
            if a.status() == Some(401) {
                tries.refused.push(a.id);
                tries.times += a.stands_for;
                users.insert(user);
                clients.extend(a.client().map(|c| &c.host));
                let sent = a.request_field("authorization").map(|f| f.value.as_bytes());
                let is_digest = |v: &[u8]| v.get(..6).is_some_and(|s| s.eq_ignore_ascii_case(b"digest"));
                secrets.extend(sent.filter(|v| !is_digest(v)));
            }
        }
        (tries.users, tries.clients, tries.secrets) = (users.len(), clients.len(), secrets.len());
        tries
    }
}
