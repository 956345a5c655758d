//! Which lines are worth reading again in full, and which refusals are explained together.

use crate::glue::MANY;
use crate::hash::{Keyed, Keys};
use crate::open::Open;
use crate::{ByAddress, Event, Kind, Lane, Told};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use why401_report::Series;

/// So many kinds are told apart at all; of more, those with the fewest refusals go with others of their status.
pub(crate) const KINDS: usize = 12_000;
/// So many kinds are explained one by one; the rest together with those that went alike.
const SINGLE: usize = 80;
/// So many clients that tried many names are explained one by one.
const GUESSERS: usize = 20;
/// So many names refused to one client are no typing errors.
const NAMES: usize = 5;
/// Of so many kinds that are explained together an example is read.
const TOGETHER: usize = 60;
/// So many admissions of accounts and clients that were refused too are read.
const ADMISSIONS: usize = 600;
/// So many admissions at other resources are read, of those whose refusals are explained one by one.
const ELSEWHERE: usize = 400;
/// So many admissions of others, the latest, which tell whether anybody goes on.
const OTHERS: usize = 64;

/// A line to be read again, and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Where it stands.
    pub event: Event,
    /// Lines with the same number are steps of one handshake, in this order.
    pub chain: u64,
    /// Handshakes with the same number are explained together; 0 for what was let in.
    pub group: u64,
    /// The same for all that one client did, as in [`Lane`].
    pub client: u64,
    /// The same for all that was done under one name, as in [`Lane`].
    pub name: u64,
    /// How many requests that were not let in the handshake stands for, its own among them.
    pub refused: u64,
    /// The accounts and the clients of all that is explained together.
    pub whose: Arc<(BTreeSet<u64>, BTreeSet<u64>)>,
    /// The first time of what it stands for, in milliseconds since 1970.
    pub first: Option<i64>,
    /// The last time.
    pub last: Option<i64>,
    /// Those requests over time; with one of the lines of each group.
    pub series: Series,
    /// How addresses fared that asked for this without a name, where this one is kept out.
    pub by_address: Option<ByAddress>,
}

/// Kinds that are explained together; the one with the most refusals first.
struct Group<'a> {
    kinds: Vec<&'a Kind>,
}

/// How an account fared, by places in order.
#[derive(Default)]
struct Course {
    admitted: Option<((u32, u64), (u32, u64))>,
    refused: Option<(u32, u64)>,
}

impl Course {
    /// Let in before, never since.
    fn broke(&self) -> bool {
        matches!((self.admitted, self.refused), (Some((_, last)), Some(refused)) if last < refused)
    }

    fn shape(&self) -> u8 {
        match (self.admitted, self.refused) {
            (Some(_), _) if self.broke() => 0,
            (Some((first, _)), Some(refused)) if refused < first => 1,
            (Some(_), _) => 2,
            (None, _) => 3,
        }
    }
}

impl Told {
    /// The lines to be read again: examples of what was refused, and of what those who were refused got else.
    pub fn wanted(&self) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        // Those that do not depend on what is explained together are looked for meanwhile.
        let (open, (groups, names), others) = std::thread::scope(|scope| {
            let others = match self.lanes.len() {
                0..MANY => None,
                _ => Some(scope.spawn(|| self.admissions_of_others())),
            };
            let open = self.open();
            let groups = self.groups(&open);
            let others = others.map(|t| t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            (open, groups, others.unwrap_or_else(|| self.admissions_of_others()))
        });
        let mut number = 0;
        let (mut served, mut further) = (Vec::new(), Vec::new());
        for (id, group) in groups.iter().enumerate() {
            group.wanted((id as u64 + 1, &open), &mut number, &mut wanted, (&mut served, &mut further));
        }
        let mut known: HashSet<(u32, u64)> = wanted.iter().map(|w| w.event.place()).collect();
        wanted.extend(further.into_iter().filter(|w: &Wanted| known.insert(w.event.place())));
        let mut admissions = self.admissions(&names);
        admissions.extend(others);
        admissions.extend(served.into_iter().filter_map(|key| open.served(key).cloned()));
        // Numbered by place: in which order lanes are told depends on how they were shared out.
        admissions.sort_by_key(Event::place);
        for event in admissions.into_iter().filter(|e| known.insert(e.place())) {
            number += 1;
            wanted.push(Wanted {
                chain: number,
                group: 0,
                client: 0,
                name: 0,
                refused: 0,
                whose: Arc::default(),
                first: event.time,
                last: event.time,
                series: Series::default(),
                by_address: None,
                event,
            });
        }
        wanted.sort_by_key(|w| w.event.place());
        wanted
    }

    /// The kinds that are explained together, by number.
    pub(crate) fn grouped(&self) -> Vec<(u64, Vec<&Kind>)> {
        let open = self.open();
        let (groups, _) = self.groups(&open);
        (1..).zip(groups).map(|(id, group)| (id, group.kinds)).collect()
    }

