//! What experiments need and a client cannot make with curl alone: tokens, proofs, certificates, signatures; and the
//! documents of an authorization server.

use crate::accounts;
use crate::keys::{Which, random_text};
use crate::message::{Answer, parameter};
use crate::station::Call;
use serde_json::{Map, Value, json};
use why401_auth::Secret;
use why401_verify::presented;
use why401_verify::signed::{Components, base, mac_hex, sign};

/// The answer at an address that is no station; `None` where it is none of these.
pub(crate) fn answer(call: &Call<'_>, path: &str) -> Option<Answer> {
    let request = call.request;
    let base = request.base();
    Some(match path {
        "/mint" => Answer::text(200, HELP),
        "/jwks.json" => raw("application/jwk-set+json", call.lab.keys.published()),
        "/ca.pem" => raw("application/x-pem-file", call.lab.authority.pem.clone()),
        "/token" => token_endpoint(call),
        // RFC 8414 section 3.2.
        "/.well-known/oauth-authorization-server" | "/.well-known/openid-configuration" => Answer::json(
            200,
            &json!({
                "issuer": base, "token_endpoint": format!("{base}/token"), "jwks_uri": format!("{base}/jwks.json"),
                "grant_types_supported": ["client_credentials"], "response_types_supported": [],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "scopes_supported": ["read", "write"], "dpop_signing_alg_values_supported": ["ES256", "RS256"],
            }),
        ),
        // RFC 9728 section 3.2.
        "/.well-known/oauth-protected-resource" => Answer::json(
            200,
            &json!({
                "resource": base, "authorization_servers": [base], "jwks_uri": format!("{base}/jwks.json"),
                "scopes_supported": ["read", "write"], "bearer_methods_supported": ["header"],
            }),
        ),
        "/mint/proof" => given(proof(call)),
        "/mint/message-signature" => given(message_signature(call)),
        "/mint/hmac" => Answer::text(200, mac_hex(&Secret::new(accounts::SHARED_SECRET), &request.body)),
        _ => {
            if let Some(kind) = path.strip_prefix("/mint/token/") {
                return Some(given(token(call, kind)));
            }
            let kind = path.strip_prefix("/mint/certificate/")?;
            match call.lab.authority.client(kind) {
                Ok(pem) => raw("application/x-pem-file", pem),
                Err(_) => Answer::text(500, "no certificate could be made\n"),
            }
        }
    })
}

const HELP: &str = "\
GET  /mint/token/KIND?alg=ES256|RS256|HS256   a token: good, expired, not-yet-valid, from-the-future, wrong-audience,
                                              wrong-issuer, altered, unknown-key, foreign-key, read-only, id, revoked,
                                              bound, opaque
GET  /mint/proof?htm=GET&htu=URL&token=TOKEN  a DPoP proof for it; nonce=1 puts the server's nonce in, ago=SECONDS its age
GET  /mint/certificate/KIND                   a client certificate with its key: good, expired, stranger
GET  /mint/message-signature?method=GET&path=/PATH   fields of an HTTP Message Signature, one a line; ago=SECONDS
POST /mint/hmac                               HMAC-SHA-256 of the content
POST /token                                   the token endpoint (client_credentials)
";

fn raw(kind: &str, body: String) -> Answer {
    Answer { status: 200, ..Answer::default() }.with("Content-Type", kind).body(body)
}

fn given(text: Option<String>) -> Answer {
    match text {
        Some(text) => Answer::text(200, text).with("Cache-Control", "no-store"),
        None => Answer::text(404, "this is not made here: /mint lists what is\n"),
    }
}

/// A token of that kind.
fn token(call: &Call<'_>, kind: &str) -> Option<String> {
    let (which, kid) = match call.request.parameter("alg").as_deref() {
        None | Some("ES256") => (Which::Ec, "lab-es256"),
        Some("RS256") => (Which::Rsa, "lab-rs256"),
        Some("HS256") => (Which::Shared, "lab-hs256"),
        _ => return None,
    };
    let now = call.lab.now();
    let mut claims = claims(call, now, "read write");
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    let (mut which, mut kid, mut typ) = (which, kid, "at+jwt");
    match kind {
        "good" | "altered" => {}
        "expired" => {
            set("iat", json!(now - 7200));
            set("exp", json!(now - 3600));
        }
        "not-yet-valid" => {
            set("nbf", json!(now + 3600));
            set("exp", json!(now + 7200));
        }
        "from-the-future" => {
            set("iat", json!(now + 900));
            set("exp", json!(now + 4500));
        }
        "wrong-audience" => {
            set("aud", json!("https://other-api.example.com"));
        }
        "wrong-issuer" => {
            set("iss", json!("https://other-issuer.example.com"));
        }
        "unknown-key" => kid = "lab-2019",
        "foreign-key" => which = Which::Stranger,
        "read-only" => {
            set("scope", json!("read"));
        }
        "id" => {
            typ = "JWT";
            set("nonce", json!(random_text()));
            set("token_use", json!("id"));
        }
        "revoked" => {
            set("jti", json!(format!("revoked-{}", random_text())));
        }
        "bound" => {
            let thumbprint =
                why401_auth::token::dpop::thumbprint(&call.lab.keys.get(Which::Dpop)?.public()?)?;
            set("cnf", json!({"jkt": thumbprint}));
        }
        "opaque" => return Some(random_text()),
        _ => return None,
    }
    let made = call.lab.keys.token(which, kid, typ, &claims)?;
    match kind {
        // One claim changed, the signature left as it was.
        "altered" => {
            let (header, rest) = made.split_once('.')?;
            let (_, signature) = rest.split_once('.')?;
            claims.insert("sub".to_owned(), json!("mallory"));
            let payload = why401_auth::base64::encode_url(Value::Object(claims).to_string().as_bytes());
            Some(format!("{header}.{payload}.{signature}"))
        }
        _ => Some(made),
    }
}

