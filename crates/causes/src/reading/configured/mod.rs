//! What configurations given along do to the Authorization field, and whether that concerns the request at all.

mod apache;
mod nginx;
mod others;
pub(crate) mod stores;
mod tree;

use crate::{Scene, Step};
use std::ops::Range;
use why401_http::{Fact, FactKind};

/// Whether a part of a configuration is about the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// It is about another host, path or method.
    Elsewhere,
    /// The evidence does not tell: a regular expression, a condition, several candidates.
    Maybe,
    /// It is about this request.
    Here,
}

/// What of a request decides which part of a configuration is about it.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// The host without its port, in lower case.
    pub(crate) host: Option<String>,
    /// The path.
    pub(crate) path: String,
    /// The method.
    pub(crate) method: String,
    /// Names of fields with an underscore that carry something secret.
    pub(crate) underscored: Option<String>,
}

/// A place in a configuration and what it does; `how` completes "the configuration …".
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) range: Range<usize>,
    pub(crate) how: &'static str,
    /// What to do instead, in the product's own words.
    pub(crate) mend: &'static str,
    pub(crate) reach: Reach,
}

/// A place and the configuration that it is in.
pub(crate) struct Found<'a> {
    pub(crate) fact: &'a Fact,
    pub(crate) place: Place,
}

/// The configurations of the evidence as text, with the product where it is known.
pub(crate) fn files<'a>(scene: &Scene<'a>) -> impl Iterator<Item = (&'a Fact, String, Option<&'a str>)> {
    scene.case.facts.iter().filter_map(|f| match &f.kind {
        // Widened byte by byte where it is no UTF-8, so that ranges stay those of the bytes.
        FactKind::Configuration { product } => {
            let text = std::str::from_utf8(f.text.as_bytes()).map_or_else(
                |_| {
                    f.text
                        .as_bytes()
                        .iter()
                        .map(|b| if b.is_ascii() { char::from(*b) } else { '?' })
                        .collect()
                },
                str::to_owned,
            );
            Some((f, text, product.as_deref()))
        }
        _ => None,
    })
}

/// What takes the field away from this request; what is surely about it first, what is not about it never. Without a
/// request all of a configuration may be about it.
pub(crate) fn strips<'a>(scene: &Scene<'a>, step: Option<&Step<'_>>) -> Option<Found<'a>> {
    let asked = step.map(asked).unwrap_or_default();
    let found = files(scene).flat_map(|(fact, text, product)| {
        let places = match kind(&text, product) {
            Kind::Nginx => nginx::strips(&text, &asked),
            Kind::Apache => apache::strips(&text, &asked),
            Kind::Other => others::strips(&text, &asked),
        };
        places.into_iter().map(move |place| Found { fact, place })
    });
    found
        .filter(|f| f.place.reach != Reach::Elsewhere)
        .reduce(|best, next| if next.place.reach > best.place.reach { next } else { best })
}

/// Whether a configuration makes its server ask for a login itself.
pub(crate) fn asks(scene: &Scene<'_>) -> bool {
    const ASKS: &[&str] =
        &["auth_basic ", "auth_request ", "authtype ", "auth_digest ", "basicauth", "auth_jwt "];
    files(scene).any(|(_, text, _)| {
        let text = text.to_ascii_lowercase();
        text.lines()
            .map(str::trim_start)
            .any(|line| ASKS.iter().any(|a| line.starts_with(a)) && !line.starts_with("auth_basic off"))
    })
}

/// A field with an underscore in its name that nginx leaves out.
pub(crate) fn leaves_out<'a>(scene: &Scene<'a>, step: &Step<'_>) -> Option<(Found<'a>, String)> {
    let asked = asked(step);
    let name = asked.underscored.clone()?;
    files(scene).filter(|(_, text, product)| kind(text, *product) == Kind::Nginx).find_map(
        |(fact, text, _)| {
            let place = nginx::underscores(&text, &asked)?;
            Some((Found { fact, place }, name.clone()))
        },
    )
}

/// A rule that names the users who may come in, and not this one.
pub(crate) fn shuts_out<'a>(scene: &Scene<'a>, step: &Step<'_>, user: &str) -> Option<Found<'a>> {
    let asked = asked(step);
    files(scene).find_map(|(fact, text, product)| {
        let place = match kind(&text, product) {
            Kind::Apache => apache::shuts_out(&text, &asked, user),
            Kind::Other => others::denies(&text, user),
            Kind::Nginx => None,
        }?;
        Some(Found { fact, place })
    })
}

/// Extended Protection demanded by IIS (`tokenChecking="Require"`).
pub(crate) fn wants_binding<'a>(scene: &Scene<'a>) -> Option<Found<'a>> {
    files(scene).find_map(|(fact, text, _)| Some(Found { fact, place: others::wants_binding(&text)? }))
}

fn asked(step: &Step<'_>) -> Asked {
    let host = step.request().and_then(|(_, r)| r.authority()).map(|a| {
        let bare = a.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
        bare.map_or(a.as_str(), |(host, _)| host).to_ascii_lowercase()
    });
    let words = ["token", "key", "auth", "secret", "user", "pass", "session"];
    let fields = step.request().map(|(_, r)| &r.fields);
    let underscored = fields.into_iter().flat_map(|f| f.iter()).find_map(|f| {
        let name = f.name.to_text().to_ascii_lowercase();
        (name.contains('_') && words.iter().any(|w| name.contains(w))).then_some(name)
    });
    let path = step.attempt.path().unwrap_or_default().to_owned();
    let method = step.attempt.method().map(|m| m.into_owned()).unwrap_or_default();
    Asked { host, path, method, underscored }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Nginx,
    Apache,
    Other,
}

/// By the product, or by what only one of them writes.
fn kind(text: &str, product: Option<&str>) -> Kind {
    match product {
        Some("nginx") => return Kind::Nginx,
        Some("apache") => return Kind::Apache,
        Some("caddy" | "haproxy" | "traefik" | "envoy" | "iis" | "squid" | "varnish") => return Kind::Other,
        _ => {}
    }
    let has = |words: &[&str]| words.iter().any(|w| text.contains(w));
    if has(&["<VirtualHost", "<Location", "<Directory", "RequestHeader ", "WSGI", "CGIPassAuth", "AuthType "])
    {
        Kind::Apache
    } else if has(&["proxy_pass ", "proxy_set_header ", "fastcgi_pass ", "server_name ", "auth_request "]) {
        Kind::Nginx
    } else {
        Kind::Other
    }
}

/// Whether a server's name is that of the host: itself, `*.example.com`, `.example.com`.
fn is_name_of(name: &str, host: &str) -> bool {
    let name = name.to_ascii_lowercase();
    match name.strip_prefix("*.").map(|n| (n, false)).or_else(|| name.strip_prefix('.').map(|n| (n, true))) {
        Some((base, itself)) => {
            (itself && host == base) || host.strip_suffix(base).is_some_and(|rest| rest.ends_with('.'))
        }
        None => name == host,
    }
}
