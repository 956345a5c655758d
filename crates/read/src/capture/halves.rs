//! The two halves of reading a capture, each of which may have a thread of its own: packets to what was said on
//! connections, and what was said to exchanges.

use super::Conversations;
use crate::Sink;
use std::io;
use std::sync::Arc;
use why401_capture::{Counts, Limits, Problem, Reader, Told, detect};
use why401_span::SourceId;
use why401_tls::KeyLog;

/// The first half: a capture to what was said on its connections.
#[derive(Debug)]
pub struct Packets(pub(super) Reader);

/// What a piece of a capture said.
#[derive(Debug)]
pub enum Heard {
    /// Said on its connections.
    Said(Told),
    /// Nothing more will be said; what could not be read, and what there was.
    End(Vec<Problem>, Counts),
}

impl Packets {
    /// Of the capture that begins with `head`. `sink` is told of the layer that a compressed capture has.
    pub fn new(source: SourceId, head: &[u8], sink: &mut dyn Sink) -> Self {
        let reader = Reader::new(source, Limits::default());
        let compressed = detect(head).and_then(|(compression, _)| compression);
        Packets(match compressed {
            Some(_) => reader.contents(sink.layer("decompressed".into())),
            None => reader,
        })
    }

    /// Takes the next bytes; `used` lends its memory.
    pub fn take(&mut self, piece: Vec<u8>, used: Told) -> Heard {
        Heard::Said(self.0.take(piece, used))
    }

    /// The capture is over: asked until it is the end. `used` lends its memory.
    pub fn end(&mut self, used: Told) -> Heard {
        match self.0.end(used) {
            Some(told) => Heard::Said(told),
            None => Heard::End(self.0.problems(), self.0.counts()),
        }
    }
}

/// Gives what [`Packets`] heard, piece by piece.
pub trait Hearing {
    /// The next piece; nothing where no more comes.
    ///
    /// # Errors
    /// Where the bytes of the capture cannot be had.
    fn next(&mut self) -> io::Result<Option<Heard>>;

    /// What is done with, so that its memory may be used again.
    fn done(&mut self, told: Told) {
        let _ = told;
    }
}

/// The second half: makes exchanges of what was heard.
///
/// # Errors
/// Where the bytes of the capture cannot be had.
pub fn listen(
    source: SourceId,
    keys: &[Arc<KeyLog>],
    hearing: &mut dyn Hearing,
    sink: &mut dyn Sink,
) -> io::Result<()> {
    let mut to = Conversations::new(source, sink, keys);
    let (problems, counts) = loop {
        match hearing.next()? {
            Some(Heard::Said(told)) => {
                told.tell(&mut to);
                hearing.done(told);
            }
            Some(Heard::End(problems, counts)) => break (problems, counts),
            None => break (Vec::new(), Counts::default()),
        }
    };
    to.finish(&problems, counts);
    Ok(())
}
