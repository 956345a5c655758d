//! An HTTP/2 connection watched from outside.

use crate::frames::{
    CONTINUATION, DATA, Frames, GOAWAY, HEADER, HEADERS, Head, PUSH_PROMISE, Part, RST_STREAM, SETTINGS,
};
use crate::hpack::{Decoder, Field};
use crate::{PREFACE, Side};
use std::ops::Range;
use why401_span::{Builder, Derived, Span};

/// What happened on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// Fields: of a request or response, or trailers.
    Fields {
        /// Who sent them.
        from: Side,
        /// On which stream; that of the promised request for a push.
        stream: u32,
        /// The fields in order.
        fields: Vec<Field>,
        /// Whether the whole block was read and every field in it is known.
        whole: bool,
        /// Whether the sender's side of the stream ends with them.
        end: bool,
        /// Whether it is a request that the server promises to answer unasked.
        promised: bool,
    },
    /// Bytes of a body.
    Data {
        /// Who sent them.
        from: Side,
        /// On which stream.
        stream: u32,
        /// The bytes.
        bytes: &'a [u8],
        /// Where the first one stands.
        origin: Span,
        /// Whether the sender's side of the stream ends with them.
        end: bool,
    },
    /// Bytes of a body are missing here.
    DataMissing {
        /// Who sent them.
        from: Side,
        /// On which stream.
        stream: u32,
        /// Whether the sender's side of the stream ends with them.
        end: bool,
    },
    /// Frames may be missing here, of any stream.
    Missing {
        /// Who sent them.
        from: Side,
    },
    /// A stream was given up (RST_STREAM).
    Reset {
        /// Who gave it up.
        from: Side,
        /// Which.
        stream: u32,
        /// Why (RFC 9113, section 7).
        error: u32,
    },
    /// The sender will end the connection (GOAWAY).
    GoAway {
        /// Who.
        from: Side,
        /// The last stream that it will answer.
        last_stream: u32,
        /// Why (RFC 9113, section 7).
        error: u32,
    },
}

/// A header block of which frames are still to come.
#[derive(Debug)]
struct Block {
    stream: u32,
    bytes: Builder,
    end: bool,
    promised: bool,
}

#[derive(Debug, Default)]
struct Sender {
    frames: Frames,
    decoder: Decoder,
    block: Option<Block>,
    /// Padding of the DATA frame being read: its length once known, and how much of the data is left before it.
    data: Option<usize>,
    preface: usize,
    begun: bool,
}

/// Longer header blocks are not put together.
const LONGEST_BLOCK: usize = 1 << 20;
const END_STREAM: u8 = 0x01;
const END_HEADERS: u8 = 0x04;
const PADDED: u8 = 0x08;
const WITH_PRIORITY: u8 = 0x20;

/// An HTTP/2 connection watched from outside.
#[derive(Debug, Default)]
pub struct Watch {
    client: Sender,
    server: Sender,
}

impl Watch {
    /// A connection of which nothing was seen yet.
    pub fn new() -> Self {
        Watch::default()
    }

    /// About how many bytes of memory is taken by what fields refer to, and by frames that are not whole.
    pub fn footprint(&self) -> usize {
        self.client.footprint() + self.server.footprint()
    }

