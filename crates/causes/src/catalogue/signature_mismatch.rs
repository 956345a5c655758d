//! The signature over the request does not match.

use crate::cause::{Answer, Claim, cause};
use crate::reading::at_most;
use crate::reading::canonical::{self, Compared};
use crate::reading::signed::{self, Kind, Signed};
use crate::reading::{quoted, settle};
use crate::scene::same_server;
use crate::{Scene, Step};
use sha2::{Digest, Sha256, Sha512};
use std::ops::Range;
use why401_auth::base64;
use why401_auth::scheme::sigv4;
use why401_http::{FieldLine, Request};
use why401_report::{Annotation, Certainty, Party};

cause! {
    /// The signature over the request does not match.
    ///
    /// # What happened
    /// Client and server each compute a signature over parts of the request with a shared secret or a key, and the two
    /// differ: another secret, other parts, another spelling of them (encoding, order, white space), or the request was
    /// changed after it had been signed: by a proxy, or by a framework that parsed and rewrote the body.
    ///
    /// # How it is decided
    /// The answer says so about a request that is signed: certain. So is a signed part that differs from what was sent:
    /// a digest that is not the body's, a signed field that is not there, a date in the credentials that is not the
    /// date of the request, a signed field that a proxy changed.
    ///
    /// # Who acts
    /// Whoever writes or configures the client; who runs the proxy, where it changed a signed part.
    ///
    /// # What to do
    /// Compare what was signed, not the signatures: the canonical request or signature base string of both sides, byte
    /// for byte. Sign and verify the raw body as it goes over the wire, before anything parses it. Check the secret for
    /// spaces and line ends.
    ///
    /// # Evidence needed
    /// The whole request with its body, and the answer.
    ///
    /// # Not to be confused with
    /// clock-skew: the signature is right and its time is not. bad-signature: the signature of a token.
    ///
    /// # References
    /// AWS, Signature Version 4, "Create a canonical request"; RFC 9421 sections 2.5 and 3.2; RFC 9530 section 2
    /// (Content-Digest); RFC 5849 section 3.4; draft-cavage-http-signatures-12 section 2.3.
    pub SignatureMismatch = "signature-mismatch" in Token, Fault by Caller, over ["credentials-refused", "wrong-password", "no-credentials"]
}

impl SignatureMismatch {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !crate::reading::token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene.told_claim("signature-mismatch", "the signature does not match");
        // Beside a JWT that was sent, "invalid signature" speaks of the token's, unless its words say otherwise.
        let of_token = |claim: &Claim| {
            let jwt = |step| crate::reading::token::carried(step).is_some_and(|c| c.jwt().is_some());
            claim.certainty != Certainty::Certain && scene.refused().is_some_and(jwt)
        };
        let told = told.filter(|claim| !of_token(claim));
        let found = scene.refused().and_then(|step| look(scene, step, signed::of(step)?));
        settle(found, told, advise)
    }
}

/// A part that does not fit its signature.
struct Difference {
    says: String,
    shown: Vec<Annotation>,
    party: Option<Party>,
}

fn look(scene: &Scene<'_>, step: &Step<'_>, signed: Signed<'_>) -> Option<Claim> {
    let request = signed.view.request.as_ref()?;
    let found = [body_digest, missing_fields, credential_scope, changed_on_the_way, both_canonical_requests];
    if let Some(d) = found.iter().find_map(|f| f(scene, step, &signed, request)) {
        let mut claim = Claim::new(d.says).shown(d.shown);
        claim.party = d.party;
        return Some(claim);
    }
    if let Some(claim) = same_key_accepted(scene, step, &signed) {
        return Some(claim);
    }
    let words = said_in_the_answer(scene, step)?;
    let which = match (signed.kind, signed.field) {
        (Kind::Webhook, Some(field)) => format!("in {}", quoted(&field.name.to_text())),
        (kind, _) => format!("({})", kind.name()),
    };
    let mut claim = Claim::new(format!("the server says that the signature {which} does not match"));
    claim = claim.shown([words]);
    if let Some(field) = signed.field {
        claim = claim.shown([scene.show_field(signed.view, field, "the signature")]);
    }
    if signed.kind == Kind::Webhook && rewritten_json(request) {
        claim.summary.push_str(
            "; the body is indented JSON, which one side may have parsed and written anew before signing",
        );
    }
    Some(claim)
}

