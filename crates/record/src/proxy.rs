//! The proxy that the program is given: accepts, and tells tunnels from plain requests.

use crate::attention::MANY;
use crate::authority::Authority;
use crate::tape::{Note, Tape};
use crate::{long, relay, tunnel};
use jiff::Timestamp;
use memchr::memchr;
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::sign::CertifiedKey;
use why401_http::{Address, Peer};
use why401_probe::wire::{Identity, Proxies, Proxy, Trust, socks};
use why401_read::http1::Side;

/// A head larger than this is no head.
const MOST_HEAD: usize = 512 * 1024;
/// How long a connection to a server may take to come about.
const CONNECT: Duration = Duration::from_secs(30);

/// What all connections of a run share.
pub(crate) struct Shared {
    pub(crate) tape: Tape,
    /// Trusted by the program, for servers whose certificate verifies.
    pub(crate) authority: Authority,
    /// Trusted by nobody, for the others: who verifies is warned as without the recorder.
    pub(crate) nobody: Authority,
    pub(crate) trust: Trust,
    /// The authorities of the machine.
    pub(crate) machine: Vec<CertificateDer<'static>>,
    pub(crate) roots: OnceCell<Arc<RootCertStore>>,
    pub(crate) identity: Option<Identity>,
    pub(crate) proxies: Proxies,
    pub(crate) issued: RefCell<HashMap<(String, bool), Arc<CertifiedKey>>>,
    /// Connections that are served.
    pub(crate) open: watch::Sender<usize>,
}

/// A connection that is served, for as long as this lives.
struct Served(Rc<Shared>);

impl Served {
    fn new(shared: Rc<Shared>) -> Self {
        shared.open.send_modify(|open| *open += 1);
        Served(shared)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open -= 1);
    }
}

impl Shared {
    /// The certificate for a host; one that verifies only where the server's own does.
    pub(crate) fn certificate(
        &self,
        host: &str,
        verifies: bool,
    ) -> std::result::Result<Arc<CertifiedKey>, String> {
        let key = (host.to_ascii_lowercase(), verifies);
        if let Some(known) = self.issued.borrow().get(&key) {
            return Ok(Arc::clone(known));
        }
        let authority = if verifies { &self.authority } else { &self.nobody };
        let issued = authority.host(host, Timestamp::now())?;
        self.issued.borrow_mut().insert(key, Arc::clone(&issued));
        Ok(issued)
    }

    pub(crate) fn roots(&self) -> &Arc<RootCertStore> {
        self.roots.get_or_init(|| Arc::new(self.trust.roots_beside(self.machine.iter().cloned())))
    }
}

/// Accepts until the run is over.
pub(crate) async fn serve(listener: TcpListener, shared: Rc<Shared>) {
    while let Ok((stream, client)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let served = Served::new(Rc::clone(&shared));
        tokio::task::spawn_local(async move {
            let _ = connection(stream, client, Rc::clone(&served.0)).await;
        });
    }
}

async fn connection(mut stream: TcpStream, client: SocketAddr, shared: Rc<Shared>) -> Result<()> {
    let mut buffer = Vec::new();
    let Some(head) = read_head(&mut stream, &mut buffer).await? else { return Ok(()) };
    let request = Head::parse(&head)?;
    if request.method() == "CONNECT" {
        return tunnel::run(stream, buffer, client, &request, shared).await;
    }
    relay::run(stream, buffer, client, head, shared).await
}

/// The head of a request, as far as a proxy needs it.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    line: Cow<'a, str>,
    fields: &'a [u8],
}

