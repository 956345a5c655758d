//! Logs, transcripts and whatever else is text.

use crate::Masker;

/// So many bytes are redacted at a time, cut between lines.
const PART: usize = 1 << 20;

/// The text without its secrets.
///
/// # Errors
/// Where it is no text.
pub(crate) fn redacted(bytes: &[u8], format: &str, masker: &mut Masker<'_>) -> Result<Vec<u8>, String> {
    if let Some(made) = wide(bytes, |text| lines(text, format, masker)) {
        return Ok(made);
    }
    if is_hex_dump(bytes) {
        return Err("a hexadecimal dump: give curl -v or --trace-ascii instead".to_owned());
    }
    if is_binary(bytes) {
        return Err("no text (compressed, perhaps), and no format that can be redacted".to_owned());
    }
    Ok(narrow(&lines(&text_of(bytes), format, masker)))
}

/// What is made of a text in UTF-16, in the byte order of its mark; `None` where it has none.
pub(crate) fn wide(bytes: &[u8], make: impl FnOnce(&str) -> String) -> Option<Vec<u8>> {
    let big_endian = match bytes {
        [0xff, 0xfe, ..] => false,
        [0xfe, 0xff, ..] => true,
        _ => return None,
    };
    let read =
        |pair: &[u8; 2]| if big_endian { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) };
    let write = |unit: u16| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
    let (pairs, _) = bytes.as_chunks::<2>();
    let text: String = char::decode_utf16(pairs.iter().map(read)).map(|c| c.unwrap_or('\u{fffd}')).collect();
    // The mark is a character like any other.
    let (mark, text) = text.split_at_checked('\u{feff}'.len_utf8())?;
    Some(mark.encode_utf16().chain(make(text).encode_utf16()).flat_map(write).collect())
}

/// Bytes that are not UTF-8 stand for themselves in a plane of private use until [`narrow`].
pub(crate) fn text_of(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().filter_map(|b| char::from_u32(0x10_ff00 + u32::from(*b))));
    }
    out
}

/// The bytes that [`text_of`] made a text of.
pub(crate) fn narrow(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut buffer = [0; 4];
    for c in text.chars() {
        match c as u32 {
            n @ 0x10_ff80..=0x10_ffff => out.push((n & 0xff) as u8),
            _ => out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()),
        }
    }
    out
}

/// All of it, in parts that end with a line.
fn lines(text: &str, format: &str, masker: &mut Masker<'_>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut columns = Columns::default();
    let mut part = String::new();
    let mut trace = Trace::default();
    for line in text.split_inclusive('\n') {
        if trace.takes(line) {
            out.push_str(&masker.text(&std::mem::take(&mut part)));
            continue;
        }
        trace.flush(masker, &mut out);
        if let Some(made) = columns.line(line, masker) {
            out.push_str(&masker.text(&std::mem::take(&mut part)));
            // A second look, by shape.
            out.push_str(&masker.text(&made));
            continue;
        }
        match format == "access-log" {
            true => part.push_str(&quoted_cookies(line, masker)),
            false => part.push_str(line),
        }
        // A private key is not cut in two.
        let open = part.rfind("PRIVATE KEY-----").is_some_and(|at| {
            part.get(..at).is_some_and(|s| {
                s.ends_with(|c| c != 'D') && part.rfind("-----END").is_none_or(|end| end < at)
            })
        });
        if part.len() >= PART && (!open || part.len() >= 16 * PART) {
            out.push_str(&masker.text(&std::mem::take(&mut part)));
        }
    }
    trace.flush(masker, &mut out);
    out + &masker.text(&part)
}

/// Lines of a dump by `curl --trace-ascii`: 64 characters of a message each, behind their offset.
#[derive(Default)]
struct Trace(Vec<(String, String)>);

impl Trace {
    /// Whether this line is one of a dump; it is kept until the dump ends.
    fn takes(&mut self, line: &str) -> bool {
        let digits = line.bytes().take_while(u8::is_ascii_hexdigit).count();
        let offset =
            (4..=8).contains(&digits) && line.get(digits..).is_some_and(|rest| rest.starts_with(": "));
        if offset && let Some((front, content)) = line.split_at_checked(digits + 2) {
            self.0.push((front.to_owned(), content.to_owned()));
        }
        offset
    }

    /// The dump as one text, redacted, and cut again where it was.
    fn flush(&mut self, masker: &mut Masker<'_>, out: &mut String) {
        let lines = std::mem::take(&mut self.0);
        let mut whole = String::new();
        let full = |content: &str| content.trim_end_matches(['\r', '\n']).chars().count() == 64;
        for (_, content) in &lines {
            let bare = content.trim_end_matches(['\r', '\n']);
            whole.push_str(if full(content) { bare } else { content });
        }
        let made = masker.text(&whole);
        let mut rest = made.as_str();
        for (front, content) in &lines {
            let bare = content.trim_end_matches(['\r', '\n']);
            let taken = if full(content) { bare.len() } else { content.len() };
            let (this, behind) = rest.split_at_checked(taken).unwrap_or((rest, ""));
            rest = behind;
            out.push_str(front);
            out.push_str(this);
            if full(content) {
                out.push_str(content.get(bare.len()..).unwrap_or_default());
            }
        }
    }
}

