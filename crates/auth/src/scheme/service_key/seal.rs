//! Decryption with integrity, by encryption type: RFC 3961 with RFC 3962 (AES with SHA-1), RFC 8009 (AES with SHA-2) and
//! RFC 4757 (RC4).

use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use aes::{Aes128, Aes256, Block};
use hmac::Mac;
use sha2::{Sha256, Sha384};

const BLOCK: usize = 16;

/// Whether messages of this encryption type can be opened here.
pub(super) fn knows(etype: i64) -> bool {
    matches!(etype, 17..=20 | 23)
}

/// Opens a message: its content without what was put before and behind it; `None` where the key or the message is not
/// the right one.
pub(super) fn open(etype: i64, key: &[u8], usage: u32, sealed: &[u8]) -> Option<Vec<u8>> {
    match (etype, key.len()) {
        (17, 16) | (18, 32) => with_sha1(key, usage, sealed),
        (19, 16) | (20, 32) => with_sha2(key, usage, sealed),
        (23, 16) => with_rc4(key, usage, sealed),
        _ => None,
    }
}

/// The two constants that keys for encrypting and for integrity are derived with (RFC 3961 section 5.3).
fn constants(usage: u32) -> [[u8; 5]; 2] {
    [constant(usage, 0xaa), constant(usage, 0x55)]
}

/// The constant that the key for a checksum is derived with (RFC 3961 section 5.3).
fn checking(usage: u32) -> [u8; 5] {
    constant(usage, 0x99)
}

fn constant(usage: u32, what: u8) -> [u8; 5] {
    let [a, b, c, d] = usage.to_be_bytes();
    [a, b, c, d, what]
}

/// A checksum of a message in its full length (RFC 3961 section 5.4, RFC 3962 section 6).
pub(super) fn sum_sha1(key: &[u8], usage: u32, message: &[u8]) -> Option<Vec<u8>> {
    let mut mac = <hmac::Hmac<sha1::Sha1> as Mac>::new_from_slice(&derived(key, &checking(usage))?).ok()?;
    mac.update(message);
    Some(mac.finalize().into_bytes().to_vec())
}

/// A checksum of a message in its full length (RFC 8009 section 6).
pub(super) fn sum_sha2(key: &[u8], usage: u32, message: &[u8]) -> Option<Vec<u8>> {
    let long = key.len() == 32;
    // Section 5: half of the hash.
    let key = derived_sha2(long, key, &checking(usage), if long { 24 } else { 16 })?;
    hmac_sha2(long, &key, &[message])
}

/// A checksum of a message (RFC 4757 section 4).
pub(super) fn sum_md5(key: &[u8], usage: u32, message: &[u8]) -> Option<Vec<u8>> {
    use md5::Digest;
    let hash = md5::Md5::new().chain_update(usage.to_le_bytes()).chain_update(message).finalize();
    hmac_md5(&hmac_md5(key, b"signaturekey\0")?, &hash).map(|sum| sum.to_vec())
}

fn with_sha1(key: &[u8], usage: u32, sealed: &[u8]) -> Option<Vec<u8>> {
    const TAG: usize = 12;
    let [encrypt, integrity] = constants(usage);
    let (sealed, tag) = sealed.split_at_checked(sealed.len().checked_sub(TAG)?)?;
    let plain = Cipher::new(&derived(key, &encrypt)?)?.decrypt(sealed)?;
    let mut mac = <hmac::Hmac<sha1::Sha1> as Mac>::new_from_slice(&derived(key, &integrity)?).ok()?;
    mac.update(&plain);
    mac.verify_truncated_left(tag).ok()?;
    plain.get(BLOCK..).map(<[u8]>::to_vec)
}

fn with_sha2(key: &[u8], usage: u32, sealed: &[u8]) -> Option<Vec<u8>> {
    let long = key.len() == 32;
    // RFC 8009 section 5: lengths in bytes of the tag and the key for it, and of the key for encrypting.
    let (tag, len) = if long { (24, 32) } else { (16, 16) };
    let [encrypt, integrity] = constants(usage);
    let (sealed, tag_there) = sealed.split_at_checked(sealed.len().checked_sub(tag)?)?;
    let integrity = derived_sha2(long, key, &integrity, tag)?;
    // The cipher state, which is zero, and the encrypted bytes.
    let computed = hmac_sha2(long, &integrity, &[&[0; BLOCK], sealed])?;
    if computed.get(..tag)? != tag_there {
        return None;
    }
    let plain = Cipher::new(&derived_sha2(long, key, &encrypt, len)?)?.decrypt(sealed)?;
    plain.get(BLOCK..).map(<[u8]>::to_vec)
}

/// RFC 8009 section 3: KDF-HMAC-SHA2.
fn derived_sha2(long: bool, key: &[u8], label: &[u8], len: usize) -> Option<Vec<u8>> {
    let bits = (len as u32 * 8).to_be_bytes();
    hmac_sha2(long, key, &[&[0, 0, 0, 1], label, &[0], &bits])?.get(..len).map(<[u8]>::to_vec)
}

