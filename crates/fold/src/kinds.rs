//! Refusals that are alike: their exact number, and a few of them.

use crate::Chain;
use crate::alike::Alike;
use crate::choice::KINDS;
use crate::group::Group;
use crate::hash::{Keyed, Seed};
use crate::wire::{In, Key, Malformed, Wire, wire};
use why401_report::Series;

/// So many kinds are told apart by client and account; as many more by account only, and the rest by status.
pub(crate) const MOST: usize = if cfg!(test) { 200 } else { 30_000 };
/// Of so many resources the refusals of one kind are told apart: those that come first by a fixed order of chance,
/// since that order does not depend on what came when.
const RESOURCES: usize = 6;

/// Up to so many kinds, resources are told apart. More kinds never become fewer, so from then on nobody counts by
/// resource any more.
const FINE: usize = if cfg!(test) { 40 } else { 150 };

/// Refusals that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// The same for all that one client did; 0 where it stands for several.
    pub client: u64,
    /// The same for all that was done under one name; 0, 1 and 2 where there was none.
    pub name: u64,
    /// The status of the last answer.
    pub status: u16,
    /// Whether the client was let in in the end.
    pub let_in: bool,
    /// How many chains.
    pub chains: u64,
    /// How many requests of them were not let in.
    pub refused: u64,
    /// The first time, in milliseconds since 1970.
    pub first: Option<i64>,
    /// The last time.
    pub last: Option<i64>,
    /// The first two and the last one.
    pub examples: Vec<Chain>,
    /// Those requests over time.
    pub series: Series,
}

/// Chains alike but for the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Class {
    client: u64,
    name: u64,
    let_in: bool,
    renewed: bool,
    lane: u64,
    /// In order of the resource's key.
    groups: Vec<Group>,
    others: Option<Box<Group>>,
}

wire!(Class { client: key, name: key, let_in, renewed, lane: key, groups, others });

impl Class {
    fn add(&mut self, group: Group) {
        match self.groups.binary_search_by_key(&group.resource, |g| g.resource) {
            Ok(at) => {
                if let Some(same) = self.groups.get_mut(at) {
                    same.absorb(group);
                }
                return;
            }
            Err(at) => {
                // Most have but one; the room that a list takes at first would be four times as much.
                self.groups.reserve_exact(1);
                self.groups.insert(at, group);
            }
        }
        if self.groups.len() > RESOURCES
            && let Some(out) = self.groups.pop()
        {
            self.add_other(out);
        }
    }

    /// Adds a chain without the making of a group, where there is one.
    fn add_chain(&mut self, chain: Chain) {
        match self.groups.binary_search_by_key(&chain.resource, |g| g.resource) {
            Ok(at) => {
                if let Some(same) = self.groups.get_mut(at) {
                    same.add(chain);
                }
            }
            Err(at) if at >= RESOURCES && self.others.is_some() => {
                if let Some(others) = &mut self.others {
                    others.add(chain);
                }
            }
            Err(_) => self.add(Group::new(chain)),
        }
    }

    /// Adds a chain, whatever its resource.
    fn add_to_others(&mut self, chain: Chain) {
        match &mut self.others {
            Some(others) => others.add(chain),
            None => self.others = Some(Box::new(Group { resource: 0, ..Group::new(chain) })),
        }
    }

    fn chains_mut(&mut self) -> impl Iterator<Item = &mut Chain> {
        self.groups.iter_mut().chain(self.others.as_deref_mut()).flat_map(Group::examples_mut)
    }

    fn example(&self) -> Option<&Chain> {
        self.groups.first().or(self.others.as_deref()).map(|group| &group.opening)
    }

    /// Tells resources apart no more.
    fn coarsen(&mut self) {
        for group in std::mem::take(&mut self.groups) {
            self.add_other(group);
        }
    }

    fn add_other(&mut self, group: Group) {
        match &mut self.others {
            Some(others) => others.absorb(group),
            None => self.others = Some(Box::new(Group { resource: 0, ..group })),
        }
    }
}

