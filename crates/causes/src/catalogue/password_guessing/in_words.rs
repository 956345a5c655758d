//! Failed logins as programs word them in their own logs: a name and an address within a sentence.
//!
//! `Username or password is incorrect. Try again. IP: 192.0.2.1. Username: bob@example.com.` (Vaultwarden), `Login failed: bob
//! (Remote IP: 192.0.2.1)` (Nextcloud), `Failed authentication attempt for bob from 192.0.2.1:5023` (Gitea), `Authentication
//! request for "bob" has been denied (IP: "192.0.2.1")` (Jellyfin), `Unsuccessful 1FA authentication attempt by user 'bob'`
//! with `remote_ip=192.0.2.1` (Authelia), ``Login failed for user `bob` from IP `192.0.2.1`.`` (Paperless-ngx): what fail2ban's
//! filters and the manuals of these programs look for.

use super::{ADDRESSES, NAMES, advise};
use crate::Scene;
use crate::cause::{Answer, Claim};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use why401_http::Statement;

/// So many lines are looked at.
const LINES: usize = 5_000;
/// No more of a line is read, in bytes.
const LINE: usize = 2_000;

/// Words of a failure, and of a login.
const FAILED: &[&str] =
    &["fail", "incorrect", "denied", "invalid", "unsuccessful", "wrong", "rejected", "unknown user"];
const LOGIN: &[&str] = &["login", "log in", "logon", "auth", "password", "sign in", "sign-in", "credential"];
/// Words of one who got in.
const LET_IN: &[&str] = &["success", "succeeded", "logged in", "accepted password", "signed in"];

/// What stands before the address of a client, in lower case, as the end of what precedes it.
const BEFORE_ADDRESS: &[&str] = &[
    "ip",
    "from",
    "host",
    "rhost",
    "remote_ip",
    "remote_addr",
    "remoteaddr",
    "remoteip",
    "client",
    "client_ip",
    "clientip",
    "address",
    "addr",
    "source",
    "peer",
];

/// What stands before a name, in lower case, the more particular first.
const BEFORE_NAME: &[&str] = &[
    "username: ",
    "username=",
    "user_name=",
    "username \"",
    "username '",
    "uname=",
    "invalid user ",
    "unknown user ",
    "for user ",
    "by user ",
    "user=",
    "user: ",
    "user \"",
    "user '",
    "user `",
    "email=",
    "account=",
    "login failed: ",
    "login failed for ",
    "failed login for ",
    "attempt for ",
    "request for ",
    "failure for ",
    "password for ",
    "denied: ",
];

/// A name that was tried from an address.
struct Tried<'a> {
    said: &'a Statement,
    name: String,
    address: IpAddr,
}

/// Many names from one address or network, or one name from many addresses, by the words of a log alone.
pub(super) fn guesses(scene: &Scene<'_>) -> Option<Answer> {
    let lines: Vec<(&Statement, String)> = scene
        .statements()
        .take(LINES.min(scene.reach()))
        .map(|s| (s, s.text.to_text().chars().take(LINE).collect()))
        .collect();
    let tried: Vec<Tried<'_>> = lines.iter().filter_map(|(said, text)| tried(said, text)).collect();
    let let_in: BTreeSet<IpAddr> = lines
        .iter()
        .filter(|(_, text)| says(text, LET_IN) && !says(text, FAILED))
        .filter_map(|(_, text)| address(text))
        .collect();
    let mut by_address: BTreeMap<IpAddr, Vec<&Tried<'_>>> = BTreeMap::new();
    let mut by_network: BTreeMap<String, Vec<&Tried<'_>>> = BTreeMap::new();
    let mut by_name: BTreeMap<&str, Vec<&Tried<'_>>> = BTreeMap::new();
    for t in tried.iter().filter(|t| !let_in.contains(&t.address)) {
        by_address.entry(t.address).or_default().push(t);
        by_network.entry(network(t.address)).or_default().push(t);
        by_name.entry(&t.name).or_default().push(t);
    }
    let mut found: Option<(usize, bool, Claim)> = None;
    let mut take = |count: usize, tries: &[&Tried<'_>], says: String| {
        if found.as_ref().is_none_or(|(most, ..)| count > *most) {
            found = Some((count, are_together(tries), claim(scene, tries, says)));
        }
    };
    for (address, tries) in &by_address {
        let names = names(tries);
        if names >= NAMES {
            take(names, tries, format!("{address} tried {names} user names and got in with none"));
        }
    }
    for (network, tries) in &by_network {
        let (names, hosts) = (names(tries), addresses(tries));
        if hosts > 1 && names >= (2 * NAMES).max(3 * hosts) {
            let says =
                format!("{hosts} addresses of {network} tried {names} user names and got in with none");
            take(names, tries, says);
        }
    }
    for (name, tries) in &by_name {
        let hosts = addresses(tries);
        if hosts >= 2 * ADDRESSES && tries.len() <= hosts * 20 {
            take(hosts, tries, format!("{hosts} addresses tried {name}, and none got in"));
        }
    }
    let (count, together, claim) = found?;
    Some(if count >= 2 * NAMES || together {
        claim.confirmed()
    } else {
        claim
            .or("credentials-refused", "whether these are people of one house, each with an old password")
            .likely()
    })
}

