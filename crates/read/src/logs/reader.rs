//! Reads logs line by line, whatever each line turns out to be.

use super::exchange::{Maker, Origin};
use super::given::Given;
use super::line::{Escape, Line};
use super::lines::{LONGEST, Lines, Raw};
use super::nginx_debug::{Debug, Taken};
use super::said::{self, Saying};
use super::w3c::{self, W3c};
use super::wrapper::{self, Wrapped};
use super::{blocks, clf, escape, given, json, products};
use crate::{Alike, Input, Sink};
use std::cell::Cell;
use std::io;
use why401_http::{Exchange, Moment, Speaker, Statement};
use why401_report::Problem;
use why401_span::{Builder, Derived, SourceId, Span};

/// How many unreadable lines are named one by one.
const NAMED_PROBLEMS: u64 = 20;
/// How many bytes of lines that carry a statement on (a stack trace) are joined to it.
const JOINED: usize = 64 * 1024;
/// From so many lines on that say again what was said, a log is read by several threads.
const REPEATED: u32 = if cfg!(test) { 20 } else { 2000 };
/// How many layers of wrapping are taken off.
pub(crate) const LAYERS: usize = 3;

/// What a line turned out to be.
#[expect(clippy::large_enum_variant, reason = "a box would cost every line an allocation")]
pub(crate) enum Reading<'a> {
    /// A request and its answer.
    Access(Line<'a>),
    /// Words of a server.
    Said(Saying<'a>),
    /// A JSON object with a text inside that is a log line itself or words: the text as spelt.
    Inside(json::Message<'a>),
}

/// Knows how lines are to be read; what fitted last is tried first.
#[derive(Default)]
pub(crate) struct Recogniser {
    given: Option<Given>,
    columns: W3c,
    saw_columns: bool,
    last_was_error: Cell<bool>,
}

impl Recogniser {
    /// With a format that the user gave.
    pub(crate) fn new(given: Option<Given>) -> Self {
        Recogniser { given, ..Recogniser::default() }
    }

    /// Takes in a directive of a W3C log; true if it was one.
    pub(crate) fn directive(&mut self, line: &[u8]) -> bool {
        let is_directive = line.starts_with(b"#");
        if is_directive {
            self.columns.directive(line);
            self.saw_columns |= line.get(..8).is_some_and(|d| d.eq_ignore_ascii_case(b"#fields:"));
        }
        is_directive
    }

    /// Remembers that the last line was a request.
    pub(crate) fn was_access(&self) {
        self.last_was_error.set(false);
    }

    /// Takes a line apart by the first reader that it fits.
    pub(crate) fn recognise<'a>(&'a self, line: &'a [u8], program: Option<&[u8]>) -> Option<Reading<'a>> {
        let by_given = match &self.given {
            Some(Given::Plan(plan)) => plan.parse(line),
            Some(Given::Columns(columns)) => columns.parse(line),
            None => None,
        };
        if let Some(read) = by_given {
            return Some(Reading::Access(read));
        }
        if line.first() == Some(&b'{') {
            return json::parse(line);
        }
        if self.last_was_error.get()
            && let Some(said) = said::parse(line, None)
        {
            return Some(Reading::Said(said));
        }
        if self.saw_columns
            && let Some(read) = self.columns.parse(line)
        {
            return Some(Reading::Access(read));
        }
        let access = clf::parse(line)
            .or_else(|| products::Texts::shared().parse(line))
            .or_else(|| w3c::headless(line));
        match access {
            Some(read) => Some(Reading::Access(read)),
            None => said::parse(line, program).map(Reading::Said),
        }
    }
}

/// One line, read by itself.
pub(crate) struct Once {
    pub(crate) source: SourceId,
    /// Which exchange of the source it is.
    pub(crate) index: u64,
}

impl Once {
    /// Reads it.
    pub(crate) fn read(self, raw: Raw<'_>, recogniser: &mut Recogniser, sink: &mut dyn Sink) {
        self.read_all(std::iter::once(raw), recogniser, sink);
    }

    /// Reads several lines; those that follow each other may carry each other on.
    pub(crate) fn read_all<'a>(
        self,
        lines: impl Iterator<Item = Raw<'a>>,
        recogniser: &mut Recogniser,
        sink: &mut dyn Sink,
    ) {
        let Once { source, index } = self;
        let mut out = Out {
            source,
            sink,
            index,
            unreadable: 0,
            pending: None,
            repeats: false,
            debug: Debug::default(),
        };
        let mut before = 0;
        for raw in lines {
            if raw.number != before + 1 {
                out.flush();
            }
            before = raw.number;
            out.line(raw, recogniser);
        }
        out.finish();
    }
}

/// Reads a log to its end. A source that is being written may say that nothing comes for now
/// ([`io::ErrorKind::WouldBlock`]).
pub(crate) fn read(input: Input<'_>, sink: &mut dyn Sink) -> io::Result<()> {
    let given = input.log_format.and_then(given::compile);
    if input.log_format.is_some() && given.is_none() {
        sink.problem(Problem {
            offset: 0,
            line: None,
            what: "the log format given is none that is known here (Apache's LogFormat, nginx's log_format, a W3C #Fields line); the lines are read by their looks".to_owned(),
        });
    }
    let mut recogniser = Recogniser::new(given);
    let mut out = Out {
        source: input.source,
        sink,
        index: 0,
        unreadable: 0,
        pending: None,
        repeats: false,
        debug: Debug::default(),
    };
    let likeness = out.sink.likeness().filter(|_| recogniser.given.is_none());
    let mut repeated = 0;
    let mut lines = Lines::new(input.bytes);
    loop {
        match lines.next() {
            Ok(Some(raw)) => {
                out.line(raw, &mut recogniser);
                repeated += u32::from(out.repeats);
                if let Some(likeness) = likeness.as_ref().filter(|_| repeated >= REPEATED) {
                    let place = lines.place();
                    blocks::read(input.bytes, place, likeness, &mut recogniser, &mut out)?;
                    break;
                }
            }
            Ok(None) => break,
            // Nothing comes for now: what was said is over.
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => out.flush(),
            Err(e) => return Err(e),
        }
    }
    out.finish();
    Ok(())
}

/// A statement that further lines may carry on.
struct Pending {
    statement: Statement,
    /// Its words so far.
    text: Builder,
    /// Where its last line ends.
    end: u64,
    /// The connection that it is about, by the server's own number.
    connection: Option<u64>,
}

/// What has been read and where it goes.
pub(super) struct Out<'s> {
    source: SourceId,
    sink: &'s mut dyn Sink,
    index: u64,
    unreadable: u64,
    pending: Option<Pending>,
    /// Whether the last statement was only counted: what carries it on is known too.
    repeats: bool,
    debug: Debug,
}

