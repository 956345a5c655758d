//! `Authorization = credentials`: one set, whose value people fill by hand, so that more goes wrong than in challenges.

use super::{Parser, at_known_scheme, at_param};
use crate::Parsed;
use crate::field::{Credentials, Param};
use crate::problem::ProblemKind;
use crate::scheme::{self, Carries};
use crate::sensitive::looks_secret;
use crate::syntax::{Cursor, is_gap, is_tchar, is_token68_text, slice, trimmed};
use std::ops::Range;

/// Reads the value of an `Authorization` or `Proxy-Authorization` field.
///
/// The grammar takes one set of credentials; where a comma joins several (as intermediaries do with two field lines)
/// all are given, and each after the first is a problem. A secret without a scheme is given as the token68 of
/// credentials whose scheme has an empty name, so that it never shows as a scheme.
pub fn parse_credentials(value: &[u8]) -> Parsed<Vec<Credentials>> {
    let outer = trimmed(value, 0..value.len());
    let mut parser = Parser::new(value, outer.clone());
    let inner = parser.unwrap(outer);
    if inner.is_empty() {
        parser.problem(0..value.len(), ProblemKind::Empty, "no credentials in it");
    }
    for (i, segment) in segments(value, inner).into_iter().enumerate() {
        if i > 0 {
            let what = "a second set of credentials: the field takes one";
            parser.problem(segment.clone(), ProblemKind::SecondCredentials, what);
        }
        parser.cur = Cursor::new(value, segment);
        parser.one();
    }
    parser.finish()
}

/// Reads a list of parameters without a scheme: `Authentication-Info = #auth-param` (RFC 9110 section 11.6.3).
pub fn parse_params(value: &[u8]) -> Parsed<Vec<Param>> {
    let mut parser = Parser::new(value, trimmed(value, 0..value.len()));
    parser.begin(0..0);
    if !parser.cur.is_done() {
        parser.params();
    }
    let Parsed { value, problems } = parser.finish();
    Parsed { value: value.into_iter().flat_map(|e| e.params).collect(), problems }
}

/// Parts the value at each comma outside quotes after which a set of credentials begins.
fn segments(value: &[u8], inner: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut cur = Cursor::new(value, inner.clone());
    let first = cur.slice(&cur.clone().take_while(is_tchar)).to_ascii_lowercase();
    let mut start = inner.start;
    let mut quoted = false;
    while let Some(b) = cur.next() {
        match b {
            b'"' => quoted = !quoted,
            b'\\' if quoted => {
                cur.next();
            }
            b',' if !quoted => {
                let comma = cur.at() - 1;
                cur.skip_gap();
                let mut look = cur;
                let name = look.take_while(is_tchar);
                let again = !name.is_empty() && cur.slice(&name).eq_ignore_ascii_case(&first);
                let gap = !look.skip_gap().is_empty() && !look.is_done();
                if !at_param(&cur) && gap && (again || at_known_scheme(&cur)) {
                    found.push(trimmed(value, start..comma));
                    start = cur.at();
                }
            }
            _ => {}
        }
    }
    found.push(trimmed(value, start..inner.end));
    found.retain(|r| !r.is_empty());
    found
}

