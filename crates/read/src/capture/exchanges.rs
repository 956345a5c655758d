//! Pairs of messages to exchanges, for all protocols alike.

use super::kerberos;
use super::plain::{Plain, Said, Verdict};
use super::unread::{Protocol, Unread};
use crate::Sink;
use crate::http1::{Pair, RawPair};
use jiff::Timestamp;
use std::collections::HashSet;
use std::rc::Rc;
use why401_capture::Time;
use why401_http::{Exchange, Fact, FactKind, Moment, Peer, Shows};
use why401_report::Problem;
use why401_span::{Derived, LayerId, SourceId, Span};
use why401_tls::KeyLog;

/// Between whom an exchange took place.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Number of the connection in the capture.
    pub(super) connection: u64,
    /// Who opened the connection.
    pub(super) client: Peer,
    /// Who accepted it.
    pub(super) server: Peer,
    /// Whether it went through TLS.
    pub(super) encrypted: bool,
}

/// What was handed over so far.
#[derive(Debug, Default)]
pub(super) struct Account {
    next: u64,
    told: HashSet<String>,
    facts: usize,
    layers: Layers,
    unread: Unread,
    /// Given with the evidence, and found in the capture itself.
    keys: Rc<KeyLog>,
    plain: Option<Plain>,
}

impl Account {
    /// Of very many exchanges only those that explain something are handed over, and the rest is counted.
    pub(super) fn of_many(mut self) -> Self {
        self.plain = Some(Plain::default());
        self
    }

    /// How many exchanges were handed over.
    pub(super) fn given(&self) -> u64 {
        self.next
    }
}

/// Streams that were decrypted: connections may be very many, and each name is kept.
#[derive(Debug, Default)]
struct Layers {
    named: usize,
    /// What all others are called.
    others: Option<LayerId>,
}

/// Where exchanges go.
pub(super) struct Exchanges<'a> {
    source: SourceId,
    sink: &'a mut dyn Sink,
    next: u64,
    told: HashSet<String>,
    facts: usize,
    layers: Layers,
    unread: Unread,
    /// Given with the evidence, and found in the capture itself.
    pub(super) keys: Rc<KeyLog>,
    /// What is held back of very many; nothing is where all are wanted.
    plain: Option<Plain>,
}

impl<'a> Exchanges<'a> {
    /// Of a capture.
    pub(super) fn new(source: SourceId, sink: &'a mut dyn Sink, keys: KeyLog) -> Self {
        let account = Account { keys: Rc::new(keys), ..Account::default() };
        Exchanges::resume(source, sink, account.of_many())
    }

    /// Goes on where [`Exchanges::pause`] left off.
    pub(super) fn resume(source: SourceId, sink: &'a mut dyn Sink, account: Account) -> Self {
        let Account { next, told, facts, layers, unread, keys, plain } = account;
        Exchanges { source, sink, next, told, facts, layers, unread, keys, plain }
    }

    /// Lets go of the sink.
    pub(super) fn pause(self) -> Account {
        let Exchanges { next, told, facts, layers, unread, keys, plain, .. } = self;
        Account { next, told, facts, layers, unread, keys, plain }
    }

    /// Whether so many were handed over that of further successes the front is enough.
    pub(super) fn are_many(&self) -> bool {
        const MANY: u64 = 500;
        self.next >= MANY
    }

    pub(super) fn source(&self) -> SourceId {
        self.source
    }

    /// Something that could not be read; the same is told once, and not more than anybody could look at.
    pub(super) fn problem(&mut self, at: Span, what: &str) {
        const MOST: usize = 200;
        if self.told.len() < MOST && self.told.insert(what.to_owned()) {
            let offset = if at.layer.is_none() { at.start } else { 0 };
            self.sink.problem(Problem { offset, line: None, what: what.to_owned() });
        }
    }

    /// Context; not more of it than anybody could look at.
    pub(super) fn fact(&mut self, text: Derived, kind: FactKind) {
        const MOST: usize = 2000;
        if self.facts < MOST {
            self.facts += 1;
            self.sink.fact(Fact { source: self.source, text, kind });
        }
    }

    /// A connection inside which nothing could be read; `keys` says that keys would have helped.
    pub(super) fn unread(&mut self, what: Protocol, host: String, why: String, at: Span, keys: bool) {
        self.unread.add(what, host, why, at, keys);
    }

    /// What is told of the capture as a whole, and where.
    pub(super) fn finish(mut self) -> (&'a mut dyn Sink, Vec<Problem>) {
        let count = self.count_passed();
        if count > 0 {
            let what = format!(
                "{count} exchanges were counted and not looked at one by one: they gave what was asked for or were never answered, \
                 and have nothing in common with a refusal"
            );
            self.sink.problem(Problem { offset: 0, line: None, what });
        }
        (self.sink, self.unread.problems())
    }

