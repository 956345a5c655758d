//! Whether an address that an answer redirects to is that of a login page.

use why401_auth::percent;
use why401_http::path_of;

/// Segments of a path, or labels of a host, that name a login.
const WORDS: &[&str] = &[
    "login",
    "signin",
    "sign-in",
    "sign_in",
    "logon",
    "signon",
    "sign-on",
    "log-in",
    "log_in",
    "authorize",
    "saml2",
    "saml",
    "sso",
    "oauth2",
    "openid-connect",
    "cas",
    "_signin",
    "authenticate",
];

/// Parameters by which a login page is told where to go on afterwards, in lower case: Django (`next`), Authelia and
/// oauth2-proxy (`rd`), ASP.NET (`ReturnUrl`), Spring, CAS (`service`), Keycloak, Home Assistant (`redirect_uri`) and others.
const RETURNS: &[&str] = &[
    "next",
    "rd",
    "return",
    "returnurl",
    "return_url",
    "returnto",
    "return_to",
    "redirect",
    "redirectto",
    "redirect_to",
    "redirecturl",
    "redirect_url",
    "redirecturi",
    "redirect_uri",
    "continue",
    "goto",
    "destination",
    "service",
    "returnpath",
    "return_path",
];

/// The same in words that other pages use too: only of a page at a neighbouring address.
const VAGUE: &[&str] = &[
    "target",
    "from",
    "back",
    "backurl",
    "referer",
    "r",
    "url",
    "uri",
    "orig_url",
    "original_url",
    "originalurl",
    "requested_url",
    "path",
    "dest",
];

/// Pages that send back to where one came from as well, and ask for no login.
const OTHER_PAGES: &[&str] = &[
    "consent",
    "cookie",
    "cookies",
    "captcha",
    "challenge",
    "maintenance",
    "language",
    "locale",
    "region",
    "country",
    "error",
    "errors",
    "index.php",
    "setup",
    "install",
];

/// Whether an address names a login page by itself: a path segment or host label that says so, in its fragment too, where
/// the page is a program (`/#/login`).
pub(crate) fn names_itself(address: &str) -> bool {
    let address = address.to_ascii_lowercase();
    let before_query = address.split(['?', '#']).next().unwrap_or_default();
    // Rails names the form that begins a session so.
    if before_query.ends_with("/session/new") || before_query.ends_with("/sessions/new") {
        return true;
    }
    let is_login = |segment: &str| {
        WORDS.contains(&segment) || segment.starts_with("login") || segment.ends_with("login")
    };
    let fragment = address.split_once('#').map(|(_, f)| f.split('?').next().unwrap_or_default());
    before_query.split(['/', '.', ':']).any(is_login)
        || fragment.is_some_and(|f| f.trim_start_matches('!').split('/').any(is_login))
}

/// Whether an address elsewhere is told what was asked for, to send back there: so do the portals in front of programs,
/// whatever their address. `authority` and `target` are what was asked for.
pub(crate) fn sends_back(address: &str, authority: &str, target: &str) -> bool {
    // The root is where every page leads back to.
    let asked = path_of(target);
    let (before, query) = address.split('#').next().and_then(|a| a.split_once('?')).unwrap_or((address, ""));
    let (there, path) = match before.split_once("://") {
        Some((_, rest)) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => (authority, before),
    };
    let path = path.to_ascii_lowercase();
    let mut segments = path.split('/').filter(|s| !s.is_empty());
    if asked.len() < 2 || path == asked || segments.clone().any(|s| OTHER_PAGES.contains(&s)) {
        return false;
    }
    // A login page has a short address; elsewhere it may be the root.
    let short = segments.by_ref().count() <= 3;
    let elsewhere = !there.eq_ignore_ascii_case(authority);
    short
        && (elsewhere || path.len() > 1)
        && query.split('&').take(MOST).filter_map(|pair| pair.split_once('=')).any(|(name, value)| {
            let value = percent::decode(value.as_bytes());
            let value = String::from_utf8_lossy(&value);
            let name = name.to_ascii_lowercase();
            let told = RETURNS.contains(&name.as_str())
                || are_neighbours(there, authority) && VAGUE.contains(&name.as_str());
            told && is_asked(&value, authority, target, asked)
        })
}

/// Whether two authorities are of one host, or of hosts of one domain.
fn are_neighbours(a: &str, b: &str) -> bool {
    let host = |a: &str| a.rsplit_once(':').map_or(a, |(host, _)| host).to_ascii_lowercase();
    let (a, b) = (host(a), host(b));
    let domain = |host: &str| {
        host.split_once('.').map(|(_, d)| d.to_owned()).filter(|d| d.contains(|c: char| c.is_alphabetic()))
    };
    let of = |host: &str, domain: &str| {
        host.strip_suffix(domain).is_some_and(|h| h.is_empty() || h.ends_with('.'))
    };
    a == b || domain(&a).is_some_and(|d| of(&b, &d)) || domain(&b).is_some_and(|d| of(&a, &d))
}

/// So many parameters of an address are looked at.
const MOST: usize = 50;

/// Whether a value is what was asked for: its target or path, with or without the authority.
fn is_asked(value: &str, authority: &str, target: &str, asked: &str) -> bool {
    let value = match value.split_once("://") {
        Some((_, rest)) => {
            let (there, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = |a: &str| a.rsplit_once(':').map_or(a, |(host, _)| host).to_ascii_lowercase();
            if host(there) != host(authority) {
                return false;
            }
            path
        }
        None => value,
    };
    value == target || value == asked || value.split('?').next() == Some(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portals_are_known_by_where_they_send_back_to() {
        let back = |address: &str| sends_back(address, "app.example.com:8443", "/api/items?page=2");
        for portal in [
            "https://auth.example.com/?rd=https%3A%2F%2Fapp.example.com%2Fapi%2Fitems%3Fpage%3D2",
            "http://app.example.com:2000/?origin=host&app=items&path=%2Fapi%2Fitems",
            "/outpost/start?rd=%2Fapi%2Fitems",
            "/welcome?ReturnUrl=%2fapi%2fitems%3Fpage%3D2",
        ] {
            assert!(back(portal), "{portal}");
        }
        for other in [
            "https://app.example.com/api/items?page=2",
            "https://www.example.com/consent?return=%2Fapi%2Fitems",
            "/index.php?path=%2Fapi%2Fitems",
            "/?path=%2Fapi%2Fitems",
            "https://mirror.example.net/?from=%2Fapi%2Fitems",
            "https://cdn.example.net/?url=https%3A%2F%2Fwww.example.org%2Fapi%2Fitems",
            "/api/items?next=%2Fapi%2Fitems",
        ] {
            assert!(!back(other), "{other}");
        }
        assert!(!sends_back("https://www.example.com/start?next=%2F", "example.com", "/"));
    }

    #[test]
    fn a_page_that_is_a_program_has_its_login_behind_the_hash() {
        assert!(names_itself("https://nas.example.com/#/login?next=x"));
        assert!(names_itself("/ui/#!/signin"));
        assert!(names_itself("/users/sign_in"));
        assert!(!names_itself("/docs#logging"));
        assert!(!names_itself("/catalog"));
    }
}