impl Parser<'_> {
    /// Takes off what was pasted around the value: a byte order mark, quotes, the field's own name.
    fn unwrap(&mut self, outer: Range<usize>) -> Range<usize> {
        let mut inner = outer;
        loop {
            let mut cur = Cursor::new(self.bytes, inner.clone());
            let junk = cur.take_while(|b| b >= 0x80 || b == b'"');
            if !junk.is_empty() {
                let text = slice(self.bytes, &junk);
                let ascii = text.is_ascii();
                let kind = if ascii { ProblemKind::BadCharacter } else { ProblemKind::NonAscii };
                let mut what = crate::stray::describe(text);
                if text == b"\"" && slice(self.bytes, &inner).ends_with(b"\"") && inner.len() > 1 {
                    what = "quotes around the whole value".into();
                    inner.end -= 1;
                }
                self.problem(junk.clone(), kind, what);
                inner.start = junk.end;
                inner = trimmed(self.bytes, inner);
                continue;
            }
            match field_name(&cur) {
                Some(name) => {
                    let what = "the name of the field stands inside its value";
                    self.problem(name.clone(), ProblemKind::FieldNameInValue, what);
                    inner = trimmed(self.bytes, name.end..inner.end);
                }
                None => return inner,
            }
        }
    }

    /// One set of credentials, which fills the cursor's range.
    fn one(&mut self) {
        let name = self.cur.take_while(is_tchar);
        let all = name.start..self.cur.end();
        let text = slice(self.bytes, &name);
        let known = scheme::known_bytes(text).is_some();
        match self.cur.peek() {
            None if known => {
                self.begin(name.clone());
                let what = "a scheme and nothing after it";
                self.problem(name, ProblemKind::NothingAfterScheme, what);
            }
            // What is short and all letters may be the name of a scheme; anything else is more likely a secret.
            None if text.len() <= 8 && text.iter().all(u8::is_ascii_alphabetic) => {
                self.begin(name.clone());
                let what = "one word: a scheme that is not known with nothing after it, or a secret without a scheme";
                self.problem(name, ProblemKind::NothingAfterScheme, what);
            }
            Some(b) if is_gap(b) && !text.is_empty() && (known || !looks_secret(text)) => self.value_of(name),
            Some(b':') if known => {
                self.cur.take(b':');
                let what = "a colon after the scheme: a space belongs there";
                self.problem(name.end..self.cur.at(), ProblemKind::SchemeColon, what);
                self.value_of(name);
            }
            _ => self.schemeless(all),
        }
    }

    /// No scheme stands at the start: glued to its value, or missing.
    fn schemeless(&mut self, all: Range<usize>) {
        let text = slice(self.bytes, &all);
        for glued in [&b"basic"[..], b"bearer", b"digest", b"negotiate", b"ntlm"] {
            let (head, tail) = text.split_at_checked(glued.len()).unwrap_or_default();
            if head.eq_ignore_ascii_case(glued) && tail.len() >= 8 && !tail.contains(&b' ') {
                let split = all.start + glued.len();
                let what = "no space between the scheme and its value";
                self.problem(split..split, ProblemKind::SchemeGlued, what);
                self.begin(all.start..split);
                self.cur.reset(split);
                self.body(all.start..split);
                return;
            }
        }
        let what = "no auth-scheme (such as Bearer or Basic) before the value";
        self.problem(all.clone(), ProblemKind::SchemeMissing, what);
        self.begin(all.start..all.start);
        self.cur.reset(all.start);
        if !is_token68_text(text) && at_param(&self.cur) {
            self.params();
        } else {
            self.set_token68(all);
        }
    }

    fn value_of(&mut self, name: Range<usize>) {
        self.begin(name.clone());
        let gap = self.cur.skip_gap();
        if slice(self.bytes, &gap).contains(&b'\t') {
            self.problem(gap, ProblemKind::Tab, "a tab after the scheme: the grammar has spaces there");
        }
        self.body(name);
    }

    fn body(&mut self, name: Range<usize>) {
        self.skip_doubled();
        let body = trimmed(self.bytes, self.cur.at()..self.cur.end());
        let text = slice(self.bytes, &body);
        if text.is_empty() {
            self.problem(name, ProblemKind::NothingAfterScheme, "a scheme and nothing after it");
            return;
        }
        if is_token68_text(text) {
            return self.set_token68(body);
        }
        let known = scheme::known_bytes(slice(self.bytes, &name));
        let by_design = known.is_some_and(|k| COLON_BY_DESIGN.contains(&k.name));
        let params = match known.map(|k| k.carries) {
            _ if by_design => false,
            Some(Carries::Params) => true,
            Some(Carries::Token) => self.at_plausible_param(),
            Some(Carries::Either) | None => at_param(&self.cur),
        };
        if params {
            return self.params();
        }
        let what = self.why_not_token68(text, by_design);
        let bad = text.iter().position(|b| !crate::syntax::is_token68(*b)).unwrap_or(0);
        self.problem(body.start + bad..body.end, ProblemKind::NotToken68, what);
        self.set_token68(body);
    }

    /// `Bearer Bearer x`, `Basic Authorization: Basic x`.
    fn skip_doubled(&mut self) {
        loop {
            self.cur.skip_gap();
            if let Some(name) = field_name(&self.cur) {
                let what = "the name of the field stands inside its value";
                self.problem(name.clone(), ProblemKind::FieldNameInValue, what);
                self.cur.reset(name.end);
                continue;
            }
            let mut look = self.cur;
            let name = look.take_while(is_tchar);
            let Some(known) = scheme::known_bytes(look.slice(&name)) else { return };
            let colon = look.take(b':');
            let more = (colon || look.peek().is_some_and(is_gap)) && !at_param(&self.cur);
            let common = matches!(known.name, "basic" | "bearer" | "digest" | "negotiate" | "ntlm");
            let alone = common && look.is_done();
            if !more && !alone {
                return;
            }
            let what = "a scheme stands inside the value: it is doubled, or another one was put before it";
            self.problem(name, ProblemKind::SchemeDoubled, what);
            self.cur.reset(look.at());
        }
    }

    /// In schemes that carry a token, only what can hardly be anything else is read as parameters.
    fn at_plausible_param(&self) -> bool {
        let mut look = self.cur;
        let name = look.take_while(|b| b.is_ascii_alphabetic() || b == b'_' || b == b'-');
        (1..=24).contains(&name.len()) && look.take(b'=') && !matches!(look.peek(), None | Some(b'='))
    }

    fn why_not_token68(&self, text: &[u8], by_design: bool) -> String {
        let bad = text.iter().copied().find(|b| !crate::syntax::is_token68(*b)).unwrap_or(b' ');
        let which = match bad {
            b' ' | b'\t' => "white space".to_string(),
            b'=' => "'=' before the end".to_string(),
            b if b >= 0x80 => "a byte outside ASCII".to_string(),
            b if b.is_ascii_graphic() => format!("{:?}", char::from(b)),
            _ => "a control character".to_string(),
        };
        let tail = if by_design { " (this scheme is defined so all the same)" } else { "" };
        format!("{which} cannot stand in a token68{tail}")
    }

    fn params(&mut self) {
        loop {
            if at_param(&self.cur) {
                self.param();
            } else {
                let start = self.cur.at();
                let name = self.cur.take_while(is_tchar);
                if name.is_empty() {
                    self.stray(start);
                } else {
                    self.valueless(name);
                }
            }
            self.separators();
            if self.cur.is_done() {
                return;
            }
        }
    }
}

/// Schemes whose own definition puts a colon or an `=` into what RFC 9110 would have as token68.
const COLON_BY_DESIGN: &[&str] =
    &["aws", "sharedkey", "sharedkeylite", "sharedaccesssignature", "sso-key", "sapisidhash"];

/// `Authorization:` at the cursor.
fn field_name(cur: &Cursor<'_>) -> Option<Range<usize>> {
    let mut look = *cur;
    let name = look.take_while(is_tchar);
    let text = look.slice(&name).to_ascii_lowercase();
    let known = scheme::FIELD_NAMES.iter().any(|f| f.as_bytes() == text);
    (known && look.take(b':')).then(|| name.start..look.at())
}
