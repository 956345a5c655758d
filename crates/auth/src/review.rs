//! An `Authorization` value as people get it wrong: one look that answers the questions a diagnosis asks first.

use crate::field::Credentials;
use crate::inside::{self, Inside};
use crate::placeholder::{self, Placeholder};
use crate::problem::{Parsed, Problem, ProblemKind};
use crate::scheme::basic::Part;
use crate::token::Shape;
use std::ops::Range;

/// What stands in the field. All ranges are relative to its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// The sets of credentials; more than one is a fault.
    pub credentials: Parsed<Vec<Credentials>>,
    /// What each of them carries.
    pub inside: Vec<Inside>,
    /// Nothing is in it: an empty value, a scheme alone, an empty pair of user-id and password.
    pub empty: Option<Range<usize>>,
    /// A secret without a scheme before it, and what it looks like.
    pub scheme_missing: Option<(Range<usize>, Shape)>,
    /// The scheme, or the field's name, a second time.
    pub scheme_doubled: Option<Range<usize>>,
    /// A placeholder in place of the secret.
    pub placeholder: Option<(Range<usize>, Placeholder)>,
    /// Characters that came along: line breaks, white space, quotes, byte order marks and the like.
    pub stray: Vec<Problem>,
    /// Sets of credentials after the first one, and whether each says the same as the first.
    pub further: Vec<(Range<usize>, bool)>,
}

/// Kinds of problems that are stray characters.
pub const STRAY: &[ProblemKind] = &[
    ProblemKind::LineBreak,
    ProblemKind::OuterSpace,
    ProblemKind::Quotes,
    ProblemKind::ByteOrderMark,
    ProblemKind::Invisible,
    ProblemKind::OddSpace,
    ProblemKind::Typographic,
    ProblemKind::ControlCharacter,
];

/// Looks at the value of an `Authorization` or `Proxy-Authorization` field.
pub fn of(value: &[u8]) -> Review {
    let credentials = crate::parse_credentials(value);
    let carried: Vec<Inside> = credentials.value.iter().map(|c| inside::of(value, c)).collect();
    let first = credentials.value.first().zip(carried.first());
    let empty = match first {
        None => Some(0..value.len()),
        Some((c, Inside::Empty)) => Some(c.range.clone()),
        Some((c, Inside::Basic(b))) => b.problem(ProblemKind::EmptyPair).map(|_| c.value_range()),
        Some((_, Inside::Token(t))) if t.shape == Shape::Empty => Some(t.range.clone()),
        Some(_) => None,
    };
    let scheme_missing = credentials.problem(ProblemKind::SchemeMissing).map(|p| {
        let shape = match first {
            Some((_, Inside::Token(t))) => t.shape,
            _ => Shape::Other,
        };
        (p.range.clone(), shape)
    });
    let doubled = [ProblemKind::SchemeDoubled, ProblemKind::FieldNameInValue];
    let scheme_doubled =
        credentials.problems.iter().find(|p| doubled.contains(&p.kind)).map(|p| p.range.clone());
    let mut stray: Vec<Problem> = first.map(|(_, i)| i.problems()).unwrap_or_default().to_vec();
    stray.extend(credentials.problems.iter().cloned());
    stray.retain(|p| STRAY.contains(&p.kind) || is_stray_byte(value, p));
    stray.sort_by_key(|p| p.range.start);
    let text = |c: &Credentials| (c.scheme.name.clone(), c.rest.text.clone());
    let further = credentials.value.iter().skip(1);
    let further =
        further.map(|c| (c.range.clone(), Some(text(c)) == credentials.value.first().map(text))).collect();
    Review {
        placeholder: first.and_then(|(c, i)| placeholder_of(c, i)),
        empty,
        scheme_missing,
        scheme_doubled,
        stray,
        further,
        inside: carried,
        credentials,
    }
}

/// A byte order mark or quotes before the scheme are a fault of the grammar; they came along all the same.
fn is_stray_byte(value: &[u8], problem: &Problem) -> bool {
    let outside = matches!(problem.kind, ProblemKind::NonAscii | ProblemKind::BadCharacter);
    let bytes = crate::syntax::slice(value, &problem.range);
    let text = String::from_utf8_lossy(bytes);
    outside && text.chars().any(|c| c == '"' || crate::stray::odd(c).is_some())
}

