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
