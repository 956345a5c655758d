//! A client that speaks HTTP/1.1.

use super::client::{Client, Failure, Measure};
use super::io::{fill, write};
use crate::config::Limits;
use crate::http::framing::{Content, Framing, chunk, last};
use crate::http::head::Bad;
use crate::http::{Answer, Head, Trailers};
use crate::streams::{Gone, Incoming, Then};
use crate::upstream::{Connection, rewrite};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Content of a refused request that is read and thrown away, so that the connection can go on.
const THROWN_AWAY: usize = 64 * 1024;

/// One request on a connection.
pub(crate) struct One<'a, S> {
    io: &'a mut S,
    /// What has been read and is not used yet.
    buffer: &'a mut Vec<u8>,
    head: &'a Head,
    framing: Result<Framing, Bad>,
    content: Content,
    measure: Measure,
    patience: Duration,
    keep: bool,
    /// How the content of the answer is framed, and the head of it that waits.
    sent: Framing,
    out: Vec<u8>,
}

impl<'a, S> One<'a, S> {
    /// The request of that head; `keep`: whether the connection may go on afterwards.
    pub(crate) fn new(
        io: &'a mut S,
        buffer: &'a mut Vec<u8>,
        head: &'a Head,
        limits: &Limits,
        keep: bool,
    ) -> One<'a, S> {
        let framing = head.framing();
        One {
            io,
            buffer,
            head,
            framing,
            content: Content::new(framing.unwrap_or(Framing::None)),
            measure: Measure::new(limits),
            patience: limits.body_idle,
            keep: keep && head.keeps() && framing.is_ok(),
            sent: Framing::None,
            out: Vec::new(),
        }
    }

    fn waits(&self) -> bool {
        !self.content.is_done() && self.head.names("expect", "100-continue")
    }

    /// Takes content that has arrived already out of the way; whether that was all of it.
    fn throw_away(&mut self) -> bool {
        if self.content.is_done() {
            return true;
        }
        if self.waits() || self.buffer.len() > THROWN_AWAY {
            return false;
        }
        self.content.take(self.buffer, &mut Vec::new()).is_ok() && self.content.is_done()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Client for One<'_, S> {
    fn framing(&self) -> Result<Framing, Bad> {
        self.framing
    }

    async fn invite(&mut self) -> Result<(), Failure> {
        if self.waits() && self.buffer.is_empty() {
            let sent = write(self.io, b"HTTP/1.1 100 Continue\r\n\r\n", self.patience).await;
            sent.map_err(|_| (400, "the client is gone".to_owned()))?;
        }
        Ok(())
    }

    async fn read(&mut self, piece: &mut Vec<u8>) -> Result<bool, Failure> {
        loop {
            let before = piece.len();
            self.content.take(self.buffer, piece).map_err(|b| (b.status, b.says.to_owned()))?;
            self.measure.add(piece.len() - before)?;
            if self.content.is_done() || piece.len() > before {
                return Ok(self.content.is_done());
            }
            match timeout(self.patience, fill(self.io, self.buffer)).await {
                Ok(Ok(n)) if n > 0 => {}
                Ok(_) => return Err((400, "the client closed before its content was complete".to_owned())),
                Err(_) => return Err((408, "the content of the request does not arrive".to_owned())),
            }
        }
    }

    fn trailers(&self) -> &Trailers {
        self.content.trailers()
    }

    async fn answer(&mut self, answer: &Answer) -> bool {
        let keep = self.keep && !answer.close && self.throw_away();
        let mut out = Vec::with_capacity(512);
        answer.write(self.head.method() == "HEAD", keep, &mut out);
        write(self.io, &out, self.patience).await.is_ok() && keep
    }

    fn begin(&mut self, head: &Head, framing: Framing, _: bool) -> Result<(), Gone> {
        self.keep &= self.content.is_done();
        self.out.reserve(1024);
        self.sent = rewrite::response(head, framing, self.head.version, &mut self.keep, &mut self.out);
        Ok(())
    }

    async fn write(&mut self, piece: &mut Vec<u8>, then: Then<'_>) -> Result<(), Gone> {
        match self.sent {
            Framing::Chunked => chunk(piece, &mut self.out),
            _ => self.out.append(piece),
        }
        piece.clear();
        if let (Framing::Chunked, Then::End(trailers)) = (self.sent, then) {
            // Who does not ask for trailers may not be able to read them (RFC 9110 section 6.5.1).
            let wanted = if self.head.names("te", "trailers") { trailers } else { &Trailers::default() };
            last(wanted, &mut self.out);
        }
        if !self.out.is_empty() {
            write(self.io, &self.out, self.patience).await.map_err(|_| Gone)?;
            self.out.clear();
        }
        Ok(())
    }

    fn keeps(&self) -> bool {
        self.keep && self.sent != Framing::Close
    }

    async fn gone(&mut self) {
        std::future::pending().await
    }

    fn take_incoming(&mut self) -> Option<(Incoming, Measure)> {
        None
    }

    async fn tunnel(&mut self, mut upstream: Connection, mut first: Vec<u8>, idle: Duration) -> u64 {
        let mut out = std::mem::take(&mut self.out);
        out.append(&mut first);
        self.keep = false;
        let to_client = write(self.io, &out, idle).await;
        let to_upstream = write(&mut upstream, self.buffer, idle).await;
        self.buffer.clear();
        if to_client.is_err() || to_upstream.is_err() {
            return 0;
        }
        let copied = tokio::io::copy_bidirectional(self.io, &mut upstream).await;
        let _ = upstream.shutdown().await;
        copied.map_or(0, |(_, down)| down)
    }
}
