//! The keys that tokens are signed with, each made when it is first needed: an RSA key takes a while.

use serde_json::{Map, Value};
use std::sync::OnceLock;
use why401_auth::Secret;
use why401_verify::jwk::{KeySet, SigningKey, VerifyingKey, published};
use why401_verify::jwt;

/// Random bytes of the system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // It fails on no system that has a random device; what follows needs no secrecy in a lab.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    bytes
}

/// Random bytes in hexadecimal digits.
pub(crate) fn random_text() -> String {
    random::<16>().iter().map(|b| format!("{b:02x}")).collect()
}

/// Which key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Rsa,
    Ec,
    Shared,
    /// A key that the lab does not publish, under the name of one that it does.
    Stranger,
    /// The key of the one client that DPoP proofs are made for.
    Dpop,
}

/// All the keys.
#[derive(Default)]
pub(crate) struct Keys {
    rsa: OnceLock<Option<SigningKey>>,
    ec: OnceLock<Option<SigningKey>>,
    shared: OnceLock<Option<SigningKey>>,
    stranger: OnceLock<Option<SigningKey>>,
    dpop: OnceLock<Option<SigningKey>>,
    shared_secret: OnceLock<Secret>,
}

impl Keys {
    pub(crate) fn get(&self, which: Which) -> Option<&SigningKey> {
        let ec = || SigningKey::new_ec().ok();
        match which {
            Which::Rsa => self.rsa.get_or_init(|| SigningKey::new_rsa().ok()).as_ref(),
            Which::Ec => self.ec.get_or_init(ec).as_ref(),
            Which::Shared => {
                self.shared.get_or_init(|| Some(SigningKey::Shared(self.secret().clone()))).as_ref()
            }
            Which::Stranger => self.stranger.get_or_init(ec).as_ref(),
            Which::Dpop => self.dpop.get_or_init(ec).as_ref(),
        }
    }

    fn secret(&self) -> &Secret {
        self.shared_secret.get_or_init(|| Secret::new(random::<32>()))
    }

    /// The key set as published.
    pub(crate) fn published(&self) -> String {
        let keys = [("lab-rs256", Which::Rsa), ("lab-es256", Which::Ec)];
        published(keys.into_iter().filter_map(|(kid, which)| Some((kid, self.get(which)?))))
    }

    /// The key set that the lab verifies with: the published one and the shared secret. Only the keys that have been used
    /// can have signed anything.
    pub(crate) fn verifying(&self) -> KeySet {
        let made = [("lab-rs256", &self.rsa), ("lab-es256", &self.ec)];
        let made = made.into_iter().filter_map(|(kid, key)| Some((kid, key.get()?.as_ref()?)));
        let mut keys = KeySet::parse(published(made).as_bytes()).unwrap_or_default();
        keys.add("lab-hs256", VerifyingKey::Shared(self.secret().clone()));
        keys
    }

    /// A token.
    pub(crate) fn token(
        &self,
        which: Which,
        kid: &str,
        typ: &str,
        claims: &Map<String, Value>,
    ) -> Option<String> {
        let header =
            [("typ", typ), ("kid", kid)].into_iter().map(|(n, v)| (n.to_owned(), Value::from(v))).collect();
        jwt::make(self.get(which)?, &header, claims).ok()
    }

    /// A DPoP proof with those claims.
    pub(crate) fn proof(&self, claims: &Map<String, Value>) -> Option<String> {
        let key = self.get(Which::Dpop)?;
        let mut header = Map::new();
        header.insert("typ".to_owned(), Value::from("dpop+jwt"));
        header.insert("jwk".to_owned(), Value::Object(key.public()?));
        jwt::make(key, &header, claims).ok()
    }
}
