//! Who is known: accounts from password files and from the gate's own database, as one store.

pub mod admin;
pub(crate) mod database;
pub(crate) mod files;
pub(crate) mod password;

use crate::config::AccountFiles;
use password::Hash;
use std::collections::HashMap;
use std::path::Path;
use why401_auth::Secret;
use why401_auth::scheme::digest::Algorithm;

/// An account.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    pub(crate) passwords: Vec<Password>,
    pub(crate) digests: Vec<Ha1>,
    pub(crate) groups: Vec<String>,
    pub(crate) disabled: bool,
    /// From when on its passwords are not taken any more, in seconds since 1970.
    pub(crate) expires: Option<i64>,
    /// When it was last unlocked by hand, in seconds since 1970.
    pub(crate) unlocked: i64,
}

/// A stored password.
#[derive(Debug, Clone)]
pub(crate) struct Password {
    pub(crate) hash: Hash,
    /// Until when it is valid beside a newer one, in seconds since 1970.
    pub(crate) until: Option<i64>,
}

/// What Digest stores: the hash of `user:realm:password`.
#[derive(Debug, Clone)]
pub(crate) struct Ha1 {
    pub(crate) realm: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) hash: Secret,
}

/// A hash of 32 bytes: of an API key or of a certificate.
pub(crate) type Print = [u8; 32];

/// All accounts.
#[derive(Debug, Default)]
pub(crate) struct Store {
    accounts: HashMap<String, Account>,
    keys: HashMap<Print, String>,
    certificates: HashMap<Print, String>,
    /// What the password of an unknown user is held against, so that it takes as long as for a known one.
    decoy: Option<Hash>,
}

impl Store {
    /// Reads all files.
    ///
    /// # Errors
    /// The file and the line that cannot be used.
    pub(crate) fn load(files: &AccountFiles) -> Result<Store, String> {
        let mut store = Store::default();
        if let Some(path) = &files.database {
            database::load(path)?.into_iter().try_for_each(|r| store.record(r, path))?;
        }
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))
        };
        if let Some(path) = &files.htpasswd {
            files::htpasswd(&read(path)?, &mut store).map_err(|why| format!("{}:{why}", path.display()))?;
        }
        if let Some(path) = &files.htdigest {
            files::htdigest(&read(path)?, &mut store).map_err(|why| format!("{}:{why}", path.display()))?;
        }
        if let Some(path) = &files.groups {
            files::groups(&read(path)?, &mut store).map_err(|why| format!("{}:{why}", path.display()))?;
        }
        store.choose_decoy();
        Ok(store)
    }

    fn record(&mut self, record: database::Record, path: &Path) -> Result<(), String> {
        let wrong = |what: &str| format!("{}: {}: {what}", path.display(), record.name);
        let mut account = Account {
            groups: record.groups.clone(),
            disabled: record.disabled,
            expires: record.expires.map(jiff::Timestamp::as_second),
            unlocked: record.unlocked.map_or(0, jiff::Timestamp::as_second),
            ..Account::default()
        };
        for p in &record.passwords {
            let hash = Hash::parse(&p.hash).map_err(&wrong)?;
            account.passwords.push(Password { hash, until: p.until.map(jiff::Timestamp::as_second) });
        }
        for d in &record.digests {
            let algorithm = Algorithm::of(&d.algorithm).ok_or_else(|| wrong("an unknown algorithm"))?;
            let hash = Secret::new(d.hash.as_bytes());
            account.digests.push(Ha1 { realm: d.realm.clone(), algorithm, hash });
        }
        for (prints, map) in [(&record.keys, &mut self.keys), (&record.certificates, &mut self.certificates)]
        {
            for text in prints {
                let print =
                    database::print_of(text).ok_or_else(|| wrong("a key is no SHA-256 in hexadecimal"))?;
                map.insert(print, record.name.clone());
            }
        }
        self.accounts.insert(record.name.clone(), account);
        Ok(())
    }

    /// The users of an htpasswd file alone.
    #[cfg(test)]
    pub(crate) fn of_htpasswd(text: &str) -> Store {
        let mut store = Store::default();
        files::htpasswd(text, &mut store).unwrap();
        store.choose_decoy();
        store
    }

    /// Changes an account, which is made if need be.
    #[cfg(test)]
    pub(crate) fn alter(&mut self, name: &str, change: impl FnOnce(&mut Account)) {
        change(self.entry(name));
    }

    fn entry(&mut self, name: &str) -> &mut Account {
        self.accounts.entry(name.to_owned()).or_default()
    }

    /// The account of that name.
    pub(crate) fn find(&self, name: &str) -> Option<&Account> {
        self.accounts.get(name)
    }

    /// Whose API key that is.
    pub(crate) fn owner_of_key(&self, print: &Print) -> Option<&str> {
        self.keys.get(print).map(String::as_str)
    }

    /// Whose certificate that is.
    pub(crate) fn owner_of_certificate(&self, print: &Print) -> Option<&str> {
        self.certificates.get(print).map(String::as_str)
    }

    /// What the password of an unknown user is held against.
    pub(crate) fn decoy(&self) -> Hash {
        self.decoy.clone().unwrap_or(Hash::Sha1([0; 20]))
    }

    /// The kind that most accounts have decides.
    fn choose_decoy(&mut self) {
        let mut kinds: HashMap<String, (usize, &Hash)> = HashMap::new();
        for hash in self.accounts.values().flat_map(|a| a.passwords.first()).map(|p| &p.hash) {
            kinds.entry(hash.kind()).or_insert((0, hash)).0 += 1;
        }
        self.decoy = kinds.into_values().max_by_key(|(count, _)| *count).map(|(_, hash)| hash.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoy_is_of_the_commonest_kind() {
        let mut store = Store::default();
        let sha = "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=";
        let apr = "$apr1$abcdefgh$C3vPHzFjrjEgUaFKxe6Jj0";
        files::htpasswd(&format!("a:{apr}\nb:{sha}\nc:{sha}\n"), &mut store).unwrap();
        store.choose_decoy();
        assert!(matches!(store.decoy(), Hash::Sha1(_)));
        assert!(store.find("a").is_some() && store.find("x").is_none());
    }
}
