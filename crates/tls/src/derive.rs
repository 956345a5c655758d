//! Keys from secrets.

use crate::suite::Hash;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384};

/// HMAC (RFC 2104) over parts in a row.
pub(crate) fn hmac(hash: Hash, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    fn with<M: Mac + hmac::digest::KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        // A key of any length is taken.
        let Ok(mut mac) = <M as hmac::digest::KeyInit>::new_from_slice(key) else { return Vec::new() };
        parts.iter().for_each(|p| mac.update(p));
        mac.finalize().into_bytes().to_vec()
    }
    match hash {
        Hash::Sha1 => with::<Hmac<Sha1>>(key, parts),
        Hash::Sha256 => with::<Hmac<Sha256>>(key, parts),
        Hash::Sha384 => with::<Hmac<Sha384>>(key, parts),
    }
}

/// The pseudorandom function of TLS 1.2 (RFC 5246, section 5).
pub(crate) fn prf(hash: Hash, secret: &[u8], label: &[u8], seed: &[&[u8]], len: usize) -> Vec<u8> {
    let mut seeds = vec![label];
    seeds.extend(seed);
    let mut a = hmac(hash, secret, &seeds);
    let mut out = Vec::new();
    while out.len() < len && !a.is_empty() {
        let mut parts = vec![a.as_slice()];
        parts.extend(&seeds);
        out.extend(hmac(hash, secret, &parts));
        a = hmac(hash, secret, &[&a]);
    }
    out.truncate(len);
    out
}

/// HKDF-Expand-Label with an empty context (RFC 8446, section 7.1).
pub(crate) fn expand_label(hash: Hash, secret: &[u8], label: &[u8], len: usize) -> Vec<u8> {
    let mut info = (len as u16).to_be_bytes().to_vec();
    info.push(label.len() as u8 + 6);
    info.extend(b"tls13 ");
    info.extend(label);
    info.push(0);
    let (mut out, mut block) = (Vec::new(), Vec::new());
    for i in 1..=u8::MAX {
        if out.len() >= len {
            break;
        }
        block = hmac(hash, secret, &[&block, &info, &[i]]);
        out.extend(&block);
    }
    out.truncate(len);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digit = |c: u8| char::from(c).to_digit(16).unwrap() as u8;
        text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
    }

    /// RFC 8448, section 3: the server's handshake traffic key.
    #[test]
    fn keys_are_expanded_as_in_the_rfc() {
        let secret = hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
        assert_eq!(expand_label(Hash::Sha256, &secret, b"key", 16), hex("3fce516009c21727d0f2e4e86ee403bc"));
        assert_eq!(expand_label(Hash::Sha256, &secret, b"iv", 12), hex("5d313eb2671276ee13000b30"));
    }

    /// The vector for SHA-256 that the IETF's TLS mailing list agreed on in 2009.
    #[test]
    fn the_pseudorandom_function_of_tls_1_2() {
        let secret = hex("9bbe436ba940f017b17652849a71db35");
        let seed = hex("a0ba9f936cda311827a6f796ffd5198c");
        let out = prf(Hash::Sha256, &secret, b"test label", &[&seed], 100);
        assert_eq!(out[..16], hex("e3f229ba727be17b8d122620557cd453"));
        assert_eq!(out.len(), 100);
    }
}