    /// The next bytes of one direction, of which the first stands at `origin.start`.
    pub fn bytes(&mut self, from: Side, mut bytes: &[u8], mut origin: Span, out: &mut dyn FnMut(Event<'_>)) {
        let sender = self.sender(from);
        if !sender.begun {
            sender.begin(from, &mut bytes, &mut origin);
        }
        let mut frames = std::mem::take(&mut sender.frames);
        frames.push(bytes, origin, &mut |part| sender.part(from, part, out));
        sender.frames = frames;
    }

    /// Bytes of one direction are missing here (0: an unknown number).
    pub fn gap(&mut self, from: Side, len: u64, out: &mut dyn FnMut(Event<'_>)) {
        let sender = self.sender(from);
        sender.begun = true;
        let mut frames = std::mem::take(&mut sender.frames);
        let lost = frames.gap(len, &mut |part| sender.part(from, part, out));
        sender.frames = frames;
        if lost {
            sender.decoder.forget();
            sender.block = None;
            out(Event::Missing { from });
        }
    }

    fn sender(&mut self, side: Side) -> &mut Sender {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }
}

impl Sender {
    fn footprint(&self) -> usize {
        let block = self.block.as_ref().map_or(0, |block| block.bytes.footprint());
        self.frames.footprint() + block + self.decoder.footprint()
    }

    /// Passes over the client's preface; without it, or without SETTINGS, the connection was joined in the middle.
    fn begin(&mut self, from: Side, bytes: &mut &[u8], origin: &mut Span) {
        if from == Side::Client {
            let rest = PREFACE.get(self.preface..).unwrap_or_default();
            let same = rest.iter().zip(*bytes).take_while(|(a, b)| a == b).count();
            if same == rest.len().min(bytes.len()) {
                *bytes = bytes.get(same..).unwrap_or_default();
                origin.start += same as u64;
                self.preface += same;
                self.begun = self.preface == PREFACE.len();
                return;
            }
        }
        self.begun = true;
        let settings = Head::read(bytes).is_some_and(|h| h.kind == SETTINGS && h.is_plausible(bytes));
        if !(from == Side::Server && settings) {
            self.decoder.forget();
            // The first bytes may stand anywhere in a frame.
            if !Head::read(bytes).is_some_and(|h| h.is_plausible(bytes)) {
                self.frames.gap(0, &mut |_| {});
            }
        }
    }

    fn part(&mut self, from: Side, part: Part<'_>, out: &mut dyn FnMut(Event<'_>)) {
        match part {
            Part::Frame(head, body) => self.frame(from, head, &body, out),
            Part::Data { head, bytes, origin, last } => {
                let (front, bytes) = self.unpadded(head, bytes);
                let end = last && head.flags & END_STREAM != 0;
                if !bytes.is_empty() || end {
                    let start = origin.start + front as u64;
                    let origin = Span { start, end: start + bytes.len() as u64, ..origin };
                    out(Event::Data { from, stream: head.stream, bytes, origin, end });
                }
                if last {
                    self.data = None;
                }
            }
            Part::DataMissing { head, len, last } => {
                // Where the padding's length is missing, none is taken for granted.
                self.data = Some(self.data.unwrap_or(head.len).saturating_sub(len));
                let end = last && head.flags & END_STREAM != 0;
                out(Event::DataMissing { from, stream: head.stream, end });
                if last {
                    self.data = None;
                }
            }
        }
    }

    /// Takes the length of the padding off the front of a DATA frame, and the padding off its end: how many bytes stood
    /// in front, and what is left.
    fn unpadded<'a>(&mut self, head: Head, bytes: &'a [u8]) -> (usize, &'a [u8]) {
        let (front, bytes) = match self.data {
            Some(_) => (0, bytes),
            None if head.flags & PADDED == 0 => {
                self.data = Some(head.len);
                (0, bytes)
            }
            None => {
                let padding = usize::from(bytes.first().copied().unwrap_or(0));
                self.data = Some(head.len.saturating_sub(1 + padding));
                (1, bytes.get(1..).unwrap_or_default())
            }
        };
        let left = self.data.unwrap_or(0);
        let bytes = bytes.get(..left).unwrap_or(bytes);
        self.data = Some(left - bytes.len());
        (front, bytes)
    }

