//! Requests that are signed rather than accompanied by a secret, and the times that they name.

use super::{clock, dpop, token};
use crate::{Scene, Step};
use std::ops::Range;
use why401_auth::Credentials;
use why401_http::{Exchange, FieldLine};
use why401_report::Annotation;

/// How a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// AWS Signature Version 4, and Google's of the same build.
    Aws4,
    /// OAuth 1.0 (RFC 5849).
    OAuth1,
    /// HTTP Message Signatures (RFC 9421).
    MessageSignature,
    /// draft-cavage-http-signatures: `Authorization: Signature`.
    Cavage,
    /// Hawk.
    Hawk,
    /// Azure's Shared Key.
    SharedKey,
    /// A field that holds an HMAC of the body, as webhooks and exchanges have it.
    Webhook,
}

impl Kind {
    /// Its name in a sentence.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Aws4 => "AWS Signature Version 4",
            Kind::OAuth1 => "OAuth 1.0",
            Kind::MessageSignature => "HTTP Message Signatures",
            Kind::Cavage => "HTTP Signatures (draft-cavage)",
            Kind::Hawk => "Hawk",
            Kind::SharedKey => "Azure Shared Key",
            Kind::Webhook => "a signature field",
        }
    }
}

/// A signature in a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) kind: Kind,
    pub(crate) view: &'a Exchange,
    /// The field that holds it; `None` where it is in the query.
    pub(crate) field: Option<&'a FieldLine>,
}

/// Whether words for a signature that does not verify are about a signed request: tokens, for which the words are the same,
/// are not spoken of.
pub(crate) fn is_told(scene: &Scene<'_>) -> bool {
    const SIGNING: &[&str] =
        &["hmac", "sha512", "sha256", "x-signature", "apisign", "oauth_", "oauth1", "nonce"];
    const TOKENS: &[&str] =
        &["jwt", "bearer", "id_token", "access_token", "id token", "jwk", "eyj", "jsonwebtoken"];
    let facts = scene.case.facts.iter().map(|f| &f.text);
    let texts = scene.statements().map(|s| &s.text).chain(facts).take(400);
    let all: Vec<String> = texts.map(|t| t.to_text().to_ascii_lowercase()).collect();
    let any = |words: &[&str]| all.iter().any(|t| words.iter().any(|w| t.contains(w)));
    let words = !any(TOKENS) && (any(SIGNING) || !any(&["token"]));
    words && scene.refused().is_none_or(|step| token::carried(step).is_none())
}

/// The signature of a step. A DPoP proof is not counted here: it proves a key and does not sign the request.
pub(crate) fn of<'a>(step: &Step<'a>) -> Option<Signed<'a>> {
    if let Some(sent) = step.sent.iter().find(|s| kind_of(s.scheme()).is_some()) {
        let kind = kind_of(sent.scheme())?;
        let real =
            kind != Kind::OAuth1 || sent.credentials().is_some_and(|c| c.param("oauth_signature").is_some());
        if real {
            return Some(Signed { kind, view: sent.view, field: Some(sent.field) });
        }
    }
    let (view, request) = step.request()?;
    if let Some((view, field)) = step.request_field("signature-input") {
        return Some(Signed { kind: Kind::MessageSignature, view, field: Some(field) });
    }
    let target = request.target();
    if ["x-amz-signature", "x-goog-signature"].iter().any(|n| token::query_param(&target, n).is_some()) {
        return Some(Signed { kind: Kind::Aws4, view, field: None });
    }
    if token::query_param(&target, "oauth_signature").is_some() {
        return Some(Signed { kind: Kind::OAuth1, view, field: None });
    }
    let field = request.fields.iter().find(|f| is_signature_field(&f.name.to_text()))?;
    Some(Signed { kind: Kind::Webhook, view, field: Some(field) })
}

fn kind_of(scheme: &str) -> Option<Kind> {
    Some(match scheme {
        "aws4-hmac-sha256" | "aws4-ecdsa-p256-sha256" | "goog4-hmac-sha256" | "goog4-rsa-sha256" | "aws" => {
            Kind::Aws4
        }
        "oauth" => Kind::OAuth1,
        "signature" => Kind::Cavage,
        "hawk" => Kind::Hawk,
        "sharedkey" | "sharedkeylite" => Kind::SharedKey,
        _ => return None,
    })
}

