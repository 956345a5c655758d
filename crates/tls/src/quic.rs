//! The first packets of a QUIC connection, which are protected by keys that anybody can derive (RFC 9001, section 5.2):
//! they tell which server a client wanted, and by which protocol.

use crate::derive::{expand_label, hmac};
use crate::hello::{ClientHello, client_hello};
use crate::suite::Hash;
use crate::wire::Wire;
use aes::Aes128;
use aes::cipher::BlockEncrypt;
use aes_gcm::Aes128Gcm;
use aes_gcm::aead::generic_array::GenericArray;
use aes_gcm::aead::{AeadInPlace, KeyInit};
use std::collections::{BTreeMap, VecDeque};

/// So many connections whose ClientHello is not complete are followed at one time.
const MOST: usize = 64;
/// A ClientHello is not longer; with post-quantum key shares it takes two or three packets.
const LONGEST: usize = 16 << 10;
const TAG: usize = 16;
/// Bytes from the packet number to the sample (RFC 9001, section 5.4.2).
const SAMPLE_AT: usize = 4;
const SAMPLE: usize = 16;

/// What a QUIC connection began with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QuicHello {
    /// The server that the client named (RFC 6066, section 3).
    pub server_name: Option<String>,
    /// The protocols that it offered: `h3` is HTTP/3.
    pub protocols: Vec<String>,
}

/// The connections that have begun and whose ClientHello is not complete.
#[derive(Debug, Default)]
pub struct QuicInitials {
    /// By the connection identifier that the client chose.
    open: VecDeque<(Vec<u8>, Parts)>,
}

/// What came of a ClientHello, by where it belongs.
type Parts = BTreeMap<usize, Vec<u8>>;

/// A version of QUIC: how its first packets are told and protected.
struct Version {
    /// The type of an Initial packet.
    initial: u8,
    salt: [u8; 20],
    labels: [&'static [u8]; 3],
}

/// RFC 9001, section 5.2.
const VERSION_1: Version = Version {
    initial: 0,
    salt: [
        0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc,
        0xbb, 0x7f, 0x0a,
    ],
    labels: [b"quic key", b"quic iv", b"quic hp"],
};
/// RFC 9369, section 3.3.
const VERSION_2: Version = Version {
    initial: 1,
    salt: [
        0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9,
        0xbd, 0x2e, 0xd9,
    ],
    labels: [b"quicv2 key", b"quicv2 iv", b"quicv2 hp"],
};

fn version(number: u32) -> Option<&'static Version> {
    match number {
        1 => Some(&VERSION_1),
        0x6b33_43cf => Some(&VERSION_2),
        _ => None,
    }
}

/// Whether a datagram begins with an Initial packet of QUIC version 1 or 2 (RFC 9000, section 17.2.2).
pub fn is_quic_initial(datagram: &[u8]) -> bool {
    let Some((&[first, a, b, c, d], _)) = datagram.split_first_chunk::<5>() else { return false };
    let Some(version) = version(u32::from_be_bytes([a, b, c, d])) else { return false };
    first & 0xc0 == 0xc0 && (first >> 4) & 3 == version.initial
}

impl QuicInitials {
    /// Takes a datagram in; gives what a connection began with once that is complete.
    pub fn datagram(&mut self, datagram: &[u8]) -> Option<QuicHello> {
        let mut rest = datagram;
        let mut found = None;
        while is_quic_initial(rest) {
            let (packet, len) = Packet::read(rest)?;
            if let Some(frames) = packet.open() {
                found = self.frames(packet.destination, &frames).or(found);
            }
            rest = rest.get(len..)?;
        }
        found
    }

    fn frames(&mut self, id: &[u8], frames: &[u8]) -> Option<QuicHello> {
        let at = match self.open.iter().position(|(known, _)| known == id) {
            Some(at) => at,
            None => {
                if self.open.len() >= MOST {
                    self.open.pop_front();
                }
                self.open.push_back((id.to_vec(), Parts::new()));
                self.open.len() - 1
            }
        };
        let (_, parts) = self.open.get_mut(at)?;
        for (offset, bytes) in crypto(frames) {
            if offset + bytes.len() <= LONGEST {
                parts.insert(offset, bytes.to_vec());
            }
        }
        let hello = whole(parts)?;
        self.open.remove(at);
        Some(QuicHello { server_name: hello.server_name, protocols: hello.alpn })
    }
}

