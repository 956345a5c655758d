//! Captures made in code.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "in a test a panic is the report"
)]

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

pub(crate) const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const ACK: u8 = 16;

/// The folder of evidence that is shared beside the repository, if it is there.
pub(crate) fn shared(part: &str) -> Option<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found = here.ancestors().map(|a| a.join("shared").join(part)).find(|p| p.is_dir());
    if found.is_none() {
        println!("skipped: no shared folder");
    }
    found
}

pub(crate) fn client() -> SocketAddr {
    "192.0.2.1:50000".parse().unwrap()
}

pub(crate) fn server() -> SocketAddr {
    "192.0.2.2:8080".parse().unwrap()
}

/// A TCP segment without what carries it.
pub(crate) fn tcp(
    from: SocketAddr,
    to: SocketAddr,
    seq: u32,
    ack: u32,
    flags: u8,
    payload: &[u8],
) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(from.port().to_be_bytes());
    out.extend(to.port().to_be_bytes());
    out.extend(seq.to_be_bytes());
    out.extend(ack.to_be_bytes());
    out.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    out.extend(payload);
    out
}

pub(crate) fn udp(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(from.port().to_be_bytes());
    out.extend(to.port().to_be_bytes());
    out.extend((payload.len() as u16 + 8).to_be_bytes());
    out.extend([0, 0]);
    out.extend(payload);
    out
}

pub(crate) fn ip(from: SocketAddr, to: SocketAddr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    match (from.ip(), to.ip()) {
        (IpAddr::V4(f), IpAddr::V4(t)) => {
            let mut out = vec![0x45, 0];
            out.extend((payload.len() as u16 + 20).to_be_bytes());
            out.extend([0, 1, 0, 0, 64, protocol, 0, 0]);
            out.extend(f.octets());
            out.extend(t.octets());
            out.extend(payload);
            out
        }
        (IpAddr::V6(f), IpAddr::V6(t)) => {
            let mut out = vec![0x60, 0, 0, 0];
            out.extend((payload.len() as u16).to_be_bytes());
            out.extend([protocol, 64]);
            out.extend(f.octets());
            out.extend(t.octets());
            out.extend(payload);
            out
        }
        _ => panic!("addresses of one kind"),
    }
}

/// An IPv4 fragment; `offset` in bytes.
pub(crate) fn fragment(whole: &[u8], offset: usize, len: usize, id: u16) -> Vec<u8> {
    let body = &whole[20..];
    let end = (offset + len).min(body.len());
    let mut out = whole[..20].to_vec();
    out[2..4].copy_from_slice(&((end - offset) as u16 + 20).to_be_bytes());
    out[4..6].copy_from_slice(&id.to_be_bytes());
    let more = if end < body.len() { 0x2000 } else { 0 };
    out[6..8].copy_from_slice(&(more | (offset / 8) as u16).to_be_bytes());
    out.extend(&body[offset..end]);
    out
}

pub(crate) fn ethernet(kind: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    out.extend(kind.to_be_bytes());
    out.extend(payload);
    out
}

/// A packet of a pcap file: microseconds since the epoch, what was captured, its length on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) time: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) wire: usize,
}

pub(crate) fn frame(time: u64, bytes: Vec<u8>) -> Frame {
    Frame { time, wire: bytes.len(), bytes }
}

impl Frame {
    /// As captured with this `snaplen`.
    pub(crate) fn cut(mut self, snaplen: usize) -> Frame {
        self.bytes.truncate(snaplen);
        self
    }
}

pub(crate) fn pcap(link: u32, frames: &[Frame]) -> Vec<u8> {
    let mut out = Vec::new();
    for n in [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 262_144, link] {
        out.extend(n.to_le_bytes());
    }
    for f in frames {
        let micros = ((f.time / 1_000_000) as u32, (f.time % 1_000_000) as u32);
        for n in [micros.0, micros.1, f.bytes.len() as u32, f.wire as u32] {
            out.extend(n.to_le_bytes());
        }
        out.extend(&f.bytes);
    }
    out
}

/// A block of a pcapng file.
pub(crate) fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let len = (body.len() as u32 + 12).to_le_bytes();
    [&kind.to_le_bytes()[..], &len, &body, &len].concat()
}

/// Both sides of a connection, spoken in turn.
pub(crate) struct Talk {
    pub(crate) client: SocketAddr,
    pub(crate) server: SocketAddr,
    pub(crate) seqs: [u32; 2],
    pub(crate) frames: Vec<Frame>,
    pub(crate) time: u64,
}

impl Talk {
    /// With its SYN handshake.
    pub(crate) fn begin(client_isn: u32, server_isn: u32) -> Talk {
        Talk::between(client(), server(), client_isn, server_isn)
    }

    pub(crate) fn between(client: SocketAddr, server: SocketAddr, client_isn: u32, server_isn: u32) -> Talk {
        let time = 1_700_000_000_000_000;
        let mut t = Talk { client, server, seqs: [client_isn, server_isn], frames: Vec::new(), time };
        t.raw(0, SYN, b"");
        t.seqs[0] = client_isn.wrapping_add(1);
        t.raw(1, SYN | ACK, b"");
        t.seqs[1] = server_isn.wrapping_add(1);
        t.raw(0, ACK, b"");
        t
    }

    /// A packet of side 0 (the client) or 1, without moving on.
    pub(crate) fn raw(&mut self, side: usize, flags: u8, payload: &[u8]) {
        let (from, to) = if side == 0 { (self.client, self.server) } else { (self.server, self.client) };
        let segment = tcp(from, to, self.seqs[side], self.seqs[1 - side], flags, payload);
        let kind = if from.is_ipv4() { 0x0800 } else { 0x86dd };
        self.time += 100;
        self.frames.push(frame(self.time, ethernet(kind, &ip(from, to, 6, &segment))));
    }

    pub(crate) fn say(&mut self, side: usize, payload: &[u8]) {
        self.raw(side, ACK, payload);
        self.seqs[side] = self.seqs[side].wrapping_add(payload.len() as u32);
    }

    pub(crate) fn end(&mut self) {
        for side in [0, 1] {
            self.raw(side, FIN | ACK, b"");
            self.seqs[side] = self.seqs[side].wrapping_add(1);
        }
        self.raw(0, ACK, b"");
    }

    pub(crate) fn file(&self) -> Vec<u8> {
        pcap(1, &self.frames)
    }
}
