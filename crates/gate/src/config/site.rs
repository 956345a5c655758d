//! Sites and their rules, held against what the rest of the configuration offers.

use super::{AccountFiles, Body, Credentials, Place, Tls, file};
use crate::http::target::Target;
use crate::rule::{Rule, Satisfy, Scheme};
use std::path::{Path, PathBuf};
use toml::Spanned;
use why401_auth::scheme::digest::Algorithm;

/// A site.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    /// Names that it has; none: every name.
    pub(crate) hosts: Vec<String>,
    pub(crate) realm: String,
    pub(crate) upstream: Option<Upstream>,
    pub(crate) credentials: Credentials,
    pub(crate) user_field: String,
    pub(crate) body: Body,
    pub(crate) as_proxy: bool,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) nonce_lasts: i64,
    pub(crate) rules: Vec<Rule>,
}

/// Where requests are passed to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Upstream {
    /// `host:port`.
    pub(crate) authority: String,
    pub(crate) tls: Option<UpstreamTls>,
    /// Whether it is asked in HTTP/2.
    pub(crate) speaks_two: bool,
}

/// What TLS with an upstream goes by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct UpstreamTls {
    /// The authorities that it is verified with; none: those of the machine.
    pub(crate) authority: Option<PathBuf>,
    /// The name that its certificate is to have, where that is not the host of the address.
    pub(crate) server_name: Option<String>,
    /// The certificate that it is shown, and the key.
    pub(crate) certificate: Option<(PathBuf, PathBuf)>,
}

/// What the rest of the configuration offers.
pub(super) struct Known<'a> {
    pub(super) accounts: &'a AccountFiles,
    pub(super) has_bearer: bool,
    pub(super) has_inbox: bool,
    pub(super) tls: Option<&'a Tls>,
    pub(super) is_behind_proxies: bool,
}

impl Site {
    /// Whether it has this name.
    pub(crate) fn has(&self, host: &str) -> bool {
        self.hosts.is_empty()
            || self.hosts.iter().any(|h| match h.strip_prefix("*.") {
                Some(domain) => host.strip_suffix(domain).is_some_and(|s| s.len() > 1 && s.ends_with('.')),
                None => h == host,
            })
    }

    /// The first rule whose pattern the path has, and the account that it names.
    pub(crate) fn rule<'a>(&'a self, target: &'a Target) -> Option<(&'a Rule, Option<&'a str>)> {
        self.rules.iter().find_map(|r| r.path.matches(&target.segments).map(|m| (r, m.account)))
    }
}

pub(super) fn complete(
    given: Spanned<file::Site>,
    place: &Place<'_>,
    folder: &Path,
    known: &Known<'_>,
) -> Result<Site, String> {
    let start = given.span().start;
    let mut given = given.into_inner();
    let realm = match &given.realm {
        Some(realm)
            if realm.get_ref().contains(['"', '\\']) || realm.get_ref().chars().any(char::is_control) =>
        {
            return Err(
                place.wrong(realm.span().start, "a realm has no quotes, backslashes or control characters")
            );
        }
        Some(realm) => realm.get_ref().clone(),
        None => "why401".to_owned(),
    };
    let upstream = upstream(&mut given, place, folder)?;
    if given.rule.is_empty() {
        return Err(place.wrong(start, "the site has no [[site.rule]]: every request would be 404"));
    }
    let has_upstream = upstream.is_some();
    let rules = given.rule.into_iter().map(|r| rule(r, place, known, has_upstream));
    let rules: Vec<Rule> = rules.collect::<Result<_, String>>()?;
    let mut algorithms = Vec::new();
    for name in &given.digest.algorithms {
        let known = Algorithm::of(name.get_ref()).filter(|a| !a.session);
        algorithms.push(known.ok_or_else(|| {
            place.wrong(name.span().start, format!("{:?} is not MD5, SHA-256 or SHA-512-256", name.get_ref()))
        })?);
    }
    if algorithms.is_empty() {
        algorithms.push(Algorithm::DEFAULT);
    }
    let user_field = match &given.user_field {
        Some(name) => place.field_name(name)?,
        None => "X-Remote-User".to_owned(),
    };
    Ok(Site {
        hosts: given.hosts.iter().map(|h| h.to_ascii_lowercase()).collect(),
        realm,
        upstream,
        credentials: given.credentials_to_upstream,
        user_field,
        body: given.body,
        as_proxy: given.as_proxy,
        algorithms,
        nonce_lasts: given.digest.nonce_lasts.map_or(300, |s| i64::from(s.0)),
        rules,
    })
}

