//! Packets as their senders protect them, for tests.

use super::protect::{Mask, Seal, initial};
use super::version::{Kind, Version};
use crate::Side;
use crate::derive::expand_label;
use crate::suite::Suite;

/// How many bytes of a packet's number are sent here.
const NUMBER: usize = 2;

pub(super) fn varint(n: usize) -> [u8; 4] {
    (n as u32 | 0x8000_0000).to_be_bytes()
}

pub(super) fn crypto(offset: usize, bytes: &[u8]) -> Vec<u8> {
    [&[6], varint(offset).as_slice(), &varint(bytes.len()), bytes].concat()
}

pub(super) fn stream(number: usize, offset: usize, bytes: &[u8], end: bool) -> Vec<u8> {
    [&[0x0e | u8::from(end)], varint(number).as_slice(), &varint(offset), &varint(bytes.len()), bytes]
        .concat()
}

fn sealed(mask: &Mask, seal: &Seal, number: u64, mut header: Vec<u8>, frames: &[u8]) -> Vec<u8> {
    header.extend(&number.to_be_bytes()[8 - NUMBER..]);
    let mut text = frames.to_vec();
    text.resize(text.len().max(4), 0);
    seal.seal(number, &header, &mut text);
    mask.hide(&mut header, NUMBER, &text);
    [header, text].concat()
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
pub(super) fn initial_packet(
    version: &'static Version,
    side: Side,
    first: &[u8],
    (to, from): (&[u8], &[u8]),
    number: u64,
    frames: &[u8],
) -> Vec<u8> {
    let (mask, seal) = initial(version, first, side).unwrap();
    sealed(&mask, &seal, number, long(version, Kind::Initial, to, from, frames), frames)
}

/// A packet under keys that follow from a secret.
pub(super) fn long_packet(
    kind: Kind,
    suite: u16,
    secret: &[u8],
    (to, from): (&[u8], &[u8]),
    number: u64,
    frames: &[u8],
) -> Vec<u8> {
    let version = Version::of(1).unwrap();
    let suite = Suite::of(suite).unwrap();
    let mask = Mask::new(suite, secret, version).unwrap();
    let seal = Seal::new(suite, secret, version).unwrap();
    sealed(&mask, &seal, number, long(version, kind, to, from, frames), frames)
}

/// A 1-RTT packet after so many updates of its keys.
pub(super) fn short_packet(
    suite: u16,
    secret: &[u8],
    updates: u8,
    to: &[u8],
    number: u64,
    frames: &[u8],
) -> Vec<u8> {
    let version = Version::of(1).unwrap();
    let suite = Suite::of(suite).unwrap();
    let mask = Mask::new(suite, secret, version).unwrap();
    let mut secret = secret.to_vec();
    for _ in 0..updates {
        secret = expand_label(suite.hash, &secret, b"quic ku", suite.hash.len());
    }
    let seal = Seal::new(suite, &secret, version).unwrap();
    let first = 0x40 | (updates & 1) << 2 | (NUMBER as u8 - 1);
    sealed(&mask, &seal, number, [&[first], to].concat(), frames)
}
