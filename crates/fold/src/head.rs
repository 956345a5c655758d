//! How the conversations of a part begin: what comes before it may be answered by them.

use crate::Event;
use crate::chain::{Chain, Step};
use crate::hash::Index;
use crate::wire::{In, Key, Malformed, Wire, wire};

/// How a conversation begins.
#[derive(Debug, Clone)]
pub(crate) enum Head {
    /// By a request that needs no explanation and waits for no answer.
    Bare {
        /// The request.
        step: Step,
        /// Its place.
        event: Event,
    },
    /// By any other.
    Whole(Box<Opening>),
}

/// The first chain of a conversation.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) chain: Chain,
    /// Whether it still waits at the end of the part.
    pub(crate) through: bool,
}

wire!(Opening { chain, through });

impl Wire for Head {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Head::Bare { step, event } => {
                false.put(out);
                step.put(out);
                event.put(out);
            }
            Head::Whole(opening) => {
                true.put(out);
                opening.put(out);
            }
        }
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        Ok(match bool::get(from)? {
            false => Head::Bare { step: Wire::get(from)?, event: Wire::get(from)? },
            true => Head::Whole(Wire::get(from)?),
        })
    }
}

impl Wire for Heads {
    fn put(&self, out: &mut Vec<u8>) {
        (self.list.len() as u64).put(out);
        for (talk, head) in &self.list {
            Key(*talk).put(out);
            head.put(out);
        }
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        let mut heads = Heads::default();
        for _ in 0..u64::get(from)? {
            let (Key(talk), head) = Wire::get(from)?;
            if heads.has(talk) {
                return Err(Malformed);
            }
            heads.add(talk, head);
        }
        Ok(heads)
    }
}

impl Head {
    pub(crate) fn whole_mut(&mut self) -> Option<&mut Opening> {
        match self {
            Head::Whole(opening) => Some(opening),
            Head::Bare { .. } => None,
        }
    }

    pub(crate) fn whole(&self) -> Option<&Opening> {
        match self {
            Head::Whole(opening) => Some(opening),
            Head::Bare { .. } => None,
        }
    }

    /// Its first request.
    pub(crate) fn opening(&self) -> &Step {
        match self {
            Head::Bare { step, .. } => step,
            Head::Whole(opening) => &opening.chain.opening,
        }
    }

    pub(crate) fn into_opening(self) -> Opening {
        match self {
            // Of which resource it was, matters for refusals alone.
            Head::Bare { step, event } => {
                Opening { chain: Chain::new(step, event, 0, false), through: false }
            }
            Head::Whole(opening) => *opening,
        }
    }
}

/// The beginnings of conversations, in order of place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heads {
    at: Index,
    list: Vec<(u64, Head)>,
}

impl Heads {
    fn find(&self, talk: u64) -> Option<usize> {
        self.at.get(talk, |row| self.list.get(row).is_some_and(|(key, _)| *key == talk))
    }

    pub(crate) fn has(&self, talk: u64) -> bool {
        self.find(talk).is_some()
    }

    pub(crate) fn get(&self, talk: u64) -> Option<&Head> {
        self.list.get(self.find(talk)?).map(|(_, head)| head)
    }

    pub(crate) fn get_mut(&mut self, talk: u64) -> Option<&mut Head> {
        let at = self.find(talk)?;
        self.list.get_mut(at).map(|(_, head)| head)
    }

    /// Adds the beginning of a conversation that has none yet.
    pub(crate) fn add(&mut self, talk: u64, head: Head) {
        let list = &self.list;
        self.at.add(talk, list.len(), |row| list.get(row).map_or(0, |(key, _)| *key));
        self.list.push((talk, head));
    }

    /// Keeps those of which `wanted` says so. They are listed after that, and no more looked for.
    pub(crate) fn keep(&mut self, wanted: impl Fn(u64, &Head) -> bool) {
        self.at.clear();
        self.list.retain(|(talk, head)| wanted(*talk, head));
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut Head> {
        self.list.iter_mut().map(|(_, head)| head)
    }

    /// All of them, with their conversations.
    pub(crate) fn into_list(self) -> Vec<(u64, Head)> {
        self.list
    }
}
