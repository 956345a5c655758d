//! Taking a message: its whole content is read, written durably, and only then answered with 200.

use super::io::{fill, write};
use crate::decide::Refused;
use crate::gate::{Call, Gate, Told};
use crate::http::framing::{Content, Framing};
use crate::http::{Answer, Head};
use crate::inbox::{Failure, Message};
use crate::metrics::one;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

/// Takes a message; the answer, and whether the connection may go on.
pub(super) async fn take<S: AsyncRead + AsyncWrite + Unpin>(
    io: &mut S,
    buffer: &mut Vec<u8>,
    gate: &Gate,
    call: &Call,
    head: &Head,
    framing: Framing,
    keep: bool,
) -> (Answer, bool) {
    let refuse = |status: u16, says: String| {
        gate.refuse(call, Some(head), &Refused { status, says, ..Refused::default() })
    };
    let body = match content(io, buffer, call, head, framing).await {
        Ok(body) => body,
        Err((status, says)) => return (refuse(status, says), false),
    };
    store(gate, call, head, body)
        .await
        .map_or_else(|(status, says)| (refuse(status, says), keep), |a| (a, keep))
}

/// Writes a message durably and makes the answer with its receipt.
pub(super) async fn store(
    gate: &Gate,
    call: &Call,
    head: &Head,
    body: Vec<u8>,
) -> Result<Answer, (u16, String)> {
    let Some(inbox) = &gate.inbox else { return Err((500, "there is no inbox".to_owned())) };
    let key = head.field("idempotency-key").map(<[u8]>::to_vec);
    if key.as_ref().is_some_and(|k| k.is_empty() || k.len() > 255) {
        return Err((400, "the Idempotency-Key is empty or longer than 255 bytes".to_owned()));
    }
    let message = Message {
        account: call.verdict.user.clone().unwrap_or_default(),
        time: call.time,
        target: head.target().to_owned(),
        content_type: head.field("content-type").map(|t| String::from_utf8_lossy(t).into_owned()),
        key,
        body,
    };
    let stored = inbox.store(message).await.map_err(|failure| match failure {
        Failure::Other(says) => (503, says),
        Failure::KeyReused => (422, "the Idempotency-Key was used for another message".to_owned()),
    })?;
    if stored.is_new {
        one(&gate.metrics.messages);
    }
    let answer = Answer::text(200, format!("receipt: {}\n", stored.receipt))
        .with("X-Receipt", stored.receipt.clone())
        .with("Cache-Control", "no-store");
    let sent = answer.body.len() as u64;
    gate.log(
        call,
        Some(head),
        &Told { status: 200, sent, receipt: Some(&stored.receipt), ..Told::default() },
    );
    Ok(answer)
}

async fn content<S: AsyncRead + AsyncWrite + Unpin>(
    io: &mut S,
    buffer: &mut Vec<u8>,
    call: &Call,
    head: &Head,
    framing: Framing,
) -> Result<Vec<u8>, (u16, String)> {
    let limits = &call.setup.config.limits;
    if framing == Framing::None && head.field("content-length").is_none() {
        return Err((411, "a message without content".to_owned()));
    }
    let expects = head.names("expect", "100-continue") && framing != Framing::None && buffer.is_empty();
    if expects && write(io, b"HTTP/1.1 100 Continue\r\n\r\n", limits.body_idle).await.is_err() {
        return Err((400, "the client is gone".to_owned()));
    }
    let (mut content, mut body) = (Content::new(framing), Vec::new());
    loop {
        content.take(buffer, &mut body).map_err(|b| (b.status, b.says.to_owned()))?;
        if body.len() as u64 > limits.body {
            return Err((413, format!("the content is larger than {} bytes", limits.body)));
        }
        if content.is_done() {
            return Ok(body);
        }
        match timeout(limits.body_idle, fill(io, buffer)).await {
            Ok(Ok(n)) if n > 0 => {}
            Ok(_) => return Err((400, "the client closed before its content was complete".to_owned())),
            Err(_) => return Err((408, "the content of the request does not arrive".to_owned())),
        }
    }
}
