//! What is kept for another thread is what a sink would have been told.
#![allow(clippy::indexing_slicing, reason = "in a test a panic is the report")]

mod support;

use std::net::{IpAddr, SocketAddr};
use support::{SYN, Talk, block, ethernet, fragment, frame, ip, pcap, tcp};
use why401_capture::{
    ConnectionId, Data, Datagram, Direction, End, Endpoints, Gap, Limits, Reader, Sink, Time, Told,
};
use why401_span::{SourceId, Span};

/// Everything that a sink is told, in words.
#[derive(Default)]
struct Words(String);

impl Sink for Words {
    fn open(&mut self, id: ConnectionId, endpoints: &Endpoints) {
        self.0 += &format!("open {id:?} {endpoints:?}\n");
    }
    fn data(&mut self, id: ConnectionId, direction: Direction, data: Data<'_>) {
        self.0 += &format!("{id:?} {direction:?} {data:?}\n");
    }
    fn gap(&mut self, id: ConnectionId, direction: Direction, gap: Gap) {
        self.0 += &format!("{id:?} {direction:?} {gap:?}\n");
    }
    fn finished(&mut self, id: ConnectionId, direction: Direction, time: Option<Time>) {
        self.0 += &format!("finished {id:?} {direction:?} {time:?}\n");
    }
    fn close(&mut self, id: ConnectionId, end: End, last: Option<Time>) {
        self.0 += &format!("close {id:?} {end:?} {last:?}\n");
    }
    fn datagram(&mut self, datagram: Datagram<'_>) {
        self.0 += &format!("{datagram:?}\n");
    }
    fn tls_keys(&mut self, lines: &[u8]) {
        self.0 += &format!("keys {lines:?}\n");
    }
    fn name(&mut self, address: IpAddr, name: &str) {
        self.0 += &format!("{address} is {name}\n");
    }
    fn comment(&mut self, text: &str, span: Span) {
        self.0 += &format!("{text} {span:?}\n");
    }
}

fn at_once(file: &[u8], size: usize) -> String {
    let (mut reader, mut words) = (Reader::new(SourceId(0), Limits::default()), Words::default());
    file.chunks(size).for_each(|piece| reader.feed(piece, &mut words));
    reader.finish(&mut words);
    words.0
}

fn later(file: &[u8], size: usize) -> String {
    let (mut reader, mut words) = (Reader::new(SourceId(0), Limits::default()), Words::default());
    let mut used = Told::default();
    for piece in file.chunks(size) {
        used = reader.take(piece.to_vec(), used);
        used.tell(&mut words);
    }
    while let Some(left) = reader.end(used) {
        left.tell(&mut words);
        used = left;
    }
    words.0
}

/// What is left at the end is told in pieces.
#[test]
fn very_many_that_are_open_at_the_end_are_closed_in_the_order_in_which_they_began() {
    let syn = |i: u16| {
        let from = SocketAddr::new(support::client().ip(), i);
        frame(u64::from(i), ip(from, support::server(), 6, &tcp(from, support::server(), 7, 0, SYN, b"")))
    };
    let file = pcap(101, &(1..20_000).map(syn).collect::<Vec<_>>());
    let told = later(&file, 1 << 16);
    assert_eq!(told, at_once(&file, 1 << 16));
    let closed: Vec<&str> = told.lines().filter(|l| l.starts_with("close ")).collect();
    assert_eq!(closed.len(), 19_999);
    assert!(closed[0].starts_with("close ConnectionId(0) ") && closed[19_998].contains("(19998)"));
}

#[test]
fn the_same_is_told_however_the_file_is_cut() {
    let mut talk = Talk::begin(1000, 9000);
    talk.say(0, b"GET / HTTP/1.1\r\n\r\n");
    talk.say(1, &[b'x'; 700]);
    talk.end();
    let datagram = ip(
        support::client(),
        support::server(),
        17,
        &[&[0, 88, 0, 88, 0, 208, 0, 0], &[7; 200][..]].concat(),
    );
    let pieces = [fragment(&datagram, 0, 104, 1), fragment(&datagram, 104, 104, 1)];
    let in_pieces: Vec<_> = pieces.into_iter().map(|p| frame(5, ethernet(0x800, &p))).collect();
    let mut secrets = talk.file();
    secrets.truncate(0);
    secrets
        .extend(block(0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[255; 8]].concat()));
    secrets.extend(block(10, &[&0x544c_534b_u32.to_le_bytes()[..], &[4, 0, 0, 0], b"keys"].concat()));
    let compressed = {
        use std::io::Write;
        let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        to.write_all(&talk.file()).unwrap();
        to.finish().unwrap()
    };
    for file in [talk.file(), pcap(1, &in_pieces), secrets, compressed] {
        for size in [1, 3, 61, 100, 1000, 1 << 20] {
            let told = later(&file, size);
            assert!(!told.is_empty());
            assert_eq!(told, at_once(&file, size), "pieces of {size}");
        }
    }
}
