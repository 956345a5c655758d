//! The head of a message, read as strictly as RFC 9112 allows: what two parsers could read in two ways is refused, since
//! that is how requests are smuggled (RFC 9112 section 11.2).

use super::framing::Framing;
use std::ops::Range;

/// Why a message is not read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bad {
    /// The status to refuse it with.
    pub(crate) status: u16,
    /// What is wrong, for the operator.
    pub(crate) says: &'static str,
}

impl Bad {
    pub(crate) const fn new(status: u16, says: &'static str) -> Bad {
        Bad { status, says }
    }
}

const fn bad<T>(says: &'static str) -> Result<T, Bad> {
    Err(Bad::new(400, says))
}

/// How many fields a head may have.
const FIELDS: usize = 100;

/// The version of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(crate) enum Version {
    /// HTTP/1.0.
    Ten,
    /// HTTP/1.1.
    Eleven,
    /// HTTP/2.
    Two,
}

impl Version {
    /// As in a log.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Version::Ten => "HTTP/1.0",
            Version::Eleven => "HTTP/1.1",
            Version::Two => "HTTP/2.0",
        }
    }

    /// As in a trace.
    pub(crate) fn number(self) -> &'static str {
        match self {
            Version::Ten => "1.0",
            Version::Eleven => "1.1",
            Version::Two => "2",
        }
    }
}

/// The head of a request or, with the status in the place of the method, of a response: its bytes and where its parts are.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    bytes: Vec<u8>,
    first: Range<usize>,
    second: Range<usize>,
    lines: Vec<(Range<usize>, Range<usize>)>,
    pub(crate) version: Version,
}

impl Head {
    /// Reads the head of a request; `bytes` end with its empty line.
    pub(crate) fn request(bytes: Vec<u8>) -> Result<Head, Bad> {
        let mut cursor = Cursor { bytes: &bytes, at: 0 };
        let line = cursor.line().ok_or(Bad::new(400, "the request line does not end with CR LF"))?;
        let text = bytes.get(line.clone()).unwrap_or_default();
        let mut spaces = text.iter().enumerate().filter(|(_, b)| **b == b' ').map(|(i, _)| line.start + i);
        let (Some(one), Some(two), None) = (spaces.next(), spaces.next(), spaces.next()) else {
            return bad("the request line is not a method, a target and a version");
        };
        let (method, target, version) = (line.start..one, one + 1..two, two + 1..line.end);
        let part = |range: &Range<usize>| bytes.get(range.clone()).unwrap_or_default();
        if part(&method).is_empty() || !part(&method).iter().all(|b| is_token(*b)) || method.len() > 32 {
            return bad("the method is no token");
        }
        if part(&target).is_empty() || !part(&target).iter().all(|b| (0x21..0x7f).contains(b)) {
            return bad("the target has characters that must be percent-encoded");
        }
        let version = match part(&version) {
            b"HTTP/1.1" => Version::Eleven,
            b"HTTP/1.0" => Version::Ten,
            v if v.starts_with(b"HTTP/") => return Err(Bad::new(505, "the version is not HTTP/1.x")),
            _ => return bad("the request line does not end with a version"),
        };
        let lines = fields(&mut cursor)?;
        Ok(Head { first: method, second: target, lines, version, bytes })
    }

    /// Reads the head of a response.
    pub(crate) fn response(bytes: Vec<u8>) -> Result<Head, Bad> {
        let mut cursor = Cursor { bytes: &bytes, at: 0 };
        let line = cursor.line().ok_or(Bad::new(502, "the status line does not end with CR LF"))?;
        let text = bytes.get(line.clone()).unwrap_or_default();
        let version = match text.get(..9) {
            Some(b"HTTP/1.1 ") => Version::Eleven,
            Some(b"HTTP/1.0 ") => Version::Ten,
            _ => return Err(Bad::new(502, "the status line does not begin with HTTP/1.x")),
        };
        let status = text.get(9..12).unwrap_or_default();
        if status.len() != 3 || !status.iter().all(u8::is_ascii_digit) {
            return Err(Bad::new(502, "the status is no number of three digits"));
        }
        let (first, second) = (line.start + 9..line.start + 12, (line.start + 13).min(line.end)..line.end);
        let lines = fields(&mut cursor)?;
        Ok(Head { first, second, lines, version, bytes })
    }