fn upstream(given: &mut file::Site, place: &Place<'_>, folder: &Path) -> Result<Option<Upstream>, String> {
    let (tls, version) = (given.upstream_tls.take(), given.upstream_version.take());
    let Some(address) = &given.upstream else {
        let start = tls.map(|t| t.span().start).or(version.map(|v| v.span().start));
        return match start {
            Some(start) => Err(place.wrong(start, "the site has no upstream that this could be of")),
            None => Ok(None),
        };
    };
    let text = address.get_ref();
    let wrong = |what: &str| place.wrong(address.span().start, format!("upstream {text:?}: {what}"));
    let (is_tls, authority) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(authority), _) => (true, authority),
        (_, Some(authority)) => (false, authority),
        _ => return Err(wrong("it begins with http:// or https://")),
    };
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    if authority.is_empty() || authority.contains(['/', '?', '#', '@', ' ']) {
        return Err(wrong("only a host and a port; the path of the request is passed on as it is"));
    }
    let has_port = authority.rsplit_once(':').is_some_and(|(_, p)| p.parse::<u16>().is_ok());
    let port = if is_tls { 443 } else { 80 };
    let tls = match tls {
        Some(tls) if !is_tls => {
            return Err(place.wrong(tls.span().start, "upstream_tls is for an upstream with https://"));
        }
        Some(tls) => Some(upstream_tls(tls, place, folder)?),
        None => is_tls.then(UpstreamTls::default),
    };
    let speaks_two = match version.as_ref().map(|v| v.get_ref().as_str()) {
        None | Some("1.1") => false,
        Some("2") => true,
        Some(other) => {
            let start = version.as_ref().map_or(0, |v| v.span().start);
            return Err(place.wrong(start, format!("upstream_version is \"1.1\" or \"2\", not {other:?}")));
        }
    };
    let authority = if has_port { authority.to_owned() } else { format!("{authority}:{port}") };
    Ok(Some(Upstream { authority, tls, speaks_two }))
}

fn upstream_tls(
    given: Spanned<file::UpstreamTls>,
    place: &Place<'_>,
    folder: &Path,
) -> Result<UpstreamTls, String> {
    let start = given.span().start;
    let given = given.into_inner();
    let certificate = match (given.certificate, given.key) {
        (Some(certificate), Some(key)) => Some((folder.join(certificate), folder.join(key))),
        (None, None) => None,
        _ => return Err(place.wrong(start, "upstream_tls: certificate and key belong together")),
    };
    let authority = given.authority.map(|p| folder.join(p));
    Ok(UpstreamTls { authority, server_name: given.server_name, certificate })
}

fn rule(
    given: Spanned<file::Rule>,
    place: &Place<'_>,
    known: &Known<'_>,
    has_upstream: bool,
) -> Result<Rule, String> {
    let start = given.span().start;
    let given = given.into_inner();
    let wrong = |what: &str| Err(place.wrong(start, format!("rule {:?}: {what}", given.path.get_ref())));
    let path: crate::rule::pattern::Pattern = place.parse(&given.path)?;
    for method in &given.methods {
        if !method.get_ref().bytes().all(|b| b.is_ascii_uppercase() || b == b'-') {
            let what = format!("{:?}: methods are written in capitals", method.get_ref());
            return Err(place.wrong(method.span().start, what));
        }
    }
    let schemes = given.schemes.clone().unwrap_or_else(|| vec![Scheme::Basic]);
    let (allow, deny) = (place.nets(&given.allow)?, place.nets(&given.deny)?);
    if let Some(both) = given.allow.iter().find(|a| given.deny.iter().any(|d| d.get_ref() == a.get_ref())) {
        let what = format!("{:?} is both allowed and denied", both.get_ref());
        return Err(place.wrong(both.span().start, what));
    }
    if given.satisfy == Satisfy::Any && allow.is_empty() {
        return wrong("satisfy = \"any\" without allow would let everybody in, or nobody");
    }
    if schemes.is_empty() && !(given.users.is_empty() && given.groups.is_empty() && given.scope.is_none()) {
        return wrong("users, groups and scope need a scheme: without credentials nobody is known");
    }
    if schemes.is_empty() && path.names_account() {
        return wrong("the path names the account, and without a scheme nobody shows who they are");
    }
    for scheme in &schemes {
        let files = known.accounts;
        let what = match scheme {
            Scheme::Basic if files.htpasswd.is_none() && files.database.is_none() => {
                "basic needs [accounts] htpasswd or database"
            }
            Scheme::Digest if files.htdigest.is_none() && files.database.is_none() => {
                "digest needs [accounts] htdigest or database"
            }
            Scheme::Bearer if !known.has_bearer => "bearer needs a section [bearer]",
            Scheme::Key if files.database.is_none() => "key needs [accounts] database",
            Scheme::Certificate if known.tls.is_none_or(|t| t.client_authority.is_none()) => {
                "certificate needs [server.tls] with client_authority"
            }
            _ => continue,
        };
        return wrong(what);
    }
    if given.scope.is_some() && !schemes.contains(&Scheme::Bearer) {
        return wrong("scope is of tokens: it needs the scheme bearer");
    }
    if given.tls && known.tls.is_none() && !known.is_behind_proxies {
        return wrong(
            "tls is asked for, and there is neither [server.tls] nor a trusted proxy that could speak it",
        );
    }
    if given.inbox && !known.has_inbox {
        return wrong("inbox needs a section [inbox]");
    }
    if given.inbox && (given.methods.is_empty() || given.methods.iter().any(|m| m.get_ref() != "POST")) {
        return wrong("inbox takes submissions: methods = [\"POST\"] and nothing else");
    }
    if !given.inbox && !has_upstream {
        return wrong("the site has no upstream: nothing could answer");
    }
    Ok(Rule {
        name: given.name.unwrap_or_else(|| path.written().to_owned()),
        path,
        methods: given.methods.into_iter().map(Spanned::into_inner).collect(),
        allow,
        deny,
        satisfy: given.satisfy,
        schemes,
        users: given.users,
        groups: given.groups,
        scope: given.scope,
        needs_tls: given.tls,
        preflight: given.preflight,
        inbox: given.inbox,
    })
}
