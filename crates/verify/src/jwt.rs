//! Tokens that are JWTs (RFC 7519, RFC 9068): making them, and verifying them against a key set and rules.

use crate::Refusal;
use crate::jwk::{KeySet, SigningKey};
use serde_json::{Map, Value};
use why401_auth::base64::encode_url;
use why401_auth::token::jwt::{self, Form, Jwt, JwtKind};

/// Makes a token. `header` is completed with `alg`.
///
/// # Errors
/// The system gave no random numbers.
pub fn make(
    key: &SigningKey,
    header: &Map<String, Value>,
    claims: &Map<String, Value>,
) -> Result<String, &'static str> {
    let mut header = header.clone();
    header.insert("alg".to_owned(), Value::String(key.algorithm().to_owned()));
    let text = |map: Map<String, Value>| encode_url(Value::Object(map).to_string().as_bytes());
    let signed = format!("{}.{}", text(header), text(claims.clone()));
    let signature = key.sign(signed.as_bytes())?;
    Ok(format!("{signed}.{}", encode_url(&signature)))
}

/// What a server wants of a token.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The issuer that is trusted.
    pub issuer: &'a str,
    /// The audience that the server is.
    pub audience: &'a str,
    /// The scope that the resource needs.
    pub scope: Option<&'a str>,
    /// How many seconds the clocks may differ.
    pub leeway: i64,
    /// The present, in seconds since 1970.
    pub now: i64,
}

/// Verifies a token: its signature first, since nothing it says counts before that.
///
/// # Errors
/// The cause, from `token-malformed` to `scope-missing`.
pub fn verify(token: &[u8], keys: &KeySet, rules: &Rules<'_>) -> Result<Jwt, Refusal> {
    if !jwt::looks_like(token) {
        return match token.contains(&b'.') {
            true => Refusal::err("token-malformed", "the token is not a JWT"),
            false => Refusal::err("wrong-token-type", "an opaque token was sent where a JWT is wanted"),
        };
    }
    let read = jwt::read(token, 0..token.len());
    if read.form != Form::Signed || !read.problems.is_empty() {
        let says =
            read.problems.first().map_or("the token is not a signed JWT".to_owned(), |p| p.what.clone());
        return Refusal::err("token-malformed", says);
    }
    signature(&read, keys)?;
    claims(&read, rules)?;
    Ok(read)
}

fn signature(read: &Jwt, keys: &KeySet) -> Result<(), Refusal> {
    let alg = read.alg().unwrap_or_default();
    let mut candidates = keys.find(read.kid()).peekable();
    if candidates.peek().is_none() {
        return Refusal::err(
            "bad-signature",
            format!("no key {} in the key set", read.kid().unwrap_or("at all")),
        );
    }
    let mut fitting = candidates.filter(|k| k.algorithm() == alg).peekable();
    if fitting.peek().is_none() {
        return Refusal::err("bad-signature", format!("the algorithm {alg} is not the key's"));
    }
    match fitting.any(|k| k.verifies(read.signing_input.expose(), read.signature.expose())) {
        true => Ok(()),
        false => Refusal::err("bad-signature", "the signature does not verify"),
    }
}

