//! The gate: setup, memory, logs, and the way from a request to an answer.

use crate::accounts::Store;
use crate::config::{Body, Config, Keys, Site};
use crate::decide::{self, Asked, Certificate, Refused, Setup, Step, Verdict};
use crate::http::target::Target;
use crate::http::{Answer, Head};
use crate::log::{Entry, Logs};
use crate::metrics::{Metrics, one};
use crate::net;
use crate::refusal;
use crate::rule::Rule;
use crate::state::State;
use crate::trace::{Context, Exporter, Span};
use crate::upstream::Pool;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;
use tokio::sync::{Notify, Semaphore};
use why401_verify::jwk::KeySet;

/// Everything that serves requests.
pub(crate) struct Gate {
    config_path: PathBuf,
    setup: RwLock<Arc<Setup>>,
    pub(crate) state: State,
    pub(crate) logs: Logs,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) traces: Option<Exporter>,
    pub(crate) inbox: Option<crate::inbox::Inbox>,
    /// A token named a key that the set does not hold.
    pub(crate) unknown_key: Notify,
    hashing: Semaphore,
    random: Mutex<Vec<u8>>,
    started: Instant,
}

/// Where a request comes from.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    pub(crate) is_tls: bool,
    pub(crate) certificate: Certificate,
}

/// A request under way.
pub(crate) struct Call {
    pub(crate) setup: Arc<Setup>,
    pub(crate) client: IpAddr,
    pub(crate) is_tls: bool,
    pub(crate) time: jiff::Timestamp,
    pub(crate) begun: Instant,
    pub(crate) verdict: Verdict,
    /// Where it stands in a trace, if traces are kept.
    pub(crate) trace: Option<Context>,
}

impl Call {
    /// The site that it is for.
    pub(crate) fn site(&self) -> Option<&Site> {
        self.setup.config.sites.get(self.verdict.site?)
    }

    /// The connections to its upstream.
    pub(crate) fn pool(&self) -> Option<&Pool> {
        self.setup.pools.get(self.verdict.site?)?.as_ref()
    }

    /// The rule that it is under.
    pub(crate) fn rule(&self) -> Option<&Rule> {
        self.site()?.rules.get(self.verdict.rule?)
    }
}

/// So many slow passwords may wait; more are told to come back.
const WAITING: usize = 64;

/// Reads everything that a configuration names.
pub(crate) fn load(path: &Path) -> Result<Setup, String> {
    let config = Arc::new(Config::load(path)?);
    let store = Arc::new(Store::load(&config.accounts)?);
    let tls = crate::serve::tls::acceptor(config.tls.as_ref(), config.speaks_two)?;
    let pools = config.sites.iter().map(|s| s.upstream.as_ref().map(Pool::new).transpose());
    let pools = Arc::new(pools.collect::<Result<Vec<_>, String>>()?);
    let keys = match config.bearer.as_ref().map(|b| &b.keys) {
        Some(Keys::File(file)) => {
            let text = std::fs::read(file).map_err(|e| format!("cannot read {}: {e}", file.display()))?;
            Some(KeySet::parse(&text).map_err(|e| format!("{}: {e}", file.display()))?)
        }
        _ => None,
    };
    Ok(Setup { config, store, keys: Arc::new(RwLock::new(keys)), tls, pools })
}

impl Gate {
    /// A gate for this configuration.
    pub(crate) fn new(config_path: &Path) -> Result<Gate, String> {
        let setup = load(config_path)?;
        let mut key = [0; 32];
        aws_lc_rs::rand::fill(&mut key).map_err(|_| "the system gives no random numbers")?;
        let config = &setup.config;
        let logs = Logs::open(
            config.access_log.as_deref(),
            config.json_log.as_deref(),
            &config.refusals,
            config.refusals_size,
        )?;
        let traces = config.traces.as_ref().map(Exporter::new).transpose()?;
        let inbox = config.inbox.as_ref().map(crate::inbox::Inbox::open).transpose()?;
        Ok(Gate {
            config_path: config_path.to_owned(),
            state: State::new(key),
            logs,
            metrics: Arc::default(),
            traces,
            inbox,
            unknown_key: Notify::new(),
            hashing: Semaphore::new(WAITING),
            random: Mutex::new(Vec::new()),
            started: Instant::now(),
            setup: RwLock::new(Arc::new(setup)),
        })
    }

