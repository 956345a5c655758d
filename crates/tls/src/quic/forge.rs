//! Packets as their senders protect them, for tests and fuzzers.

use super::protect::{INITIAL_SUITE, Mask, Seal, initial};
use super::version::{Kind, Version};
use crate::Side;
use crate::derive::expand_label;
use crate::suite::Suite;

/// How many bytes of a packet's number are sent here.
const NUMBER: usize = 2;

fn varint(n: usize) -> [u8; 4] {
    (n as u32 | 0x8000_0000).to_be_bytes()
}

/// A CRYPTO frame (RFC 9000, section 19.6).
pub fn crypto(offset: usize, bytes: &[u8]) -> Vec<u8> {
    [&[6], varint(offset).as_slice(), &varint(bytes.len()), bytes].concat()
}

/// A STREAM frame (RFC 9000, section 19.8).
pub fn stream(number: usize, offset: usize, bytes: &[u8], end: bool) -> Vec<u8> {
    [&[0x0e | u8::from(end)], varint(number).as_slice(), &varint(offset), &varint(bytes.len()), bytes]
        .concat()
}

fn sealed(mask: &Mask, seal: &Seal, number: u64, mut header: Vec<u8>, frames: &[u8]) -> Option<Vec<u8>> {
    header.extend(number.to_be_bytes().last_chunk::<NUMBER>()?);
    let mut text = frames.to_vec();
    text.resize(text.len().max(4), 0);
    seal.seal(number, &header, &mut text)?;
    mask.hide(&mut header, NUMBER, &text)?;
    Some([header, text].concat())
}

fn long(version: &Version, kind: Kind, to: &[u8], from: &[u8], frames: &[u8]) -> Vec<u8> {
    let mut header = vec![version.first(kind) | (NUMBER as u8 - 1)];
    header.extend(version.number().to_be_bytes());
    for id in [to, from] {
        header.push(id.len() as u8);
        header.extend(id);
    }
    if kind == Kind::Initial {
        header.push(0);
    }
    header.extend(varint(frames.len().max(4) + 16 + NUMBER));
    header
}

/// An Initial packet whose keys follow from `first`.
#[cfg(test)]
pub(super) fn initial_packet(
    version: &'static Version,
    side: Side,
    first: &[u8],
    ids: (&[u8], &[u8]),
    number: u64,
    frames: &[u8],
) -> Vec<u8> {
    under_first(version, side, first, ids, number, frames).unwrap()
}

fn under_first(
    version: &'static Version,
    side: Side,
    first: &[u8],
    (to, from): (&[u8], &[u8]),
    number: u64,
    frames: &[u8],
) -> Option<Vec<u8>> {
    let (mask, seal) = initial(version, first, side)?;
    sealed(&mask, &seal, number, long(version, Kind::Initial, to, from, frames), frames)
}

/// A packet under keys that follow from a secret.
#[cfg(test)]
pub(super) fn long_packet(
    kind: Kind,
    suite: u16,
    secret: &[u8],
    ids: (&[u8], &[u8]),
    number: u64,
    frames: &[u8],
) -> Vec<u8> {
    under_secret(kind, suite, secret, ids, number, frames).unwrap()
}

fn under_secret(
    kind: Kind,
    suite: u16,
    secret: &[u8],
    (to, from): (&[u8], &[u8]),
    number: u64,
    frames: &[u8],
) -> Option<Vec<u8>> {
    let (version, suite) = (Version::of(1)?, Suite::of(suite)?);
    let (mask, seal) = (Mask::new(suite, secret, version)?, Seal::new(suite, secret, version)?);
    sealed(&mask, &seal, number, long(version, kind, to, from, frames), frames)
}

/// A 1-RTT packet after so many updates of its keys.
#[cfg(test)]
pub(super) fn short_packet(
    suite: u16,
    secret: &[u8],
    updates: u8,
    to: &[u8],
    number: u64,
    frames: &[u8],
) -> Vec<u8> {
    updated(suite, secret, updates, to, number, frames).unwrap()
}

fn updated(suite: u16, secret: &[u8], updates: u8, to: &[u8], number: u64, frames: &[u8]) -> Option<Vec<u8>> {
    let (version, suite) = (Version::of(1)?, Suite::of(suite)?);
    let mask = Mask::new(suite, secret, version)?;
    let mut secret = secret.to_vec();
    for _ in 0..updates {
        secret = expand_label(suite.hash, &secret, version.key_update, suite.hash.len());
    }
    let seal = Seal::new(suite, &secret, version)?;
    let first = 0x40 | (updates & 1) << 2 | (NUMBER as u8 - 1);
    sealed(&mask, &seal, number, [&[first], to].concat(), frames)
}

/// What a packet is protected by.
#[derive(Debug, Clone, Copy)]
pub enum Under<'a> {
    /// The keys that follow from the first connection ID: an Initial packet.
    First(&'a [u8]),
    /// A secret for early data: a 0-RTT packet.
    Early(&'a [u8]),
    /// A secret of the handshake: a Handshake packet.
    Handshake(&'a [u8]),
    /// A secret behind the handshake, after so many updates: a 1-RTT packet.
    Traffic(&'a [u8], u8),
}

/// A packet of version 1 with TLS_AES_128_GCM_SHA256, as `side` protects it; `ids` are those that it is for and from. `None`
/// where no such keys can be had, as with a secret of another length.
pub fn packet(
    under: Under<'_>,
    side: Side,
    ids: (&[u8], &[u8]),
    number: u64,
    frames: &[u8],
) -> Option<Vec<u8>> {
    let secret = |kind, secret| under_secret(kind, INITIAL_SUITE, secret, ids, number, frames);
    match under {
        Under::First(first) => under_first(Version::of(1)?, side, first, ids, number, frames),
        Under::Early(early) => secret(Kind::ZeroRtt, early),
        Under::Handshake(handshake) => secret(Kind::Handshake, handshake),
        Under::Traffic(traffic, updates) => updated(INITIAL_SUITE, traffic, updates, ids.0, number, frames),
    }
}
