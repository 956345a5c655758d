//! A client that speaks HTTP/2.

use super::client::{Client, Failure, Measure};
use crate::config::Limits;
use crate::http::framing::Framing;
use crate::http::head::Bad;
use crate::http::{Answer, Head, Trailers, two};
use crate::streams::{Gone, Incoming, Outgoing, Then};
use crate::upstream::{Connection, rewrite};
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::timeout;

/// One request on a stream.
pub(crate) struct Two<'a> {
    /// `None` once another task reads the content.
    incoming: Option<Incoming>,
    respond: SendResponse<Bytes>,
    outgoing: Option<Outgoing>,
    head: &'a Head,
    framing: Result<Framing, Bad>,
    measure: Measure,
    patience: Duration,
    nothing: Trailers,
    is_over: bool,
}

impl<'a> Two<'a> {
    /// The request of that head.
    pub(crate) fn new(
        incoming: RecvStream,
        respond: SendResponse<Bytes>,
        head: &'a Head,
        limits: &Limits,
    ) -> Two<'a> {
        let framing = match head.length() {
            Err(bad) => Err(bad),
            _ if incoming.is_end_stream() => Ok(Framing::None),
            Ok(Some(length)) => Ok(Framing::length(length)),
            Ok(None) => Ok(Framing::Chunked),
        };
        Two {
            incoming: Some(Incoming::new(incoming)),
            respond,
            outgoing: None,
            head,
            framing,
            measure: Measure::new(limits),
            patience: limits.body_idle,
            nothing: Trailers::default(),
            is_over: false,
        }
    }

    fn poll_reset(&mut self, context: &mut Context<'_>) -> Poll<Result<Reason, h2::Error>> {
        match &mut self.outgoing {
            Some(outgoing) => outgoing.stream().poll_reset(context),
            None => self.respond.poll_reset(context),
        }
    }

    /// Whether the client has broken the request off.
    pub(super) fn is_broken_off(&mut self) -> bool {
        let reset = self.poll_reset(&mut Context::from_waker(Waker::noop()));
        matches!(reset, Poll::Ready(Ok(reason)) if reason != Reason::NO_ERROR)
    }
}

impl Client for Two<'_> {
    fn framing(&self) -> Result<Framing, Bad> {
        self.framing
    }

    async fn invite(&mut self) -> Result<(), Failure> {
        if self.head.names("expect", "100-continue") && self.incoming.as_ref().is_some_and(|i| !i.is_done()) {
            let sent = self.respond.send_informational(two::head(100));
            sent.map_err(|_| (400, "the client is gone".to_owned()))?;
        }
        Ok(())
    }

    async fn read(&mut self, piece: &mut Vec<u8>) -> Result<bool, Failure> {
        let Some(incoming) = &mut self.incoming else { return Ok(true) };
        let before = piece.len();
        let done = match timeout(self.patience, incoming.read(piece)).await {
            Ok(Ok(done)) => done,
            Ok(Err(Gone)) => return Err((400, "the client broke off its content".to_owned())),
            Err(_) => return Err((408, "the content of the request does not arrive".to_owned())),
        };
        self.measure.add(piece.len() - before)?;
        Ok(done)
    }

    fn trailers(&self) -> &Trailers {
        self.incoming.as_ref().map_or(&self.nothing, Incoming::trailers)
    }

    async fn answer(&mut self, answer: &Answer) -> bool {
        let is_over = self.head.method() == "HEAD" || answer.body.is_empty();
        let Ok(outgoing) = self.respond.send_response(two::answer(answer), is_over) else { return false };
        let outgoing = self.outgoing.insert(Outgoing::new(outgoing));
        if is_over {
            return true;
        }
        outgoing.give(&mut answer.body.clone(), Then::End(&self.nothing));
        outgoing.send(self.patience).await.is_ok()
    }

    fn begin(&mut self, head: &Head, _: Framing, is_over: bool) -> Result<(), Gone> {
        let mut out = two::head(head.status());
        for (name, value) in rewrite::answered(head) {
            two::add(out.headers_mut(), name, value);
        }
        self.is_over = is_over;
        self.outgoing = Some(Outgoing::new(self.respond.send_response(out, is_over)?));
        Ok(())
    }

    async fn write(&mut self, piece: &mut Vec<u8>, then: Then<'_>) -> Result<(), Gone> {
        if self.is_over {
            return Ok(());
        }
        let Some(outgoing) = &mut self.outgoing else { return Err(Gone) };
        outgoing.give(piece, then);
        let sent = outgoing.send(self.patience).await;
        if sent.is_err() {
            // Half an answer must not look like a whole one, and a client that reads nothing holds nothing.
            outgoing.stream().send_reset(Reason::CANCEL);
        }
        sent.map(|_| ())
    }

    fn keeps(&self) -> bool {
        true
    }

    async fn gone(&mut self) {
        let _ = poll_fn(|context| self.poll_reset(context)).await;
    }

    fn take_incoming(&mut self) -> Option<(Incoming, Measure)> {
        Some((self.incoming.take()?, self.measure))
    }

    async fn tunnel(&mut self, _: Connection, _: Vec<u8>, _: Duration) -> u64 {
        // No upgrades in HTTP/2 (RFC 9113 section 8.6): none was asked for.
        0
    }
}
