//! Captures of every kind go into a bundle and come out as captures that tshark reads as before, without what was secret.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "in a test a panic is the report"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// `alice:Canary-1` in base64.
const SECRET: &str = "YWxpY2U6Q2FuYXJ5LTE=";
const KEYS: &str = "CLIENT_RANDOM 5e1f0c 7ab93d";
const ANSWER: &str =
    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 5\r\n\r\nnone\n";

/// A frame: the tags of its VLANs, and what the addresses of its ends begin with.
#[derive(Clone, Copy)]
struct Net {
    tags: &'static [u16],
    six: bool,
    /// Options of IPv4, or a routing header of IPv6.
    options: &'static [u8],
}

const FOUR: Net = Net { tags: &[], six: false, options: &[] };
const SIX: Net = Net { tags: &[], six: true, options: &[] };
/// By way of host 4, with no segments left (RFC 8200, section 4.4).
const ROUTE: &[u8] = &[6, 2, 0, 0, 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 4];

impl Net {
    fn address(self, host: u8) -> Vec<u8> {
        match self.six {
            true => [&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12][..], &[host]].concat(),
            false => vec![192, 0, 2, 100 + host],
        }
    }

    /// What a packet of `protocol` carries, with right checksums; the transport's stands at `checksum`.
    fn frame(self, from: u8, to: u8, protocol: u8, mut segment: Vec<u8>, checksum: usize) -> Vec<u8> {
        let ends = [self.address(from), self.address(to)].concat();
        let pseudo = [&ends[..], &[0, protocol], &(segment.len() as u16).to_be_bytes()].concat();
        let sum = sum(&[&pseudo[..], &segment].concat());
        segment[checksum..checksum + 2].copy_from_slice(&sum.to_be_bytes());
        let mut out = vec![2, 0x11, 0, 0, 0, to, 2, 0x11, 0, 0, 0, from];
        for (i, tag) in self.tags.iter().enumerate() {
            // The outer tag of two is a provider's (IEEE 802.1ad).
            out.extend(if i + 1 < self.tags.len() { [0x88, 0xa8] } else { [0x81, 0] });
            out.extend(tag.to_be_bytes());
        }
        if self.six {
            out.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            out.extend(((self.options.len() + segment.len()) as u16).to_be_bytes());
            out.extend([if self.options.is_empty() { protocol } else { 43 }, 64]);
            out.extend(ends);
            out.extend(self.options.iter().enumerate().map(|(i, b)| if i == 0 { protocol } else { *b }));
        } else {
            out.extend([8, 0]);
            let words = 5 + self.options.len() / 4;
            let mut head = vec![0x40 + words as u8, 0];
            head.extend((words as u16 * 4 + segment.len() as u16).to_be_bytes());
            head.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
            head.extend(ends);
            head.extend(self.options);
            let sum = self::sum(&head);
            head[10..12].copy_from_slice(&sum.to_be_bytes());
            out.extend(head);
        }
        out.extend(segment);
        out
    }
}

/// The checksum of RFC 1071.
fn sum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(w.get(1).copied().unwrap_or(0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Three clients that each ask twice on one connection, byte strings cut into segments of odd length.
fn frames(net: Net) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for client in 2..5u8 {
        let (mut sent, mut received) = (1000u32, 5000u32);
        let mut say = |from_client: bool, flags: u8, content: &[u8]| {
            let (from, to) = if from_client { (client, 1) } else { (1, client) };
            let ports =
                if from_client { [50_000 + u16::from(client), 80] } else { [80, 50_000 + u16::from(client)] };
            let numbers = if from_client { [sent, received] } else { [received, sent] };
            let mut segment: Vec<u8> = ports.iter().flat_map(|p| p.to_be_bytes()).collect();
            segment.extend(numbers.iter().flat_map(|n| n.to_be_bytes()));
            segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
            segment.extend(content);
            let length = content.len() as u32 + u32::from(flags & 3 != 0);
            *(if from_client { &mut sent } else { &mut received }) += length;
            out.push(net.frame(from, to, 6, segment, 16));
        };
        say(true, 2, b"");
        say(false, 18, b"");
        say(true, 16, b"");
        for path in ["a", "b"] {
            let request = format!(
                "GET /{path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {SECRET}\r\n\r\n",
                if net.six { "[2001:db8::1201]" } else { "192.0.2.101" }
            );
            request.as_bytes().chunks(33).for_each(|part| say(true, 24, part));
            say(false, 24, ANSWER.as_bytes());
        }
        say(true, 17, b"");
    }
    // A question to a name server.
    let dns = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example\x03com\0\0\x01\0\x01";
    let length = (8 + dns.len() as u16).to_be_bytes();
    let datagram = [&[0xc3, 0x50, 0, 53][..], &length, &[0, 0], dns].concat();
    out.push(net.frame(2, 9, 17, datagram, 6));
    out
}

/// How packets stand in a file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Container {
    Pcap,
    Enhanced,
    /// The packet block that later drafts of pcapng call obsolete.
    Old,
}

