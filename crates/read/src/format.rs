//! What a format is, the list of them, and how the right one is found.

use crate::{Sink, compressed, har, logs};
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use why401_span::SourceId;
use why401_tls::KeyLog;

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
    pub keys: &'a [Arc<KeyLog>],
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
    keys: &[Arc<KeyLog>],
    sink: &mut dyn Sink,
) -> io::Result<&'static Format> {
    let mut bytes = BufReader::with_capacity(256 * 1024, bytes);
    read_buffered(source, &mut bytes, named, log_format, keys, sink)
}

/// The same of bytes that come in large pieces, which are not copied once more.
///
/// # Errors
/// As [`read`].
pub fn read_buffered(
    source: SourceId,
    bytes: &mut dyn BufRead,
    named: Option<&str>,
    log_format: Option<&str>,
    keys: &[Arc<KeyLog>],
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
    let mut whole = io::Cursor::new(head).chain(bytes);
    (format.read)(Input { source, bytes: &mut whole, log_format, keys }, sink)?;
    Ok(format)
}

/// The first [`HEAD`] bytes of a source, or all of a smaller one. A capture is known by its first bytes: of one that
/// grows, no more is waited for.
fn head(bytes: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while head.len() < HEAD && !crate::capture::begins(&head) {
        let piece = match bytes.fill_buf() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            piece => piece?,
        };
        if piece.is_empty() {
            break;
        }
        let n = piece.len().min(HEAD - head.len());
        head.extend_from_slice(piece.get(..n).unwrap_or_default());
        bytes.consume(n);
    }
    Ok(head)
}
