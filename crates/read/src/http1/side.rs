//! One direction of a connection: bytes in, heads and bodies out.

use super::chunks;
use super::content::Keep;
use super::head;
use why401_http::Fields;
use why401_span::{Builder, Derived, Span};

/// A line longer than this is cut; longer than any field that servers take (the largest Kerberos tickets included).
const MOST_LINE: usize = 128 * 1024;
/// A head larger than this is no head.
const MOST_HEAD: usize = 512 * 1024;
/// More lines than this are not kept of one head.
const MOST_LINES: usize = 4096;

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
    Head { start: u64, line: Derived, lines: Vec<Derived>, whole: bool },
    Body { body: Keep, trailers: Vec<Derived>, end: u64, ended: bool },
}

#[derive(Debug)]
enum State {
    /// Between messages.
    Start,
    Head {
        start: u64,
        line: Derived,
        lines: Vec<Derived>,
        size: usize,
        whole: bool,
    },
    Body {
        framing: Framing,
        keep: Keep,
    },
    ChunkSize(Keep),
    ChunkData(Keep, u64),
    Trailers(Keep, Vec<Derived>),
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
}

/// A line that is not complete yet.
#[derive(Debug, Default)]
struct Line {
    text: Builder,
    start: u64,
    cut: bool,
}

