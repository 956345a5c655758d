//! `WWW-Authenticate = #challenge`: the list of challenges, whose commas also part the parameters of each.

use super::{Parser, at_known_scheme, at_param};
use crate::Parsed;
use crate::field::Challenge;
use crate::problem::ProblemKind;
use crate::scheme;
use crate::syntax::{is_gap, is_tchar, is_token, is_token68, slice};

/// Reads the value of one `WWW-Authenticate` or `Proxy-Authenticate` field line.
///
/// Several lines of one name are one list (RFC 9110 section 5.3): parse each and append, so that ranges stay
/// relative to the line they stand in.
pub fn parse_challenges(value: &[u8]) -> Parsed<Vec<Challenge>> {
    let mut parser = Parser::new(value, 0..value.len());
    parser.list();
    if parser.elements.is_empty() {
        parser.problem(0..value.len(), ProblemKind::Empty, "no challenge in it: at least one must be there");
    }
    parser.finish()
}

impl Parser<'_> {
    fn list(&mut self) {
        // `spaced`: white space stands between the scheme that was just read and what follows it.
        let mut spaced = true;
        loop {
            self.separators();
            if self.cur.is_done() {
                break;
            }
            spaced = self.item(spaced);
        }
    }

    /// Commas and white space between elements. More than one comma is an empty element.
    pub(super) fn separators(&mut self) {
        let range = self.cur.take_while(|b| is_gap(b) || b == b',' || b == b';');
        let text = slice(self.bytes, &range);
        if let Some(i) = text.iter().position(|b| *b == b';') {
            let at = range.start + i;
            let what = "a semicolon where a comma parts the parameters";
            self.problem(at..at + 1, ProblemKind::Semicolon, what);
        }
        let commas = text.iter().filter(|b| **b == b',').count();
        let outer = range.start == 0 || range.end == self.cur.end();
        if commas > usize::from(!outer) {
            let what = "an empty list element: recipients skip it, senders must not write it (RFC 9110 section 5.6.1)";
            self.problem(range.clone(), ProblemKind::EmptyListElement, what);
        }
        let inside = !outer && commas == 0 && !text.contains(&b';');
        if inside && !self.elements.is_empty() {
            self.problem(range.end..range.end, ProblemKind::MissingComma, "a comma is missing before this");
        }
    }

    /// One parameter, or a scheme with what follows it up to its first parameter. Answers whether parameters may
    /// follow after a comma.
    fn item(&mut self, spaced: bool) -> bool {
        let start = self.cur.at();
        if at_param(&self.cur) {
            self.param_of_current(spaced);
            return true;
        }
        let name = self.cur.take_while(is_tchar);
        if name.is_empty() {
            self.stray(start);
            return true;
        }
        if self.cur.peek().is_some_and(|b| !is_gap(b) && b != b',') {
            return self.after_odd_scheme(name);
        }
        self.begin(name.clone());
        self.after_scheme(name)
    }

    /// `name=value`: it belongs to the scheme before it.
    fn param_of_current(&mut self, spaced: bool) {
        let at = self.cur.at();
        match self.elements.last() {
            None => self.problem(
                at..at,
                ProblemKind::SchemeMissing,
                "parameters without an auth-scheme before them",
            ),
            Some(e) if e.token68.is_some() && e.params.is_empty() => {
                let what = "parameters after a token68: a scheme takes one or the other";
                self.problem(at..at, ProblemKind::Token68AndParams, what);
            }
            Some(e) if !spaced && e.params.is_empty() => {
                let what = "a comma directly after the scheme: this parameter belongs to no scheme";
                self.problem(e.scheme.range.end..at, ProblemKind::SchemeMissing, what);
            }
            Some(_) => {}
        }
        self.param();
    }

    /// A byte that begins neither a scheme nor a parameter.
    pub(super) fn stray(&mut self, start: usize) {
        if self.cur.peek() == Some(b'=') {
            self.cur.take_while(|b| b == b'=');
            self.junk();
            self.problem(
                start..self.cur.at(),
                ProblemKind::MissingName,
                "'=' without a parameter name before it",
            );
            return;
        }
        let range = self.cur.take_while(|b| !is_tchar(b) && !is_gap(b) && !matches!(b, b',' | b'=' | b';'));
        let text = slice(self.bytes, &range);
        let kind =
            if text.iter().any(|b| *b >= 0x80) { ProblemKind::NonAscii } else { ProblemKind::BadCharacter };
        self.problem(range.clone(), kind, crate::stray::describe(text));
    }

    /// `Basic:`, `Basic"x"`, `Basic/x`: a scheme that something is glued to.
    fn after_odd_scheme(&mut self, name: std::ops::Range<usize>) -> bool {
        let at = self.cur.at();
        if self.cur.take(b':') {
            let text = slice(self.bytes, &name).to_ascii_lowercase();
            if scheme::FIELD_NAMES.iter().any(|f| f.as_bytes() == text) {
                let what = "the name of the field stands inside its value";
                self.problem(name.start..at + 1, ProblemKind::FieldNameInValue, what);
                return true;
            }
            self.problem(
                at..at + 1,
                ProblemKind::SchemeColon,
                "a colon after the scheme: a space belongs there",
            );
            self.begin(name.clone());
            return self.after_scheme(name);
        }
        self.begin(name);
        let junk = self.cur.take_while(|b| !is_gap(b) && b != b',');
        let what = "this cannot stand in the name of a scheme";
        self.problem(junk.clone(), ProblemKind::BadCharacter, what);
        if let Some(e) = self.elements.last_mut() {
            e.range.end = junk.end;
        }
        self.after_gap()
    }

    /// What follows a scheme: nothing, a token68, or parameters. Answers whether white space followed the scheme.
    fn after_scheme(&mut self, name: std::ops::Range<usize>) -> bool {
        let gap = self.cur.skip_gap();
        if slice(self.bytes, &gap).contains(&b'\t') {
            self.problem(gap, ProblemKind::Tab, "a tab after the scheme: the grammar has spaces there");
        }
        self.cur.reset(name.end.max(self.cur.at()));
        self.after_gap()
    }

    fn after_gap(&mut self) -> bool {
        self.cur.skip_gap();
        let end = self.elements.last().map_or(0, |e| e.range.end);
        let spaced = self.cur.at() > end;
        if self.cur.at_element_end() {
            return spaced;
        }
        let start = self.cur.at();
        let body = self.cur.take_while(is_token68);
        let padding = self.cur.take_while(|b| b == b'=');
        let token = start..padding.end;
        self.cur.skip_gap();
        if !body.is_empty() && self.cur.at_element_end() {
            self.token68_or_name(token, !padding.is_empty());
            return true;
        }
        self.cur.reset(start);
        if at_param(&self.cur) {
            self.param();
            return true;
        }
        // Neither: `Negotiate NTLM Basic realm=x` lacks commas; anything else is text nobody can read.
        if at_known_scheme(&self.cur) {
            self.problem(start..start, ProblemKind::MissingComma, "a comma is missing before this challenge");
            let name = self.cur.take_while(is_tchar);
            self.begin(name.clone());
            return self.chain(name);
        }
        self.junk();
        let range = crate::syntax::trimmed(self.bytes, start..self.cur.at());
        let what = "neither token68 nor parameters";
        self.problem(range.clone(), ProblemKind::NotToken68, what);
        self.set_token68(range);
        true
    }

    /// A scheme begun inside another one's value; what follows is read by the next round of the list.
    fn chain(&mut self, name: std::ops::Range<usize>) -> bool {
        self.cur.skip_gap();
        if self.cur.at_element_end() || at_param(&self.cur) {
            // The list's own loop would miss a comma here, so the first parameter is read at once.
            if at_param(&self.cur) {
                self.param();
            }
            return true;
        }
        let spaced = self.cur.at() > name.end;
        if at_known_scheme(&self.cur) {
            return spaced;
        }
        let start = self.cur.at();
        self.junk();
        let range = crate::syntax::trimmed(self.bytes, start..self.cur.at());
        if !crate::syntax::is_token68_text(slice(self.bytes, &range)) {
            self.problem(range.clone(), ProblemKind::NotToken68, "neither token68 nor parameters");
        }
        self.set_token68(range);
        true
    }

    /// `Digest foo, bar=x`: where parameters follow, `foo` was meant as one of them and not as a token68.
    fn token68_or_name(&mut self, token: std::ops::Range<usize>, padded: bool) {
        let text = slice(self.bytes, &token);
        let mut look = self.cur;
        look.take_while(|b| is_gap(b) || b == b',');
        let params_follow = at_param(&look);
        let message = self
            .elements
            .last()
            .is_some_and(|e| matches!(e.scheme.name.as_str(), "ntlm" | "negotiate" | "kerberos"));
        if params_follow && !padded && !message && is_token(text) {
            self.valueless(token);
            return;
        }
        if scheme::known_bytes(text).is_some() {
            let what = "the name of a scheme as the value of another: a comma is likely missing before it";
            self.problem(token.clone(), ProblemKind::SchemeAsToken68, what);
        } else if padded && !params_follow && !message {
            let name = text.strip_suffix(b"=").unwrap_or(text);
            if matches!(
                name.to_ascii_lowercase().as_slice(),
                b"realm" | b"error" | b"nonce" | b"scope" | b"charset"
            ) {
                let what =
                    "the grammar reads this as token68; a parameter with an empty value is written name=\"\"";
                self.problem(token.clone(), ProblemKind::AmbiguousToken68, what);
            }
        }
        self.set_token68(token);
    }
}
