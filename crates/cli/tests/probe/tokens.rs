//! Tokens held against what the server and the issuer publish.

use crate::server::{Answer, Server, refused};
use crate::{first, probe};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use why401_verify::jwk::{SigningKey, published};
use why401_verify::jwt;

fn json_answer(document: Value) -> Answer {
    Answer(200, vec![("Content-Type", "application/json".to_owned())], document.to_string())
}

fn missing() -> Answer {
    Answer(404, Vec::new(), "nothing here".to_owned())
}

/// An issuer whose key set holds this key under the name `k1`; its metadata stands where RFC 8414 puts it.
fn issuer(key: &Arc<SigningKey>) -> Server {
    let key = Arc::clone(key);
    Server::start(move |request, _| match request.target.as_str() {
        "/.well-known/oauth-authorization-server/realms/a" => {
            let host = request.field("host").unwrap_or_default();
            json_answer(
                json!({ "issuer": format!("http://{host}/realms/a"), "jwks_uri": format!("http://{host}/keys") }),
            )
        }
        "/keys" => json_answer(serde_json::from_str(&published([("k1", &*key)])).unwrap()),
        _ => missing(),
    })
}

/// A server that refuses every token and does not say why; `metadata` is what it publishes of itself.
fn mute(metadata: Option<Value>) -> Server {
    Server::start(move |request, _| match (&metadata, request.target.as_str()) {
        (Some(document), "/.well-known/oauth-protected-resource/v1/orders") => json_answer(document.clone()),
        (_, path) if path.starts_with("/.well-known/") => missing(),
        _ => refused("Bearer"),
    })
}

fn token(key: &SigningKey, kid: &str, issuer: &str) -> String {
    let map = |value: Value| value.as_object().cloned().unwrap_or_else(Map::new);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({ "iss": issuer, "aud": "https://api.example.com", "sub": "alice", "iat": now, "exp": now + 600 });
    jwt::make(key, &map(json!({ "typ": "at+jwt", "kid": kid })), &map(claims)).unwrap()
}

fn asked(server: &Server, token: &str) -> Value {
    probe(&["--field", &format!("Authorization: Bearer {token}"), &server.url("/v1/orders")])
}

#[test]
fn a_key_that_the_issuer_does_not_publish() {
    let key = Arc::new(SigningKey::new_ec().unwrap());
    let (issuer, server) = (issuer(&key), mute(None));
    let report = asked(&server, &token(&key, "k0", &issuer.url("/realms/a")));
    assert_eq!(first(&report).0, "bad-signature");
    assert!(issuer.seen().iter().all(|r| r.authorization().is_none()), "the token stays with the server");
    assert!(server.seen().iter().filter(|r| r.authorization().is_some()).count() <= 2);
}

#[test]
fn a_signature_by_another_key() {
    let (key, other) = (Arc::new(SigningKey::new_ec().unwrap()), SigningKey::new_ec().unwrap());
    let (issuer, server) = (issuer(&key), mute(None));
    assert_eq!(first(&asked(&server, &token(&other, "k1", &issuer.url("/realms/a")))).0, "bad-signature");
    // One that verifies leaves the question open.
    assert_eq!(first(&asked(&server, &token(&key, "k1", &issuer.url("/realms/a")))).0, "credentials-refused");
}

#[test]
fn an_issuer_and_an_audience_that_the_resource_does_not_name() {
    let key = Arc::new(SigningKey::new_ec().unwrap());
    let issuer = issuer(&key);
    let token = token(&key, "k1", &issuer.url("/realms/a"));
    let document =
        |server: &str, resource: &str| json!({ "resource": resource, "authorization_servers": [server] });
    let own = issuer.url("/realms/a");
    let server = mute(Some(document("https://login.example.com", "http://127.0.0.1/v1/orders")));
    assert_eq!(first(&asked(&server, &token)), ("wrong-issuer", "likely"));
    let server = mute(Some(document(&own, "http://127.0.0.1/v1")));
    assert_eq!(first(&asked(&server, &token)), ("wrong-audience", "likely"));
}
