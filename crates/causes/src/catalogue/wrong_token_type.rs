//! The right place, the wrong kind of token.

use crate::cause::{Answer, Claim, cause};
use crate::reading::token::{self, Carried};
use crate::reading::{at_most, quoted, settle};
use crate::{Scene, Step};
use std::ops::Range;
use why401_auth::token::Shape;
use why401_auth::token::jwt::{Form, Jwt, JwtKind};
use why401_knowledge::Weight;
use why401_report::{Certainty, Party};

cause! {
    /// Another kind of token or secret was sent than is taken here.
    ///
    /// # What happened
    /// A login gives several tokens, each for one purpose: the ID token tells the client who logged in, the access token
    /// goes to the service, the refresh token only back to the token endpoint. Or the service wants a JWT and got an
    /// opaque token, a machine's token and got a person's, or the reverse.
    ///
    /// # How it is decided
    /// The token's own claims say that it is a refresh token, an ID token (`token_use`, `typ`, `at_hash`), a logout
    /// token or a DPoP proof: certain where it was refused as an access token. A token that is no JWT where the server
    /// says that it cannot read a JWT, or where it accepted JWTs only, and an encrypted one (JWE) where it wants a
    /// readable one: likely. The server's own word: as it says.
    ///
    /// # Who acts
    /// Whoever writes or configures the client.
    ///
    /// # What to do
    /// Send the token that is meant for services: `access_token` of the token endpoint's answer, or `id_token` where
    /// the service checks logins (Kubernetes, Google's IAP and Cloud Run, a Cognito user pool authorizer without scopes).
    ///
    /// # Evidence needed
    /// The token.
    ///
    /// # Not to be confused with
    /// wrong-audience: the right kind for another service. wrong-field: the right kind in the wrong place.
    ///
    /// # References
    /// OpenID Connect Core section 2 (ID token); RFC 9068 section 2.1 (at+jwt); RFC 8725 section 3.11 (explicit typing);
    /// RFC 9449 section 4.2.
    pub WrongTokenType = "wrong-token-type" in Token, Fault by Caller, over ["credentials-refused", "token-malformed", "wrong-audience"]
}

/// So much of an answer is searched for the kind of token that it names, in bytes.
const ANSWER: usize = 4096;

impl WrongTokenType {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene
            .told_claim("wrong-token-type", "another kind of token is wanted")
            .or_else(|| of_the_application(scene));
        settle(scene.refused().and_then(|step| look(scene, step)), told, advise)
    }
}

/// Google's own APIs take access tokens, which are opaque; a JWT of Google's issuer is an ID token
/// (<https://docs.cloud.google.com/docs/authentication/token-types>).
fn google(scene: &Scene<'_>, step: &Step<'_>, carried: &Carried<'_>, jwt: &Jwt) -> Option<Claim> {
    let host = step.request().and_then(|(_, r)| r.authority())?;
    let name = host.split(':').next().unwrap_or(&host).to_ascii_lowercase();
    let issued = matches!(jwt.iss(), Some("accounts.google.com" | "https://accounts.google.com"));
    if !issued || !name.ends_with(".googleapis.com") {
        return None;
    }
    let claim = Claim::new("an ID token was sent where Google's APIs take access tokens")
        .shown([show(scene, carried, jwt.claim_range("iss"), "a JWT of this issuer is an ID token".to_owned())])
        .fix(Party::Caller, "Ask for an access token with the scopes of the API (getToken with \"oauth2:SCOPE\", gcloud auth print-access-token); the ID token is for your own service only.")
        .or("wrong-audience", "whether this address takes ID tokens, and of which audience");
    Some(at_most(claim, Certainty::Likely))
}

/// A program that gets its token for itself (RFC 6749 section 4.4) and asks for what belongs to a user.
fn of_the_application(scene: &Scene<'_>) -> Option<Claim> {
    const GRANT: &[&str] = &[
        "withclientcredentials",
        "client_credentials",
        "clientcredentialsgrant",
        "spotifyclientcredentials",
    ];
    const OF_USER: &[&str] = &[
        "currentuser",
        "/v1/me",
        "/me/",
        "current_user",
        "users/me",
        "getme(",
        "/userinfo",
        "getcurrentuser",
    ];
    // Who misses a token has not looked at one.
    let missed = scene.heard_of("no-credentials").any(|h| h.said.weight > Weight::Reports);
    if missed || scene.refused().is_some_and(|s| s.attempt.shows_credentials()) {
        return None;
    }
    let texts: Vec<_> = scene.texts().collect();
    let find = |words: &[&str]| {
        texts.iter().find_map(|(source, text)| {
            let lower = text.to_text().to_ascii_lowercase();
            words.iter().find_map(|w| lower.find(w).map(|at| (*source, *text, at..at + w.len())))
        })
    };
    let (grant, user) = (find(GRANT)?, find(OF_USER)?);
    let claim = Claim::new("the token is the application's own, and what is asked for belongs to a user")
        .shown([scene.show_part(grant.0, grant.1, grant.2, "a token without a user")])
        .shown([scene.show_part(user.0, user.1, user.2, "a user's own data")])
        .or("token-expired", "when the token was issued, and for how long")
        .or("scope-missing", "the scopes that were granted")
        .weighing(20);
    Some(at_most(claim, Certainty::Likely))
}

