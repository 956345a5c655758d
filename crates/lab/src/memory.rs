//! What experiments of several requests remember: counts and words by name, bounded.

use std::collections::{HashMap, VecDeque};

/// How many experiments are remembered; the oldest is forgotten first.
const LIMIT: usize = 4096;

/// Counts and words by name.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    entries: HashMap<String, (u32, String)>,
    order: VecDeque<String>,
}

impl Memory {
    fn entry(&mut self, name: String) -> &mut (u32, String) {
        if !self.entries.contains_key(&name) {
            if self.order.len() >= LIMIT
                && let Some(oldest) = self.order.pop_front()
            {
                self.entries.remove(&oldest);
            }
            self.order.push_back(name.clone());
        }
        self.entries.entry(name).or_default()
    }

    /// Counts one more and returns how many there are now.
    pub(crate) fn count(&mut self, name: impl Into<String>) -> u32 {
        let entry = self.entry(name.into());
        entry.0 = entry.0.saturating_add(1);
        entry.0
    }

    /// Sets a word.
    pub(crate) fn set(&mut self, name: impl Into<String>, word: impl Into<String>) {
        self.entry(name.into()).1 = word.into();
    }

    /// The word that was set; empty if none was.
    pub(crate) fn word(&self, name: &str) -> &str {
        self.entries.get(name).map_or("", |(_, word)| word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten() {
        let mut memory = Memory::default();
        memory.set("first", "word");
        assert_eq!(memory.count("first"), 1);
        for i in 0..LIMIT {
            memory.count(i.to_string());
        }
        assert_eq!(memory.word("first"), "");
        assert_eq!(memory.count("first"), 1);
        assert!(memory.entries.len() <= LIMIT && memory.order.len() <= LIMIT);
    }
}
