//! One request to the upstream and its answer back, streamed: neither is ever held as a whole.

use super::{Pool, rewrite};
use crate::gate::Call;
use crate::http::Head;
use crate::http::framing::{Content, Framing, LAST, chunk};
use crate::http::head::end;
use crate::http::target::Target;
use crate::serve::io::{fill, write};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How it ended.
#[derive(Debug, Default)]
pub(crate) struct Relayed {
    /// The status that the client got; 0 where nothing has been sent to it yet.
    pub(crate) status: u16,
    pub(crate) sent: u64,
    /// Whether the client's connection can go on.
    pub(crate) keep: bool,
    /// What went wrong: the status for it, and what to tell the operator.
    pub(crate) failed: Option<(u16, String)>,
}

impl Relayed {
    fn failed(status: u16, says: impl Into<String>) -> Relayed {
        Relayed { failed: Some((status, says.into())), ..Relayed::default() }
    }
}

/// The largest head of a response.
const HEAD: usize = 64 * 1024;

/// A client's side of a relay.
pub(crate) struct Client<'a, S> {
    pub(crate) io: &'a mut S,
    /// What has been read and is not used yet.
    pub(crate) buffer: &'a mut Vec<u8>,
    /// Whether the connection may go on afterwards.
    pub(crate) keep: bool,
}

/// Passes a request on and its answer back.
pub(crate) async fn relay<S: AsyncRead + AsyncWrite + Unpin>(
    client: Client<'_, S>,
    pool: &Pool,
    call: &Call,
    head: &Head,
    target: &Target,
    framing: Framing,
) -> Relayed {
    let Some(site) = call.site() else { return Relayed::failed(500, "no site") };
    let Some(upstream) = &site.upstream else { return Relayed::failed(500, "the site has no upstream") };
    let about = rewrite::About {
        site,
        key_field: &call.setup.config.key_field,
        user: call.verdict.user.as_deref(),
        client: call.client,
        is_tls: call.is_tls,
    };
    let mut out = Vec::with_capacity(1024);
    rewrite::request(head, target, framing, &about, &mut out);
    let kept = pool.kept(&upstream.authority);
    let was_kept = kept.is_some();
    let mut stream = match kept {
        Some(stream) => stream,
        None => match Pool::connect(&upstream.authority).await {
            Ok(stream) => stream,
            Err(says) => return Relayed::failed(502, says),
        },
    };
    let patience = call.setup.config.limits.upstream_time;
    let mut exchange = Exchange { client, patience, call, head, framing, received: Vec::new() };
    let mut first = exchange.ask(&mut stream, &out).await;
    // An idle connection that the upstream closed at this very moment: nothing of this request has been answered.
    if first.is_err()
        && was_kept
        && framing == Framing::None
        && exchange.received.is_empty()
        && is_safe(head.method())
    {
        stream = match Pool::connect(&upstream.authority).await {
            Ok(stream) => stream,
            Err(says) => return Relayed::failed(502, says),
        };
        first = exchange.ask(&mut stream, &out).await;
    }
    let answer = match first {
        Ok(answer) => answer,
        Err((status, says)) => return Relayed::failed(status, says),
    };
    let (relayed, may_keep) = exchange.answer(&mut stream, answer).await;
    if may_keep {
        pool.keep(&upstream.authority, stream);
    }
    relayed
}

/// Methods that may be sent twice (RFC 9110 section 9.2.2).
fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE" | "TRACE")
}

struct Exchange<'a, S> {
    client: Client<'a, S>,
    patience: Duration,
    call: &'a Call,
    head: &'a Head,
    framing: Framing,
    /// What came from the upstream and is not used yet.
    received: Vec<u8>,
}

/// The head of the upstream's answer, and whether the request was sent to its end.
struct Answered {
    head: Head,
    whole: bool,
}

type Failure = (u16, String);

