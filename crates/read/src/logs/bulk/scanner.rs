//! Reads blocks of lines into a part of a fold.

use super::super::formats::sampled;
use super::super::given::{self, Given};
use super::super::line::Name;
use super::super::lines::{self, Raw};
use super::super::reader::{LAYERS, Once, Reading, Recogniser};
use super::super::wrapper;
use super::fast::{Fast, Quotes};
use super::{Filter, seen};
use crate::Sink;
use crate::compressed::InLayer;
use why401_fold::{Seen, Take};
use why401_http::Moment;
use why401_span::{LayerId, SourceId};

/// So many lines of the head tell whether a log can be read this way.
const SAMPLE: usize = 200;
/// So much is kept of a line that is no request.
const ODD: usize = 16 * 1024;

/// A log that can be read by blocks of lines.
#[derive(Clone)]
pub struct Bulk {
    given: Option<Given>,
    /// The lines of the head that name columns.
    directives: Vec<u8>,
    format: &'static str,
}

/// What a block of lines holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Lines.
    pub lines: u32,
    /// Requests among them.
    pub requests: u64,
}

/// Where a line stands that is read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The source.
    pub source: SourceId,
    /// The layer that offsets count in, of compressed sources.
    pub layer: Option<LayerId>,
    /// Offset of the line.
    pub offset: u64,
    /// Its 1-based number.
    pub line: u32,
    /// Which exchange of the source it is, from 0.
    pub index: u64,
}

impl Bulk {
    /// Looks at the head of a source. `None` where it is no access log, or where its lines show fields (credentials, an
    /// address to go to) that a fold would not look at.
    pub fn of(head: &[u8], named: Option<&str>, log_format: Option<&str>) -> Option<Bulk> {
        let format = match named {
            Some(name) => ["access-log", "json-log", "iis"].into_iter().find(|f| *f == name)?,
            None => crate::detect(head)?.name,
        };
        if !matches!(format, "access-log" | "json-log" | "iis") {
            return None;
        }
        let given = match log_format {
            Some(text) => Some(given::compile(text)?),
            None => None,
        };
        let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
        let directives: Vec<u8> = lines::of(head)
            .take_while(|l| l.starts_with(b"#"))
            .flat_map(|l| l.iter().copied().chain([b'\n']))
            .collect();
        let bulk = Bulk { given, directives, format };
        let mut scanner = bulk.scanner(&Filter::default());
        let (mut plain, mut other) = (0, 0);
        for line in sampled(head).take(SAMPLE) {
            match scanner.plain(line) {
                Some(true) => plain += 1,
                Some(false) => other += 1,
                None => return None,
            }
        }
        (plain > other).then_some(bulk)
    }

    /// One whose head was looked at elsewhere: its format, and its lines that name columns. `None` where there is no
    /// such format.
    pub fn known(format: &str, directives: &[u8], log_format: Option<&str>) -> Option<Bulk> {
        let format = ["access-log", "json-log", "iis"].into_iter().find(|f| *f == format)?;
        let given = match log_format {
            Some(text) => Some(given::compile(text)?),
            None => None,
        };
        Some(Bulk { given, directives: directives.to_vec(), format })
    }

    /// The lines of its head that name columns.
    pub fn directives(&self) -> &[u8] {
        &self.directives
    }

    /// The name of its format.
    pub fn format(&self) -> &'static str {
        self.format
    }

    /// Whether every line can be read by itself, so that the log can be read from several places at once.
    pub fn is_divisible(&self) -> bool {
        self.directives.is_empty()
    }

    /// What reads it.
    pub fn scanner(&self, filter: &Filter) -> Scanner {
        let mut recogniser = Recogniser::new(self.given.clone());
        for line in lines::of(&self.directives) {
            recogniser.directive(line);
        }
        Scanner {
            recogniser,
            fast: Fast::default(),
            room: Vec::new(),
            use_fast: self.given.is_none(),
            filter: filter.clone(),
            is_open: filter.is_open(),
        }
    }
}

