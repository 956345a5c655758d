//! Start lines and field lines (RFC 9112 sections 3 to 5).

use std::ops::Range;
use why401_http::{FieldLine, Fields};
use why401_span::{Builder, Derived, Span};

/// A start line, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// A request line.
    Request {
        /// The method.
        method: Derived,
        /// The target; may hold spaces that a careless client did not encode.
        target: Derived,
        /// `1.1`, `2`; empty where none was written.
        version: String,
    },
    /// A status line.
    Response {
        /// `1.1`, `2`.
        version: String,
        /// The status code.
        status: u16,
    },
}

/// Methods that are known without a version behind the target (RFC 9110 section 9, RFC 5789, RFC 4918).
const METHODS: &[&str] = &[
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "PATCH",
    "PROPFIND",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "REPORT",
    "SEARCH",
];

/// Whether this is the name of a method that RFC 9110, RFC 5789 or RFC 4918 defines.
pub fn is_method(word: &[u8]) -> bool {
    METHODS.iter().any(|m| m.as_bytes() == word)
}

/// Reads a start line of either kind.
///
/// A status line is `HTTP/` or `RTSP/` with a version, then three digits. A request line is a token and a target, with
/// ` HTTP/` and a version behind them; these may be missing where the method is a known one and the target looks like
/// one (HTTP/0.9, or a line that somebody typed).
pub fn start(line: &Derived) -> Option<Start> {
    status_line(line).or_else(|| request_line(line))
}

/// Whether [`start`] would read it.
pub(super) fn starts(line: &[u8]) -> bool {
    status_parts(line).is_some() || request_parts(line).is_some()
}

/// Whether the line is a start line beyond doubt: a status line, or a request line with its version.
pub fn surely_starts(line: &[u8]) -> bool {
    if status_parts(line).is_some() {
        return true;
    }
    let Some((method_end, target, version)) = request_parts(line) else { return false };
    let method = line.get(..method_end).unwrap_or_default();
    let target = line.get(target).unwrap_or_default();
    let form = target.starts_with(b"/")
        || target == b"*"
        || target.starts_with(b"sip:")
        || memchr::memmem::find(target, b"://").is_some();
    let word = method.first().is_some_and(u8::is_ascii_alphabetic);
    !version.is_empty() && word && (form || is_method(method))
}

/// Reads a status line.
pub fn status_line(line: &Derived) -> Option<Start> {
    let (version, status) = status_parts(line.as_bytes())?;
    Some(Start::Response { version: version.to_owned(), status })
}

/// Reads a request line.
pub fn request_line(line: &Derived) -> Option<Start> {
    let (method_end, target, version) = request_parts(line.as_bytes())?;
    let version = version.to_owned();
    Some(Start::Request { method: line.slice(0..method_end), target: line.slice(target), version })
}

/// The version and the status of a status line.
pub(super) fn status_parts(line: &[u8]) -> Option<(&str, u16)> {
    let gap = line.iter().take(16).position(|c| *c == b' ' || *c == b'\t')?;
    let (protocol, rest) = line.split_at_checked(gap)?;
    let version = version_of(protocol)?;
    let rest = rest.trim_ascii_start();
    let digits = rest.get(..3).filter(|d| d.iter().all(u8::is_ascii_digit))?;
    if rest.get(3).is_some_and(|c| !c.is_ascii_whitespace()) {
        return None;
    }
    let status = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((version, status))
}

/// The end of the method, the range of the target, and the version.
pub(super) fn request_parts(line: &[u8]) -> Option<(usize, std::ops::Range<usize>, &str)> {
    let method_end = line.iter().position(|c| *c == b' ' || *c == b'\t')?;
    let method = line.get(..method_end)?;
    if method.is_empty() || method.len() > 32 || !method.iter().all(|c| is_token(*c)) {
        return None;
    }
    let end = line.trim_ascii_end().len();
    let target_start =
        method_end + line.get(method_end..)?.iter().take_while(|c| c.is_ascii_whitespace()).count();
    let rest = line.get(target_start..end)?;
    let version = rest.iter().rposition(|c| *c == b' ' || *c == b'\t').and_then(|gap| {
        let version = rest.get(gap + 1..).and_then(version_of)?;
        Some((gap, version))
    });
    match version {
        Some((gap, version)) => {
            let target_len = rest.get(..gap)?.trim_ascii_end().len();
            (target_len > 0).then_some((method_end, target_start..target_start + target_len, version))
        }
        None => {
            let shape =
                rest.starts_with(b"/") || rest.starts_with(b"http://") || rest.starts_with(b"https://");
            let plain = !rest.is_empty() && !rest.iter().any(u8::is_ascii_whitespace);
            (shape && plain && is_method(method)).then_some((method_end, target_start..end, ""))
        }
    }
}