    /// What is explained together, and the names of whom an example is read.
    fn groups(&self, open: &Open) -> (Vec<Group<'_>>, Keys) {
        let courses = self.courses();
        let guessers = self.guessers();
        let shape = |kind: &Kind| courses.get(&kind.name).map_or(4, Course::shape);
        let mut order: Vec<&Kind> = self.kinds.iter().collect();
        // Whoever worked and does not any more comes first: there something has happened.
        order.sort_by_cached_key(|k| (shape(k) != 0 || k.let_in, Reverse(k.refused)));
        let mut groups: Vec<Group<'_>> = Vec::new();
        let mut single = 0;
        let mut by_key: BTreeMap<(u64, u64, u64), usize> = BTreeMap::new();
        for kind in order {
            let guesser = guessers.contains(&kind.client) && kind.name > 2 && !kind.let_in;
            if !guesser && single < SINGLE {
                single += 1;
                groups.push(Group { kinds: vec![kind] });
                continue;
            }
            let alike = u64::from(kind.status) << 8
                | u64::from(kind.let_in) << 4
                | u64::from(open.is_kept_out(kind)) << 5
                | u64::from(kind.name > 2) << 3
                | u64::from(shape(kind));
            let said = self.said.get(&(kind.client, kind.name)).copied().unwrap_or_default();
            let key = if guesser { (kind.client, 0, 0) } else { (0, alike, said) };
            let next = groups.len();
            let at = *by_key.entry(key).or_insert(next);
            match groups.get_mut(at) {
                Some(group) => group.kinds.push(kind),
                None => groups.push(Group { kinds: vec![kind] }),
            }
        }
        let names = groups.iter().flat_map(|g| g.kinds.iter().take(TOGETHER)).map(|k| k.name).collect();
        (groups, names)
    }

    fn courses(&self) -> Keyed<Course> {
        let mut courses: Keyed<Course> = Keyed::default();
        for kind in self.kinds.iter().filter(|k| k.name > 2 && !k.let_in) {
            let first = kind.examples.first().map(|c| c.first.place());
            let course = courses.entry(kind.name).or_default();
            course.refused = [course.refused, first].into_iter().flatten().min();
        }
        for lane in self.lanes.iter().filter(|l| l.name > 2) {
            let Some(course) = courses.get_mut(&lane.name) else { continue };
            let Some([first, last]) = lane.places() else { continue };
            let (least, most) = course.admitted.unwrap_or((first, last));
            course.admitted = Some((least.min(first), most.max(last)));
        }
        courses
    }

    /// The clients to which the most names were refused.
    fn guessers(&self) -> Keys {
        // With the first kind of each, so that nothing depends on how keys were made.
        let mut names: Keyed<(usize, BTreeSet<u64>)> = Keyed::default();
        let refused = |k: &Kind| k.name > 2 && k.client != 0 && !k.let_in;
        for (nth, kind) in self.kinds.iter().enumerate().filter(|(_, k)| refused(k)) {
            names.entry(kind.client).or_insert_with(|| (nth, BTreeSet::new())).1.insert(kind.name);
        }
        let many = names.into_iter().map(|(client, (nth, names))| (Reverse(names.len()), nth, client));
        let mut many: Vec<_> = many.filter(|(count, ..)| count.0 >= NAMES).collect();
        many.sort_unstable();
        many.into_iter().take(GUESSERS).map(|(.., client)| client).collect()
    }

    /// When those with these names were let in.
    fn admissions(&self, names: &Keys) -> Vec<Event> {
        let own = self.lanes.iter().filter(|l| names.contains(&l.name));
        let mut own: Vec<([(u32, u64); 2], Lane<'_>)> = own.filter_map(|l| Some((l.places()?, l))).collect();
        if own.len() > ADMISSIONS {
            let refused = self.kinds.iter().filter(|k| !k.let_in);
            let clients: Keys = refused.map(|k| k.client).collect();
            own.sort_by_key(|([_, last], lane)| (!clients.contains(&lane.client), Reverse(*last)));
            own.truncate(ADMISSIONS);
        }
        let own = own.into_iter().filter_map(|(_, lane)| lane.admitted());
        own.flat_map(|(first, last)| [first, last]).collect()
    }

    /// Other admissions: of who was refused those elsewhere, and the latest of all who were not.
    fn admissions_of_others(&self) -> Vec<Event> {
        let refused_names: Keys = self.kinds.iter().filter(|k| !k.let_in).map(|k| k.name).collect();
        let mut events: Vec<Event> = self.elsewhere().take(ELSEWHERE).collect();
        let others = self.lanes.iter().filter(|l| !refused_names.contains(&l.name));
        let others = others.filter_map(|l| Some((Reverse((l.last_time(), l.places()?[1])), l)));
        let others = least(others, OTHERS).into_iter().filter_map(|lane| lane.admitted());
        events.extend(others.map(|(_, last)| last));
        events
    }

    /// What those were let in to who were refused without being let in: of a name by a client, of no name by any of the
    /// client. Those with the most refusals come first.
    fn elsewhere(&self) -> impl Iterator<Item = Event> {
        let mut refused: BTreeMap<(u64, u64), u64> = BTreeMap::new();
        for kind in self.kinds.iter().filter(|k| k.status == 401 && !k.let_in && k.client != 0) {
            *refused.entry((kind.client, kind.name.max(2))).or_default() += kind.refused;
        }
        let count = |lane: &Lane<'_>| {
            let own = refused.get(&(lane.client, lane.name));
            own.max(refused.get(&(lane.client, 2))).copied().filter(|count| *count > 0)
        };
        let lanes = self.lanes.iter().filter_map(|lane| Some((count(&lane)?, lane)));
        let lanes = lanes.filter(|(_, lane)| lane.goes_elsewhere()).map(|(count, lane)| {
            let first = lane.elsewhere().next();
            ((Reverse(count), first.map(|event| event.place())), lane)
        });
        least(lanes, SINGLE).into_iter().flat_map(|lane| lane.elsewhere())
    }
}

