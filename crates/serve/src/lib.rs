//! What the servers of the lab and the gate have in common: accepting connections within a limit, and client certificates
//! whose refusal is an answer in HTTP.

mod clients;

pub use clients::{Clients, Shown};

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Accepts a connection as soon as there is a slot for it; the slot is taken as long as it is held. `None`: this one could not
/// be accepted, the next may.
pub async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, client)) => Some((stream, client, slot)),
        Err(_) => {
            // Out of file descriptors, most likely: trying again at once would only burn time.
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}
