//! Streams out of packets made in code.
#![allow(clippy::panic, clippy::indexing_slicing, reason = "in a test a panic is the report")]

mod support;

use proptest::prelude::*;
use support::*;
use why401_capture::{Capture, ConnectionId, Data, Direction, End, Gap, Limits, Missing, Reader};
use why401_capture::{Segment, Sink, Stream, read};
use why401_span::SourceId;

fn patient() -> Limits {
    Limits { patience: None, ..Limits::default() }
}

fn read_all(file: &[u8]) -> Capture {
    read(file, SourceId(0), patient())
}

/// The bytes of a stream, a gap of n bytes as `[n why]`.
fn text(stream: &Stream) -> String {
    let part = |s: &Segment| match s {
        Segment::Bytes(b) => b.to_text().into_owned(),
        Segment::Gap(g) => format!("[{} {:?}]", g.len, g.why),
    };
    stream.segments.iter().map(part).collect()
}

fn one(file: &[u8]) -> (String, String, End) {
    let capture = read_all(file);
    let [c] = capture.connections.as_slice() else { panic!("{} connections", capture.connections.len()) };
    (text(&c.client_to_server), text(&c.server_to_client), c.end)
}

fn talk() -> Talk {
    let mut t = Talk::begin(u32::MAX - 10, 7000);
    t.say(0, b"GET / HTTP/1.1\r\n");
    t.say(0, b"Host: example.com\r\n\r\n");
    t.say(1, b"HTTP/1.1 401 Unauthorized\r\n");
    t.say(1, b"Content-Length: 0\r\n\r\n");
    t.end();
    t
}

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n";
const RESPONSE: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";

#[test]
fn a_connection_is_read_and_every_byte_is_found_in_the_file() {
    let file = talk().file();
    let capture = read_all(&file);
    let c = &capture.connections[0];
    assert_eq!((c.endpoints.client, c.endpoints.server), (client(), server()));
    assert_eq!((c.end, c.endpoints.from_start), (End::Fin, true));
    for (stream, expected) in [(&c.client_to_server, REQUEST), (&c.server_to_client, RESPONSE)] {
        assert_eq!(text(stream), expected);
        let [Segment::Bytes(bytes)] = stream.segments.as_slice() else { panic!() };
        for (i, byte) in bytes.as_bytes().iter().enumerate() {
            let at = bytes.locate(i..i + 1).unwrap();
            assert!(at.exact);
            assert_eq!(file[at.span.start as usize], *byte);
        }
    }
    let (first, second) = (c.server_to_client.time_at(0).unwrap(), c.server_to_client.time_at(40).unwrap());
    assert_eq!(second.0 - first.0, 100_000);
    assert!(capture.problems.is_empty(), "{:?}", capture.problems);
}

#[test]
fn lost_bytes_are_a_gap() {
    let mut t = talk();
    t.frames.remove(3);
    t.frames.remove(5);
    let (request, response, _) = one(&t.file());
    assert_eq!(request, "[16 Lost]Host: example.com\r\n\r\n");
    assert_eq!(response, "HTTP/1.1 401 Unauthorized\r\n[21 Lost]");
}

#[test]
fn a_cut_packet_is_a_gap_of_what_was_not_captured() {
    let mut t = talk();
    let header = 14 + 20 + 20;
    t.frames = t.frames.into_iter().map(|f| f.cut(header + 5)).collect();
    let (request, response, end) = one(&t.file());
    assert_eq!(request, "GET /[11 Cut]Host:[16 Cut]");
    assert_eq!((response.as_str(), end), ("HTTP/[22 Cut]Conte[16 Cut]", End::Fin));
}

#[test]
fn a_connection_joined_in_the_middle_knows_its_client_by_content() {
    let mut t = talk();
    t.frames.drain(..3);
    (t.client, t.server) = (t.server, t.client);
    assert_eq!(one(&t.file()), (REQUEST.into(), RESPONSE.into(), End::Fin));
    let mut t = Talk::between("192.0.2.1:80".parse().unwrap(), "192.0.2.2:90".parse().unwrap(), 1, 1);
    t.say(1, b"HTTP/1.1 200 OK\r\n\r\n");
    t.frames.drain(..3);
    let c = &read_all(&t.file()).connections[0];
    assert_eq!((c.endpoints.server.port(), c.endpoints.from_start), (90, false));
}

