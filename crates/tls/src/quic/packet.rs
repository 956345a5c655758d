//! The packets of a datagram (RFC 9000, sections 12.2 and 17).

use super::version::{Kind, Version};
use crate::wire::Wire;

/// Longer connection IDs do not exist (RFC 9000, section 17.2).
pub(crate) const LONGEST_ID: usize = 20;
const LONG: u8 = 0x80;
const FIXED: u8 = 0x40;

/// A packet with a long header, still protected.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Long<'a> {
    pub(crate) version: &'static Version,
    pub(crate) kind: Kind,
    pub(crate) destination: &'a [u8],
    pub(crate) source: &'a [u8],
    /// The header up to the packet number.
    pub(crate) header: &'a [u8],
    /// From the packet number on.
    pub(crate) sealed: &'a [u8],
}

/// A packet.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Packet<'a> {
    Long(Long<'a>),
    /// With a short header: all of it, and nothing stands behind it.
    Short(&'a [u8]),
}

/// Takes the next packet from the front of a datagram; `None` where no packet of a version that is read begins.
pub(crate) fn next<'a>(datagram: &mut &'a [u8]) -> Option<Packet<'a>> {
    let whole = *datagram;
    let first = *whole.first()?;
    (first & FIXED != 0).then_some(())?;
    if first & LONG == 0 {
        *datagram = &[];
        return Some(Packet::Short(whole));
    }
    let mut wire = Wire(whole);
    wire.u8()?;
    let version = Version::of(u32::from_be_bytes(wire.array()?))?;
    let kind = version.kind(first);
    let destination = wire.vector8()?.0;
    let source = wire.vector8()?.0;
    (destination.len() <= LONGEST_ID && source.len() <= LONGEST_ID).then_some(())?;
    if kind == Kind::Retry {
        *datagram = &[];
        return Some(Packet::Long(Long { version, kind, destination, source, header: whole, sealed: &[] }));
    }
    if kind == Kind::Initial {
        // The token.
        wire.sized()?;
    }
    let len = usize::try_from(wire.varint()?).ok()?;
    let header = whole.get(..whole.len() - wire.0.len())?;
    let sealed = wire.take(len)?;
    *datagram = wire.0;
    Some(Packet::Long(Long { version, kind, destination, source, header, sealed }))
}

/// Whether a datagram begins with an Initial packet of QUIC version 1 or 2 (RFC 9000, section 17.2.2).
pub fn is_quic_initial(datagram: &[u8]) -> bool {
    let Some((&[first, a, b, c, d], _)) = datagram.split_first_chunk::<5>() else { return false };
    let Some(version) = Version::of(u32::from_be_bytes([a, b, c, d])) else { return false };
    first & (LONG | FIXED) == LONG | FIXED && version.kind(first) == Kind::Initial
}

/// Whom the first packet of a datagram is for, which all packets in it have in common (RFC 9000, section 12.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuicDestination<'a> {
    /// The connection with this ID.
    Id(&'a [u8]),
    /// The connection with an ID that these bytes begin with: how long IDs are the sender of this does not say.
    Front(&'a [u8]),
}

/// Whom a datagram is for; `None` if it does not begin with a packet of QUIC version 1 or 2.
pub fn quic_destination(datagram: &[u8]) -> Option<QuicDestination<'_>> {
    let (first, rest) = datagram.split_first()?;
    match (first & LONG != 0, first & FIXED != 0) {
        (_, false) => None,
        (false, true) => Some(QuicDestination::Front(rest.get(..LONGEST_ID).unwrap_or(rest))),
        (true, true) => {
            let mut wire = Wire(rest);
            Version::of(u32::from_be_bytes(wire.array()?))?;
            wire.vector8().map(|id| QuicDestination::Id(id.0))
        }
    }
}
