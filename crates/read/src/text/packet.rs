//! Messages in a print of packets or lines: `tcpdump -A` has the bytes of the IP and TCP headers before the first line,
//! FFmpeg (`-loglevel trace`) each line in quotes behind its own mark.

use super::lines::Line;
use crate::http1::head;

/// The line without the headers of the packet or the marks of the program; any other line as it is.
pub(super) fn unpacked(line: Line) -> Line {
    if let Some((from, to)) = quoted(line.bytes()) {
        return Line { text: line.text.slice(from..to), eol: line.eol };
    }
    match start(line.bytes()) {
        Some(at) => line.from(at),
        None => line,
    }
}

/// The inside of `[rtsp @ 0x5581] line='RTSP/1.0 401 Unauthorized'`; a trailing carriage return is part of the quote.
fn quoted(line: &[u8]) -> Option<(usize, usize)> {
    const MARK: &[u8] = b"] line='";
    let at = memchr::memmem::find(line.get(..line.len().min(80))?, MARK)? + MARK.len();
    let inside = line.get(at..)?.trim_ascii_end().strip_suffix(b"'")?;
    (line.starts_with(b"[") && line.contains(&b'@')).then_some((at, at + inside.trim_ascii_end().len()))
}

/// No headers are longer: 60 bytes of IPv4, 60 of TCP.
const MOST_HEADERS: usize = 120;

/// Where the start line begins behind the headers of a packet. The first byte is `E` (IPv4 without options) or a
/// backtick (IPv6); what cannot be printed stands there as a dot.
fn start(line: &[u8]) -> Option<usize> {
    if !matches!(line.first(), Some(b'E' | b'`')) {
        return None;
    }
    let headers = line.get(..line.len().min(MOST_HEADERS))?;
    let dots = headers.iter().filter(|c| **c == b'.').count();
    if dots < 8 {
        return None;
    }
    (8..headers.len()).find(|i| {
        let first = line.get(*i).is_some_and(u8::is_ascii_uppercase);
        first
            && line.get(*i..).is_some_and(|rest| head::surely_starts(rest.trim_ascii_end()) && is_known(rest))
    })
}

fn is_known(rest: &[u8]) -> bool {
    let word = rest.split(|c| *c == b' ').next().unwrap_or_default();
    head::is_method(word) || word.starts_with(b"HTTP/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_behind_the_headers_of_its_packet() {
        let line = b"E..n..@.@..w........ .........P...b...POST /rpc HTTP/1.1";
        assert_eq!(start(line).and_then(|at| line.get(at..)), Some(&b"POST /rpc HTTP/1.1"[..]));
        let line = b"E....@.@...P...b....A.B.C.HTTP/1.1 401 Unauthorized";
        assert_eq!(start(line).and_then(|at| line.get(at..)), Some(&b"HTTP/1.1 401 Unauthorized"[..]));
        let line = b"[rtsp @ 0x55] line='CSeq: 2'";
        assert_eq!(quoted(line).and_then(|(from, to)| line.get(from..to)), Some(&b"CSeq: 2"[..]));
        for other in [&b"Even so: GET / HTTP/1.1"[..], b"E................", b"GET / HTTP/1.1", b""] {
            assert_eq!(start(other), None);
        }
    }
}
