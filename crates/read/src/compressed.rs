//! Compressed evidence: decompressed as it is read, into a layer whose offsets count in what came out.

use crate::{Alike, Format, Likeness, Sink};
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use std::io::{self, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use why401_http::{Body, Exchange, Fact, Fields, LoggedUser, Moment, Request, Response, Statement, Words};
use why401_report::Problem;
use why401_span::{Derived, LayerId};

/// So much is decompressed at a time.
const STEP: usize = 16 * 1024;

/// How a source is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// RFC 1952, one or several members.
    Gzip,
    /// RFC 8878, one or several frames.
    Zstandard,
    /// bzip2, one or several streams.
    Bzip2,
    /// xz, one or several streams.
    Xz,
}

/// Behind this many bytes, what decompresses to more than [`RATIO`] times its size is taken for a bomb: logs reach
/// 10 to 100, and a bomb of gzip 1,032.
const FREE: u64 = if cfg!(test) { 256 * 1024 } else { 64 * 1024 * 1024 };
const RATIO: u64 = 300;
/// The largest window that is decoded: what `zstd --long` makes.
const WINDOW_LOG: u32 = 27;
/// The most memory that xz may ask for, in KiB: `xz -9` needs 65 MiB.
const XZ_MEMORY: u32 = 256 * 1024;

impl Coding {
    /// All of them, by name.
    pub const NAMED: [(&'static str, Coding); 4] =
        [("gzip", Coding::Gzip), ("zstd", Coding::Zstandard), ("bzip2", Coding::Bzip2), ("xz", Coding::Xz)];

    /// The coding of a source by its magic number.
    pub fn of(head: &[u8]) -> Option<Coding> {
        match head {
            [0x1f, 0x8b, 8, ..] => Some(Coding::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Coding::Zstandard),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => Some(Coding::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Coding::Xz),
            _ => None,
        }
    }
}

/// Decompresses `bytes` and has what comes out read by `inner`. What is damaged or cut off is read as far as it goes.
pub(crate) fn read(
    coding: Coding,
    bytes: &mut dyn Read,
    sink: &mut dyn Sink,
    inner: impl FnOnce(&mut dyn Read, &mut dyn Sink) -> io::Result<&'static Format>,
) -> io::Result<&'static Format> {
    let mut plain = Plain::new(coding, bytes)?;
    let layer = sink.layer(LAYER.to_owned());
    let result = inner(&mut plain, &mut InLayer { sink, layer });
    if let Some((offset, what)) = plain.fault() {
        sink.problem(Problem { offset, line: None, what });
    }
    result
}

/// The name of the layer that offsets in decompressed content count in.
pub const LAYER: &str = "decompressed";

/// Counts what is read of the source.
struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.taken.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

type Source<R> = BufReader<Counted<R>>;

enum Decoder<R: Read> {
    Gzip(Box<MultiGzDecoder<Source<R>>>),
    Zstandard(zstd::Decoder<'static, Source<R>>),
    Bzip2(bzip2::bufread::MultiBzDecoder<Source<R>>),
    Xz(Box<XzReader<Source<R>>>),
}

/// What comes out of a decoder; ends where the data is damaged, and remembers why.
pub struct Plain<R: Read> {
    decoder: Decoder<R>,
    taken: Arc<AtomicU64>,
    given: u64,
    fault: Option<String>,
}

impl<R: Read> Plain<R> {
    /// Decompresses `bytes`.
    ///
    /// # Errors
    /// Where no decoder can be set up.
    pub fn new(coding: Coding, bytes: R) -> io::Result<Self> {
        let taken = Arc::new(AtomicU64::new(0));
        let counted = Counted { inner: bytes, taken: Arc::clone(&taken) };
        let source = BufReader::with_capacity(128 * 1024, counted);
        let decoder = match coding {
            Coding::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(source))),
            Coding::Zstandard => {
                let mut decoder = zstd::Decoder::with_buffer(source)?;
                decoder.window_log_max(WINDOW_LOG)?;
                Decoder::Zstandard(decoder)
            }
            Coding::Bzip2 => Decoder::Bzip2(bzip2::bufread::MultiBzDecoder::new(source)),
            Coding::Xz => Decoder::Xz(Box::new(XzReader::new_mem_limit(source, true, XZ_MEMORY))),
        };
        Ok(Plain { decoder, taken, given: 0, fault: None })
    }

