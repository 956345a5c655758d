//! Checksums mended by what changed (RFC 1624), so that they are right where they were right, in cut packets too.

use super::layers::Layers;
use std::ops::Range;

/// Mends the checksums of a frame; `before` is the file as it was.
pub(crate) fn mend(layers: &Layers, before: &[u8], out: &mut [u8]) {
    if let Some(header) = &layers.ipv4 {
        adjust(std::slice::from_ref(header), header.start, header.start + 10, before, out);
    }
    if let Some((whole, at)) = &layers.transport {
        // A datagram without a checksum has zeros there.
        if layers.is_udp() && before.get(*at..at + 2) == Some(&[0, 0]) {
            return;
        }
        // Addresses count by the pseudo-header; they begin at even offsets of it.
        for address in &layers.addresses {
            adjust(std::slice::from_ref(address), address.start, *at, before, out);
        }
        adjust(std::slice::from_ref(whole), whole.start, *at, before, out);
        // A sum of zero is sent as its other writing (RFC 768); in IPv6 a datagram has to have one.
        if let Some(field) = out.get_mut(*at..at + 2).filter(|sum| layers.is_udp() && **sum == [0, 0]) {
            field.fill(0xff);
        }
    }
}

/// Adds what changed in `ranges`, in words that begin at even distances from `origin`, to the checksum at `at`.
fn adjust(ranges: &[Range<usize>], origin: usize, at: usize, before: &[u8], out: &mut [u8]) {
    let mut sum: u64 = 0;
    for i in ranges.iter().flat_map(|r| r.clone()).filter(|i| *i != at && *i != at + 1) {
        let (Some(old), Some(new)) = (before.get(i), out.get(i)) else { continue };
        if old != new {
            let shift = if (i - origin).is_multiple_of(2) { 8 } else { 0 };
            // One's complement: the old word leaves, the new one comes.
            sum += u64::from(!(u16::from(*old) << shift)) + (u64::from(*new) << shift);
        }
    }
    let Some(field) = out.get_mut(at..at + 2).filter(|_| sum > 0) else { return };
    let old = field.iter().fold(0u16, |n, b| n << 8 | u16::from(*b));
    sum += u64::from(!old);
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    field.copy_from_slice(&(!(sum as u16)).to_be_bytes());
}

impl Layers {
    fn is_udp(&self) -> bool {
        matches!(self.content, super::Content::Udp { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Content;
    use super::*;

    /// The sum of RFC 1071 over all words; 0 where the checksum in it is right.
    fn sum(parts: &[&[u8]]) -> u16 {
        let words = parts.concat();
        let mut sum: u32 =
            words.chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(w.get(1).copied().unwrap_or(0))).sum();
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }

    fn pseudo(packet: &[u8]) -> Vec<u8> {
        let segment = (packet.len() - 20) as u16;
        [&packet[12..20], &[0, 6], &segment.to_be_bytes()].concat()
    }

    #[test]
    fn what_was_right_stays_right_whatever_is_changed() {
        for payload in [0, 1, 7, 1000] {
            // A packet that begins at an odd place of the file, with sums of its own.
            let mut file = vec![0; 7];
            file.extend((0..40 + payload).map(|i| (i * 37 % 251) as u8));
            let (ip, all) = (7..27, 7..file.len());
            for at in [17, 43] {
                file[at..at + 2].fill(0);
            }
            let header = sum(&[&file[ip.clone()]]);
            file[17..19].copy_from_slice(&header.to_be_bytes());
            let segment = sum(&[&pseudo(&file[all.clone()]), &file[27..]]);
            file[43..45].copy_from_slice(&segment.to_be_bytes());
            let any: std::net::SocketAddr = ([192, 0, 2, 1], 80).into();
            let layers = Layers {
                ipv4: Some(ip.clone()),
                addresses: vec![19..23, 23..27],
                transport: Some((27..file.len(), 43)),
                content: Content::Tcp { from: any, to: any, seq: 0, syn: false, payload: 47..file.len() },
                ..Layers::default()
            };
            let mut out = file.clone();
            for i in (19..27).chain(47..file.len()) {
                out[i] = out[i].wrapping_mul(3).wrapping_add(5);
            }
            mend(&layers, &file, &mut out);
            assert_eq!(sum(&[&out[ip]]), 0, "IPv4, {payload}");
            assert_eq!(sum(&[&pseudo(&out[all]), &out[27..]]), 0, "TCP, {payload}");
            assert_ne!(file[43..45], out[43..45]);
        }
    }
    #[test]
    fn a_sum_of_zero_is_written_otherwise_in_a_datagram_and_no_sum_stays_none() {
        let any: std::net::SocketAddr = ([192, 0, 2, 1], 80).into();
        let udp = || Content::Udp { from: 53, to: 53, payload: 8..12 };
        let tcp = || Content::Tcp { from: any, to: any, seq: 0, syn: false, payload: 8..12 };
        // The checksum before; which ones of those come out that a sum has two writings of.
        for (content, before, zero, ones) in
            [(udp(), 0x1234, 0, 1), (tcp(), 0x1234, 1, 0), (udp(), 0, 0x1_0000, 0)]
        {
            let layers = Layers { transport: Some((0..12, 6)), content, ..Layers::default() };
            let mut file = [0, 53, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4];
            file[6..8].copy_from_slice(&u16::to_be_bytes(before));
            let made = |word: u16| {
                let mut out = file;
                out[8..10].copy_from_slice(&word.to_be_bytes());
                mend(&layers, &file, &mut out);
                u16::from_be_bytes([out[6], out[7]])
            };
            let all: Vec<u16> = (0..=u16::MAX).map(made).collect();
            let count = |sum: u16| all.iter().filter(|made| **made == sum).count();
            assert_eq!((count(0), count(0xffff)), (zero, ones), "{:?}", layers.content);
        }
    }
}
