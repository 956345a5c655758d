//! Content on the streams of HTTP/2: read and written with patience, and no more than the other side has room for.

use crate::http::{Trailers, two};
use bytes::Bytes;
use h2::{RecvStream, SendStream};
use std::future::poll_fn;
use std::time::Duration;
use tokio::time::timeout;

/// What follows a piece of content.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Then<'a> {
    /// More of it.
    More,
    /// Nothing but these.
    End(&'a Trailers),
}

/// The stream does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

impl From<h2::Error> for Gone {
    fn from(_: h2::Error) -> Gone {
        Gone
    }
}

/// Content that comes in.
pub(crate) struct Incoming {
    stream: RecvStream,
    trailers: Trailers,
    is_done: bool,
}

impl Incoming {
    /// The content of a stream.
    pub(crate) fn new(stream: RecvStream) -> Incoming {
        let is_done = stream.is_end_stream();
        Incoming { stream, trailers: Trailers::default(), is_done }
    }

    /// Whether all of it has been read.
    pub(crate) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Behind the content, once that has been read.
    pub(crate) fn trailers(&self) -> &Trailers {
        &self.trailers
    }

    /// Adds what has come to `piece`; `true` at the end. It may be dropped while it waits and loses nothing.
    pub(crate) async fn read(&mut self, piece: &mut Vec<u8>) -> Result<bool, Gone> {
        if self.is_done {
            return Ok(true);
        }
        match self.stream.data().await {
            Some(bytes) => {
                let bytes = bytes?;
                piece.extend_from_slice(&bytes);
                // Room for as much again: nothing more is read before this has been passed on.
                self.stream.flow_control().release_capacity(bytes.len())?;
                self.is_done = self.stream.is_end_stream();
            }
            None => {
                if let Some(fields) = self.stream.trailers().await? {
                    self.trailers = two::trailers(&fields);
                }
                self.is_done = true;
            }
        }
        Ok(self.is_done)
    }
}

/// Content that goes out.
pub(crate) struct Outgoing {
    stream: SendStream<Bytes>,
    left: Bytes,
    /// What follows the content, once its last piece has been given.
    end: Option<Trailers>,
}

impl Outgoing {
    /// The content of a stream.
    pub(crate) fn new(stream: SendStream<Bytes>) -> Outgoing {
        Outgoing { stream, left: Bytes::new(), end: None }
    }

    /// The stream, to break it off or to see that the other side has.
    pub(crate) fn stream(&mut self) -> &mut SendStream<Bytes> {
        &mut self.stream
    }

    /// Takes a piece to send; the one before has been sent.
    pub(crate) fn give(&mut self, piece: &mut Vec<u8>, then: Then<'_>) {
        self.left = Bytes::from(std::mem::take(piece));
        if let Then::End(trailers) = then {
            self.end = Some(trailers.clone());
        }
    }

    /// Sends what was given, as the other side makes room for it; every step has `patience`. `true`: that was the end. It may be
    /// dropped while it waits and be called anew: nothing is lost, nothing sent twice.
    pub(crate) async fn send(&mut self, patience: Duration) -> Result<bool, Gone> {
        while !self.left.is_empty() {
            let stream = &mut self.stream;
            stream.reserve_capacity(self.left.len());
            let room = timeout(patience, poll_fn(|context| stream.poll_capacity(context))).await;
            let Ok(Some(Ok(room))) = room else { return Err(Gone) };
            if room == 0 {
                continue;
            }
            let part = self.left.split_to(room.min(self.left.len()));
            let ends = self.left.is_empty() && self.end.as_ref().is_some_and(Trailers::is_empty);
            stream.send_data(part, ends)?;
            if ends {
                self.end = None;
                return Ok(true);
            }
        }
        match self.end.take() {
            None => return Ok(false),
            Some(trailers) if trailers.is_empty() => self.stream.send_data(Bytes::new(), true)?,
            Some(trailers) => self.stream.send_trailers(two::to_map(&trailers))?,
        }
        Ok(true)
    }
}
