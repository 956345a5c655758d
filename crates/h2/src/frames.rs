//! One direction to frames (RFC 9113, section 4.1), and the way back to them behind missing bytes.

use why401_span::{Builder, Derived, Span};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const HEADER: usize = 9;
/// Frames other than DATA are kept until they are whole; a longer one is passed over.
const LONGEST_KEPT: usize = 1 << 20;
/// How far back bytes are kept while the next frame is looked for.
const LONGEST_SEARCH: usize = 64 << 10;

/// The first nine bytes of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) len: usize,
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
}

impl Head {
    pub(crate) fn read(bytes: &[u8]) -> Option<Head> {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = *bytes.first_chunk::<HEADER>()?;
        let len = usize::from(l0) << 16 | usize::from(l1) << 8 | usize::from(l2);
        // The top bit is reserved and ignored (section 4.1).
        let stream = u32::from_be_bytes([s0, s1, s2, s3]) & 0x7fff_ffff;
        Some(Head { len, kind, flags, stream })
    }

    /// Whether a frame could begin like this, as strictly as can be said.
    pub(crate) fn is_plausible(&self, bytes: &[u8]) -> bool {
        /// What SETTINGS_MAX_FRAME_SIZE is unless it is set, which few do.
        const USUAL: usize = 1 << 14;
        let reserved = bytes.get(5).is_none_or(|b| b & 0x80 == 0);
        reserved
            && self.len <= USUAL
            && match self.kind {
                DATA => self.stream != 0 && self.flags & !0x09 == 0,
                HEADERS => self.stream != 0 && self.flags & !0x2d == 0 && self.len > 0,
                PRIORITY => self.stream != 0 && self.len == 5,
                RST_STREAM => self.stream != 0 && self.len == 4 && self.flags == 0,
                SETTINGS => {
                    self.stream == 0 && self.len.is_multiple_of(6) && self.flags & !1 == 0 && self.len < 200
                }
                PUSH_PROMISE => self.stream != 0 && self.flags & !0x0c == 0 && self.len > 4,
                PING => self.stream == 0 && self.len == 8 && self.flags & !1 == 0,
                GOAWAY => self.stream == 0 && self.len >= 8 && self.flags == 0,
                WINDOW_UPDATE => self.len == 4 && self.flags == 0,
                CONTINUATION => self.stream != 0 && self.flags & !4 == 0,
                _ => false,
            }
    }
}

/// What a direction gives.
pub(crate) enum Part<'a> {
    /// A frame that is not DATA, as a whole.
    Frame(Head, Derived),
    /// The next bytes of a DATA frame; `last` says that they are its last ones.
    Data { head: Head, bytes: &'a [u8], origin: Span, last: bool },
    /// So many bytes of a DATA frame are missing here; `last` as above.
    DataMissing { head: Head, len: usize, last: bool },
}

#[derive(Debug)]
enum State {
    /// The next bytes are a header.
    Header,
    /// The rest of a frame that is kept, or passed over.
    Body {
        head: Head,
        kept: Builder,
        keep: bool,
        left: usize,
    },
    Data {
        head: Head,
        left: usize,
    },
    /// The next frame has to be found.
    Lost,
}

/// Cuts one direction into frames.
#[derive(Debug)]
pub(crate) struct Frames {
    state: State,
    /// Bytes that do not make a header yet, or among which the next frame is looked for.
    begun: Builder,
}

impl Default for Frames {
    fn default() -> Self {
        Frames { state: State::Header, begun: Builder::new() }
    }
}

impl Frames {
    /// About how many bytes of memory is taken by what is not whole.
    pub(crate) fn footprint(&self) -> usize {
        let kept = if let State::Body { kept, .. } = &self.state { kept.footprint() } else { 0 };
        kept + self.begun.footprint()
    }

