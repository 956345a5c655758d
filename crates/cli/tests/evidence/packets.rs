//! A capture of one connection, Ethernet and IPv4, byte by byte.

type End = ([u8; 4], u16);

const CLIENT: End = ([192, 0, 2, 7], 50123);
const SERVER: End = ([192, 0, 2, 1], 80);
const SYN: u8 = 2;
const ACK: u8 = 16;
const FIN: u8 = 1;
const LARGEST: usize = 1400;

/// A classic capture of requests and their answers on one connection.
pub(crate) fn pcap(exchanges: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    pcap_cut(exchanges, LARGEST)
}

/// What the packets of such a capture carry, one after another.
pub(crate) fn contents(pcap: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = &pcap[24..];
    while rest.len() >= 16 {
        let length = u32::from_le_bytes(rest[8..12].try_into().unwrap()) as usize;
        out.extend(&rest[16 + 54..16 + length]);
        rest = &rest[16 + length..];
    }
    out
}

/// The same with segments of at most so many bytes.
pub(crate) fn pcap_cut(exchanges: &[(Vec<u8>, Vec<u8>)], largest: usize) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(0xa1b2_c3d4_u32.to_le_bytes());
    out.extend([2, 0, 4, 0]);
    out.extend([0; 8]);
    out.extend(65535_u32.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    for (number, packet) in packets(exchanges, largest).iter().enumerate() {
        let length = (packet.len() as u32).to_le_bytes();
        out.extend(1_795_000_000_u32.to_le_bytes());
        out.extend((number as u32).to_le_bytes());
        out.extend([length, length].concat());
        out.extend(packet);
    }
    out
}

/// The same as blocks of pcapng.
pub(crate) fn pcapng(exchanges: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut block = |kind: u32, body: &[u8]| {
        let length = (12 + body.len() as u32).to_le_bytes();
        out.extend(kind.to_le_bytes());
        out.extend(length);
        out.extend(body);
        out.extend(length);
    };
    let mut section = 0x1a2b_3c4d_u32.to_le_bytes().to_vec();
    section.extend([1, 0, 0, 0]);
    section.extend(u64::MAX.to_le_bytes());
    block(0x0a0d_0d0a, &section);
    block(1, &[1, 0, 0, 0, 0, 0, 4, 0]);
    for (number, packet) in packets(exchanges, LARGEST).iter().enumerate() {
        let micros = 1_795_000_000_000_000_u64 + number as u64;
        let length = (packet.len() as u32).to_le_bytes();
        let mut body = 0_u32.to_le_bytes().to_vec();
        body.extend(((micros >> 32) as u32).to_le_bytes());
        body.extend((micros as u32).to_le_bytes());
        body.extend([length, length].concat());
        body.extend(packet);
        body.resize(body.len().next_multiple_of(4), 0);
        block(6, &body);
    }
    out
}

fn packets(exchanges: &[(Vec<u8>, Vec<u8>)], largest: usize) -> Vec<Vec<u8>> {
    let (mut sent, mut received) = (1001, 5001);
    let mut out = vec![
        packet(CLIENT, SERVER, 1000, 0, SYN, &[]),
        packet(SERVER, CLIENT, 5000, sent, SYN | ACK, &[]),
        packet(CLIENT, SERVER, sent, received, ACK, &[]),
    ];
    for (request, response) in exchanges {
        for part in request.chunks(largest) {
            out.push(packet(CLIENT, SERVER, sent, received, ACK, part));
            sent += part.len() as u32;
        }
        for part in response.chunks(largest) {
            out.push(packet(SERVER, CLIENT, received, sent, ACK, part));
            received += part.len() as u32;
        }
    }
    out.push(packet(CLIENT, SERVER, sent, received, FIN | ACK, &[]));
    out.push(packet(SERVER, CLIENT, received, sent + 1, FIN | ACK, &[]));
    out
}

fn packet(from: End, to: End, number: u32, next: u32, flags: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    let length = (40 + content.len()) as u16;
    out.extend([0x45, 0]);
    out.extend(length.to_be_bytes());
    out.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    out.extend([from.0, to.0].concat());
    out.extend(from.1.to_be_bytes());
    out.extend(to.1.to_be_bytes());
    out.extend(number.to_be_bytes());
    out.extend(next.to_be_bytes());
    out.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    out.extend(content);
    out
}
