//! Addresses replaced by others of the same length, the same one always by the same.

use super::container::Frame;
use super::layers::{Layers, address};
use crate::text::{narrow, text_of};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What stands for each address.
#[derive(Debug, Default)]
pub struct Addresses {
    made: BTreeMap<IpAddr, IpAddr>,
    used: BTreeSet<IpAddr>,
    hardware: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl Addresses {
    /// The addresses of a frame.
    pub(super) fn in_frame(&mut self, _: &Frame, layers: &Layers, out: &mut [u8]) {
        for range in &layers.addresses {
            let Some(made) = address(out, range).map(|a| self.of(a)) else { continue };
            if let Some(bytes) = out.get_mut(range.clone()) {
                match made {
                    IpAddr::V4(a) if bytes.len() == 4 => bytes.copy_from_slice(&a.octets()),
                    IpAddr::V6(a) if bytes.len() == 16 => bytes.copy_from_slice(&a.octets()),
                    _ => {}
                }
            }
        }
        for range in &layers.hardware {
            let Some(bytes) = out.get_mut(range.clone()) else { continue };
            // Broadcast and nothing tell of nobody.
            if bytes.iter().all(|b| *b == 0xff) || bytes.iter().all(|b| *b == 0) {
                continue;
            }
            let next = self.hardware.len() as u32 + 1;
            let made = self.hardware.entry(bytes.to_vec()).or_insert_with(|| {
                // Locally administered (IEEE 802, section 8.2.2).
                let mut made = vec![0; bytes.len()];
                made.iter_mut().zip([2, 0].into_iter().chain(next.to_be_bytes())).for_each(|(m, b)| *m = b);
                made
            });
            bytes.copy_from_slice(made);
        }
    }

    /// The addresses in a text, each by one that takes as many characters.
    pub(crate) fn in_bytes(&mut self, bytes: &[u8]) -> Vec<u8> {
        if std::str::from_utf8(bytes).is_err() && bytes.iter().filter(|b| **b == 0).count() * 20 > bytes.len()
        {
            return bytes.to_vec();
        }
        narrow(&self.in_text(&text_of(bytes)))
    }

    /// The addresses in a text, each by one that takes as many characters.
    pub fn in_text(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let part = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':');
        let mut rest = text;
        let mut before = ' ';
        while let Some(start) = rest.find(part) {
            let (plain, tail) = rest.split_at_checked(start).unwrap_or((rest, ""));
            out.push_str(plain);
            before = plain.chars().next_back().unwrap_or(before);
            let end = tail.find(|c| !part(c)).unwrap_or(tail.len());
            let (word, tail) = tail.split_at_checked(end).unwrap_or((tail, ""));
            let in_word = before.is_alphanumeric() || tail.starts_with(|c: char| c.is_alphanumeric());
            out.push_str(&if in_word { word.to_owned() } else { self.word(word) });
            before = word.chars().next_back().unwrap_or(before);
            rest = tail;
        }
        out.push_str(rest);
        out
    }

    /// A word that may be an address, also with a port or with signs of the sentence around it.
    fn word(&mut self, word: &str) -> String {
        let bare = word.trim_matches(['.', ':']);
        if bare.len() < 3 {
            return word.to_owned();
        }
        for candidate in [word, bare, bare.split(':').next().unwrap_or(bare)] {
            let Ok(address) = candidate.parse::<IpAddr>() else { continue };
            let made = match address {
                IpAddr::V6(a) if a.to_string() != candidate => continue,
                address => self.of(address).to_string(),
            };
            if made.len() == candidate.len() {
                return word.replacen(candidate, &made, 1);
            }
        }
        word.to_owned()
    }

    /// What stands for an address; those that tell of nobody stand for themselves.
    fn of(&mut self, address: IpAddr) -> IpAddr {
        if address.is_loopback() || address.is_unspecified() || address.is_multicast() {
            return address;
        }
        if let Some(made) = self.made.get(&address) {
            return *made;
        }
        let mut number = self.made.len() as u64 * 7 + 3;
        let mut made = like(address, number);
        while self.used.contains(&made) && number < 1 << 20 {
            number += 1;
            made = like(address, number);
        }
        self.used.insert(made);
        self.made.insert(address, made);
        made
    }
}

/// An address with as many digits in every part.
fn like(address: IpAddr, number: u64) -> IpAddr {
    let mut n = number;
    match address {
        IpAddr::V4(a) if a.is_broadcast() => address,
        IpAddr::V4(a) => {
            let mut place = 0;
            IpAddr::V4(Ipv4Addr::from(a.octets().map(|octet| {
                let (least, many) = match (octet, place) {
                    (0..10, 0) => (1, 9),
                    (0..10, _) => (0, 10),
                    (10..100, _) => (10, 90),
                    (100.., 0) => (128, 96),
                    (100.., _) => (100, 156),
                };
                place += 1;
                n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                least + ((n >> 33) % many) as u8
            })))
        }
        IpAddr::V6(a) => {
            let mut place = 0;
            IpAddr::V6(Ipv6Addr::from(a.segments().map(|segment| {
                place += 1;
                n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let drawn = (n >> 33) as u16;
                match segment {
                    0 => 0,
                    // The kind of address stays: global, link-local, unique local.
                    s if place == 1 => s,
                    0x1..0x10 => 1 + drawn % 0xf,
                    0x10..0x100 => 0x10 + drawn % 0xf0,
                    0x100..0x1000 => 0x100 + drawn % 0xf00,
                    0x1000.. => 0x1000 + drawn % 0xf000,
                }
            })))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_replaced_by_equally_long_ones_and_nothing_else_is() {
        let mut a = Addresses::default();
        let text = "192.0.2.7:443 -> 10.1.1.1, [2001:db8::1:a0]:80 at 17:14:03 127.0.0.1 v1.2 192.0.2.7. \"::1\" dead:beef";
        let made = a.in_text(text);
        assert_eq!(made.len(), text.len());
        assert!(
            !made.contains("192.0.2.7") && !made.contains("10.1.1.1") && !made.contains("2001:db8::1:a0"),
            "{made}"
        );
        for kept in ["17:14:03", "127.0.0.1", "v1.2", "\"::1\"", "dead:beef", ":443", "]:80"] {
            assert!(made.contains(kept), "{kept}: {made}");
        }
        let first = made.split(':').next().unwrap_or_default().to_owned();
        assert_eq!(made.matches(&first).count(), 2, "{made}");
    }
}
