//! The experiments, in the order in which they are tried: what tells most for least comes first.

use crate::plan::Known;
use crate::published;
use crate::respond::best_digest;
use crate::wish::{Ask, Carry, Credentials, Field, Version};
use std::net::IpAddr;
use why401_http::{Address, path_of};

/// When an experiment is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Whenever it can be proposed: it is what was asked for.
    Always,
    /// Only while a cause is open that it tells from others.
    Open,
}

/// An experiment.
pub struct Experiment {
    /// Its name.
    pub name: &'static str,
    /// What it shows, for people.
    pub why: &'static str,
    /// When it is made.
    pub when: When,
    /// Whether a request that was sent before is sent once more: what differs is not the request.
    pub again: bool,
    /// The causes that it tells from others.
    pub tells: &'static [&'static str],
    /// Its requests, as far as what is known suffices; none where it makes no sense.
    pub propose: fn(&Known) -> Vec<Ask>,
}

/// All of them.
pub const EXPERIMENTS: &[Experiment] = &[
    Experiment {
        name: "preflight",
        why: "a CORS preflight as a browser sends it: is it asked for credentials, which it never carries?",
        when: When::Always,
        again: false,
        tells: &["preflight-challenged"],
        propose: preflight,
    },
    Experiment {
        name: "bare",
        why: "without credentials: does the server ask, and for what?",
        when: When::Always,
        again: false,
        tells: &["no-credentials", "challenge-missing", "challenge-malformed", "login-redirect"],
        propose: bare,
    },
    Experiment {
        name: "given",
        why: "with the credentials: are they taken?",
        when: When::Always,
        again: false,
        tells: &["credentials-refused", "scheme-not-offered", "challenge-answered"],
        propose: given,
    },
    Experiment {
        name: "redirect",
        why: "where the redirect leads: do the credentials get there?",
        when: When::Always,
        again: false,
        tells: &["dropped-on-redirect", "login-redirect"],
        propose: redirect,
    },
    Experiment {
        name: "renewed-nonce",
        why: "with the new nonce: the server said that the old one was stale, not that the password is wrong",
        when: When::Always,
        again: true,
        tells: &["digest-nonce-stale"],
        propose: renewed_nonce,
    },
    Experiment {
        name: "other-charset",
        why: "with the letters outside ASCII in ISO-8859-1 instead of UTF-8",
        when: When::Open,
        again: false,
        tells: &["charset-mismatch", "credentials-refused"],
        propose: other_charset,
    },
    Experiment {
        name: "resource-metadata",
        why: "what the server publishes of itself: whose tokens it takes, and for which audience",
        when: When::Open,
        again: false,
        tells: &["wrong-issuer", "wrong-audience", "credentials-refused"],
        propose: published::resource,
    },
    Experiment {
        name: "issuer-metadata",
        why: "what the token's issuer publishes of itself: where are its keys?",
        when: When::Open,
        again: false,
        tells: &["bad-signature", "wrong-issuer", "credentials-refused"],
        propose: published::issuer,
    },
    Experiment {
        name: "key-set",
        why: "the keys of the token's issuer: is the one among them that the token names, and does it verify?",
        when: When::Open,
        again: false,
        tells: &["bad-signature", "wrong-issuer", "credentials-refused"],
        propose: published::keys,
    },
    Experiment {
        name: "https",
        why: "over https, without credentials: is it served there?",
        when: When::Open,
        again: false,
        tells: &["plain-http", "wrong-address"],
        propose: https,
    },
    Experiment {
        name: "https-given",
        why: "over https with the credentials: are they taken there?",
        when: When::Open,
        again: false,
        tells: &["plain-http"],
        propose: https_given,
    },
    Experiment {
        name: "methods",
        why: "which methods the resource takes",
        when: When::Open,
        again: false,
        tells: &["wrong-method"],
        propose: methods,
    },
    Experiment {
        name: "other-method",
        why: "with the credentials by a method that the resource takes and that changes nothing",
        when: When::Open,
        again: false,
        tells: &["wrong-method"],
        propose: other_method,
    },
    Experiment {
        name: "slash",
        why: "the address with, or without, its slash at the end",
        when: When::Open,
        again: false,
        tells: &["wrong-address"],
        propose: slash,
    },
    Experiment {
        name: "case",
        why: "the address in small letters",
        when: When::Open,
        again: false,
        tells: &["wrong-address"],
        propose: case,
    },
    Experiment {
        name: "version-prefix",
        why: "the address without its version, or with another one",
        when: When::Open,
        again: false,
        tells: &["wrong-address"],
        propose: version_prefix,
    },
    Experiment {
        name: "www",
        why: "the host with, or without, www",
        when: When::Open,
        again: false,
        tells: &["wrong-address"],
        propose: www,
    },
    Experiment {
        name: "direct",
        why: "past the environment's proxy: is it the proxy that refuses?",
        when: When::Open,
        again: false,
        tells: &[
            "intermediary-challenged",
            "dropped-by-intermediary",
            "proxy-authentication-required",
            "layers-collide",
        ],
        propose: direct,
    },
    Experiment {
        name: "each-address",
        why: "one address of the host by itself: is one of its back ends different?",
        when: When::Open,
        again: false,
        tells: &["server-misconfigured", "auth-backend-down", "intermediary-challenged", "server-changed"],
        propose: each_address,
    },
    Experiment {
        name: "other-version",
        why: "in the other version of HTTP",
        when: When::Open,
        again: false,
        tells: &["ntlm-connection-broken", "intermediary-challenged", "client-changed"],
        propose: other_version,
    },
    Experiment {
        name: "made-up",
        why: "a made-up address beside the real one: does the server answer both alike, so as to hide what is there?",
        when: When::Open,
        again: false,
        tells: &["resource-hidden"],
        propose: made_up,
    },
    Experiment {
        name: "other-scheme",
        why: "with the credentials in the other scheme that the server offers",
        when: When::Open,
        again: false,
        tells: &["digest-mismatch", "credentials-refused", "scheme-not-offered", "charset-mismatch"],
        propose: other_scheme,
    },
    Experiment {
        name: "made-up-credentials",
        why: "with a user, or a token, that exists nowhere: does the server answer the given credentials otherwise?",
        when: When::Open,
        again: false,
        tells: &["credentials-refused", "resource-hidden"],
        propose: made_up_credentials,
    },
    Experiment {
        name: "other-address",
        why: "with the credentials at another address of the host: does one of its back ends take them?",
        when: When::Open,
        again: false,
        tells: &["server-misconfigured", "auth-backend-down", "credentials-refused"],
        propose: other_address,
    },
];