impl Out<'_> {
    /// Takes the next line.
    pub(super) fn line(&mut self, raw: Raw<'_>, recogniser: &mut Recogniser) {
        if let Some(length) = raw.cut_from {
            self.problem(&raw, format!("a line of {length} bytes: only its first {LONGEST} are read"));
        }
        let mut bytes = raw.bytes;
        let mut offset = raw.offset;
        if raw.number == 1
            && let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF")
        {
            bytes = rest;
            offset += 3;
        }
        // Rotation by copying leaves a hole of NUL bytes where the log goes on.
        let nul = bytes.iter().take_while(|b| **b == 0).count();
        if nul > 0 {
            self.problem(
                &raw,
                format!("{nul} NUL bytes before the line (a log cut off while it was written)"),
            );
            bytes = bytes.get(nul..).unwrap_or_default();
            offset += nul as u64;
        }
        if bytes.trim_ascii().is_empty() {
            // An empty line ends a head that nginx printed, and nothing else.
            if self.pending.as_ref().is_some_and(|p| p.connection.is_some()) {
                self.flush();
            }
            return;
        }
        let span = Span::new(self.source, offset, offset + bytes.len() as u64).on_line(raw.number);
        if recogniser.directive(bytes) {
            return;
        }
        if !self.understand(recogniser, bytes, &Origin::Plain(span), &Wrapped::default(), 0) {
            self.carry_on(bytes, span, &raw);
        }
    }

    /// Reads a line, freeing it of its wrapping first; false if it is nothing known.
    fn understand(
        &mut self,
        recogniser: &Recogniser,
        bytes: &[u8],
        origin: &Origin<'_>,
        around: &Wrapped<'_>,
        layer: usize,
    ) -> bool {
        if layer < LAYERS
            && let Some(mut wrapped) = wrapper::strip(bytes)
        {
            wrapped.time = wrapped.time.or(around.time);
            wrapped.program = wrapped.program.or(around.program);
            wrapped.level = wrapped.level.or(around.level);
            if !self.inside(recogniser, bytes, origin, &wrapped, layer) {
                self.words(origin.cut(bytes, wrapped.inner), &wrapped);
            }
            return true;
        }
        let Some(reading) = recogniser.recognise(bytes, around.program) else { return false };
        self.repeats = false;
        match reading {
            Reading::Access(mut line) => {
                line.time = around.time;
                let exchange =
                    Maker { whole: bytes, origin: *origin }.exchange(&line, self.source, self.index);
                recogniser.last_was_error.set(false);
                self.index += 1;
                self.flush();
                self.sink.exchange(exchange);
            }
            Reading::Said(said) => {
                self.flush();
                let time = said.time.or(around.time);
                self.repeats = said.words(time).is_some_and(|words| self.sink.repeated(&words));
                if self.repeats {
                    recogniser.last_was_error.set(true);
                    return true;
                }
                let mut statement = said.statement(self.source, bytes, origin);
                statement.time = statement.time.or(around.time);
                statement.level = statement.level.or(around.level.map(str::to_owned));
                recogniser.last_was_error.set(true);
                let mut text = Builder::new();
                text.push_part(&statement.text, 0..statement.text.len());
                self.pending =
                    Some(Pending { statement, text, end: end_of(origin), connection: said.connection });
            }
            Reading::Inside(message) => {
                let wrapped = Wrapped {
                    inner: message.text,
                    is_json: true,
                    time: message.time.or(around.time),
                    program: around.program,
                    level: around.level,
                };
                if layer < LAYERS && self.inside(recogniser, bytes, origin, &wrapped, layer) {
                    return true;
                }
                let mut statement = message.statement(self.source, bytes, origin);
                statement.time = statement.time.or(around.time);
                self.flush();
                self.sink.statement(statement);
            }
        }
        true
    }

    /// Words of a program that something wrapped, in no format known here.
    fn words(&mut self, text: Derived, wrapped: &Wrapped<'_>) {
        let text = if wrapped.is_json { escape::undo(text, Escape::Json, false) } else { text };
        let mut statement = Statement::new(self.source, Speaker::ServerLog, text);
        statement.time = wrapped.time;
        statement.level = wrapped.level.map(str::to_owned);
        self.repeats = false;
        self.flush();
        self.sink.statement(statement);
    }

    fn inside(
        &mut self,
        recogniser: &Recogniser,
        bytes: &[u8],
        origin: &Origin<'_>,
        wrapped: &Wrapped<'_>,
        layer: usize,
    ) -> bool {
        let place = origin.cut(bytes, wrapped.inner);
        let origin = match (wrapped.is_json, place.whole()) {
            (false, Some(at)) if at.exact => {
                return self.understand(
                    recogniser,
                    wrapped.inner,
                    &Origin::Plain(at.span),
                    wrapped,
                    layer + 1,
                );
            }
            (true, _) => escape::undo(place, Escape::Json, false),
            (false, _) => place,
        };
        self.understand(recogniser, origin.as_bytes(), &Origin::Derived(&origin), wrapped, layer + 1)
    }

    /// A line that is nothing by itself: it carries a statement on, or cannot be read.
    fn carry_on(&mut self, bytes: &[u8], span: Span, raw: &Raw<'_>) {
        let Some(pending) = &mut self.pending else {
            if self.repeats {
                return;
            }
            self.unreadable += 1;
            if self.unreadable <= NAMED_PROBLEMS {
                self.problem(raw, "not a line of any log known here".to_owned());
                if is_prose(bytes) {
                    let text = Derived::exact(bytes, span);
                    self.sink.statement(Statement::new(self.source, Speaker::Client, text));
                }
            }
            return;
        };
        if pending.text.len() + bytes.len() > JOINED {
            return;
        }
        let gap = Span { start: pending.end, end: span.start, ..span };
        match gap.len() {
            1 => pending.text.push_exact(b"\n", gap),
            _ => pending.text.push_enclosed(b"\n", gap),
        }
        pending.text.push_exact(bytes, span);
        pending.end = span.end;
    }

    /// Takes the next line, if it follows one of an error log and what it says is said again.
    pub(super) fn repeats(&mut self, alike: &Alike, time: Option<Moment>, recogniser: &Recogniser) -> bool {
        if !recogniser.last_was_error.get() {
            return false;
        }
        self.flush();
        self.repeats = self.sink.repeated_alike(alike, time);
        self.repeats
    }

    /// Nothing carries on what was said.
    pub(super) fn flush(&mut self) {
        let Some(pending) = self.pending.take() else { return };
        let statement = Statement { text: pending.text.finish(), ..pending.statement };
        let taken = match pending.connection {
            Some(connection) => self.debug.take(connection, &statement, self.source),
            None => Taken::No,
        };
        match taken {
            Taken::No => self.sink.statement(statement),
            Taken::Yes(ended) => {
                let ended = ended.map(|e| *e).or_else(|| self.debug.overflow());
                ended.into_iter().for_each(|e| self.numbered(e));
            }
        }
    }

    fn numbered(&mut self, exchange: Exchange) {
        self.sink.exchange(Exchange { index: self.index, ..exchange });
        self.index += 1;
    }

    fn problem(&mut self, raw: &Raw<'_>, what: String) {
        self.sink.problem(Problem { offset: raw.offset, line: Some(raw.number), what });
    }

    fn finish(&mut self) {
        self.flush();
        self.debug.finish().for_each(|e| self.numbered(e));
        if let Some(more) = self.unreadable.checked_sub(NAMED_PROBLEMS).filter(|n| *n > 0) {
            let what = format!("{more} more lines are of no log known here");
            self.sink.problem(Problem { offset: 0, line: None, what });
        }
    }
}

/// Words that somebody pasted beside the log: a message of a program, an exception. A line that begins with a number, an
/// address or a bracket, or that has a request in it, is of a log in a format not known here.
fn is_prose(line: &[u8]) -> bool {
    // Noise is no words, whatever it begins with.
    let odd = |b: &u8| b.is_ascii_control() && *b != b'\t';
    if line.len() < 8
        || line.iter().any(odd)
        || line.iter().filter(|b| !b.is_ascii()).count() > line.len() / 2
    {
        return false;
    }
    let begins = line.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'{' || *b == b'<');
    let words: Vec<&[u8]> = line.split(|b| *b == b' ').take(3).collect();
    let columns = words.iter().skip(1).any(|w| *w == b"-" || w.first().is_some_and(|b| *b == b'['));
    let request =
        memchr::memmem::find(line, b" HTTP/").is_some() && memchr::memmem::find(line, b"\"").is_some();
    let said = memchr::memmem::find(line, b"HTTP/1.1 40").is_some();
    begins && !columns && (said || !request)
}

fn end_of(origin: &Origin<'_>) -> u64 {
    match origin {
        Origin::Plain(span) => span.end,
        Origin::Derived(derived) => derived.whole().map_or(0, |at| at.span.end),
    }
}
