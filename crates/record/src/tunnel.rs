//! What goes through `CONNECT`: TLS is ended on both sides and its bytes passed on as they are; anything else passes
//! untouched.

use crate::long;
use crate::proxy::{Head, PIECE, Shared, connect, proxy_authorization, pump, read_head};
use crate::tape::Note;
use std::io::{Error, ErrorKind, IoSlice, Result};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::server::{Acceptor, ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{AlertDescription, ServerConfig};
use tokio_rustls::{LazyConfigAcceptor, TlsConnector};
use why401_http::{Address, Peer};
use why401_read::http1::Side;

/// A stream that is read in large pieces, of which the first may have been read already: TLS asks for little at once.
struct Begun {
    /// What was read, between `taken` and `read`; what stands behind it is room for more.
    front: Vec<u8>,
    taken: usize,
    read: usize,
    stream: TcpStream,
}

impl Begun {
    fn new(front: Vec<u8>, stream: TcpStream) -> Self {
        Begun { taken: 0, read: front.len(), front, stream }
    }
}

impl AsyncRead for Begun {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let this = &mut *self;
        if this.taken >= this.read {
            if to.remaining() >= PIECE {
                return Pin::new(&mut this.stream).poll_read(cx, to);
            }
            this.front.resize(PIECE, 0);
            let mut piece = ReadBuf::new(&mut this.front);
            std::task::ready!(Pin::new(&mut this.stream).poll_read(cx, &mut piece))?;
            (this.taken, this.read) = (0, piece.filled().len());
        }
        let left = this.front.get(this.taken..this.read).unwrap_or_default();
        let now = left.get(..to.remaining()).unwrap_or(left);
        to.put_slice(now);
        this.taken += now.len();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Begun {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Always shows the one certificate.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// Serves one `CONNECT`, whose head was read; `front` is what came behind it.
pub(crate) async fn run(
    mut stream: TcpStream,
    mut front: Vec<u8>,
    client: SocketAddr,
    request: &Head<'_>,
    shared: Rc<Shared>,
) -> Result<()> {
    // Which port speaks TLS is seen when the client speaks; a proxy for it is chosen as for https.
    let address = Address::parse(&format!("https://{}/", request.target()));
    let Some(address) = address.filter(|a| !a.host.is_empty()) else {
        return Err(Error::new(ErrorKind::InvalidData, "CONNECT without a host"));
    };
    let (mut server, peer) = match open(&address, client, request, &shared).await {
        Ok(Opened::Through(server, peer)) => (server, peer),
        // The environment's own proxy refused: the program hears it as it would without the recorder.
        Ok(Opened::Refused(answer)) => {
            stream.write_all(&answer).await?;
            return stream.shutdown().await;
        }
        Err(e) => return crate::proxy::bad_gateway(&mut stream, &e.to_string()).await,
    };
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;

    // Whoever speaks first tells what is spoken: in TLS and HTTP it is the client.
    let mut greeting = Vec::new();
    if front.is_empty() {
        front.reserve(16 * 1024);
        greeting.reserve(16 * 1024);
        tokio::select! {
            n = stream.read_buf(&mut front) => { if n? == 0 { return Ok(()) } }
            n = server.read_buf(&mut greeting) => { if n? == 0 { return Ok(()) } }
        }
    }
    let server = Begun::new(greeting, server);
    let is_tls = matches!(front.first(), Some(0x16)) && front.get(1).is_none_or(|b| *b == 3);
    let client_side = Begun::new(front, stream);
    if is_tls {
        return secure(client_side, server, client, peer, &address, &shared).await;
    }
    if !client_side.front.first().is_some_and(u8::is_ascii_uppercase) {
        shared.tape.note(Note::Other(format!("{}:{}", address.host, address.port)));
    }
    let number = shared.tape.open(client, peer, false);
    pass(client_side, server, number, &shared).await
}

enum Opened {
    Through(TcpStream, Peer),
    Refused(Vec<u8>),
}

/// Opens the connection to the server, through the environment's proxy where there is one.
async fn open(address: &Address, client: SocketAddr, request: &Head<'_>, shared: &Shared) -> Result<Opened> {
    let (mut server, peer, proxy) = connect(shared, address).await?;
    let Some(proxy) = proxy else { return Ok(Opened::Through(server, peer)) };
    let target = request.target();
    let mut head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
    match request.field("proxy-authorization") {
        Some(own) => head.push_str(&format!("Proxy-Authorization: {own}\r\n")),
        None => head.push_str(&proxy_authorization(proxy).unwrap_or_default()),
    }
    head.push_str("\r\n");
    let number = shared.tape.open(client, peer.clone(), false);
    shared.tape.bytes(number, Side::Client, head.as_bytes());
    server.write_all(head.as_bytes()).await?;
    let mut buffer = Vec::new();
    let answer = read_head(&mut server, &mut buffer).await?;
    let answer =
        answer.ok_or_else(|| Error::new(ErrorKind::UnexpectedEof, "the proxy closed the connection"))?;
    shared.tape.bytes(number, Side::Server, &answer);
    let status = answer.split(|b| *b == b' ').nth(1).unwrap_or_default();
    if status.starts_with(b"2") {
        shared.tape.close(number);
        return Ok(Opened::Through(server, peer));
    }
    // What explains the refusal comes behind the head, as far as it comes at once.
    let rest = async {
        while buffer.len() < 64 * 1024 && server.read_buf(&mut buffer).await? > 0 {}
        Ok::<(), Error>(())
    };
    let _ = tokio::time::timeout(std::time::Duration::from_millis(300), rest).await;
    shared.tape.bytes(number, Side::Server, &buffer);
    shared.tape.close(number);
    Ok(Opened::Refused([answer, buffer].concat()))
}

/// Ends TLS on both sides: with the server first, so that the program gets the same protocol and, where the server's
/// certificate does not verify, one that does not verify either.
async fn secure(
    stream: Begun,
    server: Begun,
    client: SocketAddr,
    peer: Peer,
    address: &Address,
    shared: &Shared,
) -> Result<()> {
    let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let asked = hello.client_hello();
    let host = asked.server_name().map_or_else(|| address.host.clone(), str::to_owned);
    let protocols: Vec<Vec<u8>> =
        asked.alpn().map(|all| all.map(<[u8]>::to_vec).collect()).unwrap_or_default();
    let shown = format!("{host}:{}", address.port);
    let trust = why401_probe::wire::Trust { anybody: true, ..shared.trust.clone() };
    let handshake =
        trust.handshake(shared.roots(), shared.identity.clone(), protocols).map_err(Error::other)?;
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(Error::other)?;
    let server = TlsConnector::from(Arc::clone(&handshake.config)).connect(name, server).await;
    if handshake.certificate_asked() && !handshake.certificate_given() {
        shared.tape.note(Note::ClientCertificate(shown.clone()));
    }
    let mut server = server.inspect_err(|e| {
        shared
            .tape
            .note(Note::NoConnection(format!("{shown}: {}", why401_probe::wire::tls_trouble(&shown, e))));
    })?;
    let wrong = handshake.wrong();
    if let Some(wrong) = &wrong {
        shared.tape.note(Note::BadCertificate(format!("{shown}: {wrong}")));
    }
    let certificate = shared.certificate(&host, wrong.is_none()).map_err(Error::other)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(why401_probe::wire::provider()))
        .with_safe_default_protocol_versions()
        .map_err(Error::other)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Always(certificate)));
    // The short key where the program takes it too: it runs on this machine.
    config.ignore_client_order = true;
    config.alpn_protocols = server.get_ref().1.alpn_protocol().map(|p| vec![p.to_vec()]).unwrap_or_default();
    let mut stream = hello.into_stream(Arc::new(config)).await.inspect_err(|e| {
        if wrong.is_none() && is_distrust(e) {
            shared.tape.note(Note::NotTrusted(shown.clone()));
        }
    })?;
    // A piece is sealed at once and leaves at once.
    server.get_mut().1.set_buffer_limit(Some(long::PIECE));
    stream.get_mut().1.set_buffer_limit(Some(long::PIECE));
    let number = shared.tape.open(client, peer, true);
    pass_noting(stream, server, number, shared, (wrong.is_none()).then_some(shown)).await
}

