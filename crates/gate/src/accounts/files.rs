//! The files that Apache's tools write: htpasswd, htdigest, and groups.

use super::password::Hash;
use super::{Ha1, Password, Store};
use why401_auth::Secret;
use why401_auth::scheme::digest::{Algorithm, Hash as DigestHash};

/// The lines that say something, with their numbers.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let told = |l: &(usize, &str)| !l.1.trim().is_empty() && !l.1.starts_with('#');
    (1..).zip(text.lines()).filter(told)
}

/// Reads `user:hash` lines.
pub(super) fn htpasswd(text: &str, store: &mut Store) -> Result<(), String> {
    for (number, line) in lines(text) {
        let (user, rest) = line.split_once(':').ok_or_else(|| format!("{number}: no colon"))?;
        let hash = rest.trim_end().split(':').next().unwrap_or_default();
        let hash = Hash::parse(hash).map_err(|why| format!("{number}: the user {user} has {why}"))?;
        let account = store.entry(user);
        if account.passwords.iter().any(|p| p.until.is_none()) {
            return Err(format!(
                "{number}: the user {user} stands here a second time, or in the database as well"
            ));
        }
        account.passwords.push(Password { hash, until: None });
    }
    Ok(())
}

/// Reads `user:realm:hash` lines; the length of the hash tells MD5 from SHA-256.
pub(super) fn htdigest(text: &str, store: &mut Store) -> Result<(), String> {
    for (number, line) in lines(text) {
        let mut parts = line.trim_end().splitn(3, ':');
        let (Some(user), Some(realm), Some(hash)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(format!("{number}: not user:realm:hash"));
        };
        let hashed = match hash.len() {
            32 => DigestHash::Md5,
            64 => DigestHash::Sha256,
            _ => return Err(format!("{number}: the hash of {user} has neither 32 nor 64 digits")),
        };
        if !hash.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(format!("{number}: the hash of {user} is not hexadecimal"));
        }
        store.entry(user).digests.push(Ha1 {
            realm: realm.to_owned(),
            algorithm: Algorithm { hash: hashed, session: false },
            hash: Secret::new(hash.to_ascii_lowercase()),
        });
    }
    Ok(())
}

/// Reads `group: user user` lines, as `AuthGroupFile` of Apache.
pub(super) fn groups(text: &str, store: &mut Store) -> Result<(), String> {
    for (number, line) in lines(text) {
        let (group, users) = line.split_once(':').ok_or_else(|| format!("{number}: no colon"))?;
        for user in users.split_whitespace() {
            if let Some(account) = store.accounts.get_mut(user) {
                account.groups.push(group.trim().to_owned());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_mistakes_told_with_their_number() {
        let mut store = Store::default();
        let sha = "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=";
        htpasswd(&format!("# staff\n\nalice:{sha}:comment\nzo\u{eb}:{sha}\n"), &mut store).unwrap();
        groups("admins: alice nobody\n", &mut store).unwrap();
        htdigest("alice:files:0123456789abcdef0123456789ABCDEF\n", &mut store).unwrap();
        let alice = store.find("alice").unwrap();
        assert_eq!((alice.passwords.len(), alice.digests.len()), (1, 1));
        assert_eq!(alice.groups, ["admins"]);
        for (text, expected) in [
            ("alice\n", "1: no colon"),
            ("bob:secret\n", "1: the user bob has a password in the clear"),
            (&format!("bob:{sha}\nbob:{sha}\n"), "2: the user bob stands here a second time"),
        ] {
            let told = htpasswd(text, &mut store).unwrap_err();
            assert!(told.starts_with(expected) && !told.contains("secret"), "{told}");
            store.accounts.remove("bob");
        }
        assert!(htdigest("a:b:xyz\n", &mut store).is_err());
    }
}