/// All refusals, sorted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kinds {
    classes: Keyed<Class>,
    /// Whether there are so many that resources are told apart no more.
    is_coarse: bool,
}

impl Wire for Kinds {
    fn put(&self, out: &mut Vec<u8>) {
        // In order, so that the same refusals are the same bytes.
        let mut keys: Vec<u64> = self.classes.keys().copied().collect();
        keys.sort_unstable();
        (keys.len() as u64).put(out);
        for (key, class) in keys.iter().filter_map(|key| Some((key, self.classes.get(key)?))) {
            Key(*key).put(out);
            class.put(out);
        }
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        let mut kinds = Kinds::default();
        let mut all = 0u64;
        for _ in 0..u64::get(from)? {
            let (Key(key), class) = <(Key, Class)>::get(from)?;
            let groups = || class.groups.iter().chain(class.others.as_deref());
            all = groups().fold(all, |all, g| all.saturating_add(g.refused).saturating_add(g.chains));
            let ordered = class.groups.is_sorted_by(|a, b| a.resource < b.resource);
            if all > crate::wire::MOST || !ordered || groups().next().is_none() {
                return Err(Malformed);
            }
            kinds.classes.insert(key, class);
        }
        kinds.coarsen_if(kinds.classes.len() > FINE);
        Ok(kinds)
    }
}

impl Kinds {
    /// Those of each lot of clients; what stands for several clients is shared out by chance.
    pub(crate) fn lots(self, count: u64) -> Vec<Kinds> {
        let mut lots: Vec<Kinds> = (0..count).map(|_| Kinds::default()).collect();
        for (key, class) in self.classes {
            let of = if class.client == 0 { key } else { class.client };
            if let Some(lot) = lots.get_mut((of % count.max(1)) as usize) {
                lot.classes.insert(key, class);
            }
        }
        lots.iter_mut().for_each(|lot| lot.coarsen_if(lot.classes.len() > FINE));
        lots
    }

    /// With what a chain is counted, where resources are told apart no more.
    pub(crate) fn look(&self, chain: &Chain, seed: Seed) -> Option<&Group> {
        self.classes.get(&Alike::of_chain(chain, seed).fine)?.others.as_deref()
    }

    pub(crate) fn add(&mut self, mut chain: Chain, seed: Seed) {
        if !chain.wanted {
            return;
        }
        let end = *chain.end();
        let alike = Alike::of_chain(&chain, seed);
        chain.resource = alike.resource;
        let key = self.key_with_room(alike.fine, &alike);
        let client = if key == alike.fine { end.client } else { 0 };
        let class = Class {
            client,
            name: end.name,
            let_in: end.let_in,
            renewed: chain.renewed,
            lane: end.lane,
            groups: Vec::new(),
            others: None,
        };
        let class = self.classes.entry(key).or_insert(class);
        if self.is_coarse {
            class.add_to_others(chain);
        } else {
            class.add_chain(chain);
            self.coarsen_if(self.classes.len() > FINE);
        }
    }

    fn coarsen_if(&mut self, many: bool) {
        if many {
            self.is_coarse = true;
            self.classes.values_mut().for_each(Class::coarsen);
        }
    }

    /// The finest key for which there is room.
    fn key_with_room(&self, fine: u64, alike: &Alike) -> u64 {
        if self.has_room(fine, MOST) {
            fine
        } else if self.has_room(alike.by_account, 2 * MOST) {
            alike.by_account
        } else {
            alike.outcome
        }
    }

    fn has_room(&self, key: u64, most: usize) -> bool {
        self.classes.len() < most || self.classes.contains_key(&key)
    }

