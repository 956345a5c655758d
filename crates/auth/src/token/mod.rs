//! Tokens, in whatever field they stand: JWT, vendors' tokens, opaque ones, placeholders.

mod claims;
pub mod dpop;
pub mod json;
pub mod jwt;

use crate::Secret;
use crate::placeholder::{self, Placeholder};
use crate::problem::{Problem, ProblemKind};
use crate::stray;
use crate::syntax::slice;
use crate::vendor::{self, VendorToken};
use jwt::Jwt;
use std::ops::Range;

/// A token and what can be told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The token as written.
    pub text: Secret,
    /// Where it stands in the field value.
    pub range: Range<usize>,
    /// What it looks like.
    pub shape: Shape,
    /// The JWT in it, also a broken one.
    pub jwt: Option<Box<Jwt>>,
    /// Whose it is, by its mark.
    pub vendor: Option<VendorToken>,
    /// The placeholder that stands in its place.
    pub placeholder: Option<Placeholder>,
    /// What is wrong with it, with ranges in the field value.
    pub problems: Vec<Problem>,
}

/// What a token looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Nothing at all.
    Empty,
    /// A JWT (RFC 7519), perhaps broken.
    Jwt,
    /// A token with the mark of a service.
    Vendor,
    /// Hexadecimal digits only.
    Hex,
    /// A UUID (RFC 9562).
    Uuid,
    /// Base64 of `user:password`, which is what Basic carries.
    BasicPair,
    /// Letters, digits and a few signs.
    Opaque,
    /// JSON, as where the whole answer of a token endpoint was taken for the token.
    Json,
    /// Anything else.
    Other,
}

/// Reads a token, `range` of the field's `value`.
pub fn read(value: &[u8], range: Range<usize>) -> Token {
    let raw = slice(value, &range);
    // What came along (quotes, a byte order mark, line breaks) hides what it is; the ranges still count it.
    let inner = strip(raw);
    let core_range = range.start + inner.start..range.start + inner.end;
    let core = slice(raw, &inner);
    let mut problems: Vec<Problem> = stray::find(raw, "the token")
        .into_iter()
        .map(|p| Problem::new(range.start + p.range.start..range.start + p.range.end, p.kind, p.what))
        .collect();
    let placeholder = placeholder::find(core);
    if let Some(found) = &placeholder {
        problems.push(Problem::new(
            range.clone(),
            ProblemKind::Placeholder,
            format!("a placeholder: {}", found.pattern),
        ));
    }
    let vendor = vendor::identify(core);
    let jwt =
        (vendor.is_none() && jwt::looks_like(core)).then(|| Box::new(jwt::read(value, core_range.clone())));
    if let Some(jwt) = &jwt {
        problems.extend(jwt.problems.iter().cloned());
    } else if core.iter().any(|b| *b == b' ' || *b == b'\t') && placeholder.is_none() {
        problems.push(Problem::new(core_range.clone(), ProblemKind::Wrapped, "white space inside the token"));
    }
    if jwt.is_none()
        && core.windows(3).any(|w| {
            w.eq_ignore_ascii_case(b"%3D") || w.eq_ignore_ascii_case(b"%2F") || w.eq_ignore_ascii_case(b"%2B")
        })
    {
        problems.push(Problem::new(
            core_range,
            ProblemKind::PercentEncoded,
            "percent-encoded: a field takes it as it is",
        ));
    }
    let shape = shape(core, jwt.is_some(), vendor.is_some());
    if shape == Shape::Json {
        let what = "a JSON document in place of the token: one of its members is likely meant";
        problems.push(Problem::new(range.clone(), ProblemKind::BadValue, what));
    }
    problems.sort_by_key(|p| (p.range.start, p.range.end));
    Token { text: Secret::new(raw), range, shape, jwt, vendor, placeholder, problems }
}

/// Without quotes and odd characters at both ends.
pub(crate) fn strip(raw: &[u8]) -> Range<usize> {
    let odd = |c: char| stray::odd(c).is_some() || matches!(c, ' ' | '"' | '\'' | '`');
    let mut kept = stray::chars(raw).filter(|(_, c)| !odd(*c)).map(|(r, _)| r);
    let Some(first) = kept.next() else { return 0..0 };
    let last = kept.last().unwrap_or_else(|| first.clone());
    first.start..last.end
}

fn shape(core: &[u8], is_jwt: bool, is_vendor: bool) -> Shape {
    let hex_or_dash = |b: &u8| b.is_ascii_hexdigit() || *b == b'-';
    match core {
        [] => Shape::Empty,
        _ if is_jwt => Shape::Jwt,
        _ if is_vendor => Shape::Vendor,
        [b'{', .., b'}'] if serde_json::from_slice::<serde_json::Value>(core).is_ok() => Shape::Json,
        _ if core.len() == 36 && core.iter().all(hex_or_dash) && core.get(8) == Some(&b'-') => Shape::Uuid,
        _ if core.len() >= 16 && core.iter().all(u8::is_ascii_hexdigit) => Shape::Hex,
        _ if is_basic_pair(core) => Shape::BasicPair,
        _ if core.iter().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=|:!".contains(b)) => Shape::Opaque,
        _ => Shape::Other,
    }
}

/// Whether it is base64 of printable text with a colon.
pub fn is_basic_pair(text: &[u8]) -> bool {
    if text.len() < 4 || text.len() > 4096 {
        return false;
    }
    let decoded = crate::base64::decode(text, 0..text.len(), crate::base64::Alphabet::Standard);
    let clean = decoded.problems.iter().all(|p| p.kind == ProblemKind::MissingPadding);
    let bytes = decoded.bytes.expose();
    clean
        && bytes.contains(&b':')
        && std::str::from_utf8(bytes)
            .is_ok_and(|t| !t.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r')))
}
