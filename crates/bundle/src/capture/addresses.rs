//! Addresses replaced by others of the same length, the same one always by the same.

use super::container::Frame;
use super::layers::{Layers, address};
use crate::text::{narrow, text_of, wide};
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
        // Zeros end the options of IPv4, pad those of IPv6 (RFC 8200, section 4.2), and in a routing header are a route
        // without stations.
        for range in &layers.way {
            if let Some(bytes) = out.get_mut(range.clone()) {
                bytes.fill(0);
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
        wide(bytes, |text| self.in_text(text)).unwrap_or_else(|| narrow(&self.in_text(&text_of(bytes))))
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
            // A name may begin with an address: 192.0.2.1.example.com, 192.0.2.1.log.
            let quad = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
            let quad = word.get(..quad).and_then(|q| q.strip_suffix('.')).unwrap_or_default();
            let in_word = before.is_alphanumeric() || tail.starts_with(|c: char| c.is_alphanumeric());
            match word.strip_prefix(quad) {
                _ if before.is_alphanumeric() => out.push_str(word),
                Some(rest) if quad.parse::<Ipv4Addr>().is_ok() => {
                    out.push_str(&self.word(quad));
                    out.push_str(rest);
                }
                _ if in_word => out.push_str(word),
                _ => out.push_str(&self.word(word)),
            }
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
            if let Some(made) = self.written(candidate).filter(|made| made.len() == candidate.len()) {
                return word.replacen(candidate, &made, 1);
            }
        }
        word.to_owned()
    }

    /// What stands for an address, written as it is: as many digits in each part (RFC 4291 section 2.2).
    fn written(&mut self, address: &str) -> Option<String> {
        let (front, tail) = address.rsplit_once(':').unwrap_or(("", address));
        match address.parse().ok()? {
            address @ IpAddr::V4(_) => Some(self.of(address).to_string()),
            // IPv4 behind a prefix of IPv6.
            IpAddr::V6(_) if tail.contains('.') => Some(format!("{front}:{}", self.of(tail.parse().ok()?))),
            whole @ IpAddr::V6(_) => {
                let IpAddr::V6(made) = self.of(whole) else { return None };
                let (front, back) = address.split_once("::").unwrap_or((address, ""));
                let groups = |part: &str| part.split(':').filter(|g| !g.is_empty()).count();
                let gap = 8usize.checked_sub(groups(front) + groups(back))?;
                let mut segments = made.segments().into_iter();
                let mut write = |part: &str| {
                    let group = |g: &str| {
                        let (n, w) = (segments.next().unwrap_or_default(), g.len());
                        let upper = g.bytes().any(|b| b.is_ascii_uppercase());
                        if upper { format!("{n:0w$X}") } else { format!("{n:0w$x}") }
                    };
                    part.split(':').filter(|g| !g.is_empty()).map(group).collect::<Vec<_>>().join(":")
                };
                let front = write(front);
                if !address.contains("::") {
                    return Some(front);
                }
                let skipped = format!("0{}", ":0".repeat(gap.checked_sub(1)?));
                write(&skipped);
                Some(format!("{front}::{}", write(back)))
            }
        }
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
        for (text, kept) in [
            ("2001:0DB8:0:0:0:0:00A0:1", "2001:"),
            ("::ffff:192.0.2.7", "::ffff:"),
            ("2001:DB8::A0", "2001:"),
            ("fe80::1", "fe80::"),
            ("192.0.2.7.cap", ".cap"),
            ("192.0.2.7.example.com", ".example.com"),
        ] {
            let again = a.in_text(text);
            assert!(again != text && again.len() == text.len() && again.contains(kept), "{text}: {again}");
            assert!(
                !text.contains("192") || again.contains(made.split(':').next().unwrap_or("?")),
                "{again}"
            );
        }
        let first = made.split(':').next().unwrap_or_default().to_owned();
        assert_eq!(made.matches(&first).count(), 2, "{made}");
    }
}