    /// The head of a message of HTTP/2, held to the same rules: `first` and `second` are method and target, or the status and
    /// nothing.
    pub(crate) fn two<'a>(
        first: &str,
        second: &str,
        fields: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Head, Bad> {
        let mut bytes = Vec::with_capacity(512);
        let is_request = !second.is_empty();
        let front =
            if is_request { [first, " ", second, " HTTP/1.1"] } else { ["HTTP/1.1 ", first, " ", ""] };
        for part in front {
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        for (name, value) in fields {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            // A line break would be read as the end of the field.
            if value.iter().any(|b| matches!(b, b'\r' | b'\n')) {
                return bad("a field value has control characters");
            }
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        let head = if is_request { Head::request(bytes) } else { Head::response(bytes) }?;
        Ok(Head { version: Version::Two, ..head })
    }

    fn text(&self, range: &Range<usize>) -> &str {
        self.bytes.get(range.clone()).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default()
    }

    /// The method.
    pub(crate) fn method(&self) -> &str {
        self.text(&self.first)
    }

    /// The target as sent.
    pub(crate) fn target(&self) -> &str {
        self.text(&self.second)
    }

    /// The status of a response.
    pub(crate) fn status(&self) -> u16 {
        self.text(&self.first).parse().unwrap_or(502)
    }

    /// The reason phrase of a response.
    pub(crate) fn reason(&self) -> &[u8] {
        self.bytes.get(self.second.clone()).unwrap_or_default()
    }

    /// All fields in order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.lines.iter().map(|(name, value)| {
            (self.text(name), self.bytes.get(value.clone()).unwrap_or_default().trim_ascii())
        })
    }

    /// The values of all fields of that name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let part = |range: &Range<usize>| self.bytes.get(range.clone()).unwrap_or_default();
        // Every request asks for a score of names: most differ in length.
        let is_it = move |(n, _): &&(Range<usize>, Range<usize>)| {
            n.len() == name.len() && part(n).eq_ignore_ascii_case(name.as_bytes())
        };
        self.lines.iter().filter(is_it).map(move |(_, value)| part(value).trim_ascii())
    }

    /// The value of the first field of that name.
    pub(crate) fn field<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// Whether a field that is a list of tokens names this one.
    pub(crate) fn names(&self, name: &str, token: &str) -> bool {
        self.all(name)
            .flat_map(|value| value.split(|b| *b == b','))
            .any(|member| member.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
    }

    /// Whether the connection may be used again (RFC 9112 section 9.3).
    pub(crate) fn keeps(&self) -> bool {
        match self.version {
            Version::Ten => self.names("connection", "keep-alive") && !self.names("connection", "close"),
            _ => !self.names("connection", "close"),
        }
    }

    /// The length of the content, where it is said.
    pub(crate) fn length(&self) -> Result<Option<u64>, Bad> {
        let mut lengths = self.all("content-length");
        let Some(length) = lengths.next() else { return Ok(None) };
        if lengths.next().is_some() {
            return bad("Content-Length stands twice");
        }
        if length.is_empty() || length.len() > 18 || !length.iter().all(u8::is_ascii_digit) {
            return bad("Content-Length is no number");
        }
        Ok(std::str::from_utf8(length).ok().and_then(|l| l.parse().ok()))
    }

    /// How long the content of a request is (RFC 9112 section 6.3), where that can be read in one way only.
    pub(crate) fn framing(&self) -> Result<Framing, Bad> {
        let length = self.length()?;
        let mut codings = self.all("transfer-encoding");
        let Some(coding) = codings.next() else {
            return Ok(length.map_or(Framing::None, Framing::length));
        };
        if length.is_some() {
            return bad("Content-Length and Transfer-Encoding in one request");
        }
        if self.version == Version::Ten {
            return bad("Transfer-Encoding in HTTP/1.0");
        }
        match coding.eq_ignore_ascii_case(b"chunked") && codings.next().is_none() {
            true => Ok(Framing::Chunked),
            false => Err(Bad::new(501, "a Transfer-Encoding other than chunked")),
        }
    }

    /// How long the content of a response to `method` is.
    pub(crate) fn response_framing(&self, method: &str) -> Result<Framing, Bad> {
        let status = self.status();
        if method == "HEAD" || status < 200 || status == 204 || status == 304 {
            return Ok(Framing::None);
        }
        let length = self.length().map_err(|b| Bad::new(502, b.says))?;
        let mut codings = self.all("transfer-encoding");
        match (codings.next(), length) {
            (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") && codings.next().is_none() => {
                Ok(Framing::Chunked)
            }
            (Some(_), _) => Err(Bad::new(502, "the upstream's framing cannot be relied on")),
            (None, Some(length)) => Ok(Framing::length(length)),
            (None, None) => Ok(Framing::Close),
        }
    }
}

/// A character of a token (RFC 9110 section 5.6.2).
pub(crate) fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    /// The next line without its CR LF; `None` where it ends with anything else.
    fn line(&mut self) -> Option<Range<usize>> {
        let rest = self.bytes.get(self.at..)?;
        let end = memchr::memchr(b'\n', rest)?;
        let line = self.at..self.at + end.checked_sub(1)?;
        if rest.get(end - 1) != Some(&b'\r') {
            return None;
        }
        self.at += end + 1;
        Some(line)
    }
}

type Lines = Vec<(Range<usize>, Range<usize>)>;