/// So many requests are given on together.
const BATCH: usize = 16;

/// Requests to be given on.
struct Batch<'a> {
    requests: [(Seen<'a>, u32); BATCH],
    count: usize,
}

impl<'a> Batch<'a> {
    /// Keeps what was put in the first free place.
    #[inline]
    fn keep(&mut self, part: &mut impl Take) {
        self.count += 1;
        if self.count == BATCH {
            self.give(part);
        }
    }

    fn give(&mut self, part: &mut impl Take) {
        part.take_all(self.requests.get(..self.count).unwrap_or_default());
        self.count = 0;
    }
}

/// Reads blocks of lines.
pub struct Scanner {
    recogniser: Recogniser,
    fast: Fast,
    /// Room for the places of marks.
    room: Vec<u32>,
    use_fast: bool,
    filter: Filter,
    is_open: bool,
}

impl Scanner {
    /// Reads whole lines into `part`. The block begins at `offset` of the source and behind `lines` lines of the part;
    /// `keep` has the lines themselves kept where they matter.
    pub fn block(
        &mut self,
        block: &[u8],
        offset: u64,
        lines: u32,
        keep: bool,
        part: &mut impl Take,
    ) -> Scanned {
        let mut room = std::mem::take(&mut self.room);
        let mut marks = why401_marks::find(block, &mut room);
        let mut scanned = Scanned::default();
        let mut batch = Batch { requests: [(Seen::default(), 0); BATCH], count: 0 };
        let mut start = 0;
        while start < block.len() {
            let (quotes, end) = Quotes::of(block, start, &mut marks);
            scanned.lines = scanned.lines.saturating_add(1);
            let number = lines.saturating_add(scanned.lines);
            let line = block.get(start..end).unwrap_or_default();
            let line = if let [line @ .., b'\r'] = line { line } else { line };
            let at = offset + start as u64;
            start = end + 1;
            // Into its place at once: it is large, and would be copied.
            let read = match batch.requests.get_mut(batch.count) {
                Some((seen, place)) if self.use_fast => self.fast.read(line, &quotes, at, seen).map(|()| {
                    *place = number;
                    if keep {
                        seen.text = line;
                    }
                    self.is_open || self.filter.wants(seen)
                }),
                _ => None,
            };
            match read {
                Some(wanted) => {
                    scanned.requests += 1;
                    if wanted {
                        batch.keep(part);
                    }
                }
                None => {
                    batch.give(part);
                    scanned.requests += u64::from(self.other_line(line, at, number, keep, part));
                }
            }
        }
        batch.give(part);
        self.room = room;
        scanned
    }

    #[inline(never)]
    fn other_line(
        &mut self,
        line: &[u8],
        offset: u64,
        number: u32,
        keep: bool,
        part: &mut impl Take,
    ) -> bool {
        let bytes = line.strip_prefix(b"\xEF\xBB\xBF").filter(|_| offset == 0).unwrap_or(line);
        let nul = bytes.iter().take_while(|b| **b == 0).count();
        let text = bytes.get(nul..).unwrap_or_default();
        let offset = offset + (line.len() - text.len()) as u64;
        if text.trim_ascii().is_empty() || self.recogniser.directive(text) {
            return false;
        }
        let (is_open, filter) = (self.is_open, &self.filter);
        let found = with_seen(&self.recogniser, text, |seen| {
            if is_open || filter.wants(seen) {
                part.take(&Seen { offset, text: if keep { text } else { b"" }, ..*seen }, number);
            }
        });
        if !found {
            part.odd(text.get(..ODD).unwrap_or(text), offset, number);
        }
        found
    }

    /// Whether a line is a request that says no more than the fold looks at; `None` where it says more.
    fn plain(&mut self, line: &[u8]) -> Option<bool> {
        if self.recogniser.directive(line) {
            return Some(true);
        }
        let mut telling = false;
        let mut found = false;
        let (inner, ..) = unwrapped(line)?;
        if let Some(Reading::Access(read)) = self.recogniser.recognise(inner, None) {
            found = true;
            telling = read.fields.iter().any(|field| {
                let name = match field.name {
                    Name::Implied(name) => name.as_bytes(),
                    Name::Written(name) => name,
                };
                TELLING.iter().any(|t| name.eq_ignore_ascii_case(t.as_bytes()))
            });
        }
        (!telling).then_some(found)
    }

    /// Reads a line again, in full.
    pub fn again(&mut self, line: &[u8], place: &Place, sink: &mut dyn Sink) {
        let bytes = line.strip_suffix(b"\r").unwrap_or(line);
        let raw = Raw { bytes, offset: place.offset, number: place.line, cut_from: None };
        let once = Once { source: place.source, index: place.index };
        match place.layer {
            Some(layer) => once.read(raw, &mut self.recogniser, &mut InLayer { sink, layer }),
            None => once.read(raw, &mut self.recogniser, sink),
        }
    }
}

impl Scanner {
    /// Reads lines that are no requests, in order, in full: what they say, and what cannot be read.
    pub fn odd<'a>(&mut self, lines: impl IntoIterator<Item = (&'a [u8], Place)>, sink: &mut dyn Sink) {
        let mut lines = lines.into_iter().peekable();
        let Some((_, first)) = lines.peek() else { return };
        let (source, layer, index) = (first.source, first.layer, first.index);
        let raws = lines.map(|(bytes, place)| Raw {
            bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes),
            offset: place.offset,
            number: place.line,
            cut_from: None,
        });
        let once = Once { source, index };
        match layer {
            Some(layer) => once.read_all(raws, &mut self.recogniser, &mut InLayer { sink, layer }),
            None => once.read_all(raws, &mut self.recogniser, sink),
        }
    }
}