    /// Where in the compressed bytes it ended before their end, and why.
    pub fn fault(&self) -> Option<(u64, String)> {
        self.fault.clone().map(|what| (self.taken(), what))
    }

    /// How many compressed bytes were taken.
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

impl<R: Read> Read for Plain<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.fault.is_some() {
            return Ok(0);
        }
        if self.given > FREE && self.given / RATIO > self.taken() {
            self.fault = Some(format!(
                "decompresses to more than {RATIO} times its size: only the first {} bytes are read",
                self.given
            ));
            return Ok(0);
        }
        // What a decoder made before it met a fault is lost with the call that met it.
        let some = buffer.len().min(STEP);
        let buffer = buffer.get_mut(..some).unwrap_or_default();
        let read = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.read(buffer),
            Decoder::Zstandard(decoder) => decoder.read(buffer),
            Decoder::Bzip2(decoder) => decoder.read(buffer),
            Decoder::Xz(decoder) => decoder.read(buffer),
        };
        match read {
            Ok(count) => {
                self.given += count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.fault = Some("the compressed data is cut off; what came before is read".to_owned());
                Ok(0)
            }
            Err(error) => {
                self.fault =
                    Some(format!("the compressed data is damaged ({error}); what came before is read"));
                Ok(0)
            }
        }
    }
}

/// Passes everything on, with its places counted in a layer.
pub(crate) struct InLayer<'a> {
    pub(crate) sink: &'a mut dyn Sink,
    pub(crate) layer: LayerId,
}

impl InLayer<'_> {
    fn place(&self, derived: &mut Derived) {
        *derived = std::mem::take(derived).into_layer(self.layer);
    }

    fn fields(&self, fields: &mut Fields) {
        for field in &mut fields.0 {
            self.place(&mut field.name);
            self.place(&mut field.value);
        }
    }

    fn request(&self, request: &mut Request) {
        let Request { line, method, target, fields, body: Body { bytes, .. }, .. } = request;
        for part in [line, method, target, bytes] {
            self.place(part);
        }
        self.fields(fields);
    }

    fn response(&self, response: &mut Response) {
        self.place(&mut response.line);
        self.place(&mut response.body.bytes);
        self.fields(&mut response.fields);
    }
}

