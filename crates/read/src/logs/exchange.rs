//! From slices of a log line to an exchange.

use super::captured;
use super::line::{Escape, Line, Logged, Name, number, offset_in};
use super::part::Part;
use why401_http::{Exchange, FieldLine, Fields, LogWords, LoggedUser, Peer, Request, Response, Shows};
use why401_span::{Builder, Derived, SourceId, Span};

/// Where the bytes of a line stand in the evidence.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// The line stands there as it is, from `span.start` on.
    Plain(Span),
    /// The line was spelt otherwise (a JSON string of Docker's).
    Derived(&'a Derived),
}

impl Origin<'_> {
    /// A slice of the line `whole` with its place.
    pub(crate) fn cut(&self, whole: &[u8], part: &[u8]) -> Derived {
        let Some(at) = offset_in(whole, part) else { return Derived::synthetic(part) };
        match self {
            Origin::Plain(span) => {
                let start = span.start + at as u64;
                Derived::exact(part, Span { start, end: start + part.len() as u64, ..*span })
            }
            Origin::Derived(derived) => derived.slice(at..at + part.len()),
        }
    }
}

/// Makes exchanges of lines.
pub(crate) struct Maker<'a> {
    /// The whole line.
    pub(crate) whole: &'a [u8],
    /// Where it stands.
    pub(crate) origin: Origin<'a>,
}

