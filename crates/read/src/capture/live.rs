//! Connections whose bytes are handed over as they pass, instead of being found in a capture: what `probe` says and
//! hears itself, and what goes through the recorder of `run`.

use super::conversation::Conversation;
use super::exchanges::{Account, Exchanges, Place};
use crate::Sink;
use crate::http1::Side;
use std::collections::BTreeMap;
use why401_capture::Direction;
use why401_http::{Moment, Peer};
use why401_span::{SourceId, Span};

/// The connections of one recording. What is spoken on each (HTTP/1, HTTP/2, a tunnel) is found by its bytes.
#[derive(Debug)]
pub struct Live {
    source: SourceId,
    account: Account,
    open: BTreeMap<u64, Conversation>,
    /// Bytes so far: offsets count in all that was said, in the order in which it was said.
    said: u64,
}

impl Live {
    /// A recording that becomes this source.
    pub fn new(source: SourceId) -> Self {
        Live { source, account: Account::default(), open: BTreeMap::new(), said: 0 }
    }

    /// One that hands over of very many exchanges only those that explain something, and counts the rest.
    #[must_use]
    pub fn of_many(mut self) -> Self {
        self.account = self.account.of_many();
        self
    }

    /// A connection begins. `encrypted` says that the bytes handed over went through TLS on their way.
    pub fn open(&mut self, connection: u64, client: Peer, server: Peer, encrypted: bool) {
        let place = Place { connection, client, server, encrypted };
        self.open.insert(connection, Conversation::new(place, 0));
    }

    /// The next bytes of one direction of a connection, decrypted.
    pub fn bytes(&mut self, connection: u64, side: Side, bytes: &[u8], at: Moment, sink: &mut dyn Sink) {
        let origin = Span::new(self.source, self.said, self.said + bytes.len() as u64);
        self.said = origin.end;
        self.with(connection, sink, |c, to| c.bytes(direction(side), bytes, origin, Some(at), to));
    }

    /// So many bytes of one direction passed and were not kept.
    pub fn gap(&mut self, connection: u64, side: Side, bytes: u64, sink: &mut dyn Sink) {
        self.said += bytes;
        self.with(connection, sink, |c, to| c.gap(direction(side), bytes, to));
    }

    /// How many of the next bytes of one direction need not be shown: content of which nothing more is kept.
    pub fn unkept(&self, connection: u64, side: Side) -> u64 {
        self.open.get(&connection).map_or(0, |c| c.unkept(direction(side)))
    }

    /// So many of those have passed.
    pub fn passed(&mut self, connection: u64, side: Side, bytes: u64, sink: &mut dyn Sink) {
        self.said += bytes;
        self.with(connection, sink, |c, to| c.passed(direction(side), bytes, to));
    }

    /// One direction was closed.
    pub fn end(&mut self, connection: u64, side: Side, sink: &mut dyn Sink) {
        self.with(connection, sink, |c, to| c.end(direction(side), to));
    }

    /// A connection is over.
    pub fn close(&mut self, connection: u64, sink: &mut dyn Sink) {
        let Some(conversation) = self.open.remove(&connection) else { return };
        let mut to = Exchanges::resume(self.source, sink, std::mem::take(&mut self.account));
        conversation.finish(&mut to);
        self.account = to.pause();
    }

    /// All connections are over.
    pub fn finish(&mut self, sink: &mut dyn Sink) {
        while let Some((&connection, _)) = self.open.first_key_value() {
            self.close(connection, sink);
        }
        let mut to = Exchanges::resume(self.source, sink, std::mem::take(&mut self.account));
        to.count_passed();
        self.account = to.pause();
    }

    /// How many bytes were said so far.
    pub fn said(&self) -> u64 {
        self.said
    }

    /// How many exchanges were handed over so far.
    pub fn exchanges(&self) -> u64 {
        self.account.given()
    }

