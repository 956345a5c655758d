//! Datagrams of QUIC: as they are, with a key log; and packets that are sealed here, so that what stands in them is read.
#![no_main]

use why401_fuzz::{Piece, pieces};
use why401_tls::forge::{Under, crypto, packet};
use why401_tls::{KeyLog, QuicConnection, QuicEvent, Side, is_quic_initial, quic_destination};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    unsealed(data);
    sealed(data);
});

fn unsealed(data: &[u8]) {
    let mut keys = KeyLog::default();
    keys.add(data);
    let begun = [&[0xc0, 0, 0, 0, 1], data].concat();
    assert!(is_quic_initial(&begun));
    for datagram in [begun.as_slice(), data] {
        std::hint::black_box(quic_destination(datagram));
        let Some(mut connection) = QuicConnection::begun_by(datagram) else { continue };
        for piece in pieces(data) {
            connection.datagram(side(&piece), piece.bytes, &keys, &mut |_| {});
        }
        connection.finish(&mut |_| {});
    }
}

/// The client's first ID, and those that both sides have from then on.
const FIRST: &[u8] = b"first-id";
const IDS: (&[u8], &[u8]) = (b"client", b"server-1");
const RANDOM: [u8; 32] = [7; 32];
/// Secrets of the client, and of both sides.
const EARLY: [u8; 32] = [1; 32];
const HANDSHAKE: [[u8; 32]; 2] = [[2; 32], [3; 32]];
const TRAFFIC: [[u8; 32]; 2] = [[4; 32], [5; 32]];

/// Each piece is what a packet holds behind two bytes, that say under which keys it is sealed and which number it has.
fn sealed(data: &[u8]) {
    let keys = keys();
    let mut datagrams: Vec<(Side, Vec<u8>)> = Vec::new();
    // Whether the fuzzer says what the handshake is as well.
    if data.first().is_none_or(|first| first & 1 == 0) {
        let initial = |side, ids, hello: &[u8]| {
            (side, packet(Under::First(FIRST), side, ids, 0, &crypto(0, hello)).unwrap())
        };
        datagrams.push(initial(Side::Client, (FIRST, IDS.0), &client_hello()));
        datagrams.push(initial(Side::Server, IDS, &server_hello()));
    }
    for piece in pieces(data.get(1..).unwrap_or_default()) {
        let Some((&[under, number], frames)) = piece.bytes.split_first_chunk() else { continue };
        let (side, to) = (side(&piece), if piece.client { (IDS.1, IDS.0) } else { IDS });
        let server = usize::from(!piece.client);
        let under = match under % 8 {
            0 => Under::First(FIRST),
            1 => Under::Early(&EARLY),
            2 => Under::Handshake(&HANDSHAKE[server]),
            // Most stands behind the handshake.
            updates => Under::Traffic(&TRAFFIC[server], updates.saturating_sub(5)),
        };
        let datagram = packet(under, side, to, u64::from(number), frames).unwrap();
        if !piece.missing {
            datagrams.push((side, datagram));
        }
    }
    let mut datagrams = datagrams.into_iter();
    let Some((mut connection, first)) =
        datagrams.find_map(|(_, datagram)| Some((QuicConnection::begun_by(&datagram)?, datagram)))
    else {
        return;
    };
    let (mut sent, mut told) = (0, 0);
    let mut tell = |event: QuicEvent<'_>| {
        if let QuicEvent::Data { bytes, .. } = event {
            told += bytes.len();
        }
    };
    for (side, datagram) in std::iter::once((Side::Client, first)).chain(datagrams) {
        sent += datagram.len();
        connection.datagram(side, &datagram, &keys, &mut tell);
    }
    connection.finish(&mut tell);
    assert!(told <= sent, "more is told than was sent");
    assert_eq!(connection.waiting_footprint(), 0);
}

fn side(piece: &Piece<'_>) -> Side {
    if piece.client { Side::Client } else { Side::Server }
}

fn keys() -> KeyLog {
    let mut log = KeyLog::default();
    let hex = |bytes: &[u8; 32]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    for (label, secret) in [
        ("CLIENT_EARLY_TRAFFIC_SECRET", &EARLY),
        ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", &HANDSHAKE[0]),
        ("SERVER_HANDSHAKE_TRAFFIC_SECRET", &HANDSHAKE[1]),
        ("CLIENT_TRAFFIC_SECRET_0", &TRAFFIC[0]),
        ("SERVER_TRAFFIC_SECRET_0", &TRAFFIC[1]),
    ] {
        log.add(format!("{label} {} {}", hex(&RANDOM), hex(secret)).as_bytes());
    }
    log
}

/// The shortest that says which random bytes the keys are found by (RFC 8446, section 4.1.2).
fn client_hello() -> Vec<u8> {
    let body = [&[3, 3], RANDOM.as_slice(), &[0, 0, 2, 0x13, 1, 1, 0, 0, 0]].concat();
    [&[1, 0, 0, body.len() as u8], body.as_slice()].concat()
}

/// The same of the server, which chooses TLS 1.3 and TLS_AES_128_GCM_SHA256.
fn server_hello() -> Vec<u8> {
    let body = [&[3, 3], RANDOM.as_slice(), &[0, 0x13, 1, 0, 0, 6, 0, 43, 0, 2, 3, 4]].concat();
    [&[2, 0, 0, body.len() as u8], body.as_slice()].concat()
}