#[test]
fn segments_that_disagree_are_reported_and_the_first_counts() {
    let mut t = Talk::begin(1, 1);
    let base = t.seqs[0];
    t.seqs[0] = base + 4;
    t.raw(0, ACK, b"EFGH");
    t.raw(0, ACK, b"XXGHIJ");
    t.seqs[0] = base;
    t.raw(0, ACK, b"ABCD");
    let waited = read_all(&t.file());
    assert_eq!(waited.problems.iter().map(|p| p.count).sum::<u64>(), 1, "{:?}", waited.problems);
    t.seqs[0] = base + 2;
    t.raw(0, ACK, b"CDEF");
    t.raw(0, ACK, b"CDEX");
    let capture = read_all(&t.file());
    assert_eq!(text(&capture.connections[0].client_to_server), "ABCDEFGHIJ");
    let [problem] = capture.problems.as_slice() else { panic!("{:?}", capture.problems) };
    assert!(problem.what.contains("disagree") && problem.count == 2, "{problem:?}");
}

#[test]
fn a_reused_port_is_another_connection() {
    let mut t = talk();
    let mut again = Talk::begin(500_000, 900_000);
    again.time = t.time;
    again.say(0, b"HEAD / HTTP/1.1\r\n\r\n");
    again.raw(1, RST, b"");
    t.frames.extend(again.frames);
    let capture = read_all(&t.file());
    let [first, second] = capture.connections.as_slice() else { panic!() };
    assert_eq!((text(&first.client_to_server).as_str(), first.end), (REQUEST, End::Fin));
    assert_eq!(text(&second.client_to_server), "HEAD / HTTP/1.1\r\n\r\n");
    assert!(matches!(second.end, End::Reset(Direction::ToClient)));
}

#[test]
fn keep_alives_and_retransmissions_add_nothing() {
    let mut t = Talk::begin(1, 1);
    t.say(0, b"abc");
    t.seqs[0] -= 1;
    t.raw(0, ACK, b"\0");
    t.raw(0, ACK, b"");
    t.seqs[0] += 1;
    t.say(0, b"def");
    t.seqs[0] -= 6;
    t.raw(0, ACK, b"abcdefghi");
    assert_eq!(one(&t.file()).0, "abcdefghi");
}

