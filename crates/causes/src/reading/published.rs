//! What the server publishes of itself, where the evidence holds that document: the metadata of a protected resource
//! (RFC 9728).

use super::token;
use crate::scene::same_server;
use crate::{Scene, Step};
use serde_json::{Map, Value};
use why401_http::path_of;

/// So many exchanges are looked through, and so many documents read.
const EXCHANGES: usize = 5_000;
const DOCUMENTS: usize = 8;

/// The metadata of the resource that refused: at the address that its challenge names, else at the place that the
/// standard gives it (RFC 9728 section 3.1), and then only where it names an address that the request lies under.
pub(crate) fn resource(
    scene: &Scene<'_>,
    step: &Step<'_>,
    named: Option<&str>,
) -> Option<Map<String, Value>> {
    let fetched = scene.attempts().take(EXCHANGES).filter(|a| a.status() == Some(200));
    if let Some(address) = named {
        let path = path_of(address);
        let at = fetched.filter(|a| a.path() == Some(path));
        return at.take(DOCUMENTS).find_map(|a| document(a.response()?));
    }
    let asked = step.attempt.target()?.into_owned();
    let known = fetched.filter(|a| {
        a.path().is_some_and(|p| p.starts_with("/.well-known/oauth-protected-resource"))
            && same_server(a, step.attempt)
    });
    known.take(DOCUMENTS).find_map(|a| {
        let found = document(a.response()?)?;
        let resource = found.get("resource")?.as_str()?;
        let under = path_of(why401_http::Address::parse(resource)?.target.trim_end_matches('/')).to_owned();
        let rest = path_of(&asked).strip_prefix(under.as_str())?;
        (rest.is_empty() || rest.starts_with('/')).then_some(found)
    })
}

fn document(response: &why401_http::Response) -> Option<Map<String, Value>> {
    match token::json(&response.body)? {
        Value::Object(document) => Some(document),
        _ => None,
    }
}