    /// Tells of those that were held back to the end; how many they are.
    pub(super) fn count_passed(&mut self) -> u64 {
        let passed = self.plain.take().map(Plain::passed).unwrap_or_default();
        let count = passed.values().map(|p| p.count).sum();
        for (status, p) in passed {
            self.sink.passed(status, p.count, p.first, p.last);
        }
        count
    }

    /// What a KDC said, if it refused.
    pub(super) fn kdc(&mut self, message: &Derived, time: Option<Moment>, client: Peer) {
        if let Some(said) = kerberos::statement(self.source, message, time, client) {
            self.sink.statement(said);
        }
    }

    /// A decrypted stream: one of the first by its name.
    pub(super) fn layer(&mut self, name: impl FnOnce() -> String) -> Span {
        const MOST: usize = 20_000;
        let nowhere = Span::new(self.source, 0, 0);
        if self.layers.named < MOST {
            self.layers.named += 1;
            return nowhere.in_layer(self.sink.layer(name()));
        }
        let others = match self.layers.others {
            Some(others) => others,
            None => {
                let what = format!(
                    "of the decrypted streams behind the first {MOST} it is not told which one a finding's place is in"
                );
                self.problem(nowhere, &what);
                *self.layers.others.insert(self.sink.layer("one of many decrypted streams".to_owned()))
            }
        };
        nowhere.in_layer(others)
    }

    /// A request and its answer, not taken apart yet.
    pub(super) fn raw(&mut self, place: &Rc<Place>, pair: Box<RawPair>) {
        self.said(place, Said::Raw(pair));
    }

    /// A request and its answer.
    pub(super) fn pair(&mut self, place: &Place, pair: Pair) {
        self.said(&Rc::new(place.clone()), Said::Read(Box::new(pair)));
    }

    fn said(&mut self, place: &Rc<Place>, said: Said) {
        let number = self.next;
        self.next += 1;
        let verdict = match &mut self.plain {
            Some(plain) => plain.judge(number, place, said),
            None => Verdict::Tell(said, Vec::new()),
        };
        if let Verdict::Tell(said, held) = verdict {
            for held in held {
                self.exchange(held.number, &held.place, held.said.read());
            }
            self.exchange(number, place, said.read());
        }
    }

    fn exchange(&mut self, number: u64, place: &Place, pair: Pair) {
        let mut exchange = Exchange::new(self.source, number, Shows::EVERYTHING);
        exchange.time = pair.request.as_ref().and_then(|m| m.at);
        exchange.time = exchange.time.or(pair.response.as_ref().and_then(|m| m.at));
        exchange.client = Some(place.client.clone());
        exchange.server = Some(place.server.clone());
        exchange.connection = Some(place.connection);
        exchange.request = pair.request.map(|m| m.message);
        if let Some(request) = &mut exchange.request {
            let scheme = match (request.version.starts_with("RTSP"), place.encrypted) {
                (true, _) => "rtsp",
                (false, true) => "https",
                (false, false) => "http",
            };
            request.scheme.get_or_insert_with(|| scheme.to_owned());
        }
        exchange.response = pair.response.map(|m| m.message);
        let is_rtsp = |version: &str| version.starts_with("RTSP");
        if exchange.response.as_ref().is_some_and(|r| r.status == 401 && is_rtsp(&r.version)) {
            let what = format!(
                "{} speaks RTSP, not HTTP (a camera or media server; RFC 7826): it asks for credentials as HTTP does, and \
                 its refusals are explained as far as that goes",
                place.server
            );
            self.problem(Span::new(self.source, 0, 0), &what);
        }
        self.sink.exchange(exchange);
    }
}

/// A time of a capture as evidence gives it.
pub(super) fn moment(time: Time) -> Option<Moment> {
    const SECOND: i64 = 1_000_000_000;
    let (seconds, rest) = (time.0.div_euclid(SECOND), time.0.rem_euclid(SECOND));
    Timestamp::new(seconds, rest as i32).ok().map(Moment::utc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Collected;

    #[test]
    fn names_of_decrypted_streams_are_bounded() {
        let mut out = Collected::default();
        let mut to = Exchanges::new(SourceId(0), &mut out, KeyLog::default());
        let layers: Vec<_> = (0..30_000).map(|n| to.layer(|| format!("tls {n}")).layer).collect();
        assert_ne!(layers.first(), layers.get(19_999));
        assert_eq!(layers.get(20_000), layers.last());
        assert_eq!((out.layers.len(), out.problems.len()), (20_001, 1));
    }
}
