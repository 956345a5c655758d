//! Passing requests on: connections to the upstream that are kept, and the relay.

pub(crate) mod relay;
pub(crate) mod rewrite;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// So many idle connections are kept to one upstream.
const IDLE: usize = 64;
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// Idle connections by `host:port`.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    idle: Mutex<HashMap<String, Vec<TcpStream>>>,
}

impl Pool {
    /// A kept connection that is still alive.
    pub(crate) fn kept(&self, authority: &str) -> Option<TcpStream> {
        loop {
            let stream =
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).get_mut(authority)?.pop()?;
            // One on which something came, or the end, cannot be used any more.
            if matches!(stream.try_read(&mut [0]), Err(e) if e.kind() == std::io::ErrorKind::WouldBlock) {
                return Some(stream);
            }
        }
    }

    /// A new connection.
    pub(crate) async fn connect(authority: &str) -> Result<TcpStream, String> {
        let connected = timeout(CONNECT, TcpStream::connect(authority)).await;
        let stream = match connected {
            Ok(Ok(stream)) => stream,
            Ok(Err(e)) => return Err(format!("the upstream {authority} cannot be reached: {e}")),
            Err(_) => return Err(format!("the upstream {authority} does not take connections")),
        };
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }

    /// Keeps a connection for the next request.
    pub(crate) fn keep(&self, authority: &str, stream: TcpStream) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match idle.get_mut(authority) {
            Some(list) if list.len() < IDLE => list.push(stream),
            Some(_) => {}
            None => {
                idle.insert(authority.to_owned(), vec![stream]);
            }
        }
    }
}