fn preflight(k: &Known) -> Vec<Ask> {
    let Some(origin) = &k.wish.origin else { return Vec::new() };
    let mut ask = Ask::look(&k.wish, k.wish.address.clone());
    ask.method = "OPTIONS".to_owned();
    ask.with_fields = false;
    ask.fields = vec![
        Field::new("Origin", origin.as_bytes()),
        Field::new("Access-Control-Request-Method", k.wish.method.as_bytes()),
    ];
    let mut names: Vec<String> =
        k.wish.fields.iter().filter(|f| f.is_credential()).map(|f| f.name.to_ascii_lowercase()).collect();
    if !matches!(k.wish.credentials, Credentials::None | Credentials::Fields) {
        names.push("authorization".to_owned());
    }
    names.sort();
    names.dedup();
    if !names.is_empty() {
        ask.fields.push(Field::new("Access-Control-Request-Headers", names.join(",")));
    }
    vec![ask]
}

fn bare(k: &Known) -> Vec<Ask> {
    if !k.wish.has_credentials() {
        return vec![Ask::of(&k.wish, Carry::Nothing)];
    }
    if k.wish.is_safe() {
        return vec![Ask { with_body: false, ..Ask::of(&k.wish, Carry::Nothing) }];
    }
    // What changes things is sent once, with the credentials. Only who must be asked first is asked by another method.
    let waits = matches!(k.wish.scheme.as_deref(), Some("digest" | "ntlm"))
        || (k.wish.scheme.is_none() && matches!(k.wish.credentials, Credentials::Password { .. }));
    if waits { vec![Ask::look(&k.wish, k.wish.address.clone())] } else { Vec::new() }
}

