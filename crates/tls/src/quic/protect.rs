//! Taking the protection off a packet (RFC 9001, section 5).

use super::version::Version;
use crate::Side;
use crate::cipher::{Algorithm, aead};
use crate::derive::{expand_label, hmac};
use crate::suite::{Hash, Suite};
use aes::cipher::generic_array::GenericArray;
use aes::cipher::{BlockEncrypt, KeyInit, KeyIvInit, StreamCipher, StreamCipherSeek};
use aes::{Aes128, Aes256};
use chacha20::ChaCha20;

const TAG: usize = 16;
/// Bytes from the packet number to the sample (RFC 9001, section 5.4.2).
const SAMPLE_AT: usize = 4;
const SAMPLE: usize = 16;
const LONG: u8 = 0x80;

/// What hides the packet number; it outlives key updates.
pub(crate) enum Mask {
    Aes128(Box<Aes128>),
    Aes256(Box<Aes256>),
    ChaCha([u8; 32]),
}

/// What encrypts the contents.
pub(crate) struct Seal {
    algorithm: Algorithm,
    iv: [u8; 12],
}

/// A packet whose header lies open.
#[derive(Debug)]
pub(crate) struct Bare<'a> {
    pub(crate) first: u8,
    /// The lower bytes of the packet number, and how many bits these are.
    pub(crate) number: u64,
    pub(crate) number_bits: u32,
    /// The header as it was before it was protected, which is authenticated with the contents.
    pub(crate) header: Vec<u8>,
    /// The contents, encrypted, with their tag.
    pub(crate) body: &'a [u8],
}

impl Mask {
    pub(crate) fn new(suite: Suite, secret: &[u8], version: &Version) -> Option<Mask> {
        let key = expand_label(suite.hash, secret, version.header_protection, suite.key_len);
        Some(match (suite.kind, suite.key_len) {
            (crate::suite::Kind::ChaCha, _) => Mask::ChaCha(key.try_into().ok()?),
            (_, 16) => Mask::Aes128(Box::new(Aes128::new_from_slice(&key).ok()?)),
            _ => Mask::Aes256(Box::new(Aes256::new_from_slice(&key).ok()?)),
        })
    }

    /// RFC 9001, sections 5.4.3 and 5.4.4.
    fn of(&self, sample: &[u8; SAMPLE]) -> Option<[u8; 5]> {
        let mut block = GenericArray::clone_from_slice(sample);
        match self {
            Mask::Aes128(aes) => aes.encrypt_block(&mut block),
            Mask::Aes256(aes) => aes.encrypt_block(&mut block),
            Mask::ChaCha(key) => {
                const BLOCK: u64 = 64;
                let (counter, nonce) = sample.split_first_chunk::<4>()?;
                let mut stream = ChaCha20::new(key.into(), GenericArray::from_slice(nonce));
                stream.try_seek(u64::from(u32::from_le_bytes(*counter)) * BLOCK).ok()?;
                let mut mask = [0; 5];
                stream.try_apply_keystream(&mut mask).ok()?;
                return Some(mask);
            }
        }
        block.first_chunk::<5>().copied()
    }

    /// Hides what stands in the open: the reverse of `bare`.
    #[cfg(any(test, feature = "forge"))]
    pub(crate) fn hide(&self, header: &mut [u8], number_len: usize, body: &[u8]) -> Option<()> {
        let [mask, rest @ ..] = self.of(body.get(SAMPLE_AT - number_len..)?.first_chunk()?)?;
        let first = header.first_mut()?;
        *first ^= mask & if *first & LONG != 0 { 0x0f } else { 0x1f };
        let number = header.len().checked_sub(number_len)?;
        header.get_mut(number..)?.iter_mut().zip(rest).for_each(|(n, m)| *n ^= m);
        Some(())
    }

    /// Lays the header open: `header` up to the packet number, `sealed` from there on.
    pub(crate) fn bare<'a>(&self, header: &[u8], sealed: &'a [u8]) -> Option<Bare<'a>> {
        let sample = sealed.get(SAMPLE_AT..)?.first_chunk::<SAMPLE>()?;
        let [mask, rest @ ..] = self.of(sample)?;
        let mut header = header.to_vec();
        let first = header.first_mut()?;
        *first ^= mask & if *first & LONG != 0 { 0x0f } else { 0x1f };
        let first = *first;
        let (number, body) = sealed.split_at_checked(usize::from(first & 3) + 1)?;
        let mut value = 0;
        for (byte, mask) in number.iter().zip(rest) {
            header.push(byte ^ mask);
            value = value << 8 | u64::from(byte ^ mask);
        }
        let number_bits = 8 * number.len() as u32;
        Some(Bare { first, number: value, number_bits, header, body })
    }
}

impl Seal {
    pub(crate) fn new(suite: Suite, secret: &[u8], version: &Version) -> Option<Seal> {
        let key = expand_label(suite.hash, secret, version.key, suite.key_len);
        let iv = expand_label(suite.hash, secret, version.iv, 12).try_into().ok()?;
        Some(Seal { algorithm: aead(suite, &key)?, iv })
    }

    /// Opens the contents of the packet with this number into `out`; `None` if the keys do not fit.
    pub(crate) fn open(&self, number: u64, packet: &Bare<'_>, out: &mut Vec<u8>) -> Option<()> {
        let (body, tag) = packet.body.split_at_checked(packet.body.len().checked_sub(TAG)?)?;
        let mut nonce = self.iv;
        nonce.iter_mut().rev().zip(number.to_be_bytes().iter().rev()).for_each(|(n, p)| *n ^= p);
        out.clear();
        out.extend_from_slice(body);
        self.algorithm.open(&nonce, &packet.header, out, tag)
    }

    #[cfg(any(test, feature = "forge"))]
    pub(crate) fn seal(&self, number: u64, header: &[u8], text: &mut Vec<u8>) -> Option<()> {
        let mut nonce = self.iv;
        nonce.iter_mut().rev().zip(number.to_be_bytes().iter().rev()).for_each(|(n, p)| *n ^= p);
        let tag = self.algorithm.seal(&nonce, header, text)?;
        text.extend(tag);
        Some(())
    }
}

/// What a packet's number is, by the largest one before it (RFC 9000, appendix A.3).
pub(crate) fn whole_number(truncated: u64, bits: u32, largest: Option<u64>) -> u64 {
    let expected = largest.map_or(0, |n| n + 1);
    let window = 1u64 << bits;
    let candidate = expected & !(window - 1) | truncated;
    if candidate + window / 2 <= expected && candidate < (1 << 62) - window {
        candidate + window
    } else if candidate > expected + window / 2 && candidate >= window {
        candidate - window
    } else {
        candidate
    }
}

/// The cipher suite of Initial packets (RFC 9001, section 5.2).
pub(crate) const INITIAL_SUITE: u16 = 0x1301;

/// The keys of one side's Initial packets, which follow from the first connection ID that the client sent to.
pub(crate) fn initial(version: &Version, id: &[u8], side: Side) -> Option<(Mask, Seal)> {
    let suite = Suite::of(INITIAL_SUITE)?;
    let secret = hmac(Hash::Sha256, &version.salt, &[id]);
    let label: &[u8] = if side == Side::Client { b"client in" } else { b"server in" };
    let secret = expand_label(Hash::Sha256, &secret, label, Hash::Sha256.len());
    Some((Mask::new(suite, &secret, version)?, Seal::new(suite, &secret, version)?))
}
