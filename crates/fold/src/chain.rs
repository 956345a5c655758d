//! Requests that are steps of one handshake.

use crate::hash::{FIXED, Seed, pair};
use crate::part::REACH;
use crate::wire::{In, Malformed, Wire, wire};
use crate::{Claimed, Event, Seen};

/// How long a client may take to answer a challenge, and how far clocks may go back, in milliseconds.
const ANSWER_WINDOW: std::ops::RangeInclusive<i64> = -1000..=120_000;
/// How long a program takes to answer a renewed nonce, by a log of whole seconds, in milliseconds.
const RENEWAL_WINDOW: std::ops::RangeInclusive<i64> = 0..=1000;

/// What of a request matters for the one after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step {
    /// Which exchange of its part it is, from 0.
    pub(crate) index: u64,
    pub(crate) time: Option<i64>,
    pub(crate) status: u16,
    pub(crate) user: User,
    pub(crate) let_in: bool,
    handshake: bool,
    pub(crate) lane: u64,
    pub(crate) client: u64,
    pub(crate) name: u64,
    pub(crate) agent: u64,
    pub(crate) code: u64,
}

wire!(Step {
    index,
    time,
    status,
    user,
    let_in,
    handshake,
    lane: key,
    client: key,
    name: key,
    agent: key,
    code: key,
});

impl Wire for User {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }
    fn get(from: &mut In<'_>) -> Result<Self, Malformed> {
        let all = [User::NotLogged, User::Dash, User::Empty, User::Named];
        all.get(usize::from(u8::get(from)?)).copied().ok_or(Malformed)
    }
}

/// Whom a request names, without the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum User {
    NotLogged,
    Dash,
    Empty,
    Named,
}

/// The keys of one request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Keys {
    pub(crate) client: u64,
    /// Of the name; of what stands for none, where there is none.
    pub(crate) name: u64,
    pub(crate) agent: u64,
    pub(crate) lane: u64,
    /// The same in every run.
    pub(crate) path: u64,
    /// Of method and path; the same in every run.
    pub(crate) resource: u64,
}

/// Into so many groups conversations fall: a power of two.
pub(crate) const TALKS: u64 = 16 * 1024;

impl Keys {
    #[inline(always)]
    pub(crate) fn of(seen: &Seen<'_>, seed: Seed) -> Keys {
        let (client, agent) = (seed.key(seen.client), seed.key(seen.agent));
        let (name, lane) = match seen.user {
            Claimed::Name(name) => {
                let name = seed.key(name);
                // Of whoever has a name, the programs are told apart: that one of them changed may be the cause.
                (name, pair(pair(client, name), agent ^ version(seen.version)))
            }
            Claimed::NotLogged => (0, seed.of([client, 0])),
            Claimed::Dash => (1, seed.of([client, 1])),
            Claimed::Empty => (2, seed.of([client, 2])),
        };
        let path = FIXED.key(seen.path);
        let resource = FIXED.of([method(seen.method), path]);
        Keys { client, name, agent, lane, path, resource }
    }

    /// The group of its conversation: all that most requests have to tell of it.
    #[inline]
    pub(crate) fn group(&self) -> u64 {
        (self.client ^ self.resource) % TALKS
    }

    /// The key of its conversation, of all requests of one client for one resource. Its last bits are its group.
    pub(crate) fn talk(&self, seen: &Seen<'_>, seed: Seed) -> u64 {
        let host = if seen.host.is_empty() { 0 } else { seed.key(seen.host) };
        let talk = seed.of([self.client, self.agent, host, self.resource]);
        talk - talk % TALKS + self.group()
    }
}

/// The key of a method. That of nearly all requests is known when this is compiled.
#[inline]
fn method(method: &[u8]) -> u64 {
    if method == b"GET" { FIXED.key(b"GET") } else { FIXED.key(method) }
}

/// The key of a version of HTTP, likewise.
#[inline]
fn version(version: &[u8]) -> u64 {
    if version == b"1.1" { FIXED.key(b"1.1") } else { FIXED.key(version) }
}

/// How two requests hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// The second answers the challenge of the first.
    Answer,
    /// The same client with the same name was let in at once: a nonce renewed, if it was let in before at all.
    Renewal,
}

impl Step {
    pub(crate) fn of(seen: &Seen<'_>, keys: &Keys, index: u64) -> Step {
        let user = match seen.user {
            Claimed::NotLogged => User::NotLogged,
            Claimed::Dash => User::Dash,
            Claimed::Empty => User::Empty,
            Claimed::Name(_) => User::Named,
        };
        Step {
            index,
            time: seen.time,
            status: seen.status,
            user,
            let_in: seen.let_in(),
            handshake: seen.handshake,
            lane: keys.lane,
            client: keys.client,
            name: keys.name,
            agent: keys.agent,
            code: seen.code,
        }
    }

