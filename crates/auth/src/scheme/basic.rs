//! Basic (RFC 7617): `base64(user-id ":" password)`.

use crate::Secret;
use crate::base64::{self, Alphabet, Decoded};
use crate::placeholder::{self, Placeholder};
use crate::problem::{Problem, ProblemKind};
use crate::stray;
use crate::syntax::slice;
use crate::vendor::{self, VendorToken};
use std::borrow::Cow;
use std::ops::Range;

/// What a Basic value holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basic {
    /// The user-id. It may itself be a secret: see [`Basic::user_is_secret`].
    pub user: Secret,
    /// The password; `None` where the decoded text has no colon (then [`Basic::user`] is all of it).
    pub password: Option<Secret>,
    /// The encoded bytes that hold the user-id.
    pub user_range: Range<usize>,
    /// The encoded bytes that hold the password.
    pub password_range: Range<usize>,
    /// The decoded text, which for a value that was not encoded is the value itself.
    pub text: Secret,
    /// How the text is encoded.
    pub charset: Charset,
    /// The placeholder that user-id or password is.
    pub placeholder: Option<(Part, Placeholder)>,
    /// Whose token the user-id or password is, by its mark.
    pub vendor: Option<(Part, VendorToken)>,
    /// What is wrong, with ranges in the field value.
    pub problems: Vec<Problem>,
}

/// A part of the decoded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The user-id.
    User,
    /// The password.
    Password,
    /// All that follows the scheme, not decoded.
    Whole,
}

/// How text is encoded, as far as its bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Charset {
    /// ASCII only: every charset reads it alike.
    Ascii,
    /// Bytes outside ASCII that are UTF-8.
    Utf8,
    /// Bytes outside ASCII that are not UTF-8: ISO-8859-1 or windows-1252, most likely.
    Other,
}

impl Charset {
    /// What the bytes are.
    pub fn of(bytes: &[u8]) -> Self {
        match (bytes.is_ascii(), std::str::from_utf8(bytes)) {
            (true, _) => Charset::Ascii,
            (_, Ok(_)) => Charset::Utf8,
            _ => Charset::Other,
        }
    }

    /// Its name in words.
    pub fn name(self) -> &'static str {
        match self {
            Charset::Ascii => "US-ASCII",
            Charset::Utf8 => "UTF-8",
            Charset::Other => "not UTF-8 (ISO-8859-1 or windows-1252, most likely)",
        }
    }
}

impl Basic {
    /// Whether the user-id is likely a secret: no colon follows, it bears the mark of a token, or the password is
    /// empty and it looks like no name (services that take a key as the user name).
    pub fn user_is_secret(&self) -> bool {
        let empty = self.password.as_ref().is_none_or(Secret::is_empty);
        let bytes = self.user.expose();
        let name = |b: &u8| b.is_ascii_alphabetic() || b".-_\\".contains(b) || *b >= 0x80;
        let like_a_name = bytes.contains(&b'@') || (bytes.len() < 16 && bytes.iter().all(name));
        self.password.is_none() || vendor::identify(bytes).is_some() || (empty && !like_a_name)
    }

    /// The user-id to show: masked where it is likely a secret.
    pub fn user_shown(&self) -> String {
        if self.user_is_secret() { self.user.masked() } else { self.user_text().into_owned() }
    }

    /// The user-id as text: UTF-8, else ISO-8859-1.
    pub fn user_text(&self) -> Cow<'_, str> {
        match std::str::from_utf8(self.user.expose()) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(self.user.expose().iter().map(|b| char::from(*b)).collect()),
        }
    }

    /// Whether a server that keeps to RFC 7617 can take user-id and password out of it.
    pub fn is_well_formed(&self) -> bool {
        self.password.is_some() && !self.problems.iter().any(|p| MALFORMED.contains(&p.kind))
    }

    /// The first problem of a kind.
    pub fn problem(&self, kind: ProblemKind) -> Option<&Problem> {
        self.problems.iter().find(|p| p.kind == kind)
    }
}

/// What makes a Basic value unreadable for a server that keeps to the specification.
pub const MALFORMED: &[ProblemKind] = &[
    ProblemKind::NotBase64,
    ProblemKind::Base64Truncated,
    ProblemKind::MissingPadding,
    ProblemKind::WrongPadding,
    ProblemKind::Base64UrlAlphabet,
    ProblemKind::PercentEncoded,
    ProblemKind::Wrapped,
    ProblemKind::NoColon,
    ProblemKind::EncodedTwice,
    ProblemKind::NotEncoded,
    ProblemKind::Utf16,
];

