//! Content codings (RFC 9110 section 8.4.1), bounded so that no bomb goes off.

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::io::Read;
use why401_http::{BODY_EXCERPT, Body, Fields};
use why401_span::Derived;

/// More codings than this on one body are nobody's intention.
const MOST_CODINGS: usize = 3;

/// Undoes what `Content-Encoding` names, up to [`BODY_EXCERPT`] bytes.
///
/// Where the bytes are not in the coding named (a client that prints the decoded body beside the undecoded fields), or
/// the coding is not known here (`zstd`, `compress`), they stay as they are.
pub fn decode(fields: &Fields, body: Body) -> Body {
    let mut codings: Vec<String> = fields
        .all("content-encoding")
        .flat_map(|f| f.text().split(',').map(|c| c.trim().to_ascii_lowercase()).collect::<Vec<_>>())
        .filter(|c| !c.is_empty() && c != "identity")
        .collect();
    if codings.is_empty() || codings.len() > MOST_CODINGS || body.bytes.is_empty() {
        return body;
    }
    let mut bytes = body.bytes.as_bytes().to_vec();
    let mut complete = body.complete;
    while let Some(coding) = codings.pop() {
        let Some((decoded, whole)) = undo(&coding, &bytes) else { return body };
        complete &= whole;
        bytes = decoded;
    }
    let whole = 0..body.bytes.len();
    Body { bytes: body.bytes.decoded(whole, bytes), complete }
}

/// The decoded bytes, and whether these are all; `None` where the coding does not fit the bytes.
fn undo(coding: &str, bytes: &[u8]) -> Option<(Vec<u8>, bool)> {
    match coding {
        "gzip" | "x-gzip" if bytes.starts_with(&[0x1f, 0x8b]) => some_of(MultiGzDecoder::new(bytes)),
        // RFC 9110 section 8.4.1.2: `deflate` is zlib, and some senders mean raw deflate by it.
        "deflate" => some_of(ZlibDecoder::new(bytes)).or_else(|| some_of(DeflateDecoder::new(bytes))),
        "br" => some_of(brotli_decompressor::Decompressor::new(bytes, 4096)),
        _ => None,
    }
}

fn some_of(decoder: impl Read) -> Option<(Vec<u8>, bool)> {
    let mut limited = decoder.take(BODY_EXCERPT as u64 + 1);
    let mut out = Vec::new();
    let mut buffer = [0; 4096];
    let whole = loop {
        match limited.read(&mut buffer) {
            Ok(0) => break true,
            Ok(n) => out.extend_from_slice(buffer.get(..n).unwrap_or_default()),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            // What came out before the fault is worth having: a body that was cut off.
            Err(_) => break false,
        }
    };
    let whole = whole && out.len() <= BODY_EXCERPT;
    out.truncate(BODY_EXCERPT);
    (!out.is_empty()).then_some((out, whole))
}

/// How much of an answer's content is worth keeping where there are very many: all of what may explain a refusal, and of
/// a success what tells a login page or a token from what was asked for. `page` says that it is HTML.
pub fn worth_keeping(status: u16, page: bool) -> usize {
    const PAGE: usize = 16 * 1024;
    const REST: usize = 2 * 1024;
    match status {
        200..=299 | 304 | 404 if page => PAGE,
        200..=299 | 304 | 404 => REST,
        _ => BODY_EXCERPT,
    }
}

/// Whether a `Content-Type` is that of a page.
pub fn is_page(content_type: &[u8]) -> bool {
    memchr::memmem::find(content_type, b"html").is_some()
}

/// Keeps the head of a body and counts the rest.
#[derive(Debug)]
pub(crate) struct Keep {
    kept: why401_span::Builder,
    most: usize,
    dropped: bool,
}

impl Default for Keep {
    fn default() -> Self {
        Keep::at_most(BODY_EXCERPT)
    }
}

impl Keep {
    /// One that keeps only so many bytes.
    pub(crate) fn at_most(most: usize) -> Self {
        Keep { kept: why401_span::Builder::new(), most, dropped: false }
    }

    /// From here on, keeps no more than so many bytes.
    pub(crate) fn limit(&mut self, most: usize) {
        self.most = self.most.min(most);
    }

    /// So many bytes will come: makes room for those that are kept.
    pub(crate) fn expect(&mut self, bytes: u64) {
        // Who promises much may send nothing.
        const AT_ONCE: usize = 16 * 1024;
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        self.kept.reserve(bytes.min(self.most).min(AT_ONCE));
    }

