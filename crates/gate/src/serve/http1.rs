//! HTTP/1.1 with a client: one request after the other until either side ends the connection.

use super::exchange::exchange;
use super::io::{fill, linger, write};
use super::one::One;
use crate::decide::Refused;
use crate::gate::{Gate, Peer};
use crate::http::Head;
use crate::http::head::{Bad, end};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;

/// Serves a connection; `buffer` holds what was read of it already.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send>(
    mut io: S,
    mut buffer: Vec<u8>,
    gate: Arc<Gate>,
    peer: Peer,
    mut ending: watch::Receiver<bool>,
) {
    loop {
        let setup = gate.setup();
        let limits = &setup.config.limits;
        let (idle, head_time, most) = (limits.idle, limits.head_time, limits.head);
        drop(setup);
        if buffer.is_empty() {
            buffer = Vec::new();
            if *ending.borrow() {
                return;
            }
            let first = tokio::select! {
                biased;
                first = timeout(idle, fill(&mut io, &mut buffer)) => first,
                _ = ending.changed() => return,
            };
            if !matches!(first, Ok(Ok(n)) if n > 0) {
                return;
            }
        }
        let head = match head_end(&buffer, 0, most) {
            Ok(Some(at)) => Ok(at),
            Ok(None) => match Box::pin(timeout(head_time, rest_of_head(&mut io, &mut buffer, most))).await {
                Ok(read) => read,
                Err(_) => Err(Some(Bad::new(408, "the head of the request does not arrive"))),
            },
            Err(bad) => Err(Some(bad)),
        };
        let head = match head {
            Ok(at) => {
                let rest = buffer.split_off(at);
                Head::request(std::mem::replace(&mut buffer, rest))
            }
            Err(None) => return,
            Err(Some(bad)) => Err(bad),
        };
        let head = match head {
            Ok(head) => head,
            Err(bad) => return refuse_bad(&mut io, &gate, &peer, bad).await,
        };
        let setup = gate.setup();
        let goes_on = !*ending.borrow();
        let mut client = One::new(&mut io, &mut buffer, &head, &setup.config.limits, goes_on);
        let keep = exchange(&mut client, &gate, &peer, &head).await;
        if !keep {
            return Box::pin(linger(&mut io)).await;
        }
    }
}

fn head_end(buffer: &[u8], searched: usize, most: usize) -> Result<Option<usize>, Bad> {
    match end(buffer, searched) {
        Some(at) if at <= most => Ok(Some(at)),
        None if buffer.len() <= most => Ok(None),
        _ => Err(Bad::new(431, "the head of the request is too large")),
    }
}

/// Reads on until the head is complete; `Err(None)` where the client ends without having sent anything of note.
async fn rest_of_head<S: AsyncRead + Unpin>(
    io: &mut S,
    buffer: &mut Vec<u8>,
    most: usize,
) -> Result<usize, Option<Bad>> {
    loop {
        let searched = buffer.len();
        match fill(io, buffer).await {
            Ok(n) if n > 0 => {}
            Ok(_) => return Err(Some(Bad::new(400, "the client closed before the head was complete"))),
            Err(_) => return Err(None),
        }
        if let Some(at) = head_end(buffer, searched, most).map_err(Some)? {
            return Ok(at);
        }
    }
}

async fn refuse_bad<S: AsyncRead + AsyncWrite + Unpin>(io: &mut S, gate: &Gate, peer: &Peer, bad: Bad) {
    let call = gate.call(peer, None);
    let refused = Refused { status: bad.status, says: bad.says.to_owned(), ..Refused::default() };
    let mut out = Vec::new();
    gate.refuse(&call, None, &refused).write(false, false, &mut out);
    if write(io, &out, Duration::from_secs(5)).await.is_ok() {
        Box::pin(linger(io)).await;
    }
}