impl SideState {
    pub(super) fn new() -> Self {
        SideState { state: State::Start, line: Line::default(), offset: 0, skipped: 0, lost: false }
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
        match framing {
            Framing::Chunked => self.state = State::ChunkSize(Keep::default()),
            Framing::Length(0) => return Some(self.body_done(Keep::default(), Vec::new(), true)),
            _ => self.state = State::Body { framing, keep: Keep::default() },
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
                    return Some(self.body_done(keep, Vec::new(), false));
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

    /// The stream is over: what is half done is given as it is.
    pub(super) fn end(&mut self) -> Option<Step> {
        let state = std::mem::replace(&mut self.state, State::Raw);
        match state {
            State::Body { framing: Framing::UntilClose, keep } => {
                Some(Step::Body { body: keep, trailers: Vec::new(), end: self.offset, ended: true })
            }
            State::Head { start, line, mut lines, .. } => {
                let rest = std::mem::take(&mut self.line).text.finish();
                if !rest.is_empty() {
                    lines.push(rest);
                }
                Some(Step::Head { start, line, lines, whole: false })
            }
            other => self.cut(other),
        }
    }

    /// What a broken-off state still gives.
    fn cut(&mut self, state: State) -> Option<Step> {
        let (body, trailers) = match state {
            State::Head { start, line, lines, .. } => {
                return Some(Step::Head { start, line, lines, whole: false });
            }
            State::Body { keep, .. } | State::ChunkSize(keep) | State::ChunkData(keep, _) => {
                (keep, Vec::new())
            }
            State::Trailers(keep, trailers) => (keep, trailers),
            State::Start | State::Lost | State::Raw => return None,
        };
        Some(Step::Body { body, trailers, end: self.offset, ended: false })
    }

    fn body_done(&mut self, body: Keep, trailers: Vec<Derived>, ended: bool) -> Step {
        self.state = State::Start;
        Step::Body { body, trailers, end: self.offset, ended }
    }

    fn advance(&mut self, input: &mut Input<'_>) -> Option<Step> {
        match std::mem::replace(&mut self.state, State::Start) {
            State::Body { framing: Framing::Length(left), mut keep } => {
                let taken = self.keep_body(input, left, &mut keep);
                if taken == left {
                    return Some(self.body_done(keep, Vec::new(), true));
                }
                self.state = State::Body { framing: Framing::Length(left - taken), keep };
            }
            State::Body { framing, mut keep } => {
                self.keep_body(input, u64::MAX, &mut keep);
                self.state = State::Body { framing, keep };
            }
            State::ChunkData(mut keep, left) => {
                let taken = self.keep_body(input, left, &mut keep);
                self.state = match left - taken {
                    0 => State::ChunkSize(keep),
                    left => State::ChunkData(keep, left),
                };
            }
            State::Raw => self.state = State::Raw,
            waiting => {
                self.state = waiting;
                let (start, line, cut) = self.take_line(input)?;
                return self.take_full_line(start, line, cut);
            }
        }
        None
    }

    fn take_full_line(&mut self, start: u64, line: Derived, cut: bool) -> Option<Step> {
        match std::mem::replace(&mut self.state, State::Start) {
            State::Start if line.is_empty() => {}
            State::Start if head::start(&line).is_some() => self.state = new_head(start, line, cut),
            State::Lost if head::surely_starts(line.as_bytes()) => self.state = new_head(start, line, cut),
            State::Start | State::Lost => {
                self.skipped += self.offset - start;
                self.lost = true;
                self.state = State::Lost;
            }
            State::Head { start, line: first, lines, whole, .. } if line.is_empty() => {
                return Some(Step::Head { start, line: first, lines, whole });
            }
            State::Head { start, line: first, mut lines, size, mut whole } => {
                let size = size + line.len();
                let fits = size <= MOST_HEAD && lines.len() < MOST_LINES;
                whole &= fits && !cut;
                if fits {
                    lines.push(line);
                }
                self.state = State::Head { start, line: first, lines, size, whole };
            }
            // The line break behind the data of the chunk before.
            State::ChunkSize(keep) if line.is_empty() => self.state = State::ChunkSize(keep),
            State::ChunkSize(keep) => match chunks::size(line.as_bytes()) {
                Some(0) => self.state = State::Trailers(keep, Vec::new()),
                Some(size) => self.state = State::ChunkData(keep, size),
                None => {
                    self.lost = true;
                    let step = self.body_done(keep, Vec::new(), false);
                    self.state = State::Lost;
                    return Some(step);
                }
            },
            State::Trailers(keep, trailers) if line.is_empty() => {
                return Some(self.body_done(keep, trailers, true));
            }
            State::Trailers(keep, mut trailers) => {
                if trailers.len() < MOST_LINES {
                    trailers.push(line);
                }
                self.state = State::Trailers(keep, trailers);
            }
            other => self.state = other,
        }
        None
    }

    fn keep_body(&mut self, input: &mut Input<'_>, most: u64, keep: &mut Keep) -> u64 {
        let n = usize::try_from(most).unwrap_or(usize::MAX).min(input.bytes.len());
        let (bytes, origin) = input.take(n);
        keep.push(bytes, origin);
        self.offset += n as u64;
        n as u64
    }

    /// The next line without its line break, once it is complete: where it started, its text, whether it was cut.
    fn take_line(&mut self, input: &mut Input<'_>) -> Option<(u64, Derived, bool)> {
        if self.line.text.is_empty() && !self.line.cut {
            self.line.start = self.offset;
        }
        let end = memchr::memchr(b'\n', input.bytes);
        let (bytes, origin) = input.take(end.map_or(input.bytes.len(), |e| e + 1));
        self.offset += bytes.len() as u64;
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let room = MOST_LINE.saturating_sub(self.line.text.len());
        let part = text.get(..room).unwrap_or(text);
        self.line.cut |= part.len() < text.len();
        self.line.text.push_exact(part, Span { end: origin.start + part.len() as u64, ..origin });
        end?;
        let line = std::mem::take(&mut self.line);
        let text = line.text.finish();
        let without_cr = text.as_bytes().strip_suffix(b"\r").map_or(text.len(), <[u8]>::len);
        Some((line.start, text.slice(0..without_cr), line.cut))
    }
}

fn new_head(start: u64, line: Derived, cut: bool) -> State {
    State::Head { start, size: line.len(), line, lines: Vec::new(), whole: !cut }
}

/// The field lines of a head.
pub(super) fn fields(lines: &[Derived]) -> Fields {
    let mut fields = Fields::default();
    for line in lines {
        head::push_field(&mut fields, line);
    }
    fields
}
