//! A capture stays a capture: every byte that packets carry is either judged or blanked.
//!
//! ```text
//! file ─> frames ─> layers ─> streams ─> judged ─> written back, checksums mended
//! ```
//!
//! What is kept: HTTP/1 messages with their secrets replaced, TLS as it was encrypted, DNS, and of Kerberos all but
//! tickets and proofs. Everything else that packets carry becomes zeros, since nobody can be certain of it. Key logs
//! inside the file, comments and names are dropped.

mod addresses;
mod checksum;
mod container;
mod dns;
mod http;
mod layers;
mod streams;

use crate::{Masker, Options, opaque};
pub use addresses::Addresses;
use layers::{Content, Layers};

/// What was done to a capture.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Bytes of content that were blanked since nobody can be certain of them.
    pub(crate) blanked: u64,
    /// Bodies that were blanked since they are compressed or no text.
    pub(crate) bodies: u64,
    /// Blocks of a pcapng that were dropped.
    pub(crate) dropped: u64,
    /// Blocks with keys among them.
    pub(crate) keys: u64,
}

/// The capture without its secrets.
///
/// # Errors
/// Where the file cannot be taken apart.
pub(crate) fn redacted(
    bytes: &[u8],
    options: Options,
    masker: &mut Masker<'_>,
    addresses: &mut Addresses,
    notes: &mut Vec<String>,
) -> Result<Vec<u8>, String> {
    let mut tally = Tally::default();
    let (mut out, frames) = container::frames(bytes, &mut tally).ok_or("neither pcap nor pcapng")?;
    let before = out.clone();
    let layers: Vec<Layers> = frames.iter().map(|f| Layers::of(f, &out)).collect();
    let inside = options.mask_addresses.then_some(&mut *addresses);
    streams::redact(&layers, &mut out, masker, inside, &mut tally);
    for (frame, layer) in frames.iter().zip(&layers) {
        for range in &layer.blank {
            blank(&mut out, range.clone(), &mut tally);
        }
        if let Content::Udp { from, to, payload } = &layer.content {
            datagram([*from, *to], payload.clone(), options, &mut out, &mut tally);
        }
        if options.mask_addresses {
            addresses.in_frame(frame, layer, &mut out);
        }
    }
    layers.iter().for_each(|layer| checksum::mend(layer, &before, &mut out));
    tally.say(notes);
    Ok(out)
}

/// Of UDP only DNS and Kerberos are known here.
fn datagram(
    ports: [u16; 2],
    payload: std::ops::Range<usize>,
    options: Options,
    out: &mut [u8],
    tally: &mut Tally,
) {
    match out.get_mut(payload.clone()) {
        Some(bytes) if ports.contains(&53) && !options.mask_addresses && dns::is_dns(bytes) => {}
        Some(bytes) if ports.contains(&88) => opaque::blank(bytes, 0),
        _ => blank(out, payload, tally),
    }
}

fn blank(out: &mut [u8], range: std::ops::Range<usize>, tally: &mut Tally) {
    if let Some(bytes) = out.get_mut(range) {
        tally.blanked += bytes.iter().filter(|b| **b != 0).count() as u64;
        bytes.fill(0);
    }
}

impl Tally {
    fn say(&self, notes: &mut Vec<String>) {
        let told = [
            (self.keys, "blocks with decryption keys dropped"),
            (self.dropped, "blocks with comments, names or statistics dropped"),
            (self.bodies, "message contents that are compressed or no text blanked"),
            (self.blanked, "bytes of other protocols, or of messages cut off, blanked"),
        ];
        notes.extend(told.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")));
    }
}