/// Reads a Basic value, `range` of the field's `value`, through all faults.
pub fn read(value: &[u8], range: Range<usize>) -> Basic {
    let raw = slice(value, &range);
    if let Some(found) = placeholder::find(raw) {
        return placeholder_alone(raw, &range, found);
    }
    let decoded = base64::decode(value, range.clone(), Alphabet::Standard);
    if let Some(plain) = not_encoded(raw, &decoded) {
        return assemble(
            plain.to_vec(),
            |r| range.start + r.start..range.start + r.end,
            not_encoded_problem(&range),
        );
    }
    let mut problems = decoded.problems.clone();
    let text = decoded.bytes.expose().to_vec();
    if let Some(what) = encoded_twice(&text) {
        problems.push(Problem::new(range.clone(), ProblemKind::EncodedTwice, what));
    }
    if is_utf16(&text) {
        let what = "encoded from UTF-16 (a zero byte at every other place): encode from UTF-8";
        problems.push(Problem::new(range.clone(), ProblemKind::Utf16, what));
    }
    assemble(text, |r| decoded.encoded_range(&r), problems)
}

/// `Basic undefined`, `Basic ${CREDENTIALS}`: decoding it would only hide what it is.
fn placeholder_alone(raw: &[u8], range: &Range<usize>, found: Placeholder) -> Basic {
    let what = format!("a placeholder: {}", found.pattern);
    Basic {
        user: Secret::new(raw),
        password: None,
        user_range: range.clone(),
        password_range: range.end..range.end,
        text: Secret::new(raw),
        charset: Charset::of(raw),
        placeholder: Some((Part::Whole, found)),
        vendor: None,
        problems: vec![Problem::new(range.clone(), ProblemKind::Placeholder, what)],
    }
}

fn not_encoded_problem(range: &Range<usize>) -> Vec<Problem> {
    vec![Problem::new(
        range.clone(),
        ProblemKind::NotEncoded,
        "user-id:password stands here as it is, not in base64",
    )]
}

/// A colon is no character of base64: where one stands among printable text, nobody encoded it.
fn not_encoded<'a>(raw: &'a [u8], decoded: &Decoded) -> Option<&'a [u8]> {
    let printable = raw.iter().all(|b| *b >= 0x20 && *b != 0x7f);
    (decoded.has(ProblemKind::NotBase64) && raw.contains(&b':') && printable).then_some(raw)
}

/// The decoded text is base64 again, of something with a colon (or with the scheme before it).
fn encoded_twice(text: &[u8]) -> Option<&'static str> {
    let inner = text.trim_ascii();
    if inner.len() >= 6 && inner.get(..6).is_some_and(|s| s.eq_ignore_ascii_case(b"basic ")) {
        return Some("the decoded text is itself a Basic value: it was encoded twice");
    }
    if inner.len() < 4 || inner.contains(&b':') {
        return None;
    }
    let again = base64::decode(inner, 0..inner.len(), Alphabet::Standard);
    let clean = again.problems.iter().all(|p| matches!(p.kind, ProblemKind::MissingPadding));
    let bytes = again.bytes.expose();
    let printable = std::str::from_utf8(bytes)
        .is_ok_and(|t| !t.chars().any(|c| c.is_control() && c != '\n' && c != '\r'));
    (clean && printable && bytes.contains(&b':'))
        .then_some("the decoded text is base64 again: it was encoded twice")
}

fn is_utf16(text: &[u8]) -> bool {
    let zeros = |from: usize| text.iter().skip(from).step_by(2).take(64).all(|b| *b == 0);
    text.len() >= 4 && text.len().is_multiple_of(2) && zeros(1) != zeros(0)
}

fn assemble(
    text: Vec<u8>,
    place: impl Fn(Range<usize>) -> Range<usize>,
    mut problems: Vec<Problem>,
) -> Basic {
    let all = place(0..text.len());
    let colon = text.iter().position(|b| *b == b':');
    let split = colon.unwrap_or(text.len());
    let user = text.get(..split).unwrap_or_default();
    let password = colon.and_then(|c| text.get(c + 1..));
    let user_range = place(0..split);
    let password_range = colon.map_or(all.end..all.end, |c| place(c + 1..text.len()));
    let twice = problems.iter().any(|p| p.kind == ProblemKind::EncodedTwice);
    let utf16 = problems.iter().any(|p| p.kind == ProblemKind::Utf16);
    let mut add = |range: Range<usize>, kind, what: &str| problems.push(Problem::new(range, kind, what));

    match password {
        None if twice => {}
        None => add(all, ProblemKind::NoColon, "no colon in the decoded text: there is no password"),
        Some([]) if user.is_empty() => {
            add(all, ProblemKind::EmptyPair, "user-id and password are both empty")
        }
        Some([]) => add(password_range.clone(), ProblemKind::EmptyPassword, "the password is empty"),
        Some(_) if user.is_empty() => add(all, ProblemKind::EmptyUser, "the user-id is empty"),
        Some(_) => {}
    }
    let secret = password.unwrap_or_default();
    for (part, from, name) in [(user, 0, "the user-id"), (secret, split + 1, "the password")] {
        for p in stray::find(part, name).into_iter().filter(|_| !utf16) {
            let range = place(from + p.range.start..from + p.range.end);
            add(range, p.kind, &p.what);
        }
        let word = if part.is_ascii() { "" } else { name };
        if !word.is_empty() && std::str::from_utf8(part).is_err() {
            add(
                place(from..from + part.len()),
                ProblemKind::NotUtf8,
                &format!("{name} has bytes outside ASCII that are not UTF-8"),
            );
        }
    }
    if user.windows(3).any(|w| w.eq_ignore_ascii_case(b"%40") || w.eq_ignore_ascii_case(b"%5C")) {
        add(
            user_range.clone(),
            ProblemKind::BadValue,
            "the user-id looks percent-encoded; inside base64 it stands as it is",
        );
    }
    let pick = |find: fn(&[u8]) -> Option<Placeholder>| {
        find(secret).map(|p| (Part::Password, p)).or_else(|| find(user).map(|p| (Part::User, p)))
    };
    let placeholder = pick(placeholder::find);
    if let Some((part, found)) = &placeholder {
        let range = if *part == Part::User { user_range.clone() } else { password_range.clone() };
        add(range, ProblemKind::Placeholder, &format!("a placeholder: {}", found.pattern));
    }
    // A line break that came along hides whose token it is.
    let mark = |part: &[u8]| vendor::identify(slice(part, &crate::token::strip(part)));
    let vendor = mark(secret).map(|v| (Part::Password, v)).or_else(|| mark(user).map(|v| (Part::User, v)));
    problems.sort_by_key(|p| p.range.start);
    Basic {
        user: Secret::new(user),
        password: password.map(Secret::new),
        user_range,
        password_range,
        charset: Charset::of(&text),
        text: Secret::new(text),
        placeholder,
        vendor,
        problems,
    }
}

