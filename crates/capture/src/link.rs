//! What stands around an IP packet on a link.
//!
//! Link types: <https://www.tcpdump.org/linktypes.html>.

use crate::dissect::{Dissector, Packet};
use crate::sink::Sink;

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_IPV6: u16 = 0x86dd;
pub(crate) const ETHERTYPE_BRIDGING: u16 = 0x6558;
pub(crate) const ETHERTYPE_PPP: u16 = 0x880b;
pub(crate) const ETHERTYPE_ERSPAN: u16 = 0x88be;
pub(crate) const ETHERTYPE_ERSPAN_3: u16 = 0x22eb;
/// Stacked tags are unwrapped in a loop; nobody stacks more.
const MOST_TAGS: usize = 16;

impl<S: Sink + ?Sized> Dissector<'_, S> {
    /// A packet as captured on a link of this type.
    pub(crate) fn link(&mut self, link: u16, p: Packet<'_>) {
        let at = p.bytes.offset();
        let read = match link {
            0 | 108 => self.loopback(p),
            1 => self.ethernet(p),
            9 | 50 => self.ppp(p),
            51 => self.pppoe(p),
            12 | 14 | 101 | 228 | 229 => self.ip(p),
            113 => self.cooked(p),
            276 => self.cooked_2(p),
            _ => {
                self.problem(at, format!("packets of link type {link} are not read"));
                Some(())
            }
        };
        if read.is_none() {
            self.problem(at, "a packet is too short for its link header");
        }
    }

    pub(crate) fn ethernet(&mut self, mut p: Packet<'_>) -> Option<()> {
        p.bytes.skip(12)?;
        let kind = p.bytes.u16()?;
        self.ethertype(kind, p)
    }

    /// What an EtherType says that follows.
    pub(crate) fn ethertype(&mut self, mut kind: u16, mut p: Packet<'_>) -> Option<()> {
        for _ in 0..MOST_TAGS {
            match kind {
                ETHERTYPE_IPV4 | ETHERTYPE_IPV6 => return self.ip(p),
                // VLAN, QinQ and what came before it was a standard.
                0x8100 | 0x88a8 | 0x9100 | 0x9200 => {
                    p.bytes.skip(2)?;
                    kind = p.bytes.u16()?;
                }
                0x8847 | 0x8848 => return self.mpls(p),
                0x8864 => return self.pppoe(p),
                ETHERTYPE_PPP => return self.ppp(p),
                ETHERTYPE_BRIDGING => return self.ethernet(p),
                // A length: IEEE 802.2 with SNAP is the only way to IP.
                0..=1500 => {
                    if p.bytes.take(6)?.data() != [0xaa, 0xaa, 3, 0, 0, 0] {
                        return Some(());
                    }
                    kind = p.bytes.u16()?;
                }
                // ARP, LLDP and the like carry no stream.
                _ => return Some(()),
            }
        }
        Some(())
    }

    /// BSD loopback: an address family in the byte order of the machine, which the IP version tells as well.
    fn loopback(&mut self, mut p: Packet<'_>) -> Option<()> {
        p.bytes.skip(4)?;
        self.ip_if_any(p)
    }

    fn cooked(&mut self, mut p: Packet<'_>) -> Option<()> {
        p.bytes.skip(14)?;
        let kind = p.bytes.u16()?;
        self.ethertype(kind, p)
    }

    fn cooked_2(&mut self, mut p: Packet<'_>) -> Option<()> {
        let kind = p.bytes.u16()?;
        p.bytes.skip(18)?;
        self.ethertype(kind, p)
    }

    /// RFC 2516: version and type, code, session, length, then PPP.
    fn pppoe(&mut self, mut p: Packet<'_>) -> Option<()> {
        let [_, code, ..] = p.bytes.array::<6>()?;
        if code == 0 { self.ppp(p) } else { Some(()) }
    }

    /// RFC 1661, with or without the address and control fields of RFC 1662.
    pub(crate) fn ppp(&mut self, mut p: Packet<'_>) -> Option<()> {
        if p.bytes.peek_u16(0)? == 0xff03 {
            p.bytes.skip(2)?;
        }
        let mut kind = u16::from(p.bytes.u8()?);
        if kind & 1 == 0 {
            kind = kind << 8 | u16::from(p.bytes.u8()?);
        }
        match kind {
            0x21 | 0x57 => self.ip(p),
            0x281 | 0x283 => self.mpls(p),
            _ => Some(()),
        }
    }

    /// RFC 3032: labels up to the one marked as the last; what follows is known by its first four bits.
    pub(crate) fn mpls(&mut self, mut p: Packet<'_>) -> Option<()> {
        while p.bytes.u32()? & 0x100 == 0 {}
        match p.bytes.peek(0)? >> 4 {
            4 | 6 => self.ip(p),
            // RFC 4385: the control word of a pseudowire.
            0 => {
                p.bytes.skip(4)?;
                self.ethernet(p)
            }
            _ => self.ethernet(p),
        }
    }

    fn ip_if_any(&mut self, p: Packet<'_>) -> Option<()> {
        match p.bytes.peek(0)? >> 4 {
            4 | 6 => self.ip(p),
            _ => Some(()),
        }
    }
}
