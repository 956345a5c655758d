//! Text as words: what remains when letter case, punctuation, white space, markup and escapes are taken away.

/// A word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word<'a> {
    /// In lower case, escapes undone. Cut after [`LONGEST`] bytes: nothing that long is compared.
    pub(crate) folded: &'a [u8],
    /// Digits only, or several such joined by one of `. , : - /` (a version, a date, an address), which `folded`
    /// gives as one space.
    pub(crate) number: bool,
    /// White space stands before it.
    pub(crate) spaced: bool,
    /// A line ends before it (as such, not escaped).
    pub(crate) lined: bool,
    /// Offset of its first byte in the text as given.
    pub(crate) start: usize,
    /// Offset behind its last byte.
    pub(crate) end: usize,
}

/// Longest word that is kept whole, in bytes.
pub(crate) const LONGEST: usize = 64;

/// Gives the words of a text in order. Linear in the length of the text; any bytes will do.
pub(crate) fn each_word(text: &[u8], mut give: impl FnMut(Word<'_>)) {
    let mut folded = Vec::with_capacity(LONGEST);
    let (mut at, mut spaced, mut lined) = (0, true, true);
    let (mut start, mut number) = (0, true);
    while at < text.len() {
        // Most of every text: a run of ASCII letters and digits, taken at once.
        let run = plain(text, at);
        if !run.is_empty() {
            if folded.is_empty() {
                (start, number) = (at, true);
            }
            number &= run.iter().all(u8::is_ascii_digit);
            let room = LONGEST.saturating_sub(folded.len());
            folded.extend(run.iter().take(room).map(u8::to_ascii_lowercase));
            at += run.len();
            if at < text.len() {
                continue;
            }
            give(Word { folded: &folded, number, spaced, lined, start, end: at });
            return;
        }
        let (piece, len) = piece(text, at);
        if let Piece::Letter(bytes) = piece {
            if folded.is_empty() {
                (start, number) = (at, true);
            }
            number &= bytes.digit();
            bytes.push_to(&mut folded);
            at += len;
            if at < text.len() {
                continue;
            }
            give(Word { folded: &folded, number, spaced, lined, start, end: at });
            return;
        }
        if !folded.is_empty() {
            if number && joins_numbers(text, at) {
                if folded.len() < LONGEST {
                    folded.push(b' ');
                }
                at += 1;
                continue;
            }
            give(Word { folded: &folded, number, spaced, lined, start, end: at });
            folded.clear();
            (spaced, lined) = (false, false);
        }
        spaced |= matches!(piece, Piece::Space);
        lined |= text.get(at) == Some(&b'\n');
        at += len;
    }
}

/// The run of ASCII letters and digits that begins at `at`.
fn plain(text: &[u8], at: usize) -> &[u8] {
    let rest = text.get(at..).unwrap_or_default();
    let len = rest.iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(rest.len());
    rest.get(..len).unwrap_or_default()
}

/// A step through the text.
enum Piece {
    /// Part of a word.
    Letter(Letter),
    /// White space, as such or escaped, or a tag.
    Space,
    /// Punctuation.
    Mark,
}

/// A letter or digit in lower case, as UTF-8; or a byte that is not UTF-8.
enum Letter {
    Ascii(u8),
    Char(char),
    Byte(u8),
}

impl Letter {
    fn digit(&self) -> bool {
        matches!(self, Letter::Ascii(b) if b.is_ascii_digit())
    }

    fn push_to(&self, folded: &mut Vec<u8>) {
        if folded.len() >= LONGEST {
            return;
        }
        match self {
            Letter::Ascii(b) | Letter::Byte(b) => folded.push(*b),
            Letter::Char(c) => folded.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

fn of_char(c: char) -> Piece {
    if c.is_ascii_alphanumeric() {
        Piece::Letter(Letter::Ascii(c.to_ascii_lowercase() as u8))
    } else if c.is_alphanumeric() {
        let mut lower = c.to_lowercase();
        Piece::Letter(Letter::Char(lower.next().unwrap_or(c)))
    } else if c.is_whitespace() {
        Piece::Space
    } else {
        Piece::Mark
    }
}

/// The piece at `at`, and how many bytes of the text it takes (at least one).
fn piece(text: &[u8], at: usize) -> (Piece, usize) {
    let rest = text.get(at..).unwrap_or_default();
    let first = rest.first().copied().unwrap_or_default();
    match first {
        b'a'..=b'z' | b'0'..=b'9' => (Piece::Letter(Letter::Ascii(first)), 1),
        b'A'..=b'Z' => (Piece::Letter(Letter::Ascii(first.to_ascii_lowercase())), 1),
        b'\\' => backslash(rest),
        b'&' => entity(rest).unwrap_or((Piece::Mark, 1)),
        b'%' => percent(rest).unwrap_or((Piece::Mark, 1)),
        b'<' => tag(rest).unwrap_or((Piece::Mark, 1)),
        0x80.. => match first_char(rest) {
            Some(c) => (of_char(c), c.len_utf8()),
            None => (Piece::Letter(Letter::Byte(first)), 1),
        },
        _ if first.is_ascii_whitespace() => (Piece::Space, 1),
        _ => (Piece::Mark, 1),
    }
}

fn first_char(rest: &[u8]) -> Option<char> {
    let head = rest.get(..4).unwrap_or(rest);
    let valid = match std::str::from_utf8(head) {
        Ok(valid) => valid,
        Err(error) => std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?,
    };
    valid.chars().next()
}

/// An escape of JSON, C or a shell: `\n` is white space, `\u00e9` a letter, `\"` punctuation.
fn backslash(rest: &[u8]) -> (Piece, usize) {
    match rest.get(1) {
        Some(b'n' | b'r' | b't') => (Piece::Space, 2),
        Some(b'"' | b'\\' | b'/') => (Piece::Mark, 2),
        Some(b'u') => match rest.get(2..6).and_then(hex) {
            Some(code) => (char::from_u32(code).map_or(Piece::Mark, of_char), 6),
            None => (Piece::Mark, 1),
        },
        Some(b'x') => match rest.get(2..4).and_then(hex) {
            Some(code) if code < 0x80 => (char::from_u32(code).map_or(Piece::Mark, of_char), 4),
            _ => (Piece::Mark, 1),
        },
        _ => (Piece::Mark, 1),
    }
}

/// A character reference of HTML or XML: by number, or one of the names met in refusals.
fn entity(rest: &[u8]) -> Option<(Piece, usize)> {
    let end = rest.iter().take(10).position(|&b| b == b';')?;
    let name = rest.get(1..end)?;
    let piece = match name {
        [b'#', b'x' | b'X', digits @ ..] => of_char(char::from_u32(hex(digits)?)?),
        [b'#', digits @ ..] => of_char(char::from_u32(std::str::from_utf8(digits).ok()?.parse().ok()?)?),
        b"nbsp" => Piece::Space,
        b"quot" | b"apos" | b"amp" | b"lt" | b"gt" | b"ldquo" | b"rdquo" | b"lsquo" | b"rsquo" | b"ndash"
        | b"mdash" | b"hellip" => Piece::Mark,
        _ => return None,
    };
    Some((piece, end + 1))
}

/// A percent-encoded octet, as in the query of a redirect.
fn percent(rest: &[u8]) -> Option<(Piece, usize)> {
    let code = hex(rest.get(1..3)?)?;
    Some((if code < 0x80 { of_char(char::from_u32(code)?) } else { Piece::Mark }, 3))
}

/// A tag or comment of HTML. The search for its end stops at the next `<`, so that the whole stays linear.
fn tag(rest: &[u8]) -> Option<(Piece, usize)> {
    rest.get(1).filter(|b| b.is_ascii_alphabetic() || matches!(b, b'/' | b'!' | b'?'))?;
    let end = 1 + rest.get(1..)?.iter().position(|&b| matches!(b, b'<' | b'>'))?;
    rest.get(end).filter(|&&b| b == b'>')?;
    Some((Piece::Space, end + 1))
}

fn hex(digits: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

fn joins_numbers(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(|b| b".,:-/".contains(b)) && text.get(at + 1).is_some_and(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        each_word(text.as_bytes(), |w| all.push(String::from_utf8_lossy(w.folded).into_owned()));
        all
    }

    #[test]
    fn markup_and_escapes_fall_away() {
        assert_eq!(words("<b>Jwt</b> is&nbsp;expired"), ["jwt", "is", "expired"]);
        assert_eq!(
            words(r#"{"a":"The\ttoken\u0027s \"exp\" \u00e9t\u00e9"}"#),
            ["a", "the", "token", "s", "exp", "été"]
        );
        assert_eq!(words("can&#39;t can\u{2019}t can't"), ["can", "t", "can", "t", "can", "t"]);
        assert_eq!(
            words("error_description=Jwt%20is+expired"),
            ["error", "description", "jwt", "is", "expired"]
        );
    }

    #[test]
    fn numbers_hold_together_and_codes_stay_whole() {
        assert_eq!(
            words("HTTP Error 401.3 - AH01617: 192.0.2.1:80 x"),
            ["http", "error", "401 3", "ah01617", "192 0 2 1 80", "x"]
        );
    }

    #[test]
    fn ranges_are_of_the_text_as_given() {
        let text = "a &amp; <i>B\u{e9}la</i>\\n401";
        let mut spans = Vec::new();
        each_word(text.as_bytes(), |w| spans.push((text.get(w.start..w.end).unwrap(), w.number, w.spaced)));
        assert_eq!(spans, [("a", false, true), ("B\u{e9}la", false, true), ("401", true, true)]);
    }

    #[test]
    fn a_lone_angle_bracket_is_punctuation() {
        assert_eq!(words("if a < b then <unclosed"), ["if", "a", "b", "then", "unclosed"]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_give_words_in_order(text: Vec<u8>) {
            let mut last = 0;
            each_word(&text, |w| {
                assert!(w.start >= last && w.end > w.start && w.end <= text.len() && w.folded.len() <= LONGEST + 4);
                last = w.end;
            });
        }
    }
}