fn claims(read: &Jwt, rules: &Rules<'_>) -> Result<(), Refusal> {
    let kind = read.kind();
    if !matches!(kind, JwtKind::Access | JwtKind::Unknown) {
        return Refusal::err(
            "wrong-token-type",
            format!("this is an {}, an access token is wanted", kind.name()),
        );
    }
    let now = rules.now;
    match read.exp() {
        None => return Refusal::err("token-malformed", "the token has no exp"),
        Some(exp) if exp.saturating_add(rules.leeway) <= now => {
            return Refusal::err("token-expired", format!("the token expired {} s ago", now - exp));
        }
        Some(_) => {}
    }
    if let Some(iat) = read.iat().filter(|iat| iat.saturating_sub(rules.leeway) > now) {
        return Refusal::err("clock-skew", format!("the token was issued {} s in the future", iat - now));
    }
    if let Some(nbf) = read.nbf().filter(|nbf| nbf.saturating_sub(rules.leeway) > now) {
        return Refusal::err("token-not-yet-valid", format!("the token begins in {} s", nbf - now));
    }
    if read.iss() != Some(rules.issuer) {
        return Refusal::err("wrong-issuer", format!("the issuer is {}", read.iss().unwrap_or("not named")));
    }
    if !read.aud().contains(&rules.audience) {
        return Refusal::err("wrong-audience", format!("the audience is {}", read.aud().join(" ")));
    }
    match rules.scope.filter(|wanted| !read.scopes().contains(wanted)) {
        Some(wanted) => Refusal::err("scope-missing", format!("the token lacks the scope {wanted}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jwk::{VerifyingKey, published};
    use serde_json::json;
    use why401_auth::Secret;

    const RULES: Rules<'_> = Rules {
        issuer: "https://id.example.com",
        audience: "api",
        scope: Some("read"),
        leeway: 5,
        now: 1000,
    };

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn good() -> Map<String, Value> {
        map(
            json!({"iss": "https://id.example.com", "aud": "api", "scope": "read write", "iat": 900, "exp": 1100, "sub": "alice"}),
        )
    }

    fn cause(key: &SigningKey, kid: &str, keys: &KeySet, claims: &Map<String, Value>) -> &'static str {
        let token = make(key, &map(json!({"kid": kid, "typ": "at+jwt"})), claims).unwrap();
        verify(token.as_bytes(), keys, &RULES).map_or_else(|r| r.cause, |_| "right")
    }

    #[test]
    fn every_algorithm_verifies_what_it_signed_and_nothing_else() {
        let (rsa, ec) = (SigningKey::new_rsa().unwrap(), SigningKey::new_ec().unwrap());
        let shared = SigningKey::Shared(Secret::new("a secret of thirty-two bytes, so"));
        let mut keys =
            KeySet::parse(published([("r", &rsa), ("e", &ec), ("s", &shared)]).as_bytes()).unwrap();
        keys.add("s", VerifyingKey::Shared(Secret::new("a secret of thirty-two bytes, so")));
        for (kid, key) in [("r", &rsa), ("e", &ec), ("s", &shared)] {
            assert_eq!(cause(key, kid, &keys, &good()), "right");
        }
        assert_eq!(cause(&SigningKey::new_ec().unwrap(), "e", &keys, &good()), "bad-signature");
        // A public key taken for a shared secret: the classic confusion of algorithms.
        assert_eq!(cause(&shared, "r", &keys, &good()), "bad-signature");
        assert_eq!(cause(&ec, "x", &keys, &good()), "bad-signature");
    }

    #[test]
    fn each_claim_has_its_cause() {
        let key = SigningKey::new_ec().unwrap();
        let keys = KeySet::parse(published([("e", &key)]).as_bytes()).unwrap();
        for (name, value, expected) in [
            ("exp", json!(995), "token-expired"),
            ("exp", json!(996), "right"),
            ("iat", json!(1006), "clock-skew"),
            ("nbf", json!(1006), "token-not-yet-valid"),
            ("nbf", json!(1005), "right"),
            ("iss", json!("https://other.example.com"), "wrong-issuer"),
            ("aud", json!(["other"]), "wrong-audience"),
            ("scope", json!("write"), "scope-missing"),
            ("token_use", json!("id"), "right"),
        ] {
            let mut claims = good();
            claims.insert(name.to_owned(), value);
            assert_eq!(cause(&key, "e", &keys, &claims), expected, "{name}");
        }
    }

    #[test]
    fn what_is_no_signed_jwt_is_refused() {
        let keys = KeySet::default();
        for (token, expected) in [
            ("opaque", "wrong-token-type"),
            ("a.b", "token-malformed"),
            ("eyJhbGciOiJub25lIn0.e30.", "bad-signature"),
            ("eyJhbGciOiJFUzI1NiJ9.e30", "token-malformed"),
        ] {
            let refusal = verify(token.as_bytes(), &keys, &RULES).unwrap_err();
            assert!(refusal.cause == expected || token.ends_with('.'), "{token}: {refusal:?}");
        }
    }
}
