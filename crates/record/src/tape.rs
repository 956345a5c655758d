//! Everything that passes, read into exchanges; and what did not work on the way.

use crate::attention::{Attention, MANY};
use crate::long::is_possible;
use jiff::Timestamp;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use why401_http::{Moment, Peer};
use why401_read::http1::Side;
use why401_read::{Live, Sink};
use why401_span::SourceId;

/// Something that keeps an exchange from being recorded, or that explains why there was none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// The program does not take the authority of this run for this host.
    NotTrusted(String),
    /// No connection to the server came about; why.
    NoConnection(String),
    /// The server's certificate does not verify; the program gets one that does not verify either.
    BadCertificate(String),
    /// The server asks for a client certificate, which only its owner can show.
    ClientCertificate(String),
    /// Something else than TLS or HTTP was said in a tunnel to this host.
    Other(String),
}

/// The tape of one run.
#[derive(Clone)]
pub(crate) struct Tape(Rc<RefCell<Inner>>, Attention);

struct Inner {
    live: Live,
    late: Late,
    sink: Rc<RefCell<dyn Sink>>,
    connections: u64,
    notes: Vec<Note>,
}

/// Short answers that have passed and are not recorded yet. Whoever waited for one is likely to share a processor with the recorder,
/// and goes first; there is time when the next request is on its way to the server.
#[derive(Default)]
struct Late {
    /// Of which connection, how many bytes, and when.
    pieces: Vec<(u64, usize, Moment)>,
    bytes: Vec<u8>,
}

/// No more bytes than this wait to be recorded.
const LATE: usize = 4 * MANY;

impl Inner {
    /// Records what waits for it.
    fn settle(&mut self) {
        let mut rest = self.late.bytes.as_slice();
        for (connection, length, at) in self.late.pieces.drain(..) {
            let (piece, behind) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            self.live.bytes(connection, Side::Server, piece, at, &mut *self.sink.borrow_mut());
            rest = behind;
        }
        self.late.bytes.clear();
    }
}

/// More notes than anybody reads.
const NOTES: usize = 100;

impl Tape {
    /// `whole` says that every exchange is wanted, however many there are.
    pub(crate) fn new(
        source: SourceId,
        sink: Rc<RefCell<dyn Sink>>,
        whole: bool,
        attention: Attention,
    ) -> Tape {
        let live = if whole { Live::new(source) } else { Live::new(source).of_many() };
        let inner = Inner { live, late: Late::default(), sink, connections: 0, notes: Vec::new() };
        Tape(Rc::new(RefCell::new(inner)), attention)
    }

    /// The number of the next connection.
    pub(crate) fn open(&self, client: SocketAddr, server: Peer, encrypted: bool) -> u64 {
        let mut inner = self.0.borrow_mut();
        inner.settle();
        let number = inner.connections;
        inner.connections += 1;
        let client = Peer { host: client.ip().to_string(), port: Some(client.port()) };
        inner.live.open(number, client, server, encrypted);
        number
    }

    pub(crate) fn bytes(&self, connection: u64, side: Side, bytes: &[u8]) {
        self.1.passed(bytes.len());
        let inner = &mut *self.0.borrow_mut();
        let at = Moment::utc(Timestamp::now());
        let waits = side == Side::Server && bytes.len() < MANY && inner.late.bytes.len() < LATE;
        if waits && is_possible() {
            inner.late.pieces.push((connection, bytes.len(), at));
            return inner.late.bytes.extend_from_slice(bytes);
        }
        inner.settle();
        inner.live.bytes(connection, side, bytes, at, &mut *inner.sink.borrow_mut());
    }

    /// How many of the next bytes need not be recorded: content of which nothing more is kept.
    pub(crate) fn unkept(&self, connection: u64, side: Side) -> u64 {
        let mut inner = self.0.borrow_mut();
        inner.settle();
        inner.live.unkept(connection, side)
    }

