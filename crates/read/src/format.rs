//! What a format is, the list of them, and how the right one is found.

use crate::{Sink, compressed, har, logs};
use std::io::{self, BufRead, BufReader, Read};
use why401_span::SourceId;

/// How many bytes of a source are looked at to find its format.
pub const HEAD: usize = 64 * 1024;

/// A piece of evidence to read.
pub struct Input<'a> {
    /// Its number among the sources.
    pub source: SourceId,
    /// Its bytes.
    pub bytes: &'a mut dyn BufRead,
    /// A log format given by the user (Apache `LogFormat`, nginx `log_format`).
    pub log_format: Option<&'a str>,
    /// Further key logs (`SSLKEYLOGFILE`) that belong to the evidence.
    pub keys: &'a [Vec<u8>],
}

/// An evidence format.
pub struct Format {
    /// Its name, as in `sources[].format` and `--input`.
    pub name: &'static str,
    /// How well the first [`HEAD`] bytes fit: 0 not at all, 100 for certain (a magic number).
    pub fits: fn(head: &[u8]) -> u8,
    /// Reads it to the end. Fails only where the bytes cannot be had; what is malformed is a problem for the sink.
    pub read: fn(Input<'_>, &mut dyn Sink) -> io::Result<()>,
}

/// All formats. Where two fit equally well, the earlier one is taken.
pub const FORMATS: &[&Format] = &[
    &crate::capture::PCAP,
    &crate::capture::PCAPNG,
    &har::HAR,
    &logs::IIS,
    &logs::ACCESS_LOG,
    &logs::ERROR_LOG,
    &logs::JSON_LOG,
    // Text.
    &crate::text::FREB,
    &crate::text::PROCMON,
    &crate::text::NGINX_DEBUG,
    &crate::text::CURL,
    &crate::text::WGET,
    &crate::text::HTTPIE,
    &crate::text::HTTP,
    &crate::text::TEXT,
];

/// The format that fits the head of a source best; `None` if none does.
pub fn detect(head: &[u8]) -> Option<&'static Format> {
    let mut best: Option<(&'static Format, u8)> = None;
    for format in FORMATS {
        let fit = (format.fits)(head);
        if fit > best.map_or(0, |(_, f)| f) {
            best = Some((format, fit));
        }
    }
    best.map(|(format, _)| format)
}

/// Reads a source in the format that its head fits, or in the one named; gives back the format. A compressed source
/// (gzip, Zstandard, bzip2, xz) is decompressed first, into a layer.
///
/// # Errors
/// Where the bytes cannot be had, where no format fits ([`io::ErrorKind::InvalidData`]) and where the named format is
/// not known ([`io::ErrorKind::InvalidInput`]).
pub fn read(
    source: SourceId,
    bytes: &mut dyn Read,
    named: Option<&str>,
    log_format: Option<&str>,
    keys: &[Vec<u8>],
    sink: &mut dyn Sink,
) -> io::Result<&'static Format> {
    let head = head(bytes)?;
    let claimed = detect(&head).is_some() || matches!(named, Some("pcap" | "pcapng"));
    if let Some(coding) = compressed::Coding::of(&head).filter(|_| !claimed) {
        return compressed::read(coding, &mut io::Cursor::new(head).chain(bytes), sink, |plain, sink| {
            read(source, plain, named, log_format, keys, sink)
        });
    }
    let format = match named {
        Some(name) => FORMATS.iter().find(|f| f.name == name).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("no format is called {name:?}"))
        })?,
        None => detect(&head).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "this is no evidence in any format known here")
        })?,
    };
    let mut whole = BufReader::with_capacity(256 * 1024, io::Cursor::new(head).chain(bytes));
    (format.read)(Input { source, bytes: &mut whole, log_format, keys }, sink)?;
    Ok(format)
}

/// The first [`HEAD`] bytes of a source, or all of a smaller one.
fn head(bytes: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    bytes.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}
