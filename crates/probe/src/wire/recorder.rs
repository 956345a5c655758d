//! Every byte that was sent and received, as exchanges.

use jiff::Timestamp;
use why401_http::{Exchange, Fact, FactKind, Moment, Peer, Secured};
use why401_read::http1::Side;
use why401_read::{Collected, Live, Sink};
use why401_span::{Derived, SourceId, Span};

/// Takes what passes on the connections of one source.
#[derive(Debug)]
pub struct Recorder {
    source: SourceId,
    live: Live,
    taken: Collected,
    connections: u64,
}

impl Recorder {
    /// One that becomes this source.
    pub fn new(source: SourceId) -> Self {
        Recorder { source, live: Live::new(source), taken: Collected::default(), connections: 0 }
    }

    /// The number of the next connection, between these two.
    pub fn open(&mut self, client: Peer, server: Peer, encrypted: bool) -> u64 {
        let number = self.connections;
        self.connections += 1;
        self.live.open(number, client, server, encrypted);
        number
    }

    /// Bytes that were sent.
    pub fn sent(&mut self, connection: u64, bytes: &[u8]) {
        let at = Moment::utc(Timestamp::now());
        self.live.bytes(connection, Side::Client, bytes, at, &mut self.taken);
    }

    /// Bytes that were received.
    pub fn received(&mut self, connection: u64, bytes: &[u8]) {
        let at = Moment::utc(Timestamp::now());
        self.live.bytes(connection, Side::Server, bytes, at, &mut self.taken);
    }

    /// The server closed its direction.
    pub fn ended(&mut self, connection: u64) {
        self.live.end(connection, Side::Server, &mut self.taken);
    }

    /// A connection is over.
    pub fn close(&mut self, connection: u64) {
        self.live.close(connection, &mut self.taken);
    }

    /// What is visible of TLS on a connection.
    pub fn secured(&mut self, secured: Secured, summary: String) {
        let here = self.live.said();
        let text = Derived::enclosed(summary, Span::new(self.source, here, here));
        self.taken.fact(Fact { source: self.source, text, kind: FactKind::Tls(Box::new(secured)) });
    }

    /// The exchanges so far.
    pub fn exchanges(&self) -> &[Exchange] {
        &self.taken.exchanges
    }

    /// Bytes so far.
    pub fn said(&self) -> u64 {
        self.live.said()
    }

    /// All that was recorded so far.
    pub fn taken(&self) -> &Collected {
        &self.taken
    }

    /// All that was recorded; connections that are still open are taken for closed.
    pub fn finish(mut self) -> (Collected, u64) {
        self.live.finish(&mut self.taken);
        (self.taken, self.live.said())
    }
}
