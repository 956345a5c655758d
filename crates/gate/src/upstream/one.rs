//! An exchange with an upstream over HTTP/1.1.

use super::Pool;
use super::wire::Wire;
use crate::http::framing::{Content, Framing, chunk, last};
use crate::http::head::end;
use crate::http::{Head, Trailers};
use crate::serve::client::Failure;
use crate::serve::io::{Did, fill, write, write_or_fill};
use crate::streams::{Gone, Then};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

/// The largest head of a response.
const HEAD: usize = 64 * 1024;
/// So many bytes of a head hold its status (RFC 9112 section 4).
const STATUS: usize = "HTTP/1.1 200".len();

/// The exchange.
pub(super) struct One {
    wire: Wire,
    /// How the content of the request is framed.
    framing: Framing,
    patience: Duration,
    /// What came and is not used yet.
    received: Vec<u8>,
    /// The content of the answer.
    content: Content,
    may_keep: bool,
    pub(super) was_kept: bool,
}

impl One {
    /// Sends the head of a request.
    pub(super) async fn begin(
        pool: &Pool,
        is_new: bool,
        head: &[u8],
        framing: Framing,
        patience: Duration,
    ) -> Result<One, Failure> {
        let kept = if is_new { None } else { pool.kept() };
        let was_kept = kept.is_some();
        let wire = match kept {
            Some(wire) => wire,
            None => pool.connect().await.map_err(|says| (502, says))?,
        };
        let content = Content::new(Framing::None);
        let mut one =
            One { wire, framing, patience, received: Vec::new(), content, may_keep: false, was_kept };
        if write(&mut one.wire, head, patience).await.is_err() && !was_kept {
            return Err((502, "the upstream closed the connection".to_owned()));
        }
        Ok(one)
    }

    /// Whether nothing has come yet.
    pub(super) fn is_unheard(&self) -> bool {
        self.received.is_empty()
    }

    /// Sends content of the request; `false` where the upstream answers before it takes all of that.
    pub(super) async fn send(&mut self, piece: &mut Vec<u8>, then: Then<'_>) -> Result<bool, Gone> {
        let mut out = Vec::new();
        match self.framing {
            Framing::Chunked => chunk(piece, &mut out),
            _ => out.append(piece),
        }
        piece.clear();
        if let (Framing::Chunked, Then::End(trailers)) = (self.framing, then) {
            last(trailers, &mut out);
        }
        timeout(self.patience, self.write(&out)).await.unwrap_or(Err(Gone))
    }

    async fn write(&mut self, mut left: &[u8]) -> Result<bool, Gone> {
        while !left.is_empty() {
            match write_or_fill(&mut self.wire, left, &mut self.received).await.map_err(|_| Gone)? {
                Did::Took(0) | Did::Said(0) => return Err(Gone),
                Did::Took(size) => left = left.get(size..).unwrap_or_default(),
                Did::Said(_) if self.is_heard() => return Ok(false),
                Did::Said(_) => {}
            }
        }
        self.wire.flush().await.map_err(|_| Gone)?;
        Ok(true)
    }

    /// Waits until the upstream answers, or ends, before it was asked to its end.
    pub(super) async fn early(&mut self) {
        while matches!(fill(&mut self.wire, &mut self.received).await, Ok(1..)) {
            if self.is_heard() {
                return;
            }
        }
    }

    /// Whether an answer has begun. Interim ones (RFC 9110 section 15.2) are let go: they ask for the rest of the content, or tell
    /// what comes.
    fn is_heard(&mut self) -> bool {
        let is_interim = |head: &[u8]| head.get(9) == Some(&b'1') && head.get(9..12) != Some(b"101");
        while is_interim(&self.received)
            && let Some(at) = end(&self.received, 0)
        {
            self.received.drain(..at);
        }
        self.received.len() > HEAD || self.received.len() >= STATUS && !is_interim(&self.received)
    }

    /// Reads the head of the answer.
    pub(super) async fn head(&mut self, method: &str) -> Result<(Head, Framing), Failure> {
        let mut searched = 0;
        loop {
            if let Some(at) = end(&self.received, searched) {
                let rest = self.received.split_off(at);
                let bytes = std::mem::replace(&mut self.received, rest);
                let head = Head::response(bytes).map_err(|b| (502, b.says.to_owned()))?;
                // 100 and 103: the gate has said "continue" itself.
                if head.status() >= 200 || head.status() == 101 {
                    let framing = head.response_framing(method).map_err(|b| (502, b.says.to_owned()))?;
                    self.content = Content::new(framing);
                    self.may_keep = head.keeps() && framing != Framing::Close && head.status() != 101;
                    return Ok((head, framing));
                }
                searched = 0;
                continue;
            }
            searched = self.received.len();
            if searched > HEAD {
                return Err((502, "the head of the upstream's answer is too large".to_owned()));
            }
            match timeout(self.patience, fill(&mut self.wire, &mut self.received)).await {
                Ok(Ok(n)) if n > 0 => {}
                Ok(_) => {
                    return Err((502, "the upstream closed the connection without an answer".to_owned()));
                }
                Err(_) => return Err((504, "the upstream does not answer".to_owned())),
            }
        }
    }

    /// Takes content that has come already; `true` at its end.
    pub(super) fn take(&mut self, piece: &mut Vec<u8>) -> Result<bool, Failure> {
        let malformed = |_| (502, "the upstream's content is malformed".to_owned());
        self.content.take(&mut self.received, piece).map_err(malformed)?;
        Ok(self.content.is_done())
    }

    /// Waits for more content; `true` at its end.
    pub(super) async fn read(&mut self, piece: &mut Vec<u8>) -> Result<bool, Failure> {
        match timeout(self.patience, fill(&mut self.wire, &mut self.received)).await {
            Ok(Ok(n)) if n > 0 => self.take(piece),
            Ok(Ok(_)) if self.content.may_end() => Ok(true),
            _ => Err((502, "the upstream broke off its answer".to_owned())),
        }
    }

    /// Behind the content of the answer.
    pub(super) fn trailers(&self) -> &Trailers {
        self.content.trailers()
    }

    /// Keeps the connection for the next request, if that can be.
    pub(super) fn end(self, pool: &Pool, is_asked: bool) {
        if self.may_keep && is_asked && self.received.is_empty() {
            pool.keep(self.wire);
        }
    }

    /// The connection and what came on it, for another protocol.
    pub(super) fn into_parts(self) -> (Wire, Vec<u8>) {
        (self.wire, self.received)
    }
}
