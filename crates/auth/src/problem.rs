//! What is wrong with a field value, and where.

use std::ops::Range;

/// One thing wrong (or odd) with a value. The text never repeats secret bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The bytes meant, relative to the field value that was given.
    pub range: Range<usize>,
    /// What kind of thing it is, for code.
    pub kind: ProblemKind,
    /// The same for people: a sentence without a full stop.
    pub what: String,
}

impl Problem {
    /// A problem at `range`.
    pub fn new(range: Range<usize>, kind: ProblemKind, what: impl Into<String>) -> Self {
        Problem { range, kind, what: what.into() }
    }

    /// Whether the value breaks RFC 9110's grammar by this.
    pub fn breaks_grammar(&self) -> bool {
        self.kind.breaks_grammar()
    }
}

/// The kinds of problems. Those of the field's grammar come first, then those of what the scheme carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ProblemKind {
    // The grammar of RFC 9110 section 11 is broken.
    /// There is no challenge, or no credentials, at all.
    Empty,
    /// Parameters or a secret without an auth-scheme before them.
    SchemeMissing,
    /// The scheme stands twice, or another scheme stands inside the value.
    SchemeDoubled,
    /// No space between the scheme and what follows it.
    SchemeGlued,
    /// A colon (or an equals sign) after the scheme.
    SchemeColon,
    /// The name of the field stands inside its value.
    FieldNameInValue,
    /// A byte that cannot stand where it stands.
    BadCharacter,
    /// The comma between two parameters or two challenges is missing.
    MissingComma,
    /// A semicolon where a comma belongs.
    Semicolon,
    /// `name=` without a value.
    EmptyValue,
    /// A parameter name without `=`.
    MissingValue,
    /// `=value` without a name.
    MissingName,
    /// A value that is no token and stands without quotes.
    UnquotedValue,
    /// A quoted-string without its closing quote.
    UnterminatedQuote,
    /// Text directly after a closing quote.
    TextAfterQuote,
    /// A token68 and parameters for one scheme.
    Token68AndParams,
    /// What follows the scheme is neither token68 nor parameters.
    NotToken68,
    /// Credentials after the first ones: the field takes one set.
    SecondCredentials,
    /// A control character, a line break among them.
    ControlCharacter,
    /// A byte outside ASCII where the grammar takes none.
    NonAscii,

    // Allowed, but worth saying.
    /// An empty element of a list, which a recipient ignores and a sender must not send.
    EmptyListElement,
    /// A parameter name that stands twice for one scheme.
    DuplicateParam,
    /// `name=` directly after the scheme, which the grammar reads as token68.
    AmbiguousToken68,
    /// A byte outside ASCII inside a quoted-string; what it means is not defined.
    ObsText,
    /// The name of a scheme as the token68 of another one: a comma is likely missing.
    SchemeAsToken68,
    /// A scheme and nothing after it, in credentials.
    NothingAfterScheme,
    /// A tab where one space is customary.
    Tab,
    /// A scheme that has all its parts in one field, beside another of the same name.
    DuplicateScheme,

    // What the scheme carries is broken.
    /// A byte that is not of the base64 alphabet.
    NotBase64,
    /// The base64 value ends within a character group.
    Base64Truncated,
    /// The `=` at the end of the base64 value are missing.
    MissingPadding,
    /// More `=`, or at another place, than base64 has.
    WrongPadding,
    /// `-` and `_` (base64url) where `+` and `/` belong.
    Base64UrlAlphabet,
    /// `+` and `/` where `-` and `_` (base64url) belong.
    Base64StandardAlphabet,
    /// Padding where base64url without padding belongs.
    UnexpectedPadding,
    /// The unused bits at the end of the base64 value are not zero.
    TrailingBits,
    /// Percent-encoded (`%3D` for `=`).
    PercentEncoded,
    /// Wrapped over lines, or spaces inside.
    Wrapped,
    /// No colon in the decoded Basic value.
    NoColon,
    /// Encoded in base64 twice.
    EncodedTwice,
    /// `user:password` as it is, not encoded.
    NotEncoded,
    /// The user-id is empty.
    EmptyUser,
    /// The password is empty.
    EmptyPassword,
    /// User-id and password are both empty.
    EmptyPair,
    /// A line break at the end of, or in, a decoded value.
    LineBreak,
    /// A space or tab at the start or end of a decoded value.
    OuterSpace,
    /// Quotes around a value.
    Quotes,
    /// A byte order mark.
    ByteOrderMark,
    /// An invisible character (zero-width, soft hyphen, bidirectional mark).
    Invisible,
    /// A space that is not U+0020 (no-break space and the like).
    OddSpace,
    /// A typographic quote, dash or ellipsis where a plain one is likely meant.
    Typographic,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// UTF-16, with a zero byte at every other place.
    Utf16,
    /// A placeholder instead of a secret.
    Placeholder,
    /// Another number of parts than the format has.
    WrongPartCount,
    /// Not JSON, or not a JSON object.
    NotJson,
    /// A value that must be there is missing.
    Missing,
    /// A value of the wrong form.
    BadValue,
    /// Quoted where the specification has a token, or the reverse: most recipients take both.
    Quoting,
    /// A value that no known specification defines.
    Unknown,
    /// The message ends before it should, or points outside itself.
    Truncated,
    /// Two values that must agree do not.
    Disagree,
}

impl ProblemKind {
    /// Whether RFC 9110's grammar is broken by it (section 11, and 5.6 for lists and quoted-strings).
    pub fn breaks_grammar(self) -> bool {
        self <= ProblemKind::NonAscii
    }
}

/// A value as it could be read, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed<T> {
    /// The lenient reading: everything that could be read.
    pub value: T,
    /// What is wrong, in the order of the bytes.
    pub problems: Vec<Problem>,
}

impl<T> Parsed<T> {
    /// Whether the strict reading (RFC 9110's grammar) accepts the value.
    pub fn strict_ok(&self) -> bool {
        !self.problems.iter().any(Problem::breaks_grammar)
    }

    /// The first problem of a kind.
    pub fn problem(&self, kind: ProblemKind) -> Option<&Problem> {
        self.problems.iter().find(|p| p.kind == kind)
    }
}
