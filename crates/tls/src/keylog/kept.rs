//! Very many secrets in little memory.

use super::Label;
use std::collections::{HashMap, VecDeque};

/// So many bytes of secrets, and so many connections, make a generation. As many entries as fit a table of a power of two
/// (`HashMap` fills seven eighths of it).
const MOST_BYTES: usize = 2 << 20;
const MOST_CONNECTIONS: usize = (1 << 15) / 8 * 7;
/// So many generations are kept. All but one are full, so that what is kept for sure is nearly all that takes memory.
const GENERATIONS: usize = 9;
/// More of a connection that was met before than fits is not kept, so that a log that is made for it cannot grow without end.
const MOST_WITH_REST: usize = MOST_BYTES / 4 * 5;
const MOST_OF_ONE: usize = 16;
/// In front of each secret: where the one before it begins, what it is, how long it is.
const HEAD: usize = 6;
/// There is no secret before it.
const NONE: u32 = u32::MAX;

/// The latest secrets: when the newest generation is full, the oldest one is let go of.
#[derive(Clone, Default)]
pub(super) struct Kept {
    /// The oldest first.
    generations: VecDeque<Generation>,
    let_go: u64,
}

#[derive(Clone, Default)]
struct Generation {
    /// Where the last secret of a connection begins.
    last: HashMap<[u8; 32], u32>,
    bytes: Vec<u8>,
}

impl Kept {
    /// Of how many connections something is kept.
    pub(super) fn len(&self) -> usize {
        self.generations.iter().map(|g| g.last.len()).sum()
    }

    /// How many connections were let go of.
    pub(super) fn let_go(&self) -> u64 {
        self.let_go
    }

    pub(super) fn add(&mut self, name: [u8; 32], label: Label, secret: &[u8]) {
        // What is known of a connection stays together.
        let known = self.generations.iter().rposition(|g| g.last.contains_key(&name));
        let at = known.or_else(|| self.generations.len().checked_sub(1).filter(|last| self.has_room(*last)));
        let at = at.unwrap_or_else(|| self.begin());
        if let Some(generation) = self.generations.get_mut(at) {
            generation.add(name, label, secret);
        }
    }

    fn has_room(&self, at: usize) -> bool {
        self.generations.get(at).is_some_and(Generation::has_room)
    }

    /// Begins a generation, in the memory of the oldest one where there are enough, and gives its place.
    fn begin(&mut self) -> usize {
        let mut next = Generation::default();
        if self.generations.len() >= GENERATIONS
            && let Some(oldest) = self.generations.pop_front()
        {
            self.let_go += oldest.last.len() as u64;
            next = oldest;
            next.last.clear();
            next.bytes.clear();
        }
        self.generations.push_back(next);
        self.generations.len() - 1
    }

    /// The secrets of a connection, the last one first.
    pub(super) fn get(&self, name: &[u8; 32]) -> Option<Secrets<'_>> {
        self.generations.iter().rev().find_map(|g| g.get(name))
    }

    /// About how many bytes of memory it takes at most.
    #[cfg(test)]
    fn footprint(&self) -> usize {
        let one =
            |g: &Generation| g.bytes.len() + g.last.capacity() / 7 * 8 * (size_of::<([u8; 32], u32)>() + 1);
        self.generations.iter().map(one).sum()
    }
}

impl Generation {
    fn has_room(&self) -> bool {
        self.bytes.len() < MOST_BYTES && self.last.len() < MOST_CONNECTIONS
    }

    fn add(&mut self, name: [u8; 32], label: Label, secret: &[u8]) {
        let known = self.get(&name);
        // Who writes the same line again and again is not kept waiting.
        let (count, same) = known
            .into_iter()
            .flatten()
            .fold((0, false), |(n, same), known| (n + 1, same || known == (label, secret)));
        if same || count >= MOST_OF_ONE || self.bytes.len() >= MOST_WITH_REST {
            return;
        }
        let Ok(at) = u32::try_from(self.bytes.len()) else { return };
        let before = self.last.insert(name, at).unwrap_or(NONE);
        self.bytes.extend_from_slice(&before.to_le_bytes());
        self.bytes.extend_from_slice(&[label as u8, secret.len() as u8]);
        self.bytes.extend_from_slice(secret);
    }

    fn get(&self, name: &[u8; 32]) -> Option<Secrets<'_>> {
        Some(Secrets { bytes: &self.bytes, next: *self.last.get(name)? })
    }
}

/// The secrets of a connection, the last one first.
pub(super) struct Secrets<'a> {
    bytes: &'a [u8],
    next: u32,
}

impl<'a> Iterator for Secrets<'a> {
    type Item = (Label, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (head, rest) = self.bytes.get(self.next as usize..)?.split_first_chunk::<HEAD>()?;
        let [a, b, c, d, label, len] = *head;
        self.next = u32::from_le_bytes([a, b, c, d]);
        Some((Label::numbered(label)?, rest.get(..usize::from(len))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(n: u32) -> [u8; 32] {
        let mut name = [0; 32];
        name[..4].copy_from_slice(&n.to_be_bytes());
        name
    }

    #[test]
    fn of_very_many_the_latest_are_kept_and_the_others_counted() {
        const MANY: u32 = 700_000;
        let mut kept = Kept::default();
        for n in 0..MANY {
            kept.add(name(n), Label::ClientTraffic, &[n as u8; 32]);
            kept.add(name(n), Label::ServerTraffic, &[n as u8; 48]);
        }
        assert!(kept.footprint() < 32 << 20, "{}", kept.footprint());
        assert_eq!(kept.len() as u64 + kept.let_go(), u64::from(MANY));
        assert!(kept.len() > 180_000 && kept.get(&name(0)).is_none());
        let last: Vec<_> = kept.get(&name(MANY - 1)).unwrap().map(|(_, secret)| secret.len()).collect();
        assert_eq!(last, [48, 32]);
    }

    #[test]
    fn lines_of_one_connection_again_and_again_take_neither_memory_nor_time() {
        let mut kept = Kept::default();
        for n in 0..200_000_u32 {
            kept.add(name(7), Label::Master, &n.to_be_bytes());
            kept.add(name(8), Label::Master, &[1; 48]);
        }
        assert!(kept.footprint() < 10_000, "{}", kept.footprint());
    }
}
