//! Connections as they are met, and the examples of the RFCs.

use super::forge::{crypto, initial_packet, long_packet, short_packet, stream};
use super::packet::{QuicDestination, is_quic_initial, quic_destination};
use super::protect::{Mask, Seal, whole_number};
use super::version::{Kind, VERSION_1, VERSION_2, Version};
use super::{QuicConnection, QuicEvent};
use crate::suite::Suite;
use crate::{KeyLog, Side};
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |c: u8| char::from(c).to_digit(16).unwrap() as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// The ClientHello of RFC 9001, appendix A.2.
const CLIENT_HELLO: &str = "010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868
    04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578
    616d706c652e636f6dff01000100000a00080006001d00170018001000070005
    04616c706e000500050100000000003300260024001d00209370b2c9caa47fba
    baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400
    0d0010000e0403050306030203080408050806002d00020101001c0002400100
    3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000
    75300901100f088394c8f03e51570806048000ffff";
const RANDOM: &str = "ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c";

/// The ServerHello of RFC 9001, appendix A.3.
const SERVER_HELLO: &str = "020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df566dc5
    430b9a045a1200130100002e00330024001d00209d3c940d89690b84d08a60993c144eca684d1081287c834d5311bcf3
    2bb9da1a002b00020304";

/// The client's first ID in RFC 9001, appendix A; and the IDs that both sides have from then on.
const FIRST: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
const CLIENT: &[u8] = b"";
const SERVER: &[u8] = b"server-1";

fn secret(label: u8) -> Vec<u8> {
    vec![label; 32]
}

fn keys() -> KeyLog {
    let mut log = KeyLog::default();
    let labels = [
        ("CLIENT_EARLY_TRAFFIC_SECRET", 1),
        ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", 2),
        ("SERVER_HANDSHAKE_TRAFFIC_SECRET", 3),
        ("CLIENT_TRAFFIC_SECRET_0", 4),
        ("SERVER_TRAFFIC_SECRET_0", 5),
    ];
    for (label, byte) in labels {
        log.add(format!("{label} {RANDOM} {}", format!("{byte:02x}").repeat(32)).as_bytes());
    }
    log
}

fn hello(number: u64) -> Vec<u8> {
    let frames = crypto(0, &hex(CLIENT_HELLO));
    initial_packet(&VERSION_1, Side::Client, &FIRST, (&FIRST, CLIENT), number, &frames)
}

fn server_hello() -> Vec<u8> {
    let frames = crypto(0, &hex(SERVER_HELLO));
    initial_packet(&VERSION_1, Side::Server, &FIRST, (CLIENT, SERVER), 0, &frames)
}

/// EncryptedExtensions with `h3`, and the server's word on early data.
fn extensions(early: bool) -> Vec<u8> {
    let mut list = vec![0, 16, 0, 5, 0, 3, 2, b'h', b'3'];
    if early {
        list.extend([0, 42, 0, 0]);
    }
    let len = list.len() as u8;
    let frames = crypto(0, &[&[8, 0, 0, len + 2, 0, len], list.as_slice()].concat());
    long_packet(Kind::Handshake, 0x1301, &secret(3), (CLIENT, SERVER), 0, &frames)
}

fn from_client(number: u64, frames: &[u8]) -> Vec<u8> {
    short_packet(0x1301, &secret(4), 0, SERVER, number, frames)
}

/// Everything that is said in these datagrams.
fn said(keys: &KeyLog, datagrams: &[(Side, Vec<u8>)]) -> (QuicConnection, Vec<String>) {
    let mut connection = QuicConnection::begun_by(&datagrams[0].1).unwrap();
    let mut said = Vec::new();
    let mut tell = |event: QuicEvent<'_>| {
        said.push(match event {
            QuicEvent::Data { from, stream, bytes } => {
                format!("{from:?} {stream} {}", String::from_utf8_lossy(bytes))
            }
            other => format!("{other:?}"),
        });
    };
    for (from, datagram) in datagrams {
        connection.datagram(*from, datagram, keys, &mut tell);
    }
    connection.finish(&mut tell);
    (connection, said)
}

