//! Secrets by the name beside them: one walk over the words of a text.

mod around;

use crate::names::{FieldKind, Secrecy, field_kind, secrecy, squeezed};
use crate::pairs::cookies;
use crate::ranges::{Ranges, find, from, part, skip_blanks, trimmed};
use crate::words::{in_prose, is_scheme};
use crate::{is_placeholder, secrets_in_field};
use around::{
    attached_user, before, begins_line, credentials_word, directive_before, ordinary, random_word,
    short_number, takes_login, user_option,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

/// What a word may mean.
#[derive(Clone, Copy)]
struct Class {
    kind: FieldKind,
    secrecy: Secrecy,
    scheme: bool,
}

/// So many words are remembered by each thread.
const KNOWN: usize = 10_000;

thread_local! {
    /// What the words seen so far are: the same few names come again and again, in all texts.
    static CLASSES: RefCell<HashMap<Box<str>, Class>> = RefCell::default();
}

impl Class {
    fn of(word: &str) -> Class {
        CLASSES.with_borrow_mut(|known| {
            if let Some(class) = known.get(word) {
                return *class;
            }
            let class = Class { kind: field_kind(word), secrecy: secrecy(word), scheme: is_scheme(word) };
            if known.len() < KNOWN && word.len() <= 80 {
                known.insert(word.into(), class);
            }
            class
        })
    }
}

/// The walk and what it remembers.
pub(crate) struct Keyed<'a> {
    text: &'a str,
    found: &'a mut Ranges,
    judged: Vec<Range<usize>>,
    /// `"name": "Authorization"` seen, `"value"` still to come, and the other way round.
    name: Option<&'a str>,
    value: Option<Range<usize>>,
    /// The line last looked at: where it begins, and where it ends without white space.
    line: Range<usize>,
}

/// A word of the text that may be the name of something.
struct Word<'a> {
    text: &'a str,
    at: usize,
    /// The quote before it that is not closed behind it: the whole `name: value` is quoted.
    around: Option<&'a str>,
    class: Class,
    /// Behind the word and its closing quote.
    end: usize,
}

/// The arguments of a call are looked for within so many characters.
const CALL: usize = 400;

/// A value of a name that may mean something else is looked at over so many characters.
const WEAK_VALUE: usize = 2000;

const QUOTES: [&str; 5] = ["\\\"", "\\'", "\"", "'", "`"];

impl<'a> Keyed<'a> {
    pub(crate) fn new(text: &'a str, found: &'a mut Ranges) -> Self {
        Keyed { text, found, judged: Vec::new(), name: None, value: None, line: 0..0 }
    }

    /// Walks over the text; gives back what the rules of a field have judged.
    pub(crate) fn run(mut self) -> Vec<Range<usize>> {
        let begins = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '{' | '}');
        let mut at = find(self.text, 0, begins);
        while at < self.text.len() {
            let end = find(self.text, at, |c| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')));
            let next = if end == at {
                (self.name, self.value) = (None, None);
                at + 1
            } else {
                self.word(at, end).max(end)
            };
            at = find(self.text, next, begins);
        }
        self.judged
    }

    fn word(&mut self, at: usize, end: usize) -> usize {
        let word = self.quotes(at, end);
        let sep = skip_blanks(self.text, word.end);
        let rest = from(self.text, sep);
        let width = match rest {
            r if r.starts_with("::") || r.starts_with("://") || r.starts_with("==") => 0,
            r if r.starts_with("=>") || r.starts_with(":=") => 2,
            r if r.starts_with(':') || r.starts_with('=') => 1,
            r if r.starts_with('>') && part(self.text, at.saturating_sub(1)..at) == "<" => {
                return self.element(&word, sep + 1);
            }
            _ => 0,
        };
        if width == 0 { self.unseparated(&word) } else { self.separated(&word, sep..sep + width) }
    }