fn file(container: Container, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    if container == Container::Pcap {
        out.extend(0xa1b2_c3d4_u32.to_le_bytes());
        out.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0]);
        for (number, frame) in frames.iter().enumerate() {
            let numbers = [1_795_000_000, number as u32, frame.len() as u32, frame.len() as u32];
            out.extend(numbers.iter().flat_map(|n| n.to_le_bytes()));
            out.extend(frame);
        }
        return out;
    }
    let mut block = |kind: u32, body: &[u8]| {
        let body = [body, &vec![0; body.len().next_multiple_of(4) - body.len()]].concat();
        let length = (12 + body.len() as u32).to_le_bytes();
        out.extend([&kind.to_le_bytes(), &length, &body[..], &length].concat());
    };
    let comment = |text: &str| {
        let fill = vec![0; text.len().next_multiple_of(4) - text.len()];
        [&[1, 0], &(text.len() as u16).to_le_bytes(), text.as_bytes(), &fill, &[0; 4]].concat()
    };
    let version = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    block(0x0a0d_0d0a, &[&version[..], &comment("captured for Canary-1")].concat());
    block(1, &[&[1, 0, 0, 0, 0, 0, 4, 0][..], &comment("Canary-1")].concat());
    // TLS keys (draft-ietf-opsawg-pcapng, section 4.7), names, and a block of somebody's own.
    let keys = [&0x544c_534b_u32.to_le_bytes()[..], &(KEYS.len() as u32).to_le_bytes(), KEYS.as_bytes()];
    block(10, &keys.concat());
    block(4, b"\x01\0\x0d\0\xc0\0\x02\x66Canary-1\0\0\0\0\0\0\0\0");
    block(0xbad, b"\0\0\0\x01Canary-1");
    for (number, frame) in frames.iter().enumerate() {
        let micros = 1_795_000_000_000_000_u64 + number as u64;
        let length = (frame.len() as u32).to_le_bytes();
        // Of the old block, a number of the interface and of packets that were lost, two bytes each.
        let interface = if container == Container::Old { [0, 0, 0xff, 0xff] } else { [0; 4] };
        let time = [((micros >> 32) as u32).to_le_bytes(), (micros as u32).to_le_bytes()].concat();
        let fill = vec![0; frame.len().next_multiple_of(4) - frame.len()];
        let body = [&interface[..], &time, &length, &length, frame, &fill, &comment("Canary-1")].concat();
        block(if container == Container::Old { 2 } else { 6 }, &body);
    }
    out
}

/// Names and contents of what is in the bundle, and what the program told.
fn bundle(capture: &[u8], arguments: &[&str]) -> (BTreeMap<String, Vec<u8>>, String) {
    let folder = tempfile::tempdir().unwrap();
    let (given, zip) = (folder.path().join("given.pcap"), folder.path().join("case.zip"));
    std::fs::write(&given, capture).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_why401"))
        .args(["bundle".as_ref(), given.as_os_str(), "-o".as_ref(), zip.as_os_str()])
        .args(arguments)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
    assert!(out.status.code().is_some_and(|status| status < 2), "{told}");
    let mut zip = zip::ZipArchive::new(std::fs::File::open(zip).unwrap()).unwrap();
    let mut files = BTreeMap::new();
    for i in 0..zip.len() {
        let mut bytes = Vec::new();
        let mut file = zip.by_index(i).unwrap();
        std::io::Read::read_to_end(&mut file, &mut bytes).unwrap();
        files.insert(file.name().unwrap().into_owned(), bytes);
    }
    (files, told)
}

