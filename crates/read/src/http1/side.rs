//! One direction of a connection: bytes in, heads and bodies out.

use super::chunks;
use super::content::Keep;
use super::head;
use super::raw::{self, Head};
use std::borrow::Cow;
use why401_http::{BODY_EXCERPT, FieldLine, Fields};
use why401_span::{Builder, Derived, Span};

/// A line longer than this is cut; longer than any field that servers take (the largest Kerberos tickets included).
const MOST_LINE: usize = 128 * 1024;
/// A head larger than this is no head.
const MOST_HEAD: usize = 512 * 1024;
/// More lines than this are not kept of one head.
pub(super) const MOST_LINES: usize = 4096;

/// Bytes not looked at yet, and where they stand.
pub(super) struct Input<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) origin: Span,
}

impl<'a> Input<'a> {
    fn take(&mut self, n: usize) -> (&'a [u8], Span) {
        let (taken, rest) = self.bytes.split_at_checked(n).unwrap_or((self.bytes, &[]));
        let origin = Span { end: self.origin.start + taken.len() as u64, ..self.origin };
        self.origin.start = origin.end;
        self.bytes = rest;
        (taken, origin)
    }
}

/// How a body ends (RFC 9112 section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// What a piece of input completed.
pub(super) enum Step {
    Head { start: u64, head: Head },
    Body { body: Keep, trailers: Fields, end: u64, ended: bool },
}

#[derive(Debug)]
enum State {
    /// Between messages.
    Start,
    Head {
        start: u64,
        line: Derived,
        fields: Fields,
        size: usize,
        whole: bool,
    },
    Body {
        framing: Framing,
        keep: Keep,
    },
    ChunkSize(Keep),
    ChunkData(Keep, u64),
    Trailers {
        keep: Keep,
        fields: Fields,
        size: usize,
    },
    /// Media between RTSP messages (RFC 7826, section 14): `$`, a channel, a length of 16 bits, so many bytes.
    Media {
        head: Vec<u8>,
        left: usize,
    },
    /// In the middle of something unknown, until a line that starts a message beyond doubt.
    Lost,
    /// Not HTTP/1 any more.
    Raw,
}

/// One direction of a connection.
#[derive(Debug)]
pub(super) struct SideState {
    state: State,
    line: Line,
    offset: u64,
    /// Bytes that belonged to no message.
    pub(super) skipped: u64,
    /// Whether bytes were lost since the last head.
    pub(super) lost: bool,
    /// Whether the messages are those of RTSP.
    rtsp: bool,
}

/// A line without its line break: where it stands in what was given, or put together of several pieces.
enum Text<'a> {
    Here(&'a [u8], Span),
    Joined(Derived),
}

impl Text<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Text::Here(bytes, _) => bytes,
            Text::Joined(text) => text.as_bytes(),
        }
    }

    fn derived(&self) -> Cow<'_, Derived> {
        match self {
            Text::Here(bytes, origin) => Cow::Owned(Derived::exact(*bytes, *origin)),
            Text::Joined(text) => Cow::Borrowed(text),
        }
    }

    fn push_into(&self, fields: &mut Fields) {
        match self {
            Text::Here(bytes, origin) if !matches!(bytes.first(), Some(b' ' | b'\t')) => {
                fields.0.push(head::field_at(bytes, *origin));
            }
            _ => head::push_field(fields, &self.derived()),
        }
    }
}

/// A line that is not complete yet.
#[derive(Debug, Default)]
struct Line {
    text: Builder,
    start: u64,
    cut: bool,
}

impl Line {
    fn is_new(&self) -> bool {
        self.text.is_empty() && !self.cut
    }
}

impl SideState {
    pub(super) fn new() -> Self {
        let line = Line::default();
        SideState { state: State::Start, line, offset: 0, skipped: 0, lost: false, rtsp: false }
    }

