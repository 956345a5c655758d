//! Keys that sign tokens, and the key sets (RFC 7517) that they are published in.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use aws_lc_rs::{hmac, rsa};
use serde_json::{Map, Value, json};
use why401_auth::Secret;
use why401_auth::base64::{self, Alphabet, encode_url};

/// A key that signs.
#[derive(Debug)]
pub enum SigningKey {
    /// RS256.
    Rsa(Box<rsa::KeyPair>),
    /// ES256.
    Ec(Box<EcdsaKeyPair>),
    /// HS256.
    Shared(Secret),
}

impl SigningKey {
    /// A new RSA key of 2048 bits.
    ///
    /// # Errors
    /// The system gave no random numbers.
    pub fn new_rsa() -> Result<SigningKey, &'static str> {
        rsa::KeyPair::generate(rsa::KeySize::Rsa2048)
            .map(|k| SigningKey::Rsa(Box::new(k)))
            .map_err(|_| "no RSA key could be made")
    }

    /// A new key on the curve P-256.
    ///
    /// # Errors
    /// The system gave no random numbers.
    pub fn new_ec() -> Result<SigningKey, &'static str> {
        EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map(|k| SigningKey::Ec(Box::new(k)))
            .map_err(|_| "no EC key could be made")
    }

    /// The name of its algorithm (RFC 7518 section 3.1).
    pub fn algorithm(&self) -> &'static str {
        match self {
            SigningKey::Rsa(_) => "RS256",
            SigningKey::Ec(_) => "ES256",
            SigningKey::Shared(_) => "HS256",
        }
    }

    /// The public half as a JWK; `None` for a shared secret, which is never published.
    pub fn public(&self) -> Option<Map<String, Value>> {
        let jwk = match self {
            SigningKey::Rsa(pair) => {
                let public = pair.public_key();
                json!({
                    "kty": "RSA",
                    "n": encode_url(public.modulus().big_endian_without_leading_zero()),
                    "e": encode_url(public.exponent().big_endian_without_leading_zero()),
                })
            }
            SigningKey::Ec(pair) => {
                // SEC 1 section 2.3.3: 04, x, y.
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": encode_url(point.get(1..33)?), "y": encode_url(point.get(33..65)?)})
            }
            SigningKey::Shared(_) => return None,
        };
        jwk.as_object().cloned()
    }

    /// Signs.
    ///
    /// # Errors
    /// The system gave no random numbers.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, &'static str> {
        let random = SystemRandom::new();
        match self {
            SigningKey::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_| "signing failed")?;
                Ok(signature)
            }
            SigningKey::Ec(pair) => {
                pair.sign(&random, message).map(|s| s.as_ref().to_vec()).map_err(|_| "signing failed")
            }
            SigningKey::Shared(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
                Ok(hmac::sign(&key, message).as_ref().to_vec())
            }
        }
    }
}

/// A key that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifyingKey {
    /// RS256: modulus and exponent, big-endian.
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The public exponent.
        e: Vec<u8>,
    },
    /// ES256: the uncompressed point.
    Ec(Vec<u8>),
    /// HS256.
    Shared(Secret),
}

impl VerifyingKey {
    /// Reads a JWK; `None` where it is not of a kind that is verified here.
    pub fn of_jwk(jwk: &Map<String, Value>) -> Option<VerifyingKey> {
        let bytes = |name: &str| {
            let text = jwk.get(name)?.as_str()?;
            let decoded = base64::decode(text.as_bytes(), 0..text.len(), Alphabet::UrlSafe);
            decoded.problems.is_empty().then(|| decoded.bytes.expose().to_vec())
        };
        match jwk.get("kty")?.as_str()? {
            "RSA" => Some(VerifyingKey::Rsa { n: bytes("n")?, e: bytes("e")? }),
            "EC" if jwk.get("crv")?.as_str()? == "P-256" => {
                let (x, y) = (bytes("x")?, bytes("y")?);
                (x.len() == 32 && y.len() == 32).then(|| VerifyingKey::Ec([&[4][..], &x, &y].concat()))
            }
            _ => None,
        }
    }

    /// The one algorithm that this key is used with: a token does not choose (RFC 8725 section 3.1).
    pub fn algorithm(&self) -> &'static str {
        match self {
            VerifyingKey::Rsa { .. } => "RS256",
            VerifyingKey::Ec(_) => "ES256",
            VerifyingKey::Shared(_) => "HS256",
        }
    }

    /// Whether the signature is this key's over the message.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            VerifyingKey::Rsa { n, e } => RsaPublicKeyComponents { n, e }
                .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                .is_ok(),
            VerifyingKey::Ec(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            VerifyingKey::Shared(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
                hmac::verify(&key, message, signature).is_ok()
            }
        }
    }
}

/// Keys by their `kid`.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    keys: Vec<(Option<String>, VerifyingKey)>,
}

impl KeySet {
    /// Reads a JWK Set; keys of kinds that are not verified here are left out.
    ///
    /// # Errors
    /// It is not a JSON object with an array `keys`.
    pub fn parse(json: &[u8]) -> Result<KeySet, String> {
        let value: Value =
            serde_json::from_slice(json).map_err(|e| format!("the key set is not JSON: {e}"))?;
        let keys = value.get("keys").and_then(Value::as_array).ok_or("the key set has no array keys")?;
        let read = |key: &Value| {
            let jwk = key.as_object()?;
            Some((jwk.get("kid").and_then(Value::as_str).map(str::to_owned), VerifyingKey::of_jwk(jwk)?))
        };
        Ok(KeySet { keys: keys.iter().filter_map(read).collect() })
    }

    /// Adds a key.
    pub fn add(&mut self, kid: &str, key: VerifyingKey) {
        self.keys.push((Some(kid.to_owned()), key));
    }

    /// The keys that a token may be signed with: the one of its `kid`, or all where it names none.
    pub fn find<'a>(&'a self, kid: Option<&'a str>) -> impl Iterator<Item = &'a VerifyingKey> {
        self.keys.iter().filter(move |(id, _)| kid.is_none() || id.as_deref() == kid).map(|(_, key)| key)
    }
}

/// The JWK Set of these keys, as an issuer publishes it.
pub fn published<'k>(keys: impl IntoIterator<Item = (&'k str, &'k SigningKey)>) -> String {
    let keys: Vec<Value> = keys
        .into_iter()
        .filter_map(|(kid, key)| {
            let mut jwk = key.public()?;
            for (name, value) in [("kid", kid), ("use", "sig"), ("alg", key.algorithm())] {
                jwk.insert(name.to_owned(), Value::String(value.to_owned()));
            }
            Some(Value::Object(jwk))
        })
        .collect();
    json!({ "keys": keys }).to_string()
}
