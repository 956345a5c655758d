//! The files that packets come in.

mod pcap;
mod pcapng;

use crate::Time;
use std::net::IpAddr;

pub(crate) use pcap::Pcap;
pub(crate) use pcapng::PcapNg;

/// A packet larger than this is a lying length: twice what any capturing program writes (libpcap's
/// `MAXIMUM_SNAPLEN` is 262,144, USB captures aside).
pub(crate) const LARGEST_PACKET: usize = 512 << 10;

/// What a file of packets holds.
#[derive(Debug)]
pub(crate) enum Item<'a> {
    Packet {
        link: u16,
        time: Option<Time>,
        bytes: &'a [u8],
        /// Where `bytes` begins behind the start of the record.
        at: usize,
        /// How long the packet was on the wire.
        wire_len: usize,
    },
    TlsKeys(&'a [u8]),
    Comment {
        text: &'a [u8],
        at: usize,
    },
    Name(IpAddr, &'a [u8]),
    Problem(String),
    /// The block holds nothing of use.
    Nothing,
}

/// What reading at the front of the remaining bytes gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// At least so many bytes have to be there.
    Need(usize),
    /// So many bytes are done with.
    Done(usize),
}

/// The format of a file, by its first four bytes.
#[derive(Debug)]
pub(crate) enum Container {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

impl Container {
    pub(crate) fn detect(magic: [u8; 4]) -> Option<Container> {
        match magic {
            [0x0a, 0x0d, 0x0d, 0x0a] => Some(Container::PcapNg(PcapNg::default())),
            _ => Pcap::detect(magic).map(Container::Pcap),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Container::Pcap(_) => "pcap",
            Container::PcapNg(_) => "pcapng",
        }
    }

    /// Reads one record from the front of `buf` and hands over what it holds; `last` says that nothing follows.
    pub(crate) fn step(&mut self, buf: &[u8], last: bool, out: &mut impl FnMut(Item<'_>)) -> Step {
        match self {
            Container::Pcap(p) => p.step(buf, last, out),
            Container::PcapNg(p) => p.step(buf, last, out),
        }
    }
}
