//! One request to the upstream and its answer back, streamed: neither is ever held as a whole.

use super::one::One;
use super::two::Two;
use super::{Pool, rewrite};
use crate::gate::Call;
use crate::http::framing::Framing;
use crate::http::target::Target;
use crate::http::{Head, Trailers};
use crate::serve::client::{Client, Failure, Measure};
use crate::streams::{Gone, Incoming, Outgoing, Then};
use std::time::Duration;
use tokio::time::timeout;

/// How it ended.
#[derive(Debug, Default)]
pub(crate) struct Relayed {
    /// The status that the client got; 0 where nothing has been sent to it yet.
    pub(crate) status: u16,
    pub(crate) sent: u64,
    /// What went wrong: the status for it, and what to tell the operator.
    pub(crate) failed: Option<Failure>,
}

/// What nginx logs for a client that has gone before its answer; nobody gets to see it.
const GONE: u16 = 499;

/// Passes a request on and its answer back.
pub(crate) async fn relay<C: Client>(
    client: &mut C,
    call: &Call,
    head: &Head,
    target: &Target,
    framing: Framing,
) -> Relayed {
    let failed = |failure: Failure| Relayed { failed: Some(failure), ..Relayed::default() };
    let (Some(site), Some(pool)) = (call.site(), call.pool()) else {
        return failed((500, "the site has no upstream".to_owned()));
    };
    let about = rewrite::About {
        site,
        key_field: &call.setup.config.key_field,
        user: call.verdict.user.as_deref(),
        client: call.client,
        is_tls: call.is_tls,
        trace: call.trace,
    };
    let patience = call.setup.config.limits.upstream_time;
    let ask = Ask { pool, head, target, framing, about, patience };
    let (upstream, answer) = match ask.answered(client).await {
        Ok(answered) => answered,
        Err(failure) => return failed(failure),
    };
    match answer.head.status() {
        101 => ask.switch(client, upstream, &answer, call.setup.config.limits.idle).await,
        _ => ask.pass(client, upstream, answer, call.setup.config.limits.body_idle).await,
    }
}

/// Methods that may be sent twice (RFC 9110 section 9.2.2).
fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE" | "TRACE")
}

/// An exchange with an upstream.
enum Upstream {
    One(Box<One>),
    Two(Box<Two>),
}

/// The head of an answer.
struct Answer {
    head: Head,
    framing: Framing,
    /// Whether the request was sent to its end before.
    is_asked: bool,
}

/// A request that is passed on.
struct Ask<'a> {
    pool: &'a Pool,
    head: &'a Head,
    target: &'a Target,
    framing: Framing,
    about: rewrite::About<'a>,
    patience: Duration,
}

impl Ask<'_> {
    /// The upstream's answer. A kept connection that the upstream closed at this very moment is replaced, once, if nothing of
    /// the request can have been done.
    async fn answered<C: Client>(&self, client: &mut C) -> Result<(Upstream, Answer), Failure> {
        let mut upstream = self.begin(false).await?;
        let mut first = self.ask(client, &mut upstream).await;
        if first.is_err()
            && upstream.may_be_stale()
            && self.framing == Framing::None
            && is_safe(self.head.method())
            && !matches!(first, Err((504 | GONE, _)))
        {
            upstream = self.begin(true).await?;
            first = self.ask(client, &mut upstream).await;
        }
        Ok((upstream, first?))
    }

    async fn begin(&self, is_new: bool) -> Result<Upstream, Failure> {
        let (head, target, framing, about) = (self.head, self.target, self.framing, &self.about);
        if self.pool.speaks_two {
            let head = rewrite::request_two(head, target, framing, about);
            let head = head.ok_or((502, "the request cannot be said in HTTP/2".to_owned()))?;
            let two = Two::begin(self.pool, is_new, head, framing, self.patience).await?;
            return Ok(Upstream::Two(Box::new(two)));
        }
        let mut out = Vec::with_capacity(1024);
        rewrite::request(head, target, framing, about, &mut out);
        let one = One::begin(self.pool, is_new, &out, framing, self.patience).await?;
        Ok(Upstream::One(Box::new(one)))
    }

    /// Sends the content of the request and reads the head of the answer.
    async fn ask<C: Client>(&self, client: &mut C, upstream: &mut Upstream) -> Result<Answer, Failure> {
        let is_asked = match self.framing {
            Framing::None => true,
            _ => self.content(client, upstream).await?,
        };
        let answered = upstream.head(self.pool, self.head.method());
        let (head, framing) = tokio::select! {
            biased;
            head = answered => head?,
            () = client.gone() => return Err((GONE, "the client went away before the answer".to_owned())),
        };
        Ok(Answer { head, framing, is_asked })
    }

    /// Sends the content of the request; `false` where the upstream answered before its end.
    async fn content<C: Client>(&self, client: &mut C, upstream: &mut Upstream) -> Result<bool, Failure> {
        client.invite().await?;
        let mut piece = Vec::new();
        loop {
            let done = tokio::select! {
                biased;
                read = client.read(&mut piece) => read?,
                () = upstream.early() => return Ok(false),
            };
            let trailers = rewrite::trailers(client.trailers(), &self.about);
            let then = if done { Then::End(&trailers) } else { Then::More };
            // It may have answered, and closed: the answer is what counts.
            if !matches!(upstream.send(&mut piece, then).await, Ok(true)) {
                return Ok(false);
            }
            if done {
                return Ok(true);
            }
        }
    }

    /// Passes the answer on.
    async fn pass<C: Client>(
        &self,
        client: &mut C,
        mut upstream: Upstream,
        answer: Answer,
        idle: Duration,
    ) -> Relayed {
        let both = match answer.is_asked {
            true => None,
            false => upstream.take_outgoing().and_then(|to| Some((client.take_incoming()?, to))),
        };
        let status = answer.head.status();
        if client.begin(&answer.head, answer.framing, upstream.is_over(answer.framing)).is_err() {
            let failed = Some((GONE, "the client went away before the answer".to_owned()));
            return Relayed { status, sent: 0, failed };
        }
        let mut sent = 0;
        let failed = match both {
            None => down(client, &mut upstream, &mut sent).await.err(),
            // The upstream answers while it is still being asked, as remote procedure calls do.
            Some(((incoming, measure), to)) => {
                let up = self.up(incoming, measure, to, idle);
                tokio::pin!(up);
                let down = down(client, &mut upstream, &mut sent);
                tokio::pin!(down);
                tokio::select! {
                    ended = &mut down => ended.err(),
                    failed = &mut up => match failed {
                        Err(failure) => Some(failure),
                        Ok(()) => down.await.err(),
                    },
                }
            }
        };
        if failed.is_none()
            && let Upstream::One(one) = upstream
        {
            one.end(self.pool, answer.is_asked);
        }
        Relayed { status, sent, failed }
    }

    /// Sends content of the request while the answer is already coming.
    async fn up(
        &self,
        mut from: Incoming,
        mut measure: Measure,
        mut to: Outgoing,
        idle: Duration,
    ) -> Result<(), Failure> {
        let mut piece = Vec::new();
        // The last piece may be on its way still.
        while matches!(to.send(self.patience).await, Ok(false)) {
            let done = match timeout(idle, from.read(&mut piece)).await {
                Ok(Ok(done)) => done,
                Ok(Err(Gone)) => return Err((400, "the client broke off its content".to_owned())),
                Err(_) => return Err((408, "the content of the request does not arrive".to_owned())),
            };
            measure.add(piece.len())?;
            let trailers = rewrite::trailers(from.trailers(), &self.about);
            let then = if done { Then::End(&trailers) } else { Then::More };
            to.give(&mut piece, then);
        }
        Ok(())
    }

    /// Another protocol from here on.
    async fn switch<C: Client>(
        &self,
        client: &mut C,
        upstream: Upstream,
        answer: &Answer,
        idle: Duration,
    ) -> Relayed {
        let failed = |says: &str| Relayed { failed: Some((502, says.to_owned())), ..Relayed::default() };
        let Upstream::One(one) = upstream else {
            return failed("the upstream changes the protocol in HTTP/2");
        };
        if rewrite::upgrade(self.head).is_none() {
            return failed("the upstream changes the protocol unasked");
        }
        let _ = client.begin(&answer.head, Framing::None, false);
        let (wire, first) = one.into_parts();
        Relayed { status: 101, sent: client.tunnel(wire, first, idle).await, failed: None }
    }
}

