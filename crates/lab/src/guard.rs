//! How the stations verify and refuse: the same few ways for most of them.

use crate::accounts::{self, Account};
use crate::message::Answer;
use crate::station::Call;
use serde_json::json;
use why401_auth::token::jwt::Jwt;
use why401_verify::{Presented, Refusal, dpop, jwt, presented};

/// The challenge for API keys; no registered scheme, as they go.
pub(crate) const KEY: &str = "ApiKey realm=\"lab\", name=\"X-Api-Key\"";
/// The challenge for a session (draft-broyer-http-cookie-auth).
pub(crate) const COOKIE: &str = "Cookie realm=\"lab\", cookie-name=\"sid\"";
/// The challenge for signed requests.
pub(crate) const SIGNATURE: &str = "Signature realm=\"lab\"";
/// The challenge for a client certificate.
pub(crate) const CERTIFICATE: &str = "Certificate realm=\"lab\"";
/// The challenge for tokens, where nothing more is said.
pub(crate) const BEARER: &str = "Bearer realm=\"lab\"";
/// The challenge for Basic (RFC 7617 section 2).
pub(crate) const BASIC: &str = "Basic realm=\"lab\", charset=\"UTF-8\"";

/// Lets somebody in.
pub(crate) fn admit(user: &str) -> Answer {
    Answer::json(200, &json!({"authenticated": true, "user": user})).user(user)
}

/// Refuses without a word about why, as a careful server does.
pub(crate) fn refuse(challenge: &str, refusal: &Refusal) -> Answer {
    let answer = Answer::text(401, "401 Unauthorized\n").because(refusal.cause, refusal.says.clone());
    Answer { plain: true, ..answer }.challenge(challenge)
}

/// Refuses and says why: in the content, and in the challenge for those who do not look at the content.
pub(crate) fn refuse_saying(status: u16, challenge: &str, cause: &'static str, says: &str) -> Answer {
    let described = says.replace(['"', '\\'], "'");
    Answer::json(status, &json!({"error": says}))
        .because(cause, says)
        .challenge(format!("{challenge}, error_description=\"{described}\""))
}

/// Verifies Basic credentials.
pub(crate) fn basic(call: &Call<'_>) -> Result<&'static Account, Refusal> {
    match presented::read(&call.request.values("authorization"), &["basic"])? {
        Presented::Basic(pair) => accounts::verify(&pair),
        _ => Err(Refusal::new("scheme-not-offered", "only Basic is offered")),
    }
}

/// A resource that Basic protects and that says nothing of why it refuses.
pub(crate) fn basic_resource(call: &mut Call<'_>) -> Answer {
    match basic(call) {
        Ok(account) => admit(account.name),
        Err(refusal) => refuse(BASIC, &refusal),
    }
}

/// A resource that Basic protects and that says why it refuses.
pub(crate) fn outspoken_resource(call: &mut Call<'_>) -> Answer {
    match basic(call) {
        Ok(account) => admit(account.name),
        Err(refusal) => match refusal.cause {
            "unknown-user" => refuse_saying(401, BASIC, refusal.cause, "No such user"),
            "wrong-password" => refuse_saying(401, BASIC, refusal.cause, "The password is incorrect"),
            "no-credentials" => refuse(BASIC, &refusal),
            cause => {
                let says = refusal.says.clone();
                refuse_saying(401, BASIC, cause, &says)
            }
        },
    }
}

/// What a resource server says of a token that it refuses; the words are those of common libraries.
fn description(refusal: &Refusal) -> &'static str {
    match refusal.cause {
        "token-expired" => "The access token expired",
        "token-not-yet-valid" => "The token is not yet valid (nbf)",
        "clock-skew" => "The token was issued in the future (iat)",
        "wrong-audience" => "Token audience does not match",
        "wrong-issuer" => "The issuer is not trusted",
        "bad-signature" => "JWT signature verification failed",
        "wrong-token-type" => "Token is not an access token",
        "token-malformed" => "JWT is malformed",
        "token-revoked" => "The access token has been revoked",
        "scope-missing" => "The request requires higher privileges than provided by the access token",
        _ => "The access token is invalid",
    }
}

/// The challenge for Bearer (RFC 6750 section 3, RFC 9728 section 5.1): an error only where a token was sent.
pub(crate) fn bearer_challenge(call: &Call<'_>, refusal: &Refusal, scope: Option<&str>) -> String {
    let metadata =
        format!("resource_metadata=\"{}/.well-known/oauth-protected-resource\"", call.request.base());
    let error = match refusal.cause {
        "no-credentials" | "wrong-field" | "scheme-not-offered" => {
            return format!("Bearer realm=\"lab\", {metadata}");
        }
        "scope-missing" => "insufficient_scope",
        "empty-credentials" | "scheme-missing" | "scheme-doubled" | "duplicate-credentials" => {
            "invalid_request"
        }
        _ => "invalid_token",
    };
    let scope = scope.map(|s| format!(", scope=\"{s}\"")).unwrap_or_default();
    let says = match error {
        "invalid_request" => "The request is malformed",
        _ => description(refusal),
    };
    format!("Bearer realm=\"lab\", error=\"{error}\", error_description=\"{says}\"{scope}, {metadata}")
}