fn look(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let carried = token::carried(step)?;
    if token::accepted_before(scene, step, &carried).is_some()
        || token::accepted_after(scene, step, &carried).is_some()
    {
        return None;
    }
    let claim = match carried.jwt() {
        Some(jwt) => by_issue(scene, &carried)
            .or_else(|| by_claims(scene, step, &carried, jwt))
            .or_else(|| google(scene, step, &carried, jwt))
            .or_else(|| assertion(scene, &carried, jwt))
            .or_else(|| cognito(scene, step, &carried, jwt))
            .or_else(|| encrypted(scene, step, &carried, jwt)),
        None => by_issue(scene, &carried).or_else(|| not_a_jwt(scene, step, &carried)),
    }?;
    let other = token::told_otherwise(scene, &["wrong-token-type", "token-malformed", "wrong-audience"]);
    Some(if other || !token::wanted(step) { at_most(claim, Certainty::Possible) } else { claim })
}

/// The token says itself what it is.
fn by_claims(scene: &Scene<'_>, step: &Step<'_>, carried: &Carried<'_>, jwt: &Jwt) -> Option<Claim> {
    let kind = jwt.kind();
    let (certainty, says, range) = match kind {
        JwtKind::Id => {
            let marks: &[&str] = &["token_use", "typ", "at_hash", "c_hash"];
            let mark = marks.iter().find(|m| jwt.claim(m).is_some());
            // Many services of one's own take ID tokens; only where the token names its use is there no doubt.
            let says_so = mark.is_some_and(|m| matches!(*m, "token_use" | "typ"));
            let certainty = if says_so { Certainty::Certain } else { Certainty::Likely };
            let mark = mark.copied().unwrap_or("nonce");
            (certainty, format!("{mark} marks an ID token"), jwt.claim_range(mark))
        }
        JwtKind::Refresh | JwtKind::Logout | JwtKind::DpopProof => {
            let mark = ["token_use", "typ"].into_iter().find(|m| jwt.claim(m).is_some());
            let range = mark.and_then(|m| jwt.claim_range(m)).or_else(|| jwt.parts.first().cloned());
            (Certainty::Certain, format!("it says that it is a {}", kind.name()), range)
        }
        _ => return None,
    };
    // Where logins are checked, the ID token is the right one.
    let host = step.request().and_then(|(_, r)| r.authority()).unwrap_or_default();
    let takes_id =
        ["run.app", "cloudfunctions.net", "execute-api", "googleapis.com"].iter().any(|h| host.contains(h))
            || ["kubernetes", "google-iap", "google-cloud-run"].iter().any(|p| scene.is_product(p));
    if kind == JwtKind::Id && takes_id {
        return None;
    }
    let article = if kind == JwtKind::Id { "an" } else { "a" };
    let claim = Claim::new(format!("{article} {} was sent where an access token is wanted", kind.name()));
    Some(at_most(claim.shown([show(scene, carried, range, says)]), certainty))
}

/// A JWT that a client authenticates itself with at the token endpoint (RFC 7523 section 3), sent to a service.
fn assertion(scene: &Scene<'_>, carried: &Carried<'_>, jwt: &Jwt) -> Option<Claim> {
    let same = jwt.iss().is_some() && jwt.iss() == jwt.sub();
    let endpoint = jwt.aud().into_iter().find(|a| a.trim_end_matches('/').ends_with("/token"))?;
    let says = format!("aud is a token endpoint: {}", quoted(endpoint));
    let claim = Claim::new(
        "the client's own assertion, which is for the token endpoint, was sent as an access token",
    );
    same.then(|| {
        at_most(claim.shown([show(scene, carried, jwt.claim_range("aud"), says)]), Certainty::Likely)
    })
}

/// Amazon API Gateway: a user pool authorizer takes ID tokens unless scopes are configured on the method.
fn cognito(scene: &Scene<'_>, step: &Step<'_>, carried: &Carried<'_>, jwt: &Jwt) -> Option<Claim> {
    let gateway = step.response_field("x-amzn-errortype").is_some()
        || step.request().and_then(|(_, r)| r.authority()).is_some_and(|h| h.contains("execute-api"));
    let access =
        jwt.claim_text("token_use") == Some("access") && jwt.iss().is_some_and(|i| i.contains("cognito-idp"));
    if !gateway || !access {
        return None;
    }
    let claim = Claim::new(
        "an access token of Cognito was sent; a user pool authorizer without scopes on the method takes the ID token",
    );
    let claim = claim
        .shown([show(scene, carried, jwt.claim_range("token_use"), "token_use is access".to_owned())])
        .or("scope-missing", "the scopes that the method's authorizer is configured with")
        .or("wrong-audience", "the app client that the authorizer accepts");
    // It fits better than what the same general answer may mean besides.
    Some(at_most(claim.weighing(20), Certainty::Likely))
}