#[test]
fn ip_fragments_in_any_order_are_put_together() {
    let segment = tcp(client(), server(), 1, 1, ACK, b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n");
    let whole = ip(client(), server(), 6, &segment);
    let pieces = [(40, 100), (0, 16), (16, 24)];
    let frames: Vec<_> =
        pieces.iter().map(|(at, len)| frame(0, ethernet(0x0800, &fragment(&whole, *at, *len, 9)))).collect();
    let file = pcap(1, &frames);
    let capture = read_all(&file);
    assert_eq!(text(&capture.connections[0].client_to_server), REQUEST);
    let Segment::Bytes(bytes) = &capture.connections[0].client_to_server.segments[0] else { panic!() };
    for (i, byte) in bytes.as_bytes().iter().enumerate() {
        assert_eq!(file[bytes.locate(i..i + 1).unwrap().span.start as usize], *byte);
    }
    let capture = read_all(&pcap(1, &frames[1..]));
    assert_eq!(text(&capture.connections[0].client_to_server), "GET / HTTP/1.1\r\nHost");
    assert!(capture.problems.iter().any(|p| p.what.contains("fragments are missing")));
}

#[test]
fn every_link_and_tunnel_leads_to_the_same_packet() {
    let inner = ip(client(), server(), 6, &tcp(client(), server(), 1, 1, ACK, REQUEST.as_bytes()));
    let frame_in = ethernet(0x0800, &inner);
    let outer = |protocol, body: &[u8]| ip(server(), client(), protocol, body);
    let in_udp = |port: u16, head: &[u8], body: &[u8]| {
        let to = std::net::SocketAddr::new(client().ip(), port);
        outer(17, &udp(server(), to, &[head, body].concat()))
    };
    let with = |head: &[u8], body: &[u8]| [head, body].concat();
    let v6 = |body: &[u8]| {
        let (a, b) = ("[2001:db8::1]:1".parse().unwrap(), "[2001:db8::2]:1".parse().unwrap());
        ip(a, b, 4, body)
    };
    let cases: Vec<(u32, &str, Vec<u8>)> = vec![
        (1, "Ethernet", frame_in.clone()),
        (1, "VLAN", ethernet(0x8100, &with(&[0, 5, 8, 0], &inner))),
        (1, "QinQ", ethernet(0x88a8, &with(&[0, 5, 0x81, 0, 0, 7, 8, 0], &inner))),
        (1, "MPLS", ethernet(0x8847, &with(&[0, 1, 0x00, 64, 0, 2, 0x01, 64], &inner))),
        (1, "PPPoE", ethernet(0x8864, &with(&[0x11, 0, 0, 1, 0, 90, 0, 0x21], &inner))),
        (1, "SNAP", ethernet(100, &with(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &inner))),
        (0, "BSD loopback", with(&[2, 0, 0, 0], &inner)),
        (108, "OpenBSD loopback", with(&[0, 0, 0, 2], &inner)),
        (101, "raw IP", inner.clone()),
        (113, "cooked", with(&[0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0], &inner)),
        (276, "cooked 2", with(&[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0], &inner)),
        (9, "PPP", with(&[0xff, 3, 0, 0x21], &inner)),
        (101, "IP in IP", outer(4, &inner)),
        (101, "IP in IPv6", v6(&inner)),
        (101, "GRE", outer(47, &with(&[0x30, 0, 8, 0, 0, 0, 0, 1, 0, 0, 0, 2], &inner))),
        (101, "GRE bridging", outer(47, &with(&[0, 0, 0x65, 0x58], &frame_in))),
        (101, "PPTP", outer(47, &with(&[0x30, 1, 0x88, 0x0b, 0, 9, 0, 1, 0, 0, 0, 1, 0, 0x21], &inner))),
        (101, "ERSPAN I", outer(47, &with(&[0, 0, 0x88, 0xbe], &frame_in))),
        (
            101,
            "ERSPAN II",
            outer(47, &with(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 1, 0, 1, 0, 0, 0, 0], &frame_in)),
        ),
        (
            101,
            "ERSPAN III",
            outer(
                47,
                &with(&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], &frame_in),
            ),
        ),
        (101, "VXLAN", in_udp(4789, &[8, 0, 0, 0, 0, 0, 9, 0], &frame_in)),
        (101, "Geneve", in_udp(6081, &[1, 0, 0x65, 0x58, 0, 0, 9, 0, 1, 2, 3, 4], &frame_in)),
        (101, "GTP-U", in_udp(2152, &[0x30, 0xff, 0, 99, 0, 0, 0, 1], &inner)),
        (
            101,
            "GTP-U with extension",
            in_udp(2152, &[0x34, 0xff, 0, 99, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 9, 0], &inner),
        ),
    ];
    for (link, name, bytes) in cases {
        let capture = read_all(&pcap(link, &[frame(1, bytes)]));
        assert_eq!(capture.connections.len(), 1, "{name}: {:?}", capture.problems);
        assert_eq!(text(&capture.connections[0].client_to_server), REQUEST, "{name}");
        assert!(capture.problems.is_empty(), "{name}: {:?}", capture.problems);
    }
}

#[test]
fn ipv6_with_extension_headers_and_fragments() {
    let (a, b) = ("[2001:db8::1]:50000".parse().unwrap(), "[2001:db8::2]:80".parse().unwrap());
    let segment = tcp(a, b, 1, 1, ACK, REQUEST.as_bytes());
    let hops = ip(a, b, 0, &[&[60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0], &segment[..]].concat());
    assert_eq!(one(&pcap(101, &[frame(1, hops)])).0, REQUEST);
    let piece = |from: usize, to: usize, more: u16| {
        let place = (from as u16 | more).to_be_bytes();
        ip(a, b, 44, &[&[6, 0, place[0], place[1], 0, 0, 0, 7], &segment[from..to]].concat())
    };
    let frames = [frame(1, piece(32, segment.len(), 0)), frame(2, piece(0, 32, 1))];
    assert_eq!(one(&pcap(101, &frames)).0, REQUEST);
}

#[test]
fn a_lying_length_loses_one_packet_only() {
    let t = talk();
    let mut file = t.file();
    let third: usize = 24 + 2 * (16 + 54);
    file[third + 8..third + 12].copy_from_slice(&0x7fff_ffffu32.to_le_bytes());
    let capture = read_all(&file);
    assert_eq!(text(&capture.connections[0].client_to_server), REQUEST);
    assert_eq!(capture.problems.len(), 1, "{:?}", capture.problems);
    assert_eq!(capture.problems[0].offset, third as u64);
}