impl<S: AsyncRead + AsyncWrite + Unpin> Exchange<'_, S> {
    /// Sends the request and reads the head of the answer.
    async fn ask(&mut self, stream: &mut TcpStream, out: &[u8]) -> Result<Answered, Failure> {
        let lost = |_| (502, "the upstream closed the connection".to_owned());
        write(stream, out, self.patience).await.map_err(lost)?;
        let whole = match self.framing {
            Framing::None => true,
            _ => self.content(stream).await?,
        };
        let mut searched = 0;
        loop {
            if let Some(at) = end(&self.received, searched) {
                let rest = self.received.split_off(at);
                let bytes = std::mem::replace(&mut self.received, rest);
                let head = Head::response(bytes).map_err(|b| (502, b.says.to_owned()))?;
                // 100 and 103: the gate has said "continue" itself.
                if head.status() >= 200 || head.status() == 101 {
                    return Ok(Answered { head, whole });
                }
                searched = 0;
                continue;
            }
            searched = self.received.len();
            if searched > HEAD {
                return Err((502, "the head of the upstream's answer is too large".to_owned()));
            }
            match timeout(self.patience, fill(stream, &mut self.received)).await {
                Ok(Ok(n)) if n > 0 => {}
                Ok(_) => {
                    return Err((502, "the upstream closed the connection without an answer".to_owned()));
                }
                Err(_) => return Err((504, "the upstream does not answer".to_owned())),
            }
        }
    }

    /// Sends the content of the request; `false` where the upstream answered before its end.
    async fn content(&mut self, stream: &mut TcpStream) -> Result<bool, Failure> {
        let limits = &self.call.setup.config.limits;
        if self.head.names("expect", "100-continue")
            && self.client.buffer.is_empty()
            && write(self.client.io, b"HTTP/1.1 100 Continue\r\n\r\n", limits.body_idle).await.is_err()
        {
            return Err((400, "the client is gone".to_owned()));
        }
        let mut content = Content::new(self.framing);
        let (mut piece, mut out, mut total) = (Vec::new(), Vec::new(), 0u64);
        loop {
            piece.clear();
            content.take(self.client.buffer, &mut piece).map_err(|b| (b.status, b.says.to_owned()))?;
            total += piece.len() as u64;
            if total > limits.body {
                return Err((413, format!("the content is larger than {} bytes", limits.body)));
            }
            out.clear();
            match self.framing {
                Framing::Chunked => chunk(&piece, &mut out),
                _ => out.append(&mut piece),
            }
            if content.is_done() && self.framing == Framing::Chunked {
                out.extend_from_slice(LAST);
            }
            if !out.is_empty() && write(stream, &out, self.patience).await.is_err() {
                // It may have answered and closed: the answer is what counts.
                return Ok(false);
            }
            if content.is_done() {
                return Ok(true);
            }
            tokio::select! {
                biased;
                read = timeout(limits.body_idle, fill(self.client.io, self.client.buffer)) => match read {
                    Ok(Ok(n)) if n > 0 => {}
                    Ok(_) => return Err((400, "the client closed before its content was complete".to_owned())),
                    Err(_) => return Err((408, "the content of the request does not arrive".to_owned())),
                },
                early = fill(stream, &mut self.received) => {
                    let _ = early;
                    return Ok(false);
                }
            }
        }
    }

    /// Passes the answer on. Returns whether the upstream's connection can be used again.
    async fn answer(mut self, stream: &mut TcpStream, answered: Answered) -> (Relayed, bool) {
        let Answered { head, whole } = answered;
        let mut framing = match head.response_framing(self.head.method()) {
            Ok(framing) => framing,
            Err(bad) => return (Relayed::failed(502, bad.says), false),
        };
        let mut keep = self.client.keep && whole;
        let mut out = Vec::with_capacity(1024);
        if head.status() == 101 {
            if rewrite::upgrade(self.head).is_none() {
                return (Relayed::failed(502, "the upstream changes the protocol unasked"), false);
            }
            framing = Framing::None;
        }
        let sent_framing = rewrite::response(&head, framing, self.head.version, &mut keep, &mut out);
        let status = head.status();
        if status == 101 {
            return (self.tunnel(stream, out).await, false);
        }
        let may_keep = head.keeps() && whole && framing != Framing::Close;
        let mut content = Content::new(framing);
        let (mut piece, mut sent) = (Vec::new(), 0);
        let cut = |sent, says: &str| {
            (Relayed { status, sent, keep: false, failed: Some((502, says.to_owned())) }, false)
        };
        loop {
            piece.clear();
            if content.take(&mut self.received, &mut piece).is_err() {
                return cut(sent, "the upstream's content is malformed");
            }
            sent += piece.len() as u64;
            match sent_framing {
                Framing::Chunked => chunk(&piece, &mut out),
                _ => out.append(&mut piece),
            }
            if content.is_done() && sent_framing == Framing::Chunked {
                out.extend_from_slice(LAST);
            }
            if !out.is_empty() {
                if write(self.client.io, &out, self.call.setup.config.limits.body_idle).await.is_err() {
                    return cut(sent, "the client went away before the answer was complete");
                }
                out.clear();
            }
            if content.is_done() {
                let clean = may_keep && self.received.is_empty();
                return (Relayed { status, sent, keep, failed: None }, clean);
            }
            match timeout(self.patience, fill(stream, &mut self.received)).await {
                Ok(Ok(n)) if n > 0 => {}
                Ok(Ok(_)) if content.may_end() => {
                    if sent_framing == Framing::Chunked {
                        let _ = write(self.client.io, LAST, self.patience).await;
                    }
                    return (Relayed { status, sent, keep, failed: None }, false);
                }
                _ => return cut(sent, "the upstream broke off its answer"),
            }
        }
    }

    /// Another protocol from here on: bytes go both ways until either side ends.
    async fn tunnel(mut self, stream: &mut TcpStream, mut out: Vec<u8>) -> Relayed {
        out.append(&mut self.received);
        let mut relayed = Relayed { status: 101, ..Relayed::default() };
        let idle = self.call.setup.config.limits.idle;
        let to_client = write(self.client.io, &out, idle).await;
        let to_upstream = write(stream, self.client.buffer, idle).await;
        self.client.buffer.clear();
        if to_client.is_ok() && to_upstream.is_ok() {
            if let Ok((_, down)) = tokio::io::copy_bidirectional(self.client.io, stream).await {
                relayed.sent = down;
            }
            let _ = stream.shutdown().await;
        }
        relayed
    }
}
