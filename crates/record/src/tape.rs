//! Everything that passes, read into exchanges; and what did not work on the way.

use crate::attention::Attention;
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
    sink: Rc<RefCell<dyn Sink>>,
    connections: u64,
    notes: Vec<Note>,
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
        let inner = Inner { live, sink, connections: 0, notes: Vec::new() };
        Tape(Rc::new(RefCell::new(inner)), attention)
    }

    /// The number of the next connection.
    pub(crate) fn open(&self, client: SocketAddr, server: Peer, encrypted: bool) -> u64 {
        let mut inner = self.0.borrow_mut();
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
        inner.live.bytes(connection, side, bytes, at, &mut *inner.sink.borrow_mut());
    }

    /// How many of the next bytes need not be recorded: content of which nothing more is kept.
    pub(crate) fn unkept(&self, connection: u64, side: Side) -> u64 {
        self.0.borrow().live.unkept(connection, side)
    }

    /// So many of those have passed.
    pub(crate) fn passed(&self, connection: u64, side: Side, bytes: u64) {
        let inner = &mut *self.0.borrow_mut();
        inner.live.passed(connection, side, bytes, &mut *inner.sink.borrow_mut());
    }

    pub(crate) fn end(&self, connection: u64, side: Side) {
        let inner = &mut *self.0.borrow_mut();
        inner.live.end(connection, side, &mut *inner.sink.borrow_mut());
    }

    pub(crate) fn close(&self, connection: u64) {
        let inner = &mut *self.0.borrow_mut();
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
        inner.live.finish(&mut *inner.sink.borrow_mut());
        (inner.connections, inner.live.said(), std::mem::take(&mut inner.notes))
    }
}