fn hmac_sha2(long: bool, key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
    fn of<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Option<Vec<u8>> {
        let mut mac = <M as Mac>::new_from_slice(key).ok()?;
        parts.iter().for_each(|part| mac.update(part));
        Some(mac.finalize().into_bytes().to_vec())
    }
    if long { of::<hmac::Hmac<Sha384>>(key, parts) } else { of::<hmac::Hmac<Sha256>>(key, parts) }
}

/// RFC 4757 section 5. The usage of a ticket is the same number there.
fn with_rc4(key: &[u8], usage: u32, sealed: &[u8]) -> Option<Vec<u8>> {
    const CONFOUNDER: usize = 8;
    let (tag, sealed) = sealed.split_at_checked(16)?;
    let key = hmac_md5(key, &usage.to_le_bytes())?;
    let mut plain = sealed.to_vec();
    rc4(&hmac_md5(&key, tag)?, &mut plain);
    (hmac_md5(&key, &plain)? == *tag).then(|| plain.get(CONFOUNDER..).map(<[u8]>::to_vec)).flatten()
}

fn hmac_md5(key: &[u8], bytes: &[u8]) -> Option<[u8; 16]> {
    let mut mac = <hmac::Hmac<md5::Md5> as Mac>::new_from_slice(key).ok()?;
    mac.update(bytes);
    Some(mac.finalize().into_bytes().into())
}

/// The reverse, for tests: RFC 4757 section 4, with a confounder of zeros.
#[cfg(test)]
pub(super) fn seal_with_rc4(key: &[u8], usage: u32, plain: &[u8]) -> Vec<u8> {
    let key = hmac_md5(key, &usage.to_le_bytes()).unwrap();
    let mut sealed = [&[0; 8], plain].concat();
    let tag = hmac_md5(&key, &sealed).unwrap();
    rc4(&hmac_md5(&key, &tag).unwrap(), &mut sealed);
    [tag.as_slice(), &sealed].concat()
}

/// The stream cipher; in both directions the same.
fn rc4(key: &[u8], bytes: &mut [u8]) {
    let mut state: Vec<u8> = (0..=255).collect();
    let at = |state: &[u8], i: u8| state.get(usize::from(i)).copied().unwrap_or_default();
    let mut j = 0u8;
    for (i, k) in (0..=255u8).zip(key.iter().cycle()) {
        j = j.wrapping_add(at(&state, i)).wrapping_add(*k);
        state.swap(usize::from(i), usize::from(j));
    }
    let (mut i, mut j) = (0u8, 0u8);
    for byte in bytes {
        i = i.wrapping_add(1);
        j = j.wrapping_add(at(&state, i));
        state.swap(usize::from(i), usize::from(j));
        *byte ^= at(&state, at(&state, i).wrapping_add(at(&state, j)));
    }
}

/// RFC 3961 section 5.1: a key derived from another one.
fn derived(key: &[u8], constant: &[u8]) -> Option<Vec<u8>> {
    let cipher = Cipher::new(key)?;
    let mut block: [u8; BLOCK] = folded(constant, BLOCK).try_into().ok()?;
    let mut out = Vec::new();
    while out.len() < key.len() {
        block = cipher.encrypt_block(block);
        out.extend_from_slice(&block);
    }
    out.truncate(key.len());
    Some(out)
}

/// RFC 3961 section 5.1, n-fold: copies of the input, each rotated 13 bits further to the right, added up in ones'
/// complement.
fn folded(input: &[u8], len: usize) -> Vec<u8> {
    let bits = input.len() * 8;
    let total = lcm(input.len(), len);
    let bit = |at: usize| {
        // Of the n-th copy, the bit that stands here was 13 n bits to the left.
        let (copy, at) = (at / bits, at % bits);
        let from = (at + bits - 13 * copy % bits) % bits;
        input.get(from / 8).is_some_and(|b| b & (0x80 >> (from % 8)) != 0)
    };
    let byte = |i: usize| (0..8).fold(0u16, |n, b| n << 1 | u16::from(bit(i * 8 + b)));
    let mut sums = vec![0u16; len];
    for chunk in (0..total).collect::<Vec<_>>().chunks(len) {
        let mut carry = 0;
        for (sum, i) in sums.iter_mut().zip(chunk).rev() {
            *sum += byte(*i) + carry;
            carry = *sum >> 8;
            *sum &= 0xff;
        }
        // The carry of the first byte goes around to the last.
        while carry > 0 {
            for sum in sums.iter_mut().rev() {
                *sum += carry;
                carry = *sum >> 8;
                *sum &= 0xff;
            }
        }
    }
    sums.into_iter().map(|s| s as u8).collect()
}

fn lcm(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x.max(1) * b
}

enum Cipher {
    Short(Box<Aes128>),
    Long(Box<Aes256>),
}

impl Cipher {
    fn new(key: &[u8]) -> Option<Cipher> {
        match key.len() {
            16 => Some(Cipher::Short(Box::new(Aes128::new_from_slice(key).ok()?))),
            32 => Some(Cipher::Long(Box::new(Aes256::new_from_slice(key).ok()?))),
            _ => None,
        }
    }

