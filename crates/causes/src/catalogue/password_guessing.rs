//! Somebody tries.

mod in_words;

use crate::cause::{Answer, Claim, cause};
use crate::scene::{same_client, same_server};
use crate::{Scene, login};
use std::collections::{BTreeMap, BTreeSet};
use why401_history::{Attempt, Tries};
use why401_report::Party;

cause! {
    /// Somebody tries many user names or many passwords.
    ///
    /// # What happened
    /// From one address many names are tried, or many addresses try one name a few times each, and nobody gets in as an ordinary
    /// user would.
    ///
    /// # How it is decided
    /// Many refused attempts with credentials: from one address over many accounts, or on one account from many addresses with a
    /// few tries each, without a success. One user from one address refused again and again is a job with an old password,
    /// unless the secrets differ or the pace says otherwise.
    ///
    /// # Who acts
    /// Who runs the server.
    ///
    /// # What to do
    /// Limit the rate of failed logins, block the addresses, look whether any of them got in, and ask the owners of the accounts that
    /// exist to change weak passwords.
    ///
    /// # Evidence needed
    /// The access log of the time.
    ///
    /// # Not to be confused with
    /// wrong-password: one client with an old password. account-locked: what the guessing leads to.
    ///
    /// # References
    /// OWASP, Credential stuffing and Password spraying; NIST SP 800-63B section 5.2.2 (rate limiting).
    pub PasswordGuessing = "password-guessing" in Healthy, Attack by Server,
        over ["credentials-refused", "wrong-password", "unknown-user", "credentials-changed", "no-credentials", "account-locked"]
}

/// So many names from one address are no typing errors.
const NAMES: usize = 5;
/// So many addresses that try one name, each a few times.
const ADDRESSES: usize = 4;
/// So many different secrets for one account.
const SECRETS: usize = 8;
/// So many tries of one network are looked at.
const TRIES: usize = 2_000;
/// So many logins one after the other, whose names no log shows.
const LOGINS: usize = 20;

impl PasswordGuessing {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("password-guessing", "somebody is guessing");
        let Some(step) = scene.refused().filter(|s| s.status() == Some(401)) else {
            return told_logs(scene).or_else(|| in_words::guesses(scene)).unwrap_or_else(told);
        };
        let case = scene.case;
        if let Some(client) = step.attempt.client()
            && let Some(tries) = case.index.tries_of(&client.host)
            && tries.users >= NAMES
            && tries.let_in * 4 < tries.users
        {
            // Of a large log only some of the names are at hand, and their number.
            let users = (scene.refusal.whose.accounts.len() as u64).max(tries.users as u64);
            let summary = format!("{} tried {users} user names and was refused for each", client.host);
            return claim(scene, &shown(scene, tries), summary).confirmed();
        }
        if let Some(claim) = from_a_network(scene, step) {
            return claim.confirmed();
        }
        if step.attempt.client().is_none()
            && let Some(claim) = transcript(scene, step)
        {
            return claim.confirmed();
        }
        let Some(user) = step.attempt.user.as_deref() else {
            let named = || named_elsewhere(scene, step);
            return logins(scene, step).or_else(named).unwrap_or_else(told);
        };
        let Some(tries) = case.index.tries_for(user).filter(|t| t.let_in == 0) else { return told() };
        if tries.clients >= ADDRESSES && tries.refused.len() <= tries.clients * 20 {
            let summary = format!(
                "{} addresses tried {user}, {} times in all, and none got in",
                tries.clients, tries.times
            );
            return claim(scene, &shown(scene, tries), summary).confirmed();
        }
        if tries.secrets >= SECRETS {
            let summary = format!("{} different passwords were tried for {user}", tries.secrets);
            return claim(scene, &shown(scene, tries), summary).confirmed();
        }
        told()
    }
}

/// Many names, each tried from one of several addresses of one network, and none gets in from there.
fn from_a_network(scene: &Scene<'_>, step: &crate::Step<'_>) -> Option<Claim> {
    let network = |host: &str| host.rsplit_once(['.', ':']).map(|(network, _)| network.to_owned());
    let mine = network(&step.attempt.client()?.host)?;
    let neighbours = scene.case.index.clients().take(scene.reach());
    let neighbours: Vec<&[usize]> =
        neighbours.filter(|(host, _)| network(host).as_ref() == Some(&mine)).map(|(_, all)| all).collect();
    let all =
        || neighbours.iter().flat_map(|ids| ids.iter()).take(TRIES).filter_map(|&i| scene.case.attempt(i));
    if neighbours.len() < 2 || all().any(|a| a.let_in() && a.user.is_some()) {
        return None;
    }
    let tries: Vec<&Attempt> = all().filter(|a| a.status() == Some(401) && a.user.is_some()).collect();
    let names: BTreeSet<&str> = tries.iter().filter_map(|a| a.user.as_deref()).collect();
    // Of the people of one house each has a name and mostly an address of their own.
    let many = names.len() >= (2 * NAMES).max(3 * neighbours.len());
    let fast = names.len() >= 2 * NAMES && by_turns(&tries);
    (many || fast).then(|| {
        let says = format!(
            "{} addresses of {mine} tried {} user names and none got in",
            neighbours.len(),
            names.len()
        );
        claim(scene, &tries, says)
    })
}