fn evidence(files: &BTreeMap<String, Vec<u8>>) -> &[u8] {
    files.iter().find(|(name, _)| name.starts_with("evidence/")).unwrap().1
}

const FIELDS: [&str; 12] = [
    "ip.src",
    "ip.dst",
    "ipv6.src",
    "ipv6.dst",
    "eth.src",
    "eth.dst",
    "tcp.srcport",
    "vlan.id",
    "http.request.method",
    "http.response.code",
    "ip.checksum.status",
    "tcp.checksum.status",
];

/// What tshark makes of a capture, a row a packet; `None` where there is no tshark.
fn tshark(capture: &[u8]) -> Option<Vec<Vec<String>>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.pcap");
    std::fs::write(&path, capture).unwrap();
    let out = Command::new("tshark")
        .args(["-n", "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-T", "fields", "-r"])
        .arg(Path::new(&path))
        .args(FIELDS.iter().flat_map(|field| ["-e", field]))
        .output()
        .inspect_err(|_| println!("skipped: no tshark"))
        .ok()?;
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    let rows = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    // A block of somebody's own counts as a packet without layers.
    Some(rows.filter(|row| !row[4].is_empty()).collect())
}

fn kinds() -> Vec<(Net, Container)> {
    let nets = [
        FOUR,
        SIX,
        Net { tags: &[7], ..FOUR },
        Net { tags: &[100, 7], ..FOUR },
        Net { tags: &[100, 7], ..SIX },
        // The way that a packet took (RFC 791, record route).
        Net { options: &[7, 7, 8, 192, 0, 2, 104, 0], ..FOUR },
        Net { options: ROUTE, ..SIX },
    ];
    nets.into_iter()
        .flat_map(|net| [Container::Pcap, Container::Enhanced, Container::Old].map(|c| (net, c)))
        .collect()
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|w| w == part)
}

#[test]
fn keys_comments_and_names_stay_behind_and_every_exchange_comes_along() {
    for (net, container) in kinds() {
        let given = file(container, &frames(net));
        let (files, told) = bundle(&given, &[]);
        for (name, bytes) in &files {
            for secret in [SECRET, KEYS, "Canary", "5e1f0c"] {
                assert!(!has(bytes, secret.as_bytes()), "{container:?}: {secret} in {name}");
            }
        }
        if container != Container::Pcap {
            assert!(told.contains("1 blocks with decryption keys dropped"), "{told}");
        }
        let (Some(before), Some(after)) = (tshark(&given), tshark(evidence(&files))) else { return };
        assert_eq!(before, after, "{container:?}");
        assert_eq!(after.iter().filter(|row| row[9] == "401").count(), 6, "{after:?}");
    }
}

#[test]
fn every_address_becomes_the_same_other_one_and_checksums_are_right() {
    for (net, container) in kinds() {
        let given = file(container, &frames(net));
        let (files, _) = bundle(&given, &["--mask-addresses"]);
        let kept = evidence(&files);
        for host in [1, 2, 3, 4, 9] {
            assert!(!has(kept, &net.address(host)), "{container:?}: address {host}");
            assert!(!has(kept, &[2, 0x11, 0, 0, 0, host]), "{container:?}: hardware {host}");
        }
        for (name, bytes) in &files {
            for text in ["192.0.2.", "2001:db8::12", "Canary", SECRET] {
                assert!(!has(bytes, text.as_bytes()), "{container:?}: {text} in {name}");
            }
        }
        let (Some(before), Some(after)) = (tshark(&given), tshark(kept)) else { return };
        assert_eq!(before.len(), after.len());
        let mut made: BTreeMap<&str, &str> = BTreeMap::new();
        for (old, new) in before.iter().zip(&after) {
            for (old, new) in old.iter().zip(new).take(6).filter(|(old, _)| !old.is_empty()) {
                assert_eq!(made.entry(old).or_insert(new), new, "{old} is one address");
                assert_ne!(old, new);
            }
            assert_eq!(old[6..10], new[6..10], "{container:?}");
            // 1 is tshark's word for good.
            assert_eq!((&new[10], &new[11]), (&old[10], &old[11]), "{container:?}: {new:?}");
            assert!(new[6].is_empty() || new[11] == "1", "{new:?}");
        }
        assert_eq!(made.values().collect::<BTreeSet<_>>().len(), made.len(), "{made:?}");
    }
}