/// `1.1` of `HTTP/1.1`. RTSP (RFC 7826, section 20), whose messages and authentication are made like those of HTTP/1.1,
/// and SIP (RFC 3261) are told apart: `RTSP/1.0` as a whole.
fn version_of(protocol: &[u8]) -> Option<&str> {
    let slash = protocol.iter().position(|c| *c == b'/')?;
    let (name, number) = protocol.split_at_checked(slash + 1)?;
    let shape = number.first().is_some_and(u8::is_ascii_digit) && number.len() <= 3;
    if !shape || !number.iter().all(|c| c.is_ascii_digit() || *c == b'.') {
        return None;
    }
    let version = if name.eq_ignore_ascii_case(b"HTTP/") {
        number
    } else if name.eq_ignore_ascii_case(b"RTSP/") || name.eq_ignore_ascii_case(b"SIP/") {
        protocol
    } else {
        return None;
    };
    std::str::from_utf8(version).ok()
}

/// Where a line first has the name of a protocol with a slash behind it. Lines are short and have few slashes.
pub(super) fn find_protocol(line: &[u8], name: &[u8]) -> Option<usize> {
    let before = |slash: usize| line.get(..slash).filter(|front| front.ends_with(name));
    memchr::memchr_iter(b'/', line).find_map(before).map(|front| front.len() - name.len())
}

/// `tchar` of RFC 9110 section 5.6.2.
pub fn is_token(c: u8) -> bool {
    c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c)
}

/// Adds a line of a head to the fields.
///
/// A line that begins with white space continues the value before it (obs-fold, RFC 9112 section 5.2), joined by one
/// space. A line that is no field, such as the rest of a value that was wrapped, is kept under an empty name.
pub fn push_field(fields: &mut Fields, line: &Derived) {
    let bytes = line.as_bytes();
    if bytes.first().is_some_and(|c| *c == b' ' || *c == b'\t')
        && let Some(last) = fields.0.last_mut()
    {
        let rest = line.trimmed();
        let fold = bytes.iter().take_while(|c| **c == b' ' || **c == b'\t').count();
        let mut b = Builder::new();
        b.push_part(&last.value, 0..last.value.len());
        if let Some(at) = line.locate(0..fold) {
            b.push_enclosed(b" ", at.span);
        } else {
            b.push_synthetic(b" ");
        }
        b.push_part(&rest, 0..rest.len());
        last.value = b.finish();
        return;
    }
    fields.0.push(field(line));
}

/// Takes a field line apart. A colon at the very start belongs to the name (`:path` of HTTP/2).
pub fn field(line: &Derived) -> FieldLine {
    let bytes = line.as_bytes();
    let colon = bytes.iter().skip(1).position(|c| *c == b':').map(|i| i + 1);
    match colon {
        Some(colon) => {
            let name = line.slice(0..colon).trimmed();
            FieldLine { name, value: line.slice(colon + 1..line.len()).trimmed() }
        }
        None => FieldLine { name: Derived::default(), value: line.trimmed() },
    }
}

/// The same for a line that stands at `origin` in one piece.
pub(super) fn field_at(line: &[u8], origin: Span) -> FieldLine {
    let part = |part: Range<usize>| match line.get(part.clone()) {
        Some(text) if !text.is_empty() => {
            Derived::exact(text, Span { start: origin.start + part.start as u64, ..origin })
        }
        _ => Derived::default(),
    };
    let (name, value) = parts(line);
    FieldLine { name: part(name), value: part(value) }
}

/// The bytes of the same.
pub(super) fn name_and_value(line: &[u8]) -> (&[u8], &[u8]) {
    let (name, value) = parts(line);
    (line.get(name).unwrap_or_default(), line.get(value).unwrap_or_default())
}

/// Where name and value of a field line stand.
fn parts(line: &[u8]) -> (Range<usize>, Range<usize>) {
    let part = |from: usize, to: usize| {
        let bytes = line.get(from..to).unwrap_or_default();
        let is_space = |c: &&u8| **c == b' ' || **c == b'\t';
        let before = bytes.iter().take_while(is_space).count();
        let after = bytes.iter().skip(before).rev().take_while(is_space).count();
        from + before..(to - after).max(from + before)
    };
    match line.get(1..).and_then(|rest| memchr::memchr(b':', rest)) {
        Some(colon) => (part(0, colon + 1), part(colon + 2, line.len())),
        None => (0..0, part(0, line.len())),
    }
}

