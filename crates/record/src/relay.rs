//! Plain HTTP requests to a proxy: the request line is turned into the one that a server gets, all else stays as it is.

use crate::attention::MANY;
use crate::proxy::{Head, Shared, bad_gateway, connect, pass, proxy_authorization, read_head};
use crate::tape::Tape;
use std::cell::Cell;
use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use why401_http::Address;
use why401_read::http1::Side;

type Writes = Box<dyn AsyncWrite + Unpin>;

/// Where answers come from.
enum Reads {
    Plain(OwnedReadHalf),
    Secure(Box<dyn AsyncRead + Unpin>),
}

impl Reads {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        match self {
            Reads::Plain(reads) => reads.read(into).await,
            Reads::Secure(reads) => reads.read(into).await,
        }
    }
}

type Client = Rc<Mutex<OwnedWriteHalf>>;

/// The connection to the server that the requests of a client go to.
struct Upstream {
    address: Address,
    number: u64,
    writes: Writes,
    answers: JoinHandle<()>,
    state: Rc<State>,
    /// Where the environment's proxy gets the request: whole addresses, and what else it wants.
    proxied: Option<String>,
}

/// What the two directions tell each other.
#[derive(Default)]
struct State {
    /// A request asked for another protocol; the answer decides.
    upgrading: Cell<bool>,
    /// The protocol was switched (RFC 9110 section 7.8).
    raw: Cell<bool>,
    /// The server has closed.
    over: Cell<bool>,
}

/// Serves the requests of a connection, whose first head was read; `buffer` is what came behind it.
pub(crate) async fn run(
    stream: TcpStream,
    mut buffer: Vec<u8>,
    client: SocketAddr,
    first: Vec<u8>,
    shared: Rc<Shared>,
) -> Result<()> {
    let (mut reads, writes) = stream.into_split();
    let writes: Client = Rc::new(Mutex::new(writes));
    let mut upstream: Option<Upstream> = None;
    let mut next = Some(first);
    let result = loop {
        let bytes = match next.take() {
            Some(bytes) => bytes,
            None => match read_head(&mut reads, &mut buffer).await? {
                Some(bytes) => bytes,
                None => break Ok(()),
            },
        };
        let head = Head::parse(&bytes)?;
        let Some(address) = Address::parse(head.target()).filter(|a| !a.host.is_empty()) else {
            let mut writes = writes.lock().await;
            break bad_gateway(&mut *writes, "the request names no address").await;
        };
        if upstream.as_ref().is_some_and(|u| u.state.over.get()) {
            break Ok(());
        }
        // Whoever asks another server has its answer from the one before.
        if upstream.as_ref().is_some_and(|u| !u.address.same_origin(&address))
            && let Some(old) = upstream.take()
        {
            shared.tape.close(old.number);
        }
        let to = match upstream.as_mut() {
            Some(to) => to,
            None => match Upstream::open(address.clone(), client, Rc::clone(&writes), &shared).await {
                Ok(new) => upstream.insert(new),
                Err(e) => {
                    let mut writes = writes.lock().await;
                    break bad_gateway(&mut *writes, &e.to_string()).await;
                }
            },
        };
        let upgrade = head.field("upgrade").is_some();
        to.state.upgrading.set(upgrade);
        to.send(&rewritten(&bytes, &address, to.proxied.as_deref()), &shared).await?;
        body(&head, &mut reads, &mut buffer, to, &shared).await?;
        if upgrade {
            // Nothing more comes from the client before the answer; if that switches, all that comes belongs to it.
            if buffer.is_empty() && reads.read_buf(&mut buffer).await? == 0 {
                break Ok(());
            }
            if to.state.raw.get() {
                break raw(&mut reads, &mut buffer, to, &shared).await;
            }
        }
    };
    if let Some(upstream) = upstream {
        upstream.finish(&shared).await;
    }
    result
}

