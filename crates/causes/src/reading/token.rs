//! The token of a request, and what the rest of the evidence tells of its life: who issued it, where it was accepted.

use super::clock;
use crate::scene::same_server;
use crate::{Offered, Scene, Step};
use serde_json::Value;
use std::borrow::Cow;
use why401_auth::field::Element;
use why401_auth::scheme::bearer::{self, BearerChallenge};
use why401_auth::token::jwt::{self, Jwt};
use why401_auth::token::{self, Token};
use why401_history::Attempt;
use why401_http::{Body, Exchange, FieldLine, query_of};

/// So many requests before and after a refusal are looked at for the same token: enough for a session, and linear.
const NEAR: usize = 1_000;

/// A token with the place where it was sent.
#[derive(Debug)]
pub(crate) struct Carried<'a> {
    pub(crate) view: &'a Exchange,
    /// The field that carries it.
    pub(crate) field: &'a FieldLine,
    /// The auth-scheme in lower case; empty in another field than `Authorization`.
    pub(crate) scheme: String,
    pub(crate) token: Token,
}

impl Carried<'_> {
    /// The JWT that it is, perhaps a broken one.
    pub(crate) fn jwt(&self) -> Option<&Jwt> {
        self.token.jwt.as_deref()
    }

    /// What the token is, in words for a summary.
    pub(crate) fn noun(&self) -> &'static str {
        match (self.jwt(), self.token.vendor) {
            (Some(_), _) => "token",
            (None, Some(vendor)) => vendor.kind,
            (None, None) => "opaque token",
        }
    }
}

/// The token that a step sends: in its credentials, else a JWT in a field of its own.
pub(crate) fn carried<'a>(step: &Step<'a>) -> Option<Carried<'a>> {
    if let Some(sent) = step.credentials() {
        let token = sent.token()?.clone();
        let usable = token.placeholder.is_none() && !token.text.is_empty();
        return usable.then(|| Carried {
            view: sent.view,
            field: sent.field,
            scheme: sent.scheme().to_owned(),
            token,
        });
    }
    step.attempt.views.iter().find_map(|view| {
        let fields = view.request.iter().flat_map(|r| r.fields.iter());
        let mut other = fields.filter(|f| !f.is("cookie") && !f.is("dpop") && !f.is("authorization"));
        let field = other.find(|f| jwt::looks_like(f.value.as_bytes()))?;
        let token = token::read(field.value.as_bytes(), 0..field.value.len());
        Some(Carried { view, field, scheme: String::new(), token })
    })
}

/// What the challenge says of the token: the first one with an error, else the first that takes tokens.
pub(crate) fn challenge<'s, 'a>(
    step: &'s Step<'a>,
) -> Option<(&'s Offered<'a>, &'s Element, BearerChallenge)> {
    let told = step.challenges().find(|(_, c)| c.param("error").is_some());
    let (offered, element) =
        told.or_else(|| step.challenges().find(|(_, c)| takes_tokens(&c.scheme.name)))?;
    Some((offered, element, bearer::challenge(element)))
}

/// Whether a scheme carries tokens.
pub(crate) fn takes_tokens(scheme: &str) -> bool {
    matches!(scheme, "bearer" | "dpop" | "token" | "jwt" | "oauth" | "oauth2" | "apikey" | "mtls_pop" | "pop")
}

/// Whether the answer's challenges leave a place for tokens: none at all do, and any that takes tokens.
pub(crate) fn wanted(step: &Step<'_>) -> bool {
    step.offered.is_empty() || step.challenges().any(|(_, c)| takes_tokens(&c.scheme.name))
}

/// Whether the refusal is of a kind that a token can be the reason for.
pub(crate) fn is_refused(scene: &Scene<'_>) -> bool {
    !scene.let_in() && matches!(scene.status(), Some(400 | 401 | 403 | 407 | 422) | None)
}

/// Whether the server's own words, which know better, name another cause than this one or those that go with it.
pub(crate) fn told_otherwise(scene: &Scene<'_>, causes: &[&str]) -> bool {
    scene
        .heard
        .iter()
        .any(|h| h.proves() && h.names_a_reason() && h.attempt.is_some() && !causes.contains(&h.said.cause))
}

/// Whether a request was really let in by means of its token: a redirect or a 404 proves nothing.
fn is_accepted(a: &Attempt) -> bool {
    matches!(a.status(), Some(200..=299 | 304))
}

fn same_token(a: &Attempt, carried: &Carried<'_>) -> bool {
    let name = carried.field.name.to_text();
    a.request_field(&name).is_some_and(|f| f.value.as_bytes() == carried.field.value.as_bytes())
}

/// The last request before the refusal that the same server let in with the same token.
pub(crate) fn accepted_before<'a>(
    scene: &Scene<'a>,
    step: &Step<'a>,
    carried: &Carried<'_>,
) -> Option<&'a Attempt> {
    let mut near = scene.earlier().take(NEAR);
    near.find(|a| is_accepted(a) && same_server(a, step.attempt) && same_token(a, carried))
}

