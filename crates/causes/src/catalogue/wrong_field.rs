//! The secret went where nobody looks.

mod in_words;

use crate::carried;
use crate::cause::{Answer, Claim, cause};
use crate::{Scene, Step, moved};
use std::ops::Range;
use why401_http::query_of;
use why401_knowledge::Weight;
use why401_report::Annotation;

cause! {
    /// The secret went where this server does not look: another field, the query, the body, a misspelt name.
    ///
    /// # What happened
    /// There is a secret in the request, but not in the place that the server reads, so for the server there is none.
    ///
    /// # How it is decided
    /// A secret in another place, and a challenge or documentation that names the right one.
    ///
    /// # Who acts
    /// Whoever writes the client.
    ///
    /// # What to do
    /// Move it to the field that the server names.
    ///
    /// # Evidence needed
    /// The request as it was sent, and the challenge.
    ///
    /// # Not to be confused with
    /// scheme-not-offered: the right field, another scheme. wrong-token-type: the right place, another kind of secret.
    ///
    /// # References
    /// RFC 9110 section 11.6.2; RFC 6750 section 2 (the three places of a Bearer token; the query is discouraged).
    pub WrongField = "wrong-field" in NotSent, Fault by Caller,
        over ["no-credentials", "scheme-not-offered", "credentials-refused", "challenge-missing", "token-malformed", "forbidden"]
}

/// Names that people write for `Authorization` and no service reads.
const MISSPELT: &[&str] = &[
    "authorisation",
    "authorizaton",
    "authorizaion",
    "authorizacion",
    "autorization",
    "autorisation",
    "authorazation",
    "authorizationn",
    "authorizations",
    "authoriztion",
    "authorzation",
    "authorizaiton",
    "authoriation",
    "aurthorization",
    "authroization",
    "authotization",
    "authoritation",
    "authorisaton",
    "authorizarion",
    "authoization",
    "athorization",
    "uathorization",
    "authorizatoin",
    "authentification",
    "authorization:",
    "http_authorization",
    "http-authorization",
    "www-authenticate",
];

/// Names that some services read, and others do not.
const OTHER_NAMES: &[&str] = &[
    "authentication",
    "authenticate",
    "auth",
    "authorize",
    "authorization-token",
    "x-authorization",
    "bearer",
    "authorization-bearer",
    "token",
    "access_token",
    "access-token",
    "jwt",
    "bearer-token",
];

/// Fields that hold a key at many services.
const KEY_FIELDS: &[&str] = &[
    "x-api-key",
    "api-key",
    "apikey",
    "x-auth-token",
    "x-access-token",
    "x-token",
    "private-token",
    "x-apikey",
    "api_key",
    "x-auth",
    "x-jwt",
    "x-authentication",
    "x-access-key",
    "x-session-token",
    "authtoken",
    "auth-token",
    "x-api-token",
];

/// Names of parameters that hold a secret.
pub(super) const PARAMETERS: &[&str] = &[
    "access_token",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "key",
    "auth_token",
    "authtoken",
    "private_token",
    "jwt",
    "id_token",
    "auth",
    "authorization",
    "apitoken",
    "api_token",
    "appid",
    "subscription-key",
    "accesstoken",
    "bearer",
];

/// Causes that only a server which has read the token names.
const OF_TOKENS: &[&str] = &[
    "token-expired",
    "token-not-yet-valid",
    "token-revoked",
    "bad-signature",
    "wrong-audience",
    "wrong-issuer",
    "scope-missing",
];