#[test]
fn the_first_packets_of_the_rfc() {
    // RFC 9001, appendix A.3, as the server protects it.
    let answer = hex("cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a
        5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9
        c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc4
        2158407dd074ee");
    let (connection, _) = said(&keys(), &[(Side::Client, hello(2)), (Side::Server, answer)]);
    let told = connection.handshake();
    assert_eq!(told.server_name.as_deref(), Some("example.com"));
    assert_eq!((told.version, told.suite), (Some(0x0304), Some(0x1301)));
    assert!(connection.is_for(Side::Server, QuicDestination::Id(&hex("f067a5502a4262b5"))));
}

/// RFC 9001, appendix A.5.
#[test]
fn a_short_header_of_the_rfc_under_chacha20() {
    let secret = hex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b");
    let packet = hex("4cfe4189655e5cd55c41f69080575d7999c25a5bfb");
    let suite = Suite::of(0x1303).unwrap();
    let mask = Mask::new(suite, &secret, &VERSION_1).unwrap();
    let bare = mask.bare(&packet[..1], &packet[1..]).unwrap();
    assert_eq!(bare.header, hex("4200bff4"));
    let number = whole_number(bare.number, bare.number_bits, Some(654_360_563));
    assert_eq!(number, 654_360_564);
    let mut text = Vec::new();
    Seal::new(suite, &secret, &VERSION_1).unwrap().open(number, &bare, &mut text).unwrap();
    assert_eq!(text, [1]);
}

/// RFC 9000, appendix A.3.
#[test]
fn a_number_is_told_by_the_largest_before_it() {
    assert_eq!(whole_number(0x9b32, 16, Some(0xa82f_30ea)), 0xa82f_9b32);
    assert_eq!(whole_number(0, 8, Some(255)), 256);
    assert_eq!(whole_number(255, 8, Some(256)), 255);
    assert_eq!(whole_number(3, 8, None), 3);
}

#[test]
fn what_both_sides_say_is_read_with_the_keys() {
    let answer = short_packet(0x1301, &secret(5), 0, CLIENT, 0, &stream(0, 0, b"401", true));
    let (connection, said) = said(
        &keys(),
        &[
            (Side::Client, hello(0)),
            // Three packets in one datagram.
            (Side::Server, [server_hello(), extensions(false), answer].concat()),
            (Side::Client, from_client(0, &stream(0, 4, b"rest", true))),
            (Side::Client, from_client(1, &stream(0, 0, b"the ", false))),
        ],
    );
    let end = |from| format!("{:?}", QuicEvent::End { from, stream: 0 });
    assert_eq!(
        said,
        ["Server 0 401", &end(Side::Server), "Client 0 the ", "Client 0 rest", &end(Side::Client)]
    );
    assert_eq!(connection.handshake().alpn.as_deref(), Some("h3"));
    assert_eq!((connection.handshake().opened, connection.handshake().unopened), (3, 0));
}

#[test]
fn without_keys_nothing_is_said_and_the_lack_is_known() {
    let (connection, said) = said(
        &KeyLog::default(),
        &[(Side::Client, hello(0)), (Side::Server, server_hello()), (Side::Client, from_client(0, &[1]))],
    );
    assert!(said.is_empty());
    assert!(connection.handshake().lacks_keys());
    assert_eq!(connection.handshake().server_name.as_deref(), Some("example.com"));
}

#[test]
fn the_suite_is_found_where_the_servers_choice_was_not_captured() {
    for suite in [0x1301, 0x1303] {
        let packet = short_packet(suite, &secret(4), 0, SERVER, 0, &stream(0, 0, b"x", false));
        let (_, said) = said(&keys(), &[(Side::Client, hello(0)), (Side::Client, packet)]);
        assert_eq!(said, ["Client 0 x"]);
    }
}

#[test]
fn keys_are_updated_and_old_packets_still_read() {
    let packet = |updates: u8, number: u64| {
        let offset = number as usize;
        let letter = [b'a' + number as u8];
        let frames = stream(0, offset, &letter, false);
        (Side::Client, short_packet(0x1301, &secret(4), updates, SERVER, number, &frames))
    };
    let datagrams = [
        (Side::Client, hello(0)),
        (Side::Server, server_hello()),
        packet(0, 0),
        packet(1, 2),
        packet(0, 1),
        packet(2, 3),
        // All packets of one generation were lost.
        packet(4, 5),
        packet(2, 4),
        packet(4, 6),
    ];
    let (connection, said) = said(&keys(), &datagrams);
    let all: String = said.iter().filter_map(|s| s.strip_prefix("Client 0 ")).collect();
    assert_eq!((all.as_str(), connection.handshake().unopened), ("abcdfg", 1));
}

#[test]
fn numbers_are_found_again_behind_many_lost_packets() {
    let far = from_client(300_000, &stream(4, 0, b"far", true));
    let datagrams = [
        (Side::Client, hello(0)),
        (Side::Client, from_client(0, &stream(0, 0, b"a", true))),
        (Side::Client, far),
    ];
    assert!(said(&keys(), &datagrams).1.contains(&"Client 4 far".to_owned()));
}

#[test]
fn early_data_counts_where_the_server_takes_it() {
    let early =
        long_packet(Kind::ZeroRtt, 0x1301, &secret(1), (&FIRST, CLIENT), 0, &stream(0, 0, b"early", true));
    for takes in [true, false] {
        let datagrams = [
            (Side::Client, [hello(0), early.clone()].concat()),
            (Side::Server, [server_hello(), extensions(takes)].concat()),
        ];
        let (_, said) = said(&keys(), &datagrams);
        assert_eq!(said.first().is_some_and(|s| s == "Client 0 early"), takes, "{said:?}");
    }
}

#[test]
fn a_connection_goes_on_behind_a_retry() {
    let retried = b"retried!";
    let again = |frames: &[u8], number| {
        initial_packet(&VERSION_1, Side::Client, retried, (retried, CLIENT), number, frames)
    };
    let whole = hex(CLIENT_HELLO);
    let (front, rest) = whole.split_at(100);
    let answer = initial_packet(
        &VERSION_1,
        Side::Server,
        retried,
        (CLIENT, SERVER),
        0,
        &crypto(0, &hex(SERVER_HELLO)),
    );
    let datagrams = [
        (Side::Client, hello(0)),
        (Side::Client, again(&crypto(100, rest), 1)),
        (Side::Client, again(&crypto(0, front), 2)),
        (Side::Server, answer),
        (Side::Client, from_client(0, &stream(0, 0, b"x", false))),
    ];
    let (connection, said) = said(&keys(), &datagrams);
    assert_eq!(said, ["Client 0 x"]);
    assert_eq!(connection.handshake().version, Some(0x0304));
}

#[test]
fn the_server_may_choose_version_2() {
    let answer =
        initial_packet(&VERSION_2, Side::Server, &FIRST, (CLIENT, SERVER), 0, &crypto(0, &hex(SERVER_HELLO)));
    let (connection, _) = said(&keys(), &[(Side::Client, hello(0)), (Side::Server, answer)]);
    assert_eq!(connection.handshake().version, Some(0x0304));
}

#[test]
fn of_a_hello_without_its_end_the_front_will_do() {
    let front = crypto(0, &hex(CLIENT_HELLO)[..60]);
    let front = initial_packet(&VERSION_1, Side::Client, &FIRST, (&FIRST, CLIENT), 0, &front);
    let (_, said) =
        said(&keys(), &[(Side::Client, front), (Side::Client, from_client(0, &stream(0, 0, b"x", false)))]);
    assert_eq!(said, ["Client 0 x"]);
}

#[test]
fn new_ids_are_told_and_an_alert_is_known() {
    let id = b"another-server-id";
    let frames = [&[0x18, 1, 0, id.len() as u8], id.as_slice(), &[0; 16]].concat();
    let given = short_packet(0x1301, &secret(5), 0, CLIENT, 0, &frames);
    let used = short_packet(0x1301, &secret(4), 0, id, 0, &stream(0, 0, b"x", false));
    // CONNECTION_CLOSE with the alert certificate_required, twice.
    let close = [0x1c, 0x41, 0x74, 0, 0];
    let datagrams = [
        (Side::Client, hello(0)),
        (Side::Server, [server_hello(), extensions(false), given].concat()),
        (Side::Client, used),
        (Side::Server, short_packet(0x1301, &secret(5), 0, CLIENT, 1, &close)),
        (Side::Server, short_packet(0x1301, &secret(5), 0, CLIENT, 2, &close)),
    ];
    let (mut connection, said) = said(&keys(), &datagrams);
    assert_eq!(said, ["Client 0 x"]);
    assert!(connection.new_ids().contains(&(Side::Server, id.to_vec())));
    assert!(connection.is_for(Side::Server, QuicDestination::Front(b"another-server-id and more")));
    let alerts = &connection.handshake().alerts;
    assert_eq!((alerts.len(), alerts[0].name()), (1, Some("certificate_required")));
    assert!(connection.is_closed());
}

#[test]
fn streams_are_given_up_and_bytes_lost() {
    let reset = [4, 4, 0x41, 0x0c, 9];
    let datagrams = [
        (Side::Client, hello(0)),
        (Side::Client, from_client(0, &stream(0, 5, b"late", true))),
        (Side::Client, from_client(1, &reset)),
        (Side::Client, from_client(2, &stream(4, 0, b"too late", true))),
    ];
    let (_, said) = said(&keys(), &datagrams);
    let told = [
        format!("{:?}", QuicEvent::Reset { from: Side::Client, stream: 4, error: 0x10c }),
        format!("{:?}", QuicEvent::Missing { from: Side::Client, stream: 0, len: 5 }),
        "Client 0 late".to_owned(),
        format!("{:?}", QuicEvent::End { from: Side::Client, stream: 0 }),
    ];
    assert_eq!(said, told);
}

#[test]
fn nothing_is_told_of_a_packet_that_was_changed() {
    let mut packet = hello(2);
    packet[100] ^= 1;
    assert!(is_quic_initial(&packet));
    assert!(QuicConnection::begun_by(&packet).is_none());
    assert_eq!(quic_destination(&packet), Some(QuicDestination::Id(&FIRST)));
    assert_eq!(Version::of(0), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_datagram_is_read_without_a_fault(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        frames in proptest::collection::vec(any::<u8>(), 0..100),
        number in any::<u16>(),
    ) {
        let initial =
            initial_packet(&VERSION_1, Side::Client, &FIRST, (&FIRST, CLIENT), 1, &frames);
        let datagrams = [
            (Side::Client, initial),
            (Side::Client, hello(0)),
            (Side::Server, bytes.clone()),
            (Side::Client, [&[0xc0, 0, 0, 0, 1], bytes.as_slice()].concat()),
            (Side::Client, from_client(u64::from(number), &frames)),
            (Side::Server, short_packet(0x1301, &secret(5), 3, CLIENT, u64::from(number), &frames)),
        ];
        let _ = quic_destination(&bytes);
        said(&keys(), &datagrams);
    }
}

/// Frames as they may stand in a packet: of streams and of the handshake at any place, and anything else.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..60);
    let one = prop_oneof![
        4 => (0usize..12, 0usize..300, bytes(), any::<bool>()).prop_map(|(n, at, bytes, end)| stream(n, at, &bytes, end)),
        1 => (0usize..300, bytes()).prop_map(|(at, bytes)| crypto(at, &bytes)),
        1 => bytes(),
    ];
    proptest::collection::vec(one, 0..5).prop_map(|frames| frames.concat())
}

proptest! {
    #[test]
    fn any_frames_behind_the_seal_are_read_without_a_fault(
        packets in proptest::collection::vec((0u8..6, 0u64..40, frames()), 0..30),
    ) {
        let mut datagrams = vec![(Side::Client, hello(0)), (Side::Server, server_hello()), (Side::Server, extensions(true))];
        for (kind, number, frames) in &packets {
            let sealed = |kind, label, ids| long_packet(kind, 0x1301, &secret(label), ids, *number, frames);
            datagrams.push(match kind {
                0 => (Side::Client, initial_packet(&VERSION_1, Side::Client, &FIRST, (SERVER, CLIENT), *number, frames)),
                1 => (Side::Client, sealed(Kind::ZeroRtt, 1, (&FIRST, CLIENT))),
                2 => (Side::Client, sealed(Kind::Handshake, 2, (SERVER, CLIENT))),
                3 => (Side::Server, sealed(Kind::Handshake, 3, (CLIENT, SERVER))),
                4 => (Side::Client, from_client(*number, frames)),
                _ => (Side::Server, short_packet(0x1301, &secret(5), 0, CLIENT, *number, frames)),
            });
        }
        let mut connection = QuicConnection::begun_by(&datagrams[0].1).unwrap();
        let (mut sent, mut told) = (0, 0);
        let mut tell = |event: QuicEvent<'_>| if let QuicEvent::Data { bytes, .. } = event { told += bytes.len() };
        for (from, datagram) in &datagrams {
            sent += datagram.len();
            connection.datagram(*from, datagram, &keys(), &mut tell);
        }
        let held = connection.waiting_footprint() + connection.footprint();
        connection.finish(&mut tell);
        prop_assert!(told <= sent, "nothing is told twice");
        prop_assert_eq!(connection.waiting_footprint(), 0);
        prop_assert!(held < 64 * sent);
    }
}
