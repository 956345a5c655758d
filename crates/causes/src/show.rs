//! Points at evidence: every annotation that a cause makes is made here, so that secrets are masked in one place.

use crate::Scene;
use crate::heard::Heard;
use std::ops::Range;
use why401_http::{Exchange, Fact, FieldLine, LogWords, Request, Response, Statement};
use why401_report::{Annotation, Excerpt};
use why401_span::{Derived, Located, SourceId};

/// So many bytes before and after the mark are shown of a long text.
const CONTEXT: usize = 160;

/// A moment as a person reads it, to the second.
pub(crate) fn clock(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

impl Scene<'_> {
    /// A field line, its whole value marked.
    pub fn show_field(&self, view: &Exchange, field: &FieldLine, says: impl Into<String>) -> Annotation {
        self.show_in_field(view, field, 0..field.value.len(), says)
    }

    /// A field line, a part of its value marked.
    pub fn show_in_field(
        &self,
        view: &Exchange,
        field: &FieldLine,
        part: Range<usize>,
        says: impl Into<String>,
    ) -> Annotation {
        let excerpt = line_of(field, part.clone());
        let at = field.value.locate(part).or_else(|| field.name.whole());
        self.annotation(view.source, at, excerpt, says)
    }

    /// The request line.
    pub fn show_request(&self, view: &Exchange, request: &Request, says: impl Into<String>) -> Annotation {
        let line = request.line.to_text();
        let target = request.target.to_text();
        let mark = if target.is_empty() { None } else { line.find(&*target).map(|i| i..i + target.len()) };
        self.show_part(view.source, &request.line, mark.unwrap_or(0..line.len()), says)
    }

    /// The status line.
    pub fn show_status(&self, view: &Exchange, response: &Response, says: impl Into<String>) -> Annotation {
        if let Some(log) = &view.log {
            return self.show_part(view.source, &log.line, status_in(log, response), says);
        }
        let line = response.line.to_text();
        let status = response.status.to_string();
        let mark = line.find(&status).map_or(0..line.len(), |i| i..i + status.len());
        self.show_part(view.source, &response.line, mark, says)
    }

    /// A part of any text of the evidence.
    pub fn show_part(
        &self,
        source: SourceId,
        text: &Derived,
        part: Range<usize>,
        says: impl Into<String>,
    ) -> Annotation {
        let bytes = text.as_bytes();
        let line_start =
            bytes.get(..part.start).and_then(|b| b.iter().rposition(|c| *c == b'\n')).map_or(0, |i| i + 1);
        let line_end = bytes
            .get(part.start..)
            .and_then(|b| b.iter().position(|c| *c == b'\n'))
            .map_or(bytes.len(), |i| part.start + i)
            .max(part.start);
        let from = line_start.max(part.start.saturating_sub(CONTEXT));
        let to = line_end.min(part.end.min(line_end).saturating_add(CONTEXT));
        let shown = bytes.get(from..to).unwrap_or_default();
        let shown = shown.strip_suffix(b"\r").unwrap_or(shown);
        let (line, map) = text_of(shown);
        let within = |at: usize| map(at.clamp(from, to) - from);
        let secrets = why401_redact::secrets_in_text(&line);
        let excerpt = Excerpt::new(line.clone(), within(part.start)..within(part.end), secrets);
        let at = text.locate(part.start..part.end.min(line_end).max(part.start));
        self.annotation(source, at, excerpt, says)
    }

    /// What a server, a client or a person said.
    pub fn show_statement(&self, statement: &Statement, says: impl Into<String>) -> Annotation {
        self.show_part(statement.source, &statement.text, 0..statement.text.len(), says)
    }

    /// A piece of context.
    pub fn show_fact(&self, fact: &Fact, says: impl Into<String>) -> Annotation {
        self.show_part(fact.source, &fact.text, 0..fact.text.len(), says)
    }

    /// A wording that is known.
    pub fn show_heard(&self, heard: &Heard<'_>, says: impl Into<String>) -> Annotation {
        match heard.field {
            Some(field) => {
                let excerpt = line_of(field, heard.said.range.clone());
                let at = field.value.locate(heard.said.range.clone()).or_else(|| field.name.whole());
                self.annotation(heard.source, at, excerpt, says)
            }
            None => match heard.line {
                Some(line) => self.show_part(heard.source, line, 0..line.len(), says),
                None => self.show_part(heard.source, &heard.text, heard.said.range.clone(), says),
            },
        }
    }

    fn annotation(
        &self,
        source: SourceId,
        at: Option<Located>,
        excerpt: Excerpt,
        says: impl Into<String>,
    ) -> Annotation {
        let report = self.case.sources.get(source.0 as usize);
        let (start, end) = at.map_or((0, 0), |l| (l.span.start, l.span.end));
        let layer = at.and_then(|l| l.span.layer).and_then(|l| report?.layers.get(l.0 as usize).cloned());
        Annotation {
            source: report.map(|r| r.name.clone()).unwrap_or_default(),
            layer,
            start,
            end,
            line: at.map(|l| l.span.line).filter(|l| *l > 0),
            excerpt,
            says: says.into(),
        }
    }
}

/// Where the status stands in its log line; the whole line where that cannot be told.
fn status_in(log: &LogWords, response: &Response) -> Range<usize> {
    let (line, status) = (log.line.whole(), response.line.whole());
    let found = line.zip(status).and_then(|(line, status)| {
        let start = usize::try_from(status.span.start.checked_sub(line.span.start)?).ok()?;
        let end = start + usize::try_from(status.span.len()).ok()?;
        let same = line.span.source == status.span.source && line.span.layer == status.span.layer;
        (same && status.exact && end <= log.line.len()).then_some(start..end)
    });
    found.unwrap_or(0..log.line.len())
}

/// A field line with a part of its value marked and its secrets masked.
fn line_of(field: &FieldLine, part: Range<usize>) -> Excerpt {
    let name = field.name.to_text();
    let (value, map) = text_of(field.value.as_bytes());
    let secrets = why401_redact::secrets_in_field(&name, &value);
    // Behind the name, a colon and a space; a line that is no field has no name.
    let before = if name.is_empty() { 0 } else { name.len() + 2 };
    let shift = |r: Range<usize>| r.start + before..r.end + before;
    let line = if name.is_empty() { value } else { format!("{name}: {value}") };
    Excerpt::new(line, shift(map(part.start)..map(part.end)), secrets.into_iter().map(shift).collect())
}

/// Bytes as text, and how offsets into the bytes become offsets into the text: what is not UTF-8 is read as
/// ISO-8859-1, so that every byte can be pointed at.
fn text_of(bytes: &[u8]) -> (String, impl Fn(usize) -> usize + use<>) {
    let (text, widened) = match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), Vec::new()),
        Err(_) => {
            let mut at = Vec::with_capacity(bytes.len() + 1);
            let mut text = String::with_capacity(bytes.len() + 16);
            for b in bytes {
                at.push(text.len());
                text.push(char::from(*b));
            }
            at.push(text.len());
            (text, at)
        }
    };
    let len = text.len();
    (text, move |i| if widened.is_empty() { i.min(len) } else { widened.get(i).copied().unwrap_or(len) })
}
