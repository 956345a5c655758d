//! What servers publish of themselves, which a token is held against: the metadata of a protected resource (RFC 9728),
//! of an authorization server (RFC 8414, OpenID Connect Discovery 1.0), and the issuer's keys (RFC 7517).
//!
//! Only what is named is asked, without credentials: the host itself, what its challenge or its metadata name, and the
//! issuer that stands in the caller's own token.

use crate::plan::Known;
use crate::wish::{Ask, Credentials, Wish};
use serde_json::Value;
use why401_auth::scheme::bearer;
use why401_auth::token::jwt::{self, Jwt};
use why401_http::{Address, Response, path_of};

/// Documents that are longer are no metadata.
const LONG: usize = 1 << 20;

/// What a document of metadata names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The `issuer` of an authorization server.
    pub issuer: Option<String>,
    /// Where its keys are: `jwks_uri`.
    pub keys: Option<Address>,
}

impl Metadata {
    /// The metadata in an answer, if it is such a document.
    pub fn of(response: &Response) -> Option<Metadata> {
        let bytes = response.body.bytes.as_bytes();
        if response.status != 200 || bytes.len() > LONG {
            return None;
        }
        let document: Value = serde_json::from_slice(bytes).ok()?;
        let text = |name: &str| document.get(name).and_then(Value::as_str);
        let keys = text("jwks_uri").and_then(Address::parse);
        let known = document.get("resource").is_some() || keys.is_some() || text("issuer").is_some();
        known.then(|| Metadata { issuer: text("issuer").map(str::to_owned), keys })
    }
}

/// The JWT that the wish carries, wherever it stands.
pub fn token(wish: &Wish) -> Option<Jwt> {
    let read = |bytes: &[u8]| {
        let start = bytes.iter().rposition(|b| *b == b' ').map_or(0, |i| i + 1);
        let bytes = bytes.get(start..)?;
        jwt::looks_like(bytes).then(|| jwt::read(bytes, 0..bytes.len()))
    };
    if let Credentials::Bearer(token) = &wish.credentials {
        return read(token.expose());
    }
    wish.fields.iter().find_map(|f| read(f.value.expose()))
}

/// The resource's own metadata: where its challenge says, else at the place that the standard gives it.
pub(crate) fn resource(known: &Known) -> Vec<Ask> {
    let Some(refused) = known.course().filter(|d| d.outcome.refused()) else { return Vec::new() };
    if token(&known.wish).is_none() {
        return Vec::new();
    }
    let own = &known.wish.address;
    let named = refused.outcome.challenges.iter().find_map(|c| bearer::challenge(c).resource_metadata);
    let address = match named.as_deref().and_then(Address::parse) {
        Some(address) => address,
        // RFC 9728 section 3.1: between the host and the path.
        None => {
            let path = path_of(&own.target).trim_end_matches('/');
            Address { target: format!("/.well-known/oauth-protected-resource{path}"), ..own.clone() }
        }
    };
    vec![look(known, address)]
}

/// The issuer's metadata: OpenID's place first, since more issuers have it, then that of RFC 8414.
pub(crate) fn issuer(known: &Known) -> Vec<Ask> {
    if !known.course().is_some_and(|d| d.outcome.refused()) || known.of("key-set").is_some() {
        return Vec::new();
    }
    let Some(issuer) = token(&known.wish).and_then(|t| t.iss().and_then(Address::parse)) else {
        return Vec::new();
    };
    let path = issuer.target.trim_end_matches('/').to_owned();
    let at = |target: String| look(known, Address { target, ..issuer.clone() });
    let openid = at(format!("{path}/.well-known/openid-configuration"));
    // RFC 8414 section 3.1: before the path.
    let oauth = at(format!("/.well-known/oauth-authorization-server{path}"));
    match known.of("issuer-metadata") {
        None => vec![openid],
        Some(done) if done.ask == openid && done.outcome.metadata.is_none() => vec![oauth],
        Some(_) => Vec::new(),
    }
}

/// The issuer's keys, where its metadata says; only over https, or on the host that was asked anyway.
pub(crate) fn keys(known: &Known) -> Vec<Ask> {
    let metadata = known.of("issuer-metadata").and_then(|d| d.outcome.metadata.as_ref());
    let Some(address) = metadata.and_then(|m| m.keys.clone()) else { return Vec::new() };
    let safe = address.scheme == "https" || address.host == known.wish.address.host;
    if safe { vec![look(known, address)] } else { Vec::new() }
}

/// A look without anything of the wish.
fn look(known: &Known, address: Address) -> Ask {
    let mut ask = Ask::look(&known.wish, address);
    ask.method = "GET".to_owned();
    ask.with_fields = false;
    ask
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Done, Outcome};
    use crate::wish::{Carry, url};
    use why401_auth::base64::encode_url;
    use why401_auth::parse_challenges;

    fn refused(issuer: &str, challenge: &str) -> Known {
        let part = |json: &str| encode_url(json.as_bytes());
        let token = format!(
            "{}.{}.c2ln",
            part(r#"{"alg":"RS256","kid":"k1"}"#),
            part(&format!(r#"{{"iss":"{issuer}"}}"#))
        );
        let wish = Wish {
            credentials: Credentials::Bearer(why401_auth::Secret::new(token)),
            ..Wish::get(Address::parse("https://api.example.com/v1/orders?x=1").unwrap())
        };
        let challenges = parse_challenges(challenge.as_bytes()).value;
        let outcome = Outcome { status: Some(401), challenges, ..Outcome::default() };
        let ask = Ask::of(&wish, Carry::Unasked("bearer".to_owned()));
        let mut known = Known::nothing(wish);
        known.done.push(Done { name: "given", ask, outcome });
        known
    }

    fn urls(asks: &[Ask]) -> Vec<String> {
        assert!(asks.iter().all(|a| !a.carries() && !a.with_fields));
        asks.iter().map(|a| url(&a.address)).collect()
    }

    #[test]
    fn metadata_is_asked_for_where_the_standards_put_it() {
        let mut known = refused("https://login.example.com/realms/a", "Bearer");
        assert_eq!(
            urls(&resource(&known)),
            ["https://api.example.com/.well-known/oauth-protected-resource/v1/orders"]
        );
        let openid = issuer(&known);
        assert_eq!(urls(&openid), ["https://login.example.com/realms/a/.well-known/openid-configuration"]);
        known.done.push(Done {
            name: "issuer-metadata",
            ask: openid[0].clone(),
            outcome: Outcome { status: Some(404), ..Outcome::default() },
        });
        let oauth = issuer(&known);
        assert_eq!(
            urls(&oauth),
            ["https://login.example.com/.well-known/oauth-authorization-server/realms/a"]
        );
        let metadata = Metadata { issuer: None, keys: Address::parse("https://login.example.com/keys") };
        let outcome = Outcome { status: Some(200), metadata: Some(metadata), ..Outcome::default() };
        known.done.push(Done { name: "issuer-metadata", ask: oauth[0].clone(), outcome });
        assert_eq!(urls(&keys(&known)), ["https://login.example.com/keys"]);
        assert!(issuer(&known).is_empty());
    }

    #[test]
    fn what_the_challenge_names_goes_first_and_nothing_is_asked_without_a_token() {
        let known = refused("x", r#"Bearer resource_metadata="https://api.example.com/meta""#);
        assert_eq!(urls(&resource(&known)), ["https://api.example.com/meta"]);
        assert!(issuer(&known).is_empty(), "no address");
        let mut known = known;
        known.wish.credentials = Credentials::None;
        assert!(resource(&known).is_empty());
    }
}