/// Whether all of it took minutes: the people of one house take hours for that.
fn are_together(tries: &[&Tried<'_>]) -> bool {
    const TOGETHER: i64 = 10 * 60;
    let times: Option<Vec<i64>> = tries.iter().map(|t| Some(t.said.time?.at.as_second())).collect();
    let span = times.and_then(|t| Some(t.iter().max()? - t.iter().min()?));
    span.is_some_and(|span| span <= TOGETHER)
}

fn names(tries: &[&Tried<'_>]) -> usize {
    tries.iter().map(|t| t.name.as_str()).collect::<BTreeSet<_>>().len()
}

fn addresses(tries: &[&Tried<'_>]) -> usize {
    tries.iter().map(|t| t.address).collect::<BTreeSet<_>>().len()
}

fn claim(scene: &Scene<'_>, tries: &[&Tried<'_>], says: String) -> Claim {
    advise(
        Claim::new(says)
            .shown(tries.iter().take(3).map(|t| scene.show_statement(t.said, "one of many tries"))),
    )
}

/// The network of an address: what is handed out to one customer (a /24; RFC 6177, a /64 at least).
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

fn says(text: &str, words: &[&str]) -> bool {
    let lower = text.to_ascii_lowercase();
    words.iter().any(|w| lower.contains(w))
}

/// The name and the address of a line that speaks of a failed login.
fn tried<'a>(said: &'a Statement, text: &str) -> Option<Tried<'a>> {
    if !says(text, FAILED) || !says(text, LOGIN) {
        return None;
    }
    let address = address(text)?;
    Some(Tried { said, name: name(text)?, address })
}

/// The address of the client.
fn address(text: &str) -> Option<IpAddr> {
    let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
    let mut at = 0;
    while let Some(start) = text.get(at..)?.find(is_part).map(|i| at + i) {
        let rest = text.get(start..)?;
        let end = start + rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let word = text.get(start..end)?.trim_end_matches(['.', ':']);
        let parsed = word.parse::<IpAddr>().ok().or_else(|| word.parse::<SocketAddr>().ok().map(|a| a.ip()));
        if let Some(address) = parsed {
            let before =
                text.get(..start)?.trim_end_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
            let word = before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next();
            if word.is_some_and(|w| BEFORE_ADDRESS.contains(&w)) {
                return Some(address.to_canonical());
            }
        }
        at = end;
    }
    None
}

/// The name that was tried.
fn name(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    BEFORE_NAME.iter().find_map(|marker| {
        let from = lower.find(marker)? + marker.len();
        let quote = |c: char| matches!(c, '"' | '\'' | '`');
        let marked = marker.ends_with(quote);
        let value = text.get(from..)?;
        let value = value.strip_prefix(quote).unwrap_or(value);
        let quoted = marked || text.get(from..)?.starts_with(quote);
        let end = match quoted {
            true => value.find(quote),
            false => value
                .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | ';' | '(' | ')')),
        };
        let value = value.get(..end.unwrap_or(value.len()))?.trim_end_matches(['.', ':', '\\']);
        // A word that goes on with the sentence is no name.
        let plain = ["user", "from", "the", "a", "an", "ip", "unknown", "has", "is", "with"].contains(&value);
        (!value.is_empty() && value.len() <= 100 && !plain).then(|| value.to_ascii_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_word_it_in_many_ways() {
        for (line, is) in [
            (
                "[vaultwarden::api::identity][ERROR] Username or password is incorrect. Try again. IP: 192.0.2.1. Username: bob@example.com.",
                Some(("bob@example.com", "192.0.2.1")),
            ),
            ("Login failed: bob (Remote IP: 192.0.2.1)", Some(("bob", "192.0.2.1"))),
            ("Login failed: 'bob' (Remote IP: '2001:db8::1')", Some(("bob", "2001:db8::1"))),
            (
                "[W] Failed authentication attempt for bob from 192.0.2.1:5023: user does not exist",
                Some(("bob", "192.0.2.1")),
            ),
            (
                "[INF] Authentication request for \"Bob B\" has been denied (IP: \"192.0.2.1\").",
                Some(("bob b", "192.0.2.1")),
            ),
            (
                "level=error msg=\"Unsuccessful 1FA authentication attempt by user 'bob'\" method=POST remote_ip=192.0.2.1",
                Some(("bob", "192.0.2.1")),
            ),
            ("Login failed for user `bob` from IP `192.0.2.1`.", Some(("bob", "192.0.2.1"))),
            (
                "authentication failure; rhost=::ffff:192.0.2.1 user=root@pam msg=no",
                Some(("root@pam", "192.0.2.1")),
            ),
            ("Login failed for user bob", None),
            ("connection from 192.0.2.1 failed", None),
            ("bob logged in from 192.0.2.1", None),
        ] {
            let text = why401_span::Derived::synthetic(line);
            let said = Statement::new(why401_span::SourceId(0), why401_http::Speaker::ServerLog, text);
            let found = tried(&said, line).map(|t| (t.name, t.address.to_string()));
            assert_eq!(found, is.map(|(n, a)| (n.to_owned(), a.to_owned())), "{line}");
        }
    }
}