    /// Takes the next bytes, of which the first stands at `origin.start`.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut origin: Span, out: &mut dyn FnMut(Part<'_>)) {
        while !bytes.is_empty() {
            match &mut self.state {
                State::Header => {
                    let wanted = HEADER - self.begun.len().min(HEADER);
                    let (front, at) = take(&mut bytes, &mut origin, wanted);
                    self.begun.push_exact(front, at);
                    if self.begun.len() == HEADER {
                        let header = std::mem::take(&mut self.begun).finish();
                        if let Some(head) = Head::read(header.as_bytes()) {
                            self.begin(head, out);
                        }
                    }
                }
                State::Body { kept, keep, left, .. } => {
                    let (front, at) = take(&mut bytes, &mut origin, *left);
                    *left -= front.len();
                    if *keep {
                        kept.push_exact(front, at);
                    }
                    if *left == 0 {
                        self.end(out);
                    }
                }
                State::Data { head, left } => {
                    let (front, at) = take(&mut bytes, &mut origin, *left);
                    *left -= front.len();
                    let (head, last) = (*head, *left == 0);
                    out(Part::Data { head, bytes: front, origin: at, last });
                    if last {
                        self.state = State::Header;
                    }
                }
                State::Lost => {
                    let (front, at) = take(&mut bytes, &mut origin, usize::MAX);
                    self.begun.push_exact(front, at);
                    self.search(out);
                }
            }
        }
    }

    /// Bytes are missing (0: an unknown number). Says whether frames may be.
    pub(crate) fn gap(&mut self, len: u64, out: &mut dyn FnMut(Part<'_>)) -> bool {
        if let State::Data { head, left } = &mut self.state
            && len > 0
            && len <= *left as u64
        {
            *left -= len as usize;
            let (head, last) = (*head, *left == 0);
            out(Part::DataMissing { head, len: len as usize, last });
            if last {
                self.state = State::Header;
            }
            return false;
        }
        if let State::Data { head, left } = self.state {
            out(Part::DataMissing { head, len: left, last: false });
        }
        self.begun = Builder::new();
        self.state = State::Lost;
        true
    }

    fn begin(&mut self, head: Head, out: &mut dyn FnMut(Part<'_>)) {
        self.state = match head.kind {
            DATA if head.len == 0 => {
                let origin = Span::new(why401_span::SourceId(0), 0, 0);
                out(Part::Data { head, bytes: &[], origin, last: true });
                State::Header
            }
            DATA => State::Data { head, left: head.len },
            _ => {
                let keep = head.len <= LONGEST_KEPT && head.kind <= CONTINUATION;
                State::Body { head, kept: Builder::new(), keep, left: head.len }
            }
        };
        if head.kind != DATA && head.len == 0 {
            self.end(out);
        }
    }

    fn end(&mut self, out: &mut dyn FnMut(Part<'_>)) {
        if let State::Body { head, kept, keep, .. } = std::mem::replace(&mut self.state, State::Header)
            && keep
        {
            out(Part::Frame(head, kept.finish()));
        }
    }

    /// Looks for two frames in a row, or for one that ends where the bytes do.
    fn search(&mut self, out: &mut dyn FnMut(Part<'_>)) {
        let begun = std::mem::take(&mut self.begun).finish();
        let bytes = begun.as_bytes();
        let head_at = |at: usize| {
            let rest = bytes.get(at..)?;
            Head::read(rest).filter(|h| h.is_plausible(rest))
        };
        let mut keep_from = bytes.len();
        for at in 0..bytes.len() {
            let Some(head) = head_at(at) else {
                if bytes.len() - at < HEADER {
                    keep_from = keep_from.min(at);
                    break;
                }
                continue;
            };
            let behind = at + HEADER + head.len;
            if behind == bytes.len() || head_at(behind).is_some() {
                self.state = State::Header;
                let found = begun.slice(at..bytes.len());
                let mut at = 0;
                while at < found.len() {
                    // Piece by piece, as each stands in the evidence.
                    let Some(located) = found.locate(at..at + 1) else { break };
                    let n = run_len(&found, at);
                    let part = found.slice(at..at + n);
                    self.push(part.as_bytes(), located.span, out);
                    at += n;
                }
                return;
            }
            if behind + HEADER > bytes.len() {
                // What follows it has to be seen first.
                keep_from = keep_from.min(at);
            }
        }
        let keep_from = keep_from.max(bytes.len().saturating_sub(LONGEST_SEARCH));
        self.begun.push_part(&begun, keep_from..bytes.len());
    }
}

/// Takes up to `n` bytes from the front, with their place.
fn take<'a>(bytes: &mut &'a [u8], origin: &mut Span, n: usize) -> (&'a [u8], Span) {
    let (front, rest) = bytes.split_at_checked(n).unwrap_or((bytes, &[]));
    let at = Span { end: origin.start + front.len() as u64, ..*origin };
    (*bytes, origin.start) = (rest, at.end);
    (front, at)
}

/// How many bytes from `at` on stand in the evidence in one piece.
fn run_len(bytes: &Derived, at: usize) -> usize {
    let (mut low, mut high) = (1, bytes.len() - at);
    while low < high {
        let middle = (low + high).div_ceil(2);
        match bytes.locate(at..at + middle) {
            Some(l) if l.exact => low = middle,
            _ => high = middle - 1,
        }
    }
    low
}