impl WrongField {
    fn detect(scene: &Scene<'_>) -> Answer {
        let told = || scene.told("wrong-field", "the secret stands in the wrong place");
        if let Some(claim) = scene.refused().and_then(|step| moved::from_authorization(scene, step)) {
            // A bare secret is refused for want of its scheme.
            let bare = scene.refused().and_then(Step::credentials).is_some_and(|s| s.scheme().is_empty());
            return if bare { claim.likely() } else { claim.confirmed() };
        }
        if let Some(claim) = scene.refused().and_then(|step| moved::to_another_place(scene, step)) {
            return claim.confirmed();
        }
        if let Some(claim) = scene.refused().and_then(|step| moved::from_an_unseen_form(scene, step)) {
            return claim.likely();
        }
        if let Some(claim) = scene.refused().and_then(|step| in_words::let_in_elsewhere(scene, step)) {
            return claim.likely();
        }
        let Some(step) = scene.refused().filter(|s| s.status() != Some(403)) else { return told() };
        // The same secret was accepted in the same place, there or at another host of the service.
        let is_right = || carried::accepted(scene, step, |_| true, |mine, there| mine == there).is_some();
        // The challenge itself names the field that is read.
        if let Some((offered, challenge, name)) = named_field(step) {
            let missing = step.attempt.request_field(&name).is_none() && !is_right();
            let other =
                step.credentials().map(|s| scene.show_field(s.view, s.field, "the secret was sent here"));
            if let (true, Some(other)) = (missing, other.or_else(|| elsewhere(scene, step).map(|(a, _)| a))) {
                return moved::advise(
                    Claim::new(format!(
                        "the secret was sent in another place than {name}, which the challenge names"
                    ))
                    .shown([other])
                    .shown([scene.show_in_field(
                        offered.view,
                        offered.field,
                        challenge.range.clone(),
                        format!("{name} is read here"),
                    )]),
                    &name,
                )
                .confirmed();
            }
        }
        if let Some(claim) = asked_in_words(scene, step).filter(|_| !is_right()) {
            return claim.likely();
        }
        if step.sent.iter().any(|s| s.proxy == (step.status() == Some(407)))
            || step.attempt.logged_name().is_some()
        {
            return told();
        }
        // Others got in here with a user name: that is what is asked for, whatever the query is for.
        let named = |a: &why401_history::Attempt| a.let_in() && a.logged_name().is_some();
        if step.attempt.logged_dash() && scene.attempts().any(named) {
            return told();
        }
        // The very same request was let in: the place is right.
        if step.attempt.logged_dash()
            && scene.attempts().any(|a| a.let_in() && a.target() == step.attempt.target())
        {
            return told();
        }
        // Who speaks of what stands in the token has read it.
        let read = |h: &crate::heard::Heard<'_>| {
            h.said.weight > Weight::Reports && OF_TOKENS.contains(&h.said.cause)
        };
        if scene.heard.iter().any(read) {
            return told();
        }
        let Some((shown, place)) = elsewhere(scene, step).filter(|_| !is_right()) else { return told() };
        let mut claim =
            Claim::new(format!("there is no Authorization field, but a secret stands in {place}"))
                .shown([shown]);
        let wanted = step
            .challenges()
            .filter(|(_, c)| !of_keys(c))
            .map(|(o, c)| (o.view, o.field, c.range.clone(), c.scheme.written.clone()))
            .next();
        // Basic may be asked for by what stands in front of the program that the key is for.
        let asked = wanted.as_ref().is_some_and(|(.., scheme)| !scheme.eq_ignore_ascii_case("basic"));
        let by_basic = wanted.is_some() && !asked;
        if let Some((view, field, range, _)) = wanted {
            claim = claim.shown([scene.show_in_field(
                view,
                field,
                range,
                "the server reads the Authorization field",
            )]);
        }
        let claim = moved::advise(claim, "Authorization");
        // What looks like the field by its name, or stands behind the empty line, is meant for it without doubt.
        let meant = place.starts_with("a misspelt")
            || place.starts_with("the content")
            || place.starts_with("Proxy-");
        if place.starts_with("the message's own") {
            claim.or("scheme-not-offered", "whether the server takes this kind of login at all").likely()
        } else if asked || meant {
            claim.confirmed()
        } else if by_basic {
            claim
                .or("intermediary-challenged", "whether the program itself asked, or what stands before it")
                .likely()
        } else {
            claim.or("credentials-refused", "which place the service's documentation names").likely()
        }
    }
}

/// The answer names, in words, a field of its own for the key (`the X-Api-Key header is required`), and the request has
/// other credentials and not this field.
fn asked_in_words(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    /// Longer answers are pages, with names of fields in their scripts.
    const LONGEST: usize = 2_000;
    const FOR_KEYS: &[&str] = &["key", "token", "secret", "auth"];
    let sent = step.credentials().filter(|s| !s.proxy)?;
    let (view, response) = step.response()?;
    let text = response.body.text();
    let lower = text.to_ascii_lowercase();
    if text.len() > LONGEST || !["header", "field"].iter().any(|w| lower.contains(w)) {
        return None;
    }
    let names = lower.match_indices("x-").filter(|(at, _)| {
        lower
            .get(..*at)
            .and_then(|before| before.chars().next_back())
            .is_none_or(|c| !c.is_alphanumeric() && c != '-')
    });
    let (at, name) = names
        .map(|(at, _)| {
            let rest = lower.get(at..).unwrap_or_default();
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(rest.len());
            (at, rest.get(..end).unwrap_or_default())
        })
        .find(|(_, name)| FOR_KEYS.iter().any(|w| name.contains(w)))?;
    if step.attempt.request_field(name).is_some() {
        return None;
    }
    let written = text.get(at..at + name.len()).unwrap_or(name);
    let claim = Claim::new(format!(
        "the answer asks for the field {written}, and the request has Authorization in its place"
    ))
    .shown([scene.show_field(sent.view, sent.field, "the secret was sent here")])
    .shown([scene.show_part(
        view.source,
        &response.body.bytes,
        at..at + name.len(),
        "this field is read",
    )]);
    Some(
        moved::advise(claim, written)
            .or("tenant-missing", "what the field is for: a key of the caller, or of a tenant"),
    )
}

