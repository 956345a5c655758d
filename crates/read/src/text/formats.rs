//! The names under which text is known, and how each is recognised.

use super::lines::Lines;
use super::{curl, nginx_debug, read};
use crate::http1::head;
use crate::{Collected, Format};
use why401_span::SourceId;

/// What `curl -v` and its like print.
pub(crate) const CURL: Format = Format { name: "curl", fits: fits_curl, read };
/// What `wget -d` and `wget -S` print.
pub(crate) const WGET: Format = Format { name: "wget", fits: fits_wget, read };
/// What HTTPie and xh print.
pub(crate) const HTTPIE: Format = Format { name: "httpie", fits: fits_httpie, read };
/// Raw HTTP/1 messages.
pub(crate) const HTTP: Format = Format { name: "http", fits: fits_http, read };
/// nginx's log at level debug.
pub(crate) const NGINX_DEBUG: Format = Format { name: "nginx-debug", fits: nginx_debug::fits, read };
/// Whatever else is text.
pub(crate) const TEXT: Format = Format { name: "text", fits: fits_text, read };

/// The lines looked at.
fn lines(head: &[u8]) -> Vec<Vec<u8>> {
    let (mut bytes, mut nothing) = (head, Collected::default());
    let Ok(mut lines) = Lines::new(SourceId(0), &mut bytes) else { return Vec::new() };
    let next = || lines.next(&mut nothing).ok().flatten().map(|l| l.bytes().to_vec());
    std::iter::from_fn(next).take(2000).collect()
}

fn fits_curl(head_bytes: &[u8]) -> u8 {
    let messages = lines(head_bytes)
        .iter()
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
    let lines = lines(head_bytes);
    let first = lines.iter().find(|l| !l.trim_ascii().is_empty());
    if first.is_some_and(|l| head::surely_starts(l.trim_ascii())) {
        return 70;
    }
    if lines.iter().any(|l| head::surely_starts(l.trim_ascii())) { 40 } else { 0 }
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
