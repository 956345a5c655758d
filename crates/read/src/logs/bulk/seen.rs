//! From a line taken apart to what the fold wants of it.

use super::super::exchange::split_port;
use super::super::line::{Escape, Line, number};
use super::super::part::Part;
use memchr::{memchr, memrchr};
use why401_fold::{Claimed, Seen};

/// `SEC_E_NO_CREDENTIALS`, as a Win32 status in the log of IIS.
const NO_CREDENTIALS: u64 = 2_148_074_254;

/// What the fold wants of a line; `time` in milliseconds, of the line or its wrapping.
pub(super) fn of<'a>(line: &Line<'a>, offset: u64) -> Seen<'a> {
    let present = |part| line.get(part).filter(|text| *text != b"-").unwrap_or_default();
    let client = match present(Part::ClientEndpoint) {
        b"" => present(Part::Client),
        endpoint => match memrchr(b':', endpoint) {
            Some(at) if !endpoint.starts_with(b"[") => endpoint.get(..at).unwrap_or_default(),
            _ => split_port(endpoint).0,
        },
    };
    let user = match line.get(Part::User) {
        None => Claimed::NotLogged,
        Some(b"-") => Claimed::Dash,
        Some(b"") if line.escape == Escape::Json => Claimed::Dash,
        Some(b"" | b"\"\"") => Claimed::Empty,
        Some(name) => Claimed::Name(name),
    };
    let (method, target, version) = asked(line);
    let code = |part| line.get(part).and_then(number).unwrap_or_default();
    let (substatus, win32) = (code(Part::Substatus), code(Part::Win32));
    Seen {
        client,
        user,
        status: line.status().unwrap_or(0),
        time: line.moment().map(|m| m.at.as_millisecond()),
        method,
        path: path_of(target),
        agent: present(Part::Agent),
        version,
        host: present(Part::Host),
        code: substatus << 32 | win32,
        handshake: win32 == NO_CREDENTIALS || substatus == 2,
        names_cause: false,
        offset,
        text: b"",
    }
}

/// Method, target and version, from the request line or from columns of their own.
fn asked<'a>(line: &Line<'a>) -> (&'a [u8], &'a [u8], &'a [u8]) {
    let part = |part| line.get(part).filter(|text| *text != b"-").unwrap_or_default();
    let Some(request) = line.get(Part::Request) else {
        let target = match part(Part::Target) {
            b"" => part(Part::Path),
            target => target,
        };
        let version = part(Part::Version);
        return (part(Part::Method), target, version.strip_prefix(b"HTTP/").unwrap_or(version));
    };
    let Some(first) = memchr(b' ', request) else { return (b"", b"", b"") };
    let last = memrchr(b' ', request).filter(|at| {
        request.get(at + 1..).is_some_and(|v| v.starts_with(b"HTTP/") || v.starts_with(b"http/"))
    });
    let end = last.unwrap_or(request.len()).max(first + 1);
    let version = last.and_then(|at| request.get(at + 6..)).unwrap_or_default();
    let cut = |start: usize, end: usize| request.get(start..end).unwrap_or_default();
    (cut(0, first), cut(first + 1, end), if version == b"2.0" { b"2" } else { version })
}

/// The path of a target, as [`why401_http::path_of`] takes it.
fn path_of(target: &[u8]) -> &[u8] {
    let path = match memchr::memmem::find(target, b"://") {
        Some(at) if !target.starts_with(b"/") => {
            let rest = target.get(at + 3..).unwrap_or_default();
            memchr(b'/', rest).and_then(|at| rest.get(at..)).unwrap_or(b"/")
        }
        _ => target,
    };
    let end = path.iter().position(|b| matches!(b, b'?' | b'#')).unwrap_or(path.len());
    path.get(..end).unwrap_or_default()
}