impl<'a> Head<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Head<'a>> {
        let end = memchr(b'\n', bytes).unwrap_or(bytes.len());
        let (line, fields) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
        let line = String::from_utf8_lossy(line.trim_ascii_end());
        if !line.contains(' ') {
            return Err(Error::new(ErrorKind::InvalidData, "no request line"));
        }
        Ok(Head { line, fields })
    }

    pub(crate) fn method(&self) -> &str {
        self.line.split(' ').next().unwrap_or_default()
    }

    pub(crate) fn target(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    /// The first field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<Cow<'a, str>> {
        self.fields.split(|b| *b == b'\n').find_map(|line| {
            let (n, v) = line.split_at_checked(memchr(b':', line)?)?;
            let value = || String::from_utf8_lossy(v.strip_prefix(b":").unwrap_or(v).trim_ascii());
            n.trim_ascii().eq_ignore_ascii_case(name.as_bytes()).then(value)
        })
    }
}

/// Reads up to the end of a head; what came behind it stays in `buffer`. `None` at the end of the stream.
pub(crate) async fn read_head(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
) -> Result<Option<Vec<u8>>> {
    let mut seen = 0;
    loop {
        if let Some(end) = end_of_head(buffer, seen) {
            let rest = buffer.split_off(end);
            return Ok(Some(std::mem::replace(buffer, rest)));
        }
        seen = buffer.len().saturating_sub(3);
        if buffer.len() > MOST_HEAD {
            return Err(Error::new(ErrorKind::InvalidData, "the head is too large"));
        }
        buffer.reserve(16 * 1024);
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(4).position(|w| w == b"\r\n\r\n").map(|i| from + i + 4)
}

/// Opens a connection to where an address leads, through the environment's proxy where there is one; gives that proxy
/// where the request itself has to go to it.
pub(crate) async fn connect<'a>(
    shared: &'a Shared,
    address: &Address,
) -> Result<(TcpStream, Peer, Option<&'a Proxy>)> {
    let proxy = shared.proxies.for_address(address);
    let (host, port) = proxy.map_or((address.host.as_str(), address.port), |p| (p.host.as_str(), p.port));
    let dialing = TcpStream::connect((host.trim_matches(['[', ']']), port));
    let stream = match tokio::time::timeout(CONNECT, dialing).await {
        Ok(done) => done,
        Err(_) => Err(Error::new(ErrorKind::TimedOut, "no connection in time")),
    };
    let mut stream = stream.inspect_err(|e| {
        let text = e.to_string();
        let why = text.split(" (os error").next().unwrap_or(&text).to_owned();
        shared.tape.note(Note::NoConnection(format!("{host}:{port}: {why}")));
    })?;
    let _ = stream.set_nodelay(true);
    let server = match stream.peer_addr() {
        Ok(a) => Peer { host: a.ip().to_string(), port: Some(a.port()) },
        Err(_) => Peer { host: host.to_owned(), port: Some(port) },
    };
    let Some(by) = proxy.and_then(|p| p.socks) else { return Ok((stream, server, proxy)) };
    let userinfo = proxy.and_then(|p| p.userinfo.as_ref());
    let target = found(address, by).await?;
    let opening = socks::open(&mut stream, target, address.port, userinfo);
    let opened = tokio::time::timeout(CONNECT, opening).await;
    let opened = opened.unwrap_or_else(|_| Err("no answer in time".to_owned()));
    opened.map_err(|why| {
        shared.tape.note(Note::NoConnection(format!("{host}:{port}: {why}")));
        Error::other(format!("the proxy {host}:{port}: {why}"))
    })?;
    // Behind it, HTTP is spoken with the server itself.
    Ok((stream, server, None))
}

/// What a SOCKS proxy is told of a host: its name, or the address that was found here.
async fn found(address: &Address, by: socks::Finds) -> Result<socks::Target<'_>> {
    let target = socks::Target::of(&address.host);
    let socks::Target::Name(name) = target else { return Ok(target) };
    if by == socks::Finds::Proxy {
        return Ok(target);
    }
    let mut all = tokio::net::lookup_host((name, address.port)).await?;
    all.next().map(|a| socks::Target::Ip(a.ip())).ok_or_else(|| Error::other("the host has no address"))
}

/// `Proxy-Authorization` for a proxy that the environment names with user and password.
pub(crate) fn proxy_authorization(proxy: &Proxy) -> Option<String> {
    let userinfo = proxy.userinfo.as_ref()?;
    Some(format!("Proxy-Authorization: Basic {}\r\n", why401_auth::base64::encode(userinfo.expose())))
}

