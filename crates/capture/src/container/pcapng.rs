//! pcapng: sections of blocks.
//!
//! Source: draft-ietf-opsawg-pcapng, <https://ietf-opsawg-wg.github.io/draft-ietf-opsawg-pcap/draft-ietf-opsawg-pcapng.html>.

use super::{Item, LARGEST_PACKET, Step};
use crate::Time;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const NAMES: u32 = 4;
const STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;
const SECRETS: u32 = 10;
/// "TLSK": lines of an SSLKEYLOGFILE.
const TLS_KEY_LOG: u32 = 0x544c_534b;
/// Secrets and names can be larger than a packet.
const LARGEST_BLOCK: usize = 16 << 20;
/// No capture has more; each costs memory.
const MOST_INTERFACES: usize = 1 << 16;

#[derive(Debug, Clone, Copy)]
struct Interface {
    link: u16,
    snaplen: usize,
    /// `if_tsresol`: units of a second, a power of ten or, with the top bit, of two.
    resolution: u8,
    /// `if_tsoffset`: seconds to add.
    offset: i64,
}

/// Reads a pcapng file block by block.
#[derive(Debug, Default)]
pub(crate) struct PcapNg {
    big_endian: bool,
    interfaces: Vec<Interface>,
    lost: bool,
}

/// Reads the numbers of a block in the section's byte order.
#[derive(Clone, Copy)]
struct Fields<'a> {
    rest: &'a [u8],
    big_endian: bool,
}

impl<'a> Fields<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (front, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        let mut bytes = *front;
        if self.big_endian {
            bytes.reverse();
        }
        Some(bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.rest.split_at_checked(n)?;
        self.rest = rest;
        Some(front)
    }

    /// Takes `n` bytes and what fills them up to a multiple of four.
    fn padded(&mut self, n: usize) -> Option<&'a [u8]> {
        let front = self.take(n)?;
        let fill = n.next_multiple_of(4) - n;
        self.rest = self.rest.get(fill..).unwrap_or_default();
        Some(front)
    }

    /// The next code, length and value, of options and of name records.
    fn option(&mut self) -> Option<(u16, &'a [u8])> {
        let code = self.u16()?;
        let len = self.u16()?;
        (code != 0).then_some(())?;
        Some((code, self.padded(usize::from(len))?))
    }
}

