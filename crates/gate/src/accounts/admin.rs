//! What `gate account` does to the database. A running gate sees the change within a second.

use super::database::{Digest, Record, Stored, change, load, record};
use super::files as written;
use super::{Store, password};
use crate::config::Config;
use crate::decide::print_of;
use crate::rule::Scheme;
use jiff::{SignedDuration, Timestamp};
use std::path::{Path, PathBuf};
use why401_auth::Secret;
use why401_auth::scheme::digest_compute::stored;

/// What an account is made of, or gets in addition.
#[derive(Debug, Clone, Default)]
pub struct Adding {
    /// Its name.
    pub name: String,
    /// Its password.
    pub password: Option<Secret>,
    /// For how many seconds the old password is valid beside the new one; 0: not at all.
    pub keep_old: i64,
    /// Whether it gets a new API key, which is told once.
    pub key: bool,
    /// The SHA-256 of a client certificate, hexadecimal.
    pub certificate: Option<String>,
    /// Groups that it is in.
    pub groups: Vec<String>,
}

fn database(config: &Config) -> Result<PathBuf, String> {
    let path = config.accounts.database.clone();
    path.ok_or_else(|| {
        "the configuration names no [accounts] database; htpasswd files are changed with htpasswd".to_owned()
    })
}

/// Adds an account, or a password, key, certificate or group to one. Returns the new API key.
///
/// # Errors
/// What hinders it; nothing is changed then.
pub fn add(config: &Path, adding: &Adding, now: Timestamp) -> Result<Option<String>, String> {
    let config = Config::load(config)?;
    let path = database(&config)?;
    if adding.name.is_empty() || adding.name.contains(':') || adding.name.chars().any(char::is_control) {
        return Err("an account has a name without colons and control characters".to_owned());
    }
    let hash = adding.password.as_ref().map(|p| password::store(p.expose())).transpose()?;
    let digests = adding.password.as_ref().map(|p| digests(&config, &adding.name, p));
    let print = adding
        .certificate
        .as_deref()
        .map(|text| super::database::print_of(text).map(|_| text.replace(':', "").to_ascii_lowercase()));
    if print == Some(None) {
        return Err("a certificate is named by its SHA-256 in 64 hexadecimal digits".to_owned());
    }
    let key = if adding.key { Some(new_key()?) } else { None };
    change(&path, |records| {
        let account = record(records, &adding.name, true).ok_or("the account cannot be made")?;
        if let Some(hash) = hash {
            rotate(account, hash, adding.keep_old, now);
        }
        if let Some(digests) = digests {
            account.digests = digests;
        }
        if let Some(key) = &key {
            account.keys.push(hex(&print_of(key.as_bytes())));
        }
        account.certificates.extend(print.flatten());
        account.groups.extend(adding.groups.iter().cloned());
        account.groups.sort();
        account.groups.dedup();
        Ok(())
    })?;
    Ok(key)
}

/// The new password, and of the old ones the newest for a while.
fn rotate(account: &mut Record, hash: String, keep_old: i64, now: Timestamp) {
    account.passwords.retain(|p| p.until.is_none());
    if keep_old <= 0 {
        account.passwords.clear();
    }
    let until = now.checked_add(SignedDuration::from_secs(keep_old)).ok();
    account.passwords.iter_mut().for_each(|p| p.until = until);
    account.passwords.insert(0, Stored { hash, until: None });
    account.expires = None;
}

/// What Digest needs, for each realm that asks for it.
fn digests(config: &Config, name: &str, password: &Secret) -> Vec<Digest> {
    let mut out: Vec<Digest> = Vec::new();
    for site in config.sites.iter().filter(|s| s.rules.iter().any(|r| r.schemes.contains(&Scheme::Digest))) {
        for algorithm in &site.algorithms {
            let hash = stored(*algorithm, name.as_bytes(), site.realm.as_bytes(), password);
            let hash = hash.expose_text().into_owned();
            let digest = Digest { realm: site.realm.clone(), algorithm: algorithm.name().to_owned(), hash };
            if !out.contains(&digest) {
                out.push(digest);
            }
        }
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// An API key: a mark that scanners for leaked secrets can know, and 192 random bits.
fn new_key() -> Result<String, String> {
    let mut random = [0; 24];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| "the system gives no random numbers")?;
    Ok(format!("w401_{}", why401_auth::base64::encode_url(&random)))
}

/// What may be changed on an account that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is refused from now on.
    Disabled,
    /// It is let in again.
    Enabled,
    /// Its passwords are not taken any more from then on.
    Expires(Timestamp),
    /// A lock after too many failures is lifted.
    Unlocked,
}

