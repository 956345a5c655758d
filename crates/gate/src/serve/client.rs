//! A client's side of an exchange, whatever version of HTTP it speaks.

use crate::config::Limits;
use crate::http::framing::Framing;
use crate::http::head::Bad;
use crate::http::{Answer, Head, Trailers};
use crate::streams::{Gone, Incoming, Then};
use crate::upstream::Connection;
use std::time::Duration;

/// A status, and what to tell the operator.
pub(crate) type Failure = (u16, String);

/// The client's side.
pub(crate) trait Client: Send {
    /// How the content of the request is framed.
    fn framing(&self) -> Result<Framing, Bad>;

    /// Lets a client that waits for it send its content (RFC 9110 section 10.1.1).
    fn invite(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Adds content of the request to `piece`; `true` at its end. It may be dropped while it waits and loses nothing.
    fn read(&mut self, piece: &mut Vec<u8>) -> impl Future<Output = Result<bool, Failure>> + Send;

    /// Behind the content, once that has been read.
    fn trailers(&self) -> &Trailers;

    /// Answers with what the gate says itself; whether the connection goes on.
    fn answer(&mut self, answer: &Answer) -> impl Future<Output = bool> + Send;

    /// Begins an answer that is passed on; `is_over`: no content follows.
    fn begin(&mut self, head: &Head, framing: Framing, is_over: bool) -> Result<(), Gone>;

    /// Sends content of the answer, and the head with it that waits still.
    fn write(&mut self, piece: &mut Vec<u8>, then: Then<'_>)
    -> impl Future<Output = Result<(), Gone>> + Send;

    /// Whether the connection goes on after an answer that was passed on.
    fn keeps(&self) -> bool;

    /// Waits until the client has gone; forever where that cannot be seen.
    fn gone(&mut self) -> impl Future<Output = ()> + Send;

    /// The content of the request for another task, where both directions can go at once.
    fn take_incoming(&mut self) -> Option<(Incoming, Measure)>;

    /// Another protocol from here on: bytes go both ways until either side ends. How many went to the client.
    fn tunnel(
        &mut self,
        upstream: Connection,
        first: Vec<u8>,
        idle: Duration,
    ) -> impl Future<Output = u64> + Send;
}

/// How much content of a request has come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measure {
    total: u64,
    most: u64,
}

impl Measure {
    /// Nothing yet.
    pub(crate) fn new(limits: &Limits) -> Measure {
        Measure { total: 0, most: limits.body }
    }

    /// So many bytes more.
    pub(crate) fn add(&mut self, bytes: usize) -> Result<(), Failure> {
        self.total += bytes as u64;
        match self.total > self.most {
            true => Err((413, format!("the content is larger than {} bytes", self.most))),
            false => Ok(()),
        }
    }
}
