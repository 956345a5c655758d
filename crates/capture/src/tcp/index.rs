//! Finds connections by their addresses, which stand in the connections alone: an index has four bytes for each and no more.

use super::flow::Key;
use std::hash::BuildHasher;

/// No connection: the end of a chain.
const NONE: u32 = u32::MAX;
/// So many chains at first; a power of two, as are all later numbers of them.
const FIRST: usize = 64;

/// The numbers of connections by their addresses, in chains of those whose hashes end alike. Hashes are seeded, so that nobody
/// can choose addresses that make a chain long.
#[derive(Debug, Default)]
pub(crate) struct Index {
    hasher: foldhash::fast::RandomState,
    /// The first one of each chain.
    heads: Vec<u32>,
    /// Behind each connection the next one of its chain.
    next: Vec<u32>,
    len: usize,
}

impl Index {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The connection with these addresses; `key_of` tells those of any.
    pub(crate) fn find<'a>(&self, key: &Key, key_of: impl Fn(u32) -> Option<&'a Key>) -> Option<u32> {
        let mut i = *self.heads.get(self.chain(key))?;
        while i != NONE {
            if key_of(i) == Some(key) {
                return Some(i);
            }
            i = self.behind(i);
        }
        None
    }

    /// Puts in a connection that is not there yet.
    pub(crate) fn insert<'a>(&mut self, key: &Key, i: u32, key_of: impl Fn(u32) -> Option<&'a Key>) {
        if self.len >= self.heads.len() {
            self.grow(key_of);
        }
        self.len += 1;
        self.link(key, i);
    }

    /// Takes a connection out.
    pub(crate) fn remove(&mut self, key: &Key, i: u32) {
        let chain = self.chain(key);
        let after = self.behind(i);
        let mut before = NONE;
        let mut at = self.heads.get(chain).copied().unwrap_or(NONE);
        while at != NONE && at != i {
            (before, at) = (at, self.behind(at));
        }
        if at == NONE {
            return;
        }
        let link =
            if before == NONE { self.heads.get_mut(chain) } else { self.next.get_mut(before as usize) };
        if let Some(link) = link {
            *link = after;
            self.len -= 1;
        }
    }

    fn chain(&self, key: &Key) -> usize {
        self.hasher.hash_one(key) as usize & self.heads.len().wrapping_sub(1)
    }

    fn behind(&self, i: u32) -> u32 {
        self.next.get(i as usize).copied().unwrap_or(NONE)
    }

    fn link(&mut self, key: &Key, i: u32) {
        if self.next.len() <= i as usize {
            self.next.resize(i as usize + 1, NONE);
        }
        let chain = self.chain(key);
        if let (Some(head), Some(next)) = (self.heads.get_mut(chain), self.next.get_mut(i as usize)) {
            (*next, *head) = (*head, i);
        }
    }

    /// Twice as many chains.
    fn grow<'a>(&mut self, key_of: impl Fn(u32) -> Option<&'a Key>) {
        let chains = (self.heads.len() * 2).max(FIRST);
        let before = std::mem::replace(&mut self.heads, vec![NONE; chains]);
        for mut i in before {
            while i != NONE {
                let after = self.behind(i);
                if let Some(key) = key_of(i) {
                    self.link(key, i);
                }
                i = after;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    fn key(n: u16) -> Key {
        let [from, to] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse().unwrap());
        Key::of(SocketAddr::new(from, n), SocketAddr::new(to, 80)).0
    }

    #[test]
    fn what_was_put_in_is_found_until_it_is_taken_out() {
        let keys: Vec<Key> = (0..5000).map(key).collect();
        let key_of = |i: u32| keys.get(i as usize);
        let mut index = Index::default();
        assert_eq!(index.find(&keys[0], key_of), None);
        for (i, key) in (0..).zip(&keys) {
            index.insert(key, i, key_of);
        }
        for i in (0..5000).filter(|i| i % 3 == 0) {
            index.remove(&keys[i as usize], i);
            // What is not there is taken out without harm.
            index.remove(&keys[i as usize], i);
        }
        for (i, key) in (0..).zip(&keys) {
            assert_eq!(index.find(key, key_of), (i % 3 != 0).then_some(i));
        }
        assert_eq!(index.len(), 5000 - 1667);
    }
}