/// The ClientHello, once all of it is there.
fn whole(parts: &Parts) -> Option<ClientHello> {
    const CLIENT_HELLO: u8 = 1;
    let mut front = Vec::new();
    for (offset, bytes) in parts {
        let known = front.len().checked_sub(*offset)?;
        front.extend_from_slice(bytes.get(known..).unwrap_or_default());
    }
    let mut wire = Wire(&front);
    let kind = wire.u8()?;
    let body = wire.vector24()?;
    (kind == CLIENT_HELLO).then(|| client_hello(body.0)).flatten()
}

/// The CRYPTO frames among the frames of an Initial packet (RFC 9000, sections 12.4 and 19): where the bytes of each
/// belong.
fn crypto(frames: &[u8]) -> Vec<(usize, &[u8])> {
    let mut wire = Wire(frames);
    let mut found = Vec::new();
    let mut next = || {
        match varint(&mut wire)? {
            // PADDING and PING.
            0 | 1 => {}
            kind @ (2 | 3) => {
                varint(&mut wire)?;
                varint(&mut wire)?;
                let ranges = varint(&mut wire)?;
                let counts = if kind == 3 { 3 } else { 0 };
                for _ in 0..(1 + 2 * ranges.min(LONGEST as u64) + counts) {
                    varint(&mut wire)?;
                }
            }
            6 => {
                let offset = usize::try_from(varint(&mut wire)?).ok()?;
                let len = usize::try_from(varint(&mut wire)?).ok()?;
                found.push((offset.min(LONGEST), wire.take(len)?));
            }
            // CONNECTION_CLOSE, or nothing that belongs here.
            _ => return None,
        }
        Some(())
    };
    while next().is_some() {}
    found
}

/// RFC 9000, section 16.
fn varint(wire: &mut Wire<'_>) -> Option<u64> {
    let first = wire.u8()?;
    let more = (1 << (first >> 6)) - 1;
    let mut n = u64::from(first & 0x3f);
    for _ in 0..more {
        n = n << 8 | u64::from(wire.u8()?);
    }
    Some(n)
}

