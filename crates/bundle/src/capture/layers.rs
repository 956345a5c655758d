//! What stands where in a frame. What is not known here is content to be blanked.
//!
//! Link types: <https://www.tcpdump.org/linktypes.html>. IPv4: RFC 791; IPv6: RFC 8200; TCP: RFC 9293; UDP: RFC 768.

use super::container::Frame;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Range;

/// A frame taken apart. All positions count in the file that is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layers {
    /// Hardware addresses.
    pub(crate) hardware: Vec<Range<usize>>,
    /// IP addresses, source and destination.
    pub(crate) addresses: Vec<Range<usize>>,
    /// Options and extension headers that may hold the addresses of a packet's way (RFC 791, record route; RFC 8754) or
    /// of its sender (RFC 6275, home address).
    pub(crate) way: Vec<Range<usize>>,
    /// The header of IPv4, which has a checksum.
    pub(crate) ipv4: Option<Range<usize>>,
    /// The header of TCP or UDP and where in it the checksum stands.
    pub(crate) transport: Option<(Range<usize>, usize)>,
    /// What cannot be judged.
    pub(crate) blank: Vec<Range<usize>>,
    /// What it carries.
    pub(crate) content: Content,
}

/// What a frame carries.
#[derive(Debug, Clone, Default)]
pub(crate) enum Content {
    /// Nothing that is kept.
    #[default]
    Other,
    /// A segment.
    Tcp { from: SocketAddr, to: SocketAddr, seq: u32, syn: bool, payload: Range<usize> },
    /// A datagram.
    Udp { from: u16, to: u16, payload: Range<usize> },
}

/// Reads from the front of a frame and knows where it is.
struct Cursor<'a> {
    file: &'a [u8],
    at: usize,
    end: usize,
}

impl Cursor<'_> {
    fn take(&mut self, n: usize) -> Option<Range<usize>> {
        let end = self.at.checked_add(n).filter(|e| *e <= self.end)?;
        let taken = self.at..end;
        self.at = end;
        Some(taken)
    }

    fn peek(&self, i: usize) -> Option<u8> {
        self.file.get(self.at + i).copied().filter(|_| self.at + i < self.end)
    }

    fn u16(&mut self) -> Option<u16> {
        let range = self.take(2)?;
        Some(u16::from_be_bytes(*self.file.get(range)?.first_chunk::<2>()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) << 16 | u32::from(self.u16()?))
    }

    fn rest(&self) -> Range<usize> {
        self.at..self.end
    }
}

impl Layers {
    /// Takes a frame apart.
    pub(crate) fn of(frame: &Frame, file: &[u8]) -> Layers {
        let mut layers = Layers::default();
        let end = (frame.at + frame.len).min(file.len());
        let mut cursor = Cursor { file, at: frame.at, end };
        if layers.link(frame.link, &mut cursor).is_none() {
            // Whatever could not be taken apart; a header cut off holds nothing secret, but who knows what it is.
            let rest = cursor.rest();
            layers.blank.push(rest);
            layers.content = Content::Other;
        }
        layers
    }

    fn link(&mut self, link: u16, c: &mut Cursor<'_>) -> Option<()> {
        match link {
            0 | 108 => {
                c.take(4)?;
                self.ip(c)
            }
            1 => {
                self.hardware.push(c.take(6)?);
                self.hardware.push(c.take(6)?);
                let mut kind = c.u16()?;
                while matches!(kind, 0x8100 | 0x88a8 | 0x9100) {
                    c.take(2)?;
                    kind = c.u16()?;
                }
                self.ethertype(kind, c)
            }
            12 | 14 | 101 | 228 | 229 => self.ip(c),
            113 => {
                c.take(6)?;
                self.hardware.push(c.take(8)?);
                let kind = c.u16()?;
                self.ethertype(kind, c)
            }
            276 => {
                let kind = c.u16()?;
                c.take(10)?;
                self.hardware.push(c.take(8)?);
                self.ethertype(kind, c)
            }
            _ => None,
        }
    }