/// The fields of a section that ends with its empty line, such as a trailer section.
pub(crate) fn section(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Bad> {
    let lines = fields(&mut Cursor { bytes, at: 0 })?;
    let part = |range: Range<usize>| bytes.get(range).unwrap_or_default();
    let own = |(name, value): (Range<usize>, Range<usize>)| {
        (String::from_utf8_lossy(part(name)).into_owned(), part(value).trim_ascii().to_vec())
    };
    Ok(lines.into_iter().map(own).collect())
}

fn fields(cursor: &mut Cursor<'_>) -> Result<Lines, Bad> {
    let mut lines = Vec::with_capacity(8);
    loop {
        let line = cursor.line().ok_or(Bad::new(400, "a field line does not end with CR LF"))?;
        if line.is_empty() {
            return Ok(lines);
        }
        let text = cursor.bytes.get(line.clone()).unwrap_or_default();
        if text.first().is_some_and(|b| *b == b' ' || *b == b'\t') {
            return bad("a field is folded over lines");
        }
        let Some(colon) = memchr::memchr(b':', text) else { return bad("a field line has no colon") };
        let (name, value) = text.split_at(colon);
        if name.is_empty() || !name.iter().all(|b| is_token(*b)) {
            return bad("a field name is no token");
        }
        if value.iter().any(|b| (*b < 0x20 && *b != b'\t') || *b == 0x7f) {
            return bad("a field value has control characters");
        }
        if lines.len() >= FIELDS {
            return Err(Bad::new(431, "too many fields"));
        }
        lines.push((line.start..line.start + colon, line.start + colon + 1..line.end));
    }
}

/// Where the head ends in `bytes`, just behind its empty line; the search begins at `searched`.
pub(crate) fn end(bytes: &[u8], searched: usize) -> Option<usize> {
    let mut at = searched.saturating_sub(3);
    loop {
        let found = at + memchr::memchr(b'\n', bytes.get(at..)?)?;
        let behind = bytes.get(found + 1..).unwrap_or_default();
        match behind {
            [b'\r', b'\n', ..] => return Some(found + 3),
            // An empty line without CR ends it as well, so that it is refused rather than waited for.
            [b'\n', ..] => return Some(found + 2),
            _ => at = found + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn framing(fields: &str) -> Result<Framing, u16> {
        let head = Head::request(format!("POST / HTTP/1.1\r\n{fields}\r\n").into_bytes());
        head.and_then(|h| h.framing()).map_err(|b| b.status)
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        assert_eq!(framing("Content-Length: 5\r\n"), Ok(Framing::Length(5)));
        assert_eq!(framing("Content-Length: 0\r\n"), Ok(Framing::None));
        assert_eq!(framing("transfer-encoding: Chunked\r\n"), Ok(Framing::Chunked));
        for (fields, status) in [
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400),
            ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400),
            ("Content-Length: 5\r\nContent-Length: 5\r\n", 400),
            ("Content-Length: +5\r\n", 400),
            ("Content-Length: 5, 5\r\n", 400),
            ("Content-Length: 0x5\r\n", 400),
            ("Content-Length:\r\n", 400),
            ("Content-Length : 5\r\n", 400),
            ("Transfer-Encoding: xchunked\r\n", 501),
            ("Transfer-Encoding: chunked, identity\r\n", 501),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 501),
            ("Transfer-Encoding:\x0bchunked\r\n", 400),
            ("A: b\r\n c\r\n", 400),
            ("A: b\n", 400),
            ("A: b\rc\r\n", 400),
            ("A b: c\r\n", 400),
            (": c\r\n", 400),
            ("A: \0\r\n", 400),
        ] {
            assert_eq!(framing(fields), Err(status), "{fields:?}");
        }
        for line in ["GET  / HTTP/1.1", "GET / HTTP/1.1 ", "GET /\tx HTTP/1.1", "GET /", "G T / HTTP/1.1"] {
            let head = Head::request(format!("{line}\r\n\r\n").into_bytes());
            assert_eq!(head.map(|_| ()).map_err(|b| b.status), Err(400), "{line}");
        }
        assert_eq!(Head::request(b"GET / HTTP/2.0\r\n\r\n".to_vec()).unwrap_err().status, 505);
    }

    #[test]
    fn the_end_is_found_wherever_the_search_begins() {
        let bytes = b"GET / HTTP/1.1\r\nA: b\r\n\r\nrest";
        for searched in 0..24 {
            assert_eq!(end(bytes, searched), Some(24), "{searched}");
        }
        assert_eq!(end(b"GET / HTTP/1.1\r\nA: b\r\n", 0), None);
        assert_eq!(end(b"GET / HTTP/1.1\n\n", 0), Some(16));
    }

    #[test]
    fn lists_of_tokens_and_persistence() {
        let head = |fields: &str, version| {
            Head::request(format!("GET / HTTP/{version}\r\n{fields}\r\n").into_bytes()).unwrap()
        };
        assert!(head("", "1.1").keeps());
        assert!(!head("", "1.0").keeps());
        assert!(!head("Connection: upgrade, Close\r\n", "1.1").keeps());
        assert!(head("Connection: Keep-Alive\r\n", "1.0").keeps());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), start: bool) {
            let front: &[u8] = if start { b"GET / HTTP/1.1\r\n" } else { b"" };
            let all = [front, &bytes, b"\r\n\r\n"].concat();
            if let Some(end) = end(&all, 0) {
                let _ = Head::request(all[..end].to_vec()).map(|h| (h.framing(), h.keeps()));
                let _ = Head::response(all[..end].to_vec()).map(|h| h.response_framing("GET"));
            }
        }
    }
}