impl Maker<'_> {
    /// The exchange that a line tells of.
    pub(crate) fn exchange(&self, line: &Line<'_>, source: SourceId, index: u64) -> Exchange {
        let mut exchange = Exchange::new(source, index, Shows::LOG_LINE);
        exchange.time = line.moment();
        exchange.client = self.client(line);
        exchange.server = self.server(line);
        exchange.connection = line.get(Part::Connection).and_then(number);
        exchange.user = self.user(line);
        exchange.shows.authorization = shown(line, "authorization") || self.captured(line).is_some();
        exchange.shows.cookies = shown(line, "cookie");
        exchange.request = Some(self.request(line));
        exchange.response = line.status().map(|status| self.response(line, status));
        exchange.log = Some(Box::new(self.words(line)));
        exchange
    }

    /// Credentials that stand in the line beside what its format names; a member of a JSON line has a name.
    fn captured(&self, line: &Line<'_>) -> Option<&[u8]> {
        (line.escape != Escape::Json).then(|| captured::authorization(self.whole)).flatten()
    }

    fn client(&self, line: &Line<'_>) -> Option<Peer> {
        if let Some(endpoint) = present(line, Part::ClientEndpoint) {
            let (host, port) = split_endpoint(endpoint);
            return Some(Peer { host: text(host), port });
        }
        let host = text(present(line, Part::Client)?);
        Some(Peer { host, port: present(line, Part::ClientPort).and_then(port) })
    }

    fn server(&self, line: &Line<'_>) -> Option<Peer> {
        let own_port = present(line, Part::ServerPort).and_then(port);
        if let Some(server) = present(line, Part::Server) {
            let (host, port) = split_port(server);
            return Some(Peer { host: text(host), port: port.or(own_port) });
        }
        let (host, port) = split_port(present(line, Part::Host)?);
        Some(Peer { host: text(host), port: port.or(own_port) })
    }

    fn user(&self, line: &Line<'_>) -> LoggedUser {
        match line.get(Part::User) {
            None => LoggedUser::NotLogged,
            Some(b"-") => LoggedUser::Dash,
            // nginx (`escape=json`) and Caddy write an empty string where there is no user.
            Some(b"") if line.escape == Escape::Json => LoggedUser::Dash,
            Some(b"" | b"\"\"") => LoggedUser::Empty,
            // Apache doubles every backslash of a name; of others that is not sure.
            Some(name) => {
                let is_doubtful = line.product != Some("apache");
                LoggedUser::Name(self.value(name, line.escape, is_doubtful))
            }
        }
    }

    fn request(&self, line: &Line<'_>) -> Request {
        let mut request = Request { fields: self.fields(line), ..Request::default() };
        match line.get(Part::Request) {
            Some(b"-" | b"") => {}
            Some(text) => {
                request.line = self.value(text, line.escape, false);
                split_request(&mut request);
            }
            None => self.request_in_parts(line, &mut request),
        }
        request.scheme = match present(line, Part::Scheme).map(<[u8]>::to_ascii_lowercase).as_deref() {
            Some(b"https" | b"h2" | b"wss") => Some("https".to_owned()),
            Some(b"http" | b"ws") => Some("http".to_owned()),
            _ if request.target.as_bytes().starts_with(b"https://") => Some("https".to_owned()),
            _ if request.target.as_bytes().starts_with(b"http://") => Some("http".to_owned()),
            _ => None,
        };
        request
    }

    fn request_in_parts(&self, line: &Line<'_>, request: &mut Request) {
        if let Some(method) = present(line, Part::Method) {
            request.method = self.value(method, line.escape, false);
        }
        if let Some(target) = present(line, Part::Target) {
            request.target = self.value(target, line.escape, false);
        } else if let Some(path) = present(line, Part::Path) {
            let mut target = Builder::new();
            push(&mut target, &self.value(path, line.escape, false));
            if let Some(query) = present(line, Part::Query).filter(|q| !q.is_empty()) {
                let (mark, query) = match query.split_first() {
                    Some((b'?', rest)) => (query, rest),
                    _ => (&b"?"[..], query),
                };
                target.push_synthetic(mark.get(..1).unwrap_or_default());
                push(&mut target, &self.value(query, line.escape, false));
            }
            request.target = target.finish();
        }
        let mut whole = Builder::new();
        push(&mut whole, &request.method);
        whole.push_synthetic(b" ");
        push(&mut whole, &request.target);
        if let Some(version) = present(line, Part::Version) {
            let written = self.cut(version);
            request.version = version_of(version);
            whole.push_synthetic(if version.starts_with(b"HTTP/") { b" " } else { b" HTTP/" });
            push(&mut whole, &written);
        }
        if !request.method.is_empty() || !request.target.is_empty() {
            request.line = whole.finish();
        }
    }

    fn fields(&self, line: &Line<'_>) -> Fields {
        let mut fields = Vec::new();
        for (part, name) in [(Part::Host, "Host"), (Part::Agent, "User-Agent"), (Part::Referer, "Referer")] {
            if let Some(value) = present(line, part).filter(|v| !v.is_empty()) {
                fields.push(FieldLine {
                    name: Derived::synthetic(name),
                    value: self.field_value(value, line.escape),
                });
            }
        }
        fields.extend(line.fields.iter().filter(|f| f.of_request).filter_map(|f| self.field(line, f)));
        if !shown(line, "authorization")
            && let Some(value) = self.captured(line)
        {
            let value = self.field_value(value, line.escape);
            fields.push(FieldLine { name: Derived::synthetic("Authorization"), value });
        }
        Fields(fields)
    }

    fn field(&self, line: &Line<'_>, field: &Logged<'_>) -> Option<FieldLine> {
        if field.value == b"-" {
            return None;
        }
        let name = match field.name {
            Name::Implied(name) => Derived::synthetic(name),
            Name::Written(name) => self.cut(name),
        };
        Some(FieldLine { name, value: self.field_value(field.value, line.escape) })
    }

    fn response(&self, line: &Line<'_>, status: u16) -> Response {
        Response {
            line: line.get(Part::Status).map(|s| self.cut(s)).unwrap_or_default(),
            status,
            fields: Fields(
                line.fields.iter().filter(|f| !f.of_request).filter_map(|f| self.field(line, f)).collect(),
            ),
            ..Response::default()
        }
    }

    fn words(&self, line: &Line<'_>) -> LogWords {
        LogWords {
            line: self.cut(self.whole),
            product: line.product,
            substatus: present(line, Part::Substatus).and_then(number).and_then(|n| u16::try_from(n).ok()),
            win32: present(line, Part::Win32).and_then(number).and_then(|n| u32::try_from(n).ok()),
            codes: self.codes(line),
            remark: present(line, Part::Remark)
                .filter(|r| !r.is_empty())
                .map(|r| self.value(r, line.escape, false)),
            upstream: present(line, Part::Upstream).map(|u| self.cut(u)),
            bytes: present(line, Part::Bytes).and_then(number),
        }
    }

    /// Status, substatus and Win32 status as they stand beside each other.
    fn codes(&self, line: &Line<'_>) -> Option<Derived> {
        let at = |part| line.get(part).and_then(|t| Some((offset_in(self.whole, t)?, t.len())));
        let parts = [at(Part::Status)?, at(Part::Substatus)?];
        let parts = parts.iter().copied().chain(at(Part::Win32));
        let (start, end) = parts.fold((usize::MAX, 0), |(s, e), (at, len)| (s.min(at), e.max(at + len)));
        self.whole.get(start..end).map(|codes| self.cut(codes))
    }

    fn cut(&self, part: &[u8]) -> Derived {
        self.origin.cut(self.whole, part)
    }

    /// A value of the log's own spelling; `+` and `%20` are that in fields only, elsewhere they may be the client's.
    fn value(&self, part: &[u8], escape: Escape, is_user: bool) -> Derived {
        let escape = if matches!(escape, Escape::Plus | Escape::Percent) { Escape::None } else { escape };
        super::escape::undo(self.cut(part), escape, is_user)
    }

    fn field_value(&self, part: &[u8], escape: Escape) -> Derived {
        super::escape::undo(self.cut(part), escape, false)
    }
}

