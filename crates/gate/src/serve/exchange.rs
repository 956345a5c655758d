//! One request and its answer, in whatever version of HTTP: decided, taken or passed on, and logged.

use super::client::Client;
use crate::decide::Refused;
use crate::gate::{Gate, Peer, Told};
use crate::http::framing::Framing;
use crate::http::head::Bad;
use crate::http::target::Target;
use crate::http::{Answer, Head};
use crate::metrics::one;
use crate::upstream::relay::relay;

/// Serves a request; whether the connection goes on.
pub(super) async fn exchange<C: Client>(client: &mut C, gate: &Gate, peer: &Peer, head: &Head) -> bool {
    let mut call = gate.call(peer, Some(head));
    let bad = |bad: Bad| Refused { status: bad.status, says: bad.says.to_owned(), ..Refused::default() };
    let read = client.framing().and_then(|framing| Ok((framing, Target::of(head)?)));
    let (framing, target) = match read {
        Ok(read) => read,
        Err(why) => {
            let answer = gate.refuse(&call, Some(head), &bad(why));
            return client.answer(&Answer { close: true, ..answer }).await;
        }
    };
    if matches!(framing, Framing::Length(length) if length > call.setup.config.limits.body) {
        let refused = bad(Bad::new(413, "the content is larger than the limit"));
        let answer = gate.refuse(&call, Some(head), &refused);
        return client.answer(&Answer { close: true, ..answer }).await;
    }
    gate.decide(&mut call, peer, head, &target).await;
    if let Some(refused) = call.verdict.refused.take() {
        let answer = gate.refuse(&call, Some(head), &refused);
        return client.answer(&answer).await;
    }
    if call.rule().is_some_and(|r| r.inbox) {
        let answer = Box::pin(super::submit::take(client, gate, &call, head)).await;
        return client.answer(&answer).await;
    }
    let relayed = Box::pin(relay(client, &call, head, &target, framing)).await;
    match relayed.failed {
        None => {
            let told = Told { status: relayed.status, sent: relayed.sent, ..Told::default() };
            gate.log(&call, Some(head), &told);
            client.keeps()
        }
        Some((status, says)) if relayed.status == 0 => {
            one(&gate.metrics.upstream_errors);
            let refused = Refused { status, says, ..Refused::default() };
            let answer = gate.refuse(&call, Some(head), &refused);
            client.answer(&answer).await
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
