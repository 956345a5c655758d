//! One piece of evidence, redacted in its own format.

use crate::capture::Addresses;
use crate::{Masker, capture, check, har, text};
use flate2::read::MultiGzDecoder;
use std::borrow::Cow;
use std::io::Read;

/// A larger piece is left out: it is redacted in memory.
const LARGEST: usize = 256 << 20;

/// A piece of evidence as it was given.
#[derive(Clone, Copy)]
pub struct Piece<'a> {
    /// Its name.
    pub name: &'a str,
    /// The format that its content has, as the reader of evidence calls it.
    pub format: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// What else is to be replaced.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// IP and hardware addresses too.
    pub mask_addresses: bool,
}

/// A piece that may be given away.
pub struct Kept {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// What was done to it beside replacing secrets.
    pub notes: Vec<String>,
}

/// The piece without its secrets.
///
/// # Errors
/// Why it has to be left out.
pub fn redact(
    piece: &Piece<'_>,
    options: Options,
    masker: &mut Masker<'_>,
    addresses: &mut Addresses,
) -> Result<Kept, String> {
    if piece.format == "key-log" {
        return Err("a key log: it decrypts the captures".to_owned());
    }
    let mut notes = Vec::new();
    let bytes = unpacked(piece.bytes, &mut notes)?;
    if bytes.len() > LARGEST {
        return Err("larger than 256 MiB: cut it to the time of the refusals".to_owned());
    }
    let redacted = match piece.format {
        "pcap" | "pcapng" => capture::redacted(&bytes, options, masker, addresses, &mut notes)?,
        "har" => har::redacted(&bytes, masker, &mut notes)?,
        "unread" => return Err("nothing in it could be read".to_owned()),
        format => text::redacted(&bytes, format, masker)?,
    };
    let redacted = match options.mask_addresses && !matches!(piece.format, "pcap" | "pcapng") {
        true => addresses.in_bytes(&redacted),
        false => redacted,
    };
    if check::holds_secret(&redacted, masker) {
        return Err("a secret is in it in a way that could not be replaced".to_owned());
    }
    Ok(Kept { bytes: redacted, notes })
}

/// The contents of a compressed file.
fn unpacked<'a>(bytes: &'a [u8], notes: &mut Vec<String>) -> Result<Cow<'a, [u8]>, String> {
    match bytes {
        [0x1f, 0x8b, ..] => {
            let mut out = Vec::new();
            let limit = LARGEST as u64 + 1;
            MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut out).map_err(|e| format!("gzip: {e}"))?;
            notes.push("packed without the compression that it came in".to_owned());
            Ok(Cow::Owned(out))
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Err("compressed with Zstandard: give it uncompressed".to_owned()),
        _ => Ok(Cow::Borrowed(bytes)),
    }
}