fn given(k: &Known) -> Vec<Ask> {
    if !k.wish.has_credentials() {
        return Vec::new();
    }
    let offered = k.of("bare").map(|d| &d.outcome);
    let carry = match &k.wish.credentials {
        Credentials::Password { .. } => match (k.wish.scheme.as_deref(), offered) {
            (Some("digest"), Some(o)) if o.offers("digest") => Carry::Answer("digest".to_owned()),
            // A client told to use Digest sends nothing where nobody offers it.
            (Some("digest"), _) => return Vec::new(),
            (None, Some(o)) if best_digest(&o.challenges).is_some() => Carry::Answer("digest".to_owned()),
            // Its first step has no content: were nothing asked for, that would be done.
            (Some("ntlm"), Some(o)) if k.wish.is_safe() || o.offers("ntlm") => return vec![handshake(k)],
            (Some("ntlm"), _) => return Vec::new(),
            (None, Some(o)) if o.offers("ntlm") => return vec![handshake(k)],
            (None, Some(o)) if o.wants_a_ticket() => return Vec::new(),
            _ => Carry::Unasked("basic".to_owned()),
        },
        Credentials::Bearer(_) => Carry::Unasked("bearer".to_owned()),
        Credentials::Aws(_) => Carry::Unasked("aws4-hmac-sha256".to_owned()),
        Credentials::Fields => Carry::Unasked("fields".to_owned()),
        Credentials::None => Carry::Unasked("query".to_owned()),
    };
    vec![Ask::of(&k.wish, carry)]
}

/// NTLM belongs to a connection, which HTTP/2 shares among requests.
fn handshake(k: &Known) -> Ask {
    Ask { version: Version::Http1, ..Ask::of(&k.wish, Carry::Answer("ntlm".to_owned())) }
}

/// So many redirects are followed.
const REDIRECTS: usize = 5;

fn redirect(k: &Known) -> Vec<Ask> {
    let Some(last) = k.course() else { return Vec::new() };
    let Some(to) = last.outcome.location.clone() else { return Vec::new() };
    if k.done.iter().filter(|d| d.name == "redirect").count() >= REDIRECTS {
        return Vec::new();
    }
    // As clients do: the credentials go along to the same origin only (RFC 9110 section 15.4), or where the user
    // said that they may.
    let same = to.same_origin(&last.ask.address);
    let secured =
        to.host == last.ask.address.host && last.ask.address.scheme == "http" && to.scheme == "https";
    let along = same || (k.trusted.contains(&to.host) && (secured || to.scheme == "https"));
    let carry = match &last.ask.carry {
        Carry::Answer(_) | Carry::Unasked(_) if !along => Carry::Nothing,
        other => other.clone(),
    };
    // RFC 9110 section 15.4: other methods become GET, but for 307 and 308.
    let keeps = matches!(last.outcome.status, Some(307 | 308)) || crate::wish::is_safe(&last.ask.method);
    let method = if keeps { last.ask.method.clone() } else { "GET".to_owned() };
    let with_body = last.ask.with_body && keeps && same;
    vec![Ask { method, address: to, carry, with_body, at: None, ..last.ask.clone() }]
}

fn renewed_nonce(k: &Known) -> Vec<Ask> {
    let Some(last) = k.course() else { return Vec::new() };
    let stale = best_digest(&last.outcome.challenges).is_some_and(|c| c.stale);
    let digest = last.ask.carry == Carry::Answer("digest".to_owned());
    if !stale || !digest || last.name == "renewed-nonce" {
        return Vec::new();
    }
    vec![last.ask.clone()]
}

