//! Sends what the plan says, one request after the other, within the limits.

use crate::limits::{Limits, Spent, stop_sign};
use crate::plan::{Done, Known, Next, Outcome, Step, next};
use crate::respond::{self, Chance};
use crate::wire::{Connection, Recorder, Sending, Wire};
use crate::wish::{Ask, Credentials, Field, Wish, authority};
use crate::{Trouble, Version};
use std::time::{Duration, Instant};
use why401_auth::Challenge;
use why401_http::{Exchange, path_of};
use why401_read::Collected;
use why401_span::SourceId;

/// What happens, for whoever watches.
#[derive(Debug)]
pub enum Event<'a> {
    /// This request is about to leave; its number, and which attempt with the credentials it is (0: none).
    Asking(&'a Step, u32, u32),
    /// This came back.
    Answered(&'a Outcome),
    /// Nothing came back.
    Failed(&'a Trouble),
}

/// What the diagnosis says so far.
#[derive(Debug, Default)]
pub struct Judgement {
    /// Causes that are open.
    pub open: Vec<String>,
    /// Whether a cause is proved.
    pub settled: bool,
}

/// Whom the driver asks on its way.
pub trait Watcher {
    /// Something happened.
    fn event(&mut self, event: Event<'_>);
    /// The diagnosis of what was recorded so far; exchanges with these indexes are to be left out of it.
    fn judge(&mut self, taken: &Collected, left_out: &[u64]) -> Judgement;
    /// Whether the credentials may travel to this host, to which the given one redirects.
    fn may_travel(&mut self, host: &str) -> bool;
}

/// What was done, and what came of it.
#[derive(Debug)]
pub struct Probed {
    /// Everything that was recorded.
    pub taken: Collected,
    /// Bytes that were sent and received.
    pub bytes: u64,
    /// The requests that were made.
    pub done: Vec<Done>,
    /// The exchanges (by index) that are the wish itself, not a look beside it.
    pub course: Vec<u64>,
    /// Exchanges (by index) that a diagnosis leaves out: the look without credentials, where credentials that stand in
    /// no field of their own make it look like the request itself.
    pub left_out: Vec<u64>,
    /// Why no more was asked.
    pub why: String,
    /// What went wrong before there was an answer.
    pub trouble: Option<Trouble>,
    /// What was spent of the limits.
    pub spent: Spent,
}

/// The names of the experiments whose exchanges are the wish itself.
const COURSE: &[&str] =
    &["bare", "given", "redirect", "renewed-nonce", "other-charset", "other-scheme", "preflight"];

/// Asks, as `wish` says, what `wire` reaches. Blocks until it is done.
///
/// # Errors
/// Where this machine gives no sockets.
pub fn run(
    wish: &Wish,
    limits: &Limits,
    wire: &Wire,
    trusted: &[String],
    watcher: &mut dyn Watcher,
    source: SourceId,
) -> Result<Probed, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let mut known = Known::nothing(wish.clone());
    known.trusted = trusted.to_vec();
    known.allow_wrong = limits.allow_wrong;
    known.made_up = format!("why401-{}", random(6)?);
    let mut driver = Driver {
        limits,
        wire,
        known,
        spent: Spent::default(),
        recorder: Recorder::new(source),
        course: Vec::new(),
        bare: Vec::new(),
        trouble: None,
        since: Instant::now(),
        lock_sign: None,
    };
    let why = runtime.block_on(driver.go(watcher))?;
    // A resolver that does not answer is not waited for.
    runtime.shutdown_timeout(Duration::from_millis(100));
    let left_out = driver.left_out();
    let (taken, bytes) = driver.recorder.finish();
    // With credentials given, the look without them is not what was meant, unless nothing else left.
    if driver.course.is_empty() {
        driver.course = driver.bare;
    }
    Ok(Probed {
        taken,
        bytes,
        done: driver.known.done,
        course: driver.course,
        left_out,
        why,
        trouble: driver.trouble,
        spent: driver.spent,
    })
}

struct Driver<'a> {
    limits: &'a Limits,
    wire: &'a Wire,
    known: Known,
    spent: Spent,
    recorder: Recorder,
    course: Vec<u64>,
    bare: Vec<u64>,
    trouble: Option<Trouble>,
    since: Instant,
    lock_sign: Option<String>,
}

impl Driver<'_> {
    fn left_out(&self) -> Vec<u64> {
        let wish = &self.known.wish;
        let in_a_field_of_its_own = !matches!(wish.credentials, Credentials::Fields | Credentials::None);
        let authorization = wish.fields.iter().any(|f| f.is("authorization"));
        let alike = wish.has_credentials() && !in_a_field_of_its_own && !authorization;
        if alike && self.known.of("given").is_some() { self.bare.clone() } else { Vec::new() }
    }

    async fn go(&mut self, watcher: &mut dyn Watcher) -> Result<String, String> {
        let address = self.known.wish.address.clone();
        self.known.proxied = self.wire.proxy(&address, false).is_some();
        if !self.known.proxied {
            let (host, port, _) = self.wire.routes.instead(&address.host, address.port);
            match self.wire.addresses(host, port).await {
                Ok(all) => self.known.addresses = all.iter().map(std::net::SocketAddr::ip).collect(),
                Err(trouble) => {
                    watcher.event(Event::Failed(&trouble));
                    self.trouble = Some(trouble);
                    return Ok("the host has no address".to_owned());
                }
            }
        }
        loop {
            if self.since.elapsed() >= self.limits.time {
                return Ok("the time for all of it is over".to_owned());
            }
            if let Some(sign) = self.lock_sign.take() {
                return Ok(format!("stopped: {sign}"));
            }
            let step = match next(&self.known, self.limits, &self.spent) {
                Next::Enough(why) => return Ok(why.to_owned()),
                Next::Ask(step) => *step,
            };
            if self.spent.requests > 0 {
                tokio::time::sleep(self.limits.pause).await;
            }
            self.take(step, watcher).await?;
            if self.trouble.is_some() {
                return Ok("there was no answer".to_owned());
            }
        }
    }

    async fn take(&mut self, step: Step, watcher: &mut dyn Watcher) -> Result<(), String> {
        // Asked once more here, whatever the plan says.
        self.limits.permit(&self.spent, &step.ask)?;
        let sending = match self.sending(&step) {
            Ok(sending) => sending,
            Err(why) => {
                let trouble = Trouble::Unusable(why);
                watcher.event(Event::Failed(&trouble));
                self.done(&step, Outcome::default());
                return Ok(());
            }
        };
        self.spent.count(&step.ask);
        let attempt = if step.ask.carries() { self.spent.attempts } else { 0 };
        watcher.event(Event::Asking(&step, self.spent.requests, attempt));
        let before = self.recorder.exchanges().len();
        let left = self.limits.time.saturating_sub(self.since.elapsed()).max(Duration::from_secs(1));
        let answer = match tokio::time::timeout(left, self.send(&step.ask, &sending)).await {
            Ok(answer) => answer,
            Err(_) => Err(Trouble::Time { at: authority(&step.ask.address), what: "answer" }),
        };
        let is_course = COURSE.contains(&step.name);
        if is_course {
            let new = self.recorder.exchanges().get(before..).unwrap_or_default();
            let aside = step.name == "bare" && self.known.wish.has_credentials();
            let kept = if aside { &mut self.bare } else { &mut self.course };
            kept.extend(new.iter().map(|e| e.index));
        }
        match answer {
            Ok(exchange) => {
                let outcome = Outcome::of(&step.ask, &exchange);
                watcher.event(Event::Answered(&outcome));
                if let Some(to) = outcome.location.as_ref().filter(|_| is_course && step.ask.carries())
                    && to.host != step.ask.address.host
                    && !self.known.trusted.contains(&to.host)
                    && watcher.may_travel(&to.host)
                {
                    self.known.trusted.push(to.host.clone());
                }
                self.keep_cookies(&step, &exchange);
                self.lock_sign = stop_sign(&exchange);
                self.done(&step, outcome);
                let judgement = watcher.judge(self.recorder.taken(), &self.left_out());
                self.known.open = judgement.open;
                self.known.settled = judgement.settled;
            }
            Err(trouble) => {
                watcher.event(Event::Failed(&trouble));
                // What fails beside the way is a finding by itself; on the way, it is the end.
                if is_course {
                    self.trouble = Some(trouble);
                }
                self.done(&step, Outcome::default());
            }
        }
        Ok(())
    }

    /// Takes the cookies of an answer that a client would have got: not of a look beside the way.
    fn keep_cookies(&mut self, step: &Step, exchange: &Exchange) {
        let wish = &self.known.wish;
        let waits = matches!(wish.credentials, Credentials::Password { .. })
            && wish.scheme.as_deref() != Some("basic");
        let asked_first = step.name == "bare" && (waits || !wish.has_credentials());
        let is_own = step.ask.carries() || step.name == "redirect" || asked_first;
        let (true, Some(jar), Some(response)) = (is_own, &mut self.known.wish.cookies, &exchange.response)
        else {
            return;
        };
        let now = jiff::Timestamp::now().as_second();
        let set = response.fields.all("set-cookie");
        set.for_each(|f| jar.take(&step.ask.address, f.value.as_bytes(), now));
    }

    fn done(&mut self, step: &Step, outcome: Outcome) {
        self.known.done.push(Done { name: step.name, ask: step.ask.clone(), outcome });
    }

    async fn send(&mut self, ask: &Ask, sending: &Sending) -> Result<Exchange, Trouble> {
        let mut connection =
            self.wire.open(&ask.address, ask.version, ask.at, ask.direct, &mut self.recorder).await?;
        if connection.is_http2() && sending.body.len() > 60_000 {
            // More than fits the window that every connection begins with.
            connection.close(&mut self.recorder).await;
            connection =
                self.wire.open(&ask.address, Version::Http1, ask.at, ask.direct, &mut self.recorder).await?;
        }
        let answer = match ask.is_handshake() {
            true => self.handshake(ask, sending, &mut connection).await,
            false => connection.ask(sending, &mut self.recorder).await,
        };
        connection.close(&mut self.recorder).await;
        answer
    }

    /// Two requests on one connection: the server's challenge, and the answer to it. What is answered otherwise, or ends
    /// the connection, ends the handshake.
    async fn handshake(
        &mut self,
        ask: &Ask,
        sending: &Sending,
        connection: &mut Connection,
    ) -> Result<Exchange, Trouble> {
        // Without its content, as clients send it: only what answers the challenge is done.
        let first = Sending { body: Vec::new(), ..sending.clone() };
        let exchange = connection.ask(&first, &mut self.recorder).await?;
        let challenges = Outcome::of(ask, &exchange).challenges;
        let chance = random_bytes::<8>().map_err(Trouble::Unusable)?;
        let answer = respond::ntlm_answer(&self.known.wish, &challenges, chance, jiff::Timestamp::now());
        let (Some(answer), false) = (answer.map_err(Trouble::Unusable)?, ends(&exchange)) else {
            return Ok(exchange);
        };
        let mut second = sending.clone();
        let authorization = second.fields.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case("authorization"));
        authorization.into_iter().for_each(|(_, value)| value.clone_from(&answer));
        connection.ask(&second, &mut self.recorder).await
    }

    /// The request as it is to be written.
    fn sending(&self, step: &Step) -> Result<Sending, String> {
        let (wish, ask) = (&self.known.wish, &step.ask);
        let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
        let given = wish.fields.iter().filter(|f| ask.with_fields && (ask.carries() || !f.is_credential()));
        for field in given.chain(&ask.fields) {
            fields.push((field.name.clone(), field.value.expose().to_vec()));
        }
        // A redirect to another host takes along what is meant for that host.
        let with_cookies = ask.carries() || !wish.has_credentials() || step.name == "redirect";
        let kept = wish.cookies.as_ref().filter(|_| with_cookies).and_then(|jar| jar.field(&ask.address));
        if let Some(kept) = kept {
            match fields.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case("cookie")) {
                Some((_, given)) => *given = [kept.expose(), b"; ", given].concat(),
                None => fields.push(("Cookie".to_owned(), kept.expose().to_vec())),
            }
        }
        for (name, value) in [("User-Agent", AGENT), ("Accept", "*/*")] {
            if !fields.iter().any(|(n, _)| n.eq_ignore_ascii_case(name)) {
                fields.push((name.to_owned(), value.as_bytes().to_vec()));
            }
        }
        let chance = Chance { cnonce: random(16)?, now: jiff::Timestamp::now() };
        fields.extend(respond::fields(wish, ask, &self.challenges(ask), &chance)?);
        Ok(Sending {
            method: ask.method.clone(),
            scheme: ask.address.scheme.clone(),
            authority: authority(&ask.address),
            target: ask.address.target.clone(),
            fields,
            body: if ask.with_body { wish.body.expose().to_vec() } else { Vec::new() },
        })
    }

    /// The latest challenges for this place.
    fn challenges(&self, ask: &Ask) -> Vec<Challenge> {
        let here = |d: &&Done| {
            d.ask.address.host == ask.address.host
                && path_of(&d.ask.address.target) == path_of(&ask.address.target)
                && !d.outcome.challenges.is_empty()
        };
        self.known.done.iter().rev().find(here).map(|d| d.outcome.challenges.clone()).unwrap_or_default()
    }
}