/// Whether the client broke the handshake off because it does not trust the certificate; some only hang up.
fn is_distrust(e: &Error) -> bool {
    use tokio_rustls::rustls::Error as Tls;
    match e.get_ref().and_then(|e| e.downcast_ref::<Tls>()) {
        Some(Tls::AlertReceived(alert)) => matches!(
            alert,
            AlertDescription::UnknownCA
                | AlertDescription::BadCertificate
                | AlertDescription::CertificateUnknown
                | AlertDescription::AccessDenied
                | AlertDescription::InternalError
        ),
        _ => matches!(e.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset),
    }
}

/// Passes both directions on; a client that ends with an alert of distrust (TLS 1.3 sends it late) is told of.
async fn pass_noting(
    client: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    server: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    number: u64,
    shared: &Shared,
    host: Option<String>,
) -> Result<()> {
    let result = pass(client, server, number, shared).await;
    if let (Err(e), Some(host)) = (&result, host)
        && e.get_ref().is_some_and(|e| e.is::<tokio_rustls::rustls::Error>())
        && is_distrust(e)
    {
        shared.tape.note(Note::NotTrusted(host));
    }
    result
}

async fn pass(
    client: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    server: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    number: u64,
    shared: &Shared,
) -> Result<()> {
    let (client_reads, client_writes) = tokio::io::split(client);
    let (server_reads, server_writes) = tokio::io::split(server);
    let up = pump(client_reads, server_writes, Side::Client, number, &shared.tape);
    let down = pump(server_reads, client_writes, Side::Server, number, &shared.tape);
    // When one direction breaks, the other has nobody to speak to; when it ends in order, the other may go on.
    let result = tokio::try_join!(up, down).map(|_| ());
    shared.tape.close(number);
    result
}