    /// The setup of this moment.
    pub(crate) fn setup(&self) -> Arc<Setup> {
        self.setup.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes the configuration and its files anew; requests under way end with the old one. Where the server listens, its
    /// workers, logs and inbox stay as they are.
    pub(crate) fn reload(&self) -> Result<(), String> {
        let setup = load(&self.config_path)?;
        if let Some(Keys::Url(url)) = setup.config.bearer.as_ref().map(|b| &b.keys) {
            let old = self.setup();
            if matches!(old.config.bearer.as_ref().map(|b| &b.keys), Some(Keys::Url(u)) if u == url) {
                let keys = old.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
                *setup.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
            }
        }
        if setup.config.inbox.is_some() != self.inbox.is_some() {
            return Err("an inbox comes or goes with a restart only".to_owned());
        }
        *self.setup.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(setup);
        self.logs.reopen();
        Ok(())
    }

    /// Takes the accounts anew; everything else stays.
    pub(crate) fn reload_accounts(&self) -> Result<(), String> {
        let old = self.setup();
        let store = Arc::new(Store::load(&old.config.accounts)?);
        let Setup { config, keys, tls, pools, .. } = &*old;
        let (config, keys, tls, pools) = (config.clone(), keys.clone(), tls.clone(), pools.clone());
        let setup = Setup { config, keys, tls, pools, store };
        let mut current = self.setup.write().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&current, &old) {
            *current = Arc::new(setup);
        }
        Ok(())
    }

    fn random(&self) -> u64 {
        let mut pool = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < 8 {
            let mut fresh = vec![0; 4096];
            let _ = aws_lc_rs::rand::fill(&mut fresh);
            *pool = fresh;
        }
        let at = pool.len().saturating_sub(8);
        let bytes = pool.split_off(at);
        <[u8; 8]>::try_from(bytes.as_slice()).map_or(0, u64::from_be_bytes)
    }

    /// Begins a call: who asks, and under which setup.
    pub(crate) fn call(&self, peer: &Peer, head: Option<&Head>) -> Call {
        let setup = self.setup();
        let (client, is_tls) = match head {
            Some(head) => origin(peer, head, &setup.config.trusted_proxies),
            None => (peer.address, peer.is_tls),
        };
        Call {
            setup,
            client,
            is_tls,
            time: jiff::Timestamp::now(),
            begun: Instant::now(),
            verdict: Verdict::default(),
            trace: self.traces.as_ref().map(|t| Context::of(head, t.share, || self.random())),
        }
    }

