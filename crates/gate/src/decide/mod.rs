//! Deciding about a request: pure functions from the request, the client's address, the time and what is remembered to a
//! verdict that names its cause. Slow hashes are handed out as [`Pending`] work, so that no socket waits for another's password.

mod basic;
mod bearer;
mod digest;
mod elsewhere;
mod key;
#[cfg(test)]
mod tests;

pub(crate) use basic::Pending;
pub(crate) use key::print_of;

use crate::accounts::{Print, Store};
use crate::config::{Config, Site};
use crate::http::Head;
use crate::http::target::Target;
use crate::net;
use crate::rule::{Place, Rule, Scheme};
use crate::state::State;
use crate::upstream::Pool;
use std::net::IpAddr;
use std::sync::{Arc, RwLock};
use why401_verify::jwk::KeySet;
use why401_verify::{Presented, Refusal, presented};

/// What does not change while requests are served; a reload makes a new one.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) config: Arc<Config>,
    pub(crate) store: Arc<Store>,
    /// The keys of tokens; `None` until they could be had.
    pub(crate) keys: Arc<RwLock<Option<KeySet>>>,
    pub(crate) tls: Option<crate::serve::tls::Acceptor>,
    /// The connections to the upstreams, by the place of their site.
    pub(crate) pools: Arc<Vec<Option<Pool>>>,
}

/// What was shown of a client certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Certificate {
    /// None.
    #[default]
    Absent,
    /// One of a known authority, and its SHA-256.
    Good(Print),
    /// One that is not accepted, and why.
    Bad(String),
}

/// A request and what is known of where it comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) head: &'a Head,
    pub(crate) target: &'a Target,
    pub(crate) client: IpAddr,
    /// Whether the client spoke TLS, with us or with a trusted proxy.
    pub(crate) is_tls: bool,
    pub(crate) certificate: &'a Certificate,
    /// Seconds since 1970.
    pub(crate) now: i64,
    /// Milliseconds of a clock that does not jump.
    pub(crate) tick: u64,
}

/// The outcome.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdict {
    /// The site, by its place in the configuration.
    pub(crate) site: Option<usize>,
    /// The rule, by its place in the site.
    pub(crate) rule: Option<usize>,
    /// The account that the path names.
    pub(crate) account: Option<String>,
    /// Who was let in.
    pub(crate) user: Option<String>,
    /// `None`: let in.
    pub(crate) refused: Option<Box<Refused>>,
}

/// A refusal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    /// A name of the catalogue; `None` where it has none (a malformed request).
    pub(crate) cause: Option<&'static str>,
    /// For the operator.
    pub(crate) says: String,
    /// Challenges to send.
    pub(crate) challenges: Vec<String>,
    pub(crate) retry_after: Option<u32>,
    pub(crate) allow: Option<String>,
}

impl Refused {
    pub(crate) fn new(status: u16, cause: &'static str, says: impl Into<String>) -> Refused {
        Refused { status, cause: Some(cause), says: says.into(), ..Refused::default() }
    }
}

/// The first half of a decision.
#[derive(Debug)]
pub(crate) enum Step {
    /// Decided.
    Done(Verdict),
    /// A password has to be verified; [`finish`] decides then.
    Verify(Box<Pending>),
}

/// Who somebody turned out to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Known {
    user: String,
    /// Groups that a token names.
    groups: Vec<String>,
}

/// Everything that the parts of a decision look at.
struct Case<'a> {
    asked: &'a Asked<'a>,
    setup: &'a Setup,
    state: &'a State,
    site: &'a Site,
    rule: &'a Rule,
    account: Option<&'a str>,
}

/// What stands behind a refusal before it has a status.
enum Outcome {
    Known(Known),
    Refused(Refusal),
    Verify(Box<Pending>),
}

/// Decides, or says which password has to be verified first.
pub(crate) fn begin(asked: &Asked<'_>, setup: &Setup, state: &State) -> Step {
    let mut verdict = Verdict::default();
    match place(asked, setup, state, &mut verdict) {
        Ok(Some(case)) => {
            let outcome = identify(&case);
            conclude(&case, outcome, verdict)
        }
        Ok(None) => Step::Done(verdict),
        Err(refused) => Step::Done(Verdict { refused: Some(refused), ..verdict }),
    }
}

/// Decides once the password of `pending` was verified; `outcome` is what [`Pending::run`] returned.
pub(crate) fn finish(
    asked: &Asked<'_>,
    setup: &Setup,
    state: &State,
    pending: &Pending,
    outcome: basic::Verified,
) -> Verdict {
    let mut verdict = Verdict::default();
    let Some((index, site)) = find_site(asked, setup) else { return verdict };
    let Some((rule, account)) = site.rule(asked.target) else { return verdict };
    verdict.site = Some(index);
    verdict.rule = site.rules.iter().position(|r| std::ptr::eq(r, rule));
    verdict.account = account.map(str::to_owned);
    let case = Case { asked, setup, state, site, rule, account };
    let outcome = match basic::settle(&case, pending, outcome) {
        Ok(known) => Outcome::Known(known),
        Err(refusal) => Outcome::Refused(refusal),
    };
    match conclude(&case, outcome, verdict) {
        Step::Done(verdict) => verdict,
        Step::Verify(_) => Verdict::default(),
    }
}

