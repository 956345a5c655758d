//! The token comes from somebody else.

use crate::cause::{Answer, Claim, cause};
use crate::reading::at_odds;
use crate::reading::published;
use crate::reading::token::{self, Carried, host_of};
use crate::reading::trusted::What;
use crate::reading::{at_most, quoted, settle};
use crate::{Scene, Step};
use why401_auth::token::jwt::Jwt;
use why401_report::{Annotation, Certainty, Party};

cause! {
    /// The token was issued by another issuer or tenant than the server trusts.
    ///
    /// # What happened
    /// The token says who issued it (`iss`), and the server trusts another issuer: another tenant or realm, a test
    /// environment, or the same issuer under another name, because it was asked by another address (an internal name, a
    /// port, http for https).
    ///
    /// # How it is decided
    /// `iss` is held against what the server says: its word for it, the issuer, tenant or realm that its challenge
    /// names, the `authorization_servers` of its metadata: certain where it says so itself. A token with another `iss`
    /// that the same server accepted: likely.
    ///
    /// # Who acts
    /// Whoever writes or configures the client; the server's operator, where its configuration names the wrong issuer.
    ///
    /// # What to do
    /// Get the token from the issuer that the server trusts, by the very address under which the server knows it.
    ///
    /// # Evidence needed
    /// The token, and the challenge or the server's log.
    ///
    /// # Not to be confused with
    /// wrong-audience: the right issuer, for another service. bad-signature: often what the same mistake looks like
    /// where the server checks keys first.
    ///
    /// # References
    /// RFC 7519 section 4.1.1 (iss); RFC 9068 section 4; RFC 9728 section 2 (authorization_servers); RFC 9207 section 2
    /// (iss).
    pub WrongIssuer = "wrong-issuer" in Token, Fault by Caller, over ["credentials-refused"]
}

impl WrongIssuer {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene
            .told_claim("wrong-issuer", "the token comes from another issuer")
            .map(|claim| detail(scene, claim));
        let found = scene.refused().and_then(|step| look(scene, step)).or_else(|| against_settings(scene));
        settle(found, told, advise)
    }
}

/// The issuer that the settings of the service trust, among what was pasted.
fn against_settings(scene: &Scene<'_>) -> Option<Claim> {
    let carried = scene.refused().and_then(token::carried);
    let jwt = carried.as_ref().and_then(Carried::jwt);
    let iss = jwt.and_then(Jwt::iss).map(|iss| [iss]);
    if jwt.is_some() && iss.is_none() {
        return None;
    }
    let found = at_odds::at_odds(scene, What::Issuer, iss.as_ref().map(|i| &i[..]))?;
    let mut claim = found.claim(scene, "iss");
    if let (Some(carried), Some(jwt), Some([iss])) = (&carried, jwt, iss) {
        claim = claim.shown([show(scene, carried, jwt, iss)]);
    }
    let other = token::told_otherwise(scene, &["wrong-issuer", "bad-signature"]);
    Some(at_most(claim, if other { Certainty::Possible } else { Certainty::Likely }))
}

fn detail(scene: &Scene<'_>, mut claim: Claim) -> Claim {
    let Some(carried) = scene.refused().and_then(token::carried) else { return claim };
    let Some(jwt) = carried.jwt() else { return claim };
    if let Some(iss) = jwt.iss() {
        claim.summary.push_str(&format!("; the token's is {}", quoted(iss)));
        return claim.shown([show(scene, &carried, jwt, iss)]);
    }
    claim
}

fn look(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let carried = token::carried(step)?;
    let jwt = carried.jwt()?;
    let iss = jwt.iss()?;
    let (wanted, evidence, certainty) = by_challenge(scene, step, iss)
        .or_else(|| by_own_address(step, iss))
        .or_else(|| like_others(scene, step, &carried, iss))?;
    let claim = Claim::new(format!(
        "the token was issued by {}, and this server trusts {}",
        quoted(iss),
        quoted(&wanted)
    ));
    let claim = claim.shown([show(scene, &carried, jwt, iss)]).shown(evidence);
    let other = token::told_otherwise(scene, &["wrong-issuer", "bad-signature"]);
    Some(at_most(claim, if other { Certainty::Possible } else { certainty }))
}

type Found = (String, Option<Annotation>, Certainty);