/// The head as the server gets it: path for address, without what was said to the proxy.
fn rewritten(bytes: &[u8], address: &Address, proxied: Option<&str>) -> Vec<u8> {
    let line_end = bytes.windows(2).position(|w| w == b"\r\n").unwrap_or(bytes.len());
    let (line, rest) = bytes.split_at_checked(line_end).unwrap_or((bytes, &[]));
    let mut out = Vec::with_capacity(bytes.len());
    if proxied.is_some() {
        out.extend_from_slice(line);
    } else {
        let line = String::from_utf8_lossy(line);
        let mut words = line.splitn(2, ' ');
        let (method, after) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let version = after.rsplit(' ').next().unwrap_or_default();
        out.extend_from_slice(format!("{method} {} {version}", address.target).as_bytes());
    }
    let rest = rest.strip_prefix(b"\r\n").unwrap_or(rest);
    out.extend_from_slice(b"\r\n");
    if let Some(fields) = proxied {
        out.extend_from_slice(fields.as_bytes());
    }
    for line in rest.split_inclusive(|b| *b == b'\n') {
        let name = line.split(|b| *b == b':').next().unwrap_or_default();
        let to_proxy = name.eq_ignore_ascii_case(b"proxy-connection")
            || (proxied.is_none() && name.eq_ignore_ascii_case(b"proxy-authorization"));
        if !to_proxy {
            out.extend_from_slice(line);
        }
    }
    out
}

/// Passes the content of a request on, as its fields say that it ends (RFC 9112 section 6.3).
async fn body(
    head: &Head<'_>,
    reads: &mut OwnedReadHalf,
    buffer: &mut Vec<u8>,
    to: &mut Upstream,
    shared: &Shared,
) -> Result<()> {
    let chunked =
        head.field("transfer-encoding").is_some_and(|v| v.to_ascii_lowercase().ends_with("chunked"));
    let length = head.field("content-length").and_then(|l| l.trim().parse::<u64>().ok()).unwrap_or(0);
    if !chunked {
        return exactly(length, reads, buffer, to, shared).await;
    }
    loop {
        let line = line(reads, buffer).await?;
        to.send(&line, shared).await?;
        let digits = line.split(|b| matches!(b, b';' | b'\r' | b'\n')).next().unwrap_or_default();
        let size = std::str::from_utf8(digits).ok().and_then(|d| u64::from_str_radix(d.trim(), 16).ok());
        let size = size.ok_or_else(|| Error::new(ErrorKind::InvalidData, "a chunk without its size"))?;
        if size > 0 {
            exactly(size + 2, reads, buffer, to, shared).await?;
            continue;
        }
        // Trailers, to an empty line.
        loop {
            let line = self::line(reads, buffer).await?;
            to.send(&line, shared).await?;
            if line.trim_ascii().is_empty() {
                return Ok(());
            }
        }
    }
}

async fn line(reads: &mut OwnedReadHalf, buffer: &mut Vec<u8>) -> Result<Vec<u8>> {
    loop {
        if let Some(end) = buffer.iter().position(|b| *b == b'\n') {
            let rest = buffer.split_off(end + 1);
            return Ok(std::mem::replace(buffer, rest));
        }
        if buffer.len() > 64 * 1024 || reads.read_buf(buffer).await? == 0 {
            return Err(Error::new(ErrorKind::UnexpectedEof, "a chunk was cut off"));
        }
    }
}

async fn exactly(
    mut left: u64,
    reads: &mut OwnedReadHalf,
    buffer: &mut Vec<u8>,
    to: &mut Upstream,
    shared: &Shared,
) -> Result<()> {
    while left > 0 {
        if buffer.is_empty() {
            buffer.reserve(128 * 1024);
            if reads.read_buf(buffer).await? == 0 {
                return Err(Error::new(ErrorKind::UnexpectedEof, "the content was cut off"));
            }
        }
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let rest = buffer.split_off(n);
        let piece = std::mem::replace(buffer, rest);
        left -= n as u64;
        to.send(&piece, shared).await?;
    }
    Ok(())
}

/// Passes everything on: another protocol is spoken now.
async fn raw(
    reads: &mut OwnedReadHalf,
    buffer: &mut Vec<u8>,
    to: &mut Upstream,
    shared: &Shared,
) -> Result<()> {
    loop {
        let piece = std::mem::take(buffer);
        to.send(&piece, shared).await?;
        buffer.reserve(64 * 1024);
        if reads.read_buf(buffer).await? == 0 {
            return Ok(());
        }
    }
}

