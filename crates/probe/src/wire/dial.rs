//! Connections, and one request after the other on them.

use super::tls::{Handshake, Identity, Trust, tls_trouble};
use super::{ANSWER, CONNECT, Proxies, Proxy, Recorder, Routes, http1, http2, socks};
use crate::{Trouble, Version};
use std::io::{Error, ErrorKind};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::ServerName;
use why401_http::{Address, AskedCertificate, BODY_EXCERPT, Exchange, Peer, Secured};

/// More of an answer is not waited for.
const MOST: usize = 4 * BODY_EXCERPT;

/// A request ready to be written.
#[derive(Clone, Default)]
pub struct Sending {
    /// The method.
    pub method: String,
    /// `http` or `https`.
    pub scheme: String,
    /// Host and port as in `Host`.
    pub authority: String,
    /// Path and query.
    pub target: String,
    /// Fields in their order.
    pub fields: Vec<(String, Vec<u8>)>,
    /// The content.
    pub body: Vec<u8>,
}

/// What every connection has in common.
pub struct Wire {
    /// The proxies.
    pub proxies: Proxies,
    trust: Trust,
    /// Read when the first TLS connection wants them.
    roots: OnceLock<Arc<RootCertStore>>,
    identity: Option<Identity>,
    /// Where connections go in place of where the address says.
    pub routes: Routes,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A connection on which requests can be sent.
pub struct Connection {
    stream: Box<dyn Stream>,
    number: u64,
    at: String,
    /// Where a request line names the whole address.
    absolute: bool,
    proxy_authorization: Option<Vec<u8>>,
    http2: bool,
    used: bool,
    /// What is known of its TLS; told when the first answer is there or fails.
    secured: Option<(Secured, bool)>,
}

impl Connection {
    /// Whether HTTP/2 is spoken on it.
    pub fn is_http2(&self) -> bool {
        self.http2
    }
}

impl Wire {
    /// A client that trusts these, shows this certificate, and goes through these proxies.
    pub fn new(trust: Trust, identity: Option<Identity>, proxies: Proxies) -> Wire {
        Wire { proxies, trust, roots: OnceLock::new(), identity, routes: Routes::default() }
    }

    /// The addresses of a host.
    ///
    /// # Errors
    /// Where it has none.
    pub async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Trouble> {
        let bare = host.trim_matches(['[', ']']);
        let given = self.routes.given(bare, port);
        if !given.is_empty() {
            return Ok(given);
        }
        let found = timeout(CONNECT, tokio::net::lookup_host((bare, port))).await;
        let name = |why: &str| Trouble::Name { host: host.to_owned(), why: why.to_owned() };
        match found {
            Err(_) => Err(name("the resolver did not answer")),
            Ok(Err(e)) => Err(name(&plain(&e))),
            Ok(Ok(found)) => {
                let mut all: Vec<SocketAddr> = Vec::new();
                found.filter(|a| self.routes.takes(a)).for_each(|a| {
                    if !all.contains(&a) {
                        all.push(a)
                    }
                });
                if all.is_empty() { Err(name("the resolver knows none")) } else { Ok(all) }
            }
        }
    }

    /// The proxy for an address; `direct` asks past it.
    pub fn proxy(&self, address: &Address, direct: bool) -> Option<&Proxy> {
        if direct { None } else { self.proxies.for_address(address) }
    }