/// Fields that tell more of a refusal than a status does.
const TELLING: [&str; 7] = [
    "authorization",
    "proxy-authorization",
    "www-authenticate",
    "proxy-authenticate",
    "location",
    "cookie",
    "retry-after",
];

/// The line inside, its time, and the program.
type Unwrapped<'a> = (&'a [u8], Option<Moment>, Option<&'a [u8]>);

/// A line freed of its wrapping, the time that this tells, and the program; `None` where it is spelt otherwise inside.
fn unwrapped(line: &[u8]) -> Option<Unwrapped<'_>> {
    let (mut inner, mut time, mut program) = (line, None, None);
    for _ in 0..LAYERS {
        let Some(wrapped) = wrapper::strip(inner) else { break };
        if wrapped.is_json {
            return None;
        }
        inner = wrapped.inner;
        time = wrapped.time.or(time);
        program = wrapped.program.or(program);
    }
    Some((inner, time, program))
}

/// Takes a line apart by the readers of all formats; whether it is a request.
fn with_seen(recogniser: &Recogniser, line: &[u8], take: impl FnOnce(&Seen<'_>)) -> bool {
    let Some((inner, time, program)) = unwrapped(line) else { return false };
    let Some(Reading::Access(mut read)) = recogniser.recognise(inner, program) else { return false };
    read.time = time;
    recogniser.was_access();
    let seen = seen::of(&read, 0);
    match cause(inner) {
        // Refusals of different causes are of different kinds.
        Some(cause) => take(&Seen { names_cause: true, code: seen.code ^ code_of(cause), ..seen }),
        None => take(&seen),
    }
    true
}

/// What stands before the cause in a line of `why401 gate` or `why401 lab`, as `why401_history` looks for it.
const SIGN: &[u8] = b"\"logger\":\"why401\",\"cause\":\"";

/// The cause that a line names by itself.
fn cause(line: &[u8]) -> Option<&[u8]> {
    if !line.starts_with(b"{") {
        return None;
    }
    // It stands near the front.
    let head = line.get(..256).unwrap_or(line);
    let begin = memchr::memmem::find(head, SIGN)? + SIGN.len();
    let rest = line.get(begin..)?;
    rest.get(..memchr::memchr(b'"', rest)?)
}

fn code_of(cause: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    hasher.write(cause);
    hasher.finish()
}
