//! Requests and responses (RFC 9110 section 6), every part with its place in the evidence.

use std::borrow::Cow;
use why401_span::Derived;

/// How many bytes of a body are kept: enough for any page or JSON document that explains a refusal.
pub const BODY_EXCERPT: usize = 64 * 1024;

/// A field line (RFC 9110 section 5): a name and a value, without the colon and the white space around them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldLine {
    /// The name as it was written; empty for a line of a head that is no field (the rest of a value that was wrapped).
    pub name: Derived,
    /// The value without leading and trailing white space.
    pub value: Derived,
}

impl FieldLine {
    /// Whether it has this name; case does not matter (RFC 9110 section 5.1).
    pub fn is(&self, name: &str) -> bool {
        self.name.as_bytes().eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value as text; what is not UTF-8 is shown as U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        self.value.to_text()
    }
}

/// The fields of a message in the order in which they came, duplicates included.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<FieldLine>);

impl Fields {
    /// The first field of that name.
    pub fn get(&self, name: &str) -> Option<&FieldLine> {
        self.0.iter().find(|f| f.is(name))
    }

    /// All fields of that name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a FieldLine> {
        self.0.iter().filter(move |f| f.is(name))
    }

    /// Whether there is a field of that name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The value of the first field of that name as text.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).map(FieldLine::text)
    }

    /// All the fields.
    pub fn iter(&self) -> impl Iterator<Item = &FieldLine> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The content of a message, decoded (chunks joined, decompressed), up to [`BODY_EXCERPT`] bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    /// The bytes that were kept.
    pub bytes: Derived,
    /// Whether these are all of them.
    pub complete: bool,
}

impl Body {
    /// The bytes as text; what is not UTF-8 is shown as U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        self.bytes.to_text()
    }
}

/// A request as one vantage point saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The request line as it is shown; for HTTP/2 and later, one made of the pseudo-fields.
    pub line: Derived,
    /// The method.
    pub method: Derived,
    /// The target as sent (RFC 9110 section 7.1): a path with query, an absolute address, an authority, `*`.
    pub target: Derived,
    /// `1.0`, `1.1`, `2`, `3`; empty if not known.
    pub version: String,
    /// `http` or `https` where the evidence tells.
    pub scheme: Option<String>,
    /// The fields; where [`Shows`](crate::Shows) says that they are not shown, those that a log line tells.
    pub fields: Fields,
    /// The content.
    pub body: Body,
    /// Whether the whole head was seen, so that a missing field is really missing.
    pub complete: bool,
}

impl Request {
    /// The method as text.
    pub fn method(&self) -> Cow<'_, str> {
        self.method.to_text()
    }

    /// The target as text.
    pub fn target(&self) -> Cow<'_, str> {
        self.target.to_text()
    }

    /// Host and port that the request names: from the target if that is absolute, else from `Host`.
    pub fn authority(&self) -> Option<String> {
        let target = self.target();
        if let Some((_, rest)) = target.split_once("://") {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let authority = rest.get(..end).unwrap_or_default();
            return Some(authority.rsplit('@').next().unwrap_or(authority).to_owned());
        }
        self.fields.text("host").or_else(|| self.fields.text(":authority")).map(|h| h.trim().to_owned())
    }
}

/// A response as one vantage point saw it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// The status line as it is shown; for HTTP/2 and later, one made of the pseudo-field.
    pub line: Derived,
    /// The status code; 0 where a recorder saw none (a browser hides a failed CORS exchange, a command printed the body
    /// only).
    pub status: u16,
    /// `1.0`, `1.1`, `2`, `3`; empty if not known.
    pub version: String,
    /// The fields.
    pub fields: Fields,
    /// The content.
    pub body: Body,
    /// Whether the whole head was seen, so that a missing field is really missing.
    pub complete: bool,
}
