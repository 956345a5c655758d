//! Sockets: accepting connections, and what is spoken on them.

pub(crate) mod client;
mod exchange;
mod http1;
mod http2;
pub(crate) mod io;
pub(crate) mod metrics;
mod one;
mod proxied;
mod submit;
pub(crate) mod tls;
mod two;

use crate::decide::Certificate;
use crate::gate::{Gate, Peer};
use crate::metrics::one;
use crate::net;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

/// How long an end in order may take.
const FAREWELL: Duration = Duration::from_secs(10);

/// How many connections each address has open.
type PerAddress = Arc<Mutex<HashMap<u128, usize>>>;

/// Accepts until `ended` comes, then lets what is under way finish.
pub(crate) async fn serve(listener: TcpListener, gate: Arc<Gate>, ended: impl Future<Output = ()>) {
    let most = gate.setup().config.limits.connections;
    let slots = Arc::new(Semaphore::new(most));
    let per_address = PerAddress::default();
    let (end, ending) = watch::channel(false);
    tokio::pin!(ended);
    loop {
        let accepted = tokio::select! {
            accepted = why401_serve::accept(&listener, &slots) => accepted,
            () = &mut ended => break,
        };
        let Some((stream, client, slot)) = accepted else { continue };
        one(&gate.metrics.connections);
        let limit = gate.setup().config.limits.connections_per_address;
        let Some(place) = Place::take(&per_address, client, limit) else { continue };
        let (gate, ending) = (gate.clone(), ending.clone());
        tokio::spawn(async move {
            one(&gate.metrics.open);
            connection(stream, client, gate.clone(), ending).await;
            gate.metrics.open.fetch_sub(1, Ordering::Relaxed);
            drop((slot, place));
        });
    }
    drop(listener);
    let _ = end.send(true);
    let _ = timeout(FAREWELL, slots.acquire_many(u32::try_from(most).unwrap_or(u32::MAX))).await;
}

/// One of the connections that an address may have.
struct Place {
    table: PerAddress,
    key: u128,
}

impl Place {
    fn take(table: &PerAddress, client: SocketAddr, most: usize) -> Option<Place> {
        let key = net::client_key(client.ip());
        let mut open = table.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(key).or_default();
        (*count < most).then(|| {
            *count += 1;
            Place { table: table.clone(), key }
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.key);
            }
        }
    }
}

async fn connection(
    mut stream: TcpStream,
    client: SocketAddr,
    gate: Arc<Gate>,
    ending: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let setup = gate.setup();
    let patience = setup.config.limits.head_time;
    let mut peer = Peer { address: client.ip(), is_tls: false, certificate: Certificate::Absent };
    let mut buffer = Vec::new();
    if setup.config.proxy_protocol {
        // Only a trusted proxy may say who the client is; without a list whoever connects is trusted to be one.
        let trusted = &setup.config.trusted_proxies;
        if !trusted.is_empty() && !net::any(trusted, client.ip()) {
            return;
        }
        match Box::pin(timeout(patience, proxied_front(&mut stream, &mut buffer))).await {
            Ok(Some(address)) => peer.address = address.unwrap_or(client.ip()),
            _ => return,
        }
    }
    if let Some(tls) = setup.tls.clone() {
        drop(setup);
        return Box::pin(secured(stream, buffer, tls, patience, gate, peer, ending)).await;
    }
    let speaks_two = setup.config.speaks_two;
    let idle = setup.config.limits.idle;
    drop(setup);
    if speaks_two {
        match preface(&mut stream, &mut buffer, idle, patience, ending.clone()).await {
            Preface::Two => {
                let stream = io::Front::new(buffer, stream);
                return Box::pin(http2::serve(stream, gate, peer, ending)).await;
            }
            Preface::One => {}
            Preface::Nothing => return,
        }
    }
    http1::serve(stream, buffer, gate, peer, ending).await;
}

/// What a connection begins with.
enum Preface {
    /// Nothing came.
    Nothing,
    /// Something that is for HTTP/1.1 to judge.
    One,
    /// The preface of HTTP/2.
    Two,
}

/// Reads until it is clear what is spoken.
async fn preface(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    idle: Duration,
    patience: Duration,
    mut ending: watch::Receiver<bool>,
) -> Preface {
    let mut wait = idle;
    loop {
        if !buffer.is_empty() {
            if buffer.starts_with(http2::PREFACE) {
                return Preface::Two;
            }
            if !http2::PREFACE.starts_with(buffer) {
                return Preface::One;
            }
            wait = patience;
        }
        let read = tokio::select! {
            biased;
            read = timeout(wait, io::fill(stream, buffer)) => read,
            _ = ending.changed() => return Preface::Nothing,
        };
        match read {
            Ok(Ok(n)) if n > 0 => {}
            // What came is a beginning without an end: it is refused as such.
            _ if !buffer.is_empty() => return Preface::One,
            _ => return Preface::Nothing,
        }
    }
}

/// The client that the PROXY protocol names; the bytes behind its header stay in `buffer`.
async fn proxied_front(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Option<IpAddr>> {
    loop {
        match proxied::read(buffer) {
            proxied::Front::Header(size, client) => {
                buffer.drain(..size);
                return Some(client);
            }
            proxied::Front::Wrong => return None,
            proxied::Front::Incomplete => {}
        }
        if !matches!(io::fill(stream, buffer).await, Ok(n) if n > 0) {
            return None;
        }
    }
}

async fn secured(
    stream: TcpStream,
    buffer: Vec<u8>,
    tls: tls::Acceptor,
    patience: Duration,
    gate: Arc<Gate>,
    peer: Peer,
    ending: watch::Receiver<bool>,
) {
    let stream = io::Front::new(buffer, stream);
    let Ok(Ok(stream)) = timeout(patience, tls.acceptor.accept(stream)).await else { return };
    let certificate = tls.judge(stream.get_ref().1.peer_certificates());
    let is_two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let peer = Peer { is_tls: true, certificate, ..peer };
    if is_two {
        return http2::serve(stream, gate, peer, ending).await;
    }
    http1::serve(stream, Vec::new(), gate, peer, ending).await;
}