impl Upstream {
    async fn open(address: Address, client: SocketAddr, to: Client, shared: &Rc<Shared>) -> Result<Upstream> {
        let (stream, peer, proxy) = connect(shared, &address).await?;
        let secure = address.scheme == "https" && proxy.is_none();
        let (reads, writes): (Reads, Writes) = if secure {
            // Some clients send requests for https addresses to a proxy as they are, and leave TLS to it.
            let protocols = vec![b"http/1.1".to_vec()];
            let handshake = shared
                .trust
                .handshake(shared.roots(), shared.identity.clone(), protocols)
                .map_err(Error::other)?;
            let name = ServerName::try_from(address.host.trim_matches(['[', ']']).to_owned())
                .map_err(Error::other)?;
            let stream = TlsConnector::from(Arc::clone(&handshake.config)).connect(name, stream).await?;
            let (reads, writes) = tokio::io::split(stream);
            (Reads::Secure(Box::new(reads)), Box::new(writes))
        } else {
            let (reads, writes) = stream.into_split();
            (Reads::Plain(reads), Box::new(writes))
        };
        let number = shared.tape.open(client, peer, secure);
        let proxied = proxy.map(|p| proxy_authorization(p).unwrap_or_default());
        let state = Rc::new(State::default());
        let answers =
            tokio::task::spawn_local(answers(reads, to, number, Rc::clone(&state), Rc::clone(shared)));
        Ok(Upstream { address, number, writes, answers, state, proxied })
    }

    async fn send(&mut self, bytes: &[u8], shared: &Shared) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let number = self.number;
        pass(&mut self.writes, bytes, || shared.tape.bytes(number, Side::Client, bytes)).await
    }

    /// Lets the server finish its answer, then closes.
    async fn finish(mut self, shared: &Shared) {
        let _ = self.writes.shutdown().await;
        let grace = std::time::Duration::from_secs(30);
        let _ = tokio::time::timeout(grace, &mut self.answers).await;
        shared.tape.close(self.number);
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.answers.abort();
    }
}

/// Passes the answers on until the server closes.
async fn answers(mut from: Reads, to: Client, number: u64, state: Rc<State>, shared: Rc<Shared>) {
    let mut buffer = vec![0; 128 * 1024];
    while let Ok(n) = from.read(&mut buffer).await {
        let piece = buffer.get(..n).unwrap_or_default();
        if piece.is_empty() {
            break;
        }
        if state.upgrading.replace(false) {
            state.raw.set(piece.get(8..).is_some_and(|p| p.starts_with(b" 101")));
        }
        let mut to = to.lock().await;
        if pass(&mut *to, piece, || shared.tape.bytes(number, Side::Server, piece)).await.is_err() {
            break;
        }
        if n >= MANY && long(&mut from, &to, number, &shared.tape).await.is_err() {
            break;
        }
    }
    state.over.set(true);
    shared.tape.end(number, Side::Server);
    // An answer that ends with the connection ends here too.
    let _ = to.lock().await.shutdown().await;
}

/// Passes the rest of a long content on, of which nothing more is kept.
#[cfg(target_os = "linux")]
async fn long(from: &mut Reads, to: &OwnedWriteHalf, number: u64, tape: &Tape) -> Result<()> {
    use crate::splice::{WORTH, Way};
    let (Reads::Plain(from), WORTH..) = (from, tape.unkept(number, Side::Server)) else { return Ok(()) };
    let Ok(way) = Way::new() else { return Ok(()) };
    // The end is noticed by who reads next.
    while let left @ 1.. = tape.unkept(number, Side::Server) {
        match way.pass(from.as_ref(), to.as_ref(), left).await? {
            0 => break,
            passed => tape.passed(number, Side::Server, passed),
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
async fn long(_: &mut Reads, _: &OwnedWriteHalf, _: u64, _: &Tape) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_said_to_the_proxy_is_taken_out() {
        let head = b"GET http://h.example:81/a?b HTTP/1.1\r\nHost: h.example:81\r\nProxy-Connection: Keep-Alive\r\nproxy-authorization: Basic eA==\r\nX-A:  odd \r\n\r\n";
        let address = Address::parse("http://h.example:81/a?b").unwrap();
        let direct = rewritten(head, &address, None);
        assert_eq!(direct, b"GET /a?b HTTP/1.1\r\nHost: h.example:81\r\nX-A:  odd \r\n\r\n");
        let proxied =
            String::from_utf8(rewritten(head, &address, Some("Proxy-Authorization: Basic eQ==\r\n")))
                .unwrap();
        assert!(
            proxied
                .starts_with("GET http://h.example:81/a?b HTTP/1.1\r\nProxy-Authorization: Basic eQ==\r\n")
        );
    }
}
