//! Taking the protection off a record.

use crate::derive::{expand_label, hmac};
use crate::suite::{Hash, Kind, Suite};
use aes::cipher::{BlockDecryptMut, KeyIvInit, block_padding::NoPadding};
use aes::{Aes128, Aes256};
use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ccm::Ccm;
use ccm::aead::generic_array::GenericArray;
use ccm::aead::{AeadInPlace, KeyInit};
use ccm::consts::{U8, U12, U16};

pub(crate) enum Algorithm {
    /// AES-GCM or ChaCha20-Poly1305: nearly all that is sent.
    Fast(LessSafeKey),
    Ccm128(Box<Ccm<Aes128, U16, U12>>),
    Ccm256(Box<Ccm<Aes256, U16, U12>>),
    ShortCcm128(Box<Ccm<Aes128, U8, U12>>),
    ShortCcm256(Box<Ccm<Aes256, U8, U12>>),
    Cbc {
        key: Vec<u8>,
        mac: Hash,
        mac_key: Vec<u8>,
        encrypt_then_mac: bool,
    },
}

/// The keys of one direction in one epoch.
pub(crate) struct Cipher {
    algorithm: Algorithm,
    /// In TLS 1.3 and with ChaCha20 the whole nonce, else the part of it that is not sent.
    iv: Vec<u8>,
    tls13: bool,
}

/// A record as it stands on the wire.
#[derive(Clone, Copy)]
pub(crate) struct Sealed<'a> {
    pub(crate) kind: u8,
    pub(crate) version: [u8; 2],
    pub(crate) body: &'a [u8],
}

/// Bytes that a key block holds for each direction: MAC key, key, fixed IV.
pub(crate) fn key_block_parts(suite: Suite) -> (usize, usize, usize) {
    match suite.kind {
        Kind::Gcm | Kind::Ccm(_) => (0, suite.key_len, 4),
        Kind::ChaCha => (0, suite.key_len, 12),
        Kind::Cbc(mac) => (mac.len(), suite.key_len, 0),
    }
}

impl Cipher {
    /// The keys of TLS 1.3 that follow from a traffic secret (RFC 8446, section 7.3).
    pub(crate) fn tls13(suite: Suite, secret: &[u8]) -> Option<Cipher> {
        let key = expand_label(suite.hash, secret, b"key", suite.key_len);
        let iv = expand_label(suite.hash, secret, b"iv", 12);
        Some(Cipher { algorithm: aead(suite, &key)?, iv, tls13: true })
    }

    /// The keys of TLS 1.2 from the parts of the key block (RFC 5246, section 6.3).
    pub(crate) fn tls12(
        suite: Suite,
        mac_key: &[u8],
        key: &[u8],
        iv: &[u8],
        encrypt_then_mac: bool,
    ) -> Option<Cipher> {
        let algorithm = match suite.kind {
            Kind::Cbc(mac) => {
                Algorithm::Cbc { key: key.to_vec(), mac, mac_key: mac_key.to_vec(), encrypt_then_mac }
            }
            _ => aead(suite, key)?,
        };
        Some(Cipher { algorithm, iv: iv.to_vec(), tls13: false })
    }

    /// Opens the record with this sequence number into `out`, and gives the type of its contents; `None` if the keys
    /// do not fit.
    pub(crate) fn open(&self, sequence: u64, record: Sealed<'_>, out: &mut Vec<u8>) -> Option<u8> {
        let sequence = sequence.to_be_bytes();
        if let Algorithm::Cbc { key, mac, mac_key, encrypt_then_mac } = &self.algorithm {
            let check = |body: &[u8]| {
                let len = (body.len() as u16).to_be_bytes();
                hmac(*mac, mac_key, &[&sequence, &[record.kind], &record.version, &len, body])
            };
            open_cbc(key, record, mac.len(), *encrypt_then_mac, check, out)?;
            return Some(record.kind);
        }
        let tag_len = self.algorithm.tag_len();
        let sends_nonce = !self.tls13 && self.iv.len() == 4;
        let (nonce_sent, body) = record.body.split_at_checked(if sends_nonce { 8 } else { 0 })?;
        let (sealed, tag) = body.split_at_checked(body.len().checked_sub(tag_len)?)?;
        let nonce: [u8; 12] = if sends_nonce {
            [self.iv.as_slice(), nonce_sent].concat().try_into().ok()?
        } else {
            let mut nonce: [u8; 12] = self.iv.as_slice().try_into().ok()?;
            nonce.iter_mut().rev().zip(sequence.iter().rev()).for_each(|(n, s)| *n ^= s);
            nonce
        };
        let [version_hi, version_lo] = record.version;
        if self.tls13 {
            let [len_hi, len_lo] = (record.body.len() as u16).to_be_bytes();
            let data = [record.kind, version_hi, version_lo, len_hi, len_lo];
            self.algorithm.open_into(&nonce, &data, sealed, tag, out)?;
            // RFC 8446, section 5.4: the type stands behind the contents, zeros behind the type.
            let end = out.iter().rposition(|b| *b != 0)?;
            let kind = out.get(end).copied();
            out.truncate(end);
            return kind;
        }
        let [len_hi, len_lo] = (sealed.len() as u16).to_be_bytes();
        let mut data = [0; 13];
        let parts = sequence.iter().chain([&record.kind, &version_hi, &version_lo, &len_hi, &len_lo]);
        data.iter_mut().zip(parts).for_each(|(d, p)| *d = *p);
        self.algorithm.open_into(&nonce, &data, sealed, tag, out)?;
        Some(record.kind)
    }
}

