//! The token is for somebody else.

use crate::cause::{Answer, Claim, cause};
use crate::reading::at_odds;
use crate::reading::published;
use crate::reading::token::{self, Carried};
use crate::reading::trusted::What;
use crate::reading::{at_most, quoted, settle};
use crate::{Scene, Step};
use why401_auth::token::jwt::Jwt;
use why401_report::{Annotation, Certainty, Party};

cause! {
    /// The token was issued for another audience or resource.
    ///
    /// # What happened
    /// A token names whom it is for (`aud`). This one is for another service, or for none, because the client asked the
    /// token endpoint for another resource or scope, or for none at all.
    ///
    /// # How it is decided
    /// `aud` is held against what the server says of itself: its word for it (`error_description`, body, log), the
    /// `resource` of its metadata, the `service` or `client_id` of its challenge: certain. Settings that were pasted along: likely. Another token that the same
    /// server accepted and that has another `aud`, or metadata at another host than `aud` names: likely.
    ///
    /// # Who acts
    /// Whoever writes or configures the client.
    ///
    /// # What to do
    /// Ask the token endpoint for a token for this very service: `resource=` (RFC 8707), `audience=`, or the scope that
    /// belongs to it. If the server's own configuration names the wrong audience, mend it there.
    ///
    /// # Evidence needed
    /// The token, and the challenge or the server's log.
    ///
    /// # Not to be confused with
    /// wrong-issuer: the right service, the wrong authorization server. scope-missing: the right service, too few rights.
    ///
    /// # References
    /// RFC 7519 section 4.1.3 (aud); RFC 8707 section 2 (resource); RFC 9068 section 4; RFC 9728 section 5.1
    /// (resource_metadata).
    pub WrongAudience = "wrong-audience" in Token, Fault by Caller, over ["credentials-refused"]
}

impl WrongAudience {
    fn detect(scene: &Scene<'_>) -> Answer {
        if !token::is_refused(scene) {
            return Answer::RuledOut;
        }
        let told = scene
            .told_claim("wrong-audience", "the token is for another audience")
            .map(|claim| detail(scene, claim));
        let found = scene.refused().and_then(|step| look(scene, step)).or_else(|| against_settings(scene));
        settle(found, told, advise)
    }
}

/// The audience that the settings of the service name, among what was pasted.
fn against_settings(scene: &Scene<'_>) -> Option<Claim> {
    let carried = scene.refused().and_then(token::carried);
    let jwt = carried.as_ref().and_then(Carried::jwt).filter(|j| j.claims.is_some());
    let aud = jwt.map(Jwt::aud);
    let found = at_odds::at_odds(scene, What::Audience, aud.as_deref())?;
    let mut claim = found.claim(scene, "aud");
    if let (Some(carried), Some(jwt)) = (&carried, jwt) {
        claim = claim.shown([show(scene, carried, jwt)]);
    }
    let other = token::told_otherwise(scene, &["wrong-audience"]);
    Some(at_most(claim, if other { Certainty::Possible } else { Certainty::Likely }))
}

/// The claim of the token beside the server's words.
fn detail(scene: &Scene<'_>, claim: Claim) -> Claim {
    let Some(carried) = scene.refused().and_then(token::carried) else { return claim };
    let Some(jwt) = carried.jwt().filter(|j| j.claims.is_some()) else { return claim };
    let shown = show(scene, &carried, jwt);
    let summary = if jwt.aud().is_empty() {
        "; the token names none".to_owned()
    } else {
        format!("; the token's is {}", list(&jwt.aud()))
    };
    let mut claim = claim.shown([shown]);
    claim.summary.push_str(&summary);
    claim
}