impl PcapNg {
    pub(crate) fn step(&mut self, buf: &[u8], last: bool, out: &mut impl FnMut(Item<'_>)) -> Step {
        if self.lost {
            return self.resume(buf, last);
        }
        let Some((kind, len)) = self.head(buf) else {
            if !last {
                return Step::Need(12);
            }
            if !buf.is_empty() {
                out(Item::Problem("the file is cut within the header of a block".into()));
            }
            return Step::Done(buf.len());
        };
        if !possible(kind, len) {
            out(Item::Problem(format!("a block claims to be {len} bytes long")));
            self.lost = true;
            return Step::Done(4.min(buf.len()));
        }
        let whole = buf.get(..len);
        if whole.is_none() && !last {
            return Step::Need(len);
        }
        if whole.is_none() {
            out(Item::Problem("the file is cut within a block".into()));
        } else if self.fields(whole.and_then(|w| w.get(len - 4..)).unwrap_or_default()).u32()
            != Some(len as u32)
        {
            out(Item::Problem("the two lengths of a block differ".into()));
        }
        let body = whole.map_or(buf.get(8..), |w| w.get(8..len - 4)).unwrap_or_default();
        if self.block(kind, body, whole.is_none(), out).is_none() && whole.is_some() {
            out(Item::Problem(format!("a block of type {kind:#x} is too short for what it claims to hold")));
        }
        Step::Done(len.min(buf.len()))
    }

    fn fields<'a>(&self, rest: &'a [u8]) -> Fields<'a> {
        Fields { rest, big_endian: self.big_endian }
    }

    /// Type and total length; a section header decides the byte order from there on.
    fn head(&mut self, buf: &[u8]) -> Option<(u32, usize)> {
        let mut f = self.fields(buf);
        let kind = f.u32()?;
        if kind == SECTION_HEADER {
            let order = *buf.get(8..)?.first_chunk::<4>()?;
            self.big_endian = order == [0x1a, 0x2b, 0x3c, 0x4d];
            f.big_endian = self.big_endian;
        }
        Some((kind, f.u32()? as usize))
    }

    fn block(&mut self, kind: u32, body: &[u8], cut: bool, out: &mut impl FnMut(Item<'_>)) -> Option<()> {
        let mut f = self.fields(body);
        match kind {
            SECTION_HEADER => {
                self.interfaces.clear();
                f.take(16)?;
                comments(f, body, out);
            }
            INTERFACE => {
                let interface = self.interface(f)?;
                if self.interfaces.len() < MOST_INTERFACES {
                    self.interfaces.push(interface);
                }
                f.take(8)?;
                comments(f, body, out);
            }
            ENHANCED_PACKET | PACKET => {
                let interface = match kind {
                    ENHANCED_PACKET => f.u32()? as usize,
                    _ => f.u32()? as u16 as usize,
                };
                let ticks = u64::from(f.u32()?) << 32 | u64::from(f.u32()?);
                let (captured, wire_len) = (f.u32()? as usize, f.u32()? as usize);
                let Some(interface) = self.interfaces.get(interface).copied() else {
                    out(Item::Problem("a packet of an interface that was not described".into()));
                    return Some(());
                };
                let bytes = match f.padded(captured) {
                    None if cut => f.rest,
                    bytes => bytes?,
                };
                let time = Some(interface.time(ticks));
                let wire_len = wire_len.max(bytes.len());
                out(Item::Packet { link: interface.link, time, bytes, at: 8 + 20, wire_len });
                if f.rest.len() > 4 {
                    comments(f, body, out);
                }
            }
            SIMPLE_PACKET => {
                let wire_len = f.u32()? as usize;
                let Some(interface) = self.interfaces.first().copied() else {
                    out(Item::Problem("a packet of an interface that was not described".into()));
                    return Some(());
                };
                let captured = wire_len.min(interface.snaplen).min(f.rest.len());
                let bytes = f.take(captured)?;
                out(Item::Packet { link: interface.link, time: None, bytes, at: 8 + 4, wire_len });
            }
            SECRETS => {
                let (secrets, len) = (f.u32()?, f.u32()? as usize);
                let bytes = f.take(len.min(f.rest.len()))?;
                match secrets {
                    TLS_KEY_LOG => out(Item::TlsKeys(bytes)),
                    _ => out(Item::Nothing),
                }
            }
            NAMES => names(f, out),
            STATISTICS => {
                f.take(12)?;
                comments(f, body, out);
            }
            _ => out(Item::Nothing),
        }
        Some(())
    }

    fn interface(&self, mut f: Fields<'_>) -> Option<Interface> {
        let link = f.u16()?;
        f.u16()?;
        let snaplen = match f.u32()? as usize {
            0 => LARGEST_PACKET,
            n => n.min(LARGEST_PACKET),
        };
        let mut found = Interface { link, snaplen, resolution: 6, offset: 0 };
        while let Some((code, value)) = f.option() {
            match (code, value) {
                (9, [resolution, ..]) => found.resolution = *resolution,
                (14, value) => {
                    let seconds = self.fields(value).array().map(i64::from_le_bytes);
                    found.offset = seconds.unwrap_or(0);
                }
                _ => {}
            }
        }
        Some(found)
    }

    /// Looks for the next block of a known type whose two lengths agree.
    fn resume(&mut self, buf: &[u8], last: bool) -> Step {
        for at in (0..buf.len()).step_by(4) {
            let rest = buf.get(at..).unwrap_or_default();
            let Some((kind, len)) = self.head_kept(rest) else {
                return match (last, at) {
                    (true, _) => Step::Done(buf.len()),
                    (false, 0) => Step::Need(12),
                    (false, at) => Step::Done(at),
                };
            };
            let known = matches!(kind, 1..=6 | SECRETS | SECTION_HEADER);
            if !known || !possible(kind, len) || len > LARGEST_PACKET {
                continue;
            }
            match rest.get(len - 4..len) {
                Some(trailer) if self.fields(trailer).u32() == Some(len as u32) => {
                    self.lost = false;
                    return Step::Done(at);
                }
                None if !last && at == 0 => return Step::Need(len),
                None if !last => return Step::Done(at),
                _ => {}
            }
        }
        Step::Done(buf.len())
    }

    /// As `head`, without taking over the byte order.
    fn head_kept(&self, buf: &[u8]) -> Option<(u32, usize)> {
        let mut f = self.fields(buf.get(..12).and(Some(buf))?);
        Some((f.u32()?, f.u32()? as usize))
    }
}

