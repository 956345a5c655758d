//! Packets inside packets.

use crate::dissect::{Dissector, Packet};
use crate::link::{ETHERTYPE_ERSPAN, ETHERTYPE_ERSPAN_3};
use crate::sink::Sink;

const VXLAN: u16 = 4789;
/// What Linux used before the port was assigned, and still does by default.
const VXLAN_LINUX: u16 = 8472;
const GENEVE: u16 = 6081;
const GTP_U: u16 = 2152;
const MPLS_IN_UDP: u16 = 6635;

impl<S: Sink + ?Sized> Dissector<'_, S> {
    /// RFC 2784 and 2890; version 1 is PPTP's (RFC 2637).
    pub(crate) fn gre(&mut self, mut p: Packet<'_>) -> Option<()> {
        let flags = p.bytes.u16()?;
        let kind = p.bytes.u16()?;
        let (checksum, routing, key, sequence) =
            (flags & 0x8000 != 0, flags & 0x4000 != 0, flags & 0x2000 != 0, flags & 0x1000 != 0);
        if flags & 7 == 1 {
            let acknowledgement = flags & 0x80 != 0;
            p.bytes.skip(4 + 4 * usize::from(sequence) + 4 * usize::from(acknowledgement))?;
            return if p.bytes.is_empty() { Some(()) } else { self.ppp(p) };
        }
        if flags & 7 != 0 || routing {
            let at = p.bytes.offset();
            self.problem(at, "a GRE packet of a version or with routing that nobody uses");
            return Some(());
        }
        p.bytes.skip(4 * (usize::from(checksum) + usize::from(key) + usize::from(sequence)))?;
        match kind {
            // ERSPAN type I has neither sequence number nor header of its own (draft-foschiano-erspan).
            ETHERTYPE_ERSPAN if !sequence => self.ethernet(p),
            ETHERTYPE_ERSPAN => {
                p.bytes.skip(8)?;
                self.ethernet(p)
            }
            ETHERTYPE_ERSPAN_3 => {
                let header = p.bytes.take(12)?;
                // The last bit says that a platform specific subheader follows.
                if header.peek(11)? & 1 != 0 {
                    p.bytes.skip(8)?;
                }
                self.ethernet(p)
            }
            kind => self.ethertype(kind, p),
        }
    }

    /// Whether the datagram was the outside of a tunnel.
    pub(crate) fn udp_tunnel(&mut self, from: u16, to: u16, p: Packet<'_>) -> bool {
        let inside = match to {
            VXLAN | VXLAN_LINUX => self.tunnelled(p, Self::vxlan),
            GENEVE => self.tunnelled(p, Self::geneve),
            MPLS_IN_UDP => self.tunnelled(p, Self::mpls),
            _ if to == GTP_U || from == GTP_U => self.tunnelled(p, Self::gtp_u),
            _ => None,
        };
        inside.is_some()
    }

    /// RFC 7348: flags of which one bit is set, reserved bytes, the network's number.
    fn vxlan(&mut self, mut p: Packet<'_>) -> Option<()> {
        let [flags, ..] = p.bytes.array::<8>()?;
        (flags & 0x08 != 0).then_some(())?;
        self.ethernet(p)
    }

    /// RFC 8926.
    fn geneve(&mut self, mut p: Packet<'_>) -> Option<()> {
        let [first, _, k0, k1, ..] = p.bytes.array::<8>()?;
        (first >> 6 == 0).then_some(())?;
        p.bytes.skip(usize::from(first & 0x3f) * 4)?;
        self.ethertype(u16::from_be_bytes([k0, k1]), p)
    }

    /// 3GPP TS 29.281: only G-PDU messages (type 255) carry a packet.
    fn gtp_u(&mut self, mut p: Packet<'_>) -> Option<()> {
        let [flags, kind, ..] = p.bytes.array::<8>()?;
        (flags >> 4 == 3 && kind == 0xff).then_some(())?;
        if flags & 7 != 0 {
            let [_, _, _, mut next] = p.bytes.array::<4>()?;
            // An extension header counts its length in words, of which the last byte names the next one.
            while flags & 4 != 0 && next != 0 {
                let words = usize::from(p.bytes.u8()?);
                let body = p.bytes.take((words * 4).checked_sub(1)?)?;
                next = body.peek(body.len().checked_sub(1)?)?;
            }
        }
        match p.bytes.peek(0)? >> 4 {
            4 | 6 => self.ip(p),
            _ => Some(()),
        }
    }
}
