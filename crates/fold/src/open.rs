//! Who is refused where others are served without a name: it may depend on the address.

use crate::hash::Keyed;
use crate::lanes::{Sample, key_of};
use crate::{Event, Kind, Told};
use std::collections::HashMap;

/// So many refusals of one client are no slip.
const REFUSED: u64 = 5;

/// How many addresses asked for a resource without a name, none of which was known to be both refused and served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByAddress {
    /// So many were served; where only one of them is known, so many may have been.
    pub served: u64,
    /// So many at least were refused.
    pub refused: u64,
}

/// What is known of the resources at which clients are refused and others are served.
#[derive(Debug, Default)]
pub(crate) struct Open {
    /// By key of the resource.
    resources: HashMap<u32, (ByAddress, Option<Event>)>,
    clients: Keyed<Client>,
}

/// A client that gives no name and is refused.
#[derive(Debug, Default)]
struct Client {
    /// The keys of resources where it is refused: of examples, and the least of all.
    asked: Vec<u32>,
    least: Vec<u32>,
    /// A request for one of the least where others are served.
    example: Option<(u32, Event)>,
    samples: Vec<Sample>,
    refused: u64,
    let_in: u64,
    has_name: bool,
}

impl Client {
    /// Whether it is kept out: never let in where it is refused, mostly refused, and no user by name.
    fn is_kept_out(&self) -> bool {
        let never = |key: u32| self.samples.iter().all(|sample| sample.never_let_in(key));
        let much = self.refused >= REFUSED && self.refused > self.let_in;
        !self.has_name && much && self.least.iter().all(|key| never(*key))
    }

    /// The keys of resources where it was certainly never let in.
    fn keys(&self) -> impl Iterator<Item = u32> {
        let never = |key: &u32| self.samples.iter().all(|sample| sample.never_let_in(*key));
        self.asked.iter().chain(&self.least).copied().filter(never)
    }
}

impl Open {
    /// How addresses fared at a resource of a kind, as its examples name it.
    pub(crate) fn at(&self, kind: &Kind, resource: u64) -> Option<(u32, ByAddress)> {
        let key = key_of(resource);
        self.client(kind)?.keys().find(|own| *own == key)?;
        Some((key, self.resources.get(&key)?.0))
    }

    /// A further example of a kind, of a resource where others are served.
    pub(crate) fn example(&self, kind: &Kind) -> Option<(u32, ByAddress, &Event)> {
        let (key, event) = self.client(kind)?.example.as_ref()?;
        Some((*key, self.resources.get(key)?.0, event))
    }

    /// The first request of a resource that was served.
    pub(crate) fn served(&self, key: u32) -> Option<&Event> {
        self.resources.get(&key)?.1.as_ref()
    }

    /// Whether a kind is of a client that is kept out.
    pub(crate) fn is_kept_out(&self, kind: &Kind) -> bool {
        self.client(kind).is_some()
    }

    fn client(&self, kind: &Kind) -> Option<&Client> {
        self.clients.get(&kind.client).filter(|_| is_nameless(kind))
    }
}

/// Refusals of one client that gave no name.
fn is_nameless(kind: &Kind) -> bool {
    kind.status == 401 && !kind.let_in && kind.name < 2 && kind.client != 0
}