impl Interface {
    fn time(&self, ticks: u64) -> Time {
        let (seconds, nanoseconds) = match self.resolution {
            _ if self.resolution & 0x80 != 0 => {
                let shift = u32::from(self.resolution & 0x7f);
                let whole = ticks.checked_shr(shift).unwrap_or(0);
                let part = ticks & 1u64.checked_shl(shift).map_or(u64::MAX, |n| n.wrapping_sub(1));
                (whole, (u128::from(part) * 1_000_000_000) >> shift.min(127))
            }
            power => {
                let unit = 10u64.checked_pow(u32::from(power)).unwrap_or(u64::MAX);
                (ticks / unit, u128::from(ticks % unit) * 1_000_000_000 / u128::from(unit))
            }
        };
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_add(self.offset);
        Time(seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds as i64))
    }
}

fn possible(kind: u32, len: usize) -> bool {
    let most = if matches!(kind, ENHANCED_PACKET | SIMPLE_PACKET | PACKET | INTERFACE) {
        LARGEST_PACKET + 64 * 1024
    } else {
        LARGEST_BLOCK
    };
    // A length that is no multiple of four is an error that some writers make; the trailer tells.
    (12..=most).contains(&len)
}

/// Hands over the comments among the options that follow.
fn comments(mut options: Fields<'_>, body: &[u8], out: &mut impl FnMut(Item<'_>)) {
    while let Some((code, text)) = options.option() {
        if code == 1 {
            let behind = options.rest.len() + text.len().next_multiple_of(4);
            out(Item::Comment { text, at: 8 + body.len().saturating_sub(behind) });
        }
    }
}

fn names(mut f: Fields<'_>, out: &mut impl FnMut(Item<'_>)) {
    while let Some((kind, value)) = f.option() {
        let (address, names): (IpAddr, &[u8]) = match kind {
            1 => match value.split_first_chunk::<4>() {
                Some((a, names)) => (Ipv4Addr::from(*a).into(), names),
                None => continue,
            },
            2 => match value.split_first_chunk::<16>() {
                Some((a, names)) => (Ipv6Addr::from(*a).into(), names),
                None => continue,
            },
            _ => continue,
        };
        for name in names.split(|c| *c == 0).filter(|n| !n.is_empty()) {
            out(Item::Name(address, name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolutions_of_ten_and_of_two() {
        let with = |resolution, offset| Interface { link: 1, snaplen: 0, resolution, offset };
        assert_eq!(with(6, 0).time(1_500_000), Time(1_500_000_000));
        assert_eq!(with(9, 2).time(7), Time(2_000_000_007));
        assert_eq!(with(0, 0).time(3), Time(3_000_000_000));
        assert_eq!(with(0x80 | 10, 0).time(1024 + 512), Time(1_500_000_000));
        assert_eq!(with(0xff, i64::MAX).time(u64::MAX), Time(i64::MAX));
        assert_eq!(with(0x7f, 0).time(5), Time(0));
    }
}