    /// Records what has passed and waits for it.
    pub(crate) fn settle(&self) {
        self.0.borrow_mut().settle();
    }

    /// So many of those have passed.
    pub(crate) fn passed(&self, connection: u64, side: Side, bytes: u64) {
        let inner = &mut *self.0.borrow_mut();
        inner.settle();
        inner.live.passed(connection, side, bytes, &mut *inner.sink.borrow_mut());
    }

    pub(crate) fn end(&self, connection: u64, side: Side) {
        let inner = &mut *self.0.borrow_mut();
        inner.settle();
        inner.live.end(connection, side, &mut *inner.sink.borrow_mut());
    }

    pub(crate) fn close(&self, connection: u64) {
        let inner = &mut *self.0.borrow_mut();
        inner.settle();
        inner.live.close(connection, &mut *inner.sink.borrow_mut());
    }

    pub(crate) fn note(&self, note: Note) {
        let mut inner = self.0.borrow_mut();
        if inner.notes.len() < NOTES && !inner.notes.contains(&note) {
            inner.notes.push(note);
        }
    }

    /// Nothing more passes: connections, bytes and notes.
    pub(crate) fn finish(&self) -> (u64, u64, Vec<Note>) {
        let inner = &mut *self.0.borrow_mut();
        inner.settle();
        inner.live.finish(&mut *inner.sink.borrow_mut());
        (inner.connections, inner.live.said(), std::mem::take(&mut inner.notes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use why401_http::{Exchange, Fact, Statement};
    use why401_report::Problem;
    use why401_span::LayerId;

    #[derive(Default)]
    struct Heard(Vec<Option<u16>>);

    impl Sink for Heard {
        fn exchange(&mut self, exchange: Exchange) {
            self.0.push(exchange.response.map(|r| r.status));
        }
        fn statement(&mut self, _: Statement) {}
        fn fact(&mut self, _: Fact) {}
        fn problem(&mut self, problem: Problem) {
            panic!("{problem:?}");
        }
        fn layer(&mut self, _: String) -> LayerId {
            LayerId(0)
        }
    }

    #[test]
    fn an_answer_waits_for_the_next_request_or_for_a_pause_and_keeps_its_place() {
        let heard = Rc::new(RefCell::new(Heard::default()));
        let sink: Rc<RefCell<dyn Sink>> = Rc::<RefCell<Heard>>::clone(&heard);
        let tape = Tape::new(SourceId(0), sink, true, Attention::default());
        let told = || heard.borrow().0.iter().flatten().copied().collect::<Vec<_>>();
        let peer = || Peer { host: "127.0.0.1".to_owned(), port: Some(80) };
        let client = SocketAddr::from(([127, 0, 0, 1], 4711));
        let (one, other) = (tape.open(client, peer(), false), tape.open(client, peer(), false));
        let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let wanted = |late: &[u16], now: &[u16]| if is_possible() { late.to_vec() } else { now.to_vec() };

        tape.bytes(one, Side::Client, request);
        tape.bytes(other, Side::Client, request);
        tape.bytes(other, Side::Server, b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n");
        tape.bytes(one, Side::Server, b"HTTP/1.1 204 No Content\r\n\r\n");
        tape.bytes(other, Side::Server, b"no");
        assert_eq!(told(), wanted(&[], &[204, 401]));
        tape.bytes(one, Side::Client, request);
        assert_eq!(told(), [204, 401]);
        tape.bytes(one, Side::Server, b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(told(), wanted(&[204, 401], &[204, 401, 205]));
        tape.settle();
        assert_eq!(told(), [204, 401, 205]);
        tape.bytes(one, Side::Client, request);
        tape.bytes(one, Side::Server, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        let (_, bytes, _) = tape.finish();
        assert_eq!((told(), bytes), (vec![204, 401, 205, 403], 4 * 27 + 48 + 27 + 2 + 49 + 45));
    }
}