/// What requests say of their sender.
pub const AGENT: &str = concat!("why401/", env!("CARGO_PKG_VERSION"));

/// Whether the answer ends its connection (RFC 9112 section 9.3).
fn ends(exchange: &Exchange) -> bool {
    exchange.response.as_ref().is_none_or(|r| {
        let says = |word: &str| {
            r.fields
                .all("connection")
                .any(|f| f.text().split(',').any(|w| w.trim().eq_ignore_ascii_case(word)))
        };
        says("close") || (r.version == "1.0" && !says("keep-alive"))
    })
}

fn random_bytes<const N: usize>() -> Result<[u8; N], String> {
    let mut buffer = [0; N];
    aws_lc_rs::rand::fill(&mut buffer).map_err(|_| "this machine gives no random numbers".to_owned())?;
    Ok(buffer)
}

/// So many random bytes in hexadecimal digits.
fn random(bytes: usize) -> Result<String, String> {
    let mut buffer = vec![0; bytes];
    aws_lc_rs::rand::fill(&mut buffer).map_err(|_| "this machine gives no random numbers".to_owned())?;
    Ok(buffer.iter().map(|b| format!("{b:02x}")).collect())
}

/// A field that a wish needs, or why it cannot be one.
///
/// # Errors
/// Where it is no `Name: value`.
pub fn field(line: &str) -> Result<Field, String> {
    Field::parse(line).ok_or_else(|| "a field is written as Name: value".to_owned())
}
