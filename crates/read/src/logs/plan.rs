//! A log format as a plan: literal text between columns.

use super::clf::is_escaped;
use super::line::{Escape, Line, number};
use super::part::{Column, Part};
use super::time;
use memchr::memmem;

/// How many places for the end of a column are tried before a line is given up.
const TRIES: usize = 64;

/// A column and the text behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    column: Column,
    until: Box<[u8]>,
}

/// A log format: text, column, text, column ...
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(super) start: Box<[u8]>,
    pub(super) steps: Vec<Step>,
    /// How values are spelt.
    pub(crate) escape: Escape,
    /// The product, where the format is one's own.
    pub(crate) product: Option<&'static str>,
    /// Whether one space stands for any number of them.
    pub(crate) loose: bool,
}

/// Puts a plan together.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    start: Vec<u8>,
    steps: Vec<(Column, Vec<u8>)>,
}

impl Draft {
    /// Appends literal text.
    pub(crate) fn text(&mut self, text: &[u8]) {
        match self.steps.last_mut() {
            Some((_, until)) => until.extend_from_slice(text),
            None => self.start.extend_from_slice(text),
        }
    }

    /// Appends a column. A query right behind its path makes the target.
    pub(crate) fn column(&mut self, column: Column) {
        if column == Column::Part(Part::Query)
            && let Some((last, until)) = self.steps.last_mut()
            && *last == Column::Part(Part::Path)
            && until.is_empty()
        {
            *last = Column::Part(Part::Target);
            return;
        }
        self.steps.push((column, Vec::new()));
    }

    /// The plan.
    pub(crate) fn plan(self, escape: Escape, product: Option<&'static str>) -> Plan {
        let steps =
            self.steps.into_iter().map(|(column, until)| Step { column, until: until.into() }).collect();
        Plan { start: self.start.into(), steps, escape, product, loose: false }
    }
}

impl Plan {
    /// A plan in our own notation: `{part}` for a column, `{}` for one that does not matter, all else literal.
    /// Parts are named as in [`named`]; `{>name}` is a request field and `{<name}` a response field.
    pub(crate) fn of(notation: &'static str, escape: Escape, product: &'static str) -> Plan {
        let mut draft = Draft::default();
        for piece in notation.split_inclusive(['{', '}']) {
            match (piece.strip_suffix('{'), piece.strip_suffix('}')) {
                (Some(text), _) => draft.text(text.as_bytes()),
                (None, Some(name)) => draft.column(named(name)),
                (None, None) => draft.text(piece.as_bytes()),
            }
        }
        draft.plan(escape, Some(product))
    }

    /// Takes a line apart; `None` if it is not of this format. What stands behind the last column is passed over.
    pub(crate) fn parse<'a>(&'a self, bytes: &'a [u8]) -> Option<Line<'a>> {
        let mut line = Line { escape: self.escape, product: self.product, ..Line::default() };
        let mut rest = bytes.strip_prefix(&*self.start)?;
        for (i, step) in self.steps.iter().enumerate() {
            let next = self.steps.get(i + 1).map(|s| &s.column);
            let (value, behind) = self.take(step, next, rest)?;
            line.put(&step.column, value);
            rest = behind;
        }
        Some(line)
    }

    fn take<'a>(&self, step: &Step, next: Option<&Column>, text: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let text = if self.loose { text.trim_ascii_start() } else { text };
        if step.until.is_empty() {
            let end = if next.is_none() { text.len() } else { natural_end(&step.column, text) };
            let value = text.get(..end)?;
            return accepts(&step.column, value).then_some((value, text.get(end..)?));
        }
        if next.is_none()
            && let Some(value) = text.strip_suffix(&*step.until)
        {
            return accepts(&step.column, value).then_some((value, &[]));
        }
        let quoted = step.until.starts_with(b"\"");
        for end in memmem::find_iter(text, &*step.until).take(TRIES) {
            let (value, behind) = (text.get(..end)?, text.get(end + step.until.len()..)?);
            if quoted && is_escaped(text, end) {
                continue;
            }
            let fits = accepts(&step.column, if self.loose { value.trim_ascii_end() } else { value });
            if fits && next.is_none_or(|n| may_begin(n, behind)) {
                return Some((if self.loose { value.trim_ascii_end() } else { value }, behind));
            }
        }
        // A line that was cut off in its last column (HAProxy cuts requests at 1,024 bytes).
        (next.is_none() && !text.is_empty() && accepts(&step.column, text)).then_some((text, &[]))
    }
}

