//! Where the bytes of a log are.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use why401_page::Part;

/// Where the bytes of a log are.
#[derive(Debug, Clone)]
pub(crate) enum Origin<'a> {
    /// In a file.
    File(PathBuf),
    /// At hand.
    Memory(&'a [u8]),
    /// They are uploaded, and may still be arriving.
    Upload(Part<'a>),
    /// They come from standard input, once.
    Pipe,
    /// On another machine.
    Elsewhere,
}

/// Bytes that can be read at any place.
pub(super) enum Bytes<'a> {
    File(File),
    Memory(&'a [u8]),
    Upload(Part<'a>),
}

impl<'a> Origin<'a> {
    /// # Errors
    /// Where there is no such file, or the bytes are gone by.
    pub(super) fn open(&self) -> io::Result<Bytes<'a>> {
        match self {
            Origin::File(path) => File::open(path).map(Bytes::File),
            Origin::Memory(bytes) => Ok(Bytes::Memory(bytes)),
            Origin::Upload(part) => Ok(Bytes::Upload(*part)),
            Origin::Pipe | Origin::Elsewhere => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl<'a> Bytes<'a> {
    /// Reads what stands at `offset`; 0 bytes at the end.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(super) fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Bytes::File(file) => file.read_at(into, offset),
            Bytes::Memory(bytes) => {
                let from = usize::try_from(offset).ok().and_then(|at| bytes.get(at..));
                from.unwrap_or_default().read(into)
            }
            Bytes::Upload(part) => part.read_at(into, offset),
        }
    }

    /// From the front.
    pub(super) fn into_reader(self) -> Box<dyn Read + 'a> {
        match self {
            Bytes::File(file) => Box::new(file),
            Bytes::Memory(bytes) => Box::new(bytes),
            Bytes::Upload(part) => Box::new(part.from(0)),
        }
    }
}