    fn ethertype(&mut self, kind: u16, c: &mut Cursor<'_>) -> Option<()> {
        match kind {
            0x0800 | 0x86dd => self.ip(c),
            _ => None,
        }
    }

    fn ip(&mut self, c: &mut Cursor<'_>) -> Option<()> {
        match c.peek(0)? >> 4 {
            4 => self.ipv4(c),
            6 => self.ipv6(c),
            _ => None,
        }
    }

    fn ipv4(&mut self, c: &mut Cursor<'_>) -> Option<()> {
        let start = c.at;
        let header = usize::from(c.peek(0)? & 15) * 4;
        c.take(2)?;
        let total = usize::from(c.u16()?);
        c.take(2)?;
        let fragment = c.u16()? & 0x3fff != 0;
        c.take(1)?;
        let protocol = c.peek(0)?;
        c.take(3)?;
        let ends = [self.end(4, c)?, self.end(4, c)?];
        self.way.push(c.take(header.checked_sub(20)?)?);
        self.ipv4 = Some(start..c.at);
        // Total length 0: the card cuts the segment later (TCP segmentation offload).
        self.limit(if total == 0 { c.end } else { start + total }, c);
        if fragment { None } else { self.transport(protocol, ends, c) }
    }

    fn ipv6(&mut self, c: &mut Cursor<'_>) -> Option<()> {
        c.take(4)?;
        let length = usize::from(c.u16()?);
        let mut next = c.peek(0)?;
        c.take(2)?;
        let ends = [self.end(16, c)?, self.end(16, c)?];
        self.limit(if length == 0 { c.end } else { c.at + length }, c);
        // Hop-by-hop options, routing, destination options.
        while matches!(next, 0 | 43 | 60) {
            let length = usize::from(c.peek(1)?);
            next = c.peek(0)?;
            let header = c.take(length * 8 + 8)?;
            // What follows, and how long it is, stays.
            self.way.push(header.start + 2..header.end);
        }
        self.transport(next, ends, c)
    }

    /// An address of so many bytes; noted at once, for the next one may be cut off.
    fn end(&mut self, length: usize, c: &mut Cursor<'_>) -> Option<IpAddr> {
        let range = c.take(length)?;
        let end = address(c.file, &range);
        self.addresses.push(range);
        end
    }

    /// What stands behind the packet is padding.
    fn limit(&mut self, end: usize, c: &mut Cursor<'_>) {
        if end < c.end {
            self.blank.push(end.max(c.at)..c.end);
            c.end = end.max(c.at);
        }
    }

    fn transport(&mut self, protocol: u8, [from, to]: [IpAddr; 2], c: &mut Cursor<'_>) -> Option<()> {
        let start = c.at;
        match protocol {
            6 => {
                let (source, target) = (c.u16()?, c.u16()?);
                let seq = c.u32()?;
                c.take(4)?;
                let header = usize::from(c.peek(0)? >> 4) * 4;
                let flags = c.peek(1)?;
                c.take(8)?;
                c.take(header.checked_sub(20)?)?;
                self.transport = Some((start..c.end, start + 16));
                let (from, to) = (SocketAddr::new(from, source), SocketAddr::new(to, target));
                self.content = Content::Tcp { from, to, seq, syn: flags & 2 != 0, payload: c.rest() };
            }
            17 => {
                let (from, to) = (c.u16()?, c.u16()?);
                c.take(4)?;
                self.transport = Some((start..c.end, start + 6));
                self.content = Content::Udp { from, to, payload: c.rest() };
            }
            _ => return None,
        }
        Some(())
    }
}

pub(crate) fn address(file: &[u8], range: &Range<usize>) -> Option<IpAddr> {
    let bytes = file.get(range.clone())?;
    match bytes.len() {
        4 => Some(IpAddr::V4(Ipv4Addr::from(*bytes.first_chunk::<4>()?))),
        _ => Some(IpAddr::V6(Ipv6Addr::from(*bytes.first_chunk::<16>()?))),
    }
}