/// A part that is there and not `-`.
fn present<'a>(line: &Line<'a>, part: Part) -> Option<&'a [u8]> {
    line.get(part).filter(|text| *text != b"-")
}

/// Whether a request field of this name would be seen in the line.
fn shown(line: &Line<'_>, name: &str) -> bool {
    line.fields.iter().any(|f| {
        f.of_request
            && match f.name {
                Name::Implied(n) => n.eq_ignore_ascii_case(name),
                Name::Written(n) => n.eq_ignore_ascii_case(name.as_bytes()),
            }
    })
}

/// Method, target and version of a request line; a target may hold spaces, for it was logged as it came.
fn split_request(request: &mut Request) {
    let line = request.line.as_bytes();
    let Some(first) = memchr::memchr(b' ', line) else { return };
    let last = memchr::memrchr(b' ', line)
        .filter(|at| line.get(at + 1..).is_some_and(|v| v.starts_with(b"HTTP/") || v.starts_with(b"http/")));
    let end = last.unwrap_or(line.len()).max(first + 1);
    request.version = last.and_then(|at| line.get(at + 1..)).map(version_of).unwrap_or_default();
    request.method = request.line.slice(0..first);
    request.target = request.line.slice(first + 1..end);
}

fn version_of(text: &[u8]) -> String {
    let text = text.strip_prefix(b"HTTP/").or_else(|| text.strip_prefix(b"http/")).unwrap_or(text);
    let text = text.strip_prefix(b"h").unwrap_or(text);
    match text {
        b"2.0" => "2".to_owned(),
        b"3.0" => "3".to_owned(),
        other => String::from_utf8_lossy(other).into_owned(),
    }
}

fn push(to: &mut Builder, part: &Derived) {
    to.push_part(part, 0..part.len());
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn port(text: &[u8]) -> Option<u16> {
    number(text).and_then(|n| u16::try_from(n).ok())
}

/// Takes apart what always has a port behind its last colon, IPv6 addresses without brackets included (HAProxy).
fn split_endpoint(endpoint: &[u8]) -> (&[u8], Option<u16>) {
    if !endpoint.starts_with(b"[")
        && let Some(at) = memchr::memrchr(b':', endpoint)
        && let Some(port) = endpoint.get(at + 1..).and_then(port)
    {
        return (endpoint.get(..at).unwrap_or_default(), Some(port));
    }
    split_port(endpoint)
}

/// Takes `host:port`, `[::1]:port` and `::1` apart. An IPv6 address is only taken to have a port where it is in
/// brackets or has too many groups for an address.
pub(crate) fn split_port(endpoint: &[u8]) -> (&[u8], Option<u16>) {
    if let Some(inside) = endpoint.strip_prefix(b"[") {
        let Some(end) = memchr::memchr(b']', inside) else { return (endpoint, None) };
        let port = inside.get(end + 1..).and_then(|r| r.strip_prefix(b":")).and_then(port);
        return (inside.get(..end).unwrap_or_default(), port);
    }
    let colons = memchr::memchr_iter(b':', endpoint).count();
    match memchr::memrchr(b':', endpoint) {
        Some(at) if colons == 1 => {
            let found = endpoint.get(at + 1..).and_then(port);
            match found {
                Some(_) => (endpoint.get(..at).unwrap_or_default(), found),
                None => (endpoint, None),
            }
        }
        _ => (endpoint, None),
    }
}
