//! The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): who the client behind a proxy is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What stands at the front of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Front {
    /// More bytes are needed.
    Incomplete,
    /// So many bytes, and the client that they name; `None`: the proxy itself, as for its own checks.
    Header(usize, Option<IpAddr>),
    /// Something else.
    Wrong,
}

const TWO: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// Version 1 fits into 107 bytes with its line break.
const LINE: usize = 107;

/// Reads the front of a connection.
pub(crate) fn read(bytes: &[u8]) -> Front {
    match bytes.first() {
        None => Front::Incomplete,
        Some(b'P') => one(bytes),
        Some(b'\r') => two(bytes),
        Some(_) => Front::Wrong,
    }
}

fn one(bytes: &[u8]) -> Front {
    let Some(end) = memchr::memchr(b'\n', bytes.get(..bytes.len().min(LINE)).unwrap_or_default()) else {
        return if bytes.len() < LINE && b"PROXY ".iter().zip(bytes).all(|(a, b)| a == b) {
            Front::Incomplete
        } else {
            Front::Wrong
        };
    };
    let line = bytes.get(..end).and_then(|l| l.strip_suffix(b"\r")).and_then(|l| std::str::from_utf8(l).ok());
    let mut words = line.unwrap_or_default().split(' ');
    if words.next() != Some("PROXY") {
        return Front::Wrong;
    }
    let client = match words.next() {
        Some("UNKNOWN") => None,
        Some("TCP4" | "TCP6") => match words.next().and_then(|w| w.parse().ok()) {
            Some(address) if words.count() == 3 => Some(address),
            _ => return Front::Wrong,
        },
        _ => return Front::Wrong,
    };
    Front::Header(end + 1, client)
}

fn two(bytes: &[u8]) -> Front {
    if !TWO.iter().zip(bytes).all(|(a, b)| a == b) {
        return Front::Wrong;
    }
    let Some([version, family, high, low]) = bytes.get(12..16).and_then(|b| b.first_chunk::<4>()) else {
        return Front::Incomplete;
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let Some(rest) = bytes.get(16..16 + length) else {
        return if length > 4096 { Front::Wrong } else { Front::Incomplete };
    };
    let client = match (version, family >> 4) {
        (0x20, _) => None,
        (0x21, 1) => rest.first_chunk::<4>().map(|a| IpAddr::V4(Ipv4Addr::from(*a))),
        (0x21, 2) => rest.first_chunk::<16>().map(|a| IpAddr::V6(Ipv6Addr::from(*a))),
        (0x21, _) => None,
        _ => return Front::Wrong,
    };
    if matches!((version, family >> 4, client), (0x21, 1 | 2, None)) {
        return Front::Wrong;
    }
    Front::Header(16 + length, client)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_versions_are_read() {
        let line = b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\nGET";
        assert_eq!(read(line), Front::Header(45, Some("192.0.2.7".parse().unwrap())));
        for cut in 0..44 {
            assert_eq!(read(&line[..cut]), Front::Incomplete, "{cut}");
        }
        assert_eq!(read(b"PROXY UNKNOWN\r\n"), Front::Header(15, None));
        let mut binary = [TWO, &[0x21, 0x11, 0, 12, 192, 0, 2, 7, 198, 51, 100, 1, 1, 2, 3, 4]].concat();
        assert_eq!(read(&binary), Front::Header(28, Some("192.0.2.7".parse().unwrap())));
        assert_eq!(read(&binary[..20]), Front::Incomplete);
        binary[12] = 0x20;
        assert_eq!(read(&binary), Front::Header(28, None));
        for bytes in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"PROXY TCP4 x\r\n",
            b"PROXY TCP4 192.0.2.7 1\r\n",
            b"POST",
            b"\r\n\r\nx",
        ] {
            assert_eq!(read(bytes), Front::Wrong, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), front in 0..3usize) {
            let _ = read(&[[&b""[..], b"PROXY TCP4 ", TWO][front], &bytes].concat());
        }
    }
}