    /// Takes bytes that stand at `origin`.
    pub(crate) fn push(&mut self, bytes: &[u8], origin: why401_span::Span) {
        let room = self.most.saturating_sub(self.kept.len());
        let part = bytes.get(..room).unwrap_or(bytes);
        if !part.is_empty() {
            self.kept.push_exact(part, origin);
        }
        self.dropped |= part.len() < bytes.len();
    }

    /// Whether nothing more is kept.
    pub(crate) fn is_full(&self) -> bool {
        self.kept.len() >= self.most
    }

    /// Bytes are missing here.
    pub(crate) fn miss(&mut self) {
        self.dropped = true;
    }

    /// How many bytes of memory it takes beside itself.
    pub(crate) fn footprint(&self) -> usize {
        self.kept.footprint()
    }

    /// What was kept, as it was sent.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.kept.as_bytes()
    }

    /// The body, with its content coding undone.
    pub(crate) fn finish(self, fields: &Fields, ended: bool) -> Body {
        let body = Body { bytes: self.kept.finish(), complete: ended && !self.dropped };
        decode(fields, body)
    }
}

/// The bytes of a body, cut to [`BODY_EXCERPT`], with chunks joined where the fields say so and content decoded.
pub fn body_of(fields: &Fields, bytes: &Derived) -> Body {
    let chunked = fields.all("transfer-encoding").any(|f| f.text().to_ascii_lowercase().contains("chunked"));
    let (bytes, whole) = match chunked.then(|| super::chunks::join(bytes)).flatten() {
        Some(joined) => (joined, true),
        None => (bytes.clone(), true),
    };
    let complete = whole && bytes.len() <= BODY_EXCERPT;
    decode(fields, Body { bytes: bytes.slice(0..BODY_EXCERPT), complete })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::read::{GzEncoder, ZlibEncoder};
    use why401_http::FieldLine;
    use why401_span::{SourceId, Span};

    fn coded(coding: &str, bytes: Vec<u8>) -> Body {
        let line =
            FieldLine { name: Derived::synthetic("Content-Encoding"), value: Derived::synthetic(coding) };
        let span = Span::new(SourceId(0), 10, 10 + bytes.len() as u64);
        decode(&Fields(vec![line]), Body { bytes: Derived::exact(bytes, span), complete: true })
    }

    fn read(mut r: impl Read) -> Vec<u8> {
        let mut out = Vec::new();
        r.read_to_end(&mut out).unwrap();
        out
    }

    #[test]
    fn each_coding_is_undone_and_points_at_the_coded_bytes() {
        let text = b"{\"error\":\"expired\"}";
        let gzip = read(GzEncoder::new(&text[..], Compression::fast()));
        let end = 10 + gzip.len() as u64;
        let body = coded("gzip", gzip);
        assert_eq!(body.bytes.as_bytes(), text);
        let at = body.bytes.whole().unwrap();
        assert_eq!((at.span.start, at.span.end, at.exact), (10, end, false));
        let zlib = read(ZlibEncoder::new(&text[..], Compression::fast()));
        assert_eq!(coded("deflate", zlib.clone()).bytes.as_bytes(), text);
        assert_eq!(coded("deflate", zlib[2..zlib.len() - 4].to_vec()).bytes.as_bytes(), text);
        // `hello` by the reference encoder: one uncompressed meta-block (RFC 7932 section 9.2).
        assert_eq!(
            coded("br", vec![0x0b, 0x02, 0x80, b'h', b'e', b'l', b'l', b'o', 0x03]).bytes.as_bytes(),
            b"hello"
        );
    }

    #[test]
    fn a_bomb_stops_at_the_limit_and_says_so() {
        let bomb = read(GzEncoder::new(std::io::repeat(b'x').take(4 << 20), Compression::fast()));
        let body = coded("gzip", bomb);
        assert_eq!((body.bytes.len(), body.complete), (BODY_EXCERPT, false));
    }

    #[test]
    fn a_body_that_is_not_coded_stays() {
        assert_eq!(coded("gzip", b"{}".to_vec()).bytes.as_bytes(), b"{}");
        assert_eq!(coded("zstd", b"{}".to_vec()).bytes.as_bytes(), b"{}");
    }

    #[test]
    fn a_cut_body_is_read_as_far_as_it_goes() {
        let text: Vec<u8> = (0..20_000_u32).flat_map(|i| i.to_string().into_bytes()).collect();
        let mut gzip = read(GzEncoder::new(&text[..], Compression::fast()));
        gzip.truncate(gzip.len() / 2);
        let body = coded("gzip", gzip);
        assert!(!body.complete && body.bytes.len() > 1000 && text.starts_with(body.bytes.as_bytes()));
    }
}