impl Told {
    /// Who is refused where others are served without a name.
    pub(crate) fn open(&self) -> Open {
        let mut clients: Keyed<Client> = Keyed::default();
        for kind in self.kinds.iter().filter(|k| is_nameless(k)) {
            let asked = &mut clients.entry(kind.client).or_default().asked;
            asked.extend(kind.examples.iter().map(|chain| key_of(chain.resource)));
        }
        if clients.is_empty() {
            return Open::default();
        }
        for lane in self.lanes.iter() {
            let Some(client) = clients.get_mut(&lane.client) else { continue };
            let Some(sample) = lane.sample().filter(|_| lane.name < 2) else {
                client.has_name = true;
                continue;
            };
            client.refused += lane.refused;
            client.let_in += lane.let_in;
            client.least.extend(sample.refused());
            client.samples.push(*sample);
        }
        clients.retain(|_, client| client.is_kept_out());
        let asked = clients.values().flat_map(Client::keys);
        let mut resources: HashMap<u32, (ByAddress, bool)> =
            asked.map(|key| (key, Default::default())).collect();
        if resources.is_empty() {
            return Open::default();
        }
        // Of lanes that use many resources it is not known which.
        let mut bars: Vec<u32> = Vec::new();
        for sample in self.lanes.iter().filter(|l| l.name < 2).filter_map(|l| l.sample()) {
            bars.push(sample.bar());
            for key in sample.let_in() {
                let Some((by_address, mixed)) = resources.get_mut(&key) else { continue };
                by_address.served += 1;
                *mixed |= !sample.never_refused(key);
            }
            for key in sample.refused() {
                let Some((by_address, mixed)) = resources.get_mut(&key) else { continue };
                by_address.refused += 1;
                *mixed |= !sample.never_let_in(key);
            }
        }
        bars.sort_unstable();
        for (key, (by_address, _)) in &mut resources {
            by_address.refused = by_address.refused.max(1);
            if by_address.served == 0 && self.served.at(*key).is_some() {
                by_address.served = bars.partition_point(|bar| bar <= key).max(1) as u64;
            }
        }
        resources.retain(|_, (by_address, mixed)| by_address.served > 0 && !*mixed);
        // Whoever asks for what nobody is served looks for something: only where most of it is served to others, it is kept out.
        clients.retain(|_, client| {
            let served = client.least.iter().filter(|key| resources.contains_key(key)).count();
            served > 0 && 2 * served >= client.least.len()
        });
        let mut open = Open { clients, ..Open::default() };
        let served = |(key, (by_address, _))| (key, (by_address, self.served.at(key)));
        open.resources = resources.into_iter().map(served).collect();
        for (lane, key, refused, event) in self.lanes.open() {
            if refused {
                let Some(client) = open.clients.get_mut(&lane.client) else { continue };
                let is_less =
                    client.example.as_ref().is_none_or(|(own, e)| (key, event.place()) < (*own, e.place()));
                if open.resources.contains_key(&key) && is_less {
                    client.example = Some((key, event));
                }
            } else if let Some((_, first)) = open.resources.get_mut(&key)
                && first.as_ref().is_none_or(|first| event.place() < first.place())
            {
                *first = Some(event);
            }
        }
        open
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "in a test a panic is the report")]
mod tests {
    use crate::hash::FIXED;
    use crate::{Claimed, Part, Parts, Seed, Seen, Told, Wanted};