pub(crate) fn aead(suite: Suite, key: &[u8]) -> Option<Algorithm> {
    fn boxed<T: KeyInit>(key: &[u8]) -> Option<Box<T>> {
        T::new_from_slice(key).ok().map(Box::new)
    }
    let fast = |algorithm| UnboundKey::new(algorithm, key).ok().map(|k| Algorithm::Fast(LessSafeKey::new(k)));
    Some(match (suite.kind, suite.key_len) {
        (Kind::Gcm, 16) => fast(&AES_128_GCM)?,
        (Kind::Gcm, _) => fast(&AES_256_GCM)?,
        (Kind::ChaCha, _) => fast(&CHACHA20_POLY1305)?,
        (Kind::Ccm(16), 16) => Algorithm::Ccm128(boxed(key)?),
        (Kind::Ccm(16), _) => Algorithm::Ccm256(boxed(key)?),
        (Kind::Ccm(_), 16) => Algorithm::ShortCcm128(boxed(key)?),
        (Kind::Ccm(_), _) => Algorithm::ShortCcm256(boxed(key)?),
        (Kind::Cbc(_), _) => return None,
    })
}

impl Algorithm {
    fn tag_len(&self) -> usize {
        if matches!(self, Algorithm::ShortCcm128(_) | Algorithm::ShortCcm256(_)) { 8 } else { 16 }
    }

    /// Encrypts in place and gives the tag.
    #[cfg(any(test, feature = "forge"))]
    pub(crate) fn seal(&self, nonce: &[u8; 12], data: &[u8], text: &mut [u8]) -> Option<Vec<u8>> {
        if let Algorithm::Fast(key) = self {
            let nonce = Nonce::assume_unique_for_key(*nonce);
            return Some(
                key.seal_in_place_separate_tag(nonce, Aad::from(data), text).ok()?.as_ref().to_vec(),
            );
        }
        let nonce = GenericArray::from_slice(nonce);
        match self {
            Algorithm::Ccm128(c) => Some(c.encrypt_in_place_detached(nonce, data, text).ok()?.to_vec()),
            Algorithm::ShortCcm128(c) => Some(c.encrypt_in_place_detached(nonce, data, text).ok()?.to_vec()),
            _ => None,
        }
    }

    /// Opens `sealed` into `out`.
    fn open_into(
        &self,
        nonce: &[u8; 12],
        data: &[u8],
        sealed: &[u8],
        tag: &[u8],
        out: &mut Vec<u8>,
    ) -> Option<()> {
        if let Algorithm::Fast(key) = self {
            out.resize(sealed.len(), 0);
            let nonce = Nonce::assume_unique_for_key(*nonce);
            return key.open_separate_gather(nonce, Aad::from(data), sealed, tag, out).ok();
        }
        out.clear();
        out.extend_from_slice(sealed);
        self.open(nonce, data, out, tag)
    }

    pub(crate) fn open(&self, nonce: &[u8; 12], data: &[u8], text: &mut [u8], tag: &[u8]) -> Option<()> {
        if let Algorithm::Fast(key) = self {
            let nonce = Nonce::assume_unique_for_key(*nonce);
            return key.open_in_place_separate_tag(nonce, Aad::from(data), tag, text).ok().map(|_| ());
        }
        let nonce = GenericArray::from_slice(nonce);
        let tag16 = || <&[u8; 16]>::try_from(tag).ok().map(|tag| GenericArray::from_slice(tag));
        let tag8 = || <&[u8; 8]>::try_from(tag).ok().map(|tag| GenericArray::from_slice(tag));
        match self {
            Algorithm::Ccm128(c) => c.decrypt_in_place_detached(nonce, data, text, tag16()?),
            Algorithm::Ccm256(c) => c.decrypt_in_place_detached(nonce, data, text, tag16()?),
            Algorithm::ShortCcm128(c) => c.decrypt_in_place_detached(nonce, data, text, tag8()?),
            Algorithm::ShortCcm256(c) => c.decrypt_in_place_detached(nonce, data, text, tag8()?),
            Algorithm::Fast(_) | Algorithm::Cbc { .. } => return None,
        }
        .ok()
    }
}

