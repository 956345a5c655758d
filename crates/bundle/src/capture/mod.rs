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

#[cfg(test)]
mod tests {
    use super::*;
    use why401_redact::SecretSet;

    const FOUR: [[u8; 4]; 3] = [[198, 51, 100, 211], [203, 0, 113, 212], [192, 88, 99, 213]];
    /// What stands in a packet's way and what its ends are, behind the kind of address, which stays.
    const SIX: [[u8; 14]; 5] = [[0xa1; 14], [0xa2; 14], [0xa3; 14], [0xa4; 14], [0xa5; 14]];
    const HARDWARE: [[u8; 6]; 2] = [[2, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5], [2, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5]];
    const SEGMENT: [u8; 22] =
        [0xc3, 0x50, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 16, 0xff, 0xff, 0, 0, 0, 0, b'a', b'b'];

    fn ethernet(kind: [u8; 2], packet: &[u8]) -> Vec<u8> {
        [&HARDWARE[0][..], &HARDWARE[1], &kind, packet].concat()
    }

    /// A segment over IPv4 with the route that it took (RFC 791), whatever length its head claims, in words.
    fn four(words: u8) -> Vec<u8> {
        let head = [0x40 + words, 0, 0, 50, 0, 0, 0x40, 0, 64, 6, 0, 0];
        ethernet([8, 0], &[&head[..], &FOUR[0], &FOUR[1], &[7, 7, 8], &FOUR[2], &[0], &SEGMENT].concat())
    }

    /// A segment over IPv6 with a route of type 0 (RFC 8200, section 4.4) and a home address (RFC 6275, section 6.3).
    fn six() -> Vec<u8> {
        let [from, to, first, second, home] = SIX.map(|tail| [&[0x20, 1], &tail[..]].concat());
        let hops = [43, 0, 5, 2, 0, 0, 1, 0];
        let route = [&[60, 4, 0, 0, 0, 0, 0, 0][..], &first, &second].concat();
        let options = [&[6, 2, 1, 2, 0, 0, 0xc9, 16][..], &home].concat();
        let content = [&hops[..], &route, &options, &SEGMENT].concat();
        let head = [0x60, 0, 0, 0, 0, content.len() as u8, 0, 64];
        ethernet([0x86, 0xdd], &[&head[..], &from, &to, &content].concat())
    }

    fn without_addresses(frame: &[u8]) -> Vec<u8> {
        let length = (frame.len() as u32).to_le_bytes();
        let head = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];
        let file = [&head[..], &[0; 8], &length, &length, frame].concat();
        let (known, options) = (SecretSet::default(), Options { mask_addresses: true });
        let mut masker = Masker::new(&known);
        let made = redacted(&file, options, &mut masker, &mut Addresses::default(), &mut Vec::new()).unwrap();
        assert_eq!(made.len(), file.len());
        made.get(40..).unwrap().to_vec()
    }

    /// Asserts that not even half of an address is left.
    fn assert_nobody_in(made: &[u8], what: &str) {
        let parts = FOUR.iter().flat_map(|a| a.windows(3)).chain(SIX.iter().flat_map(|a| a.windows(4)));
        for part in parts.chain(HARDWARE.iter().flat_map(|a| a.windows(3))) {
            assert!(!made.windows(part.len()).any(|w| w == part), "{what}: {part:x?} in {made:x?}");
        }
    }

    #[test]
    fn the_way_of_a_packet_over_ipv6_is_masked_and_what_it_carries_is_found_still() {
        let (given, made) = (six(), without_addresses(&six()));
        assert_nobody_in(&made, "IPv6");
        assert_eq!(
            made.get(..),
            Some(
                [&made[..54], &[43, 0, 0, 0, 0, 0, 0, 0, 60, 4], &[0; 38], &[6, 2], &[0; 22], &made[126..]]
                    .concat()
                    .as_slice()
            )
        );
        // The ports: had the headers not been passed, all of this would be blank.
        assert_eq!(made.get(126..130), given.get(126..130));
    }

    #[test]
    fn heads_of_ipv4_that_lie_about_their_length_leave_no_address() {
        // Of 5 and 6 words the head would be a good one, and the route behind it what the packet carries.
        for words in (0..5).chain(7..16) {
            let made = without_addresses(&four(words));
            assert_nobody_in(&made, &format!("{words} words"));
            // Only the right length leads to the ports.
            assert_eq!(made.get(42..46) == Some(&SEGMENT[..4]), words == 7, "{words} words: {made:x?}");
        }
    }

    #[test]
    fn packets_cut_off_anywhere_leave_no_address() {
        for whole in [four(7), six()] {
            for length in 0..whole.len() {
                assert_nobody_in(&without_addresses(&whole[..length]), &format!("{length} bytes"));
            }
        }
    }
}