    /// Takes input until something is complete; `None` when all of it is taken (or the side is raw).
    pub(super) fn step(&mut self, input: &mut Input<'_>) -> Option<Step> {
        while !input.bytes.is_empty() && !matches!(self.state, State::Raw) {
            if let Some(step) = self.advance(input) {
                return Some(step);
            }
        }
        None
    }

    /// About how many bytes of memory is taken by the message that is being read.
    pub(super) fn footprint(&self) -> usize {
        let state = match &self.state {
            State::Head { fields, size, .. } => size + fields.0.len() * size_of::<FieldLine>(),
            State::Body { keep, .. } | State::ChunkSize(keep) | State::ChunkData(keep, _) => keep.footprint(),
            State::Trailers { keep, fields, size } => {
                keep.footprint() + size + fields.0.len() * size_of::<FieldLine>()
            }
            State::Start | State::Media { .. } | State::Lost | State::Raw => 0,
        };
        state + self.line.text.footprint()
    }

    /// Bytes of the stream so far.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn is_raw(&self) -> bool {
        matches!(self.state, State::Raw)
    }

    pub(super) fn reads_until_close(&self) -> bool {
        matches!(self.state, State::Body { framing: Framing::UntilClose, .. })
    }

    /// What follows is not HTTP/1 (a tunnel, another protocol).
    pub(super) fn become_raw(&mut self) {
        self.state = State::Raw;
    }

    /// What follows is a message again.
    pub(super) fn resume(&mut self) {
        self.state = State::Start;
    }

    /// A body with this framing follows.
    pub(super) fn expect_body(&mut self, framing: Framing) -> Option<Step> {
        self.expect_body_in_part(framing, BODY_EXCERPT)
    }

    /// A body with this framing follows, of which only the first `most` bytes are worth keeping.
    pub(super) fn expect_body_in_part(&mut self, framing: Framing, most: usize) -> Option<Step> {
        let keep = Keep::at_most(most);
        match framing {
            Framing::Chunked => self.state = State::ChunkSize(keep),
            Framing::Length(0) => return Some(self.body_done(keep, Fields::default(), true)),
            Framing::Length(bytes) => {
                let mut keep = keep;
                keep.expect(bytes);
                self.state = State::Body { framing, keep };
            }
            Framing::UntilClose => self.state = State::Body { framing, keep },
        }
        None
    }

    /// `n` bytes of the stream are missing (0: an unknown number).
    pub(super) fn gap(&mut self, n: u64) -> Option<Step> {
        self.offset += n;
        self.lost = true;
        self.line = Line::default();
        match std::mem::replace(&mut self.state, State::Lost) {
            State::Body { framing: Framing::Length(left), mut keep } if n > 0 && n <= left => {
                keep.miss();
                if n == left {
                    return Some(self.body_done(keep, Fields::default(), false));
                }
                self.state = State::Body { framing: Framing::Length(left - n), keep };
                None
            }
            State::Body { framing: Framing::UntilClose, mut keep } => {
                keep.miss();
                self.state = State::Body { framing: Framing::UntilClose, keep };
                None
            }
            State::ChunkData(mut keep, left) if n > 0 && n < left => {
                keep.miss();
                self.state = State::ChunkData(keep, left - n);
                None
            }
            State::Raw => {
                self.state = State::Raw;
                None
            }
            broken => self.cut(broken),
        }
    }

    /// How many of the next bytes are content of which nothing more is kept.
    pub(super) fn unkept(&self) -> u64 {
        match &self.state {
            State::Body { framing: Framing::Length(left), keep } if keep.is_full() => *left,
            _ => 0,
        }
    }

    /// So many of those have passed.
    pub(super) fn passed(&mut self, n: u64) -> Option<Step> {
        let State::Body { framing: Framing::Length(left), keep } = &mut self.state else { return None };
        let n = n.min(*left);
        self.offset += n;
        *left -= n;
        keep.miss();
        let body = (*left == 0).then(|| std::mem::take(keep))?;
        Some(self.body_done(body, Fields::default(), true))
    }

    /// The stream is over: what is half done is given as it is.
    pub(super) fn end(&mut self) -> Option<Step> {
        let state = std::mem::replace(&mut self.state, State::Raw);
        match state {
            State::Body { framing: Framing::UntilClose, keep } => {
                Some(Step::Body { body: keep, trailers: Fields::default(), end: self.offset, ended: true })
            }
            State::Head { start, line, mut fields, .. } => {
                let rest = std::mem::take(&mut self.line).text.finish();
                if !rest.is_empty() {
                    head::push_field(&mut fields, &rest);
                }
                Some(Step::Head { start, head: Head::Lines { line, fields, whole: false } })
            }
            other => self.cut(other),
        }
    }

    /// What a broken-off state still gives.
    fn cut(&mut self, state: State) -> Option<Step> {
        let (body, trailers) = match state {
            State::Head { start, line, fields, .. } => {
                return Some(Step::Head { start, head: Head::Lines { line, fields, whole: false } });
            }
            State::Body { keep, .. } | State::ChunkSize(keep) | State::ChunkData(keep, _) => {
                (keep, Fields::default())
            }
            State::Trailers { keep, fields, .. } => (keep, fields),
            State::Start | State::Lost | State::Raw | State::Media { .. } => return None,
        };
        Some(Step::Body { body, trailers, end: self.offset, ended: false })
    }

    fn body_done(&mut self, body: Keep, trailers: Fields, ended: bool) -> Step {
        self.state = State::Start;
        Step::Body { body, trailers, end: self.offset, ended }
    }

    fn advance(&mut self, input: &mut Input<'_>) -> Option<Step> {
        let offset = &mut self.offset;
        match &mut self.state {
            State::Body { framing, keep } => {
                let left = if let Framing::Length(left) = framing { *left } else { u64::MAX };
                let taken = keep_body(input, left, keep, offset);
                if let Framing::Length(left) = framing {
                    *left -= taken;
                    if *left == 0 {
                        let body = std::mem::take(keep);
                        return Some(self.body_done(body, Fields::default(), true));
                    }
                }
            }
            State::ChunkData(keep, left) => {
                *left -= keep_body(input, *left, keep, offset);
                if *left == 0 {
                    self.state = State::ChunkSize(std::mem::take(keep));
                }
            }
            State::Media { head, left } => {
                while *left == 0 && head.len() < 4 && !input.bytes.is_empty() {
                    head.extend_from_slice(input.take(1).0);
                    *offset += 1;
                    if let [_, _, high, low] = head.as_slice() {
                        *left = usize::from(u16::from_be_bytes([*high, *low]));
                    }
                }
                let (taken, _) = input.take(*left);
                *offset += taken.len() as u64;
                *left -= taken.len();
                if *left == 0 && head.len() == 4 {
                    self.state = State::Start;
                }
            }
            State::Raw => {}
            State::Start if self.rtsp && self.line.is_new() && input.bytes.first() == Some(&b'$') => {
                self.state = State::Media { head: Vec::new(), left: 0 };
            }
            _ => {
                if let Some(step) = self.take_whole_head(input) {
                    return Some(step);
                }
                let (start, line, cut) = self.take_line(input)?;
                return self.take_full_line(start, &line, cut);
            }
        }
        None
    }

    /// A head that is there in one piece, as nearly all are.
    fn take_whole_head(&mut self, input: &mut Input<'_>) -> Option<Step> {
        if !matches!(self.state, State::Start) || !self.line.is_new() {
            return None;
        }
        let len = raw::whole(input.bytes).filter(|len| *len <= MOST_LINE)?;
        let (start, (text, origin)) = (self.offset, input.take(len));
        self.offset += len as u64;
        let head = Head::Text(Derived::exact(text, origin));
        self.rtsp |= head::find_protocol(head.first_line(), b"RTSP").is_some();
        Some(Step::Head { start, head })
    }

    fn take_full_line(&mut self, start: u64, line: &Text<'_>, cut: bool) -> Option<Step> {
        let bytes = line.bytes();
        let blank = bytes.is_empty() && !cut;
        if let State::Head { fields, size, whole, .. } = &mut self.state
            && !blank
        {
            *size += bytes.len();
            let fits = *size <= MOST_HEAD && fields.0.len() < MOST_LINES;
            *whole &= fits && !cut;
            if fits {
                line.push_into(fields);
            }
            return None;
        }
        match std::mem::replace(&mut self.state, State::Start) {
            State::Start if blank => {}
            State::Start if head::starts(bytes) => {
                self.rtsp |= head::find_protocol(bytes, b"RTSP").is_some();
                self.state = new_head(start, line, cut);
            }
            State::Lost if head::surely_starts(bytes) => self.state = new_head(start, line, cut),
            State::Start | State::Lost => {
                self.skipped += self.offset - start;
                self.lost = true;
                self.state = State::Lost;
            }
            State::Head { start, line: first, fields, whole, .. } => {
                return Some(Step::Head { start, head: Head::Lines { line: first, fields, whole } });
            }
            // The line break behind the data of the chunk before.
            State::ChunkSize(keep) if blank => self.state = State::ChunkSize(keep),
            State::ChunkSize(keep) => match chunks::size(bytes) {
                Some(0) => self.state = State::Trailers { keep, fields: Fields::default(), size: 0 },
                Some(size) => self.state = State::ChunkData(keep, size),
                None => {
                    self.lost = true;
                    let step = self.body_done(keep, Fields::default(), false);
                    self.state = State::Lost;
                    return Some(step);
                }
            },
            State::Trailers { keep, fields, .. } if blank => {
                return Some(self.body_done(keep, fields, true));
            }
            State::Trailers { keep, mut fields, mut size } => {
                size += bytes.len();
                if size <= MOST_HEAD && fields.0.len() < MOST_LINES {
                    line.push_into(&mut fields);
                }
                self.state = State::Trailers { keep, fields, size };
            }
            other => self.state = other,
        }
        None
    }

    /// The next line without its line break, once it is complete: where it started, its text, whether it was cut.
    fn take_line<'a>(&mut self, input: &mut Input<'a>) -> Option<(u64, Text<'a>, bool)> {
        let first = self.line.is_new();
        if first {
            self.line.start = self.offset;
        }
        let end = memchr::memchr(b'\n', input.bytes);
        let (bytes, origin) = input.take(end.map_or(input.bytes.len(), |e| e + 1));
        self.offset += bytes.len() as u64;
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        if first && end.is_some() && text.len() <= MOST_LINE {
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            return Some((self.line.start, Text::Here(text, origin), false));
        }
        let between = matches!(self.state, State::Start | State::Lost);
        if first && between && !text.first().is_some_and(|c| head::is_token(*c)) {
            // What begins like this starts no message, however long it goes on.
            self.line.cut = text != b"\r";
        }
        let most = if between && self.line.cut { 0 } else { MOST_LINE };
        let room = most.saturating_sub(self.line.text.len());
        let part = text.get(..room).unwrap_or(text);
        self.line.cut |= part.len() < text.len();
        self.line.text.push_exact(part, Span { end: origin.start + part.len() as u64, ..origin });
        end?;
        let line = std::mem::take(&mut self.line);
        let text = line.text.finish();
        let without_cr = text.as_bytes().strip_suffix(b"\r").map_or(text.len(), <[u8]>::len);
        let text = if without_cr < text.len() { text.slice(0..without_cr) } else { text };
        Some((line.start, Text::Joined(text), line.cut))
    }
}

fn keep_body(input: &mut Input<'_>, most: u64, keep: &mut Keep, offset: &mut u64) -> u64 {
    let n = usize::try_from(most).unwrap_or(usize::MAX).min(input.bytes.len());
    let (bytes, origin) = input.take(n);
    keep.push(bytes, origin);
    *offset += n as u64;
    n as u64
}

fn new_head(start: u64, line: &Text<'_>, cut: bool) -> State {
    let line = line.derived().into_owned();
    State::Head { start, size: line.len(), line, fields: Fields::default(), whole: !cut }
}
