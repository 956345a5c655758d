//! What `curl --trace`, `curl --trace-ascii` and git's `GIT_TRACE_CURL` print.

use super::curl;
use super::lines::Line;
use super::out::Out;
use super::transfer::{Transfer, bare};
use super::{Dialect, Took, escaped};
use why401_span::{Builder, Derived};

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Request,
    RequestBody,
    Response,
    Body,
    /// TLS records and other things that are no HTTP.
    Other,
}

struct Trace {
    transfer: Transfer,
    block: Block,
    /// The bytes of the block as far as they are dumped.
    dump: Builder,
    /// Where the dump goes on, if the next line belongs to the same line of the message.
    expected: u64,
}

/// More of one block is not put together.
const MOST_DUMP: usize = 2 * why401_http::BODY_EXCERPT;

const INFO: &[u8] = b"== Info:";

pub(super) fn begin(line: &Line, _next: Option<&Line>, _out: &mut Out<'_>) -> Option<Box<dyn Dialect>> {
    let text = line.bytes().get(prefix(line.bytes())..)?;
    let fits = text.starts_with(INFO) || mark(text).is_some();
    let transfer = Transfer::of("curl");
    fits.then(|| {
        Box::new(Trace { transfer, block: Block::Other, dump: Builder::new(), expected: 0 })
            as Box<dyn Dialect>
    })
}

/// The time, and git's place in its own source (`http.c:872`).
fn prefix(bytes: &[u8]) -> usize {
    let at = curl::prefix(bytes);
    let rest = bytes.get(at..).unwrap_or_default();
    let word = rest.iter().take_while(|c| **c != b' ').count();
    let source = rest.get(..word).is_some_and(|w| memchr::memmem::find(w, b".c:").is_some());
    if source {
        return at + word + rest.iter().skip(word).take_while(|c| **c == b' ').count();
    }
    at
}

/// What a line announces, and the length of the mark.
fn mark(text: &[u8]) -> Option<(Block, usize)> {
    let known: [(&[u8], Block); 6] = [
        (b"=> Send header", Block::Request),
        (b"=> Send data", Block::RequestBody),
        (b"<= Recv header", Block::Response),
        (b"<= Recv data", Block::Body),
        (b"=> Send SSL data", Block::Other),
        (b"<= Recv SSL data", Block::Other),
    ];
    known.iter().find(|(m, _)| text.starts_with(m)).map(|(m, b)| (*b, m.len()))
}

impl Dialect for Trace {
    fn line(&mut self, line: &Line, _next: Option<&Line>, out: &mut Out<'_>) -> Took {
        let at = prefix(line.bytes());
        let text = line.text.slice(at..line.text.len());
        let bytes = text.as_bytes();
        if bytes.starts_with(INFO) {
            self.finish(out);
            self.transfer.remark(&text.slice(INFO.len()..text.len()).trimmed(), out);
            return Took::Yes;
        }
        if let Some((block, len)) = mark(bytes) {
            self.finish(out);
            self.block = block;
            if bytes.get(len) == Some(&b':') {
                // git puts a line each behind the mark.
                let start =
                    (len + 1..bytes.len()).find(|i| bytes.get(*i) != Some(&b' ')).unwrap_or(bytes.len());
                self.give(&text.slice(start..bytes.len()), line, out);
            }
            return Took::Yes;
        }
        if let Some((offset, len)) = dump_offset(line.bytes()) {
            self.dump_line(&line.text, offset, len);
            return Took::Yes;
        }
        // git's own messages and the prompt stand between.
        let own = [&b"trace: "[..], b"fatal: ", b"remote: ", b"error: ", b"warning: ", b"run_command: "];
        if own.iter().any(|m| bytes.starts_with(m)) {
            self.finish(out);
            self.transfer.remark(&text, out);
            return Took::Yes;
        }
        if line.is_blank() { Took::Yes } else { Took::No }
    }

    fn end(&mut self, out: &mut Out<'_>) {
        self.finish(out);
        self.transfer.end(out);
    }
}