/// Whether a value can be what its column holds.
fn accepts(column: &Column, value: &[u8]) -> bool {
    match column {
        Column::Part(Part::Time) => value == b"-" || time::whole(value, false).is_some(),
        Column::Part(Part::Date) => time::date(value).is_some_and(|(_, len)| len == value.len()),
        Column::Part(Part::Clock) => time::clock(value, 0, true).is_some(),
        Column::Part(Part::Status) => is_status(value),
        Column::Part(Part::Method) => {
            !value.is_empty() && value.iter().all(|b| b.is_ascii_uppercase() || b"-_".contains(b))
        }
        Column::Part(Part::Scheme) => value.iter().all(u8::is_ascii_alphanumeric),
        Column::Part(Part::Client | Part::ClientEndpoint | Part::ClientPort | Part::Bytes) => {
            !value.contains(&b' ')
        }
        _ => true,
    }
}

/// Whether a column can begin here.
fn may_begin(column: &Column, text: &[u8]) -> bool {
    match column {
        Column::Part(Part::Time) => {
            text.starts_with(b"-")
                || time::take(text, false).is_some()
                || text.first().is_some_and(u8::is_ascii_digit)
        }
        Column::Part(Part::Status) => is_status(text.get(..3).unwrap_or(text)) || text.starts_with(b"-"),
        _ => true,
    }
}

/// Where a value ends that nothing separates from the next one.
fn natural_end(column: &Column, text: &[u8]) -> usize {
    let while_ = |ok: fn(&u8) -> bool| text.iter().position(|b| !ok(b)).unwrap_or(text.len());
    match column {
        Column::Part(Part::Time) => time::take(text, false).map_or(0, |(_, len)| len),
        Column::Part(Part::Status | Part::Bytes | Part::ClientPort | Part::ServerPort) => {
            while_(|b| b.is_ascii_digit() || *b == b'-')
        }
        _ => while_(|b| !b.is_ascii_whitespace()),
    }
}

fn is_status(value: &[u8]) -> bool {
    value == b"-" || (value.len() == 3 && number(value).is_some()) || value == b"-1" || value == b"0"
}

/// The column of our own notation.
pub(crate) fn named(name: &str) -> Column {
    if let Some(field) = name.strip_prefix('>') {
        return Column::request_field(field);
    }
    if let Some(field) = name.strip_prefix('<') {
        return Column::ResponseField(field.into());
    }
    Column::Part(match name {
        "time" => Part::Time,
        "client" => Part::Client,
        "client:port" => Part::ClientEndpoint,
        "server" => Part::Server,
        "user" => Part::User,
        "request" => Part::Request,
        "method" => Part::Method,
        "target" => Part::Target,
        "path" => Part::Path,
        "query" => Part::Query,
        "remote-port" => Part::ClientPort,
        "version" => Part::Version,
        "status" => Part::Status,
        "bytes" => Part::Bytes,
        "host" => Part::Host,
        "scheme" => Part::Scheme,
        "referer" => Part::Referer,
        "agent" => Part::Agent,
        "remark" => Part::Remark,
        "upstream" => Part::Upstream,
        _ => return Column::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_column_ends_where_the_next_one_can_begin() {
        let plan = Plan::of("{client} {user} [{time}] \"{request}\" {status}", Escape::Backslash, "x");
        let line =
            plan.parse(br#"192.0.2.1 a [b] c [24/Oct/2012:17:31:26 +0200] "GET /" 7 HTTP/1.1" 401"#).unwrap();
        assert_eq!(line.get(Part::User), Some(&b"a [b] c"[..]));
        assert_eq!(line.get(Part::Request), Some(&br#"GET /" 7 HTTP/1.1"#[..]));
        assert_eq!(line.status(), Some(401));
    }

    #[test]
    fn loose_plans_pass_over_spaces() {
        let mut plan = Plan::of("{time} {} {client} {remark}/{status} {bytes}", Escape::None, "x");
        plan.loose = true;
        let line = plan.parse(b"1066036250.129      1 192.0.2.1 TCP_DENIED/407 1733").unwrap();
        assert_eq!((line.get(Part::Remark), line.status()), (Some(&b"TCP_DENIED"[..]), Some(407)));
    }
}
