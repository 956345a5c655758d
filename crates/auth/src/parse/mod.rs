//! The two readings of a field value in one pass: everything that can be read is read (lenient), and each place
//! where RFC 9110's grammar is broken is a problem with its range (strict: [`Parsed::strict_ok`]).
//!
//! Recovery follows what is seen in the wild: missing commas, semicolons, unquoted text, a scheme that is missing,
//! doubled or glued to its value, pasted field names, byte order marks. Each byte is looked at a bounded number of
//! times, so hostile input costs linear time.

mod challenges;
mod credentials;
mod value;

pub use challenges::parse_challenges;
pub use credentials::{parse_credentials, parse_params};

use crate::field::{Element, Param, Scheme, Token68};
use crate::problem::{Problem, ProblemKind};
use crate::syntax::{Cursor, is_gap, is_tchar, is_token, slice, trimmed};
use std::ops::Range;

/// What both readings share.
pub(crate) struct Parser<'a> {
    bytes: &'a [u8],
    cur: Cursor<'a>,
    elements: Vec<Element>,
    problems: Vec<Problem>,
}

impl<'a> Parser<'a> {
    fn new(bytes: &'a [u8], range: Range<usize>) -> Self {
        Parser { bytes, cur: Cursor::new(bytes, range), elements: Vec::new(), problems: Vec::new() }
    }

    fn problem(&mut self, range: Range<usize>, kind: ProblemKind, what: impl Into<String>) {
        self.problems.push(Problem::new(range, kind, what));
    }

    fn scheme(&self, range: Range<usize>) -> Scheme {
        let written = String::from_utf8_lossy(slice(self.bytes, &range)).into_owned();
        Scheme { name: written.to_ascii_lowercase(), written, range }
    }

    /// Begins an element; what is read from now on belongs to it.
    fn begin(&mut self, scheme: Range<usize>) {
        let scheme = self.scheme(scheme);
        self.elements.push(Element { range: scheme.range.clone(), scheme, ..Element::default() });
    }

    /// Changes the element that is being read; one without a scheme begins where none was.
    fn with_element(&mut self, change: impl FnOnce(&mut Element)) {
        if self.elements.is_empty() {
            let at = self.cur.at();
            self.begin(at..at);
        }
        if let Some(element) = self.elements.last_mut() {
            change(element);
        }
    }

    fn push_param(&mut self, param: Param) {
        if self.elements.is_empty() {
            self.begin(param.name_range.start..param.name_range.start);
        }
        if self.elements.last().is_some_and(|e| e.params.len() < 64 && e.param(&param.name).is_some()) {
            let what = "this parameter stands twice; RFC 9110 section 11.2 allows it once";
            self.problem(param.name_range.clone(), ProblemKind::DuplicateParam, what);
        }
        self.with_element(|element| {
            element.range.end = param.range().end;
            element.params.push(param);
        });
    }

    fn set_token68(&mut self, range: Range<usize>) {
        let token = Token68::new(slice(self.bytes, &range), range.clone());
        self.with_element(|element| {
            element.token68 = Some(token);
            element.range.end = range.end;
        });
    }

    /// What follows the schemes, as it stands.
    fn fill_rest(&mut self) {
        let bytes = self.bytes;
        for element in &mut self.elements {
            let from = element.scheme.range.end.min(element.range.end);
            let range = trimmed(bytes, from..element.range.end);
            element.rest = Token68::new(slice(bytes, &range), range);
        }
    }

    /// Control characters and bytes outside ASCII, one problem each for the whole value.
    fn check_bytes(&mut self) {
        let outer = 0..self.bytes.len();
        let inner = self.bytes;
        let control = |b: &u8| (*b < 0x20 && *b != b'\t') || *b == 0x7f;
        let mut found: Vec<usize> = Vec::new();
        let mut count = 0usize;
        for (i, b) in inner.iter().enumerate() {
            if control(b) {
                count += 1;
                if found.len() < 8 {
                    found.push(i);
                }
            }
        }
        for at in &found {
            let b = self.bytes.get(*at).copied().unwrap_or_default();
            let what = format!("control character 0x{b:02X}{}", control_name(b));
            self.problem(*at..*at + 1, ProblemKind::ControlCharacter, what);
        }
        if count > found.len() {
            let what = format!("{} more control characters", count - found.len());
            self.problem(outer, ProblemKind::ControlCharacter, what);
        }
    }

    fn finish(mut self) -> crate::Parsed<Vec<Element>> {
        self.check_bytes();
        self.fill_rest();
        self.problems.sort_by_key(|p| (p.range.start, p.range.end));
        crate::Parsed { value: self.elements, problems: self.problems }
    }
}

pub(crate) fn control_name(b: u8) -> &'static str {
    match b {
        0 => " (NUL)",
        b'\n' => " (line feed)",
        b'\r' => " (carriage return)",
        0x1b => " (escape)",
        0x7f => " (delete)",
        _ => "",
    }
}

/// Whether `token BWS "="` stands at the cursor, and not as the beginning of padding (`abc==`).
fn at_param(cur: &Cursor<'_>) -> bool {
    let mut look = *cur;
    let name = look.take_while(is_tchar);
    if name.is_empty() {
        return false;
    }
    look.skip_gap();
    look.take(b'=')
}

/// Whether a known scheme stands at the cursor, followed by white space, a comma or the end.
fn at_known_scheme(cur: &Cursor<'_>) -> bool {
    let mut look = *cur;
    let name = look.take_while(|b| is_tchar(b) && b != b',');
    crate::scheme::known_bytes(look.slice(&name)).is_some()
        && look.peek().is_none_or(|b| is_gap(b) || b == b',')
        && is_token(look.slice(&name))
}