    /// Client, user, status and path.
    type Line = (u8, &'static str, u16, String);

    fn fold(lines: &[Line], size: usize) -> Told {
        let mut parts = Parts::default();
        for (nth, lines) in lines.chunks(size).enumerate() {
            let mut part = Part::new(Seed(3), 0, (nth * size) as u64, false);
            for (i, (client, user, status, path)) in lines.iter().enumerate() {
                let client = format!("192.0.2.{client}");
                let seen = Seen {
                    client: client.as_bytes(),
                    user: if user.is_empty() { Claimed::Dash } else { Claimed::Name(user.as_bytes()) },
                    status: *status,
                    time: Some(1_700_000_000_000 + (nth * size + i) as i64 * 200_000),
                    method: b"GET",
                    path: path.as_bytes(),
                    offset: (nth * size + i) as u64,
                    ..Seen::default()
                };
                part.take(&seen, i as u32 + 1);
            }
            part.advance((nth * size + lines.len()) as u64, lines.len() as u64);
            parts.insert(part);
        }
        parts.finish()
    }

    /// Whom it may concern: how many were served and refused, and the places of the refusals.
    fn kept_out(told: &Told) -> Vec<Wanted> {
        told.wanted().into_iter().filter(|w| w.by_address.is_some()).collect()
    }

    /// Two clients that are served twelve resources.
    fn served() -> Vec<Line> {
        (0..120).map(|i| (i / 12 % 2, "", 200, format!("/{}", i % 12))).collect()
    }

    /// Those, and in between others.
    fn with(others: impl IntoIterator<Item = Line>) -> Vec<Line> {
        let mut lines = served();
        for (i, line) in others.into_iter().enumerate() {
            lines.insert(7 + i * 3, line);
        }
        lines
    }

    #[test]
    fn one_that_is_refused_where_others_are_served_is_kept_out_however_the_log_is_cut() {
        for paths in [1, 2, 12] {
            let lines = with((0..24).map(|i| (9, "", 401, format!("/{}", i % paths))));
            let whole = fold(&lines, lines.len());
            let found = kept_out(&whole);
            assert!(!found.is_empty(), "{paths}");
            assert!(
                found.iter().all(|w| w.by_address.is_some_and(|all| all.served == 2 && all.refused == 1))
            );
            // Beside each a request of the same resource that was served is read.
            let line = |w: &Wanted| lines[w.event.offset as usize].clone();
            for refused in found.iter().map(line) {
                assert_eq!((refused.0, refused.2), (9, 401));
                let good = whole.wanted().iter().map(line).any(|l| l.2 == 200 && l.3 == refused.3);
                assert!(good, "{refused:?}");
            }
            for size in [1, 5, 17, 100] {
                assert_eq!(fold(&lines, size).wanted(), whole.wanted(), "{paths} {size}");
            }
        }
    }

    #[test]
    fn who_is_refused_for_another_reason_is_not_kept_out() {
        let path = |i: usize| format!("/{}", i % 4);
        let cases: [(&str, Vec<Line>); 6] = [
            ("too few", (0..4).map(|i| (9, "", 401, path(i))).collect()),
            // Let in first and refused where the session is over.
            ("session", (0..24).map(|i| (9, "", if i < 5 { 200 } else { 401 }, path(i))).collect()),
            ("names", (0..24).map(|i| (9, if i % 2 == 0 { "" } else { "eve" }, 401, path(i))).collect()),
            ("secret files", (0..24).map(|i| (9, "", 401, format!("/.env{}", i / 2))).collect()),
            // Somebody's session is over; with another one it goes by credentials.
            (
                "another was both",
                (0..24)
                    .map(|i| (9 + (i / 4 % 2) as u8, "", if i < 8 && i > 3 { 200 } else { 401 }, path(i)))
                    .collect(),
            ),
            (
                "mostly let in",
                (0..24)
                    .map(|i| if i % 3 == 0 { (9, "", 401, path(i)) } else { (9, "", 200, "/else".into()) })
                    .collect(),
            ),
        ];
        for (name, others) in cases {
            let lines = with(others);
            assert!(kept_out(&fold(&lines, 1000)).is_empty(), "{name}");
        }
    }

    #[test]
    fn resources_in_the_worst_order_take_no_more_room() {
        let mut paths: Vec<String> = (0..20_000).map(|i| format!("/{i}")).collect();
        paths
            .sort_by_key(|path| std::cmp::Reverse(FIXED.of([FIXED.key(b"GET"), FIXED.key(path.as_bytes())])));
        let mut part = Part::new(Seed(3), 0, 0, true);
        for (i, path) in paths.iter().enumerate() {
            let seen = Seen {
                client: b"192.0.2.1",
                user: Claimed::Dash,
                status: if i % 2 == 0 { 200 } else { 401 },
                method: b"GET",
                path: path.as_bytes(),
                text: path.as_bytes(),
                offset: i as u64,
                ..Seen::default()
            };
            part.take(&seen, 1);
            assert!(part.lanes.kept_places() < 2200);
        }
        part.advance(20_000, 20_000);
        let mut parts = Parts::default();
        parts.insert(part);
        assert_eq!(parts.finish().lanes.open().count(), 7);
    }
}