fn other_charset(k: &Known) -> Vec<Ask> {
    let Some(last) = k.course().filter(|d| d.outcome.refused()) else { return Vec::new() };
    let basic = matches!(&last.ask.carry, Carry::Unasked(s) | Carry::Answer(s) if s == "basic");
    let fits = match &k.wish.credentials {
        Credentials::Password { user, password } => {
            let text = format!("{user}{}", password.expose_text());
            text.chars().all(|c| u32::from(c) < 256)
        }
        _ => false,
    };
    if basic && fits && k.wish.is_beyond_ascii() {
        return vec![Ask { carry: Carry::Latin1, ..last.ask.clone() }];
    }
    Vec::new()
}

fn secure(k: &Known) -> Option<Address> {
    let a = &k.wish.address;
    (a.scheme == "http" && a.port == 80).then(|| Address {
        scheme: "https".to_owned(),
        port: 443,
        ..a.clone()
    })
}

fn https(k: &Known) -> Vec<Ask> {
    secure(k).map(|a| Ask::look(&k.wish, a)).into_iter().collect()
}

fn https_given(k: &Known) -> Vec<Ask> {
    let answered = k.of("https").is_some_and(|d| d.outcome.status.is_some());
    let (true, Some(address), Some(last)) = (answered, secure(k), k.of("given")) else { return Vec::new() };
    if !k.wish.is_safe() || !matches!(last.ask.carry, Carry::Unasked(_)) {
        return Vec::new();
    }
    vec![Ask { address, ..last.ask.clone() }]
}

fn methods(k: &Known) -> Vec<Ask> {
    let mut ask = Ask::look(&k.wish, k.wish.address.clone());
    ask.method = "OPTIONS".to_owned();
    vec![ask]
}

fn other_method(k: &Known) -> Vec<Ask> {
    let (Some(options), Some(last)) = (k.of("methods"), k.of("given")) else { return Vec::new() };
    let allowed = &options.outcome.allow;
    // A domain counts every handshake that fails, whatever was asked.
    let locks = last.ask.is_handshake() && last.outcome.refused();
    if locks || allowed.is_empty() || allowed.contains(&k.wish.method) {
        return Vec::new();
    }
    let other = ["GET", "HEAD", "PROPFIND"].iter().find(|m| allowed.iter().any(|a| a == *m));
    other.map(|m| Ask { method: (*m).to_owned(), with_body: false, ..last.ask.clone() }).into_iter().collect()
}

/// The same address with another path; the query stays.
fn elsewhere(k: &Known, path: String) -> Vec<Ask> {
    let old = path_of(&k.wish.address.target);
    if path == old || path.is_empty() {
        return Vec::new();
    }
    let rest = k.wish.address.target.get(old.len()..).unwrap_or_default();
    let address = Address { target: format!("{path}{rest}"), ..k.wish.address.clone() };
    vec![Ask::look(&k.wish, address)]
}

fn slash(k: &Known) -> Vec<Ask> {
    let path = path_of(&k.wish.address.target);
    let has_extension = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
    match path.strip_suffix('/') {
        Some("") => Vec::new(),
        Some(without) => elsewhere(k, without.to_owned()),
        None if has_extension => Vec::new(),
        None => elsewhere(k, format!("{path}/")),
    }
}

fn case(k: &Known) -> Vec<Ask> {
    let path = path_of(&k.wish.address.target);
    elsewhere(k, path.to_ascii_lowercase())
}

fn version_prefix(k: &Known) -> Vec<Ask> {
    let path = path_of(&k.wish.address.target);
    let is_version = |s: &str| {
        s.strip_prefix(['v', 'V']).is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
    };
    let parts: Vec<&str> = path.split('/').collect();
    let Some(at) = parts.iter().position(|p| is_version(p)) else { return Vec::new() };
    let without: Vec<&str> = parts.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, p)| *p).collect();
    let path = without.join("/");
    if path.trim_matches('/').is_empty() { Vec::new() } else { elsewhere(k, path) }
}