/// The first request after the refusal that the same server let in with the same token.
pub(crate) fn accepted_after<'a>(
    scene: &Scene<'a>,
    step: &Step<'a>,
    carried: &Carried<'_>,
) -> Option<&'a Attempt> {
    let mut near = scene.later().take(NEAR);
    near.find(|a| is_accepted(a) && same_server(a, step.attempt) && same_token(a, carried))
}

/// JWTs that the same server let in, other than the one refused.
pub(crate) fn accepted_others<'a>(
    scene: &Scene<'a>,
    step: &Step<'a>,
    carried: &Carried<'_>,
) -> Vec<(&'a Attempt, &'a FieldLine, Jwt)> {
    let name = carried.field.name.to_text().into_owned();
    let near = scene.earlier().take(NEAR).chain(scene.later().take(NEAR));
    let others = near.filter(|a| is_accepted(a) && same_server(a, step.attempt) && !same_token(a, carried));
    others
        .filter_map(|a| Some((a, a.request_field(&name)?)))
        .filter_map(|(a, f)| Some((a, f, jwt_of(f)?)))
        .take(8)
        .collect()
}

fn jwt_of(field: &FieldLine) -> Option<Jwt> {
    let value = field.value.as_bytes();
    let start = value.iter().position(|b| *b == b' ').map_or(0, |i| i + 1);
    jwt::looks_like(value.get(start..)?).then(|| jwt::read(value, start..value.len()))
}

/// A token as the answer of a token endpoint gave it (RFC 6749 section 5.1).
#[derive(Debug)]
pub(crate) struct Issued<'a> {
    pub(crate) attempt: &'a Attempt,
    /// The member of the answer that holds it.
    pub(crate) member: &'static str,
    pub(crate) token: String,
    /// How long it lives, in seconds.
    pub(crate) expires_in: Option<i64>,
    /// When the answer was given, in seconds since 1970, by the endpoint's clock or the recorder's.
    pub(crate) at: Option<i64>,
}

/// The tokens that were issued in the evidence before the refusal, the newest first.
pub(crate) fn issued<'a>(scene: &Scene<'a>) -> Vec<Issued<'a>> {
    const MEMBERS: &[&str] =
        &["access_token", "id_token", "refresh_token", "token", "accessToken", "idToken", "jwt"];
    let mut found = Vec::new();
    for attempt in scene.earlier().take(NEAR).filter(|a| is_accepted(a) && may_issue(a)) {
        let Some(Value::Object(answer)) = attempt.response().and_then(|r| json(&r.body)) else { continue };
        let expires_in = ["expires_in", "expiresIn"].iter().find_map(|n| answer.get(*n)).and_then(seconds);
        let step = Step::of(attempt);
        let at = clock::recorder(scene, &step).or_else(|| clock::server(&step).map(|c| c.at));
        for member in MEMBERS {
            if let Some(text) = answer.get(*member).and_then(Value::as_str).filter(|t| t.len() >= 8) {
                // The lifetime is the access token's (RFC 6749 section 5.1).
                let expires_in = expires_in
                    .filter(|_| !member.to_ascii_lowercase().contains("id") && *member != "refresh_token");
                found.push(Issued { attempt, member, token: text.to_owned(), expires_in, at });
            }
        }
    }
    found
}

/// Whether a request is of the kind that tokens are asked for with, so that not every document is read.
fn may_issue(a: &Attempt) -> bool {
    const PLACES: &[&str] = &["token", "auth", "login", "session", "signin"];
    a.method().as_deref() == Some("POST")
        || a.path().is_some_and(|p| {
            let p = p.to_ascii_lowercase();
            PLACES.iter().any(|place| p.contains(place))
        })
}

fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A body that is one JSON document.
pub(crate) fn json(body: &Body) -> Option<Value> {
    let bytes = body.bytes.as_bytes();
    let begins = bytes.iter().find(|b| !b.is_ascii_whitespace());
    matches!(begins, Some(b'{' | b'[')).then(|| serde_json::from_slice(bytes).ok()).flatten()
}

/// Host and port of an absolute address in lower case, without those that the scheme has by itself.
pub(crate) fn host_of(address: &str) -> Option<String> {
    let a = why401_http::Address::parse(address)?;
    let own = if a.scheme == "https" || a.scheme == "wss" { 443 } else { 80 };
    Some(if a.port == own { a.host } else { format!("{}:{}", a.host, a.port) })
}

/// A parameter of a query, percent-decoded as far as dates and numbers need it.
pub(crate) fn query_param<'t>(target: &'t str, name: &str) -> Option<Cow<'t, str>> {
    let pairs = query_of(target)?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
    Some(if value.contains('%') { Cow::Owned(percent(value)) } else { Cow::Borrowed(value) })
}

fn percent(text: &str) -> String {
    String::from_utf8_lossy(&why401_auth::percent::decode(text.as_bytes())).into_owned()
}
