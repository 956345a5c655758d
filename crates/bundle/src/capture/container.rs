//! The frames of a file, and the file without what is no frame.
//!
//! Formats: pcap-savefile(5); draft-ietf-opsawg-pcapng sections 4.1 to 4.3.

use super::Tally;

/// A packet larger than this is a lying length.
const LARGEST: usize = 512 << 10;
const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
/// The packet block that the enhanced one took the place of (section 4.3 of the first drafts, appendix A of the later).
const OLD: u32 = 2;
const SIMPLE: u32 = 3;
const ENHANCED: u32 = 6;
const SECRETS: u32 = 10;

/// A packet as captured: where it stands in the file that is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) link: u16,
    pub(crate) at: usize,
    pub(crate) len: usize,
}

/// The file to be written and its frames; `None` where this is no capture.
pub(crate) fn frames(bytes: &[u8], tally: &mut Tally) -> Option<(Vec<u8>, Vec<Frame>)> {
    match bytes.first_chunk::<4>()? {
        [0x0a, 0x0d, 0x0d, 0x0a] => Some(pcapng(bytes, tally)),
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => pcap(bytes, Order(false), 16),
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => pcap(bytes, Order(true), 16),
        [0x34, 0xcd, 0xb2, 0xa1] => pcap(bytes, Order(false), 24),
        [0xa1, 0xb2, 0xcd, 0x34] => pcap(bytes, Order(true), 24),
        _ => None,
    }
}

/// Whether numbers begin with their largest byte.
#[derive(Clone, Copy)]
struct Order(bool);

impl Order {
    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let four = *bytes.get(at..)?.first_chunk::<4>()?;
        Some(if self.0 { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    }

    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let two = *bytes.get(at..)?.first_chunk::<2>()?;
        Some(if self.0 { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
    }

    fn put(self, n: u32, out: &mut Vec<u8>) {
        out.extend(if self.0 { n.to_be_bytes() } else { n.to_le_bytes() });
    }
}

fn pcap(bytes: &[u8], order: Order, header: usize) -> Option<(Vec<u8>, Vec<Frame>)> {
    let link = order.u32(bytes, 20)? as u16;
    let mut out = bytes.get(..24)?.to_vec();
    let mut frames = Vec::new();
    let mut at = 24;
    while let Some(len) = order.u32(bytes, at + 8).map(|n| n as usize).filter(|n| *n <= LARGEST) {
        let Some(record) = bytes.get(at..at + header + len) else { break };
        frames.push(Frame { link, at: out.len() + header, len });
        out.extend_from_slice(record);
        at += header + len;
    }
    Some((out, frames))
}

/// Sections, interfaces with their clock, and packets; no comments, names, statistics, secrets.
fn pcapng(bytes: &[u8], tally: &mut Tally) -> (Vec<u8>, Vec<Frame>) {
    let mut out = Vec::with_capacity(bytes.len());
    let mut frames = Vec::new();
    let mut links: Vec<(u16, usize)> = Vec::new();
    let mut order = Order(false);
    let mut at = 0;
    loop {
        if bytes.get(at..at + 4) == Some(&[0x0a, 0x0d, 0x0d, 0x0a]) {
            order = Order(bytes.get(at + 8..at + 12) == Some(&[0x1a, 0x2b, 0x3c, 0x4d]));
            links.clear();
        }
        let (Some(kind), Some(len)) = (order.u32(bytes, at), order.u32(bytes, at + 4)) else { break };
        let len = len as usize;
        let Some(body) =
            bytes.get(at + 8..(at + len).saturating_sub(4)).filter(|_| len >= 12 && len.is_multiple_of(4))
        else {
            break;
        };
        at += len;
        let mut block = Block { order, out: &mut out };
        match kind {
            // The length of a section that loses blocks is not known any more.
            SECTION => block.write(kind, &[body.get(..8).unwrap_or_default(), &[0xff; 8]].concat()),
            INTERFACE => {
                let Some(link) = order.u16(body, 0) else { break };
                links.push((link, order.u32(body, 4).unwrap_or(0) as usize));
                block.write(kind, &interface(body, order));
            }
            ENHANCED | OLD => {
                let number = if kind == OLD { order.u16(body, 0).map(u32::from) } else { order.u32(body, 0) };
                let (Some(number), Some(len)) = (number, order.u32(body, 12)) else { break };
                let link = links.get(number as usize).map(|l| l.0);
                let (Some(link), Some(packet)) = (link, body.get(..20 + len as usize)) else { break };
                frames.push(Frame { link, at: block.out.len() + 28, len: len as usize });
                block.write(kind, packet);
            }
            SIMPLE => {
                let (Some(wire), Some((link, snap))) = (order.u32(body, 0), links.first().copied()) else {
                    break;
                };
                let most = if snap == 0 { usize::MAX } else { snap };
                let len = (wire as usize).min(most).min(body.len() - 4);
                frames.push(Frame { link, at: block.out.len() + 12, len });
                block.write(kind, body.get(..4 + len).unwrap_or_default());
            }
            SECRETS => tally.keys += 1,
            _ => tally.dropped += 1,
        }
    }
    (out, frames)
}

/// An interface with nothing but what its clock is (`if_tsresol`, `if_tsoffset`).
fn interface(body: &[u8], order: Order) -> Vec<u8> {
    let mut out = body.get(..8).unwrap_or_default().to_vec();
    let mut at = 8;
    while let (Some(code), Some(len)) = (order.u16(body, at), order.u16(body, at + 2)) {
        let whole = 4 + usize::from(len).next_multiple_of(4);
        if code == 0 {
            break;
        }
        if matches!(code, 9 | 14) {
            out.extend_from_slice(body.get(at..at + whole).unwrap_or_default());
        }
        at += whole;
    }
    out.extend([0; 4]);
    out
}

struct Block<'a> {
    order: Order,
    out: &'a mut Vec<u8>,
}

impl Block<'_> {
    fn write(&mut self, kind: u32, body: &[u8]) {
        let fill = body.len().next_multiple_of(4) - body.len();
        let len = (12 + body.len() + fill) as u32;
        self.order.put(kind, self.out);
        self.order.put(len, self.out);
        self.out.extend_from_slice(body);
        self.out.extend(std::iter::repeat_n(0, fill));
        self.order.put(len, self.out);
    }
}