    /// Decides about a request.
    pub(crate) async fn decide(&self, call: &mut Call, peer: &Peer, head: &Head, target: &Target) {
        let asked = Asked {
            head,
            target,
            client: call.client,
            is_tls: call.is_tls,
            certificate: &peer.certificate,
            now: call.time.as_second(),
            tick: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        let pending = match decide::begin(&asked, &call.setup, &self.state) {
            Step::Done(verdict) => {
                if verdict.refused.as_ref().is_some_and(|r| r.cause == Some("bad-signature")) {
                    self.unknown_key.notify_one();
                }
                return call.verdict = verdict;
            }
            Step::Verify(pending) => pending,
        };
        let Ok(_slot) = self.hashing.try_acquire() else {
            let refused = Refused::new(429, "rate-limited", "too many passwords wait to be verified");
            let refused = Some(Box::new(Refused { retry_after: Some(1), ..refused }));
            return call.verdict = Verdict { refused, ..Verdict::default() };
        };
        one(&self.metrics.hashes);
        let work = Box::pin(async move {
            tokio::task::spawn_blocking(move || {
                let outcome = pending.run();
                (pending, outcome)
            })
            .await
        });
        call.verdict = match work.await {
            Ok((pending, outcome)) => decide::finish(&asked, &call.setup, &self.state, &pending, outcome),
            Err(_) => Verdict {
                refused: Some(Box::new(Refused::new(
                    500,
                    "server-misconfigured",
                    "verifying a password failed",
                ))),
                ..Verdict::default()
            },
        };
    }

    /// The answer of a refusal, logged.
    pub(crate) fn refuse(&self, call: &Call, head: Option<&Head>, refused: &Refused) -> Answer {
        let reference = refusal::reference(self.random());
        let form = call.site().map_or(Body::Auto, |s| s.body);
        let answer = refusal::answer(refused, &reference, form, head);
        self.log(
            call,
            head,
            &Told {
                status: refused.status,
                sent: answer.body.len() as u64,
                cause: refused.cause,
                says: Some(&refused.says),
                reference: Some(&reference),
                receipt: None,
            },
        );
        answer
    }

    /// Logs and counts an exchange.
    pub(crate) fn log(&self, call: &Call, head: Option<&Head>, told: &Told<'_>) {
        self.metrics.answered(told.status, told.cause);
        if let (Some(exporter), Some(context)) = (&self.traces, call.trace.filter(|c| c.is_sampled)) {
            exporter.put(span(call, head, told, context), &self.metrics);
        }
        self.logs.write(&Entry {
            time: call.time,
            client: Some(call.client),
            head,
            is_tls: call.is_tls,
            status: told.status,
            sent: told.sent,
            user: call.verdict.user.as_deref(),
            cause: told.cause,
            says: told.says,
            reference: told.reference,
            realm: call.site().map(|s| s.realm.as_str()),
            rule: call.rule().map(|r| r.name.as_str()),
            account: call.verdict.account.as_deref(),
            receipt: told.receipt,
            took: u64::try_from(call.begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
    }
}

/// The span of an exchange.
fn span(call: &Call, head: Option<&Head>, told: &Told<'_>, context: Context) -> Span {
    let field = |name| head.and_then(|h| h.field(name)).map(|v| String::from_utf8_lossy(v).into_owned());
    let begun = call.time.as_nanosecond();
    Span {
        context,
        begun,
        ended: begun + i128::try_from(call.begun.elapsed().as_nanos()).unwrap_or(0),
        method: head.map_or("_OTHER", Head::method).to_owned(),
        route: call.rule().map(|r| r.path.written().to_owned()),
        target: head.map_or_else(String::new, |h| why401_redact::target_without_secrets(h.target())),
        scheme: if call.is_tls { "https" } else { "http" },
        host: field("host"),
        version: head.map_or("1.1", |h| h.version.number()),
        client: call.client.to_canonical().to_string(),
        user_agent: field("user-agent"),
        status: told.status,
        sent: told.sent,
        cause: told.cause,
        reference: told.reference.map(str::to_owned),
    }
}

/// What is told of an exchange's end.
#[derive(Debug, Default)]
pub(crate) struct Told<'a> {
    pub(crate) status: u16,
    pub(crate) sent: u64,
    pub(crate) cause: Option<&'static str>,
    pub(crate) says: Option<&'a str>,
    pub(crate) reference: Option<&'a str>,
    pub(crate) receipt: Option<&'a str>,
}

/// The client's address and whether it spoke TLS: what a trusted proxy says of it, else the connection's own. The address is
/// the last one in `X-Forwarded-For` that is no trusted proxy itself: what stands before it anybody may have written.
fn origin(peer: &Peer, head: &Head, trusted: &[net::Net]) -> (IpAddr, bool) {
    if trusted.is_empty() || !net::any(trusted, peer.address) {
        return (peer.address, peer.is_tls);
    }
    let mut client = peer.address;
    let values: Vec<&[u8]> = head.all("x-forwarded-for").flat_map(|v| v.split(|b| *b == b',')).collect();
    for value in values.into_iter().rev() {
        let address = std::str::from_utf8(value.trim_ascii()).ok().and_then(|t| t.parse::<IpAddr>().ok());
        let Some(address) = address else { break };
        client = address;
        if !net::any(trusted, address) {
            break;
        }
    }
    let https = head.all("x-forwarded-proto").last().is_some_and(|v| v.eq_ignore_ascii_case(b"https"));
    (client, peer.is_tls || https)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_tell_where_a_client_is() {
        let trusted: Vec<net::Net> = vec!["192.0.2.0/24".parse().unwrap()];
        let found = |peer: &str, fields: &str| {
            let head = Head::request(format!("GET / HTTP/1.1\r\n{fields}\r\n").into_bytes()).unwrap();
            let peer =
                Peer { address: peer.parse().unwrap(), is_tls: false, certificate: Certificate::Absent };
            let (client, is_tls) = origin(&peer, &head, &trusted);
            (client.to_string(), is_tls)
        };
        let forged = "X-Forwarded-For: 10.0.0.1, 203.0.113.9, 192.0.2.8\r\nX-Forwarded-Proto: https\r\n";
        assert_eq!(found("192.0.2.1", forged), ("203.0.113.9".to_owned(), true));
        assert_eq!(found("198.51.100.1", forged), ("198.51.100.1".to_owned(), false));
        assert_eq!(found("192.0.2.1", "X-Forwarded-For: x, 203.0.113.9\r\n").0, "203.0.113.9");
        assert_eq!(found("192.0.2.1", "").0, "192.0.2.1");
    }
}
