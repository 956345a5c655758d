//! HTTP/2 with a client (RFC 9113): requests side by side on one connection, within limits.

use super::exchange::exchange;
use super::two::Two;
use crate::decide::Refused;
use crate::gate::{Gate, Peer};
use crate::http::two;
use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use h2::{Reason, server};
use std::future::poll_fn;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// What a connection begins with (RFC 9113 section 3.4).
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Room for content that was not asked for yet: of all streams of a connection.
const WINDOW: u32 = 256 << 10;
/// A client that has broken off so many requests, and more than half of all, does not mean them.
const BROKEN_OFF: u64 = 100;

/// Serves a connection that begins with the preface.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send>(
    io: S,
    gate: Arc<Gate>,
    peer: Peer,
    mut ending: watch::Receiver<bool>,
) {
    let setup = gate.setup();
    let limits = setup.config.limits.clone();
    drop(setup);
    let mut builder = server::Builder::new();
    builder
        .max_concurrent_streams(u32::try_from(limits.streams).unwrap_or(u32::MAX))
        .max_header_list_size(u32::try_from(limits.head).unwrap_or(u32::MAX))
        .max_concurrent_reset_streams(limits.streams)
        .initial_connection_window_size(WINDOW);
    let Ok(Ok(mut connection)) = timeout(limits.head_time, builder.handshake(io)).await else { return };
    let mut streams: JoinSet<bool> = JoinSet::new();
    let (mut begun, mut broken_off, mut is_ending) = (0u64, 0u64, false);
    let mut patience = limits.head_time;
    let mut last = Instant::now();
    loop {
        if *ending.borrow() && !is_ending {
            is_ending = true;
            connection.graceful_shutdown();
        }
        let is_idle = streams.is_empty();
        // Those that the client has broken off are at work still: they count as well.
        let takes = streams.len() < limits.streams;
        let next = poll_fn(|context| match takes {
            true => connection.poll_accept(context),
            false => connection.poll_closed(context).map(|_| None),
        });
        tokio::select! {
            biased;
            ended = streams.join_next(), if !is_idle => {
                broken_off += u64::from(ended.is_some_and(|e| e.unwrap_or(true)));
                if broken_off > BROKEN_OFF && broken_off > begun / 2 {
                    connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
                }
                last = Instant::now();
                patience = limits.idle;
            }
            next = next => match next {
                Some(Ok((request, respond))) => {
                    begun += 1;
                    streams.spawn(stream(request, respond, gate.clone(), peer.clone()));
                }
                Some(Err(_)) | None => break,
            },
            _ = ending.changed(), if !is_ending => {}
            () = tokio::time::sleep_until(last + patience), if is_idle => {
                connection.graceful_shutdown();
                let _ = timeout(limits.head_time, poll_fn(|context| connection.poll_closed(context))).await;
                return;
            }
        }
    }
    // What was sent last is still in the way: the connection is closed, the streams only learn of it.
    let _ = timeout(limits.head_time, async { while streams.join_next().await.is_some() {} }).await;
}

/// Serves a request; whether the client broke it off.
async fn stream(
    request: http::Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    gate: Arc<Gate>,
    peer: Peer,
) -> bool {
    let head = match two::request(&request) {
        Ok(head) => head,
        Err(bad) => {
            let call = gate.call(&peer, None);
            let refused = Refused { status: bad.status, says: bad.says.to_owned(), ..Refused::default() };
            let answer = gate.refuse(&call, None, &refused);
            if let Ok(mut stream) = respond.send_response(two::answer(&answer), false) {
                let _ = stream.send_data(Bytes::from(answer.body), true);
            }
            return false;
        }
    };
    let setup = gate.setup();
    let mut client = Two::new(request.into_body(), respond, &head, &setup.config.limits);
    drop(setup);
    exchange(&mut client, &gate, &peer, &head).await;
    client.is_broken_off()
}