/// The name of a field that a challenge gives as the place of the secret: `ApiKey header="X-API-Key"`.
fn named_field<'s, 'a>(
    step: &'s Step<'a>,
) -> Option<(&'s crate::Offered<'a>, &'s why401_auth::Challenge, String)> {
    step.challenges().find_map(|(o, c)| {
        let name = ["header", "header_name", "headername", "field", "name", "in_header"]
            .iter()
            .find_map(|p| c.text(p))?;
        let is_field =
            name.len() > 2 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        (is_field && !name.eq_ignore_ascii_case("authorization")).then(|| (o, c, name.into_owned()))
    })
}

/// A scheme of a key, which is read in a field of its own: Kong's `Key` (key-auth plugin), `ApiKey`, `X-API-Key`.
pub(super) fn of_keys(challenge: &why401_auth::Challenge) -> bool {
    let scheme = challenge.scheme.written.to_ascii_lowercase();
    scheme == "key" || scheme.replace(['-', '_'], "").ends_with("apikey")
}

/// A secret in another place than `Authorization`, and that place in words.
fn elsewhere(scene: &Scene<'_>, step: &Step<'_>) -> Option<(Annotation, String)> {
    let (view, request) = step.request()?;
    for field in request.fields.iter().filter(|f| !f.value.is_empty()) {
        let name = field.name.to_text().trim().to_ascii_lowercase();
        if MISSPELT.contains(&name.as_str()) && field.value.len() >= 8 {
            return Some((
                scene.show_field(view, field, "no server reads a field of this name"),
                format!("a misspelt field, {}", field.name.to_text()),
            ));
        }
        if name == "proxy-authorization" && step.status() == Some(401) {
            return Some((
                scene.show_field(view, field, "this field is for proxies"),
                "Proxy-Authorization".to_owned(),
            ));
        }
    }
    for field in request.fields.iter().filter(|f| f.value.len() >= 6) {
        if KEY_FIELDS.iter().chain(OTHER_NAMES).any(|k| field.is(k))
            && step.challenges().any(|(_, c)| !of_keys(c))
        {
            return Some((
                scene.show_field(view, field, "the secret was sent here"),
                format!("the field {}", field.name.to_text()),
            ));
        }
    }
    let target = request.target().into_owned();
    if let Some(query) = query_of(&target) {
        let start = target.len() - target.split_once('?').map_or(0, |(_, q)| q.len());
        let mut at = start;
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if value.len() >= 8 && PARAMETERS.contains(&name.to_ascii_lowercase().as_str()) {
                let line = request.line.to_text();
                let from = line.find(&target).unwrap_or(0) + at;
                let shown = scene.show_part(
                    view.source,
                    &request.line,
                    from..from + pair.len(),
                    "the secret was sent here",
                );
                return Some((shown, format!("the query ({name})")));
            }
            at += pair.len() + 1;
        }
    }
    let body = request.body.text();
    let mut at = 0;
    for line in body.split_inclusive('\n').take(40) {
        let lower = line.trim_start().to_ascii_lowercase();
        if lower.starts_with("authorization:") || lower.starts_with("x-api-key:") {
            let end = at + line.trim_end().len();
            let shown = scene.show_part(
                view.source,
                &request.body.bytes,
                at..end,
                "behind the empty line: this is content, no field",
            );
            return Some((shown, "the content, behind the empty line".to_owned()));
        }
        at += line.len();
    }
    // WS-Security's UsernameToken (OASIS, Username Token Profile 1.1), to a server that asks for a scheme of HTTP.
    if let Some(at) = body.find("UsernameToken>").filter(|_| step.challenges().next().is_some()) {
        let shown = scene.show_part(
            view.source,
            &request.body.bytes,
            at..at + "UsernameToken".len(),
            "a login within the message, which is content",
        );
        return Some((shown, "the message's own header (WS-Security)".to_owned()));
    }
    let pair = in_headers_of_json(&body)?;
    let shown = scene.show_part(view.source, &request.body.bytes, pair, "this is content, no field");
    Some((shown, "the content, as a member of its JSON".to_owned()))
}

/// `"headers": {"Authorization": "…"}` as content: a client's settings were given to it as what to send (axios takes
/// the content before its settings). Who gives an address beside it wants the request to be made for him.
fn in_headers_of_json(body: &str) -> Option<Range<usize>> {
    let head = body.get(..body.len().min(4096)).unwrap_or(body).to_ascii_lowercase();
    let headers = head.find("\"headers\"")?;
    let name = headers + head.get(headers..)?.find("\"authorization\"")?;
    let between: String = head.get(headers + 9..name)?.split_whitespace().collect();
    let value = head.get(name + 15..)?.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    let secret = value.find('"').filter(|len| *len >= 8)?;
    let end = head.len() - value.len() + secret;
    let for_another = ["\"url\"", "\"uri\"", "\"endpoint\"", "\"target\""].iter().any(|n| head.contains(n));
    (between.starts_with(":{") && !between.contains('}') && !for_another).then_some(name..end)
}
