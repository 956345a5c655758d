//! Cookies (RFC 6265): names and where the values stand, for tokens within them.

use crate::problem::{Problem, ProblemKind};
use crate::syntax::{slice, trimmed};
use std::ops::Range;

/// A cookie.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Where its name stands in the field value.
    pub name_range: Range<usize>,
    /// Where its value stands, without quotes around it.
    pub value: Range<usize>,
}

/// What `Set-Cookie` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SetCookie {
    /// The cookie.
    pub cookie: Cookie,
    /// The attributes: names in lower case, with values where they have one.
    pub attributes: Vec<(String, Option<String>)>,
    /// What keeps a browser from taking it.
    pub problems: Vec<Problem>,
}

impl SetCookie {
    /// The value of an attribute, given in lower case; empty text for one without a value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_deref().unwrap_or_default())
    }

    /// Whether it deletes the cookie: `Max-Age` of zero or less, or `Expires` in 1970.
    pub fn deletes(&self) -> bool {
        let by_age = self.attribute("max-age").and_then(|a| a.parse::<i64>().ok()).map(|a| a <= 0);
        by_age.unwrap_or_else(|| self.attribute("expires").is_some_and(|e| e.contains("1970") || e == "0"))
    }
}

/// The pieces between semicolons, trimmed.
fn pieces(value: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    value.split(|b| *b == b';').map(move |piece| {
        let start = at;
        at += piece.len() + 1;
        trimmed(value, start..start + piece.len())
    })
}

/// Name and value of a piece.
fn pair(value: &[u8], piece: Range<usize>) -> (Range<usize>, Option<Range<usize>>) {
    match slice(value, &piece).iter().position(|b| *b == b'=') {
        None => (piece, None),
        Some(i) => {
            let (name, rest) = (piece.start..piece.start + i, piece.start + i + 1..piece.end);
            (trimmed(value, name), Some(trimmed(value, rest)))
        }
    }
}

fn unquoted(value: &[u8], range: Range<usize>) -> Range<usize> {
    let text = slice(value, &range);
    let quoted = text.len() >= 2 && text.starts_with(b"\"") && text.ends_with(b"\"");
    if quoted { range.start + 1..range.end - 1 } else { range }
}

fn text(value: &[u8], range: &Range<usize>) -> String {
    String::from_utf8_lossy(slice(value, range)).into_owned()
}

fn cookie(value: &[u8], piece: Range<usize>) -> Cookie {
    match pair(value, piece) {
        // A piece without `=` is a value without a name.
        (all, None) => Cookie { name: String::new(), name_range: all.start..all.start, value: all },
        (name, Some(content)) => {
            Cookie { name: text(value, &name), name_range: name, value: unquoted(value, content) }
        }
    }
}

/// The cookies of a `Cookie` field.
pub fn cookies(value: &[u8]) -> Vec<Cookie> {
    pieces(value).filter(|p| !p.is_empty()).map(|p| cookie(value, p)).collect()
}

/// Reads a `Set-Cookie` field, and what makes browsers refuse it (RFC 6265bis section 5.7).
pub fn set_cookie(value: &[u8]) -> SetCookie {
    let mut pieces = pieces(value);
    let mut set = SetCookie { cookie: cookie(value, pieces.next().unwrap_or(0..0)), ..SetCookie::default() };
    for piece in pieces.filter(|p| !p.is_empty()) {
        let (name, content) = pair(value, piece);
        set.attributes.push((text(value, &name).to_ascii_lowercase(), content.map(|c| text(value, &c))));
    }
    let place = set.cookie.name_range.start..set.cookie.value.end;
    let secure = set.attribute("secure").is_some();
    let same_site_none = set.attribute("samesite").is_some_and(|s| s.eq_ignore_ascii_case("none"));
    let mut refused =
        |what: &str| set.problems.push(Problem::new(place.clone(), ProblemKind::Disagree, what));
    let path = set.attributes.iter().rev().find(|(n, _)| n == "path").and_then(|(_, v)| v.as_deref());
    let domain = set.attributes.iter().any(|(n, _)| n == "domain");
    if same_site_none && !secure {
        refused("SameSite=None without Secure: browsers refuse the cookie");
    }
    let prefix = |p: &str| set.cookie.name.get(..p.len()).is_some_and(|n| n.eq_ignore_ascii_case(p));
    if prefix("__Secure-") && !secure {
        refused("a name that begins with __Secure- without Secure: browsers refuse the cookie");
    }
    if prefix("__Host-") && (!secure || domain || path != Some("/")) {
        refused(
            "a name that begins with __Host- wants Secure, Path=/ and no Domain: browsers refuse the cookie",
        );
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values() {
        let value = br#"sid=abc; token="x.y"; bare; =v"#;
        let read: Vec<_> = cookies(value)
            .into_iter()
            .map(|c| (c.name, String::from_utf8_lossy(&value[c.value]).into_owned()))
            .collect();
        let want = [("sid", "abc"), ("token", "x.y"), ("", "bare"), ("", "v")];
        assert_eq!(read, want.map(|(a, b)| (a.to_string(), b.to_string())));
    }

    #[test]
    fn attributes_and_refusals() {
        let set = set_cookie(b"sid=abc; Path=/; SameSite=None");
        assert_eq!((set.attribute("path"), set.problems.len()), (Some("/"), 1));
        assert_eq!(set_cookie(b"__Host-sid=a; Secure; Path=/").problems, []);
        assert_eq!(set_cookie(b"__Host-sid=a; Secure; Path=/x").problems.len(), 1);
        assert!(set_cookie(b"sid=; Max-Age=0").deletes());
        assert!(set_cookie(b"sid=; Expires=Thu, 01 Jan 1970 00:00:00 GMT").deletes());
        assert!(!set_cookie(b"sid=x").deletes());
    }
}
