//! One side of a stream: what it is for, and what waits on it.

use crate::frames::{Frames, take, varint};
use why401_span::{Derived, Span};

/// Added to the numbers of pushes, beyond those of all streams.
pub const PUSHED: u64 = 1 << 62;

/// What a stream is for (RFC 9114, section 6.2; RFC 9204, section 4.2).
#[derive(Debug)]
pub(crate) enum Purpose {
    /// It goes one way, and its type did not come whole yet.
    Unknown(Vec<u8>),
    /// A push whose number did not come whole yet.
    Push(Vec<u8>),
    /// Messages, told under this number.
    Messages(u64),
    Control,
    Encoder,
    /// Nothing that is read here.
    Other,
}

/// What waits behind a section that is blocked.
#[derive(Debug)]
pub(crate) enum Waiting {
    Bytes(Vec<u8>, Span),
    Gap(u64),
    End,
}

impl Waiting {
    /// What it costs in memory.
    pub(crate) fn cost(&self) -> usize {
        const BASE: usize = 64;
        if let Waiting::Bytes(bytes, _) = self { BASE + bytes.len() } else { BASE }
    }
}

/// A section that has to wait for the dynamic table.
#[derive(Debug)]
pub(crate) struct Blocked {
    pub(crate) section: Derived,
    /// Under which number it is told.
    pub(crate) told: u64,
    pub(crate) promised: bool,
}

#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) purpose: Purpose,
    pub(crate) frames: Frames,
    pub(crate) blocked: Option<Blocked>,
    pub(crate) waiting: Vec<Waiting>,
}

/// Whether a stream goes both ways and was begun by the client (RFC 9000, section 2.1).
pub(crate) fn is_request(stream: u64) -> bool {
    stream & 3 == 0
}

impl Stream {
    pub(crate) fn new(number: u64) -> Stream {
        let purpose = match number & 3 {
            0 => Purpose::Messages(number),
            1 => Purpose::Other,
            _ => Purpose::Unknown(Vec::new()),
        };
        Stream { purpose, frames: Frames::default(), blocked: None, waiting: Vec::new() }
    }

    /// Learns from the numbers at its front what the stream is for.
    pub(crate) fn begin(&mut self, bytes: &mut &[u8], origin: &mut Span) {
        const CONTROL: u64 = 0;
        const PUSH: u64 = 1;
        const ENCODER: u64 = 2;
        while let Purpose::Unknown(begun) | Purpose::Push(begun) = &mut self.purpose {
            let (front, _) = take(bytes, origin, 1);
            if front.is_empty() {
                return;
            }
            begun.extend_from_slice(front);
            let Some((number, _)) = varint(begun) else { continue };
            self.purpose = match (&self.purpose, number) {
                (Purpose::Push(_), number) => Purpose::Messages(PUSHED + number),
                (_, CONTROL) => Purpose::Control,
                (_, PUSH) => Purpose::Push(Vec::new()),
                (_, ENCODER) => Purpose::Encoder,
                _ => Purpose::Other,
            };
        }
    }
}
