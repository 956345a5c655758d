//! Passing requests on: connections to an upstream that are kept, and the relay.

pub(crate) mod ask;
mod one;
pub(crate) mod relay;
pub(crate) mod rewrite;
pub(crate) mod tls;
mod two;
mod wire;

use crate::config::Upstream;
use bytes::Bytes;
use h2::client::SendRequest;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tls::Tls;
use tokio::net::TcpStream;
use tokio::time::timeout;
use wire::Wire;

pub(crate) use wire::Wire as Connection;

/// So many idle connections are kept to one upstream.
const IDLE: usize = 64;
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// The connections to one upstream. A pool belongs to the configuration that it was made for: a reload begins with new ones.
#[derive(Debug)]
pub(crate) struct Pool {
    authority: String,
    tls: Option<Tls>,
    pub(crate) speaks_two: bool,
    idle: Mutex<Vec<Wire>>,
    /// One connection carries all requests of HTTP/2.
    shared: tokio::sync::Mutex<Option<SendRequest<Bytes>>>,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

impl Pool {
    /// A pool without connections.
    ///
    /// # Errors
    /// A file of TLS that cannot be used.
    pub(crate) fn new(upstream: &Upstream) -> Result<Pool, String> {
        let host = upstream.authority.rsplit_once(':').map_or(upstream.authority.as_str(), |(host, _)| host);
        let protocol = if upstream.speaks_two { "h2" } else { "http/1.1" };
        Ok(Pool {
            authority: upstream.authority.clone(),
            tls: upstream.tls.as_ref().map(|files| Tls::new(host, files, protocol)).transpose()?,
            speaks_two: upstream.speaks_two,
            idle: Mutex::default(),
            shared: tokio::sync::Mutex::default(),
        })
    }

    /// A kept connection that is still alive.
    fn kept(&self) -> Option<Wire> {
        loop {
            let mut wire = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if wire.is_quiet() {
                return Some(wire);
            }
        }
    }

    /// Keeps a connection for the next request.
    fn keep(&self, wire: Wire) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(wire);
        }
    }

    /// A new connection.
    async fn connect(&self) -> Result<Wire, String> {
        let authority = &self.authority;
        timeout(CONNECT, self.reach())
            .await
            .unwrap_or_else(|_| Err(format!("the upstream {authority} does not take connections")))
    }

    async fn reach(&self) -> Result<Wire, String> {
        let authority = &self.authority;
        let stream = TcpStream::connect(authority).await;
        let stream = stream.map_err(|e| format!("the upstream {authority} cannot be reached: {e}"))?;
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else { return Ok(Wire::Plain(stream)) };
        let stream = tls.connect(stream).await;
        let stream = stream.map_err(|e| format!("TLS with the upstream {authority} fails: {e}"))?;
        if self.speaks_two && stream.get_ref().1.alpn_protocol() != Some(b"h2") {
            return Err(format!("the upstream {authority} does not choose HTTP/2 in TLS (ALPN)"));
        }
        Ok(Wire::Tls(Box::new(stream)))
    }

    /// The connection that carries requests of HTTP/2, and whether it was there already.
    async fn shared(&self, is_new: bool) -> Result<(SendRequest<Bytes>, bool), String> {
        let got = async {
            let mut shared = self.shared.lock().await;
            if !is_new && let Some(kept) = shared.as_ref().cloned() {
                drop(shared);
                // Waits where the upstream takes no more requests at once.
                if let Ok(ready) = kept.ready().await {
                    return Ok((ready, true));
                }
                shared = self.shared.lock().await;
            }
            let authority = &self.authority;
            let wrong = |e| format!("HTTP/2 with the upstream {authority} fails: {e}");
            let wire = self.reach().await?;
            let mut builder = h2::client::Builder::new();
            builder.enable_push(false).max_header_list_size(64 << 10);
            builder.initial_connection_window_size(1 << 20);
            let (new, connection) = builder.handshake(wire).await.map_err(wrong)?;
            tokio::spawn(async move {
                // How it ends, the requests on it learn.
                let _ = connection.await;
            });
            *shared = Some(new.clone());
            drop(shared);
            Ok((new.ready().await.map_err(wrong)?, false))
        };
        timeout(CONNECT, got).await.unwrap_or_else(|_| {
            Err(format!("the upstream {} does not take connections, or no more requests", self.authority))
        })
    }

    /// Uses the shared connection no more: it does not answer.
    async fn forget(&self) {
        *self.shared.lock().await = None;
    }
}
