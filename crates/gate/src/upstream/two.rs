//! An exchange with an upstream over HTTP/2.

use super::Pool;
use crate::http::framing::Framing;
use crate::http::{Head, Trailers, two};
use crate::serve::client::Failure;
use crate::streams::{Gone, Incoming, Outgoing, Then};
use h2::RecvStream;
use h2::client::ResponseFuture;
use std::time::Duration;
use tokio::time::timeout;

/// The exchange.
pub(super) struct Two {
    /// `None` once another task sends the content.
    outgoing: Option<Outgoing>,
    response: ResponseFuture,
    early: Option<Result<http::Response<RecvStream>, h2::Error>>,
    incoming: Option<Incoming>,
    nothing: Trailers,
    patience: Duration,
    pub(super) was_kept: bool,
}

impl Two {
    /// Sends the head of a request.
    pub(super) async fn begin(
        pool: &Pool,
        is_new: bool,
        head: http::Request<()>,
        framing: Framing,
        patience: Duration,
    ) -> Result<Two, Failure> {
        let wrong = |e: h2::Error| (502, format!("the upstream does not take the request: {e}"));
        let (mut sender, was_kept) = pool.shared(is_new).await.map_err(|says| (502, says))?;
        let (response, outgoing) = sender.send_request(head, framing == Framing::None).map_err(wrong)?;
        let (early, incoming) = (None, None);
        let nothing = Trailers::default();
        let outgoing = Some(Outgoing::new(outgoing));
        Ok(Two { outgoing, response, early, incoming, nothing, patience, was_kept })
    }

    /// Sends content of the request; `false` where the upstream answers before it takes all of that: it may take no more until
    /// its answer is read.
    pub(super) async fn send(&mut self, piece: &mut Vec<u8>, then: Then<'_>) -> Result<bool, Gone> {
        let outgoing = self.outgoing.as_mut().ok_or(Gone)?;
        outgoing.give(piece, then);
        tokio::select! {
            biased;
            sent = outgoing.send(self.patience) => sent.map(|_| true),
            answer = &mut self.response, if self.early.is_none() => {
                self.early = Some(answer);
                Ok(false)
            }
        }
    }

    /// Waits until the upstream answers before it was asked to its end.
    pub(super) async fn early(&mut self) {
        if self.early.is_none() {
            self.early = Some((&mut self.response).await);
        }
    }

    /// The way for the content of the request, for another task.
    pub(super) fn take_outgoing(&mut self) -> Option<Outgoing> {
        self.outgoing.take()
    }

    /// Reads the head of the answer.
    pub(super) async fn head(&mut self, pool: &Pool, method: &str) -> Result<(Head, Framing), Failure> {
        if timeout(self.patience, self.early()).await.is_err() {
            pool.forget().await;
            return Err((504, "the upstream does not answer".to_owned()));
        }
        let answer = match self.early.take() {
            Some(Ok(answer)) => answer,
            Some(Err(e)) => return Err((502, format!("the upstream ended without an answer: {e}"))),
            None => return Err((502, "the upstream ended without an answer".to_owned())),
        };
        let head = two::response(&answer).map_err(|b| (502, b.says.to_owned()))?;
        let incoming = Incoming::new(answer.into_body());
        let framing = match head.length() {
            _ if method == "HEAD" || matches!(head.status(), 204 | 304) => Framing::None,
            Ok(Some(length)) => Framing::length(length),
            _ => Framing::Chunked,
        };
        self.incoming = Some(incoming);
        Ok((head, framing))
    }

    /// Whether the content has come to its end.
    pub(super) fn is_done(&self) -> bool {
        self.incoming.as_ref().is_none_or(Incoming::is_done)
    }

    /// Waits for more content; `true` at its end.
    pub(super) async fn read(&mut self, piece: &mut Vec<u8>) -> Result<bool, Failure> {
        let Some(incoming) = &mut self.incoming else { return Ok(true) };
        match timeout(self.patience, incoming.read(piece)).await {
            Ok(Ok(done)) => Ok(done),
            _ => Err((502, "the upstream broke off its answer".to_owned())),
        }
    }

    /// Behind the content of the answer.
    pub(super) fn trailers(&self) -> &Trailers {
        self.incoming.as_ref().map_or(&self.nothing, Incoming::trailers)
    }
}