/// Where else a secret may stand than in the Authorization field: clients that are nearly right put it there.
fn elsewhere(call: &Call<'_>) -> bool {
    let fields = ["x-api-key", "authorisation", "proxy-authorization"];
    fields.iter().any(|name| call.request.field(name).is_some())
        || call.request.parameter("access_token").is_some()
}

/// Verifies a Bearer token.
pub(crate) fn bearer(call: &Call<'_>, scope: Option<&str>) -> Result<Jwt, Refusal> {
    let presented = match presented::read(&call.request.values("authorization"), &["bearer"]) {
        Err(refusal) if refusal.cause == "no-credentials" && elsewhere(call) => {
            return Err(Refusal::new("wrong-field", "a secret stands in another place than Authorization"));
        }
        presented => presented?,
    };
    match presented {
        Presented::Token { token, .. } => token_of(call, token.text.expose(), scope),
        _ => Err(Refusal::new("scheme-not-offered", "only Bearer is offered")),
    }
}

/// Verifies a token against the lab's keys and rules.
pub(crate) fn token_of(call: &Call<'_>, token: &[u8], scope: Option<&str>) -> Result<Jwt, Refusal> {
    let base = call.request.base();
    let rules = jwt::Rules { issuer: &base, audience: &base, scope, leeway: 5, now: call.lab.now() };
    let read = jwt::verify(token, &call.lab.keys.verifying(), &rules)?;
    match read.claim_text("jti").is_some_and(|jti| jti.starts_with("revoked-")) {
        true => Err(Refusal::new("token-revoked", "the token was revoked")),
        false => Ok(read),
    }
}

/// A resource that Bearer tokens open.
pub(crate) fn bearer_resource(call: &mut Call<'_>) -> Answer {
    scoped(call, None)
}

/// A resource that Bearer tokens with the scope `write` open.
pub(crate) fn scoped_resource(call: &mut Call<'_>) -> Answer {
    scoped(call, Some("write"))
}

fn scoped(call: &Call<'_>, scope: Option<&str>) -> Answer {
    match bearer(call, scope) {
        Ok(token) => admit(token.sub().unwrap_or("nobody")),
        Err(refusal) => {
            let challenge = bearer_challenge(call, &refusal, scope);
            refuse(&challenge, &refusal)
        }
    }
}

/// A resource that takes tokens bound to a key (RFC 9449). `nonce`: one of the lab's must be in the proof.
pub(crate) fn dpop_resource(call: &Call<'_>, with_nonce: bool) -> Answer {
    const CAUSE: &str = "proof-of-possession-failed";
    let now = call.lab.now();
    let refused = |refusal: Refusal, error: &str| {
        let error = match (refusal.cause, error) {
            ("no-credentials", _) => String::new(),
            (_, error) => format!("error=\"{error}\", error_description=\"{}\", ", refusal.says),
        };
        refuse(&format!("DPoP {error}algs=\"ES256 RS256\""), &refusal)
    };
    let values = call.request.values("authorization");
    let token = match presented::read(&values, &["dpop", "bearer"]) {
        Ok(Presented::Token { scheme, token }) if scheme == "dpop" => token,
        Ok(_) => {
            return refused(
                Refusal::new(CAUSE, "a token bound to a key was sent as a Bearer token"),
                "invalid_token",
            );
        }
        Err(refusal) => return refused(refusal, "invalid_token"),
    };
    let read = match token_of(call, token.text.expose(), None) {
        Ok(read) => read,
        Err(refusal) => return refused(refusal, "invalid_token"),
    };
    let proofs = call.request.values("dpop");
    let [proof] = proofs.as_slice() else {
        return refused(Refusal::new(CAUSE, "the DPoP proof is missing"), "invalid_dpop_proof");
    };
    let url = format!("{}{}", call.request.base(), call.request.path());
    let given = why401_auth::token::dpop::read(proof).and_then(|p| p.nonce).unwrap_or_default();
    let fresh = call.lab.nonces.check(&given, now) == why401_verify::digest::Freshness::Fresh;
    let rules = dpop::Rules {
        method: &call.request.method,
        url: &url,
        token: token.text.expose(),
        nonce: None,
        window: 60,
        now,
    };
    match dpop::verify(proof, &rules) {
        Err(refusal) => refused(refusal, "invalid_dpop_proof"),
        Ok(_) if with_nonce && !fresh => {
            refused(Refusal::new(CAUSE, "the proof needs a nonce of this server"), "use_dpop_nonce")
                .with("DPoP-Nonce", call.lab.nonces.issue(now))
        }
        Ok(_) => admit(read.sub().unwrap_or("nobody")),
    }
}
