//! The PROXY protocol: who a load balancer says that the client is.
//!
//! Source: <https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt>.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use why401_http::Peer;

/// The longest header of version 1, its line end included.
const LONGEST_LINE: usize = 107;
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// What the front of a stream is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Preamble {
    /// No header of this protocol.
    None,
    /// The front of one.
    Incomplete,
    /// A header so many bytes long, and the client that it names (`None`: the load balancer itself).
    Whole(usize, Option<Peer>),
}

/// Reads a PROXY protocol header of version 1 or 2.
pub(super) fn preamble(front: &[u8]) -> Preamble {
    if front.is_empty() {
        return Preamble::None;
    }
    let begins = |with: &[u8]| front.starts_with(with) || with.starts_with(front);
    if begins(&SIGNATURE) {
        return version_2(front).unwrap_or(Preamble::Incomplete);
    }
    if !begins(b"PROXY ") {
        return Preamble::None;
    }
    let line = front.get(..LONGEST_LINE).unwrap_or(front);
    match line.windows(2).position(|w| w == b"\r\n") {
        Some(end) => {
            let text = String::from_utf8_lossy(line.get(..end).unwrap_or_default()).into_owned();
            Preamble::Whole(end + 2, version_1(&text))
        }
        None if front.len() < LONGEST_LINE => Preamble::Incomplete,
        None => Preamble::None,
    }
}

/// `PROXY TCP4 192.0.2.1 192.0.2.2 50000 80`
fn version_1(line: &str) -> Option<Peer> {
    let mut words = line.split(' ').skip(1);
    words.next().filter(|w| *w == "TCP4" || *w == "TCP6")?;
    let ip: IpAddr = words.next()?.parse().ok()?;
    let port = words.nth(1)?.parse().ok()?;
    Some(Peer { host: ip.to_string(), port: Some(port) })
}

fn version_2(front: &[u8]) -> Option<Preamble> {
    let (head, rest) = front.split_first_chunk::<16>()?;
    let [.., command, family, len_hi, len_lo] = *head;
    let len = usize::from(u16::from_be_bytes([len_hi, len_lo]));
    let addresses = rest.get(..len)?;
    // LOCAL commands are the load balancer's own, such as health checks.
    let client = (command == 0x21).then(|| client_2(family, addresses)).flatten();
    Some(Preamble::Whole(16 + len, client))
}

fn client_2(family: u8, addresses: &[u8]) -> Option<Peer> {
    let (ip, ports): (IpAddr, &[u8]) = match family >> 4 {
        1 => (Ipv4Addr::from(*addresses.first_chunk::<4>()?).into(), addresses.get(8..)?),
        2 => (Ipv6Addr::from(*addresses.first_chunk::<16>()?).into(), addresses.get(32..)?),
        _ => return None,
    };
    let port = u16::from_be_bytes(*ports.first_chunk::<2>()?);
    Some(Peer { host: ip.to_string(), port: Some(port) })
}

/// Whether these are the first bytes of SIP (RFC 3261, section 7): a start line of HTTP's making that ends or begins with
/// another protocol.
pub(super) fn is_sip(front: &[u8]) -> bool {
    let line = front.split(|c| *c == b'\n').next().unwrap_or_default().trim_ascii_end();
    line.starts_with(b"SIP/2.0 ") || (line.ends_with(b" SIP/2.0") && front.len() > line.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(host: &str, port: u16) -> Option<Peer> {
        Some(Peer { host: host.into(), port: Some(port) })
    }

    #[test]
    fn both_versions_name_the_client() {
        let line = b"PROXY TCP4 192.0.2.1 192.0.2.2 50000 80\r\nGET / HTTP/1.1\r\n";
        assert_eq!(preamble(line), Preamble::Whole(41, peer("192.0.2.1", 50000)));
        let mut v2 = SIGNATURE.to_vec();
        v2.extend([0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 2, 0xc3, 0x50, 0, 80, b'G']);
        assert_eq!(preamble(&v2), Preamble::Whole(28, peer("192.0.2.1", 50000)));
        assert_eq!(preamble(&v2[..20]), Preamble::Incomplete);
        v2[12] = 0x20;
        assert_eq!(preamble(&v2), Preamble::Whole(28, None));
        assert_eq!(preamble(b"PROXY UNKNOWN\r\n"), Preamble::Whole(15, None));
        assert_eq!(preamble(b"PRO"), Preamble::Incomplete);
        assert_eq!(preamble(b"PROPFIND / HTTP/1.1\r\n"), Preamble::None);
    }
}
