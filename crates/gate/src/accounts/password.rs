//! Stored passwords of all the kinds that password files hold, and verifying against them.

use aws_lc_rs::digest;
use md5::{Digest, Md5};
use why401_auth::base64::{self, Alphabet};
use why401_verify::equal;

/// A stored password.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Hash {
    /// `$2a$`, `$2b$`, `$2y$`.
    Bcrypt(String),
    /// `$argon2id$` and its sisters.
    Argon2(String),
    /// `{SHA}`: SHA-1 without salt, in base64.
    Sha1([u8; 20]),
    /// `$apr1$` of Apache and `$1$` of crypt(3).
    Md5Crypt { magic: &'static str, salt: String, digest: String },
    /// `$5$` and `$6$` of crypt(3).
    ShaCrypt(String),
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.kind())
    }
}

impl Hash {
    /// Reads a stored password.
    ///
    /// # Errors
    /// Why it cannot be used, in words that hold nothing of it.
    pub(crate) fn parse(text: &str) -> Result<Hash, &'static str> {
        if let Some(encoded) = text.strip_prefix("{SHA}") {
            let decoded = base64::decode(encoded.as_bytes(), 0..encoded.len(), Alphabet::Standard);
            let bytes = <[u8; 20]>::try_from(decoded.bytes.expose());
            return bytes.map(Hash::Sha1).map_err(|_| "a {SHA} password that is no SHA-1");
        }
        for magic in ["$apr1$", "$1$"] {
            if let Some(rest) = text.strip_prefix(magic) {
                let parts = rest.split_once('$').filter(|(s, d)| s.len() <= 8 && d.len() == 22);
                let (salt, digest) = parts.ok_or("an MD5 password that is cut off")?;
                return Ok(Hash::Md5Crypt { magic, salt: salt.to_owned(), digest: digest.to_owned() });
            }
        }
        if ["$2a$", "$2b$", "$2y$", "$2x$"].iter().any(|m| text.starts_with(m)) {
            let is_whole = text.parse::<bcrypt::HashParts>().is_ok();
            return is_whole
                .then(|| Hash::Bcrypt(text.to_owned()))
                .ok_or("a bcrypt password that is cut off");
        }
        if text.starts_with("$argon2") {
            let is_whole = argon2::PasswordHash::new(text).is_ok_and(|hash| hash.hash.is_some());
            return is_whole
                .then(|| Hash::Argon2(text.to_owned()))
                .ok_or("an argon2 password that cannot be read");
        }
        if text.starts_with("$5$") || text.starts_with("$6$") {
            let is_whole = sha_crypt::PasswordHashRef::new(text).is_ok();
            return is_whole
                .then(|| Hash::ShaCrypt(text.to_owned()))
                .ok_or("a crypt password that cannot be read");
        }
        Err("a password in the clear, of DES crypt, or of a kind that is not known; use bcrypt (htpasswd -B)")
    }

    /// Kind and cost, which tell how long verifying takes.
    pub(crate) fn kind(&self) -> String {
        match self {
            Hash::Bcrypt(text) => format!("bcrypt {}", text.get(4..6).unwrap_or_default()),
            Hash::Argon2(text) => text.split('$').skip(1).take(3).collect::<Vec<_>>().join(" "),
            Hash::Sha1(_) => "SHA-1".to_owned(),
            Hash::Md5Crypt { .. } => "MD5 crypt".to_owned(),
            Hash::ShaCrypt(text) => {
                text.split('$').skip(1).take(2).filter(|p| p.len() == 1 || p.starts_with("rounds")).collect()
            }
        }
    }

    /// Whether verifying is so quick that it need not leave the thread that asks.
    pub(crate) fn is_quick(&self) -> bool {
        matches!(self, Hash::Sha1(_))
    }

    /// What a verified password is remembered under together with its user: changes when the password is changed.
    pub(crate) fn mark(&self) -> &[u8] {
        match self {
            Hash::Bcrypt(text) | Hash::Argon2(text) | Hash::ShaCrypt(text) => text.as_bytes(),
            Hash::Sha1(bytes) => bytes,
            Hash::Md5Crypt { digest, .. } => digest.as_bytes(),
        }
    }

    /// Whether this is the password.
    pub(crate) fn is(&self, password: &[u8]) -> bool {
        match self {
            // bcrypt takes no NUL, and 72 bytes only.
            Hash::Bcrypt(text) => bcrypt::verify(password, text).unwrap_or(false),
            Hash::Argon2(text) => argon2::PasswordHash::new(text).is_ok_and(|hash| {
                use argon2::PasswordVerifier;
                argon2::Argon2::default().verify_password(password, &hash).is_ok()
            }),
            Hash::Sha1(stored) => {
                let made = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password);
                equal(made.as_ref(), stored)
            }
            Hash::Md5Crypt { magic, salt, digest } => {
                equal(md5_crypt(password, salt, magic).as_bytes(), digest.as_bytes())
            }
            Hash::ShaCrypt(text) => sha_crypt::PasswordHashRef::new(text).is_ok_and(|hash| {
                use sha_crypt::PasswordVerifier;
                sha_crypt::ShaCrypt::default().verify_password(password, hash).is_ok()
            }),
        }
    }
}