/// The same key and token are let in afterwards with another request: they are good, and what was signed here is not what
/// was sent (RFC 5849 section 3.6 encodes a space as `%20`, forms write `+`).
fn same_key_accepted(scene: &Scene<'_>, step: &Step<'_>, signed: &Signed<'_>) -> Option<Claim> {
    let key = |value: &str| match signed.kind {
        Kind::OAuth1 => {
            Some((after(value, "oauth_consumer_key=")?.to_owned(), after(value, "oauth_token=")?.to_owned()))
        }
        _ => None,
    };
    let field = signed.field?;
    let own = key(&field.text())?;
    let good = scene.later().filter(|a| a.served() && same_server(a, step.attempt)).find_map(|a| {
        let theirs = a.request_field("authorization").filter(|f| f.value != field.value)?;
        (key(&theirs.text())? == own).then_some((a, theirs))
    })?;
    let request = signed.view.request.as_ref()?;
    let encoded = |r: &Request| {
        let text = format!("{} {}", r.target(), r.body.text());
        text.contains('+') || text.contains("%20") || !text.is_ascii()
    };
    let special = encoded(request) && !good.0.request().is_some_and(encoded);
    let says =
        "the same key and token are let in with other requests: what was signed here is not what was sent";
    let says = if special {
        format!("{says}, which has a space or another character to be encoded")
    } else {
        says.to_owned()
    };
    let claim = Claim::new(says)
        .shown([scene.show_field(signed.view, field, "refused")])
        .shown([scene.show_field(good.0.view(), good.1, "the same key and token, let in")])
        .weighing(20);
    Some(at_most(claim, Certainty::Likely))
}

/// A digest of the body that the signature covers, against the body.
fn body_digest(
    scene: &Scene<'_>,
    _: &Step<'_>,
    signed: &Signed<'_>,
    request: &Request,
) -> Option<Difference> {
    let body = request.body.bytes.as_bytes();
    if !request.body.complete || !signed.view.shows.body || request.fields.has("content-encoding") {
        return None;
    }
    let field = |name: &str| request.fields.get(name);
    let wrong = |f: &FieldLine, range: Range<usize>| Difference {
        says: format!(
            "{} is not the digest of the body that was sent: the body was changed after signing, or another was signed",
            f.name.to_text()
        ),
        shown: vec![scene.show_in_field(signed.view, f, range, "not the digest of this body")],
        party: None,
    };
    if let Some(f) = field("x-amz-content-sha256") {
        let text = f.text();
        let is_hash = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let hex: String = Sha256::digest(body).iter().map(|b| format!("{b:02x}")).collect();
        return (is_hash && !text.eq_ignore_ascii_case(&hex)).then(|| wrong(f, 0..text.len()));
    }
    // `sha-256=:…:` (RFC 9530), `SHA-256=…` (RFC 3230).
    for name in ["content-digest", "digest"] {
        let Some(f) = field(name) else { continue };
        let text = f.text();
        for (prefix, hash) in
            [("sha-256=", Sha256::digest(body).to_vec()), ("sha-512=", Sha512::digest(body).to_vec())]
        {
            let Some(at) = text.to_ascii_lowercase().find(prefix).map(|i| i + prefix.len()) else { continue };
            let value = text.get(at..).unwrap_or_default().trim_start_matches(':');
            let value = value.split([':', ',']).next().unwrap_or_default();
            if !value.is_empty() && value.trim_end_matches('=') != base64::encode(&hash).trim_end_matches('=')
            {
                let end = (at + value.len() + 1).min(text.len());
                return Some(wrong(f, at..end));
            }
        }
    }
    None
}

