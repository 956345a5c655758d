//! HTTP/1 messages in a stream (RFC 9112), redacted at equal length. What is no message becomes zeros.

use super::Tally;
use super::streams::is_tls;
use crate::Masker;
use crate::text::{narrow, text_of};
use std::ops::Range;

/// A head is not longer.
const LONGEST_HEAD: usize = 1 << 20;

/// The stream with the secrets of its messages replaced.
pub(crate) fn redacted(bytes: &[u8], masker: &mut Masker<'_>, tally: &mut Tally) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    while let Some(rest) = bytes.get(out.len()..).filter(|r| !r.is_empty()) {
        // Blank lines before a message (section 2.2).
        if rest.starts_with(b"\r\n") && begins(rest.get(2..).unwrap_or_default()) {
            out.extend_from_slice(b"\r\n");
            continue;
        }
        // Behind CONNECT or an upgrade.
        if is_tls(rest) {
            out.extend_from_slice(rest);
            break;
        }
        let Some(head) = head(rest).filter(|_| begins(rest)) else {
            tally.blanked += rest.len() as u64;
            out.resize(bytes.len(), 0);
            break;
        };
        let lines = text_of(rest.get(..head).unwrap_or_default());
        let about = About::of(&lines);
        out.extend(narrow(&fields(&lines, masker)));
        let rest = rest.get(head..).unwrap_or_default();
        out.extend(body(rest, &about, masker, tally));
    }
    out.resize(bytes.len(), 0);
    out
}

/// Whether a message begins here: a status line, or a method, a target and a version.
fn begins(bytes: &[u8]) -> bool {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    if line.starts_with(b"HTTP/1.") {
        return true;
    }
    let mut words = line.split(|b| *b == b' ');
    let method = words.next().unwrap_or_default();
    let version = line.trim_ascii_end().rsplit(|b| *b == b' ').next().unwrap_or_default();
    (2..=24).contains(&method.len())
        && method.iter().all(|b| b.is_ascii_uppercase() || matches!(b, b'-' | b'_'))
        && version.starts_with(b"HTTP/1.")
}

/// How long the head is, the empty line behind it included; one that is cut off goes to the end.
fn head(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        at += line.len();
        if at > LONGEST_HEAD {
            return None;
        }
        if matches!(line, b"\n" | b"\r\n") {
            return Some(at);
        }
    }
    Some(at)
}

/// The start line and the fields, each by its own rules.
fn fields(lines: &str, masker: &mut Masker<'_>) -> String {
    let mut out = String::with_capacity(lines.len());
    let mut all = lines.split_inclusive('\n').peekable();
    if let Some(start) = all.next() {
        let words: Vec<&str> = start.split(' ').collect();
        match words.as_slice() {
            [method, target @ .., version] if !start.starts_with("HTTP/") && !target.is_empty() => {
                out.push_str(&format!("{method} {} {version}", masker.target(&target.join(" "))));
            }
            _ => out.push_str(&masker.text(start)),
        }
    }
    while let Some(line) = all.next() {
        // A value may go on in the next line (section 5.2).
        let mut whole = line.to_owned();
        while let Some(more) = all.next_if(|l| l.starts_with([' ', '\t'])) {
            whole.push_str(more);
        }
        let Some((name, value)) = whole.split_once(':') else {
            out.push_str(&masker.text(&whole));
            continue;
        };
        let bare = value.trim();
        let lead = value.len() - value.trim_start().len();
        let made = masker.field(name, bare);
        // A second look at the line as a whole: fields may be misspelt or stand in each other.
        let end = value.get(lead + bare.len()..).unwrap_or_default();
        let line = format!("{name}:{}{made}{end}", value.get(..lead).unwrap_or_default());
        out.push_str(&line);
    }
    out
}

/// What the fields say about the content.
#[derive(Default)]
struct About {
    length: Option<usize>,
    chunked: bool,
    coded: bool,
    binary: bool,
    bodiless: bool,
    response: bool,
}

impl About {
    fn of(lines: &str) -> About {
        let mut about = About { response: lines.starts_with("HTTP/"), ..About::default() };
        let status = lines.split(' ').nth(1).and_then(|s| s.parse::<u16>().ok());
        about.bodiless = about.response && matches!(status, Some(100..=199 | 204 | 304));
        for (name, value) in lines.lines().skip(1).filter_map(|l| l.split_once(':')) {
            let value = value.trim().to_ascii_lowercase();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => about.length = value.parse().ok(),
                "transfer-encoding" => {
                    about.chunked = value.ends_with("chunked");
                    about.coded |= !matches!(value.as_str(), "chunked" | "identity");
                }
                "content-encoding" => about.coded |= value != "identity",
                "content-type" => about.binary = !is_text(&value),
                _ => {}
            }
        }
        about
    }
}

/// Types that are text; of others nobody can be certain.
fn is_text(kind: &str) -> bool {
    let names = ["text/", "json", "xml", "x-www-form-urlencoded", "javascript", "x-ndjson", "graphql"];
    names.iter().any(|n| kind.contains(n))
}

