//! What some splits of a plan say of one lot of clients.

use crate::{Key, Plan};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use why401_fold::wire::{In, Malformed, Wire};
use why401_fold::{Inserted, Part, Parts, Seed};

/// The version of the format of states. Whatever changes in what is written, or in what keys are made of, gets a new one.
pub const VERSION: u8 = 4;
const MAGIC: &[u8] = b"why401 state";
/// Whether what follows is as it is, or for a [`Key`].
const OPEN: u8 = 0;
pub(crate) const SEALED: u8 = 1;

/// A log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// Its position as it was given.
    pub number: u32,
    /// Where it is.
    pub path: String,
    /// Bytes of it as it lies there.
    pub size: u64,
    /// How it is compressed, as splits name it.
    pub codec: String,
    /// The name of its format and its lines that name columns; `None` where it could not be read.
    pub format: Option<(String, Box<[u8]>)>,
}

/// Something that could not be read: the log by its position in order of time, where, and why.
pub type Fault = (u32, (u64, String));

/// What some splits of a plan say of one lot of clients.
#[derive(Debug, Default)]
pub struct State {
    /// What the logs belong to.
    pub site: String,
    /// The lot of clients.
    pub lot: u32,
    /// The plan, as splits carry it.
    pub plan: String,
    /// The logs, by their position in order of time.
    pub sources: BTreeMap<u32, Source>,
    /// What could not be read.
    pub faults: BTreeSet<Fault>,
    /// What was read.
    pub parts: Parts,
}

/// Bytes that are no state that can be read here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// They are something else.
    NoState,
    /// They are of this version.
    Version(u8),
    /// They are damaged or cut off.
    Damaged,
    /// They are sealed, and there is no key.
    NoKey,
    /// They are sealed with another key, or damaged.
    OtherKey,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::NoState => f.write_str("is no state that `why401 shard fold` has written"),
            Unreadable::Version(version) => write!(
                f,
                "is a state of version {version}, and this why401 reads version {VERSION}: fold and merge with one why401"
            ),
            Unreadable::Damaged => f.write_str("is a state that is damaged or cut off"),
            Unreadable::NoKey => f.write_str("is sealed, and there is no key to open it"),
            Unreadable::OtherKey => f.write_str("was sealed with another key, or is damaged or cut off"),
        }
    }
}

impl From<Malformed> for Unreadable {
    fn from(_: Malformed) -> Self {
        Unreadable::Damaged
    }
}

impl Wire for Source {
    fn put(&self, out: &mut Vec<u8>) {
        ((self.number, self.path.clone()), (self.size, self.codec.clone())).put(out);
        self.format.put(out);
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        let ((number, path), (size, codec)) = Wire::get(from)?;
        Ok(Source { number, path, size, codec, format: Wire::get(from)? })
    }
}

/// What all states begin with.
pub(crate) fn head(kind: u8) -> Vec<u8> {
    [MAGIC, &[VERSION, kind]].concat()
}

impl State {
    /// As bytes that anybody can read; see [`Key::seal`].
    pub fn into_bytes(self) -> Vec<u8> {
        let mut out = head(OPEN);
        out.append(&mut self.body());
        out
    }

    pub(crate) fn body(self) -> Vec<u8> {
        let mut out = Vec::new();
        (self.site, self.plan).put(&mut out);
        self.lot.put(&mut out);
        self.sources.put(&mut out);
        self.faults.into_iter().collect::<Vec<Fault>>().put(&mut out);
        let parts: Vec<Part> = self.parts.into_parts().collect();
        (parts.len() as u64).put(&mut out);
        parts.into_iter().for_each(|part| part.to_bytes(&mut out));
        out
    }

    /// From bytes, with the key that they may be sealed with. Memory stays in proportion to them, whatever they say; of
    /// what is sealed, to what was.
    ///
    /// # Errors
    /// Where they are something else, of another version, sealed with another key, or damaged.
    pub fn from_bytes(bytes: &[u8], key: Option<&Key>) -> Result<State, Unreadable> {
        let mut from = In::new(bytes.strip_prefix(MAGIC).ok_or(Unreadable::NoState)?);
        match from.bytes(1)? {
            [VERSION] => {}
            other => return Err(Unreadable::Version(other.first().copied().unwrap_or_default())),
        }
        match from.bytes(1)? {
            [OPEN] => State::from_body(from),
            [SEALED] => {
                let sealed = from.bytes(from.left())?;
                let body = key.ok_or(Unreadable::NoKey)?.open(sealed)?;
                State::from_body(In::new(&body))
            }
            _ => Err(Unreadable::Damaged),
        }
    }

    fn from_body(mut from: In<'_>) -> Result<State, Unreadable> {
        let (site, plan) = <(String, String)>::get(&mut from)?;
        let seed = Seed(Plan::of(&plan).ok_or(Unreadable::Damaged)?.seed);
        let lot = Wire::get(&mut from)?;
        let sources = Wire::get(&mut from)?;
        let faults = Vec::<Fault>::get(&mut from)?.into_iter().collect();
        let mut parts = Parts::default();
        for _ in 0..u64::get(&mut from)? {
            if parts.insert_once(Part::from_bytes(&mut from, seed)?) == Inserted::Overlaps {
                return Err(Unreadable::Damaged);
            }
        }
        if from.left() > 0 {
            return Err(Unreadable::Damaged);
        }
        Ok(State { site, lot, plan, sources, faults, parts })
    }

    /// Takes another state of the same site, lot and plan in; what came to nothing is told in words.
    pub fn absorb(&mut self, other: State, words: &mut Vec<String>) {
        for (source, told) in other.sources {
            let own = self.sources.entry(source).or_insert_with(|| told.clone());
            if own.format.is_none() {
                *own = told;
            }
        }
        self.faults.extend(other.faults);
        other.parts.into_parts().for_each(|part| self.insert(part, words));
    }

    /// Takes a part in, once.
    pub fn insert(&mut self, part: Part, words: &mut Vec<String>) {
        let (start, end) = (part.start(), part.end());
        match self.parts.insert_once(part) {
            Inserted::New => {}
            // Each lot tells of it; once is enough.
            Inserted::Again if self.lot > 0 => {}
            Inserted::Again => {
                words.push(format!("{}: came twice and counts once", self.stretch(start, end)));
            }
            Inserted::Overlaps => {
                let what = format!(
                    "{} overlaps what was folded already, and is left out: fold splits of one plan",
                    self.stretch(start, end)
                );
                words.extend((self.lot == 0).then(|| what.clone()));
                self.faults.insert((start.0, (start.1, what)));
            }
        }
    }

    /// A stretch of logs in words.
    pub fn stretch(&self, start: (u32, u64), end: (u32, u64)) -> String {
        let path = |source| self.sources.get(&source).map_or("a log", |s| s.path.as_str());
        match (start, end) {
            ((from, at), (to, until)) if from == to => format!("{}, bytes {at} to {until}", path(from)),
            ((from, at), (to, 0)) if from + 1 == to => format!("{}, from byte {at} on", path(from)),
            ((from, at), (to, _)) => format!("{}, from byte {at} on, to {}", path(from), path(to)),
        }
    }
}