    fn quotes(&mut self, at: usize, end: usize) -> Word<'a> {
        let text = part(self.text, at..end);
        let class = Class::of(text);
        let before = |q: &&&str| at.checked_sub(q.len()).is_some_and(|i| part(self.text, i..at) == **q);
        let around = QUOTES.iter().find(before).copied();
        match around {
            Some(q) if from(self.text, end).starts_with(q) => {
                Word { text, at, around: None, class, end: end + q.len() }
            }
            _ => Word { text, at, around, class, end },
        }
    }

    /// `<password>…</password>`.
    fn element(&mut self, word: &Word<'_>, start: usize) -> usize {
        let end = find(self.text, start, |c| c == '<');
        if word.class.secrecy == Secrecy::Strong {
            self.hide(trimmed(self.text, start..end), start)
        } else {
            start
        }
    }

    /// `name: value`, `name=value`, `"name": "value"`.
    fn separated(&mut self, word: &Word<'a>, sep: Range<usize>) -> usize {
        let mut start = skip_blanks(self.text, sep.end);
        if part(self.text, start..start + 1) == "[" {
            start = find(self.text, start + 1, |c| !c.is_whitespace());
        } else if part(self.text, start..start + 1) == "(" && squeezed(word.text).ends_with("auth") {
            return self.call(start);
        }
        let equals = part(self.text, sep.clone()) == "=";
        if attached_user(self.text, word) && !equals {
            let end = find(self.text, start, |c| c.is_whitespace() || matches!(c, '"' | '\''));
            return self.hide(start..end, end);
        }
        if let Some((inside, after)) = self.quoted_value(start) {
            return self.quoted(word, inside, after);
        }
        let line_end = self.line_end(start);
        let end = word
            .around
            .and_then(|q| part(self.text, start..line_end).find(q))
            .map_or(line_end, |i| start + i);
        let value = trimmed(self.text, start..end);
        // In a query it is a parameter, whatever field is called so.
        let query = equals && before(self.text, word, &["?", "&"]);
        match self.field_here(word).filter(|_| !query) {
            Some(kind) => self.field(word.text, kind, value, start),
            None if user_option(self.text, word) => self.after_colon(start),
            None => self.parameter(word, equals, start, end),
        }
    }

    /// The kind of field that a name means in free text, where `Signature:` or `token:` is likelier a word.
    fn field_here(&self, word: &Word<'_>) -> Option<FieldKind> {
        match word.class.kind {
            FieldKind::Plain | FieldKind::Address => None,
            FieldKind::Secret if !word.text.contains('-') && !word.text.eq_ignore_ascii_case("dpop") => None,
            kind => Some(kind),
        }
    }

    /// A field's value by the field's own rules; goes on behind it.
    fn field(&mut self, name: &str, kind: FieldKind, value: Range<usize>, start: usize) -> usize {
        let text = part(self.text, value.clone());
        let first = text.split_whitespace().next().unwrap_or_default();
        let sentence = match kind {
            FieldKind::Cookie | FieldKind::SetCookie => !text.chars().take(200).any(|c| c == '='),
            FieldKind::Credentials | FieldKind::Secret => in_prose(first) && !is_scheme(first),
            _ => false,
        };
        if sentence {
            return start;
        }
        let closing = |c: char| matches!(c, '"' | '\'' | ']' | '}' | '`' | ';' | '\\');
        let kept = if kind == FieldKind::Challenge { text } else { text.trim_end_matches(closing) };
        let value = value.start..value.start + kept.len();
        self.found.add_all(value.start, secrets_in_field(name, kept));
        self.judged.push(value.clone());
        value.end
    }

    fn quoted(&mut self, word: &Word<'a>, inside: Range<usize>, after: usize) -> usize {
        let content = part(self.text, inside.clone());
        let name = if word.text.len() <= 16 { squeezed(word.text) } else { String::new() };
        match name.as_str() {
            "name" | "key" | "header" | "headername" | "fieldname" => {
                self.name = Some(content);
                if let Some(value) = self.value.take() {
                    self.named(content, value.clone(), value.end);
                }
                return after;
            }
            "value" | "headervalue" | "fieldvalue" => match self.name.take() {
                Some(name) => return self.named(name, inside.clone(), inside.start),
                None => {
                    self.value = Some(inside.clone());
                    return inside.start;
                }
            },
            _ => {}
        }
        if user_option(self.text, word) {
            return self.after_colon(inside.start);
        }
        self.named(word.text, inside.clone(), inside.start)
    }

    /// A value whose name is known for certain to be its name; goes on at `otherwise` if it is no secret.
    fn named(&mut self, name: &str, value: Range<usize>, otherwise: usize) -> usize {
        let text = part(self.text, value.clone());
        match (field_kind(name), secrecy(name)) {
            (FieldKind::Plain | FieldKind::Address | FieldKind::Secret, Secrecy::Strong) => {
                self.hide(value, otherwise)
            }
            (FieldKind::Plain | FieldKind::Address, Secrecy::Weak) if random_word(text) => {
                self.hide(value, otherwise)
            }
            (FieldKind::Plain | FieldKind::Address, _) => otherwise,
            (FieldKind::Secret, _) if name.contains('-') || random_word(text) => self.hide(value, otherwise),
            (FieldKind::Secret, _) => otherwise,
            (kind, _) => self.field(name, kind, value, otherwise),
        }
    }

    /// A bare value of a parameter or key.
    fn parameter(&mut self, word: &Word<'_>, equals: bool, start: usize, line_end: usize) -> usize {
        let stop = |c: char| {
            c.is_whitespace()
                || matches!(c, '&' | ',' | ';' | '"' | '\'' | '<' | '>' | ')' | ']' | '}' | '\\')
        };
        let level = word.class.secrecy;
        if level == Secrecy::No {
            return start;
        }
        // What may be no secret is looked at over a bounded distance, since the walk then goes on within it.
        let far = if level == Secrecy::Strong { usize::MAX } else { WEAK_VALUE };
        let ahead = part(self.text, start..line_end).char_indices().take(far).find(|(_, c)| stop(*c));
        let mut end = match ahead {
            Some((i, _)) => start + i,
            None => line_end,
        };
        let line = trimmed(self.text, start..line_end);
        let text = part(self.text, start..end);
        let query = equals && (part(self.text, end..end + 1) == "&" || before(self.text, word, &["?", "&"]));
        if level == Secrecy::Weak && !random_word(text) && (!query || short_number(text)) {
            return start;
        }
        let alone = line.end <= end;
        if !equals && !alone && (in_prose(text) || ordinary(text)) {
            return start;
        }
        if !equals && in_prose(text) {
            return start;
        }
        // A line that begins with the key is configuration: all of it is the value, but for a form.
        let form = part(self.text, end..end + 1) == "&";
        if begins_line(self.text, word) && !form && !part(self.text, line.clone()).split(' ').any(in_prose) {
            end = end.max(line.end);
        }
        self.hide(start..end, start)
    }

    /// A word with nothing but blanks behind it: an option, a scheme, a directive.
    fn unseparated(&mut self, word: &Word<'a>) -> usize {
        let start = skip_blanks(self.text, word.end);
        if start == word.end {
            let opens = part(self.text, start..start + 1) == "(";
            return if opens && takes_login(word.text) { self.call(start) } else { word.end };
        }
        let option = before(self.text, word, &["-"]);
        let Class { kind, secrecy, scheme } = word.class;
        let tells =
            secrecy == Secrecy::Strong || scheme || !matches!(kind, FieldKind::Plain | FieldKind::Address);
        if !option && !tells {
            return word.end;
        }
        if option && user_option(self.text, word) {
            return self.after_colon(start);
        }
        let (value, after) = self.quoted_value(start).unwrap_or_else(|| {
            let end = find(self.text, start, |c| {
                c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '\\' | ']' | '<')
            });
            (start..end, end)
        });
        let text = part(self.text, value.clone());
        if option && matches!(word.text, "b" | "cookie") && text.contains('=') {
            let all = cookies(text);
            self.found.add_all(value.start, all.into_iter().map(|p| p.value));
            return after;
        }
        let strong = secrecy == Secrecy::Strong;
        if option && strong && before(self.text, word, &["--"]) && !text.starts_with('-') {
            return self.hide(value, after);
        }
        if scheme && credentials_word(word.text, text) {
            return self.hide(value, after);
        }
        let quoted = value.start > start;
        let header = word.text.contains('-') || word.text.eq_ignore_ascii_case("authorization");
        if quoted && header && self.field_here(word).is_some() {
            return self.named(word.text, value, word.end);
        }
        let alone = self.line_end(start) <= after + 1;
        let directive =
            begins_line(self.text, word) && squeezed(word.text).len() > 9 && alone && !in_prose(text);
        if strong && (directive || (quoted && directive_before(self.text, word)) || random_word(text)) {
            return self.hide(value, after);
        }
        word.end
    }

    /// The end of the line that `at` stands on, without white space; kept, so that a long line is walked over once.
    fn line_end(&mut self, at: usize) -> usize {
        if !(self.line.start <= at && at < self.line.end) {
            let end = find(self.text, at, |c| matches!(c, '\n' | '\r'));
            self.line = at..trimmed(self.text, at..end).end.max(at);
        }
        self.line.end
    }

    /// `('alice', 'secret')`: the last of two quoted strings up to the closing bracket.
    fn call(&mut self, open: usize) -> usize {
        let near = from(self.text, open).char_indices().take(CALL);
        let end = near
            .clone()
            .find(|(_, c)| matches!(c, ')' | '\n'))
            .or(near.last())
            .map_or(open, |(i, _)| open + i);
        let mut at = open;
        let mut strings = Vec::new();
        while at < end {
            at = find(part(self.text, 0..end), at, |c| matches!(c, '"' | '\''));
            let Some((inside, after)) = self.quoted_value(at) else { break };
            strings.push(inside);
            at = after;
        }
        match strings.pop() {
            Some(last) if !strings.is_empty() => self.hide(last, end),
            _ => open + 1,
        }
    }

    /// The password of `user:password`, from `start` to the end of the word or quoted string.
    fn after_colon(&mut self, start: usize) -> usize {
        let (value, after) = self.quoted_value(start).unwrap_or_else(|| {
            let end = find(self.text, start, |c| c.is_whitespace() || matches!(c, '"' | '\''));
            (start..end, end)
        });
        match part(self.text, value.clone()).find(':') {
            Some(i) => self.hide(value.start + i + 1..value.end, after),
            None => value.start.max(start),
        }
    }

    /// The inside of the quoted string that begins at `start`, and where it is over; it ends with its line.
    fn quoted_value(&self, start: usize) -> Option<(Range<usize>, usize)> {
        let rest = from(self.text, start);
        let quote = QUOTES.iter().find(|q| rest.starts_with(**q))?;
        let inside = start + quote.len();
        let mut skip = false;
        for (i, c) in from(self.text, inside).char_indices() {
            let at = inside + i;
            match c {
                '\n' => return Some((inside..at, at)),
                _ if skip => skip = false,
                _ if from(self.text, at).starts_with(quote) => return Some((inside..at, at + quote.len())),
                '\\' => skip = true,
                _ => {}
            }
        }
        Some((inside..self.text.len(), self.text.len()))
    }

    /// Hides a value unless it is none; goes on behind it, or at `otherwise`.
    fn hide(&mut self, value: Range<usize>, otherwise: usize) -> usize {
        let text = part(self.text, value.clone());
        if text.is_empty() || is_placeholder(text) || short_number(text) {
            return otherwise;
        }
        let end = value.end;
        self.found.add(value);
        end.max(otherwise)
    }
}