fn find_site<'a>(asked: &Asked<'_>, setup: &'a Setup) -> Option<(usize, &'a Site)> {
    setup.config.sites.iter().enumerate().find(|(_, site)| site.has(&asked.target.host))
}

/// What can be said before anybody shows who they are: `Ok(None)` lets in.
fn place<'a>(
    asked: &'a Asked<'_>,
    setup: &'a Setup,
    state: &'a State,
    verdict: &mut Verdict,
) -> Result<Option<Case<'a>>, Box<Refused>> {
    let refuse = |refused: Refused| Err(Box::new(refused));
    let (limits, client) = (&setup.config.limits, net::client_key(asked.client));
    if let Some(rate) = limits.per_address
        && let Err(after) = state.memory().per_address.count(client, rate, asked.tick)
    {
        let refused = Refused::new(429, "rate-limited", "too many requests of this address");
        return refuse(Refused { retry_after: Some(after), ..refused });
    }
    let found = find_site(asked, setup);
    let Some((index, site)) = found else {
        return refuse(Refused::new(404, "wrong-address", "no site has this name"));
    };
    verdict.site = Some(index);
    let Some((rule, account)) = site.rule(asked.target) else {
        return refuse(Refused::new(404, "wrong-address", "no rule has a pattern for this path"));
    };
    verdict.rule = site.rules.iter().position(|r| std::ptr::eq(r, rule));
    verdict.account = account.map(str::to_owned);
    let place = rule.place(asked.client);
    if place == Place::Refused {
        return refuse(Refused::new(403, "address-not-allowed", "the rule does not allow this address"));
    }
    if rule.needs_tls && !asked.is_tls {
        return refuse(Refused::new(403, "plain-http", "the rule wants TLS and the request came without"));
    }
    if rule.preflight && is_preflight(asked.head) {
        return Ok(None);
    }
    let method = asked.head.method();
    // That a preflight was not let through is to be told as such.
    let is_challenged = is_preflight(asked.head) && !rule.schemes.is_empty();
    if !rule.takes(method) && !is_challenged {
        let refused = Refused::new(405, "wrong-method", format!("the rule does not take {method}"));
        return refuse(Refused { allow: Some(rule.methods.join(", ")), ..refused });
    }
    if place == Place::Enough {
        return Ok(None);
    }
    if let Some(rate) = limits.failures_per_address
        && let Some(after) = state.memory().failures_per_address.is_over(&client, rate, asked.tick)
    {
        let refused = Refused::new(429, "password-guessing", "too many failed attempts of this address");
        return refuse(Refused { retry_after: Some(after), ..refused });
    }
    Ok(Some(Case { asked, setup, state, site, rule, account }))
}

/// A CORS preflight (Fetch, section 3.3.3), which never carries credentials.
fn is_preflight(head: &Head) -> bool {
    head.method() == "OPTIONS"
        && head.field("origin").is_some()
        && head.field("access-control-request-method").is_some()
}

/// Who is it?
fn identify(case: &Case<'_>) -> Outcome {
    let head = case.asked.head;
    let name = if case.site.as_proxy { "proxy-authorization" } else { "authorization" };
    let mut values: Vec<&[u8]> = head.all(name).collect();
    let takes = |scheme| case.rule.schemes.contains(&scheme);
    if values.is_empty() {
        if takes(Scheme::Certificate) && *case.asked.certificate != Certificate::Absent {
            return key::certificate(case).into();
        }
        if takes(Scheme::Key) && head.field(&case.setup.config.key_field).is_some() {
            return key::verify(case).into();
        }
        return Outcome::Refused(elsewhere::nothing(case));
    }
    let offered: Vec<&str> = case.rule.schemes.iter().filter_map(|s| s.of_field()).collect();
    values.truncate(8);
    match presented::read(&values, &offered) {
        Err(refusal) => Outcome::Refused(refusal),
        Ok(Presented::Basic(pair)) => basic::begin(case, &pair),
        Ok(Presented::Digest(given)) => digest::verify(case, &given).into(),
        Ok(Presented::Token { token, .. }) => bearer::verify(case, token.text.expose()).into(),
        Ok(_) => Outcome::Refused(Refusal::new("scheme-not-offered", "the scheme is not offered here")),
    }
}

impl From<Result<Known, Refusal>> for Outcome {
    fn from(result: Result<Known, Refusal>) -> Outcome {
        result.map_or_else(Outcome::Refused, Outcome::Known)
    }
}