/// An Initial packet.
struct Packet<'a> {
    version: &'static Version,
    destination: &'a [u8],
    /// The header up to the packet number.
    header: &'a [u8],
    /// From the packet number on.
    sealed: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads the packet at the front of a datagram, and how long it is.
    fn read(datagram: &'a [u8]) -> Option<(Packet<'a>, usize)> {
        let mut wire = Wire(datagram);
        wire.u8()?;
        let version = version(u32::from_be_bytes(wire.array()?))?;
        let destination = wire.vector8()?.0;
        wire.vector8()?;
        let token = usize::try_from(varint(&mut wire)?).ok()?;
        wire.take(token)?;
        let len = usize::try_from(varint(&mut wire)?).ok()?;
        let header = datagram.get(..datagram.len() - wire.0.len())?;
        let sealed = wire.take(len)?;
        Some((Packet { version, destination, header, sealed }, header.len() + len))
    }

    /// Its frames, where the client of a new connection sent it.
    fn open(&self) -> Option<Vec<u8>> {
        let secret = hmac(Hash::Sha256, &self.version.salt, &[self.destination]);
        let secret = expand_label(Hash::Sha256, &secret, b"client in", 32);
        let [key, iv, protection] = self.version.labels;
        let expand = |label, len| expand_label(Hash::Sha256, &secret, label, len);
        let mut mask = GenericArray::clone_from_slice(self.sealed.get(SAMPLE_AT..SAMPLE_AT + SAMPLE)?);
        Aes128::new_from_slice(&expand(protection, 16)).ok()?.encrypt_block(&mut mask);
        let mut header = self.header.to_vec();
        let first = header.first_mut()?;
        *first ^= mask.first()? & 0x0f;
        let number_len = usize::from(*first & 3) + 1;
        let (number, sealed) = self.sealed.split_at_checked(number_len)?;
        let number: Vec<u8> = number.iter().zip(mask.iter().skip(1)).map(|(n, m)| n ^ m).collect();
        header.extend_from_slice(&number);
        let mut nonce = expand(iv, 12);
        nonce.iter_mut().rev().zip(number.iter().rev()).for_each(|(n, p)| *n ^= p);
        let (body, tag) = sealed.split_at_checked(sealed.len().checked_sub(TAG)?)?;
        let mut body = body.to_vec();
        let cipher = Aes128Gcm::new_from_slice(&expand(key, 16)).ok()?;
        let (nonce, tag) = (GenericArray::from_slice(&nonce), GenericArray::from_slice(tag));
        cipher.decrypt_in_place_detached(nonce, &header, &mut body, tag).ok()?;
        Some(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let digit = |c: u8| char::from(c).to_digit(16).unwrap() as u8;
        digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
    }

    /// A packet as a client protects it.
    fn sealed(version: &'static Version, number: u32, id: &[u8], frames: &[u8]) -> Vec<u8> {
        let mut frames = frames.to_vec();
        frames.resize(frames.len().max(1162), 0);
        let len = frames.len() + TAG + 4;
        let mut header = vec![0xc3 | version.initial << 4];
        let wire_version: u32 = if version.initial == 0 { 1 } else { 0x6b33_43cf };
        header.extend(wire_version.to_be_bytes());
        header.push(id.len() as u8);
        header.extend(id);
        header.extend([0, 0, 0x40 | (len >> 8) as u8, len as u8]);
        let secret = hmac(Hash::Sha256, &version.salt, &[id]);
        let secret = expand_label(Hash::Sha256, &secret, b"client in", 32);
        let [key, iv, protection] = version.labels;
        let expand = |label, len| expand_label(Hash::Sha256, &secret, label, len);
        let mut nonce = expand(iv, 12);
        nonce.iter_mut().rev().zip(number.to_be_bytes().iter().rev()).for_each(|(n, p)| *n ^= p);
        let aad = [header.as_slice(), &number.to_be_bytes()].concat();
        let cipher = Aes128Gcm::new_from_slice(&expand(key, 16)).unwrap();
        let tag =
            cipher.encrypt_in_place_detached(GenericArray::from_slice(&nonce), &aad, &mut frames).unwrap();
        let body = [frames.as_slice(), &tag].concat();
        let mut mask = GenericArray::clone_from_slice(&body[..SAMPLE]);
        Aes128::new_from_slice(&expand(protection, 16)).unwrap().encrypt_block(&mut mask);
        header[0] ^= mask[0] & 0x0f;
        header.extend(number.to_be_bytes().iter().zip(&mask[1..]).map(|(n, m)| n ^ m));
        header.extend(body);
        header
    }

    /// The CRYPTO frame of RFC 9001, appendix A.2.
    const HELLO: &str = "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868
        04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578
        616d706c652e636f6dff01000100000a00080006001d00170018001000070005
        04616c706e000500050100000000003300260024001d00209370b2c9caa47fba
        baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400
        0d0010000e0403050306030203080408050806002d00020101001c0002400100
        3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000
        75300901100f088394c8f03e51570806048000ffff";

    #[test]
    fn the_packet_of_the_rfc_is_protected_as_there() {
        let packet = sealed(&VERSION_1, 2, &hex("8394c8f03e515708"), &hex(HELLO));
        // RFC 9001, appendix A.2: the front of the protected packet.
        assert_eq!(packet[..32], hex("c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11"));
        let hello = QuicInitials::default().datagram(&packet).unwrap();
        assert_eq!(hello.server_name.as_deref(), Some("example.com"));
        assert_eq!(hello.protocols, ["alpn"]);
    }

    #[test]
    fn a_hello_in_parts_out_of_order_is_put_together() {
        let hello = hex(HELLO)[4..].to_vec();
        let frame = |from: usize, to: usize| {
            let len = to - from;
            let mut f = vec![6, 0x40 | (from >> 8) as u8, from as u8, 0x40 | (len >> 8) as u8, len as u8];
            f.extend(&hello[from..to]);
            f
        };
        for version in [&VERSION_1, &VERSION_2] {
            let mut initials = QuicInitials::default();
            let later = [vec![1, 0, 2, 5, 0, 0, 0], frame(100, hello.len())].concat();
            assert_eq!(initials.datagram(&sealed(version, 0, b"12345678", &later)), None);
            let first = sealed(version, 1, b"12345678", &[frame(50, 120), frame(0, 50)].concat());
            let told = initials.datagram(&first).unwrap();
            assert_eq!(told.server_name.as_deref(), Some("example.com"));
            assert!(initials.open.is_empty());
        }
    }

    #[test]
    fn nothing_is_told_of_a_packet_that_was_changed() {
        let mut packet = sealed(&VERSION_1, 2, &hex("8394c8f03e515708"), &hex(HELLO));
        packet[600] ^= 1;
        assert!(is_quic_initial(&packet));
        assert_eq!(QuicInitials::default().datagram(&packet), None);
    }

    proptest! {
        #[test]
        fn any_datagram_is_read_without_a_fault(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            frames in proptest::collection::vec(any::<u8>(), 0..100),
        ) {
            let mut initials = QuicInitials::default();
            let _ = initials.datagram(&[&[0xc0, 0, 0, 0, 1], bytes.as_slice()].concat());
            let _ = initials.datagram(&sealed(&VERSION_1, 0, b"abcdefgh", &frames));
        }
    }
}
