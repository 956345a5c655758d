//! Digest (RFC 7616): nonces that need no memory, challenges, and verifying an answer.

use crate::{Refusal, equal};
use hmac::{Hmac, Mac};
use why401_auth::Secret;
use why401_auth::scheme::digest::{Algorithm, DigestCredentials};
use why401_auth::scheme::digest_compute::{Input, Protection, respond, userhash};

/// Issues nonces that carry their own time and are signed, so that none has to be remembered.
#[derive(Clone)]
pub struct Nonces {
    key: Secret,
    /// For how many seconds a nonce is good.
    pub lifetime: i64,
}

impl std::fmt::Debug for Nonces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nonces").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

/// What a nonce is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Issued by us, not too long ago.
    Fresh,
    /// Issued by us, and its time is over.
    Stale,
    /// Not issued by us.
    Foreign,
}

impl Nonces {
    /// Nonces signed with that key, good for `lifetime` seconds.
    pub fn new(key: &[u8], lifetime: i64) -> Nonces {
        Nonces { key: Secret::new(key), lifetime }
    }

    /// A nonce of the moment `now` (seconds since 1970).
    pub fn issue(&self, now: i64) -> String {
        format!("{now:012x}{}", self.mark(now))
    }

    /// What a nonce is worth at the moment `now`.
    pub fn check(&self, nonce: &str, now: i64) -> Freshness {
        let issued = nonce.get(..12).and_then(|t| i64::from_str_radix(t, 16).ok());
        let Some((issued, mark)) = issued.zip(nonce.get(12..)) else { return Freshness::Foreign };
        if !equal(self.mark(issued).as_bytes(), mark.as_bytes()) {
            return Freshness::Foreign;
        }
        if (issued..=issued.saturating_add(self.lifetime)).contains(&now) {
            Freshness::Fresh
        } else {
            Freshness::Stale
        }
    }

    fn mark(&self, time: i64) -> String {
        let Ok(mac) = Hmac::<sha2::Sha256>::new_from_slice(self.key.expose()) else { return String::new() };
        let mac = mac.chain_update(time.to_be_bytes()).finalize().into_bytes();
        mac.iter().take(16).map(|b| format!("{b:02x}")).collect()
    }
}

/// What a challenge asks.
#[derive(Debug, Clone, Copy)]
pub struct Challenge<'a> {
    /// The realm.
    pub realm: &'a str,
    /// The algorithm.
    pub algorithm: Algorithm,
    /// `auth`, `auth-int`, or both joined by a comma.
    pub qop: &'a str,
    /// The opaque value.
    pub opaque: &'a str,
    /// Whether user names may be sent hashed.
    pub userhash: bool,
}

impl Challenge<'_> {
    /// The value of the `WWW-Authenticate` field.
    pub fn text(&self, nonce: &str, stale: bool) -> String {
        let stale = if stale { ", stale=true" } else { "" };
        let userhash = if self.userhash { ", userhash=true" } else { "" };
        format!(
            "Digest realm=\"{}\", qop=\"{}\", algorithm={}, nonce=\"{nonce}\", opaque=\"{}\", charset=UTF-8{userhash}{stale}",
            self.realm,
            self.qop,
            self.algorithm.name(),
            self.opaque
        )
    }
}

/// The request that the credentials came with.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The target as sent.
    pub target: &'a str,
    /// The content.
    pub body: &'a [u8],
}