/// Stores a password, as argon2id.
///
/// # Errors
/// The system gave no random numbers.
pub(crate) fn store(password: &[u8]) -> Result<String, String> {
    use argon2::PasswordHasher;
    let hash = argon2::Argon2::default().hash_password(password);
    hash.map(|h| h.to_string()).map_err(|e| format!("the password cannot be stored: {e}"))
}

/// MD5 crypt as FreeBSD made it and Apache took it over under another magic (`apr_md5.c`).
fn md5_crypt(password: &[u8], salt: &str, magic: &str) -> String {
    let salt = salt.as_bytes();
    let inner = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut context = Md5::new().chain_update(password).chain_update(magic).chain_update(salt);
    let mut left = password.len();
    while left > 0 {
        context.update(inner.get(..left.min(16)).unwrap_or_default());
        left = left.saturating_sub(16);
    }
    let mut length = password.len();
    while length > 0 {
        let first = password.first().copied().unwrap_or_default();
        context.update([if length & 1 == 1 { 0 } else { first }]);
        length >>= 1;
    }
    let mut state = context.finalize();
    for round in 0..1000 {
        let mut context = Md5::new();
        let is_odd = round % 2 == 1;
        if is_odd {
            context.update(password)
        } else {
            context.update(state)
        }
        if round % 3 != 0 {
            context.update(salt);
        }
        if round % 7 != 0 {
            context.update(password);
        }
        if is_odd {
            context.update(state)
        } else {
            context.update(password)
        }
        state = context.finalize();
    }
    let byte = |i: usize| u32::from(state.get(i).copied().unwrap_or_default());
    let mut text = String::with_capacity(22);
    for (a, b, c) in [(0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5)] {
        push64(byte(a) << 16 | byte(b) << 8 | byte(c), 4, &mut text);
    }
    push64(byte(11), 2, &mut text);
    text
}

/// The digits of crypt(3), lowest first.
fn push64(mut number: u32, digits: u32, out: &mut String) {
    const DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for _ in 0..digits {
        out.push(char::from(DIGITS.get((number & 63) as usize).copied().unwrap_or_default()));
        number >>= 6;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `htpasswd` (apr1, SHA, bcrypt), `openssl passwd` (5, 6, 1) and `argon2`, all of the password `secret`.
    const SECRET: &[&str] = &include!("password.vectors");

    #[test]
    fn every_kind_of_htpasswd_and_crypt_verifies() {
        for text in SECRET {
            let hash = Hash::parse(text).unwrap();
            assert!(hash.is(b"secret"), "{text}");
            assert!(!hash.is(b"Secret") && !hash.is(b"") && !hash.is(b"secret\0"), "{text}");
            assert!(!format!("{hash:?}").contains(text.rsplit('$').next().unwrap()));
        }
    }

    #[test]
    fn what_was_stored_verifies() {
        let hash = Hash::parse(&store(b"Br\xc3\xbccke").unwrap()).unwrap();
        assert!(hash.is(b"Br\xc3\xbccke") && !hash.is(b"Br\xfccke"));
        assert!(hash.kind().starts_with("argon2id"), "{hash:?}");
    }

    #[test]
    fn what_is_no_hash_is_told() {
        for text in
            ["secret", "rqXexS6ZhobKA", "{SHA}x", "$apr1$abc", "$2y$10$abc", "$argon2id$v=19", "$6$", ""]
        {
            assert!(Hash::parse(text).is_err(), "{text}");
        }
    }
}