    fn with(
        &mut self,
        connection: u64,
        sink: &mut dyn Sink,
        act: impl FnOnce(&mut Conversation, &mut Exchanges<'_>),
    ) {
        let Some(conversation) = self.open.get_mut(&connection) else { return };
        let mut to = Exchanges::resume(self.source, sink, std::mem::take(&mut self.account));
        act(conversation, &mut to);
        self.account = to.pause();
    }
}

fn direction(side: Side) -> Direction {
    match side {
        Side::Client => Direction::ToServer,
        Side::Server => Direction::ToClient,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Collected;

    #[test]
    fn content_of_which_nothing_is_kept_need_not_be_shown() {
        let mut live = Live::new(SourceId(0));
        let mut out = Collected::default();
        let at = Moment::utc(jiff::Timestamp::UNIX_EPOCH);
        let peer = |host: &str| Peer { host: host.to_owned(), port: Some(80) };
        live.open(0, peer("127.0.0.1"), peer("192.0.2.1"), false);
        live.bytes(0, Side::Client, b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n", at, &mut out);
        live.bytes(0, Side::Server, b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", at, &mut out);
        assert_eq!(live.unkept(0, Side::Server), 0);
        live.bytes(0, Side::Server, &[b'x'; 100_000], at, &mut out);
        assert_eq!((live.unkept(0, Side::Server), live.unkept(0, Side::Client)), (900_000, 0));
        live.passed(0, Side::Server, 300_000, &mut out);
        live.passed(0, Side::Server, 600_000, &mut out);
        assert_eq!((live.unkept(0, Side::Server), live.exchanges()), (0, 1));
        live.bytes(0, Side::Client, b"GET /b HTTP/1.1\r\nHost: h\r\n\r\n", at, &mut out);
        live.bytes(0, Side::Server, b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", at, &mut out);
        live.finish(&mut out);
        let statuses: Vec<_> = out.exchanges.iter().map(|e| e.status()).collect();
        assert_eq!(statuses, [Some(200), Some(401)]);
    }

    #[test]
    fn of_many_those_are_handed_over_that_explain_something() {
        let mut live = Live::new(SourceId(0)).of_many();
        let mut out = Collected::default();
        let at = Moment::utc(jiff::Timestamp::UNIX_EPOCH);
        let peer = |host: &str| Peer { host: host.to_owned(), port: Some(80) };
        live.open(0, peer("127.0.0.1"), peer("192.0.2.1"), false);
        let answers = [&b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"[..]; 1000];
        let refused = &b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"[..];
        for answer in answers.into_iter().chain([refused]) {
            live.bytes(0, Side::Client, b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n", at, &mut out);
            live.bytes(0, Side::Server, answer, at, &mut out);
        }
        live.finish(&mut out);
        let last: Vec<_> = out.exchanges.iter().rev().take(2).map(|e| e.status()).collect();
        assert_eq!((live.exchanges(), out.exchanges.len() < 600, out.problems.len()), (1001, true, 0));
        assert_eq!(last, [Some(401), Some(200)], "what worked before the refusal goes with it");
    }

    #[test]
    fn what_is_said_becomes_exchanges_with_offsets_in_the_whole() {
        let mut live = Live::new(SourceId(0));
        let mut out = Collected::default();
        let at = Moment::utc(jiff::Timestamp::UNIX_EPOCH);
        let peer = |host: &str| Peer { host: host.to_owned(), port: Some(80) };
        for connection in [0, 1] {
            live.open(connection, peer("127.0.0.1"), peer("192.0.2.1"), connection == 1);
            live.bytes(connection, Side::Client, b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n", at, &mut out);
            live.bytes(connection, Side::Server, b"HTTP/1.1 401 No\r\n", at, &mut out);
            live.bytes(connection, Side::Server, b"Content-Length: 0\r\n\r\n", at, &mut out);
        }
        live.finish(&mut out);
        assert_eq!((live.exchanges(), out.exchanges.len(), live.said()), (2, 2, 132));
        let second = out.exchanges[1].request.as_ref().unwrap();
        assert_eq!(second.scheme.as_deref(), Some("https"));
        assert_eq!(second.line.whole().map(|l| (l.span.start, l.exact)), Some((66, true)));
    }
}
