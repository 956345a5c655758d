//! A request of HTTP/2 (RFC 9113) as bytes, and what has to be said back while its answer comes.
//!
//! One request a connection, fields as literals without indexing (RFC 7541 section 6.2.2): there is nothing to
//! compress, and what is sent stands as it is in the evidence.

use super::dial::Sending;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The window that every connection and stream begins with (section 6.9.2); longer content goes over HTTP/1.1.
pub(super) const WINDOW: usize = 65_535;
/// No frame of ours is larger (section 6.5.2).
const FRAME: usize = 16_384;
/// How much the server may send without being told to go on.
const OUR_WINDOW: u32 = 1 << 20;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// The bytes of the preface and the one request, on stream 1.
pub(super) fn bytes(s: &Sending) -> Vec<u8> {
    let mut out = PREFACE.to_vec();
    // SETTINGS_ENABLE_PUSH 0, SETTINGS_INITIAL_WINDOW_SIZE (section 6.5.2).
    let mut settings = vec![0, 2, 0, 0, 0, 0, 0, 4];
    settings.extend(OUR_WINDOW.to_be_bytes());
    frame(&mut out, SETTINGS, 0, 0, &settings);
    frame(&mut out, WINDOW_UPDATE, 0, 0, &OUR_WINDOW.to_be_bytes());
    let block = block(s);
    let end = if s.body.is_empty() { END_STREAM } else { 0 };
    let mut parts = block.chunks(FRAME).peekable();
    let mut kind = HEADERS;
    while let Some(part) = parts.next() {
        let last = if parts.peek().is_none() { END_HEADERS } else { 0 };
        frame(&mut out, kind, last | if kind == HEADERS { end } else { 0 }, 1, part);
        kind = CONTINUATION;
    }
    let mut parts = s.body.chunks(FRAME).peekable();
    while let Some(part) = parts.next() {
        let last = if parts.peek().is_none() { END_STREAM } else { 0 };
        frame(&mut out, DATA, last, 1, part);
    }
    out
}

fn frame(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let [_, a, b, c] = u32::try_from(payload.len()).unwrap_or_default().to_be_bytes();
    out.extend([a, b, c, kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
}

fn block(s: &Sending) -> Vec<u8> {
    let mut out = Vec::new();
    let mut field = |name: &[u8], value: &[u8]| {
        // Never indexed where it may be a secret (RFC 7541 section 7.1.3), literal name.
        out.push(0x10);
        string(&mut out, name);
        string(&mut out, value);
    };
    field(b":method", s.method.as_bytes());
    field(b":scheme", s.scheme.as_bytes());
    let host = s.fields.iter().find(|(n, _)| n.eq_ignore_ascii_case("host"));
    field(b":authority", host.map_or(s.authority.as_bytes(), |(_, v)| v));
    field(b":path", s.target.as_bytes());
    for (name, value) in &s.fields {
        let name = name.to_ascii_lowercase();
        // Fields of the connection have no place here (RFC 9113 section 8.2.2).
        if matches!(
            name.as_str(),
            "host" | "connection" | "keep-alive" | "proxy-connection" | "upgrade" | "transfer-encoding"
        ) {
            continue;
        }
        field(name.as_bytes(), value);
    }
    if !s.body.is_empty() {
        field(b"content-length", s.body.len().to_string().as_bytes());
    }
    out
}

/// A string literal without Huffman coding (RFC 7541 section 5.2).
fn string(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text.len();
    if rest < 127 {
        out.push(rest as u8);
    } else {
        out.push(127);
        rest -= 127;
        while rest >= 128 {
            out.push((rest % 128) as u8 | 0x80);
            rest /= 128;
        }
        out.push(rest as u8);
    }
    out.extend(text);
}

/// Reads the frames that come and says what has to be said back: settings and pings are acknowledged.
#[derive(Debug, Default)]
pub(super) struct Replies {
    rest: Vec<u8>,
}

impl Replies {
    /// The reply to the next bytes, mostly empty.
    pub(super) fn to(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.rest.extend_from_slice(bytes);
        let mut out = Vec::new();
        while let Some(&[a, b, c, kind, flags, ..]) = self.rest.first_chunk::<9>() {
            let len = u32::from_be_bytes([0, a, b, c]) as usize;
            let Some(payload) = self.rest.get(9..9 + len) else { break };
            match kind {
                SETTINGS if flags & ACK == 0 => frame(&mut out, SETTINGS, ACK, 0, &[]),
                PING if flags & ACK == 0 && payload.len() == 8 => frame(&mut out, PING, ACK, 0, payload),
                _ => {}
            }
            self.rest.drain(..9 + len);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use why401_h2::{Event, Side, Watch};
    use why401_span::{SourceId, Span};

    #[test]
    fn what_is_written_is_read_back_by_the_passive_reader() {
        let s = Sending {
            method: "GET".to_owned(),
            scheme: "https".to_owned(),
            authority: "example.com".to_owned(),
            target: "/a".to_owned(),
            fields: vec![("Authorization".to_owned(), vec![b'x'; 20_000])],
            body: Vec::new(),
        };
        let bytes = bytes(&s);
        let mut seen = Vec::new();
        let origin = Span::new(SourceId(0), 0, bytes.len() as u64);
        Watch::new().bytes(Side::Client, &bytes, origin, &mut |event| {
            if let Event::Fields { fields, end, .. } = event {
                seen.push((fields.len(), end));
            }
        });
        assert_eq!(seen, [(5, true)]);
    }

    #[test]
    fn settings_and_pings_are_acknowledged_across_pieces() {
        let mut out = Vec::new();
        frame(&mut out, SETTINGS, 0, 0, &[]);
        frame(&mut out, PING, 0, 0, b"12345678");
        frame(&mut out, PING, ACK, 0, b"12345678");
        let mut replies = Replies::default();
        let said: Vec<u8> = out.chunks(5).flat_map(|part| replies.to(part)).collect();
        assert_eq!(said.len(), 9 + 17);
    }
}