/// `X-Hub-Signature-256`, `Stripe-Signature`, `X-Shopify-Hmac-Sha256`, `OK-ACCESS-SIGN`.
pub(crate) fn is_signature_field(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let fits = name.contains("signature")
        || name.contains("hmac")
        || name.ends_with("-sign")
        || name.ends_with("-sig");
    fits && !matches!(name.as_str(), "signature-input" | "signature-agent" | "accept-signature")
}

/// A time that a request names for its signature or proof.
pub(crate) struct Stamp<'a> {
    /// The name of the parameter or field.
    pub(crate) name: String,
    /// In seconds since 1970.
    pub(crate) at: i64,
    view: &'a Exchange,
    field: Option<(&'a FieldLine, Range<usize>)>,
    /// How far it may be from the server's clock, in seconds.
    pub(crate) allowed: i64,
    /// Beyond this no server is known to take it, in seconds.
    pub(crate) never: i64,
    /// Who allows so much.
    pub(crate) rule: &'static str,
    /// Whether it may also be too old: an address signed in advance may not.
    pub(crate) ages: bool,
}

impl Stamp<'_> {
    /// The bytes that hold it.
    pub(crate) fn shown(&self, scene: &Scene<'_>, says: impl Into<String>) -> Option<Annotation> {
        match (&self.field, self.view.request.as_ref()) {
            (Some((field, range)), _) => Some(scene.show_in_field(self.view, field, range.clone(), says)),
            (None, Some(request)) => Some(scene.show_request(self.view, request, says)),
            (None, None) => None,
        }
    }
}

/// What is allowed where, and who says so.
struct Rule {
    allowed: i64,
    never: i64,
    says: &'static str,
}

const AWS: Rule = Rule { allowed: 300, never: 900, says: "AWS takes 5 minutes, S3 takes 15" };
const OAUTH1: Rule = Rule {
    allowed: 300,
    never: 600,
    says: "servers commonly take 5 minutes (RFC 5849 section 3.3 leaves it to them)",
};
const MESSAGE: Rule = Rule {
    allowed: 60,
    never: 300,
    says: "RFC 9421 section 7.2.2 leaves it to the server, which commonly takes some minutes",
};
const CAVAGE: Rule = Rule { allowed: 60, never: 300, says: "servers commonly take 5 minutes" };
const HAWK: Rule = Rule { allowed: 60, never: 120, says: "Hawk takes 60 seconds" };
const AZURE: Rule = Rule { allowed: 900, never: 900, says: "Azure Storage takes 15 minutes" };
const WEBHOOK: Rule = Rule { allowed: 60, never: 300, says: "receivers commonly take 5 minutes" };
const PROOF: Rule = Rule {
    allowed: 60,
    never: 300,
    says: "RFC 9449 section 11.1 wants the window small: seconds or minutes",
};

const WSSE: Rule = Rule {
    allowed: 300,
    never: i64::MAX,
    says: "the UsernameToken Profile (OASIS, version 1.1.1 section 3.1) recommends five minutes, in UTC",
};

/// When a WS-Security user name token was made (UsernameToken Profile section 3.1, `wsu:Created`).
fn created(body: &str) -> Option<i64> {
    let token = body.split_once("UsernameToken")?.1.split("UsernameToken>").next()?;
    let value = token.split_once("Created")?.1.split_once('>')?.1.split('<').next()?;
    clock::parse(value.trim())
}