/// RFC 5246, section 6.2.3.2: the IV, then encrypted text, MAC and padding; or, after RFC 7366, the MAC outside.
fn open_cbc(
    key: &[u8],
    record: Sealed<'_>,
    mac_len: usize,
    encrypt_then_mac: bool,
    mac: impl Fn(&[u8]) -> Vec<u8>,
    out: &mut Vec<u8>,
) -> Option<()> {
    const BLOCK: usize = 16;
    let mut body = record.body;
    if encrypt_then_mac {
        let (sealed, tag) = body.split_at_checked(body.len().checked_sub(mac_len)?)?;
        (mac(sealed) == tag).then_some(())?;
        body = sealed;
    }
    let (iv, sealed) = body.split_first_chunk::<BLOCK>()?;
    out.clear();
    out.extend_from_slice(sealed);
    let iv = GenericArray::from_slice(iv);
    let opened = match key.len() {
        16 => {
            let cipher = cbc::Decryptor::<Aes128>::new(GenericArray::from_slice(key), iv);
            cipher.decrypt_padded_mut::<NoPadding>(out).map(<[u8]>::len)
        }
        32 => {
            let cipher = cbc::Decryptor::<Aes256>::new(GenericArray::from_slice(key), iv);
            cipher.decrypt_padded_mut::<NoPadding>(out).map(<[u8]>::len)
        }
        _ => return None,
    };
    opened.ok()?;
    let padding = usize::from(*out.last()?);
    let mut text = out.len().checked_sub(padding + 1)?;
    if !encrypt_then_mac {
        text = text.checked_sub(mac_len)?;
        (mac(out.get(..text)?) == out.get(text..text + mac_len)?).then_some(())?;
    }
    out.truncate(text);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(body: &[u8]) -> Sealed<'_> {
        Sealed { kind: 23, version: [3, 3], body }
    }

    #[test]
    fn only_the_right_keys_and_number_open_a_record() {
        for number in [0x1301, 0x1302, 0x1303, 0x1304, 0x1305] {
            let suite = Suite::of(number).unwrap();
            let cipher = Cipher::tls13(suite, &[7; 32]).unwrap();
            let mut nonce: [u8; 12] = cipher.iv.clone().try_into().unwrap();
            nonce[11] ^= 5;
            let mut text = b"hello\x17\0\0".to_vec();
            let tag_len = cipher.algorithm.tag_len();
            let len = (text.len() + tag_len) as u8;
            let aad = [23, 3, 3, 0, len];
            let tag = cipher.algorithm.seal(&nonce, &aad, &mut text).unwrap();
            text.extend(tag);
            let mut out = Vec::new();
            assert_eq!(cipher.open(5, sealed(&text), &mut out), Some(23));
            assert_eq!(out, b"hello");
            assert_eq!(cipher.open(4, sealed(&text), &mut out), None);
            text[0] ^= 1;
            assert_eq!(cipher.open(5, sealed(&text), &mut out), None);
        }
    }

    #[test]
    fn cbc_in_both_orders() {
        use aes::cipher::BlockEncryptMut;
        let suite = Suite::of(0xc013).unwrap();
        let (mac_key, key, iv) = ([1; 20], [2; 16], [3; 16]);
        for etm in [false, true] {
            let cipher = Cipher::tls12(suite, &mac_key, &key, &[], etm).unwrap();
            let mut head = vec![0, 0, 0, 0, 0, 0, 0, 9, 23, 3, 3];
            let mut text = b"hello".to_vec();
            if !etm {
                head.extend([0, 5]);
                text.extend(hmac(Hash::Sha1, &mac_key, &[&head, b"hello"]));
            }
            let padding = 15 - text.len() % 16;
            text.extend(vec![padding as u8; padding + 1]);
            let len = text.len();
            let e = cbc::Encryptor::<Aes128>::new(&key.into(), &iv.into());
            e.encrypt_padded_mut::<NoPadding>(&mut text, len).unwrap();
            let mut body = [&iv[..], &text].concat();
            if etm {
                head.extend((body.len() as u16).to_be_bytes());
                body.extend(hmac(Hash::Sha1, &mac_key, &[&head, &body]));
            }
            let mut out = Vec::new();
            assert_eq!(cipher.open(9, sealed(&body), &mut out), Some(23), "{etm}");
            assert_eq!(out, b"hello");
            assert_eq!(cipher.open(8, sealed(&body), &mut out), None);
        }
    }
}