/// Whether most of the addresses try several names each, all of them within minutes: people at work take hours for that.
fn by_turns(tries: &[&Attempt]) -> bool {
    const TOGETHER: i64 = 10 * 60;
    let mut names: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for a in tries {
        if let (Some(client), Some(user)) = (a.client(), a.user.as_deref()) {
            names.entry(client.host.clone()).or_default().insert(user);
        }
    }
    let several = names.values().filter(|n| n.len() > 1).count();
    let mut times = tries.iter().filter_map(|a| Some(a.time()?.at.as_second()));
    let first = times.next();
    let span = first.map(|first| times.fold((first, first), |(a, b), t| (a.min(t), b.max(t))));
    several * 2 > names.len() && span.is_some_and(|(from, to)| to - from <= TOGETHER)
}

/// A transcript of one client, which has no address: many names tried at one server, and hardly any gets in.
fn transcript(scene: &Scene<'_>, step: &crate::Step<'_>) -> Option<Claim> {
    let here = || {
        let named = scene.attempts().take(5_000).filter(|a| a.user.is_some());
        named.filter(|a| same_client(a, step.attempt) && same_server(a, step.attempt))
    };
    let tries: Vec<&Attempt> = here().filter(|a| a.status() == Some(401)).collect();
    let names: BTreeSet<&str> = tries.iter().filter_map(|a| a.user.as_deref()).collect();
    let successes = here().filter(|a| a.let_in()).count();
    (names.len() >= 2 * NAMES && successes * 4 < names.len())
        .then(|| claim(scene, &tries, format!("{} user names were tried and each was refused", names.len())))
}

/// The first tries.
fn shown<'a>(scene: &Scene<'a>, tries: &Tries) -> Vec<&'a Attempt> {
    tries.refused.iter().take(3).filter_map(|&i| scene.case.attempt(i)).collect()
}

/// Login after login from one address, faster than a person types, and none gets in. A log shows no names of them.
fn logins(scene: &Scene<'_>, step: &crate::Step<'_>) -> Option<Answer> {
    login::in_log(scene, step)?;
    let client = step.attempt.client()?;
    let all = scene.case.index.of_client(&client.host);
    let calls = || all.iter().filter_map(|&i| scene.case.attempt(i)).filter(|a| login::is_call(a));
    let tries: Vec<&Attempt> = calls().filter(|a| a.status() == Some(401)).collect();
    let (first, last) = (tries.first()?.time()?.at, tries.last()?.time()?.at);
    let seconds = last.duration_since(first).as_secs().unsigned_abs();
    if tries.len() < LOGINS || seconds > tries.len() as u64 * 10 || calls().any(Attempt::let_in) {
        return None;
    }
    let claim = claim(
        scene,
        &tries,
        format!(
            "{} tried {} logins within {seconds} seconds and was refused each time",
            client.host,
            tries.len()
        ),
    );
    Some(
        claim
            .or("credentials-refused", "whether a program of your own runs there with an old password")
            .likely(),
    )
}

/// The access log shows one address that is refused again and again, and the error log the many names of just these seconds.
fn named_elsewhere(scene: &Scene<'_>, step: &crate::Step<'_>) -> Option<Answer> {
    let client = step.attempt.client()?;
    let all = scene.case.index.of_client(&client.host);
    let all = || all.iter().filter_map(|&i| scene.case.attempt(i));
    let tries: Vec<&Attempt> = all().filter(|a| a.status() == Some(401)).take(TRIES).collect();
    // Tomcat's error log tells no zone: zones differ by whole quarters of an hour.
    const QUARTER: i64 = 15 * 60;
    let within = |t: why401_http::Moment| t.at.as_second().rem_euclid(QUARTER);
    let seconds: BTreeSet<i64> = tries.iter().filter_map(|a| Some(within(a.time()?))).collect();
    if tries.len() < LOGINS || all().any(|a| a.let_in() && a.user.is_some()) {
        return None;
    }
    let case = scene.case;
    let said = case.refusals.iter().flat_map(|r| r.statements()).chain(&case.statements);
    let of_them =
        said.take(scene.reach()).filter(|s| s.time.is_some_and(|t| seconds.contains(&within(t)))).take(TRIES);
    let named: Vec<_> = of_them.filter(|s| s.user.is_some()).collect();
    let names: BTreeSet<&str> = named.iter().filter_map(|s| s.user.as_deref()).collect();
    (names.len() >= 2 * NAMES).then(|| {
        let summary = format!("{} was refused {} times, for {} names", client.host, tries.len(), names.len());
        claim(scene, &tries, summary)
            .shown(named.iter().take(2).map(|s| scene.show_statement(s, "one of many names")))
            .confirmed()
    })
}

/// Error logs alone: many names refused for one address.
fn told_logs(scene: &Scene<'_>) -> Option<Answer> {
    let mine = scene.refusal.statements().iter().find_map(|s| s.client.as_ref())?;
    let same: Vec<_> = scene
        .case
        .refusals
        .iter()
        .flat_map(|r| r.statements())
        .filter(|s| s.client.as_ref().is_some_and(|c| c.host == mine.host) && s.user.is_some())
        .collect();
    let names: BTreeSet<&str> = same.iter().filter_map(|s| s.user.as_deref()).collect();
    (names.len() >= NAMES).then(|| {
        advise(
            Claim::new(format!("{} tried {} user names and was refused for each", mine.host, names.len()))
                .shown(same.iter().take(3).map(|s| scene.show_statement(s, "one of many names"))),
        )
        .confirmed()
    })
}

fn claim(scene: &Scene<'_>, tries: &[&Attempt], summary: String) -> Claim {
    let mut claim = Claim::new(summary);
    for a in tries.iter().take(3) {
        claim = claim.shown(super::client_changed::line(scene, a, "one of many tries"));
    }
    advise(claim)
}

fn advise(claim: Claim) -> Claim {
    claim.fix(Party::Server, "Limit failed logins by address and account, block these addresses, and look whether any of them ever got in.")
}