fn placeholder_of(credentials: &Credentials, inside: &Inside) -> Option<(Range<usize>, Placeholder)> {
    match inside {
        Inside::Token(t) => t.placeholder.map(|p| (t.range.clone(), p)),
        Inside::Basic(b) => {
            let (part, found) = b.placeholder?;
            let range = if part == Part::Password { b.password_range.clone() } else { b.user_range.clone() };
            Some((range, found))
        }
        // A whole value that is one word: `undefined`, `null`.
        Inside::Empty => placeholder::find(credentials.scheme.written.as_bytes())
            .map(|p| (credentials.scheme.range.clone(), p)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(value: &str) -> Review {
        of(value.as_bytes())
    }

    #[test]
    fn nothing_in_it() {
        for value in ["", " ", "Bearer", "Bearer ", "Basic Og==", "Basic"] {
            assert!(look(value).empty.is_some(), "{value:?}");
        }
        assert_eq!(look("Bearer abc").empty, None);
    }

    #[test]
    fn the_scheme_is_missing() {
        let shape = |value: &str| look(value).scheme_missing.map(|(_, s)| s);
        assert_eq!(shape("eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.AAAA"), Some(Shape::Jwt));
        assert_eq!(shape("0123456789abcdef0123456789abcdef"), Some(Shape::Hex));
        assert_eq!(shape("YWxpY2U6c2VjcmV0"), Some(Shape::BasicPair));
        assert_eq!(shape("YWxpY2U6c2VjcmV0MQ=="), Some(Shape::BasicPair));
        assert_eq!(shape("ghp_0123456789abcdefABCDEF0123456789abcd"), Some(Shape::Vendor));
        assert_eq!(shape("550e8400-e29b-41d4-a716-446655440000"), Some(Shape::Uuid));
        assert_eq!(shape("alice:secret"), Some(Shape::Opaque));
        assert_eq!(shape("Bearer abc"), None);
        assert_eq!(shape("X-Custom abc"), None);
    }

    #[test]
    fn the_scheme_is_doubled() {
        for value in [
            "Bearer Bearer abc",
            "Authorization: Bearer abc",
            "Basic Basic YTpi",
            "Bearer bearer: abc",
            "Bearer Token abc",
            "Basic Authorization: Basic YTpi",
        ] {
            let review = look(value);
            assert!(review.scheme_doubled.is_some(), "{value}");
            let token = review.credentials.value[0].token68.as_ref().unwrap();
            assert!(["abc", "YTpi"].contains(&token.text.expose_text().as_ref()), "{value}");
        }
        assert_eq!(look("Bearer abc").scheme_doubled, None);
        assert_eq!(look("Token token=abc").scheme_doubled, None);
    }

    #[test]
    fn placeholders() {
        for value in [
            "Bearer undefined",
            "Bearer ${TOKEN}",
            "undefined",
            "Bearer <your token>",
            "Basic {{auth}}",
            "Bearer [object Object]",
            "Bearer $TOKEN",
            "Bearer null",
            "Token token=null",
        ] {
            assert!(look(value).placeholder.is_some(), "{value}");
        }
        let coded = crate::base64::encode(b"alice:%PASSWORD%");
        assert!(look(&format!("Basic {coded}")).placeholder.is_some());
        assert_eq!(look("Bearer abcdef0123").placeholder, None);
    }

    #[test]
    fn stray_characters() {
        let kinds = |value: &str| look(value).stray.iter().map(|p| p.kind).collect::<Vec<_>>();
        assert_eq!(kinds("Bearer \"abc\""), [ProblemKind::Quotes]);
        assert_eq!(kinds("\u{feff}Bearer abc"), [ProblemKind::NonAscii]);
        assert_eq!(kinds("Bearer abc\u{200b}"), [ProblemKind::Invisible]);
        assert_eq!(kinds("\"Bearer abc\""), [ProblemKind::BadCharacter]);
        assert!(kinds("Bearer abc\r\ndef").contains(&ProblemKind::LineBreak));
        assert_eq!(kinds("Basic YWxpY2U6c2VjcmV0Cg=="), [ProblemKind::LineBreak]);
        assert_eq!(kinds("Bearer abc"), []);
    }

    #[test]
    fn two_sets_joined_by_a_comma() {
        assert_eq!(look("Bearer abc, Bearer abc").further, [(12..22, true)]);
        assert_eq!(look("Basic YTpi, Bearer abc").further, [(12..22, false)]);
        assert_eq!(look("Digest username=\"a\", realm=\"b, Basic c\", qop=auth").further, []);
        assert_eq!(
            look("AWS4-HMAC-SHA256 Credential=a/20150830/r/s/aws4_request, SignedHeaders=host, Signature=1")
                .further,
            []
        );
    }

    #[test]
    fn a_bare_secret_is_never_taken_for_a_scheme() {
        for value in ["correcthorsebatterystaple", "hunter2", "s3cr3t-token_x"] {
            assert!(!format!("{:?}", look(value)).contains(value), "{value}");
        }
    }
}
