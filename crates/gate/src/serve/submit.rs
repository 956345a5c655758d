//! Taking a message: its whole content is read, written durably, and only then answered with 200.

use super::client::{Client, Failure};
use crate::decide::Refused;
use crate::gate::{Call, Gate, Told};
use crate::http::framing::Framing;
use crate::http::{Answer, Head};
use crate::inbox::{Failure as Unstored, Message};
use crate::metrics::one;

/// Takes a message and answers.
pub(super) async fn take<C: Client>(client: &mut C, gate: &Gate, call: &Call, head: &Head) -> Answer {
    let stored = match content(client, head).await {
        Ok(body) => store(gate, call, head, body).await,
        Err(failure) => Err(failure),
    };
    stored.unwrap_or_else(|(status, says)| {
        gate.refuse(call, Some(head), &Refused { status, says, ..Refused::default() })
    })
}

/// Writes a message durably and makes the answer with its receipt.
async fn store(gate: &Gate, call: &Call, head: &Head, body: Vec<u8>) -> Result<Answer, Failure> {
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
        Unstored::Other(says) => (503, says),
        Unstored::KeyReused => (422, "the Idempotency-Key was used for another message".to_owned()),
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

async fn content<C: Client>(client: &mut C, head: &Head) -> Result<Vec<u8>, Failure> {
    if matches!(client.framing(), Ok(Framing::None)) && head.field("content-length").is_none() {
        return Err((411, "a message without content".to_owned()));
    }
    client.invite().await?;
    let mut body = Vec::new();
    while !client.read(&mut body).await? {}
    Ok(body)
}