fn claims(call: &Call<'_>, now: i64, scope: &str) -> Map<String, Value> {
    let base = call.request.base();
    let claims = json!({
        "iss": base, "aud": base, "sub": "alice", "scope": scope,
        "iat": now - 60, "exp": now + 3600, "jti": random_text(),
    });
    claims.as_object().cloned().unwrap_or_default()
}

/// The token endpoint (RFC 6749 section 4.4), with the client's password by Basic.
fn token_endpoint(call: &Call<'_>) -> Answer {
    let error = |status, error: &str| {
        Answer::json(status, &json!({"error": error})).with("Cache-Control", "no-store")
    };
    if call.request.method != "POST" {
        return error(405, "invalid_request").with("Allow", "POST");
    }
    let client = presented::read(&call.request.values("authorization"), &["basic"]).and_then(|p| match p {
        presented::Presented::Basic(pair) => accounts::verify(&pair),
        _ => Err(why401_verify::Refusal::new("scheme-not-offered", "Basic is taken here")),
    });
    if let Err(refusal) = client {
        return error(401, "invalid_client")
            .challenge("Basic realm=\"token endpoint\"")
            .because(refusal.cause, refusal.says);
    }
    let form = String::from_utf8_lossy(&call.request.body);
    if parameter(&form, "grant_type").as_deref() != Some("client_credentials") {
        return error(400, "unsupported_grant_type");
    }
    let scope = parameter(&form, "scope").unwrap_or_else(|| "read".to_owned());
    let now = call.lab.now();
    let claims = claims(call, now, &scope);
    match call.lab.keys.token(Which::Ec, "lab-es256", "at+jwt", &claims) {
        Some(token) => Answer::json(
            200,
            &json!({"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": scope}),
        )
        .with("Cache-Control", "no-store"),
        None => error(500, "server_error"),
    }
}

/// A DPoP proof (RFC 9449 section 4.2).
fn proof(call: &Call<'_>) -> Option<String> {
    let now = call.lab.now();
    let parameter = |name: &str| call.request.parameter(name);
    let ago: i64 = parameter("ago").and_then(|a| a.parse().ok()).unwrap_or(0);
    let mut claims = Map::new();
    let mut set = |name: &str, value: Value| claims.insert(name.to_owned(), value);
    set("jti", json!(random_text()));
    set("htm", json!(parameter("htm").unwrap_or_else(|| "GET".to_owned())));
    set("htu", json!(parameter("htu")?));
    set("iat", json!(now.saturating_sub(ago)));
    if let Some(token) = parameter("token") {
        set("ath", json!(why401_auth::token::dpop::access_token_hash(token.as_bytes())));
    }
    if parameter("nonce").is_some() {
        set("nonce", json!(call.lab.nonces.issue(now)));
    }
    call.lab.keys.proof(&claims)
}

/// The two fields of an HTTP Message Signature over method, host and path, one a line, as `curl -H @-` takes them.
fn message_signature(call: &Call<'_>) -> Option<String> {
    let parameter = |name: &str| call.request.parameter(name);
    let ago: i64 = parameter("ago").and_then(|a| a.parse().ok()).unwrap_or(0);
    let created = call.lab.now().saturating_sub(ago);
    let method = parameter("method").unwrap_or_else(|| "GET".to_owned());
    let path = parameter("path")?;
    let params =
        format!("(\"@method\" \"@authority\" \"@path\");created={created};keyid=\"lab\";alg=\"hmac-sha256\"");
    let authority = call.request.authority();
    let components =
        Components { method: &method, authority: &authority, path: &path, query: "", fields: &[] };
    let text = base(&["@method", "@authority", "@path"], &params, &components)?;
    let signature = sign(&Secret::new(accounts::SHARED_SECRET), &text);
    Some(format!("Signature-Input: sig1={params}\nSignature: sig1=:{signature}:\n"))
}