/// Those with the least keys, in order; without room for all of them.
fn least<K: Ord, T>(all: impl Iterator<Item = (K, T)>, count: usize) -> Vec<T> {
    let mut kept: Vec<(K, T)> = Vec::new();
    let shorten = |kept: &mut Vec<(K, T)>| {
        kept.sort_by(|a, b| a.0.cmp(&b.0));
        kept.truncate(count);
    };
    // After the first time the last of those that are kept is no more than what would be dropped again.
    let mut is_bounded = false;
    for one in all {
        let bound = kept.get(count.saturating_sub(1)).filter(|_| is_bounded);
        if bound.is_some_and(|(most, _)| *most <= one.0) {
            continue;
        }
        kept.push(one);
        if kept.len() >= 16 * count {
            shorten(&mut kept);
            is_bounded = true;
        }
    }
    shorten(&mut kept);
    kept.into_iter().map(|(_, one)| one).collect()
}

impl Group<'_> {
    /// The lines of its examples. Of which resources a request is wanted that was served goes to `served`, and what is an
    /// example more to `further`.
    fn wanted(
        &self,
        (id, open): (u64, &Open),
        number: &mut u64,
        wanted: &mut Vec<Wanted>,
        (served, further): (&mut Vec<u32>, &mut Vec<Wanted>),
    ) {
        let accounts = self.kinds.iter().map(|k| k.name).filter(|n| *n > 2).collect();
        let clients = self.kinds.iter().map(|k| k.client).filter(|c| *c != 0).collect();
        let whose = Arc::new((accounts, clients));
        // What no example is read of is told by the first kind.
        let (read, rest) = self.kinds.split_at(self.kinds.len().min(TOGETHER));
        let mut whole = Rest::default();
        rest.iter().for_each(|kind| whole.add(kind));
        for (i, kind) in read.iter().enumerate() {
            let mut own = if i == 0 { std::mem::take(&mut whole) } else { Rest::default() };
            own.add(kind);
            let few = if self.kinds.len() > 1 { 1 } else { 3 };
            let count = kind.examples.len().min(few);
            let mut is_served = false;
            for (example, chain) in kind.examples.iter().take(few).enumerate() {
                *number += 1;
                let by_address = open.at(kind, chain.resource);
                is_served |= by_address.is_some();
                served.extend(by_address.map(|(key, _)| key));
                let is_last = example + 1 == count;
                let refused = if is_last { own.refused } else { chain.refused.min(own.refused) };
                own.refused -= refused;
                let (first, last) =
                    if is_last { (own.first, own.last) } else { (chain.first.time, chain.last().time) };
                for (step, event) in chain.events().enumerate() {
                    let bears = is_last && step == 0;
                    wanted.push(Wanted {
                        event: event.clone(),
                        chain: *number,
                        group: id,
                        client: kind.client,
                        name: kind.name,
                        refused,
                        whose: Arc::clone(&whose),
                        first,
                        last,
                        series: if bears { std::mem::take(&mut own.series) } else { Series::default() },
                        by_address: by_address.map(|(_, by_address)| by_address),
                    });
                }
            }
            if let (false, Some((key, by_address, event))) = (is_served, open.example(kind)) {
                *number += 1;
                served.push(key);
                further.push(Wanted {
                    event: event.clone(),
                    chain: *number,
                    group: id,
                    client: kind.client,
                    name: kind.name,
                    refused: 0,
                    whose: Arc::clone(&whose),
                    first: event.time,
                    last: event.time,
                    series: Series::default(),
                    by_address: Some(by_address),
                });
            }
        }
    }
}

/// What several kinds amount to.
#[derive(Default)]
struct Rest {
    refused: u64,
    first: Option<i64>,
    last: Option<i64>,
    series: Series,
}

impl Rest {
    fn add(&mut self, kind: &Kind) {
        self.refused += kind.refused;
        self.first = [self.first, kind.first].into_iter().flatten().min();
        self.last = self.last.max(kind.last);
        self.series.merge(&kind.series);
    }
}