/// Tells the program that the server could not be reached, as any proxy does.
pub(crate) async fn bad_gateway(stream: &mut (impl AsyncWrite + Unpin), why: &str) -> Result<()> {
    let body = format!("why401: the server could not be reached: {why}\n");
    let head = format!(
        "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    stream.shutdown().await
}

/// How much is passed on at one time.
pub(crate) const PIECE: usize = 128 * 1024;

/// Passes one direction on to its end, and its bytes to the tape.
pub(crate) async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin + Send + 'static,
    side: Side,
    connection: u64,
    tape: &Tape,
) -> Result<()> {
    let mut buffer = vec![0; PIECE];
    let mut in_a_row = 0;
    loop {
        let mut n = gather(&mut from, &mut buffer).await?;
        in_a_row = if n < MANY { 0 } else { in_a_row + n };
        if in_a_row >= long::WORTH && long::is_possible() {
            let record = |bytes: &[u8]| tape.bytes(connection, side, bytes);
            (to, n) = long::pass(&mut from, to, &mut buffer, n, record).await?;
            in_a_row = 0;
        }
        let piece = buffer.get(..n).unwrap_or_default();
        if piece.is_empty() {
            tape.end(connection, side);
            return to.shutdown().await;
        }
        pass(&mut to, piece, || tape.bytes(connection, side, piece)).await?;
    }
}

/// Reads what is there, as far as it fits: TLS gives a record at a time, and to pass on many at once takes less. Nothing at
/// the end of the stream.
pub(crate) async fn gather(from: &mut (impl AsyncRead + Unpin), into: &mut [u8]) -> Result<usize> {
    let mut buffer = ReadBuf::new(into);
    let gathered = poll_fn(|cx| {
        loop {
            let before = buffer.filled().len();
            let read = Pin::new(&mut *from).poll_read(cx, &mut buffer);
            let more = buffer.filled().len() > before && buffer.remaining() > 0;
            match read {
                Poll::Ready(Ok(())) if more => {}
                // What goes wrong behind bytes is met again when they have been passed on.
                _ if before > 0 => return Poll::Ready(Ok(buffer.filled().len())),
                Poll::Ready(read) => return Poll::Ready(read.map(|()| buffer.filled().len())),
                Poll::Pending => return Poll::Pending,
            }
        }
    });
    match gathered.await {
        // TLS that ends without a goodbye ends all the same.
        Err(e) if e.kind() == ErrorKind::UnexpectedEof => Ok(0),
        gathered => gathered,
    }
}

/// Passes bytes on and records them: once they are on their way, so that whoever waits for them does not wait for the
/// recording, and before anything that answers them is read.
pub(crate) async fn pass(
    to: &mut (impl AsyncWrite + Unpin + ?Sized),
    bytes: &[u8],
    record: impl FnOnce(),
) -> Result<()> {
    let begun = poll_fn(|cx| Poll::Ready(Pin::new(&mut *to).poll_write(cx, bytes))).await;
    record();
    let written = match begun {
        Poll::Ready(count) => count?,
        Poll::Pending => 0,
    };
    to.write_all(bytes.get(written..).unwrap_or_default()).await?;
    to.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_whatever_it_is_written_like() {
        let head = Head::parse(
            b"GET http://h/\xe4 HTTP/1.1\r\nno colon\r\nUPGRADE:\t h2c \r\nupgrade: x\r\nX: \xff\r\n\r\n",
        )
        .unwrap();
        assert_eq!((head.method(), head.target()), ("GET", "http://h/\u{fffd}"));
        assert_eq!(head.field("upgrade").as_deref(), Some("h2c"));
        assert_eq!(head.field("x").as_deref(), Some("\u{fffd}"));
        assert!(head.field("host").is_none() && Head::parse(b"\r\n\r\n").is_err());
    }
}
