//! Challenges and credentials as they stand in a field: RFC 9110 section 11 gives both one grammar.
//!
//! ```text
//! challenge   = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
//! credentials = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
//! auth-param  = token BWS "=" BWS ( token / quoted-string )
//! token68     = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
//! ```

use crate::Secret;
use crate::sensitive;
use crate::syntax::{is_token, is_token68_text};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// One challenge of `WWW-Authenticate` or `Proxy-Authenticate`.
pub type Challenge = Element;
/// The credentials of `Authorization` or `Proxy-Authorization`.
pub type Credentials = Element;

/// An auth-scheme with what follows it. All ranges are relative to the field value that was parsed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Element {
    /// From the scheme to the end of what belongs to it.
    pub range: Range<usize>,
    /// The scheme; its name is empty where none was written.
    pub scheme: Scheme,
    /// The token68. In credentials whose value is neither token68 nor parameters, that whole value.
    pub token68: Option<Token68>,
    /// The parameters in their order, duplicates included.
    pub params: Vec<Param>,
    /// Everything after the scheme as it stands, without white space around it.
    pub rest: Token68,
}

/// An auth-scheme.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Scheme {
    /// In lower case, as schemes are compared (RFC 9110 section 11.1).
    pub name: String,
    /// As it was written.
    pub written: String,
    /// Where it stands.
    pub range: Range<usize>,
}

/// A token68, or text in its place.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Token68 {
    /// The text as written.
    pub text: Secret,
    /// Where it stands.
    pub range: Range<usize>,
    /// Whether it is a token68 by the grammar.
    pub strict: bool,
}

/// An auth-param.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Param {
    /// The name in lower case, as names are compared (RFC 9110 section 11.2).
    pub name: String,
    /// The name as written.
    pub written: String,
    /// Where the name stands.
    pub name_range: Range<usize>,
    /// The value without quotes and escapes; `None` where not even `=` was written.
    pub value: Option<Vec<u8>>,
    /// The value as it stands, with its quotes.
    pub raw_range: Range<usize>,
    /// The value as it stands, without its quotes (escapes still in it).
    pub value_range: Range<usize>,
    /// Whether it was written as a quoted-string.
    pub quoted: bool,
}

impl Element {
    /// The first parameter of this (lower-case) name.
    pub fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|p| p.name == name)
    }

    /// The text of the first parameter of this (lower-case) name.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.param(name)?.text()
    }

    /// Like [`Element::text`], but nothing where the value is no clean one ([`Param::is_clean`]).
    pub fn clean_text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.param(name).filter(|p| p.is_clean())?.text()
    }

    /// Whether the scheme is this one (given in lower case).
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.name == scheme
    }

    /// Whether nothing follows the scheme.
    pub fn is_bare(&self) -> bool {
        self.rest.text.is_empty() && self.params.is_empty() && self.token68.is_none()
    }

    /// Where what follows the scheme stands, or the scheme where nothing follows.
    pub fn value_range(&self) -> Range<usize> {
        if self.rest.range.is_empty() { self.scheme.range.clone() } else { self.rest.range.clone() }
    }
}

impl Param {
    /// The value as text; what is not UTF-8 is shown as U+FFFD.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        self.value.as_deref().map(String::from_utf8_lossy)
    }

    /// The value's bytes, none where there is no value.
    pub fn bytes(&self) -> &[u8] {
        self.value.as_deref().unwrap_or_default()
    }

    /// Whether the value ends where its author meant it to: a quoted-string that is closed, or text without white
    /// space and signs that part parameters. What is not clean may have swallowed the parameters after it, secrets
    /// among them.
    pub fn is_clean(&self) -> bool {
        if self.quoted {
            return self.raw_range.len() == self.value_range.len() + 2;
        }
        self.bytes()
            .iter()
            .all(|b| (b.is_ascii_alphanumeric() || b"-._~+/;:@*'%!#$^`|".contains(b)) || *b >= 0x80)
    }

    /// From the name to the end of the value.
    pub fn range(&self) -> Range<usize> {
        self.name_range.start..self.raw_range.end.max(self.name_range.end)
    }
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.written)?;
        match &self.value {
            None => Ok(()),
            Some(v) if sensitive::is_public_param(&self.name) && self.is_clean() => {
                write!(f, "={:?}", String::from_utf8_lossy(v))
            }
            Some(v) => write!(f, "=({} bytes)", v.len()),
        }
    }
}

/// Writes elements as one field value: the form that RFC 9110 wants a sender to write. A value is quoted where it
/// was quoted or is no token. Parsing the outcome gives the same schemes, names and values again.
pub fn serialize(elements: &[Element]) -> Vec<u8> {
    let mut out = Vec::new();
    for (i, element) in elements.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(element.scheme.written.as_bytes());
        if let Some(token) = &element.token68 {
            out.push(b' ');
            out.extend_from_slice(token.text.expose());
        }
        for (j, param) in element.params.iter().enumerate() {
            out.extend_from_slice(if j == 0 { b" " } else { b", " });
            out.extend_from_slice(param.written.as_bytes());
            if let Some(value) = &param.value {
                out.push(b'=');
                write_value(&mut out, value, param.quoted);
            }
        }
    }
    out
}

fn write_value(out: &mut Vec<u8>, value: &[u8], quoted: bool) {
    if !quoted && is_token(value) {
        out.extend_from_slice(value);
        return;
    }
    out.push(b'"');
    for b in value {
        if matches!(b, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*b);
    }
    out.push(b'"');
}

impl Token68 {
    pub(crate) fn new(text: &[u8], range: Range<usize>) -> Self {
        Token68 { text: Secret::new(text), range, strict: is_token68_text(text) }
    }
}