#[test]
fn pcapng_gives_secrets_names_and_comments() {
    let t = talk();
    let mut file =
        block(0x0a0d_0d0a, &[0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
    file.extend(block(1, &[1, 0, 0, 0, 0, 0, 4, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0]));
    file.extend(block(10, &[&0x544c_534bu32.to_le_bytes()[..], &4u32.to_le_bytes(), b"KEYS"].concat()));
    file.extend(block(4, &[&[1, 0, 10, 0, 192, 0, 2, 2], &b"hub.ex"[..]].concat()));
    for f in &t.frames {
        let nanos = f.time * 1000;
        let len = f.bytes.len() as u32;
        let mut body = Vec::new();
        for n in [0, (nanos >> 32) as u32, nanos as u32, len, len] {
            body.extend(n.to_le_bytes());
        }
        body.extend(&f.bytes);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend([1, 0, 4, 0]);
        body.extend(b"look\0\0\0\0");
        file.extend(block(6, &body));
    }
    let capture = read_all(&file);
    assert_eq!(text(&capture.connections[0].client_to_server), REQUEST);
    assert_eq!(capture.connections[0].endpoints.start.unwrap().0, 1_700_000_000_000_100_000);
    assert_eq!(capture.tls_keys.expose(), b"KEYS\n");
    assert_eq!(capture.names, [(server().ip(), "hub.ex".to_owned())]);
    assert_eq!(capture.comments.len(), t.frames.len());
    let (comment, at) = &capture.comments[0];
    assert_eq!(&file[at.start as usize..at.end as usize], comment.as_bytes());
    assert!(capture.problems.is_empty(), "{:?}", capture.problems);
}

#[test]
fn a_flood_stays_within_the_limits_and_is_reported() {
    let frames: Vec<_> = (0..2000u32)
        .map(|i| {
            let from = format!("198.51.100.{}:{}", i % 250, 1000 + i).parse().unwrap();
            frame(u64::from(i), ip(from, server(), 6, &tcp(from, server(), i, 0, SYN, b"")))
        })
        .collect();
    let limits = Limits { connections: 100, ..Limits::default() };
    let capture = read(&pcap(101, &frames), SourceId(0), limits);
    assert_eq!(capture.empty_connections, 2000);
    let given_up = capture.problems.iter().find(|p| p.what.contains("given up")).unwrap();
    assert_eq!(given_up.count, 1900);
}

#[test]
fn what_waits_too_long_or_costs_too_much_is_given_up() {
    let mut t = Talk::begin(1, 1);
    t.seqs[0] += 10;
    (0..100).for_each(|_| t.say(0, &[b'x'; 1000]));
    t.raw(1, ACK, b"");
    let limits = Limits { waiting_per_stream: 20_000, ..patient() };
    let capture = read(&t.file(), SourceId(0), limits);
    let stream = &capture.connections[0].client_to_server;
    assert_eq!(stream.len(), 100_010);
    assert!(capture.problems.iter().any(|p| p.what.contains("not waited for")));
    let mut bounded = read(&t.file(), SourceId(0), Limits { collected: 5_000, ..patient() });
    let stream = &bounded.connections.remove(0).client_to_server;
    let why = stream.segments.iter().filter_map(|s| match s {
        Segment::Gap(g) => Some(g.why),
        Segment::Bytes(_) => None,
    });
    let why: Vec<_> = why.collect();
    assert_eq!((why, stream.len()), (vec![Missing::Lost, Missing::Limit], 100_010));
}

/// What is handed over, in order: `>` to the server, `<` to the client.
#[derive(Default)]
struct Order(String);

impl Sink for Order {
    fn data(&mut self, _: ConnectionId, direction: Direction, data: Data<'_>) {
        let arrow = if direction == Direction::ToServer { '>' } else { '<' };
        self.0 += &format!("{arrow}{} ", String::from_utf8_lossy(data.bytes));
    }
    fn gap(&mut self, _: ConnectionId, direction: Direction, gap: Gap) {
        let arrow = if direction == Direction::ToServer { '>' } else { '<' };
        self.0 += &format!("{arrow}[{}] ", gap.len);
    }
}

fn order(frames: &[Frame]) -> String {
    let mut reader = Reader::new(SourceId(0), Limits::default());
    let mut order = Order::default();
    reader.feed(&pcap(1, frames), &mut order);
    reader.finish(&mut order);
    order.0.trim_end().to_owned()
}

#[test]
fn an_answer_never_overtakes_its_request() {
    let mut t = Talk::begin(1, 1);
    for i in 0..3 {
        t.say(0, format!("ask{i}").as_bytes());
        t.say(1, format!("answer{i}").as_bytes());
    }
    let in_order = ">ask0 <answer0 >ask1 <answer1 >ask2 <answer2";
    assert_eq!(order(&t.frames), in_order);
    let mut late = t.frames.clone();
    late[3..].reverse();
    assert_eq!(order(&late), in_order);
    let mut lost = t.frames.clone();
    lost.remove(5);
    assert_eq!(order(&lost), ">ask0 <answer0 >[4] <answer1 >ask2 <answer2");
    let one_sided: Vec<_> =
        t.frames.iter().skip(3).filter(|f| f.bytes[14 + 20 + 1] == 0x90).cloned().collect();
    assert_eq!(order(&one_sided), "<answer0 >[4] <answer1 >[4] <answer2");
}

fn long_talk() -> Talk {
    let mut t = Talk::begin(u32::MAX - 60, 50);
    for i in 0..12u8 {
        t.say(usize::from(i % 3 == 1), &vec![b'a' + i; 1 + usize::from(i) * 3]);
    }
    t.end();
    t
}

proptest! {
    #[test]
    fn any_order_and_doubling_gives_the_same_streams(order in proptest::collection::vec(any::<prop::sample::Index>(), 60)) {
        let mut t = long_talk();
        let expected = one(&t.file());
        let mut frames = t.frames.clone();
        for (i, pick) in order.iter().enumerate() {
            let len = frames.len();
            match i % 5 {
                4 => frames.push(frames[pick.index(len)].clone()),
                _ => frames.swap(i % len, pick.index(len)),
            }
        }
        t.frames = frames;
        prop_assert_eq!(one(&t.file()), expected);
    }

    #[test]
    fn pieces_of_any_size_give_the_same(sizes in proptest::collection::vec(1usize..300, 1..40), damage in any::<prop::sample::Index>(), value: u8) {
        let mut file = long_talk().file();
        let at = damage.index(file.len());
        file[at] = value;
        let whole = read_all(&file);
        let mut reader = Reader::new(SourceId(0), patient());
        let mut sink = why401_capture::Connections::new(1 << 20);
        let (mut rest, mut sizes) = (file.as_slice(), sizes.iter().cycle());
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
            reader.feed(piece, &mut sink);
            rest = behind;
        }
        reader.finish(&mut sink);
        prop_assert_eq!(&whole.connections, &sink.finish().connections);
        prop_assert_eq!(whole.problems, reader.problems());
    }

    #[test]
    fn a_cut_file_gives_the_front_of_the_streams(cut in any::<prop::sample::Index>()) {
        let file = long_talk().file();
        let (request, response, _) = one(&file);
        let capture = read_all(&file[..cut.index(file.len())]);
        for c in &capture.connections {
            let bytes = |s: &Stream| match s.segments.as_slice() {
                [Segment::Bytes(b), ..] => b.to_text().into_owned(),
                _ => String::new(),
            };
            prop_assert!(request.starts_with(&bytes(&c.client_to_server)));
            prop_assert!(response.starts_with(&bytes(&c.server_to_client)));
        }
    }

    #[test]
    fn random_bytes_never_panic(link in prop::sample::select(vec![0u32, 1, 9, 51, 101, 113, 276]), packets in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..120), 0..20), tail: Vec<u8>) {
        let frames: Vec<_> = packets.into_iter().map(|p| frame(1, p)).collect();
        let mut file = pcap(link, &frames);
        file.extend(tail);
        read_all(&file);
    }

    #[test]
    fn random_changes_never_panic(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..30)) {
        let mut file = long_talk().file();
        let len = file.len();
        for (at, value) in changes {
            file[at.index(len)] = value;
        }
        read(&file, SourceId(0), Limits::default());
        read_all(&file);
    }

    #[test]
    fn random_blocks_never_panic(blocks in proptest::collection::vec((0u32..12, proptest::collection::vec(any::<u8>(), 0..80)), 0..20)) {
        let mut file = block(0x0a0d_0d0a, &[0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
        for (kind, body) in blocks {
            file.extend(block(kind, &body));
        }
        read_all(&file);
    }
}
