//! The value of a parameter: token, quoted-string, or what stands in their place.

use super::{Parser, at_known_scheme, at_param};
use crate::field::Param;
use crate::problem::ProblemKind;
use crate::syntax::{is_gap, is_tchar, is_token, slice};
use std::ops::Range;

impl Parser<'_> {
    /// `token BWS "=" BWS ( token / quoted-string )`; the cursor stands on the name, and [`at_param`] held.
    pub(super) fn param(&mut self) {
        let name_range = self.cur.take_while(is_tchar);
        self.cur.skip_gap();
        self.cur.take(b'=');
        self.cur.skip_gap();
        let mut param = self.named(name_range);
        self.value(&mut param);
        self.push_param(param);
    }

    /// A name and not even `=`.
    pub(super) fn valueless(&mut self, name_range: Range<usize>) {
        self.problem(name_range.clone(), ProblemKind::MissingValue, "a parameter name without '=' and value");
        let mut param = self.named(name_range);
        param.raw_range = param.name_range.end..param.name_range.end;
        param.value_range = param.raw_range.clone();
        self.push_param(param);
    }

    fn named(&self, name_range: Range<usize>) -> Param {
        let written = String::from_utf8_lossy(slice(self.bytes, &name_range)).into_owned();
        Param { name: written.to_ascii_lowercase(), written, name_range, ..Param::default() }
    }

    fn value(&mut self, param: &mut Param) {
        if self.cur.peek() == Some(b'"') {
            self.quoted(param);
            self.after_quoted();
        } else {
            self.unquoted(param);
        }
    }

    /// `quoted-string = DQUOTE *( qdtext / quoted-pair ) DQUOTE` (RFC 9110 section 5.6.4).
    fn quoted(&mut self, param: &mut Param) {
        let start = self.cur.at();
        self.cur.take(b'"');
        let inner = self.cur.at();
        let mut value = Vec::new();
        let mut obs_text = None;
        let closed = loop {
            let at = self.cur.at();
            match self.cur.next() {
                None => break false,
                Some(b'"') => break true,
                Some(b'\\') => match self.cur.next() {
                    None => break false,
                    Some(b) => value.push(b),
                },
                Some(b) => {
                    if b >= 0x80 {
                        obs_text.get_or_insert(at);
                    }
                    value.push(b);
                }
            }
        };
        let end = self.cur.at();
        param.quoted = true;
        param.raw_range = start..end;
        param.value_range = inner..if closed { end - 1 } else { end };
        param.value = Some(value);
        if !closed {
            let what = "the quoted-string that begins here is not closed";
            self.problem(start..end, ProblemKind::UnterminatedQuote, what);
        }
        if let Some(at) = obs_text {
            let what = "bytes outside ASCII in a quoted-string: what they mean is not defined (RFC 9110 section 5.5)";
            self.problem(at..param.value_range.end, ProblemKind::ObsText, what);
        }
    }

    /// After a closing quote there may be white space and a comma, no more.
    fn after_quoted(&mut self) {
        let start = self.cur.at();
        let gap = self.cur.skip_gap();
        if self.cur.at_element_end() || self.cur.peek() == Some(b';') {
            return;
        }
        if at_param(&self.cur) || (!gap.is_empty() && at_known_scheme(&self.cur)) {
            return;
        }
        self.junk();
        let range = crate::syntax::trimmed(self.bytes, start..self.cur.at());
        let what = "text after the closing quote: a quote inside a quoted-string is written \\\"";
        self.problem(range, ProblemKind::TextAfterQuote, what);
    }

    /// Skips to the next comma that stands outside quotes.
    pub(super) fn junk(&mut self) {
        let mut quoted = false;
        while let Some(b) = self.cur.peek() {
            match b {
                b',' if !quoted => break,
                b'"' => quoted = !quoted,
                b'\\' if quoted => {
                    self.cur.next();
                }
                _ => {}
            }
            self.cur.next();
        }
    }

    /// A token; or else text up to the comma, or up to what looks like the next parameter or scheme.
    fn unquoted(&mut self, param: &mut Param) {
        let start = self.cur.at();
        let mut end = self.cur.take_while(|b| !is_gap(b) && b != b',').end;
        loop {
            let gap = self.cur.skip_gap();
            let stop = gap.is_empty() || self.cur.at_element_end();
            if stop || end == start || at_param(&self.cur) || at_known_scheme(&self.cur) {
                break;
            }
            end = self.cur.take_while(|b| !is_gap(b) && b != b',').end;
        }
        if at_param(&self.cur) && slice(self.bytes, &(start..end)).ends_with(b";") {
            end -= 1;
            self.cur.reset(end);
        }
        let range = start..end;
        let text = slice(self.bytes, &range);
        if text.is_empty() {
            let what = "no value after '=': an empty value is written \"\"";
            self.problem(param.name_range.start..start, ProblemKind::EmptyValue, what);
        } else if !is_token(text) {
            let what = match text.iter().find(|b| !is_tchar(**b)) {
                Some(b) if *b >= 0x80 => {
                    match String::from_utf8_lossy(text).chars().find_map(crate::stray::odd) {
                        Some((_, name)) => format!("{name} in a value without quotes"),
                        None => "bytes outside ASCII in a value without quotes".to_string(),
                    }
                }
                Some(b' ' | b'\t' | b'\r' | b'\n') => "white space in a value without quotes".to_string(),
                Some(b) if b.is_ascii_graphic() => {
                    format!("{:?} cannot stand in a value without quotes", char::from(*b))
                }
                _ => "a control character in a value without quotes".to_string(),
            };
            let by_design =
                self.elements.last().is_some_and(|e| crate::scheme::sigv4::is_scheme(&e.scheme.name));
            let tail = if by_design { " (this scheme is defined so all the same)" } else { "" };
            self.problem(range.clone(), ProblemKind::UnquotedValue, format!("{what}{tail}"));
        } else if text.len() > 1 && text.starts_with(b"'") && text.ends_with(b"'") {
            let what = "single quotes are part of the value: only double quotes quote";
            self.problem(range.clone(), ProblemKind::Quotes, what);
        }
        param.value = Some(text.to_vec());
        param.raw_range = range.clone();
        param.value_range = range;
    }
}