    /// Opens a connection to where `address` points.
    ///
    /// # Errors
    /// Where no connection comes about.
    pub async fn open(
        &self,
        address: &Address,
        version: Version,
        at: Option<IpAddr>,
        direct: bool,
        recorder: &mut Recorder,
    ) -> Result<Connection, Trouble> {
        let secure = address.scheme == "https";
        let proxy = self.proxy(address, direct);
        let (to_host, to_port, elsewhere) = self.routes.instead(&address.host, address.port);
        let (host, port) = proxy.map_or((to_host, to_port), |p| (p.host.as_str(), p.port));
        let all = match at.filter(|_| proxy.is_none()) {
            Some(ip) => vec![SocketAddr::new(ip, port)],
            None => self.addresses(host, port).await?,
        };
        let mut tcp = connect(&all, host, port).await.map_err(|trouble| match proxy {
            Some(proxy) => Trouble::Proxy { proxy: proxy.at(), why: trouble.to_string() },
            None => trouble,
        })?;
        let client =
            tcp.local_addr().map_or_else(|_| peer(&SocketAddr::from(([0, 0, 0, 0], 0))), |a| peer(&a));
        let server =
            tcp.peer_addr().map_or_else(|_| Peer { host: host.to_owned(), port: Some(port) }, |a| peer(&a));
        let at_ip = at;
        let at = format!("{host}:{port}");
        if let Some(proxy) = proxy {
            self.through(&mut tcp, proxy, (to_host, to_port), at_ip).await?;
        }
        // Behind a SOCKS proxy, HTTP is spoken with the server itself.
        let proxy = proxy.filter(|p| p.socks.is_none());
        let proxy_authorization = proxy
            .and_then(|p| p.userinfo.as_ref())
            .map(|u| format!("Basic {}", why401_auth::base64::encode(u.expose())).into_bytes());
        let tunnelled = proxy.is_some() && (secure || elsewhere || self.routes.tunnel);
        let tcp = match proxy.filter(|_| tunnelled) {
            Some(proxy) => {
                let mut number = recorder.open(client.clone(), server.clone(), false);
                let to = format!("{to_host}:{to_port}");
                tunnel(tcp, proxy, &to, proxy_authorization.clone(), &mut number, recorder).await?
            }
            None => tcp,
        };
        if !secure {
            let number = recorder.open(client, server, false);
            let absolute = proxy.is_some() && !tunnelled;
            return Ok(Connection {
                stream: Box::new(tcp),
                number,
                at,
                absolute,
                proxy_authorization,
                http2: false,
                used: false,
                secured: None,
            });
        }
        self.secure(tcp, address, version, (client, server), recorder).await
    }

    /// Has a SOCKS proxy connect; with any other nothing is to be done before HTTP.
    async fn through(
        &self,
        tcp: &mut TcpStream,
        proxy: &Proxy,
        (host, port): (&str, u16),
        at: Option<IpAddr>,
    ) -> Result<(), Trouble> {
        let Some(finds) = proxy.socks else { return Ok(()) };
        let target = match (at, finds) {
            (Some(ip), _) => socks::Target::Ip(ip),
            (None, socks::Finds::Proxy) => socks::Target::of(host),
            (None, socks::Finds::Client) => {
                let all = self.addresses(host, port).await?;
                all.first().map_or(socks::Target::of(host), |a| socks::Target::Ip(a.ip()))
            }
        };
        let opening = socks::open(tcp, target, port, proxy.userinfo.as_ref());
        let opened = timeout(ANSWER, opening).await.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        opened.map_err(|why| Trouble::Proxy { proxy: proxy.at(), why })
    }

