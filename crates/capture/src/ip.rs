//! IPv4, IPv6 and what they carry.

use crate::dissect::{Dissector, Packet};
use crate::fragment::{Fragment, Key};
use crate::sink::{Datagram, Sink};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use why401_span::Span;

/// Source and destination of an IP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Addresses {
    pub(crate) from: IpAddr,
    pub(crate) to: IpAddr,
}

pub(crate) const FRAGMENT_HEADER: u8 = 44;

impl<S: Sink + ?Sized> Dissector<'_, S> {
    /// An IP packet of either version.
    pub(crate) fn ip(&mut self, p: Packet<'_>) -> Option<()> {
        let at = p.bytes.offset();
        let read = match p.bytes.peek(0)? >> 4 {
            4 => self.ipv4(p),
            6 => self.ipv6(p),
            version => {
                self.problem(at, format!("an IP packet of version {version}"));
                Some(())
            }
        };
        if read.is_none() {
            self.problem(at, "a packet is too short for its IP headers");
        }
        Some(())
    }

    /// RFC 791.
    fn ipv4(&mut self, mut p: Packet<'_>) -> Option<()> {
        let at = p.bytes.offset();
        let header = p.bytes.data();
        let [first, _, len_hi, len_lo, id_hi, id_lo, frag_hi, frag_lo, _, protocol, _, _, rest @ ..] =
            header.first_chunk::<20>()?;
        let [s0, s1, s2, s3, d0, d1, d2, d3] = *rest;
        let header_len = usize::from(first & 0xf) * 4;
        let total = usize::from(u16::from_be_bytes([*len_hi, *len_lo]));
        if header_len < 20 || (total != 0 && total < header_len) {
            self.problem(at, "an IPv4 packet with lengths that cannot be");
            return Some(());
        }
        p.bytes.skip(header_len)?;
        // Segmentation offload leaves the length 0 in what is captured on the sending machine.
        if total != 0 {
            self.limit(&mut p, total - header_len);
        }
        let addresses = Addresses {
            from: Ipv4Addr::new(s0, s1, s2, s3).into(),
            to: Ipv4Addr::new(d0, d1, d2, d3).into(),
        };
        let fragment = u16::from_be_bytes([*frag_hi, *frag_lo]);
        let (more, offset) = (fragment & 0x2000 != 0, usize::from(fragment & 0x1fff) * 8);
        if more || offset > 0 {
            let id = u32::from(u16::from_be_bytes([*id_hi, *id_lo]));
            let key = Key { addresses, id, protocol: *protocol };
            return self.fragment(key, Fragment { offset, more }, p);
        }
        self.transport(*protocol, addresses, p)
    }

    /// RFC 8200.
    fn ipv6(&mut self, mut p: Packet<'_>) -> Option<()> {
        p.bytes.skip(4)?;
        let len = usize::from(p.bytes.u16()?);
        let mut next = p.bytes.u8()?;
        p.bytes.skip(1)?;
        let from = Ipv6Addr::from(p.bytes.array::<16>()?).into();
        let to = Ipv6Addr::from(p.bytes.array::<16>()?).into();
        let addresses = Addresses { from, to };
        // A jumbogram (RFC 2675), or segmentation offload.
        if len != 0 {
            self.limit(&mut p, len);
        }
        loop {
            match next {
                // Hop-by-hop, routing, destination options, mobility, HIP, shim6.
                0 | 43 | 60 | 135 | 139 | 140 => {
                    next = p.bytes.u8()?;
                    let len = usize::from(p.bytes.u8()?);
                    p.bytes.skip(len * 8 + 6)?;
                }
                // RFC 4302: the length counts in words of 32 bits, less two.
                51 => {
                    next = p.bytes.u8()?;
                    let len = usize::from(p.bytes.u8()?);
                    p.bytes.skip(((len + 2) * 4).checked_sub(2)?)?;
                }
                FRAGMENT_HEADER => {
                    next = p.bytes.u8()?;
                    p.bytes.skip(1)?;
                    let place = p.bytes.u16()?;
                    let id = p.bytes.u32()?;
                    let (more, offset) = (place & 1 != 0, usize::from(place & !7));
                    if more || offset > 0 {
                        let key = Key { addresses, id, protocol: next };
                        return self.fragment(key, Fragment { offset, more }, p);
                    }
                }
                _ => return self.transport(next, addresses, p),
            }
        }
    }

    /// Cuts off what stands behind the packet (padding), and notes what was not captured of it.
    pub(crate) fn limit(&mut self, p: &mut Packet<'_>, len: usize) {
        let there = p.bytes.len().min(len);
        p.bytes = p.bytes.truncated(there);
        p.missing = len - there;
    }

    /// What an IP packet carries.
    pub(crate) fn transport(&mut self, protocol: u8, addresses: Addresses, p: Packet<'_>) -> Option<()> {
        let at = p.bytes.offset();
        let read = match protocol {
            6 => self.tcp(addresses, p),
            17 => self.udp(addresses, p),
            4 | 41 => self.tunnelled(p, Self::ip),
            47 => self.tunnelled(p, Self::gre),
            137 => self.tunnelled(p, Self::mpls),
            // IPv6's headers may stand behind a fragment header, hence within a reassembled packet.
            0 | 43 | 60 | 135 => self.behind_fragments(addresses, protocol, p),
            _ => Some(()),
        };
        if read.is_none() {
            self.problem(at, "a packet is too short for its headers");
        }
        Some(())
    }

    fn behind_fragments(&mut self, addresses: Addresses, mut next: u8, mut p: Packet<'_>) -> Option<()> {
        while matches!(next, 0 | 43 | 60 | 135) {
            next = p.bytes.u8()?;
            let len = usize::from(p.bytes.u8()?);
            p.bytes.skip(len * 8 + 6)?;
        }
        self.transport(next, addresses, p)
    }

    /// RFC 768.
    fn udp(&mut self, addresses: Addresses, mut p: Packet<'_>) -> Option<()> {
        let [f0, f1, t0, t1, l0, l1, _, _] = p.bytes.array::<8>()?;
        let from = SocketAddr::new(addresses.from, u16::from_be_bytes([f0, f1]));
        let to = SocketAddr::new(addresses.to, u16::from_be_bytes([t0, t1]));
        let len = usize::from(u16::from_be_bytes([l0, l1]));
        if len >= 8 && len - 8 < p.bytes.len() + p.missing {
            self.limit(&mut p, len - 8);
        }
        if self.udp_tunnel(from.port(), to.port(), p) {
            return Some(());
        }
        let start = p.bytes.offset();
        let end = p.bytes.runs().map(|(run, at)| at + run.len() as u64).max().unwrap_or(start);
        let start = p.bytes.runs().map(|(_, at)| at).min().unwrap_or(start);
        self.sink.datagram(Datagram {
            from,
            to,
            bytes: p.bytes.data(),
            span: Span { start, end, ..self.state.base },
            fragmented: p.fragmented,
            missing: p.missing as u64,
            time: p.time,
        });
        Some(())
    }
}