/// The content of a message from the front of what follows its head, redacted; as long as it is.
fn body(rest: &[u8], about: &About, masker: &mut Masker<'_>, tally: &mut Tally) -> Vec<u8> {
    // The answer to HEAD has a length and no content.
    if about.bodiless || begins(rest) || rest.is_empty() {
        return Vec::new();
    }
    if about.chunked {
        let Chunks { data: ranges, framing: sizes, end } = chunks(rest);
        let mut content: Vec<u8> =
            ranges.iter().filter_map(|r| rest.get(r.clone())).flatten().copied().collect();
        content = judged(&content, about, masker, tally);
        let mut out = vec![0; end];
        for i in sizes.into_iter().flatten() {
            if let (Some(to), Some(byte)) = (out.get_mut(i), rest.get(i)) {
                *to = *byte;
            }
        }
        let mut content = content.into_iter();
        for i in ranges.into_iter().flatten() {
            if let (Some(to), Some(byte)) = (out.get_mut(i), content.next()) {
                *to = byte;
            }
        }
        return out;
    }
    let length = match (about.length, about.response) {
        (Some(length), _) => length.min(rest.len()),
        (None, true) => rest.len(),
        (None, false) => 0,
    };
    judged(rest.get(..length).unwrap_or_default(), about, masker, tally)
}

/// Content as it is without chunks.
fn judged(content: &[u8], about: &About, masker: &mut Masker<'_>, tally: &mut Tally) -> Vec<u8> {
    let text = std::str::from_utf8(content).is_ok_and(|t| !t.contains('\0'));
    let almost = !text && !about.binary && content.iter().all(|b| !matches!(b, 0..=8 | 14..=31));
    if about.coded || about.binary || !(text || almost) {
        tally.bodies += 1;
        return vec![b'x'; content.len()];
    }
    let made = narrow(&masker.text(&text_of(content)));
    if made.len() == content.len() { made } else { vec![b'x'; content.len()] }
}

/// A body in chunks (section 7.1).
#[derive(Default)]
struct Chunks {
    /// The data of each.
    data: Vec<Range<usize>>,
    /// Sizes and line ends. Whatever else stands between chunks, extensions and what is no chunk at all, nobody judges.
    framing: Vec<Range<usize>>,
    /// Where the content ends.
    end: usize,
}

/// A chunk of so many digits is as large as a body can be in a capture; more of them may be anything.
const MOST_DIGITS: usize = 7;

fn chunks(bytes: &[u8]) -> Chunks {
    let mut chunks = Chunks { end: bytes.len(), ..Chunks::default() };
    let mut at = 0;
    loop {
        let Some(line) = bytes.get(at..).and_then(|rest| rest.split_inclusive(|b| *b == b'\n').next()) else {
            return chunks;
        };
        let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        let behind = line.get(digits..).unwrap_or_default();
        let fits = digits <= MOST_DIGITS && matches!(behind, [b'\r' | b'\n' | b';' | b' ' | b'\t', ..] | []);
        let size = std::str::from_utf8(line.get(..digits).unwrap_or_default())
            .ok()
            .and_then(|s| usize::from_str_radix(s, 16).ok());
        let Some(size) = size.filter(|_| fits) else { return chunks };
        chunks.framing.push(at..at + digits);
        let ending = line.iter().rev().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        at += line.len();
        chunks.framing.push(at - ending..at);
        if size == 0 {
            // The trailer section: nobody reads it here.
            let trailer = bytes.get(at..).and_then(|rest| rest.split_inclusive(|b| *b == b'\n').next());
            let trailer = trailer.unwrap_or_default();
            chunks.end = at + trailer.len();
            if matches!(trailer, b"\r\n" | b"\n") {
                chunks.framing.push(at..chunks.end);
            }
            return chunks;
        }
        let end = at.saturating_add(size).min(bytes.len());
        chunks.data.push(at..end);
        at = end;
        if bytes.get(at..at + 2) == Some(b"\r\n") {
            chunks.framing.push(at..at + 2);
            at += 2;
        }
        if at >= bytes.len() {
            return chunks;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Masker;
    use why401_redact::SecretSet;

    fn made(bytes: &[u8]) -> String {
        let known = SecretSet::default();
        let made = redacted(bytes, &mut Masker::new(&known), &mut Tally::default());
        assert_eq!(made.len(), bytes.len());
        String::from_utf8_lossy(&made).into_owned()
    }

    #[test]
    fn of_chunks_sizes_and_line_ends_stay_and_whatever_is_no_chunk_goes() {
        let head =
            "HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";
        let good = format!("{head}5\r\nhello\r\n1a;x=cafe\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n");
        assert_eq!(made(good.as_bytes()), good.replace(";x=cafe", "\0\0\0\0\0\0\0"));
        // Keys are hexadecimal digits like sizes.
        for body in [
            "deadbeefcafe0123\r\n",
            "{\"key\":\"deadbeefcafe0123\"}",
            "5\r\nhello\r\ndeadbeefcafe0123",
            "0\r\nX: deadbeefcafe0123\r\n\r\n",
            "5 deadbeefcafe0123\r\nhello\r\n",
        ] {
            let out = made(format!("{head}{body}").as_bytes());
            assert!(out.starts_with(head) && !out.contains("beef"), "{out:?}");
        }
    }

    #[test]
    fn a_reason_is_judged_like_any_text() {
        let out = made(b"HTTP/1.1 401 password=hunter2canary\r\nContent-Length: 0\r\n\r\n");
        assert!(out.starts_with("HTTP/1.1 401 password=") && !out.contains("hunter2canary"), "{out}");
    }
}
