//! Compressed evidence: decompressed as it is read, into a layer whose offsets count in what came out.

use crate::{Format, Sink};
use flate2::read::MultiGzDecoder;
use std::cell::Cell;
use std::io::{self, BufReader, Read};
use std::rc::Rc;
use why401_http::{Body, Exchange, Fact, Fields, LoggedUser, Request, Response, Statement};
use why401_report::Problem;
use why401_span::{Derived, LayerId};

/// How a source is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// RFC 1952, one or several members.
    Gzip,
    /// RFC 8878, one or several frames.
    Zstandard,
}

/// Behind this many bytes, what decompresses to more than [`RATIO`] times its size is taken for a bomb: logs reach
/// 10 to 100, and a bomb of gzip 1,032.
const FREE: u64 = if cfg!(test) { 256 * 1024 } else { 256 * 1024 * 1024 };
const RATIO: u64 = 300;
/// The largest window that is decoded: what `zstd --long` makes.
const WINDOW_LOG: u32 = 27;

/// The coding of a source by its magic number.
pub(crate) fn coding(head: &[u8]) -> Option<Coding> {
    match head {
        [0x1f, 0x8b, 8, ..] => Some(Coding::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Coding::Zstandard),
        _ => None,
    }
}

/// Decompresses `bytes` and has what comes out read by `inner`. What is damaged or cut off is read as far as it goes.
pub(crate) fn read(
    coding: Coding,
    bytes: &mut dyn Read,
    sink: &mut dyn Sink,
    inner: impl FnOnce(&mut dyn Read, &mut dyn Sink) -> io::Result<&'static Format>,
) -> io::Result<&'static Format> {
    let taken = Rc::new(Cell::new(0));
    let counted = BufReader::with_capacity(128 * 1024, Counted { inner: bytes, taken: Rc::clone(&taken) });
    let decoder: Box<dyn Read + '_> = match coding {
        Coding::Gzip => Box::new(MultiGzDecoder::new(counted)),
        Coding::Zstandard => {
            let mut decoder = zstd::Decoder::with_buffer(counted)?;
            decoder.window_log_max(WINDOW_LOG)?;
            Box::new(decoder)
        }
    };
    let layer = sink.layer("decompressed".to_owned());
    let mut plain = Plain { decoder, taken, given: 0, fault: None };
    let result = inner(&mut plain, &mut InLayer { sink, layer });
    if let Some(what) = plain.fault.take() {
        sink.problem(Problem { offset: plain.taken.get(), line: None, what });
    }
    result
}

/// Counts what is read of the source.
struct Counted<'a> {
    inner: &'a mut dyn Read,
    taken: Rc<Cell<u64>>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.taken.set(self.taken.get() + count as u64);
        Ok(count)
    }
}

/// What comes out of a decoder; ends where the data is damaged, and remembers why.
struct Plain<'a> {
    decoder: Box<dyn Read + 'a>,
    taken: Rc<Cell<u64>>,
    given: u64,
    fault: Option<String>,
}

impl Read for Plain<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.fault.is_some() {
            return Ok(0);
        }
        if self.given > FREE && self.given / RATIO > self.taken.get() {
            self.fault = Some(format!(
                "decompresses to more than {RATIO} times its size: only the first {} bytes are read",
                self.given
            ));
            return Ok(0);
        }
        match self.decoder.read(buffer) {
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
struct InLayer<'a> {
    sink: &'a mut dyn Sink,
    layer: LayerId,
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

    fn statement(&mut self, mut statement: Statement) {
        self.place(&mut statement.text);
        self.sink.statement(statement);
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

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
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
        for bytes in [gzip(LINE.repeat(3).as_bytes()), zstd, members, gzip(&gzip(LINE.repeat(3).as_bytes()))]
        {
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