/// A field that the signature covers and that the request does not have.
fn missing_fields(
    scene: &Scene<'_>,
    _: &Step<'_>,
    signed: &Signed<'_>,
    request: &Request,
) -> Option<Difference> {
    if !request.complete || !signed.view.shows.request_fields {
        return None;
    }
    let field = signed.field?;
    let value = field.text();
    let names: Vec<String> = match signed.kind {
        Kind::Aws4 => after(&value, "signedheaders=")?.split(';').map(str::to_owned).collect(),
        Kind::Cavage => after(&value, "headers=")?.trim_matches('"').split(' ').map(str::to_owned).collect(),
        Kind::MessageSignature => components(&value),
        _ => return None,
    };
    // Names with @ or in brackets are parts of the request that are no fields (RFC 9421 section 2.2).
    let names = names
        .iter()
        .map(|n| n.trim().to_ascii_lowercase())
        .filter(|n| !n.is_empty() && !n.starts_with(['@', '(']));
    let present = |n: &String| request.fields.has(n) || (n == "host" && request.fields.has(":authority"));
    let absent = names.into_iter().find(|n| !present(n))?;
    let at = value.to_ascii_lowercase().find(&absent).unwrap_or(0);
    Some(Difference {
        says: format!("the signature covers the field {}, and the request does not have it", quoted(&absent)),
        shown: vec![scene.show_in_field(
            signed.view,
            field,
            at..at + absent.len(),
            "signed, and not in the request",
        )],
        party: None,
    })
}

fn after<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let at = text.to_ascii_lowercase().find(name)? + name.len();
    let rest = text.get(at..)?;
    let end = if rest.starts_with('"') {
        rest.get(1..)?.find('"')? + 2
    } else {
        rest.find([',', ' ']).unwrap_or(rest.len())
    };
    rest.get(..end)
}

/// The names of the first signature's covered components (RFC 9421 section 4.1), without those that have parameters of
/// their own: these may stand in the answer or the trailers.
fn components(value: &str) -> Vec<String> {
    let list = value.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(list, _)| list);
    list.split(' ').filter(|c| !c.contains(';')).map(|c| c.trim_matches('"').to_owned()).collect()
}

/// The canonical request that the service gives back, against the request as it was sent.
fn both_canonical_requests(
    scene: &Scene<'_>,
    step: &Step<'_>,
    signed: &Signed<'_>,
    request: &Request,
) -> Option<Difference> {
    let (view, response) = step.response()?;
    let signature = match step.credentials().and_then(|s| s.credentials()) {
        Some(c) if sigv4::is_scheme(&c.scheme.name) => sigv4::of_credentials(c),
        _ => sigv4::of_target(request.target().as_bytes())?,
    };
    let body = &response.body.bytes;
    let (says, at, label, party) = match canonical::compare(signed, &signature, body.as_bytes())? {
        Compared::Same(at) => (
            "the service signed exactly the request that was sent: the secret key is another one than that of this access key, or the client signed something else".to_owned(),
            at,
            "this line and all others are those of the request as sent".to_owned(),
            None,
        ),
        Compared::Differs { theirs, ours, field } => (
            "the service got another request than the one that was sent, and signed that".to_owned(),
            theirs,
            format!("the request as sent makes this line {}", quoted(&ours)),
            field.then_some(Party::Intermediary),
        ),
    };
    let shown = vec![scene.show_part(view.source, body, at, label)];
    Some(Difference { says, shown, party })
}

/// The date in AWS credentials, against the date of the request.
fn credential_scope(
    scene: &Scene<'_>,
    step: &Step<'_>,
    signed: &Signed<'_>,
    _: &Request,
) -> Option<Difference> {
    let field = signed.field.filter(|_| signed.kind == Kind::Aws4)?;
    let value = field.text();
    let credential = after(&value, "credential=")?;
    let date =
        credential.split('/').nth(1).filter(|d| d.len() == 8 && d.bytes().all(|b| b.is_ascii_digit()))?;
    let (view, stamp) = step.request_field("x-amz-date")?;
    let text = stamp.text();
    if text.starts_with(date) || text.len() != 16 {
        return None;
    }
    let at = value.find(credential).unwrap_or(0);
    Some(Difference {
        says: format!(
            "the credential scope is of {date}, and the request of {}",
            text.get(..8).unwrap_or_default()
        ),
        shown: vec![
            scene.show_in_field(
                signed.view,
                field,
                at..at + credential.len(),
                "the day that the key was derived for",
            ),
            scene.show_field(view, stamp, "the day of the request"),
        ],
        party: None,
    })
}