/// Is it somebody who may? What to answer if not?
fn conclude(case: &Case<'_>, outcome: Outcome, mut verdict: Verdict) -> Step {
    let refusal = match outcome {
        Outcome::Verify(pending) => return Step::Verify(pending),
        Outcome::Known(known) => match permitted(case, &known) {
            Ok(()) => {
                verdict.user = Some(known.user);
                return Step::Done(verdict);
            }
            Err(refused) => {
                verdict.user = Some(known.user);
                verdict.refused = Some(Box::new(refused));
                return Step::Done(verdict);
            }
        },
        Outcome::Refused(refusal) => refusal,
    };
    let limits = &case.setup.config.limits;
    if let Some(rate) = limits.failures_per_address
        && tried(refusal.cause)
    {
        let client = net::client_key(case.asked.client);
        let _ = case.state.memory().failures_per_address.count(client, rate, case.asked.tick);
    }
    let status = match refusal.cause {
        "auth-backend-down" => 503,
        "server-misconfigured" => 500,
        // RFC 6750 section 3.1.
        "scope-missing" => 403,
        _ if case.site.as_proxy => 407,
        _ => 401,
    };
    let challenges = match status {
        401 | 403 | 407 => challenges(case, &refusal),
        _ => Vec::new(),
    };
    let retry_after = (status == 503).then_some(5);
    let says = refusal.says;
    let refused = Refused { status, cause: Some(refusal.cause), says, challenges, retry_after, allow: None };
    verdict.refused = Some(Box::new(refused));
    Step::Done(verdict)
}

/// Whether a refusal is a guess at a secret that failed.
fn tried(cause: &str) -> bool {
    [
        "wrong-password",
        "wrong-account",
        "unknown-user",
        "account-locked",
        "credentials-refused",
        "bad-signature",
        "stray-characters",
    ]
    .contains(&cause)
}

/// Whether somebody who is known may use the resource.
fn permitted(case: &Case<'_>, known: &Known) -> Result<(), Refused> {
    let user = known.user.as_str();
    if let Some(account) = case.account.filter(|a| *a != user) {
        let says = format!("the address is {account}'s and the credentials are {user}'s");
        return Err(Refused::new(403, "wrong-account", says));
    }
    let stored = case.setup.store.find(user).map(|a| a.groups.as_slice()).unwrap_or_default();
    if !case.rule.permits(user, stored) && !case.rule.permits(user, &known.groups) {
        let says = format!("the rule names neither {user} nor a group of theirs");
        return Err(Refused::new(403, "acl-denied", says));
    }
    if let Some(rate) = case.setup.config.limits.per_account
        && let Err(after) = case.state.memory().per_account.count(user.to_owned(), rate, case.asked.tick)
    {
        let refused = Refused::new(429, "rate-limited", format!("too many requests of {user}"));
        return Err(Refused { retry_after: Some(after), ..refused });
    }
    Ok(())
}

/// Whether the state of an account refuses what is right otherwise.
fn standing(case: &Case<'_>, user: &str) -> Result<(), Refusal> {
    let account = case.setup.store.find(user);
    let unlocked = account.map_or(0, |a| a.unlocked);
    if case.setup.config.lockout.is_some()
        && let Some(left) = case.state.memory().lockouts.is_locked(user, unlocked, case.asked.tick)
    {
        return Err(Refusal::new("account-locked", format!("{user} is locked for {left} s more")));
    }
    let Some(account) = account else { return Ok(()) };
    if account.disabled {
        return Err(Refusal::new("account-disabled", format!("{user} is disabled")));
    }
    if account.expires.is_some_and(|at| at <= case.asked.now) {
        return Err(Refusal::new("password-expired", format!("the password of {user} has expired")));
    }
    Ok(())
}

/// Counts a failure of an account.
fn failed(case: &Case<'_>, user: &str) {
    if let Some(rule) = &case.setup.config.lockout {
        case.state.memory().lockouts.failed(user, rule, case.asked.tick, case.asked.now);
    }
}

/// The challenges of the rule, in the order in which it names its schemes.
fn challenges(case: &Case<'_>, refusal: &Refusal) -> Vec<String> {
    let realm = &case.site.realm;
    let mut out = Vec::new();
    for scheme in &case.rule.schemes {
        match scheme {
            Scheme::Basic => out.push(format!("Basic realm=\"{realm}\", charset=\"UTF-8\"")),
            Scheme::Digest => out.extend(digest::challenges(case, refusal.cause == "digest-nonce-stale")),
            Scheme::Bearer => out.push(bearer::challenge(case, refusal)),
            Scheme::Key => {
                out.push(format!("ApiKey realm=\"{realm}\", name=\"{}\"", case.setup.config.key_field));
            }
            Scheme::Certificate => out.push(format!("Certificate realm=\"{realm}\"")),
        }
    }
    out
}
