//! Compressed captures.

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

/// How a capture is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// RFC 1952, of one or several members.
    Gzip,
    /// RFC 8878, of one or several frames.
    Zstandard,
}

impl Compression {
    pub(crate) fn detect(magic: [u8; 4]) -> Option<Compression> {
        match magic {
            [0x1f, 0x8b, 8, _] => Some(Compression::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd] => Some(Compression::Zstandard),
            _ => None,
        }
    }
}

enum Codec {
    Gzip(Box<Decompress>),
    Zstandard(Box<Decoder<'static>>),
}

/// Decompresses bit by bit, into a buffer of its own.
pub(crate) struct Decompressor {
    codec: Codec,
    buffer: Box<[u8]>,
    /// Between two members or frames, where the file may end.
    pub(crate) at_boundary: bool,
}

/// What one call gave.
pub(crate) struct Progress<'a> {
    /// How many bytes of the input are done with.
    pub(crate) read: usize,
    pub(crate) output: &'a [u8],
}

const BUFFER: usize = 256 << 10;
/// The largest window that is decoded: what `zstd --long` makes.
const WINDOW_LOG: u32 = 27;

impl Decompressor {
    /// `None` if the library has no memory for it.
    pub(crate) fn new(compression: Compression) -> Option<Self> {
        let codec = match compression {
            Compression::Gzip => Codec::Gzip(gzip()),
            Compression::Zstandard => {
                let mut decoder = Decoder::new().ok()?;
                let window = zstd::zstd_safe::DParameter::WindowLogMax(WINDOW_LOG);
                decoder.set_parameter(window).ok()?;
                Codec::Zstandard(Box::new(decoder))
            }
        };
        Some(Decompressor { codec, buffer: vec![0; BUFFER].into(), at_boundary: true })
    }

    /// Decompresses as much of `input` as fits into the buffer.
    pub(crate) fn step(&mut self, input: &[u8]) -> Result<Progress<'_>, &'static str> {
        let (read, written) = match &mut self.codec {
            Codec::Gzip(d) => {
                if self.at_boundary {
                    if input.first() != Some(&0x1f) {
                        // Padding behind the last member, as tape drives leave it.
                        return Ok(Progress { read: input.len(), output: &[] });
                    }
                    *d = gzip();
                }
                let (read, written) = (d.total_in(), d.total_out());
                let status = d.decompress(input, &mut self.buffer, FlushDecompress::None);
                self.at_boundary = status.map_err(|_| "the gzip data is damaged")? == Status::StreamEnd;
                ((d.total_in() - read) as usize, (d.total_out() - written) as usize)
            }
            Codec::Zstandard(d) => {
                let mut from = InBuffer::around(input);
                let mut to = OutBuffer::around(&mut *self.buffer);
                let left = d.run(&mut from, &mut to).map_err(|_| "the Zstandard data is damaged")?;
                let (read, written) = (from.pos(), to.pos());
                // Without progress, `left` speaks of a frame that has not begun.
                if read > 0 || written > 0 {
                    self.at_boundary = left == 0;
                }
                (read, written)
            }
        };
        if read == 0 && written == 0 && !input.is_empty() {
            return Err("the compressed data is damaged");
        }
        Ok(Progress { read, output: self.buffer.get(..written).unwrap_or_default() })
    }
}

fn gzip() -> Box<Decompress> {
    /// RFC 1951: matches reach back 32 KiB.
    const WINDOW_BITS: u8 = 15;
    Box::new(Decompress::new_gzip(WINDOW_BITS))
}

impl std::fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decompressor").field("at_boundary", &self.at_boundary).finish_non_exhaustive()
    }
}