fn www(k: &Known) -> Vec<Ask> {
    let host = &k.wish.address.host;
    let own_port =
        matches!((k.wish.address.scheme.as_str(), k.wish.address.port), ("http", 80) | ("https", 443));
    let is_name = host.contains('.') && host.parse::<IpAddr>().is_err() && !host.starts_with('[');
    if !is_name || !own_port {
        return Vec::new();
    }
    let other = match host.strip_prefix("www.") {
        Some(rest) => rest.to_owned(),
        // A name of more than a domain's own parts has no www of its own.
        None if host.matches('.').count() == 1 => format!("www.{host}"),
        None => return Vec::new(),
    };
    vec![Ask::look(&k.wish, Address { host: other, ..k.wish.address.clone() })]
}

fn direct(k: &Known) -> Vec<Ask> {
    if !k.proxied {
        return Vec::new();
    }
    vec![Ask { direct: true, ..Ask::look(&k.wish, k.wish.address.clone()) }]
}

/// So many addresses of a host are asked.
const ADDRESSES: usize = 4;

fn each_address(k: &Known) -> Vec<Ask> {
    if k.addresses.len() < 2 || k.proxied {
        return Vec::new();
    }
    let look = |ip: &IpAddr| Ask { at: Some(*ip), ..Ask::look(&k.wish, k.wish.address.clone()) };
    k.addresses.iter().take(ADDRESSES).map(look).collect()
}

fn other_version(k: &Known) -> Vec<Ask> {
    if k.wish.address.scheme != "https" || k.wish.version != Version::Any {
        return Vec::new();
    }
    let spoke_2 = k.done.iter().any(|d| d.outcome.http2);
    if !spoke_2 {
        return Vec::new();
    }
    vec![Ask { version: Version::Http1, ..Ask::look(&k.wish, k.wish.address.clone()) }]
}

fn made_up(k: &Known) -> Vec<Ask> {
    let path = path_of(&k.wish.address.target);
    let folder = path.trim_end_matches('/').rsplit_once('/').map_or("", |(folder, _)| folder);
    let address = Address { target: format!("{folder}/{}", k.made_up), ..k.wish.address.clone() };
    vec![Ask::look(&k.wish, address)]
}

fn other_scheme(k: &Known) -> Vec<Ask> {
    let Some(last) = k.of("given").filter(|d| d.outcome.refused()) else { return Vec::new() };
    if !matches!(k.wish.credentials, Credentials::Password { .. }) {
        return Vec::new();
    }
    let carry = match &last.ask.carry {
        Carry::Answer(s) if s == "digest" && last.outcome.offers("basic") => {
            Carry::Unasked("basic".to_owned())
        }
        Carry::Unasked(s) if s == "basic" && best_digest(&last.outcome.challenges).is_some() => {
            Carry::Answer("digest".to_owned())
        }
        _ => return Vec::new(),
    };
    vec![Ask { carry, ..last.ask.clone() }]
}

fn made_up_credentials(k: &Known) -> Vec<Ask> {
    let refused = k.of("given").filter(|d| d.outcome.status == Some(401));
    let Some(last) = refused.filter(|_| k.allow_wrong && k.wish.is_safe()) else { return Vec::new() };
    let known = matches!(&last.ask.carry, Carry::Unasked(s) if matches!(s.as_str(), "basic" | "bearer"));
    if known { vec![Ask::of(&k.wish, Carry::Wrong)] } else { Vec::new() }
}

fn other_address(k: &Known) -> Vec<Ask> {
    let Some(last) = k.of("given").filter(|d| d.outcome.refused()) else { return Vec::new() };
    // The answer to a challenge belongs to the back end that gave it.
    if k.proxied || !k.wish.is_safe() || !matches!(last.ask.carry, Carry::Unasked(_)) {
        return Vec::new();
    }
    let other = |ip: &&IpAddr| last.outcome.server.is_some_and(|asked| asked != **ip);
    k.addresses.iter().find(other).map(|ip| Ask { at: Some(*ip), ..last.ask.clone() }).into_iter().collect()
}