#[cfg(test)]
#[allow(clippy::string_slice, reason = "in a test a panic is the report")]
mod tests {
    use super::*;
    use ProblemKind::*;

    fn basic(encoded: &str) -> Basic {
        let value = format!("Basic {encoded}");
        read(value.as_bytes(), 6..value.len())
    }

    fn of(plain: &[u8]) -> Basic {
        basic(&base64::encode(plain))
    }

    fn kinds(b: &Basic) -> Vec<ProblemKind> {
        b.problems.iter().map(|p| p.kind).collect()
    }

    #[test]
    fn examples_of_rfc_7617() {
        let b = basic("QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(
            (b.user.expose(), b.password.as_ref().unwrap().expose()),
            (&b"Aladdin"[..], &b"open sesame"[..])
        );
        assert!(b.is_well_formed() && b.problems.is_empty());
        let b = basic("dGVzdDoxMjPCow==");
        assert_eq!((b.password.unwrap().expose_text().as_ref(), b.charset), ("123£", Charset::Utf8));
    }

    #[test]
    fn each_way_to_break_it_has_its_kind() {
        assert_eq!(kinds(&of(b"no-colon-here")), [NoColon]);
        assert_eq!(kinds(&of(b":")), [EmptyPair]);
        assert_eq!(kinds(&of(b"alice:")), [EmptyPassword]);
        assert_eq!(kinds(&of(b":secret")), [EmptyUser]);
        assert_eq!(kinds(&of(b"alice:secret\n")), [LineBreak]);
        assert_eq!(kinds(&of("alice:secret\u{a0}".as_bytes())), [OddSpace]);
        assert_eq!(kinds(&of("\u{feff}alice:secret".as_bytes())), [ByteOrderMark]);
        assert_eq!(kinds(&of(b"alice:\"secret\"")), [Quotes]);
        assert_eq!(kinds(&of(b"alice:\xe9t\xe9")), [NotUtf8]);
        assert_eq!(kinds(&basic("alice:secret")), [NotEncoded]);
        assert_eq!(
            kinds(&basic(&base64::encode(base64::encode(b"alice:secret").as_bytes()))),
            [EncodedTwice]
        );
        assert_eq!(kinds(&basic("YWxpY2U6c2VjcmV0MQ")), [MissingPadding]);
        assert_eq!(kinds(&basic("YWxpY2U6c2VjcmV0MQ%3D%3D")), [PercentEncoded]);
        assert_eq!(kinds(&basic("YWxpY2U6\nc2VjcmV0")), [Wrapped]);
        assert_eq!(kinds(&of(b"alice:${PASSWORD}")), [Placeholder]);
        let utf16: Vec<u8> = "al:pw".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(kinds(&of(&utf16)).contains(&Utf16));
    }

    #[test]
    fn problems_point_into_the_encoded_value_and_nothing_leaks() {
        let b = of(b"alice:secret\n");
        let value = format!("Basic {}", base64::encode(b"alice:secret\n"));
        let p = &b.problems[0];
        assert_eq!(&value[p.range.clone()], &value[value.len() - 4..value.len() - 2]);
        let shown = format!("{b:?}");
        assert!(!shown.contains("secret") && !shown.contains(&value[6..]), "{shown}");
    }

    #[test]
    fn a_key_as_user_name_is_not_shown() {
        let key = format!("sk_test_{}:", "a1".repeat(16));
        let b = of(key.as_bytes());
        assert!(b.user_is_secret() && !b.user_shown().contains("a1"));
        assert_eq!(b.vendor.unwrap().1.product, "Stripe");
        assert_eq!(of(b"alice:x").user_shown(), "alice");
    }
}