/// The times that a step's signature or proof names.
pub(crate) fn stamps<'a>(step: &Step<'a>) -> Vec<Stamp<'a>> {
    let mut found = Vec::new();
    let Some((view, request)) = step.request() else { return found };
    let mut add = |name: &str,
                   at: Option<i64>,
                   view,
                   field: Option<(&'a FieldLine, Range<usize>)>,
                   rule: &Rule,
                   ages| {
        if let Some(at) = at {
            let (allowed, never) = (rule.allowed, rule.never);
            found.push(Stamp {
                name: name.to_owned(),
                at,
                view,
                field,
                allowed,
                never,
                rule: rule.says,
                ages,
            });
        }
    };
    if let Some((at, range)) = dpop::stamp(step)
        && let Some((view, field)) = step.request_field("dpop")
    {
        add("the proof's iat", Some(at), view, Some((field, range)), &PROOF, true);
    }
    let wsse = step.request_field("x-wsse").and_then(|(view, field)| {
        let text = field.text();
        let from = text.find("Created=\"")? + "Created=\"".len();
        let len = text.get(from..)?.find('"')?;
        Some((view, Some((field, from..from + len)), clock::parse(text.get(from..from + len)?)))
    });
    if let Some((view, field, at)) = wsse.or_else(|| Some((view, None, created(&request.body.text())))) {
        add("Created", at, view, field, &WSSE, true);
    }
    let Some(signed) = of(step) else { return found };
    let by_field = |name: &str| step.request_field(name).map(|(v, f)| (v, f, clock::parse(&f.text())));
    match signed.kind {
        Kind::Aws4 if signed.field.is_none() => {
            let target = request.target();
            for name in ["X-Amz-Date", "X-Goog-Date"] {
                let at = token::query_param(&target, name).and_then(|v| clock::parse(&v));
                add(name, at, view, None, &AWS, false);
            }
        }
        Kind::Aws4 | Kind::SharedKey => {
            let rule = if signed.kind == Kind::Aws4 { &AWS } else { &AZURE };
            let first = ["x-amz-date", "x-ms-date", "x-goog-date", "date"]
                .iter()
                .find_map(|n| by_field(n).map(|f| (n, f)));
            if let Some((name, (view, field, at))) = first {
                add(name, at, view, Some((field, 0..field.value.len())), rule, true);
            }
        }
        Kind::OAuth1 | Kind::Cavage | Kind::Hawk => {
            let (rule, names): (_, &[&str]) = match signed.kind {
                Kind::OAuth1 => (&OAUTH1, &["oauth_timestamp"]),
                Kind::Hawk => (&HAWK, &["ts"]),
                _ => (&CAVAGE, &["created", "(created)"]),
            };
            let mut any = false;
            if signed.kind == Kind::OAuth1 && signed.field.is_none() {
                let at =
                    token::query_param(&request.target(), "oauth_timestamp").and_then(|v| clock::parse(&v));
                any = at.is_some();
                add("oauth_timestamp", at, view, None, rule, true);
            }
            for sent in &step.sent {
                let params = sent.credentials().into_iter().flat_map(|c: &Credentials| c.params.iter());
                for p in params.filter(|p| names.contains(&p.name.as_str())) {
                    let at = p.text().and_then(|t| clock::parse(&t));
                    any |= at.is_some();
                    add(&p.written, at, sent.view, Some((sent.field, p.value_range.clone())), rule, true);
                }
            }
            if !any && let Some((view, field, at)) = by_field("date").or_else(|| by_field("x-date")) {
                add(&field.name.to_text(), at, view, Some((field, 0..field.value.len())), rule, true);
            }
        }
        Kind::MessageSignature => {
            if let Some((view, field)) = step.request_field("signature-input") {
                let text = field.text();
                if let Some(range) = after(&text, ";created=") {
                    let at = text.get(range.clone()).and_then(clock::parse);
                    add("created", at, view, Some((field, range)), &MESSAGE, true);
                }
            }
        }
        Kind::Webhook => {
            if let Some(field) = signed.field {
                // `t=1492774577,v1=…`, as Stripe writes it.
                let text = field.text();
                let range = if text.starts_with("t=") { Some(digits(&text, 2)) } else { after(&text, ",t=") };
                if let Some(range) = range {
                    let at = text.get(range.clone()).and_then(clock::parse);
                    add("t", at, signed.view, Some((field, range)), &WEBHOOK, true);
                }
            }
            for field in
                request.fields.iter().filter(|f| f.name.to_text().to_ascii_lowercase().contains("timestamp"))
            {
                add(
                    &field.name.to_text(),
                    clock::parse(&field.text()),
                    view,
                    Some((field, 0..field.value.len())),
                    &WEBHOOK,
                    true,
                );
            }
        }
    }
    found
}

/// The digits after `mark`.
pub(crate) fn after(text: &str, mark: &str) -> Option<Range<usize>> {
    let at = text.find(mark)? + mark.len();
    Some(digits(text, at))
}

fn digits(text: &str, at: usize) -> Range<usize> {
    let n = text.as_bytes().iter().skip(at).take_while(|b| b.is_ascii_digit()).count();
    at..at + n
}