/// A JWE, which only its audience can read.
fn encrypted(scene: &Scene<'_>, step: &Step<'_>, carried: &Carried<'_>, jwt: &Jwt) -> Option<Claim> {
    if jwt.form != Form::Encrypted || jwt.header.is_none() {
        return None;
    }
    let unreadable = scene.heard_of("token-malformed").next().is_some();
    let others = token::accepted_others(scene, step, carried);
    let signed_elsewhere = !others.is_empty() && others.iter().all(|(_, _, o)| o.form == Form::Signed);
    // Auth0 gives such a token where no audience was asked for: it is for its own userinfo endpoint only.
    let auth0 = jwt.header_text("iss").is_some_and(|i| i.contains("auth0.com"));
    if !unreadable && !signed_elsewhere && !auth0 {
        return None;
    }
    let mut claim =
        Claim::new("an encrypted token (JWE, five parts) was sent, which this server cannot read");
    claim = claim.shown([show(scene, carried, None, "five parts: encrypted".to_owned())]);
    if auth0 {
        claim = claim.or("wrong-audience", "whether the token was asked for with an audience; without one it is encrypted for the issuer itself");
    }
    Some(at_most(claim, Certainty::Likely))
}

/// The token endpoint gave it under another name.
fn by_issue(scene: &Scene<'_>, carried: &Carried<'_>) -> Option<Claim> {
    let text = carried.token.text.expose_text();
    let issued = token::issued(scene).into_iter().find(|i| i.token == text)?;
    if issued.member != "refresh_token" {
        return None;
    }
    let mut claim = Claim::new("the refresh token was sent where an access token is wanted");
    if let Some(response) = issued.attempt.response() {
        claim =
            claim.shown([scene.show_status(issued.attempt.view(), response, "issued here as refresh_token")]);
    }
    Some(claim.shown([show(scene, carried, None, "and sent here as an access token".to_owned())]))
}

/// An opaque token where a JWT is wanted.
fn not_a_jwt(scene: &Scene<'_>, step: &Step<'_>, carried: &Carried<'_>) -> Option<Claim> {
    if !matches!(carried.token.shape, Shape::Opaque | Shape::Hex | Shape::Uuid | Shape::Vendor) {
        return None;
    }
    let unreadable = scene
        .heard_of("token-malformed")
        .next()
        .map(|h| scene.show_heard(h, "the server cannot read it as a JWT"));
    let others = token::accepted_others(scene, step, carried);
    let named = names_jwt(scene, step);
    if unreadable.is_none() && others.is_empty() && named.is_none() {
        return None;
    }
    let claim = Claim::new(format!("{} was sent where the server takes JWTs", with_article(carried)));
    let claim = claim
        .shown([show(scene, carried, None, "not a JWT: no parts with dots between".to_owned())])
        .shown(unreadable.or(named));
    Some(at_most(claim, Certainty::Likely))
}

/// Where the answer names the kind of token it wants.
fn names_jwt(scene: &Scene<'_>, step: &Step<'_>) -> Option<why401_report::Annotation> {
    let (view, response) = step.response()?;
    let body = response.body.bytes.to_text();
    let head = body.get(..body.len().min(ANSWER)).unwrap_or(&body);
    let lower = head.to_ascii_lowercase();
    let (at, word) = ["json web token", "jwt"].iter().find_map(|w| Some((lower.find(w)?, w)))?;
    let ends = |i: Option<&u8>| i.is_none_or(|b| !b.is_ascii_alphanumeric());
    let bytes = lower.as_bytes();
    let whole = ends(at.checked_sub(1).and_then(|i| bytes.get(i))) && ends(bytes.get(at + word.len()));
    whole.then(|| {
        scene.show_part(view.source, &response.body.bytes, at..at + word.len(), "the answer speaks of a JWT")
    })
}

fn with_article(carried: &Carried<'_>) -> String {
    match carried.token.vendor {
        Some(v) => format!("a {} of {}", v.kind, v.product),
        None => "an opaque token".to_owned(),
    }
}

fn show(
    scene: &Scene<'_>,
    carried: &Carried<'_>,
    range: Option<Range<usize>>,
    says: String,
) -> why401_report::Annotation {
    scene.show_in_field(
        carried.view,
        carried.field,
        range.unwrap_or_else(|| carried.token.range.clone()),
        says,
    )
}

fn advise(claim: Claim) -> Claim {
    claim.fix(
        Party::Caller,
        "Send the token that this service takes: mostly access_token of the token endpoint's answer, id_token where logins are checked.",
    )
}