    fn frame(&mut self, from: Side, head: Head, body: &Derived, out: &mut dyn FnMut(Event<'_>)) {
        let number = |at: usize| {
            let bytes = body.as_bytes().get(at..)?.first_chunk::<4>()?;
            Some(u32::from_be_bytes(*bytes))
        };
        if head.kind != CONTINUATION && self.block.take().is_some() {
            // RFC 9113, section 6.10: nothing may stand between; the block's end is missing.
            self.decoder.forget();
        }
        match head.kind {
            HEADERS | PUSH_PROMISE => {
                let promised = head.kind == PUSH_PROMISE;
                let Some(range) = fragment(head, body) else { return self.decoder.forget() };
                let stream = match promised {
                    true => number(range.start.saturating_sub(4)).unwrap_or(0) & 0x7fff_ffff,
                    false => head.stream,
                };
                let mut bytes = Builder::new();
                bytes.push_part(body, range);
                let end = head.flags & END_STREAM != 0 || promised;
                self.block = Some(Block { stream, bytes, end, promised });
                self.end_of_block(from, head, out);
            }
            CONTINUATION => {
                match &mut self.block {
                    Some(block) if block.bytes.len() + body.len() <= LONGEST_BLOCK => {
                        block.bytes.push_part(body, 0..body.len());
                    }
                    // The front of its block was not seen, or is too long.
                    _ => {
                        self.block = None;
                        self.decoder.forget();
                    }
                }
                self.end_of_block(from, head, out);
            }
            RST_STREAM => {
                if let Some(error) = number(0) {
                    out(Event::Reset { from, stream: head.stream, error });
                }
            }
            GOAWAY => {
                if let (Some(last), Some(error)) = (number(0), number(4)) {
                    out(Event::GoAway { from, last_stream: last & 0x7fff_ffff, error });
                }
            }
            _ => {}
        }
    }

    fn end_of_block(&mut self, from: Side, head: Head, out: &mut dyn FnMut(Event<'_>)) {
        if head.flags & END_HEADERS == 0 {
            return;
        }
        let Some(block) = self.block.take() else { return };
        let (fields, whole) = self.decoder.block(&block.bytes.finish());
        let whole = whole && fields.iter().all(|f| f.name.is_some() && f.value.is_some());
        let Block { stream, end, promised, .. } = block;
        out(Event::Fields { from, stream, fields, whole, end, promised });
    }
}

/// Where in a HEADERS or PUSH_PROMISE frame the header block's part stands.
fn fragment(head: Head, body: &Derived) -> Option<Range<usize>> {
    let (mut start, mut end) = (0, body.len());
    if head.flags & PADDED != 0 {
        let padding = usize::from(*body.as_bytes().first()?);
        (start, end) = (1, end.checked_sub(padding)?);
    }
    if head.kind == HEADERS && head.flags & WITH_PRIORITY != 0 {
        start += 5;
    }
    if head.kind == PUSH_PROMISE {
        start += 4;
    }
    (start <= end).then_some(start..end)
}

/// Whether the fronts of both directions look like HTTP/2: the client's preface, or frames beyond doubt. `None` if that
/// cannot be told yet.
pub fn is_front(client: &[u8], server: &[u8]) -> Option<bool> {
    if client.starts_with(PREFACE) || frames_beyond_doubt(client) || frames_beyond_doubt(server) {
        return Some(true);
    }
    let preface_so_far = !client.is_empty() && PREFACE.starts_with(client);
    if preface_so_far { None } else { Some(false) }
}

/// Two frames in a row, or one alone that is no DATA.
fn frames_beyond_doubt(bytes: &[u8]) -> bool {
    let head_at = |at: usize| {
        let rest = bytes.get(at..)?;
        Head::read(rest).filter(|h| h.is_plausible(rest))
    };
    head_at(0).is_some_and(|first| {
        let behind = HEADER + first.len;
        (behind == bytes.len() && first.kind != DATA) || head_at(behind).is_some()
    })
}

/// The name of an error code (RFC 9113, section 7).
pub fn error_name(error: u32) -> Option<&'static str> {
    const NAMES: [&str; 14] = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
        "INADEQUATE_SECURITY",
        "HTTP_1_1_REQUIRED",
    ];
    NAMES.get(error as usize).copied()
}
