//! TCP: segments to connections and streams.

mod flow;
mod half;
mod history;
mod index;
mod table;
mod waiting;

pub(crate) use table::{Flows, finish};

use crate::bytes::Bytes;
use crate::dissect::{Dissector, Packet};
use crate::ip::Addresses;
use crate::sink::{Sink, Time};
use std::net::SocketAddr;

/// What a TCP segment says (RFC 9293, section 3.1).
#[derive(Clone, Copy)]
pub(crate) struct Segment<'a> {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) seq: u32,
    pub(crate) ack: Option<u32>,
    pub(crate) syn: bool,
    pub(crate) fin: bool,
    pub(crate) rst: bool,
    pub(crate) payload: Bytes<'a>,
    /// Bytes of the payload, at its end, that were not captured.
    pub(crate) missing: usize,
    pub(crate) time: Option<Time>,
}

impl<S: Sink + ?Sized> Dissector<'_, S> {
    pub(crate) fn tcp(&mut self, addresses: Addresses, mut p: Packet<'_>) -> Option<()> {
        let start = p.bytes.offset();
        let [f0, f1, t0, t1] = p.bytes.array()?;
        let seq = p.bytes.u32()?;
        let ack = p.bytes.u32()?;
        let [offset, flags] = p.bytes.array()?;
        p.bytes.skip(6)?;
        let Some(options) = (usize::from(offset >> 4) * 4).checked_sub(20) else {
            self.problem(start, "a TCP segment with a header length that cannot be");
            return Some(());
        };
        // A packet cut within the options still tells how long its payload was.
        let cut = options.saturating_sub(p.bytes.len());
        let missing = p.missing.checked_sub(cut).or_else(|| {
            self.problem(start, "a TCP segment with a header length that cannot be");
            None
        });
        let Some(missing) = missing else { return Some(()) };
        p.bytes.skip(options - cut)?;
        let flag = |bit: u8| flags & bit != 0;
        let segment = Segment {
            from: SocketAddr::new(addresses.from, u16::from_be_bytes([f0, f1])),
            to: SocketAddr::new(addresses.to, u16::from_be_bytes([t0, t1])),
            seq,
            ack: flag(0x10).then_some(ack),
            syn: flag(0x02),
            fin: flag(0x01),
            rst: flag(0x04),
            payload: p.bytes,
            missing,
            time: p.time,
        };
        table::segment(self.state, self.sink, &segment);
        Some(())
    }
}
