//! A stream to frames (RFC 9114, section 7.1).

use why401_span::{Builder, Derived, Span};

pub(crate) const DATA: u64 = 0;
pub(crate) const HEADERS: u64 = 1;
pub(crate) const SETTINGS: u64 = 4;
pub(crate) const PUSH_PROMISE: u64 = 5;
pub(crate) const GOAWAY: u64 = 7;
/// The front of a stream that is WebTransport's from there on (draft-ietf-webtrans-http3).
const WEBTRANSPORT: u64 = 0x41;

/// Longer frames of fields are passed over: no server takes so many.
const LONGEST_KEPT: u64 = 256 << 10;

/// What a stream gives.
pub(crate) enum Part<'a> {
    /// A frame that is not DATA, as a whole.
    Frame(u64, Derived),
    /// The next bytes of DATA.
    Data(&'a [u8], Span),
    /// Bytes of DATA are missing here.
    DataMissing,
    /// A frame, or the way to all that follow, is missing here.
    FrameMissing,
}

#[derive(Debug)]
enum State {
    /// The next bytes are the type and length of a frame.
    Header(Vec<u8>),
    Data(u64),
    Kept {
        kind: u64,
        left: u64,
        kept: Builder,
    },
    PassedOver(u64),
    /// Where the next frame begins is not known.
    Lost,
}

/// Cuts one side of a stream into frames.
#[derive(Debug)]
pub(crate) struct Frames(State);

impl Default for Frames {
    fn default() -> Self {
        Frames(State::Header(Vec::new()))
    }
}

impl Frames {
    /// Takes from the front of `bytes`, of which the first stands at `origin.start`, up to the end of the next part.
    pub(crate) fn next<'a>(&mut self, bytes: &mut &'a [u8], origin: &mut Span) -> Option<Part<'a>> {
        loop {
            match &mut self.0 {
                State::Header(begun) => {
                    let known = begun.len();
                    begun.extend_from_slice(bytes.get(..HEADER - known).unwrap_or(bytes));
                    let Some((kind, len, size)) = header(begun) else {
                        take(bytes, origin, HEADER as u64 - known as u64);
                        return None;
                    };
                    take(bytes, origin, (size - known.min(size)) as u64);
                    self.begin(kind, len);
                    if len == 0
                        && let State::Kept { .. } = self.0
                    {
                        return self.end();
                    }
                }
                State::Data(left) => {
                    let (front, at) = take(bytes, origin, *left);
                    *left -= front.len() as u64;
                    if *left == 0 {
                        self.0 = State::Header(Vec::new());
                    }
                    if !front.is_empty() {
                        return Some(Part::Data(front, at));
                    }
                }
                State::Kept { left, kept, .. } => {
                    let (front, at) = take(bytes, origin, *left);
                    kept.push_exact(front, at);
                    *left -= front.len() as u64;
                    if *left > 0 {
                        return None;
                    }
                    return self.end();
                }
                State::PassedOver(left) => {
                    let (front, _) = take(bytes, origin, *left);
                    *left -= front.len() as u64;
                    if *left > 0 {
                        return None;
                    }
                    self.0 = State::Header(Vec::new());
                }
                State::Lost => {
                    *bytes = &[];
                    return None;
                }
            }
            if bytes.is_empty() {
                return None;
            }
        }
    }

    /// How many bytes it keeps.
    pub(crate) fn held(&self) -> usize {
        if let State::Kept { kept, .. } = &self.0 { kept.len() } else { 0 }
    }

    /// What it keeps is not wanted.
    pub(crate) fn pass_over(&mut self) -> bool {
        let State::Kept { left, .. } = self.0 else { return false };
        self.0 = State::PassedOver(left);
        true
    }

    /// So many bytes are missing (0: an unknown number).
    pub(crate) fn gap(&mut self, len: u64) -> Option<Part<'static>> {
        let (left, part) = match &self.0 {
            State::Data(left) => (*left, Some(Part::DataMissing)),
            State::Kept { left, .. } => (*left, Some(Part::FrameMissing)),
            State::PassedOver(left) => (*left, None),
            State::Header(_) => (0, Some(Part::FrameMissing)),
            State::Lost => return None,
        };
        if len == 0 || len > left {
            self.0 = State::Lost;
            return Some(Part::FrameMissing);
        }
        let left = left - len;
        self.0 = match (&self.0, left) {
            (_, 0) => State::Header(Vec::new()),
            (State::Data(_), _) => State::Data(left),
            _ => State::PassedOver(left),
        };
        part
    }

    fn begin(&mut self, kind: u64, len: u64) {
        self.0 = match kind {
            DATA => State::Data(len),
            HEADERS | PUSH_PROMISE | SETTINGS | GOAWAY if len <= LONGEST_KEPT => {
                State::Kept { kind, left: len, kept: Builder::new() }
            }
            WEBTRANSPORT => State::Lost,
            _ => State::PassedOver(len),
        };
        if len == 0 && !matches!(self.0, State::Kept { .. } | State::Lost) {
            self.0 = State::Header(Vec::new());
        }
    }

    fn end(&mut self) -> Option<Part<'static>> {
        match std::mem::replace(&mut self.0, State::Header(Vec::new())) {
            State::Kept { kind, kept, .. } => Some(Part::Frame(kind, kept.finish())),
            _ => None,
        }
    }
}

/// Type and length take no more.
const HEADER: usize = 16;

/// Type, length and size of a frame's header, if it is there whole.
fn header(bytes: &[u8]) -> Option<(u64, u64, usize)> {
    let (kind, first) = varint(bytes)?;
    let (len, second) = varint(bytes.get(first..)?)?;
    Some((kind, len, first + second))
}

/// An integer of variable length and its size (RFC 9000, section 16).
pub(crate) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let first = *bytes.first()?;
    let size = 1usize << (first >> 6);
    let rest = bytes.get(1..size)?;
    Some((rest.iter().fold(u64::from(first & 0x3f), |n, byte| n << 8 | u64::from(*byte)), size))
}

/// Takes up to `n` bytes from the front, with their place.
pub(crate) fn take<'a>(bytes: &mut &'a [u8], origin: &mut Span, n: u64) -> (&'a [u8], Span) {
    let n = usize::try_from(n).unwrap_or(usize::MAX);
    let (front, rest) = bytes.split_at_checked(n).unwrap_or((bytes, &[]));
    let at = Span { end: origin.start + front.len() as u64, ..*origin };
    (*bytes, origin.start) = (rest, at.end);
    (front, at)
}
