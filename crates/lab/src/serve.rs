//! Accepting connections: what comes first on one tells whether it is TLS, HTTP/2 or HTTP/1.1.

use crate::http1::PATIENCE;
use crate::lab::Lab;
use crate::message::{Below, Certificate};
use crate::{http1, http2};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

/// How many connections are served at once; more of them wait to be accepted.
const CONNECTIONS: usize = 512;
/// How long an end in order may take.
const FAREWELL: Duration = Duration::from_secs(3);

/// Accepts until `ended` comes, then lets what is under way finish.
pub(crate) async fn serve(listener: TcpListener, lab: Arc<Lab>, ended: impl Future<Output = ()>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    let (end, ending) = watch::channel(false);
    tokio::pin!(ended);
    loop {
        let accepted = tokio::select! {
            accepted = why401_serve::accept(&listener, &slots) => accepted,
            () = &mut ended => break,
        };
        let Some((stream, client, slot)) = accepted else { continue };
        let (lab, ending) = (lab.clone(), ending.clone());
        tokio::spawn(async move {
            connection(stream, client, lab, ending).await;
            drop(slot);
        });
    }
    drop(listener);
    let _ = end.send(true);
    let _ = timeout(FAREWELL, slots.acquire_many(CONNECTIONS as u32)).await;
}

async fn connection(stream: TcpStream, client: SocketAddr, lab: Arc<Lab>, ending: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let Ok(server) = stream.local_addr() else { return };
    let mut below = Below { client, server, tls: None };
    let Ok(Some(first)) = timeout(PATIENCE, first_bytes(&stream)).await else { return };
    // A TLS record of a handshake (RFC 8446 section 5.1).
    if first.first() != Some(&0x16) {
        return match first.starts_with(b"PRI") {
            true => http2::serve(stream, lab, below, ending).await,
            false => http1::serve(stream, &lab, &below, ending).await,
        };
    }
    let acceptor = TlsAcceptor::from(lab.authority.config.clone());
    let Ok(Ok(stream)) = timeout(PATIENCE, acceptor.accept(stream)).await else { return };
    let (_, tls) = stream.get_ref();
    let judged = lab.authority.judge(tls.peer_certificates(), Duration::from_secs(lab.now().unsigned_abs()));
    let is_h2 = tls.alpn_protocol() == Some(b"h2");
    below.tls = Some(judged);
    match is_h2 {
        true => http2::serve(stream, lab, below, ending).await,
        false => http1::serve(stream, &lab, &below, ending).await,
    }
}

/// The first bytes of a connection, which stay unread.
async fn first_bytes(stream: &TcpStream) -> Option<Vec<u8>> {
    let mut bytes = [0; 3];
    loop {
        let n = stream.peek(&mut bytes).await.ok().filter(|n| *n > 0)?;
        let seen = bytes.get(..n).unwrap_or_default();
        if !b"PRI".starts_with(seen) || n == 3 {
            return Some(seen.to_vec());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl Certificate {
    /// Whether TLS was spoken and no certificate shown.
    pub(crate) fn is_absent(&self) -> bool {
        *self == Certificate::Absent
    }
}