    /// Takes others in, each chain of which is given to `shift` first.
    pub(crate) fn absorb(&mut self, mut other: Kinds, seed: Seed, shift: impl Fn(&mut Chain)) {
        if self.is_coarse != other.is_coarse {
            self.coarsen_if(other.is_coarse);
            other.coarsen_if(self.is_coarse);
        }
        for (mut key, mut class) in other.classes {
            class.chains_mut().for_each(&shift);
            if !self.has_room(key, MOST)
                && let Some(alike) = class.example().map(|chain| Alike::of_chain(chain, seed))
            {
                let own = key;
                key = self.key_with_room(own, &alike);
                class.client = if key == own { class.client } else { 0 };
            }
            match self.classes.get_mut(&key) {
                Some(into) => {
                    class.groups.into_iter().for_each(|g| into.add(g));
                    class.others.into_iter().for_each(|g| into.add_other(*g));
                }
                None => {
                    self.classes.insert(key, class);
                }
            }
        }
        self.coarsen_if(!self.is_coarse && self.classes.len() > FINE);
    }

    /// Fewer kinds, where there are too many to look at each: first resources go together, then what is rare.
    fn settle(&mut self) {
        let groups = |c: &Class| c.groups.len() + usize::from(c.others.is_some());
        if !self.is_coarse && self.classes.values().map(groups).sum::<usize>() <= FINE {
            return;
        }
        self.coarsen_if(true);
        let Some(over) = self.classes.len().checked_sub(KINDS).filter(|n| *n > 0) else { return };
        let refused = |c: &Class| c.others.as_ref().map_or(0, |o| o.refused);
        let place = |c: &Class| c.others.as_ref().map(|o| o.opening.place());
        let mut rare: Vec<_> = self.classes.iter().map(|(key, c)| (refused(c), place(c), *key)).collect();
        rare.sort_unstable();
        rare.truncate(over);
        for (.., key) in rare {
            let Some(class) = self.classes.remove(&key) else { continue };
            let Some(group) = class.others else { continue };
            let like = u64::from(group.opening.end().status) << 2
                | u64::from(class.let_in) << 1
                | u64::from(class.name > 2);
            let rest = Class { client: 0, name: 0, lane: 0, groups: Vec::new(), others: None, ..class };
            self.classes.entry(like).or_insert(rest).add_other(*group);
        }
    }

    /// All kinds, in order of the first place of each. `is_admission` tells whether a chain ends with the first time
    /// that its lane was let in: then its last request renewed nothing.
    pub(crate) fn finish(mut self, is_admission: impl Fn(u64, &Chain) -> bool) -> Vec<Kind> {
        self.settle();
        let mut kinds = Vec::new();
        for class in self.classes.into_values() {
            for mut group in class.groups.into_iter().chain(class.others.map(|o| *o)) {
                let (client, name, lane) = (class.client, class.name, class.lane);
                if class.renewed && is_admission(lane, &group.opening) {
                    let first = group.opening.clone().without_last();
                    kinds.push(Kind { client, name, let_in: false, ..kind(Group::new(first)) });
                    match (group.second.take(), group.chains.checked_sub(1).filter(|n| *n > 0)) {
                        (Some(second), Some(chains)) => {
                            let refused = group.refused.saturating_sub(group.opening.refused);
                            group = Group { opening: *second, chains, refused, ..group };
                            group.first = group.opening.first.time;
                        }
                        _ => continue,
                    }
                }
                kinds.push(Kind { client, name, let_in: class.let_in, ..kind(group) });
            }
        }
        // They are large: each is moved once.
        kinds.sort_by_cached_key(|k| k.examples.first().map(Chain::place));
        kinds
    }
}

fn kind(group: Group) -> Kind {
    Kind {
        status: group.opening.end().status,
        client: 0,
        name: 0,
        let_in: false,
        chains: group.chains,
        refused: group.refused,
        first: group.first,
        last: group.last,
        series: group.series,
        examples: [Some(group.opening), group.second.map(|c| *c), group.latest.map(|c| *c)]
            .into_iter()
            .flatten()
            .collect(),
    }
}