/// Whether more than one byte in a hundred is a control character that no text holds: of what is compressed one in ten is,
/// of other binary data more. Terminals are told of colours by ESC.
fn is_binary(bytes: &[u8]) -> bool {
    let control = |b: &&u8| matches!(b, 0..=8 | 14..=26 | 28..=31 | 127);
    bytes.iter().filter(control).count() * 100 > bytes.len()
}

/// Whether lines of hexadecimal digits tell what was sent: secrets in them are cut into single bytes.
fn is_hex_dump(bytes: &[u8]) -> bool {
    let hex = |line: &&[u8]| {
        let words: Vec<&[u8]> =
            line.split(|b| *b == b' ').filter(|w| !w.is_empty()).skip(1).take(8).collect();
        let of = |w: &&[u8]| matches!(w.len(), 2 | 4) && w.iter().all(u8::is_ascii_hexdigit);
        words.len() == 8 && words.iter().all(of)
    };
    bytes.split(|b| *b == b'\n').filter(hex).take(2).count() > 1
}

/// The columns of a W3C extended log file.
#[derive(Default)]
struct Columns(Vec<String>);

impl Columns {
    /// A line of such a log with its fields and queries redacted; `None` for every other line.
    fn line(&mut self, line: &str, masker: &mut Masker<'_>) -> Option<String> {
        if let Some(names) = line.strip_prefix("#Fields:") {
            self.0 = names.split_whitespace().map(str::to_owned).collect();
            return None;
        }
        if self.0.is_empty() || line.starts_with('#') {
            return None;
        }
        let mut out = String::with_capacity(line.len());
        for (column, part) in line.split_inclusive([' ', '\t']).enumerate() {
            let value = part.trim_end();
            let end = part.get(value.len()..).unwrap_or_default();
            let name = self.0.get(column).map_or("", String::as_str);
            let field =
                name.strip_prefix("cs(").or(name.strip_prefix("sc(")).and_then(|n| n.strip_suffix(')'));
            match (field, name) {
                _ if value == "-" => out.push_str(value),
                (Some(field), _) => out.push_str(&masker.field(field, value)),
                (None, "cs-uri-query") => {
                    out.push_str(masker.target(&format!("?{value}")).get(1..).unwrap_or_default());
                }
                (None, "cs-uri" | "cs-uri-stem") => out.push_str(&masker.target(value)),
                _ => out.push_str(value),
            }
            out.push_str(end);
        }
        Some(out)
    }
}

/// What stands in quotes and looks like cookies: a log whose format nobody told us.
fn quoted_cookies(line: &str, masker: &mut Masker<'_>) -> String {
    let mut out = String::with_capacity(line.len());
    for (i, part) in line.split('"').enumerate() {
        if i > 0 {
            out.push('"');
        }
        let cookie = |pair: &str| {
            let name = pair.split('=').next().unwrap_or_default();
            pair.contains('=')
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        };
        match i % 2 == 1 && part.split("; ").all(cookie) {
            true => out.push_str(&masker.field("Cookie", part)),
            false => out.push_str(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use why401_redact::SecretSet;

    fn made(bytes: &[u8], format: &str) -> String {
        let known = SecretSet::default();
        let made = redacted(bytes, format, &mut Masker::new(&known)).unwrap_or_default();
        String::from_utf8_lossy(&made).into_owned()
    }

    #[test]
    fn columns_of_a_w3c_log_are_known() {
        let log = b"#Fields: date cs-uri-query cs(Cookie) cs(Referer)\n2026-11-22 a=1&sid=qwert a=bcd;+x=yz http://u:pw@h/\n";
        let out = made(log, "iis");
        assert_eq!(out.len(), log.len());
        for secret in ["qwert", "bcd", "yz", ":pw@"] {
            assert!(!out.contains(secret), "{secret}: {out}");
        }
        assert!(out.contains("a=1&sid="));
    }

    #[test]
    fn bytes_that_are_no_utf_8_stay() {
        let out = redacted(b"p\xe4\xdf password=abcdefgh\n", "text", &mut Masker::new(&SecretSet::default()));
        assert!(out.is_ok_and(|o| o.starts_with(b"p\xe4\xdf password=") && !o.ends_with(b"abcdefgh\n")));
        for binary in
            [vec![0; 64], (0..=255).cycle().take(5000).map(|b: u8| b.wrapping_mul(167) ^ 0x5a).collect()]
        {
            assert!(redacted(&binary, "text", &mut Masker::new(&SecretSet::default())).is_err());
        }
    }

    #[test]
    fn utf_16_stays_utf_16() {
        let bytes: Vec<u8> = [0xff, 0xfe]
            .into_iter()
            .chain("password=hunter2x\r\n".encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        let out = redacted(&bytes, "text", &mut Masker::new(&SecretSet::default())).unwrap_or_default();
        let narrow: String = out.iter().skip(2).filter(|b| **b != 0).map(|b| char::from(*b)).collect();
        assert_eq!(out.len(), bytes.len());
        assert!(narrow.starts_with("password=") && !narrow.contains("hunter2x"));
    }

    #[test]
    fn cookies_in_quotes_of_an_access_log_go() {
        let out = made(b"1.2.3.4 - - [x] \"GET / HTTP/1.1\" 401 1 \"sid=abcdef; a=b\"\n", "access-log");
        assert!(!out.contains("abcdef") && out.contains("\"GET / HTTP/1.1\" 401 1 \"sid="), "{out}");
    }
}