impl Sink for InLayer<'_> {
    fn exchange(&mut self, mut exchange: Exchange) {
        if let Some(request) = &mut exchange.request {
            self.request(request);
        }
        if let Some(response) = &mut exchange.response {
            self.response(response);
        }
        if let LoggedUser::Name(name) = &mut exchange.user {
            self.place(name);
        }
        if let Some(log) = &mut exchange.log {
            self.place(&mut log.line);
            for part in [&mut log.codes, &mut log.remark].into_iter().flatten() {
                self.place(part);
            }
        }
        self.sink.exchange(exchange);
    }

    fn passed(&mut self, status: Option<u16>, count: u64, first: Option<Moment>, last: Option<Moment>) {
        self.sink.passed(status, count, first, last);
    }

    fn statement(&mut self, mut statement: Statement) {
        self.place(&mut statement.text);
        self.sink.statement(statement);
    }

    fn repeated(&mut self, words: &Words<'_>) -> bool {
        self.sink.repeated(words)
    }

    fn likeness(&self) -> Option<Likeness> {
        self.sink.likeness()
    }

    fn repeated_alike(&mut self, alike: &Alike, time: Option<Moment>) -> bool {
        self.sink.repeated_alike(alike, time)
    }

    fn fact(&mut self, mut fact: Fact) {
        self.place(&mut fact.text);
        self.sink.fact(fact);
    }

    fn problem(&mut self, problem: Problem) {
        let what = format!("{} (counted in the decompressed content)", problem.what);
        self.sink.problem(Problem { what, ..problem });
    }

    fn layer(&mut self, name: String) -> LayerId {
        self.sink.layer(name)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Collected, read};
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;
    use why401_span::SourceId;

    const LINE: &str = "192.0.2.1 - bob [22/Nov/2026:17:14:41 +0000] \"GET / HTTP/1.1\" 401 0\n";

    /// [`LINE`] once and twice, two streams made by xz 5.4.
    const XZ: &str = concat!(
        "fd377a585a000004e6d6b4460200210116000000742fe5a30100433139322e302e322e31202d20626f62205b32322f4e",
        "6f762f323032363a31373a31343a3431202b303030305d2022474554202f20485454502f312e31222034303120300a00",
        "a853e94fdd56003100015c44fa2239471fb6f37d010000000004595afd377a585a000004e6d6b4460200210116000000",
        "742fe5a3e0008700465d00188e428874b749eebd3a6fa7cfe3e9f8bd8cf92bcc6ec977614ab31c8ea2f46f103ad41c00",
        "2f67e7dfb1384a1200c05605759da42bd2f502b8eb194e8bedd3717acecb500000000000a295978887ff2d8200016288",
        "01000000bae643bfb1c467fb020000000004595a",
    );

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn bzip2(text: &str) -> Vec<u8> {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn unhex(text: &str) -> Vec<u8> {
        text.as_bytes()
            .chunks(2)
            .map(|h| u8::from_str_radix(str::from_utf8(h).unwrap(), 16).unwrap())
            .collect()
    }

    fn collect(bytes: &[u8]) -> Collected {
        let mut sink = Collected::default();
        read(SourceId(0), &mut &*bytes, None, None, &[], &mut sink).unwrap();
        sink
    }

    #[test]
    fn a_compressed_log_is_read_in_a_layer() {
        let zstd = zstd::encode_all(LINE.repeat(3).as_bytes(), 1).unwrap();
        let members = [gzip(LINE.as_bytes()), gzip(LINE.repeat(2).as_bytes())].concat();
        let bzip2 = [bzip2(LINE), bzip2(&LINE.repeat(2))].concat();
        let xz = unhex(XZ);
        let twice = gzip(&gzip(LINE.repeat(3).as_bytes()));
        for bytes in [gzip(LINE.repeat(3).as_bytes()), zstd, members, twice, bzip2, xz] {
            let got = collect(&bytes);
            assert_eq!((got.exchanges.len(), got.problems.len()), (3, 0));
            let line = &got.exchanges[2].log.as_ref().unwrap().line;
            let at = line.whole().unwrap();
            assert_eq!((at.span.start, at.span.line, at.exact), (2 * LINE.len() as u64, 3, true));
            assert!(at.span.layer.is_some() && got.layers[0] == "decompressed");
        }
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_read_as_far_as_it_goes() {
        let text: String =
            (0..2500u32).map(|i| LINE.replace("bob", &i.wrapping_mul(2_654_435_761).to_string())).collect();
        let whole = gzip(text.as_bytes());
        let got = collect(&whole[..whole.len() / 2]);
        assert!(got.exchanges.len() > 300, "{}", got.exchanges.len());
        assert!(got.problems.iter().any(|p| p.what.contains("cut off")), "{:?}", got.problems);
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle..middle + 8].fill(0xff);
        let got = collect(&damaged);
        assert!(got.exchanges.len() > 300 && !got.problems.is_empty());
    }

    #[test]
    fn a_bomb_is_let_go() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(LINE.as_bytes()).unwrap();
        for _ in 0..8 {
            encoder.write_all(&vec![b' '; 256 * 1024]).unwrap();
        }
        let got = collect(&encoder.finish().unwrap());
        assert_eq!(got.exchanges.len(), 1);
        assert!(got.problems.iter().any(|p| p.what.contains("times its size")), "{:?}", got.problems);
    }

    #[test]
    fn no_magic_number_is_enough() {
        for bytes in [&[0x1f, 0x8b, 8][..], &[0x1f, 0x8b, 8, 0, 1], &[0x28, 0xb5, 0x2f, 0xfd, 9, 9]] {
            let mut sink = Collected::default();
            let _ = read(SourceId(0), &mut &*bytes, None, None, &[], &mut sink);
            assert!(sink.exchanges.is_empty());
        }
    }
}