    /// Whether an answer may follow.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.status, 401 | 407)
    }

    fn is_named(&self) -> bool {
        self.user == User::Named
    }

    /// How `next`, the next request of the same conversation, hangs together with this one. `between` is how many
    /// requests further on it stands.
    pub(crate) fn link(&self, next: &Step, between: u64) -> Option<Link> {
        if between > REACH || !self.waits() {
            return None;
        }
        let apart = self.time.zip(next.time).map(|(a, b)| b.saturating_sub(a));
        if self.is_named() {
            let renewed = self.status == 401
                && next.let_in
                && self.lane == next.lane
                && apart.is_some_and(|ms| RENEWAL_WINDOW.contains(&ms));
            return renewed.then_some(Link::Renewal);
        }
        let answers = next.is_named() || next.let_in || (self.user == User::Dash && self.handshake);
        (answers && apart.is_none_or(|ms| ANSWER_WINDOW.contains(&ms))).then_some(Link::Answer)
    }
}

/// Requests of one client for one resource, each answering the challenge before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The first request.
    pub first: Event,
    /// How many of them were not let in.
    pub refused: u64,
    pub(crate) opening: Step,
    /// What follows the first request. Most are refused once and do not try again: those take little room.
    rest: Option<Box<Rest>>,
    /// Whether any of them has to be explained.
    pub(crate) wanted: bool,
    pub(crate) renewed: bool,
    /// Whether what followed it turned out to be none of it.
    pub(crate) alone: bool,
    /// The same for all requests of the same method and path, in every run.
    pub(crate) resource: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rest {
    /// The second, and the last but one.
    middle: Vec<Event>,
    last: Event,
    end: Step,
}

wire!(Chain { first, refused, opening, rest, wanted, renewed, alone, resource: key });
wire!(Rest { middle, last, end });

impl Chain {
    pub(crate) fn new(step: Step, event: Event, resource: u64, wanted: bool) -> Chain {
        Chain {
            first: event,
            refused: u64::from(!step.let_in),
            opening: step,
            rest: None,
            wanted,
            renewed: false,
            alone: false,
            resource,
        }
    }

    /// Its requests in order: the first two and the last two of a long one.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        let rest = self.rest.iter().flat_map(|r| r.middle.iter().chain([&r.last]));
        std::iter::once(&self.first).chain(rest)
    }

    /// Its last request.
    pub fn last(&self) -> &Event {
        self.rest.as_ref().map_or(&self.first, |r| &r.last)
    }

    /// What matters of its last request.
    pub(crate) fn end(&self) -> &Step {
        self.rest.as_ref().map_or(&self.opening, |r| &r.end)
    }

    /// Whether it is more than one request.
    pub(crate) fn goes_on(&self) -> bool {
        self.rest.is_some()
    }

    /// Counts from further in front: `requests` of the whole; of a source that goes on, as `shift` does.
    pub(crate) fn shift(&mut self, requests: u64, shift: impl Fn(&mut Event)) {
        self.opening.index += requests;
        shift(&mut self.first);
        if let Some(rest) = &mut self.rest {
            rest.end.index += requests;
            rest.middle.iter_mut().chain([&mut rest.last]).for_each(shift);
        }
    }

    /// Appends what follows it.
    pub(crate) fn append(&mut self, next: Chain, link: Link) {
        self.renewed |= link == Link::Renewal || next.renewed;
        self.refused += next.refused;
        self.wanted |= next.wanted;
        let end = *next.end();
        let added = std::iter::once(next.first).chain(next.rest.into_iter().flat_map(|r| {
            let Rest { middle, last, .. } = *r;
            middle.into_iter().chain([last])
        }));
        for event in added {
            match &mut self.rest {
                None => self.rest = Some(Box::new(Rest { middle: Vec::new(), last: event, end })),
                Some(rest) => {
                    let before = std::mem::replace(&mut rest.last, event);
                    rest.middle.truncate(1);
                    rest.middle.push(before);
                }
            }
        }
        if let Some(rest) = &mut self.rest {
            rest.end = end;
        }
    }

    /// Without its last request, where that turned out to be none of it.
    pub(crate) fn without_last(mut self) -> Chain {
        self.rest = self.rest.and_then(|mut rest| {
            rest.last = rest.middle.pop()?;
            Some(rest)
        });
        self.renewed = false;
        self.alone = true;
        self
    }

    #[inline]
    pub(crate) fn place(&self) -> (u32, u64) {
        self.last().place()
    }
}