fn by_challenge(scene: &Scene<'_>, step: &Step<'_>, iss: &str) -> Option<Found> {
    let (offered, element, challenge) = token::challenge(step)?;
    let show =
        |says: &str| Some(scene.show_in_field(offered.view, offered.field, element.range.clone(), says));
    // Microsoft names the tenant in the address where to log in; `common` and the like stand for any.
    if let Some(wanted) = challenge.authorization_uri.as_deref().and_then(tenant)
        && let Some(have) = tenant(iss)
    {
        let differ = !have.eq_ignore_ascii_case(wanted);
        return differ
            .then(|| (format!("the tenant {wanted}"), show("the tenant to log in at"), Certainty::Certain));
    }
    if let Some(wanted) = element.text("issuer").filter(|i| i.contains("://")) {
        return (!same(iss, &wanted))
            .then(|| (wanted.into_owned(), show("the issuer that it names"), Certainty::Certain));
    }
    let named = challenge.resource_metadata.as_deref();
    if let Some(servers) = metadata(scene, step, named) {
        let trusted = servers.iter().any(|s| same(iss, s));
        // Servers that do not name their metadata may not go by it.
        let certainty = if named.is_some() { Certainty::Certain } else { Certainty::Likely };
        return (!trusted)
            .then(|| (servers.join(", "), show("its metadata names its authorization servers"), certainty));
    }
    // A realm that is an issuer's address, as Keycloak and others have it. One with a path to a token endpoint is a
    // registry's, whose issuer may have any name.
    let realm = challenge.realm.filter(|r| challenge.service.is_none() && r.contains("/realms/"))?;
    (!same(iss, &realm) && iss.contains("/realms/"))
        .then(|| (realm, show("the realm names its issuer"), Certainty::Likely))
}

/// An issuer that is asked itself, and knows itself by the address of each request: same path, other host (Keycloak
/// without a fixed hostname).
fn by_own_address(step: &Step<'_>, iss: &str) -> Option<Found> {
    let (_, request) = step.request()?;
    let target = request.target();
    let path = why401_http::path_of(&target);
    let is_issuer = path.contains("/realms/") || path.ends_with("/userinfo");
    let (named, asked) = (host_of(iss)?, request.authority()?.to_ascii_lowercase());
    let realm = iss.split("/realms/").nth(1)?.trim_end_matches('/');
    let same_realm = path.split("/realms/").nth(1).is_some_and(|p| p.split('/').next() == Some(realm));
    if !is_issuer || named == asked || !(same_realm || realm == "master") {
        return None;
    }
    Some((format!("itself under the name it was asked by, {asked}"), None, Certainty::Likely))
}

fn like_others(scene: &Scene<'_>, step: &Step<'_>, carried: &Carried<'_>, iss: &str) -> Option<Found> {
    // Who takes it elsewhere trusts its issuer.
    let taken =
        token::accepted_before(scene, step, carried).or_else(|| token::accepted_after(scene, step, carried));
    if taken.is_some() {
        return None;
    }
    let others = token::accepted_others(scene, step, carried);
    let (attempt, field, first) = others.first()?;
    let wanted = first.iss()?.to_owned();
    if others.iter().any(|(_, _, o)| o.iss() == Some(iss)) {
        return None;
    }
    let range = first.claim_range("iss").unwrap_or(0..field.value.len());
    let shown =
        scene.show_in_field(attempt.view(), field, range, format!("accepted; iss is {}", quoted(&wanted)));
    Some((wanted, Some(shown), Certainty::Likely))
}

/// The `authorization_servers` of the metadata, where the evidence holds that document.
fn metadata(scene: &Scene<'_>, step: &Step<'_>, address: Option<&str>) -> Option<Vec<String>> {
    let document = published::resource(scene, step, address)?;
    let servers = document.get("authorization_servers")?.as_array()?;
    Some(servers.iter().filter_map(|s| s.as_str().map(str::to_owned)).collect())
}

/// The tenant in an address of Microsoft's login: a GUID, not a word that stands for any tenant.
fn tenant(address: &str) -> Option<&str> {
    let host = host_of(address)?;
    if !host.contains("microsoft") && !host.contains("windows") {
        return None;
    }
    let mut segments = address.split("://").nth(1)?.split('/').skip(1);
    segments.find(|s| s.len() == 36 && s.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'))
}

fn same(a: &str, b: &str) -> bool {
    a.trim_end_matches('/') == b.trim_end_matches('/')
}

fn show(scene: &Scene<'_>, carried: &Carried<'_>, jwt: &Jwt, iss: &str) -> Annotation {
    let range = jwt.claim_range("iss").unwrap_or_else(|| carried.token.range.clone());
    scene.show_in_field(carried.view, carried.field, range, format!("iss is {}", quoted(iss)))
}

fn advise(claim: Claim) -> Claim {
    claim
        .fix(
            Party::Caller,
            "Get the token from the issuer that this server trusts, by the same address (name, scheme, port) under which the server knows it.",
        )
        .fix(Party::Server, "If the issuer is the right one, give it one fixed public address and name that in the server's configuration.")
}