/// Verifies an answer. `users` gives the names known (a hashed one has to be found among them) with the stored hash of
/// `user:realm:password`.
///
/// # Errors
/// `digest-nonce-stale` for a nonce whose time is over, `digest-mismatch` for parameters that do not fit, `unknown-user`,
/// `wrong-password`.
pub fn verify<'u>(
    given: &DigestCredentials,
    challenge: &Challenge<'_>,
    freshness: Freshness,
    request: &Request<'_>,
    users: impl IntoIterator<Item = (&'u str, Secret)>,
) -> Result<String, Refusal> {
    let mismatch =
        |what: &str| Refusal::err("digest-mismatch", format!("{what} is not the one of this request"));
    let (Some(name), Some(nonce), Some(uri), Some(response)) =
        (&given.username, &given.nonce, &given.uri, &given.response)
    else {
        return Refusal::err("digest-mismatch", "a parameter that every answer needs is missing");
    };
    if given.realm.as_deref() != Some(challenge.realm) {
        return mismatch("the realm");
    }
    if uri != request.target {
        return mismatch("the uri");
    }
    if given.algorithm.unwrap_or(Algorithm::DEFAULT) != challenge.algorithm {
        return mismatch("the algorithm");
    }
    if given.opaque.as_deref() != Some(challenge.opaque) {
        return mismatch("opaque");
    }
    let qop = given.qop.as_deref().unwrap_or_default();
    if !challenge.qop.split(',').any(|q| q.trim() == qop) {
        return mismatch("qop");
    }
    match freshness {
        Freshness::Fresh => {}
        Freshness::Stale => return Refusal::err("digest-nonce-stale", "the time of the nonce is over"),
        Freshness::Foreign => return mismatch("the nonce"),
    }
    let is_meant = |user: &str| match given.userhash {
        true => userhash(challenge.algorithm, user.as_bytes(), challenge.realm.as_bytes()) == *name,
        false => user == name,
    };
    let Some((user, stored)) = users.into_iter().find(|(user, _)| is_meant(user)) else {
        return Refusal::err("unknown-user", "no user of that name");
    };
    let (nc, cnonce) = (given.nc.as_deref().unwrap_or_default(), given.cnonce.as_deref().unwrap_or_default());
    let input = Input {
        algorithm: challenge.algorithm,
        username: user.as_bytes(),
        realm: challenge.realm.as_bytes(),
        password: Secret::new(""),
        method: request.method.as_bytes(),
        uri: uri.as_bytes(),
        nonce: nonce.as_bytes(),
        protection: Some(Protection {
            nc: nc.as_bytes(),
            cnonce: cnonce.as_bytes(),
            qop: qop.as_bytes(),
            body: request.body,
        }),
    };
    let right = respond(&stored, &input);
    match equal(right.expose(), &response.expose().to_ascii_lowercase()) {
        true => Ok(user.to_owned()),
        false => Refusal::err(
            "wrong-password",
            format!("the response of {user} is not the one of the stored password"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use why401_auth::scheme::{digest, digest_compute};

    const MD5: Challenge<'_> =
        Challenge { realm: "lab", algorithm: Algorithm::DEFAULT, qop: "auth", opaque: "o", userhash: false };

    #[test]
    fn a_nonce_is_fresh_then_stale_and_never_foreign() {
        let nonces = Nonces::new(b"key", 60);
        let nonce = nonces.issue(1000);
        assert_eq!(nonces.check(&nonce, 1060), Freshness::Fresh);
        assert_eq!(nonces.check(&nonce, 1061), Freshness::Stale);
        assert_eq!(nonces.check(&nonce, 999), Freshness::Stale);
        assert_eq!(Nonces::new(b"other", 60).check(&nonce, 1000), Freshness::Foreign);
        for text in ["", "zz", "é", "000000000000", "00000000003e8"] {
            assert_eq!(nonces.check(text, 1000), Freshness::Foreign);
        }
    }

    #[test]
    fn an_answer_is_held_against_the_request_and_the_password() {
        let stored = |password: &str| {
            [("alice", digest_compute::stored(Algorithm::DEFAULT, b"alice", b"lab", &Secret::new(password)))]
        };
        let input = |uri: &'static str| Input {
            algorithm: Algorithm::DEFAULT,
            username: b"alice",
            realm: b"lab",
            password: Secret::new("secret"),
            method: b"GET",
            uri: uri.as_bytes(),
            nonce: b"n",
            protection: Some(Protection { nc: b"00000001", cnonce: b"c", qop: b"auth", body: b"" }),
        };
        let given = |uri: &'static str| {
            let response = digest_compute::response(&input(uri));
            let text = format!(
                "Digest username=\"alice\", realm=\"lab\", nonce=\"n\", uri=\"{uri}\", nc=00000001, cnonce=\"c\", qop=auth, opaque=\"o\", response=\"{}\"",
                response.expose_text()
            );
            digest::credentials(&why401_auth::parse_credentials(text.as_bytes()).value[0])
        };
        let request = Request { method: "GET", target: "/x", body: b"" };
        let verify = |uri, password, freshness| {
            super::verify(&given(uri), &MD5, freshness, &request, stored(password)).map_err(|r| r.cause)
        };
        assert_eq!(verify("/x", "secret", Freshness::Fresh), Ok("alice".to_owned()));
        assert_eq!(verify("/y", "secret", Freshness::Fresh), Err("digest-mismatch"));
        assert_eq!(verify("/x", "secret", Freshness::Stale), Err("digest-nonce-stale"));
        assert_eq!(verify("/x", "other", Freshness::Fresh), Err("wrong-password"));
    }
}