/// Changes the standing of an account. Of one that stands in a password file only the unlocking is recorded here.
///
/// # Errors
/// There is no such account, or the database cannot be changed.
pub fn set(config: &Path, name: &str, standing: Standing, now: Timestamp) -> Result<(), String> {
    let config = Config::load(config)?;
    let path = database(&config)?;
    let store = Store::load(&config.accounts)?;
    let is_known = store.find(name).is_some();
    change(&path, |records| {
        let account = record(records, name, is_known).ok_or_else(|| format!("there is no account {name}"))?;
        match standing {
            Standing::Disabled => account.disabled = true,
            Standing::Enabled => account.disabled = false,
            Standing::Expires(at) => account.expires = Some(at),
            Standing::Unlocked => account.unlocked = Some(now),
        }
        Ok(())
    })
}

/// Takes the users of an htpasswd file over; returns how many.
///
/// # Errors
/// A line that cannot be used, or a user that is there already.
pub fn import(config: &Path, file: &Path) -> Result<usize, String> {
    let config = Config::load(config)?;
    let path = database(&config)?;
    let text = std::fs::read_to_string(file).map_err(crate::files::cannot("read", file))?;
    written::htpasswd(&text, &mut Store::default()).map_err(|why| format!("{}:{why}", file.display()))?;
    change(&path, |records| {
        let mut count = 0;
        for (_, line) in written::lines(&text) {
            let Some((user, rest)) = line.split_once(':') else { continue };
            if records.iter().any(|r| r.name == user && !r.passwords.is_empty()) {
                return Err(format!("the account {user} has a password already: nothing was imported"));
            }
            let hash = rest.trim_end().split(':').next().unwrap_or_default().to_owned();
            let account = record(records, user, true).ok_or("the account cannot be made")?;
            account.passwords.push(Stored { hash, until: None });
            count += 1;
        }
        Ok(count)
    })
}

/// A line for each account of the database: its name and its standing, without secrets.
///
/// # Errors
/// The database cannot be read.
pub fn list(config: &Path, now: Timestamp) -> Result<Vec<String>, String> {
    let config = Config::load(config)?;
    let line = |r: &Record| {
        let mut words = vec![r.name.clone()];
        let passwords = r.passwords.iter().filter(|p| p.until.is_none_or(|u| u > now)).count();
        words.push(format!(
            "passwords={passwords} keys={} certificates={}",
            r.keys.len(),
            r.certificates.len()
        ));
        if !r.groups.is_empty() {
            words.push(format!("groups={}", r.groups.join(",")));
        }
        if r.disabled {
            words.push("disabled".to_owned());
        }
        if let Some(at) = r.expires {
            words.push(format!("{}={at}", if at <= now { "expired" } else { "expires" }));
        }
        words.join(" ")
    };
    Ok(load(&database(&config)?)?.iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_rotated_with_two_valid_for_a_while() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("gate.toml");
        std::fs::write(&config, "[accounts]\ndatabase = \"a.jsonl\"\n[[site]]\nrealm = \"r\"\nupstream = \"http://127.0.0.1:1\"\n[[site.rule]]\npath = \"/**\"\nschemes = [\"digest\"]\n").unwrap();
        let at = |s| Timestamp::from_second(s).unwrap();
        let add = |password: &str, keep_old, now| {
            let password = Some(Secret::new(password));
            let adding =
                Adding { name: "alice".to_owned(), password, keep_old, key: true, ..Adding::default() };
            super::add(&config, &adding, at(now)).unwrap().unwrap()
        };
        let key = add("one", 0, 1000);
        add("two", 60, 2000);
        let store = Store::load(&Config::load(&config).unwrap().accounts).unwrap();
        let alice = store.find("alice").unwrap();
        assert_eq!(alice.passwords.iter().map(|p| p.until).collect::<Vec<_>>(), [None, Some(2060)]);
        assert!(alice.passwords[0].hash.is(b"two") && alice.passwords[1].hash.is(b"one"));
        assert_eq!(alice.digests.len(), 1);
        assert_eq!(store.owner_of_key(&print_of(key.as_bytes())), Some("alice"));
        let stored = std::fs::read_to_string(folder.path().join("a.jsonl")).unwrap();
        assert!(!stored.contains(&key) && !stored.contains("two"));
        add("three", 0, 3000);
        assert_eq!(load(&folder.path().join("a.jsonl")).unwrap()[0].passwords.len(), 1);
        set(&config, "alice", Standing::Disabled, at(4000)).unwrap();
        assert!(list(&config, at(4000)).unwrap()[0].contains("disabled"));
        assert!(set(&config, "bob", Standing::Disabled, at(4000)).is_err());
    }
}
