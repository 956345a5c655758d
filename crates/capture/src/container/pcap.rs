//! The classic format of libpcap.
//!
//! Source: `pcap-savefile(5)`, <https://www.tcpdump.org/manpages/pcap-savefile.5.html>, and
//! draft-ietf-opsawg-pcap.

use super::{Item, LARGEST_PACKET, Step};
use crate::Time;

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// Reads a pcap file record by record.
#[derive(Debug)]
pub(crate) struct Pcap {
    big_endian: bool,
    nanoseconds: bool,
    /// Bytes of a record header: 24 in Alexey Kuznetsov's variant.
    record_header: usize,
    link: u16,
    begun: bool,
    /// Seconds of the last record: what a plausible one lies close to.
    seconds: Option<u32>,
    /// Reading has lost its footing and looks for the next record.
    lost: bool,
}

#[derive(Clone, Copy)]
struct Record {
    seconds: u32,
    fraction: u32,
    captured: usize,
    wire: usize,
}

impl Pcap {
    pub(crate) fn detect(magic: [u8; 4]) -> Option<Pcap> {
        let (big_endian, nanoseconds, record_header) = match magic {
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, false, RECORD_HEADER),
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, false, RECORD_HEADER),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, true, RECORD_HEADER),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, true, RECORD_HEADER),
            [0x34, 0xcd, 0xb2, 0xa1] => (false, false, RECORD_HEADER + 8),
            [0xa1, 0xb2, 0xcd, 0x34] => (true, false, RECORD_HEADER + 8),
            _ => return None,
        };
        let (link, begun, seconds, lost) = (0, false, None, false);
        Some(Pcap { big_endian, nanoseconds, record_header, link, begun, seconds, lost })
    }

    fn u32(&self, buf: &[u8], at: usize) -> Option<u32> {
        let bytes = *buf.get(at..)?.first_chunk::<4>()?;
        Some(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn record(&self, buf: &[u8]) -> Option<Record> {
        Some(Record {
            seconds: self.u32(buf, 0)?,
            fraction: self.u32(buf, 4)?,
            captured: self.u32(buf, 8)? as usize,
            wire: self.u32(buf, 12)? as usize,
        })
    }

    pub(crate) fn step(&mut self, buf: &[u8], last: bool, out: &mut impl FnMut(Item<'_>)) -> Step {
        if !self.begun {
            let Some(link) = self.u32(buf, 20) else {
                return need(FILE_HEADER, buf, last, out, "the file ends within its header");
            };
            // The upper bits say whether and how a frame check sequence follows; Ethernet's lengths do not need it.
            self.link = link as u16;
            self.begun = true;
            return Step::Done(FILE_HEADER);
        }
        if self.lost {
            return self.resume(buf, last);
        }
        let Some(record) = self.record(buf).filter(|_| buf.len() >= self.record_header) else {
            return need(self.record_header, buf, last, out, "the file is cut within the header of a packet");
        };
        if record.captured > LARGEST_PACKET {
            out(Item::Problem(format!("a packet claims to hold {} bytes", record.captured)));
            self.lost = true;
            return Step::Done(1);
        }
        let Some(bytes) = buf.get(self.record_header..self.record_header + record.captured) else {
            let whole = self.record_header + record.captured;
            if !last {
                return Step::Need(whole);
            }
            out(Item::Problem("the file is cut within a packet".into()));
            let bytes = buf.get(self.record_header..).unwrap_or_default();
            self.hand_over(record, bytes, out);
            return Step::Done(buf.len());
        };
        self.hand_over(record, bytes, out);
        Step::Done(self.record_header + record.captured)
    }

    fn hand_over(&mut self, record: Record, bytes: &[u8], out: &mut impl FnMut(Item<'_>)) {
        self.seconds = Some(record.seconds);
        let nanoseconds = i64::from(record.fraction) * if self.nanoseconds { 1 } else { 1_000 };
        out(Item::Packet {
            link: self.link,
            time: Some(Time(i64::from(record.seconds) * 1_000_000_000 + nanoseconds)),
            bytes,
            at: self.record_header,
            wire_len: record.wire.max(bytes.len()),
        });
    }

    /// Looks for two records in a row that could be real ones.
    fn resume(&mut self, buf: &[u8], last: bool) -> Step {
        for at in 0..buf.len() {
            let rest = buf.get(at..).unwrap_or_default();
            let Some(first) = self.record(rest) else {
                return if last { Step::Done(buf.len()) } else { done_or_need(at, RECORD_HEADER) };
            };
            if !self.plausible(first) {
                continue;
            }
            let behind = self.record_header + first.captured;
            match rest.get(behind..).and_then(|r| self.record(r)) {
                Some(next) if !self.plausible(next) => {}
                None if !last => return done_or_need(at, behind + RECORD_HEADER),
                None if rest.len() != behind => {}
                _ => {
                    self.lost = false;
                    return done_or_need(at, 0);
                }
            }
        }
        Step::Done(buf.len())
    }

    fn plausible(&self, r: Record) -> bool {
        const A_DAY: u32 = 86_400;
        let in_time = self.seconds.is_none_or(|s| s.abs_diff(r.seconds) <= A_DAY);
        let fraction = if self.nanoseconds { 1_000_000_000 } else { 1_000_000 };
        let in_size = r.captured > 0 && r.captured <= LARGEST_PACKET && r.wire >= r.captured;
        in_time && in_size && r.fraction < fraction && r.wire <= LARGEST_PACKET
    }
}

fn done_or_need(done: usize, need: usize) -> Step {
    if done > 0 || need == 0 { Step::Done(done) } else { Step::Need(need) }
}

fn need(n: usize, buf: &[u8], last: bool, out: &mut impl FnMut(Item<'_>), cut: &str) -> Step {
    if !last {
        return Step::Need(n);
    }
    if !buf.is_empty() {
        out(Item::Problem(cut.into()));
    }
    Step::Done(buf.len())
}
