//! The names under which text is known, and how each is recognised.

use super::{curl, read};
use crate::Format;
use crate::http1::head;

/// What `curl -v` and its like print.
pub(crate) const CURL: Format = Format { name: "curl", fits: fits_curl, read };
/// What `wget -d` and `wget -S` print.
pub(crate) const WGET: Format = Format { name: "wget", fits: fits_wget, read };
/// What HTTPie and xh print.
pub(crate) const HTTPIE: Format = Format { name: "httpie", fits: fits_httpie, read };
/// Raw HTTP/1 messages.
pub(crate) const HTTP: Format = Format { name: "http", fits: fits_http, read };
/// Whatever else is text.
pub(crate) const TEXT: Format = Format { name: "text", fits: fits_text, read };

/// The lines looked at, without indentation.
fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|c| *c == b'\n').map(|l| l.strip_suffix(b"\r").unwrap_or(l)).take(2000)
}

fn fits_curl(head_bytes: &[u8]) -> u8 {
    let messages = lines(head_bytes)
        .filter(|l| {
            let text = l.get(curl::prefix(l)..).unwrap_or_default();
            let rest = text.get(2..).unwrap_or_default().trim_ascii_end();
            (text.starts_with(b"> ") || text.starts_with(b"< ")) && head::surely_starts(rest)
        })
        .count();
    let trace = memchr::memmem::find(head_bytes, b"=> Send header").is_some();
    if messages > 0 || trace { 80 } else { 0 }
}

fn fits_wget(head: &[u8]) -> u8 {
    let debug = memchr::memmem::find(head, b"---request begin---").is_some();
    let asked = memchr::memmem::find(head, b"HTTP request sent, awaiting response...").is_some();
    if debug || asked { 81 } else { 0 }
}

fn fits_httpie(head: &[u8]) -> u8 {
    let agent = memchr::memmem::find(head, b"User-Agent: HTTPie/")
        .or_else(|| memchr::memmem::find(head, b"User-Agent: xh/"));
    if agent.is_some() && fits_http(head) > 0 { 71 } else { 0 }
}

fn fits_http(head_bytes: &[u8]) -> u8 {
    let first = lines(head_bytes).find(|l| !l.trim_ascii().is_empty()).unwrap_or_default();
    if head::surely_starts(first.trim_ascii()) {
        return 70;
    }
    if lines(head_bytes).any(|l| head::surely_starts(l.trim_ascii())) { 40 } else { 0 }
}

/// Text has no control characters but those of a terminal, and hardly a zero byte outside UTF-16.
fn fits_text(head: &[u8]) -> u8 {
    if head.is_empty() {
        return 0;
    }
    let wide = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
    let control = head
        .iter()
        .filter(|c| **c < 0x20 && !matches!(**c, b'\t' | b'\n' | b'\r' | 0x1b | 0x0c | 0x08))
        .count();
    let zeros = head.iter().filter(|c| **c == 0).count();
    let even = zeros * 3 > head.len() && zeros * 2 <= head.len() + 1;
    if wide || even || control * 50 < head.len() { 10 } else { 0 }
}