    async fn secure(
        &self,
        tcp: TcpStream,
        address: &Address,
        version: Version,
        (client, server): (Peer, Peer),
        recorder: &mut Recorder,
    ) -> Result<Connection, Trouble> {
        let at = format!("{}:{}", address.host, address.port);
        let offered: Vec<Vec<u8>> = match version {
            Version::Any => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Version::Http1 => vec![b"http/1.1".to_vec()],
            Version::Http2 => vec![b"h2".to_vec()],
        };
        let handshake = self
            .trust
            .handshake(
                self.roots.get_or_init(|| Arc::new(self.trust.roots())),
                self.identity.clone(),
                offered,
            )
            .map_err(Trouble::Unusable)?;
        let name = ServerName::try_from(address.host.trim_matches(['[', ']']).to_owned())
            .map_err(|_| Trouble::Unusable(format!("{} is no host name", address.host)))?;
        let connecting = TlsConnector::from(Arc::clone(&handshake.config)).connect(name, tcp);
        let stream = match timeout(CONNECT, connecting).await {
            Err(_) => return Err(Trouble::Time { at, what: "TLS handshake" }),
            Ok(Err(e)) => {
                // A server that wants a certificate and gets none may end the handshake.
                if handshake.certificate_asked() {
                    let number = recorder.open(client.clone(), server.clone(), true);
                    let mut secured = secured(number, address, client, server, &handshake);
                    secured.alerts = alert(&e);
                    secured.established = false;
                    tell(secured, recorder);
                }
                return Err(tls_trouble(&at, &e));
            }
            Ok(Ok(stream)) => stream,
        };
        let number = recorder.open(client.clone(), server.clone(), true);
        let (_, session) = stream.get_ref();
        let http2 = session.alpn_protocol() == Some(b"h2");
        if version == Version::Http2 && !http2 {
            return Err(Trouble::Protocol { at, why: "HTTP/2 is not spoken there".to_owned() });
        }
        let mut secured = secured(number, address, client, server, &handshake);
        secured.version = session.protocol_version().map(|v| match v {
            tokio_rustls::rustls::ProtocolVersion::TLSv1_3 => "TLS 1.3",
            _ => "TLS 1.2",
        });
        secured.protocol = session.alpn_protocol().map(|p| String::from_utf8_lossy(p).into_owned());
        Ok(Connection {
            stream: Box::new(stream),
            number,
            at,
            absolute: false,
            proxy_authorization: None,
            http2,
            used: false,
            secured: Some((secured, false)),
        })
    }
}

impl Connection {
    /// Sends a request and waits for its answer, which stands in the recorder then.
    ///
    /// # Errors
    /// Where no answer came. What of it came is in the recorder all the same.
    pub async fn ask(&mut self, sending: &Sending, recorder: &mut Recorder) -> Result<Exchange, Trouble> {
        if self.http2 && (self.used || sending.body.len() > http2::WINDOW) {
            let why = "more than one request, or longer content, goes over HTTP/1.1 here".to_owned();
            return Err(Trouble::Protocol { at: self.at.clone(), why });
        }
        self.used = true;
        let before = recorder.exchanges().len();
        let bytes = if self.http2 {
            http2::bytes(sending)
        } else {
            match (&self.proxy_authorization, self.absolute) {
                (Some(value), true) => {
                    let mut sending = sending.clone();
                    sending.fields.push(("Proxy-Authorization".to_owned(), value.clone()));
                    http1::bytes(&sending, true)
                }
                (_, absolute) => http1::bytes(sending, absolute),
            }
        };
        let result = timeout(ANSWER, self.converse(&bytes, before, recorder)).await;
        let failed = match result {
            Err(_) => Some(Trouble::Time { at: self.at.clone(), what: "answer" }),
            Ok(Err(e)) => {
                self.secured.iter_mut().for_each(|(s, _)| s.alerts = alert(&e));
                match e.get_ref().and_then(|e| e.downcast_ref::<tokio_rustls::rustls::Error>()) {
                    Some(_) => Some(tls_trouble(&self.at, &e)),
                    None => Some(Trouble::Connection { at: self.at.clone(), why: plain(&e) }),
                }
            }
            Ok(Ok(())) => None,
        };
        if let Some((secured, told)) = &mut self.secured
            && !std::mem::replace(told, true)
        {
            tell(secured.clone(), recorder);
        }
        if failed.is_some() {
            recorder.close(self.number);
        }
        match (recorder.exchanges().get(before..).and_then(<[Exchange]>::last), failed) {
            (Some(e), _) if e.response.is_some() => Ok(e.clone()),
            (_, Some(trouble)) => Err(trouble),
            (_, None) => {
                Err(Trouble::Protocol { at: self.at.clone(), why: "what came back is no HTTP".to_owned() })
            }
        }
    }

    async fn converse(&mut self, bytes: &[u8], before: usize, recorder: &mut Recorder) -> Result<(), Error> {
        recorder.sent(self.number, bytes);
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        let mut replies = http2::Replies::default();
        let mut buffer = vec![0; 16 * 1024];
        let mut received = 0;
        loop {
            let n = match self.stream.read(&mut buffer).await {
                Ok(n) => n,
                // Many servers end TLS without saying goodbye; what came stands.
                Err(e) if e.kind() == ErrorKind::UnexpectedEof && received > 0 => 0,
                Err(e) => return Err(e),
            };
            let got = buffer.get(..n).unwrap_or_default();
            if got.is_empty() || received > MOST {
                recorder.ended(self.number);
                recorder.close(self.number);
                return match received {
                    0 => Err(Error::new(
                        ErrorKind::UnexpectedEof,
                        "the server closed the connection without an answer",
                    )),
                    _ => Ok(()),
                };
            }
            received += got.len();
            recorder.received(self.number, got);
            if self.http2 {
                let reply = replies.to(got);
                if !reply.is_empty() {
                    recorder.sent(self.number, &reply);
                    self.stream.write_all(&reply).await?;
                    self.stream.flush().await?;
                }
            }
            if recorder.exchanges().len() > before {
                return Ok(());
            }
        }
    }

    /// Closes it.
    pub async fn close(mut self, recorder: &mut Recorder) {
        let _ = timeout(std::time::Duration::from_millis(200), self.stream.shutdown()).await;
        recorder.close(self.number);
    }
}

async fn connect(all: &[SocketAddr], host: &str, port: u16) -> Result<TcpStream, Trouble> {
    let at = format!("{host}:{port}");
    let mut last = Trouble::Name { host: host.to_owned(), why: "the resolver knows none".to_owned() };
    for address in all {
        last = match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(_) => Trouble::Time { at: at.clone(), what: "connection" },
            Ok(Err(e)) if e.kind() == ErrorKind::ConnectionRefused => Trouble::Refused { at: at.clone() },
            Ok(Err(e)) => Trouble::Connection { at: at.clone(), why: plain(&e) },
        };
    }
    Err(last)
}