impl Trace {
    /// Adds a line of a dump, in hexadecimal or as text.
    fn dump_line(&mut self, text: &Derived, offset: u64, at: usize) {
        if self.dump.len() > MOST_DUMP {
            return;
        }
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        if let Some(bytes) = hex_bytes(rest) {
            let decoded = text.decoded(at..at + bytes.len() * 3, bytes);
            self.dump.push_part(&decoded, 0..decoded.len());
            self.expected = 0;
            return;
        }
        // Text: the offset tells whether a line break was left out before it.
        if self.expected > 0 && offset > self.expected {
            self.dump.push_synthetic(b"\n");
        }
        self.dump.push_part(text, at..text.len());
        self.expected = offset + (text.len() - at) as u64;
    }

    /// Gives what was dumped.
    fn finish(&mut self, out: &mut Out<'_>) {
        let dump = std::mem::take(&mut self.dump).finish();
        let expected = std::mem::take(&mut self.expected);
        if dump.is_empty() && expected == 0 {
            return;
        }
        if matches!(self.block, Block::Request | Block::Response) {
            let mut lines = escaped::lines(&dump);
            if dump.is_empty() || (self.block == Block::Request && lines.last().is_none_or(|l| !l.is_empty()))
            {
                lines.push(Derived::default());
            }
            for line in lines {
                self.give(&line, &bare(&line), out);
            }
        } else {
            self.give(&dump, &bare(&dump), out);
        }
    }

    fn give(&mut self, text: &Derived, line: &Line, out: &mut Out<'_>) {
        let end = text.as_bytes().trim_ascii_end().len();
        let trimmed = text.slice(0..end);
        match self.block {
            Block::Request => self.transfer.request_line(&trimmed, out),
            Block::Response => self.transfer.response_line(&trimmed, out),
            Block::RequestBody => {
                self.transfer.request_body(&Line { text: text.clone(), eol: Derived::default() })
            }
            Block::Body => self.transfer.body_line(&Line { text: text.clone(), eol: line.eol.clone() }),
            Block::Other => {}
        }
    }
}

/// `0010: `: the offset and the length of what tells it.
fn dump_offset(bytes: &[u8]) -> Option<(u64, usize)> {
    let digits = bytes.iter().take_while(|c| c.is_ascii_hexdigit()).count();
    if !(4..=8).contains(&digits) || bytes.get(digits..digits + 2) != Some(b": ") {
        return None;
    }
    let offset = u64::from_str_radix(std::str::from_utf8(bytes.get(..digits)?).ok()?, 16).ok()?;
    Some((offset, digits + 2))
}

/// The bytes of a line in hexadecimal: up to sixteen pairs, then the same as text.
fn hex_bytes(text: &[u8]) -> Option<Vec<u8>> {
    let pair = |c: &[u8]| {
        let [a, b, b' '] = c else { return None };
        let digit = |c: &u8| char::from(*c).to_digit(16);
        u8::try_from(digit(a)? * 16 + digit(b)?).ok()
    };
    let bytes: Vec<u8> = text.chunks(3).take(16).map_while(pair).collect();
    // The text part is padded to stand in a column of its own.
    let shown = text.len().checked_sub(16 * 3)?;
    (!bytes.is_empty() && shown == bytes.len()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dumps_are_told_from_text_that_looks_like_one() {
        assert_eq!(dump_offset(b"0010: abc"), Some((16, 6)));
        assert_eq!(dump_offset(b"Date: Sun"), None);
        let full = b"47 45 54 20 2f 62 61 73 69 63 20 48 54 54 50 2f GET /basic HTTP/";
        assert_eq!(hex_bytes(full).as_deref(), Some(&b"GET /basic HTTP/"[..]));
        assert_eq!(
            hex_bytes(b"61 61 0a                                        aa.").as_deref(),
            Some(&b"aa\n"[..])
        );
        assert_eq!(hex_bytes(b"GET / HTTP/1.1"), None);
        assert_eq!(hex_bytes(b"61 is a number"), None);
    }
}
