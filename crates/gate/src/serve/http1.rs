//! HTTP/1.1 with a client: one request after the other until either side ends the connection.

use super::io::{fill, linger, write};
use crate::decide::Refused;
use crate::gate::{Gate, Peer, Told};
use crate::http::framing::{Content, Framing};
use crate::http::head::{Bad, end};
use crate::http::target::Target;
use crate::http::{Answer, Head};
use crate::metrics::one;
use crate::upstream::relay::{Client, relay};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::timeout;

/// Content of a refused request that is read and thrown away, so that the connection can go on.
const THROWN_AWAY: usize = 64 * 1024;

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
        let keep = exchange(&mut io, &mut buffer, &gate, &peer, &head, &ending).await;
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

/// One request and its answer; whether the connection goes on.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin + Send>(
    io: &mut S,
    buffer: &mut Vec<u8>,
    gate: &Gate,
    peer: &Peer,
    head: &Head,
    ending: &watch::Receiver<bool>,
) -> bool {
    let mut call = gate.call(peer, Some(head));
    let keep = head.keeps() && !*ending.borrow();
    let bad = |bad: Bad| Refused { status: bad.status, says: bad.says.to_owned(), ..Refused::default() };
    let read = head.framing().and_then(|framing| Ok((framing, Target::of(head)?)));
    let (framing, target) = match read {
        Ok(read) => read,
        Err(why) => {
            let answer = gate.refuse(&call, Some(head), &bad(why));
            return send(io, &answer, head, false).await;
        }
    };
    let limits = call.setup.config.limits.clone();
    if matches!(framing, Framing::Length(length) if length > limits.body) {
        let refused = bad(Bad::new(413, "the content is larger than the limit"));
        let answer = gate.refuse(&call, Some(head), &refused);
        return send(io, &answer, head, false).await;
    }
    gate.decide(&mut call, peer, head, &target).await;
    if let Some(refused) = call.verdict.refused.take() {
        let answer = gate.refuse(&call, Some(head), &refused);
        let may_follow = framing == Framing::None || throw_away(framing, buffer, head);
        return send(io, &answer, head, keep && may_follow).await;
    }
    if call.rule().is_some_and(|r| r.inbox) {
        let (answer, keep) =
            Box::pin(super::submit::take(io, buffer, gate, &call, head, framing, keep)).await;
        return send(io, &answer, head, keep).await;
    }
    let client = Client { io, buffer, keep };
    let relayed = Box::pin(relay(client, &gate.pool, &call, head, &target, framing)).await;
    match relayed.failed {
        None => {
            let told = Told { status: relayed.status, sent: relayed.sent, ..Told::default() };
            gate.log(&call, Some(head), &told);
            relayed.keep
        }
        Some((status, says)) if relayed.status == 0 => {
            one(&gate.metrics.upstream_errors);
            let refused = Refused { status, says, ..Refused::default() };
            let answer = gate.refuse(&call, Some(head), &refused);
            // Content may be on its way still.
            send(io, &answer, head, keep && framing == Framing::None).await
        }
        Some((_, says)) => {
            one(&gate.metrics.upstream_errors);
            let told =
                Told { status: relayed.status, sent: relayed.sent, says: Some(&says), ..Told::default() };
            gate.log(&call, Some(head), &told);
            false
        }
    }
}

/// Takes content that has arrived already out of the way; whether that was all of it.
fn throw_away(framing: Framing, buffer: &mut Vec<u8>, head: &Head) -> bool {
    if head.names("expect", "100-continue") || buffer.len() > THROWN_AWAY {
        return false;
    }
    let (mut content, mut nothing) = (Content::new(framing), Vec::new());
    content.take(buffer, &mut nothing).is_ok() && content.is_done()
}

async fn send<S: AsyncWrite + Unpin>(io: &mut S, answer: &Answer, head: &Head, keep: bool) -> bool {
    let mut out = Vec::with_capacity(512);
    let keep = keep && !answer.close;
    answer.write(head.method() == "HEAD", keep, &mut out);
    write(io, &out, Duration::from_secs(30)).await.is_ok() && keep
}