/// Asks the proxy for a tunnel (RFC 9110 section 9.3.6).
async fn tunnel(
    mut tcp: TcpStream,
    proxy: &Proxy,
    target: &str,
    authorization: Option<Vec<u8>>,
    number: &mut u64,
    recorder: &mut Recorder,
) -> Result<TcpStream, Trouble> {
    let mut head = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n").into_bytes();
    if let Some(value) = authorization {
        head.extend_from_slice(b"Proxy-Authorization: ");
        head.extend(value);
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    let before = recorder.exchanges().len();
    let proxy_trouble = |why: String| Trouble::Proxy { proxy: proxy.at(), why };
    recorder.sent(*number, &head);
    tcp.write_all(&head).await.map_err(|e| proxy_trouble(plain(&e)))?;
    let mut byte = [0_u8; 1];
    // Byte by byte: what follows the head belongs to the tunnel.
    while recorder.exchanges().len() == before {
        match timeout(ANSWER, tcp.read(&mut byte)).await {
            Ok(Ok(1)) => recorder.received(*number, &byte),
            Ok(Ok(_)) => {
                recorder.ended(*number);
                recorder.close(*number);
                break;
            }
            Ok(Err(e)) => return Err(proxy_trouble(plain(&e))),
            Err(_) => return Err(proxy_trouble("no answer in time".to_owned())),
        }
    }
    let status = recorder.exchanges().get(before..).and_then(<[Exchange]>::last).and_then(Exchange::status);
    match status {
        Some(200..=299) => Ok(tcp),
        Some(status) => Err(proxy_trouble(format!("answered {status} and opened no tunnel to {target}"))),
        None => Err(proxy_trouble("what came back is no HTTP".to_owned())),
    }
}

fn peer(a: &SocketAddr) -> Peer {
    Peer { host: a.ip().to_string(), port: Some(a.port()) }
}

fn secured(number: u64, address: &Address, client: Peer, server: Peer, handshake: &Handshake) -> Secured {
    Secured {
        connection: number,
        client,
        server,
        time: Some(why401_http::Moment::utc(jiff::Timestamp::now())),
        server_name: Some(address.host.clone()),
        version: None,
        protocol: None,
        server_certificate: None,
        client_certificate: match (handshake.certificate_asked(), handshake.certificate_given()) {
            (false, _) => AskedCertificate::NotAsked,
            (true, false) => AskedCertificate::NotGiven,
            (true, true) => AskedCertificate::Given(None),
        },
        alerts: Vec::new(),
        established: true,
        unread: None,
    }
}

/// Tells of TLS where a client certificate plays a part in it.
fn tell(secured: Secured, recorder: &mut Recorder) {
    let asked = !matches!(secured.client_certificate, AskedCertificate::NotAsked);
    if !asked && secured.alerts.is_empty() {
        return;
    }
    let certificate = match secured.client_certificate {
        AskedCertificate::NotAsked => "no client certificate asked for",
        AskedCertificate::NotGiven => "a client certificate asked for and none given",
        _ => "a client certificate asked for and given",
    };
    let alerts: Vec<&str> = secured.alerts.iter().map(|(_, a)| a.as_str()).collect();
    let alerts = if alerts.is_empty() { String::new() } else { format!(", alert {}", alerts.join(", ")) };
    let name = secured.server_name.clone().unwrap_or_default();
    recorder.secured(secured, format!("TLS with {name}: {certificate}{alerts}"));
}

/// The alert of the server by its name in RFC 8446 section 6.
fn alert(error: &Error) -> Vec<(bool, String)> {
    let inner = error.get_ref().and_then(|e| e.downcast_ref::<tokio_rustls::rustls::Error>());
    match inner {
        Some(tokio_rustls::rustls::Error::AlertReceived(alert)) => {
            let number = u8::from(*alert);
            let name = match number {
                40 => "handshake_failure",
                42 => "bad_certificate",
                43 => "unsupported_certificate",
                44 => "certificate_revoked",
                45 => "certificate_expired",
                46 => "certificate_unknown",
                48 => "unknown_ca",
                49 => "access_denied",
                116 => "certificate_required",
                _ => return vec![(false, format!("alert {number}"))],
            };
            vec![(false, name.to_owned())]
        }
        _ => Vec::new(),
    }
}

/// An error without the number of the operating system.
fn plain(error: &Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
