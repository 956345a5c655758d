//! Whatever stands in a stream, nothing breaks, and how it is cut changes nothing.

use proptest::prelude::*;
use why401_tls::{Certificate, KeyLog, Opened, Side, Watch};

/// A ClientHello with a name and TLS 1.3, and a ServerHello that chooses version and suite.
fn hellos(suite: u16, tls13: bool) -> (Vec<u8>, Vec<u8>) {
    let vector = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
    let record = |kind: u8, body: &[u8]| {
        let message = [&[kind, 0][..], &vector(body)].concat();
        [&[22, 3, 1][..], &vector(&message)].concat()
    };
    let name = [&[0][..], &vector(b"example.com")].concat();
    let sni = [&[0, 0][..], &vector(&vector(&name))].concat();
    let versions = [0, 43, 0, 5, 4, 3, 4, 3, 3];
    let extensions = vector(&[&sni[..], &versions].concat());
    let client = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0], &extensions].concat();
    let chosen: &[u8] = if tls13 { &[0, 43, 0, 2, 3, 4] } else { &[] };
    let server = [&[3, 3][..], &[9; 32], &[0], &suite.to_be_bytes(), &[0], &vector(chosen)].concat();
    (record(1, &client), record(2, &server))
}

fn keys() -> KeyLog {
    let mut keys = KeyLog::default();
    for label in ["CLIENT_RANDOM", "CLIENT_TRAFFIC_SECRET_0", "SERVER_HANDSHAKE_TRAFFIC_SECRET"] {
        keys.add(format!("{label} {} {}", "07".repeat(32), "11".repeat(48)).as_bytes());
    }
    keys
}

#[test]
fn the_name_of_a_cut_hello_is_seen() {
    let (client, _) = hellos(0x1301, true);
    let mut watch = Watch::new();
    watch.bytes(Side::Client, client.get(..client.len() - 9).unwrap_or_default(), &keys(), &mut |_| {});
    watch.gap(Side::Client, 9);
    assert_eq!(watch.handshake().server_name.as_deref(), Some("example.com"));
}

proptest! {
    #[test]
    fn any_cut_gives_the_same(
        suite in prop::sample::select(vec![0x1301u16, 0x1303, 0xc02f, 0xc013, 0x1305, 0xffff]),
        tls13: bool,
        records in proptest::collection::vec((20u8..24, proptest::collection::vec(any::<u8>(), 1..200)), 0..20),
        sizes in proptest::collection::vec(1usize..100, 1..20),
    ) {
        let (client, server) = hellos(suite, tls13);
        let mut rest = Vec::new();
        for (kind, body) in records {
            rest.extend([kind, 3, 3, 0, body.len() as u8]);
            rest.extend(body);
        }
        let run = |cut: &mut dyn FnMut(usize) -> usize| {
            let (mut watch, mut seen) = (Watch::new(), Vec::new());
            for (side, bytes) in [(Side::Client, &client), (Side::Server, &server), (Side::Client, &rest), (Side::Server, &rest)] {
                let mut bytes = bytes.as_slice();
                while let Some((piece, behind)) = bytes.split_at_checked(cut(bytes.len())).filter(|_| !bytes.is_empty()) {
                    watch.bytes(side, piece, &keys(), &mut |opened| seen.push(format!("{opened:?}")));
                    bytes = behind;
                }
            }
            (watch.handshake().clone(), seen)
        };
        let mut sizes = sizes.iter().cycle();
        let whole = run(&mut |len| len);
        let cut = run(&mut |len| sizes.next().copied().unwrap_or(1).min(len));
        prop_assert_eq!(whole, cut);
    }

    #[test]
    fn random_bytes_with_gaps_never_panic(
        front: bool,
        pieces in proptest::collection::vec((any::<bool>(), any::<bool>(), proptest::collection::vec(any::<u8>(), 0..300)), 0..20),
    ) {
        let mut watch = Watch::new();
        if front {
            let (client, server) = hellos(0x1301, true);
            watch.bytes(Side::Client, &client, &keys(), &mut |_| {});
            watch.bytes(Side::Server, &server, &keys(), &mut |_| {});
        }
        for (client, gap, bytes) in pieces {
            let side = if client { Side::Client } else { Side::Server };
            if gap {
                watch.gap(side, bytes.len() as u64);
            }
            watch.bytes(side, &bytes, &keys(), &mut |opened| if let Opened::Data { bytes, .. } = opened {
                assert!(bytes.is_empty(), "nobody can forge a record");
            });
        }
    }

    #[test]
    fn random_certificates_and_key_logs_never_panic(bytes: Vec<u8>, text in "[A-Z_ 0-9a-f\n]{0,300}") {
        Certificate::read(&bytes);
        KeyLog::default().add(text.as_bytes());
    }
}