    fn encrypt_block(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = Block::from(block);
        match self {
            Cipher::Short(c) => c.encrypt_block(&mut block),
            Cipher::Long(c) => c.encrypt_block(&mut block),
        }
        block.into()
    }

    fn decrypt_block(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = Block::from(block);
        match self {
            Cipher::Short(c) => c.decrypt_block(&mut block),
            Cipher::Long(c) => c.decrypt_block(&mut block),
        }
        block.into()
    }

    /// CBC with ciphertext stealing, whose last two blocks are swapped (RFC 3962 section 5), from a state of zero.
    fn decrypt(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let mut plain = Vec::with_capacity(sealed.len());
        let mut before = [0; BLOCK];
        let mut rest = sealed;
        while rest.len() > 2 * BLOCK {
            let (block, behind) = rest.split_first_chunk::<BLOCK>()?;
            plain.extend(xor(self.decrypt_block(*block), &before));
            (before, rest) = (*block, behind);
        }
        let (block, tail) = rest.split_first_chunk::<BLOCK>()?;
        let mixed = self.decrypt_block(*block);
        if tail.is_empty() {
            plain.extend(xor(mixed, &before));
            return Some(plain);
        }
        // What the short block lacks was taken from the encrypted block before it.
        let mut stolen = mixed;
        stolen.get_mut(..tail.len())?.copy_from_slice(tail);
        plain.extend(xor(self.decrypt_block(stolen), &before));
        plain.extend(xor(mixed, tail));
        Some(plain)
    }
}

/// As many bytes as both have.
fn xor<'a>(a: [u8; BLOCK], b: &'a [u8]) -> impl Iterator<Item = u8> + 'a {
    a.into_iter().zip(b).map(|(a, b)| a ^ b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits.chunks(2).map(|d| u8::from_str_radix(std::str::from_utf8(d).unwrap(), 16).unwrap()).collect()
    }

    /// RFC 3961, appendix A.1.
    #[test]
    fn bytes_are_folded_as_the_rfc_does() {
        for (input, to, expected) in [
            (&b"012345"[..], 8, "be072631276b1955"),
            (b"password", 7, "78a07b6caf85fa"),
            (b"Rough Consensus, and Running Code", 8, "bb6ed30870b7f0e0"),
            (b"kerberos", 8, "6b65726265726f73"),
            (b"kerberos", 16, "6b65726265726f737b9b5b2b93132b93"),
        ] {
            assert_eq!(folded(input, to), bytes(expected), "{}", String::from_utf8_lossy(input));
        }
    }

    /// RFC 3962, appendix B.
    #[test]
    fn stolen_ciphertext_is_given_back() {
        let cipher = Cipher::new(b"chicken teriyaki").unwrap();
        for (sealed, plain) in [
            ("c6353568f2bf8cb4d8a580362da7ff7f97", &b"I would like the "[..]),
            (
                "fc00783e0efdb2c1d445d4c8eff7ed2297687268d6ecccc0c07b25e25ecfe5",
                b"I would like the General Gau's ",
            ),
            (
                "39312523a78662d5be7fcbcc98ebf5a897687268d6ecccc0c07b25e25ecfe584",
                b"I would like the General Gau's C",
            ),
        ] {
            assert_eq!(cipher.decrypt(&bytes(sealed)).unwrap(), plain);
        }
    }

    /// RFC 8009, appendix A.
    #[test]
    fn keys_are_derived_as_the_rfc_does() {
        let [encrypt, integrity] = constants(2);
        let short = bytes("3705D96080C17728A0E800EAB6E0D23C");
        assert_eq!(
            derived_sha2(false, &short, &encrypt, 16).unwrap(),
            bytes("9B197DD1E8C5609D6E67C3E37C62C72E")
        );
        assert_eq!(
            derived_sha2(false, &short, &integrity, 16).unwrap(),
            bytes("9FDA0E56AB2D85E1569A688696C26A6C")
        );
        let long = bytes("6D404D37FAF79F9DF0D33568D320669800EB4836472EA8A026D16B7182460C52");
        assert_eq!(
            derived_sha2(true, &long, &encrypt, 32).unwrap(),
            bytes("56AB22BEE63D82D7BC5227F6773F8EA7A5EB1C825160C38312980C442E5C7E49")
        );
        assert_eq!(
            derived_sha2(true, &long, &integrity, 24).unwrap(),
            bytes("69B16514E3CD8E56B82010D5C73012B622C4D00FFC23ED1F")
        );
    }

    /// RFC 6229: the first bytes of the key stream for the key 0102030405.
    #[test]
    fn the_stream_cipher_gives_the_known_stream() {
        let mut zeros = [0; 16];
        rc4(&[1, 2, 3, 4, 5], &mut zeros);
        assert_eq!(zeros.to_vec(), bytes("b2396305f03dc027ccc3524a0a1118a8"));
    }

    #[test]
    fn what_is_cut_or_of_another_key_stays_closed() {
        for etype in [17, 18, 19, 20, 23] {
            let key = vec![1; if matches!(etype, 18 | 20) { 32 } else { 16 }];
            for len in 0..70 {
                assert_eq!(open(etype, &key, 2, &vec![9; len]), None);
            }
        }
    }
}
