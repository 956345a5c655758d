//! SOCKS version 5 (RFC 1928), with user and password (RFC 1929): how a connection through such a proxy begins.

use std::net::IpAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use why401_auth::Secret;

/// Who finds the address of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finds {
    /// The client (`socks5://`).
    Client,
    /// The proxy (`socks5h://`).
    Proxy,
}

/// Where the proxy is to connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// A name, whose address the proxy finds.
    Name(&'a str),
    /// An address.
    Ip(IpAddr),
}

impl<'a> Target<'a> {
    /// The host as it stands in an address: a literal address is none that needs to be found.
    pub fn of(host: &'a str) -> Target<'a> {
        let bare = host.trim_matches(['[', ']']);
        bare.parse().map_or(Target::Name(bare), Target::Ip)
    }
}

/// No authentication (RFC 1928 section 3).
const NOTHING: u8 = 0;
/// User and password (RFC 1929).
const PASSWORD: u8 = 2;

/// Asks the proxy at the other end of `stream` for a connection; what follows belongs to the target.
///
/// # Errors
/// Why there is none, in words that follow the proxy's name.
pub async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    target: Target<'_>,
    port: u16,
    userinfo: Option<&Secret>,
) -> Result<(), String> {
    let request = request(target, port)?;
    let greeting: &[u8] = if userinfo.is_some() { &[5, 2, NOTHING, PASSWORD] } else { &[5, 1, NOTHING] };
    tell(stream, greeting).await?;
    match (hear(stream).await?, userinfo) {
        ([5, NOTHING], _) => {}
        ([5, PASSWORD], Some(userinfo)) => {
            tell(stream, &login(userinfo)?).await?;
            let [_, status] = hear(stream).await?;
            if status != 0 {
                return Err("refused user and password for the proxy".to_owned());
            }
        }
        ([5, PASSWORD], None) => return Err("wants user and password for the proxy".to_owned()),
        ([5, 0xff], Some(_)) => return Err("takes no user and password (RFC 1928 section 3)".to_owned()),
        ([5, _], _) => return Err("wants user and password, or another kind of authentication".to_owned()),
        _ => return Err("what came back is no SOCKS version 5".to_owned()),
    }
    tell(stream, &request).await?;
    let [version, reply, _, kind] = hear(stream).await?;
    if version != 5 {
        return Err("what came back is no SOCKS version 5".to_owned());
    }
    if reply != 0 {
        return Err(format!("opened no connection to the server: {}", meaning(reply)));
    }
    // The address that the proxy connects from is of no use here, and ends its answer.
    let rest = match kind {
        1 => 4,
        3 => {
            let [length] = hear(stream).await?;
            usize::from(length)
        }
        4 => 16,
        _ => return Err("what came back is no SOCKS version 5".to_owned()),
    };
    for _ in 0..rest + 2 {
        hear::<1, S>(stream).await?;
    }
    Ok(())
}

/// `CONNECT` (RFC 1928 section 4).
fn request(target: Target<'_>, port: u16) -> Result<Vec<u8>, String> {
    let mut bytes = vec![5, 1, 0];
    match target {
        Target::Ip(IpAddr::V4(ip)) => {
            bytes.push(1);
            bytes.extend(ip.octets());
        }
        Target::Ip(IpAddr::V6(ip)) => {
            bytes.push(4);
            bytes.extend(ip.octets());
        }
        Target::Name(name) => {
            let length = u8::try_from(name.len()).map_err(|_| "the host's name is too long for SOCKS")?;
            bytes.extend([3, length]);
            bytes.extend(name.bytes());
        }
    }
    bytes.extend(port.to_be_bytes());
    Ok(bytes)
}

/// User and password (RFC 1929 section 2).
fn login(userinfo: &Secret) -> Result<Vec<u8>, String> {
    let mut parts = userinfo.expose().splitn(2, |b| *b == b':');
    let mut bytes = vec![1];
    for part in [parts.next().unwrap_or_default(), parts.next().unwrap_or_default()] {
        let length = u8::try_from(part.len()).map_err(|_| "user or password are too long for SOCKS")?;
        bytes.push(length);
        bytes.extend(part);
    }
    Ok(bytes)
}

async fn tell(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), String> {
    stream.write_all(bytes).await.map_err(|_| CLOSED.to_owned())?;
    stream.flush().await.map_err(|_| CLOSED.to_owned())
}

async fn hear<const N: usize, S: AsyncRead + Unpin>(stream: &mut S) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await.map_err(|_| CLOSED.to_owned())?;
    Ok(bytes)
}

const CLOSED: &str = "closed the connection before it was through (is it a SOCKS proxy?)";

/// RFC 1928 section 6.
fn meaning(reply: u8) -> &'static str {
    match reply {
        2 => "its rules do not allow it",
        3 => "the network is unreachable",
        4 => "the host is unreachable",
        5 => "the connection was refused",
        6 => "the time to live expired",
        7 => "it does not know the command",
        8 => "it does not know the type of address",
        _ => "it failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What is said to a proxy that answers so, and what came of it.
    fn said(answer: &[u8], target: Target<'_>, userinfo: Option<&str>) -> (Vec<u8>, Result<(), String>) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (mut here, mut there) = tokio::io::duplex(4096);
            there.write_all(answer).await.unwrap();
            there.shutdown().await.unwrap();
            let userinfo = userinfo.map(Secret::new);
            let result = open(&mut here, target, 443, userinfo.as_ref()).await;
            drop(here);
            let mut bytes = Vec::new();
            there.read_to_end(&mut bytes).await.unwrap();
            (bytes, result)
        })
    }

    #[test]
    fn the_bytes_are_those_of_the_standard() {
        let ip = Target::of("192.0.2.7");
        let (bytes, result) = said(&[5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0], ip, None);
        assert_eq!((bytes, result), (vec![5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 7, 1, 187], Ok(())));
        let name = Target::of("h.example");
        let answer = [&[5, 2, 1, 0, 5, 0, 0, 3, 1][..], b"x", &[0, 0]].concat();
        let (bytes, result) = said(&answer, name, Some("bob:x:y"));
        let expected =
            [&[5, 2, 0, 2, 1, 3][..], b"bob", &[3], b"x:y", &[5, 1, 0, 3, 9], b"h.example", &[1, 187]]
                .concat();
        assert_eq!((bytes, result), (expected, Ok(())));
        assert_eq!(Target::of("[::1]"), Target::Ip(IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])));
    }

    #[test]
    fn each_refusal_has_its_word() {
        let why = |answer: &[u8], userinfo| said(answer, Target::of("h.example"), userinfo).1.unwrap_err();
        assert!(why(&[5, 2], None).contains("wants user and password"));
        assert!(why(&[5, 2, 1, 1], Some("bob:x")).contains("refused user"));
        assert!(why(&[5, 0, 5, 5, 0, 1], None).contains("was refused"));
        assert!(why(b"HTTP/1.1 400 Bad Request\r\n\r\n", None).contains("no SOCKS"));
        assert!(why(&[], None).contains("closed"));
        let long = "x".repeat(256);
        assert!(said(&[], Target::of(&long), None).1.unwrap_err().contains("too long"));
    }

    proptest! {
        #[test]
        fn no_answer_is_too_strange(answer in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = said(&answer, Target::of("h.example"), Some("bob:x"));
        }
    }
}