/// Passes the content of the answer on; `sent` counts it.
async fn down<C: Client>(client: &mut C, upstream: &mut Upstream, sent: &mut u64) -> Result<(), Failure> {
    let gone = || (GONE, "the client went away before the answer was complete".to_owned());
    let mut piece = Vec::new();
    let mut done = upstream.take(&mut piece)?;
    loop {
        *sent += piece.len() as u64;
        let then = if done { Then::End(upstream.trailers()) } else { Then::More };
        client.write(&mut piece, then).await.map_err(|Gone| gone())?;
        if done {
            return Ok(());
        }
        done = tokio::select! {
            biased;
            read = upstream.read(&mut piece) => read?,
            () = client.gone() => return Err(gone()),
        };
    }
}

impl Upstream {
    /// Whether it may have closed the connection before the request reached it.
    fn may_be_stale(&self) -> bool {
        match self {
            Upstream::One(one) => one.was_kept && one.is_unheard(),
            Upstream::Two(two) => two.was_kept,
        }
    }

    async fn send(&mut self, piece: &mut Vec<u8>, then: Then<'_>) -> Result<bool, Gone> {
        match self {
            Upstream::One(one) => one.send(piece, then).await,
            Upstream::Two(two) => two.send(piece, then).await,
        }
    }

    async fn early(&mut self) {
        match self {
            Upstream::One(one) => one.early().await,
            Upstream::Two(two) => two.early().await,
        }
    }

    async fn head(&mut self, pool: &Pool, method: &str) -> Result<(Head, Framing), Failure> {
        match self {
            Upstream::One(one) => one.head(method).await,
            Upstream::Two(two) => two.head(pool, method).await,
        }
    }

    /// Whether no content follows the head.
    fn is_over(&self, framing: Framing) -> bool {
        framing == Framing::None || matches!(self, Upstream::Two(two) if two.is_done())
    }

    fn take(&mut self, piece: &mut Vec<u8>) -> Result<bool, Failure> {
        match self {
            Upstream::One(one) => one.take(piece),
            Upstream::Two(two) => Ok(two.is_done()),
        }
    }

    async fn read(&mut self, piece: &mut Vec<u8>) -> Result<bool, Failure> {
        match self {
            Upstream::One(one) => one.read(piece).await,
            Upstream::Two(two) => two.read(piece).await,
        }
    }

    fn trailers(&self) -> &Trailers {
        match self {
            Upstream::One(one) => one.trailers(),
            Upstream::Two(two) => two.trailers(),
        }
    }

    fn take_outgoing(&mut self) -> Option<Outgoing> {
        match self {
            Upstream::One(_) => None,
            Upstream::Two(two) => two.take_outgoing(),
        }
    }
}