fn look(scene: &Scene<'_>, step: &Step<'_>) -> Option<Claim> {
    let carried = token::carried(step)?;
    let jwt = carried.jwt().filter(|j| j.claims.is_some())?;
    let aud = jwt.aud();
    let known = of_microsoft(step, &aud).map(|wanted| (wanted.to_owned(), None, Certainty::Certain));
    let is_known = known.is_some();
    let (wanted, evidence, certainty) = known
        .or_else(|| expected(scene, step, &aud))
        .or_else(|| like_others(scene, step, &carried, &aud))
        .or_else(|| another_host(step, &aud))?;
    let mut claim = Claim::new(format!(
        "the token is for {}, and this server wants {}",
        if aud.is_empty() { "nobody (it has no aud)".to_owned() } else { list(&aud) },
        quoted(&wanted)
    ));
    claim = claim.shown([show(scene, &carried, jwt)]).shown(evidence);
    // Microsoft's services say no more than that the token is invalid.
    let other = !is_known && token::told_otherwise(scene, &["wrong-audience"]);
    Some(at_most(claim, if other { Certainty::Possible } else { certainty }))
}

/// Microsoft's services, and the audiences that each takes: its address and its application id, or that of the service
/// behind it (Microsoft identity platform, "Scopes and permissions", resource identifiers; Azure Resource Manager REST,
/// "Authenticate Azure Deployment requests"; Azure Key Vault, "Authentication, requests and responses"; Azure Storage,
/// "Authorize with Microsoft Entra ID", resource).
const OF_MICROSOFT: &[(&str, &[&str])] = &[
    ("graph.microsoft.com", &["https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000"]),
    ("graph.windows.net", &["https://graph.windows.net", "00000002-0000-0000-c000-000000000000"]),
    (
        "management.azure.com",
        &[
            "https://management.azure.com",
            "https://management.core.windows.net",
            "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        ],
    ),
    (".vault.azure.net", &["https://vault.azure.net", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"]),
];

/// The audience that the service of Microsoft wants that was asked, where the token is for another address of theirs.
fn of_microsoft(step: &Step<'_>, aud: &[&str]) -> Option<&'static str> {
    let authority = step.request()?.1.authority()?.to_ascii_lowercase();
    let host = authority.split(':').next()?.to_owned();
    let (_, wanted) = OF_MICROSOFT.iter().find(|(name, _)| match name.strip_prefix('.') {
        Some(_) => host.ends_with(name),
        None => host == *name,
    })?;
    let theirs = |a: &&str| {
        let known = OF_MICROSOFT.iter().any(|(_, all)| all.contains(&a.trim_end_matches('/')));
        known || token::host_of(a).is_some_and(|h| h.ends_with(".azure.com") || h.ends_with(".windows.net"))
    };
    let fits = aud.iter().any(|a| wanted.contains(&a.trim_end_matches('/')));
    (!fits && !aud.is_empty() && aud.iter().all(theirs)).then_some(*wanted.first()?)
}

/// What the server says that it wants, where that is not among the token's audiences.
fn expected(
    scene: &Scene<'_>,
    step: &Step<'_>,
    aud: &[&str],
) -> Option<(String, Option<Annotation>, Certainty)> {
    let (offered, element, challenge) = token::challenge(step)?;
    let show =
        |says: &str| Some(scene.show_in_field(offered.view, offered.field, element.range.clone(), says));
    // A registry's token is for the service that the challenge names (the distribution project's token specification).
    if let Some(service) =
        challenge.service.filter(|_| challenge.realm.as_deref().is_some_and(|r| r.contains("://")))
    {
        let fits = aud.iter().any(|a| *a == service);
        return (!fits)
            .then(|| (service, show("the service that the token must be for"), Certainty::Certain));
    }
    let address = challenge.resource_metadata;
    if let Some((resource, certainty)) = metadata(scene, step, address.as_deref()) {
        let same = |a: &&str| a.trim_end_matches('/').eq_ignore_ascii_case(resource.trim_end_matches('/'));
        return (!aud.iter().any(same))
            .then(|| (resource, show("its metadata names the resource"), certainty));
    }
    // Without the document, only its host tells: audiences that are addresses, none of that host.
    let host = token::host_of(&address?)?;
    let hosts: Vec<String> = aud.iter().filter_map(|a| token::host_of(a)).collect();
    let elsewhere = !hosts.is_empty() && hosts.len() == aud.len() && !hosts.contains(&host);
    elsewhere.then(|| (host, show("its metadata is at this host"), Certainty::Likely))
}

/// The `resource` of the metadata, where the evidence holds that document (RFC 9728 section 3.2).
fn metadata(scene: &Scene<'_>, step: &Step<'_>, address: Option<&str>) -> Option<(String, Certainty)> {
    let document = published::resource(scene, step, address)?;
    // Servers that do not name their metadata may not go by it.
    let certainty = if address.is_some() { Certainty::Certain } else { Certainty::Likely };
    Some((document.get("resource")?.as_str()?.to_owned(), certainty))
}

/// Audiences that are addresses, and none of the host that was asked. An audience may be any address, so this leaves the
/// question open and no more.
fn another_host(step: &Step<'_>, aud: &[&str]) -> Option<(String, Option<Annotation>, Certainty)> {
    let authority = step.request()?.1.authority()?.to_ascii_lowercase();
    let host = authority.rsplit_once(':').map_or(authority.as_str(), |(h, _)| h).to_owned();
    let named = host.contains('.') && host.parse::<std::net::IpAddr>().is_err();
    let bare = |h: String| h.rsplit_once(':').map_or(h.clone(), |(h, _)| h.to_owned());
    let hosts: Vec<String> = aud.iter().filter_map(|a| token::host_of(a)).map(bare).collect();
    let elsewhere = !hosts.is_empty() && hosts.len() == aud.len() && !hosts.contains(&host);
    let refused =
        token::challenge(step).is_some_and(|(_, _, c)| c.error_written.as_deref() == Some("invalid_token"));
    (named && elsewhere && refused).then_some((host, None, Certainty::Possible))
}

/// Other tokens that this server accepted all have an audience that this one lacks.
fn like_others(
    scene: &Scene<'_>,
    step: &Step<'_>,
    carried: &Carried<'_>,
    aud: &[&str],
) -> Option<(String, Option<Annotation>, Certainty)> {
    let others = token::accepted_others(scene, step, carried);
    let (attempt, field, first) = others.first()?;
    let common =
        first.aud().into_iter().find(|a| others.iter().all(|(_, _, o)| o.aud().contains(a)))?.to_owned();
    if aud.contains(&common.as_str()) || others.iter().any(|(_, _, o)| o.aud() == aud) {
        return None;
    }
    let range = first.claim_range("aud").unwrap_or(0..field.value.len());
    let shown =
        scene.show_in_field(attempt.view(), field, range, format!("accepted; aud is {}", list(&first.aud())));
    let alike = carried.jwt().is_some_and(|refused| only_aud_differs(refused, first));
    Some((common, Some(shown), if alike { Certainty::Certain } else { Certainty::Likely }))
}

/// Whether two tokens say the same but for whom they are, and what each token has of its own (RFC 7519 section 4.1).
fn only_aud_differs(a: &Jwt, b: &Jwt) -> bool {
    const OF_ITS_OWN: &[&str] = &["aud", "exp", "nbf", "iat", "jti"];
    let rest = |jwt: &Jwt| {
        let mut claims = jwt.claims.as_ref()?.clone();
        claims.retain(|name, _| !OF_ITS_OWN.contains(&name.as_str()));
        Some(claims)
    };
    a.iss().is_some() && a.header == b.header && rest(a).is_some_and(|a| Some(a) == rest(b))
}

fn show(scene: &Scene<'_>, carried: &Carried<'_>, jwt: &Jwt) -> Annotation {
    match jwt.claim_range("aud") {
        Some(range) => {
            scene.show_in_field(carried.view, carried.field, range, format!("aud is {}", list(&jwt.aud())))
        }
        None => {
            let range = jwt.parts.get(1).cloned().unwrap_or_else(|| carried.token.range.clone());
            scene.show_in_field(carried.view, carried.field, range, "no aud among the claims")
        }
    }
}

fn list(aud: &[&str]) -> String {
    quoted(&aud.join(", "))
}

fn advise(claim: Claim) -> Claim {
    claim
        .fix(
            Party::Caller,
            "Ask the token endpoint for a token for this service (resource=, audience=, or the scope that belongs to it).",
        )
        .fix(Party::Server, "If the token's aud is the right name of this service, mend the audience in its configuration.")
}