/// The same request on both sides of an intermediary, with a part that the signature covers changed in between.
fn changed_on_the_way(
    scene: &Scene<'_>,
    step: &Step<'_>,
    signed: &Signed<'_>,
    request: &Request,
) -> Option<Difference> {
    let other = step.attempt.forwarded_as.or(step.attempt.forwarded_from)?;
    let other = scene.case.attempt(other)?;
    let there = other.request()?;
    let sees =
        other.views.iter().any(|v| v.shows.request_fields && v.request.as_ref().is_some_and(|r| r.complete));
    let covered: Vec<String> = match (signed.kind, signed.field) {
        (Kind::Aws4, Some(f)) => after(&f.text(), "signedheaders=")?.split(';').map(str::to_owned).collect(),
        (Kind::MessageSignature, Some(f)) => components(&f.text()),
        (Kind::Webhook, _) => Vec::new(),
        _ => vec!["host".to_owned(), "date".to_owned()],
    };
    let changed = covered.iter().find_map(|name| {
        let (here, there) = (request.fields.get(name)?, there.fields.get(name));
        (sees && there.is_none_or(|t| t.text() != here.text())).then_some((name, here, there))
    });
    let difference = |says: String, shown| Some(Difference { says, shown, party: Some(Party::Intermediary) });
    if let Some((name, here, there)) = changed {
        let mut shown = vec![scene.show_field(signed.view, here, "on one side of the proxy")];
        shown.extend(there.map(|t| scene.show_field(other.view(), t, "on the other side")));
        return difference(format!("a proxy changed the signed field {} on the way", quoted(name)), shown);
    }
    let path_counts = matches!(signed.kind, Kind::Aws4 | Kind::OAuth1 | Kind::Hawk)
        || covered.iter().any(|c| c.starts_with("@path") || c.starts_with("@target"));
    (path_counts && request.target() != there.target()).then(|| {
        let shown = vec![
            scene.show_request(signed.view, request, "on one side of the proxy"),
            scene.show_request(other.view(), there, "on the other side"),
        ];
        difference("a proxy rewrote the path of the signed request".to_owned(), shown)
    })?
}

/// Words about a signature in the answer to a signed request, which has no token whose signature could be meant.
fn said_in_the_answer(scene: &Scene<'_>, step: &Step<'_>) -> Option<Annotation> {
    const WORDS: &[&str] = &[
        "signature does not match",
        "signaturedoesnotmatch",
        "signature mismatch",
        "invalid signature",
        "signature is invalid",
        "signature invalid",
        "bad signature",
        "invalid_signature",
        "signature_invalid",
        "signature verification failed",
        "signature validation failed",
        "signature_mismatch",
        "incorrect signature",
        "wrong signature",
        "invalid hmac",
        "hmac mismatch",
        "hmac verification failed",
        "invalid webhook signature",
        "signature not valid",
        "signatures do not match",
        "signature_method_rejected",
        "could not verify signature",
        "failed to verify signature",
    ];
    let find = |text: &str| {
        let lower = text.to_ascii_lowercase();
        WORDS.iter().find_map(|w| lower.find(w).map(|at| at..at + w.len()))
    };
    if let Some((view, response)) = step.response()
        && let Some(range) = find(&String::from_utf8_lossy(response.body.bytes.as_bytes()))
    {
        return Some(scene.show_part(view.source, &response.body.bytes, range, "the server's word for it"));
    }
    step.offered.iter().find_map(|o| {
        let range = find(&o.field.text())?;
        Some(scene.show_in_field(o.view, o.field, range, "the server's word for it"))
    })
}

/// JSON with line breaks or spaces between its members: what a program that writes it anew leaves out.
fn rewritten_json(request: &Request) -> bool {
    let body = request.body.text();
    body.trim_start().starts_with('{') && (body.contains("\n  ") || body.contains("\": "))
}

fn advise(claim: Claim) -> Claim {
    let party = claim.party.unwrap_or(Party::Caller);
    let claim = claim.fix(
        party,
        "Compare what was signed rather than the signatures: canonical request or base string of both sides, byte for byte; sign and verify the raw body as sent.",
    );
    claim.fix(Party::Caller, "See that the secret is the same on both sides, without spaces or a line end.")
}