/// Whether a line has the shape of a field line: a token, a colon.
pub fn looks_like_field(line: &[u8]) -> bool {
    let name = line.iter().take_while(|c| is_token(**c)).count();
    name > 0 && line.get(name) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use why401_span::SourceId;

    #[test]
    fn a_protocol_is_found_by_its_slash() {
        let find = |line: &str| find_protocol(line.as_bytes(), b"SIP");
        assert_eq!(find("GET /a SIP/2.0 SIP/2.0"), Some(7));
        assert_eq!((find("SIP/2.0 200 OK"), find("/SIP"), find("SI/P/")), (Some(0), None, None));
    }

    fn line(text: &str) -> Derived {
        Derived::exact(text, Span::new(SourceId(0), 100, 100 + text.len() as u64))
    }

    fn request(text: &str) -> Option<(String, String, String)> {
        match start(&line(text))? {
            Start::Request { method, target, version } => {
                Some((method.to_text().into_owned(), target.to_text().into_owned(), version))
            }
            Start::Response { .. } => None,
        }
    }

    fn status(text: &str) -> Option<(String, u16)> {
        match start(&line(text))? {
            Start::Response { version, status } => Some((version, status)),
            Start::Request { .. } => None,
        }
    }

    #[test]
    fn start_lines_are_read_with_their_quirks() {
        let own = |m: &str, t: &str, v: &str| Some((m.to_owned(), t.to_owned(), v.to_owned()));
        assert_eq!(request("GET / HTTP/1.1"), own("GET", "/", "1.1"));
        assert_eq!(request("GET /a b c HTTP/1.0 "), own("GET", "/a b c", "1.0"));
        assert_eq!(request("GET /old"), own("GET", "/old", ""));
        assert_eq!(request("CONNECT example.com:443 HTTP/1.1"), own("CONNECT", "example.com:443", "1.1"));
        assert_eq!(
            request("DESCRIBE rtsp://192.0.2.9/live RTSP/1.0"),
            own("DESCRIBE", "rtsp://192.0.2.9/live", "RTSP/1.0")
        );
        assert_eq!(status("RTSP/1.0 401 Unauthorized"), Some(("RTSP/1.0".to_owned(), 401)));
        assert_eq!(status("SIP/2.0 401 Unauthorized"), Some(("SIP/2.0".to_owned(), 401)));
        assert_eq!(request("FROBNICATE /x HTTP/2"), own("FROBNICATE", "/x", "2"));
        assert_eq!(status("HTTP/2 401"), Some(("2".to_owned(), 401)));
        assert_eq!(status("HTTP/1.1 401 Unauthorized"), Some(("1.1".to_owned(), 401)));
        assert_eq!(status("http/1.0  407 Proxy"), Some(("1.0".to_owned(), 407)));
        assert!(surely_starts(b"REGISTER sip:pbx.example.com SIP/2.0"));
    }

    #[test]
    fn prose_is_no_start_line() {
        for text in
            ["Get the file", "GET what you want", "HTTP/1.1 is old", "HTTP/1.1 4011", "", " ", "GET", "HTTP/"]
        {
            assert_eq!(start(&line(text)), None, "{text:?}");
        }
    }

    #[test]
    fn folded_stray_and_spaced_lines_are_all_kept() {
        let mut fields = Fields::default();
        for text in ["Authorization : Basic QUJD", "\tREVG", "R0hJ", ":path: /x"] {
            push_field(&mut fields, &line(text));
        }
        let seen: Vec<_> =
            fields.iter().map(|f| (f.name.to_text().into_owned(), f.text().into_owned())).collect();
        let own = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        assert_eq!(seen, [own("Authorization", "Basic QUJD REVG"), own("", "R0hJ"), own(":path", "/x")]);
        assert!(fields.has(""), "the stray line is found under the empty name");
    }

    #[test]
    fn a_value_knows_where_it_stands() {
        let f = field(&line("X-Key:  abc "));
        assert_eq!(f.value.whole().map(|l| (l.span.start, l.span.end, l.exact)), Some((108, 111, true)));
    }

    proptest! {
        #[test]
        fn a_line_in_one_piece_is_taken_apart_alike(text in "[ \t:a-c]{0,12}") {
            let origin = Span::new(SourceId(0), 100, 100 + text.len() as u64);
            prop_assert_eq!(field_at(text.as_bytes(), origin), field(&line(&text)));
        }
    }
}
