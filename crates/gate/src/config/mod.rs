//! The configuration: what a TOML file says, completed and held against itself.

pub(crate) mod file;
mod site;
pub(crate) mod units;

use crate::net::Net;
use file::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::Spanned;
use units::Rate;

pub(crate) use file::{Body, Credentials};
pub(crate) use site::{Site, Upstream, UpstreamTls};

/// Where the gate listens unless told otherwise: loopback only.
pub(crate) const LISTEN: &str = "127.0.0.1:4020";

/// A configuration that can be used.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) listen: SocketAddr,
    pub(crate) workers: usize,
    pub(crate) tls: Option<Tls>,
    /// Whether clients may speak HTTP/2.
    pub(crate) speaks_two: bool,
    pub(crate) proxy_protocol: bool,
    pub(crate) trusted_proxies: Vec<Net>,
    pub(crate) limits: Limits,
    pub(crate) lockout: Option<Lockout>,
    pub(crate) access_log: Option<PathBuf>,
    pub(crate) json_log: Option<PathBuf>,
    pub(crate) refusals: PathBuf,
    pub(crate) refusals_size: u64,
    pub(crate) accounts: AccountFiles,
    pub(crate) key_field: String,
    pub(crate) bearer: Option<Bearer>,
    pub(crate) inbox: Option<Inbox>,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) traces: Option<Traces>,
    pub(crate) sites: Vec<Site>,
}

/// Files of TLS.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    pub(crate) client_authority: Option<PathBuf>,
}

/// Where accounts come from.
#[derive(Debug, Clone, Default)]
pub(crate) struct AccountFiles {
    pub(crate) htpasswd: Option<PathBuf>,
    pub(crate) htdigest: Option<PathBuf>,
    pub(crate) groups: Option<PathBuf>,
    pub(crate) database: Option<PathBuf>,
}

/// What is bounded.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) connections: usize,
    pub(crate) connections_per_address: usize,
    pub(crate) head: usize,
    pub(crate) head_time: Duration,
    pub(crate) body: u64,
    pub(crate) body_idle: Duration,
    pub(crate) idle: Duration,
    /// Requests at once on a connection of HTTP/2.
    pub(crate) streams: usize,
    pub(crate) upstream_time: Duration,
    pub(crate) per_address: Option<Rate>,
    pub(crate) per_account: Option<Rate>,
    pub(crate) failures_per_address: Option<Rate>,
    pub(crate) remember_password: i64,
}

/// After how many failures an account is locked, and for how long; in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lockout {
    pub(crate) failures: u32,
    pub(crate) within: i64,
    pub(crate) lasts: i64,
}

/// How tokens are verified.
#[derive(Debug, Clone)]
pub(crate) struct Bearer {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) keys: Keys,
    pub(crate) refresh: Duration,
    pub(crate) leeway: i64,
    pub(crate) user_claim: String,
    pub(crate) groups_claim: String,
}

/// Where the key set comes from.
#[derive(Debug, Clone)]
pub(crate) enum Keys {
    File(PathBuf),
    Url(String),
}

/// Where messages go.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    pub(crate) folder: PathBuf,
    pub(crate) segment: u64,
    pub(crate) remember_keys: i64,
}

/// Where spans go.
#[derive(Clone)]
pub(crate) struct Traces {
    pub(crate) endpoint: String,
    pub(crate) service: String,
    /// How many of the traces that begin here are recorded, from 0 to 1.
    pub(crate) share: f64,
    /// Fields for the collector; they may be secret.
    pub(crate) fields: Vec<(String, String)>,
}

impl std::fmt::Debug for Traces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Traces").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// What stands where in the text, for messages.
pub(crate) struct Place<'a> {
    text: &'a str,
    name: String,
}

impl Place<'_> {
    /// A message about the bytes from `offset` on.
    pub(crate) fn wrong(&self, offset: usize, what: impl std::fmt::Display) -> String {
        let line = 1 + self.text.bytes().take(offset).filter(|b| *b == b'\n').count();
        format!("{}:{line}: {what}", self.name)
    }

    /// Parses a text that stands in the file.
    fn parse<T: std::str::FromStr>(&self, text: &Spanned<String>) -> Result<T, String>
    where
        T::Err: std::fmt::Display,
    {
        text.get_ref().parse().map_err(|why| self.wrong(text.span().start, why))
    }

    fn nets(&self, texts: &[Spanned<String>]) -> Result<Vec<Net>, String> {
        texts.iter().map(|t| self.parse(t)).collect()
    }
}

impl Config {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// What is wrong, and in which line.
    pub(crate) fn load(path: &Path) -> Result<Config, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| format!("cannot read the configuration {}: {e}", path.display()))?;
        Config::parse(&text, path)
    }

    /// Reads the text of a configuration; files that it names are sought beside `path`.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Config, String> {
        let place = Place { text, name: path.display().to_string() };
        let file = file::parse(text).map_err(|e| {
            let at = e.span().map_or(0, |s| s.start);
            place.wrong(at, e.message())
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        complete(file, &place, folder, path)
    }
}

fn complete(file: File, place: &Place<'_>, folder: &Path, path: &Path) -> Result<Config, String> {
    let at = |p: PathBuf| folder.join(p);
    let listen = file.server.listen.as_deref().unwrap_or(LISTEN);
    let listen =
        listen.parse().map_err(|_| format!("{}: listen: {listen:?} is no ADDRESS:PORT", place.name))?;
    let workers = file.server.workers.as_ref().map_or(1, |w| *w.get_ref());
    if let Some(w) = file.server.workers.as_ref().filter(|w| !(1..=64).contains(w.get_ref())) {
        return Err(place.wrong(w.span().start, "workers is a number from 1 to 64"));
    }
    let tls = file.server.tls.map(|t| Tls {
        certificate: at(t.certificate),
        key: at(t.key),
        client_authority: t.client_authority.map(at),
    });
    let accounts = AccountFiles {
        htpasswd: file.accounts.htpasswd.map(at),
        htdigest: file.accounts.htdigest.map(at),
        groups: file.accounts.groups.map(at),
        database: file.accounts.database.map(at),
    };
    let key_field = match &file.accounts.key_field {
        Some(name) => place.field_name(name)?,
        None => "X-Api-Key".to_owned(),
    };
    let bearer = file.bearer.map(|b| bearer(b, place, folder)).transpose()?;
    let inbox = file.inbox.map(|i| Inbox {
        folder: at(i.folder),
        segment: i.segment.map_or(64 << 20, |s| s.0.max(4096)),
        remember_keys: i.remember_keys.map_or(7 * 86400, |s| i64::from(s.0)),
    });
    let metrics = file.metrics.map(|m| place.parse::<SocketAddr>(&m.listen)).transpose()?;
    let traces = file.traces.map(|t| traces(t, place)).transpose()?;
    let known = site::Known {
        accounts: &accounts,
        has_bearer: bearer.is_some(),
        has_inbox: inbox.is_some(),
        tls: tls.as_ref(),
        is_behind_proxies: !file.server.trusted_proxies.is_empty(),
    };
    let sites = file.site.into_iter().map(|s| site::complete(s, place, folder, &known));
    let sites = sites.collect::<Result<Vec<_>, _>>()?;
    if sites.is_empty() {
        return Err(format!("{}: there is no [[site]]: nothing would be served", place.name));
    }
    let beside = path.with_extension("refusals");
    Ok(Config {
        listen,
        workers,
        tls,
        speaks_two: file.server.http2.unwrap_or(true),
        proxy_protocol: file.server.proxy_protocol,
        trusted_proxies: place.nets(&file.server.trusted_proxies)?,
        limits: limits(&file.limits),
        lockout: file.lockout.map(|l| Lockout {
            failures: l.failures.max(1),
            within: i64::from(l.within.0),
            lasts: i64::from(l.lasts.0),
        }),
        access_log: file.log.access.map(at),
        json_log: file.log.json.map(at),
        refusals: file.log.refusals.map_or(beside, at),
        refusals_size: file.log.refusals_size.map_or(64 << 20, |s| s.0.max(64 << 10)),
        accounts,
        key_field,
        bearer,
        inbox,
        metrics,
        traces,
        sites,
    })
}

impl Place<'_> {
    /// A field name that stands in the file.
    fn field_name(&self, name: &Spanned<String>) -> Result<String, String> {
        let text = name.get_ref();
        let is_name = !text.is_empty() && text.bytes().all(crate::http::head::is_token);
        if is_name {
            Ok(text.clone())
        } else {
            Err(self.wrong(name.span().start, format!("{text:?} is no field name")))
        }
    }
}

fn traces(given: file::Traces, place: &Place<'_>) -> Result<Traces, String> {
    let (start, endpoint) = (given.endpoint.span().start, given.endpoint.into_inner());
    crate::upstream::ask::Address::parse(&endpoint)
        .map_err(|why| place.wrong(start, format!("endpoint: {why}")))?;
    let share = match given.share {
        Some(share) if !(0.0..=1.0).contains(share.get_ref()) => {
            return Err(place.wrong(share.span().start, "share is a number from 0 to 1"));
        }
        share => share.map_or(1.0, Spanned::into_inner),
    };
    for (name, value) in &given.fields {
        if !name.bytes().all(crate::http::head::is_token) || value.get_ref().chars().any(char::is_control) {
            return Err(
                place.wrong(value.span().start, format!("{name:?} is no field, or its value is none"))
            );
        }
    }
    let fields = given.fields.into_iter().map(|(name, value)| (name, value.into_inner())).collect();
    let service = given.service.unwrap_or_else(|| "why401-gate".to_owned());
    Ok(Traces { endpoint, service, share, fields })
}

fn limits(given: &file::Limits) -> Limits {
    let time =
        |s: Option<units::Seconds>, default| Duration::from_secs(s.map_or(default, |s| u64::from(s.0)));
    Limits {
        connections: given.connections.unwrap_or(10_000).max(1),
        connections_per_address: given.connections_per_address.unwrap_or(10_000).max(1),
        head: given.head.map_or(16 << 10, |b| usize::try_from(b.0).unwrap_or(1 << 20).clamp(512, 1 << 20)),
        head_time: time(given.head_time, 10),
        body: given.body.map_or(10 << 20, |b| b.0),
        body_idle: time(given.body_idle, 30),
        idle: time(given.idle, 60),
        streams: given.streams.unwrap_or(100).clamp(1, 10_000),
        upstream_time: time(given.upstream_time, 60),
        per_address: given.per_address,
        per_account: given.per_account,
        failures_per_address: given.failures_per_address,
        remember_password: given.remember_password.map_or(300, |s| i64::from(s.0)),
    }
}

fn bearer(given: Spanned<file::Bearer>, place: &Place<'_>, folder: &Path) -> Result<Bearer, String> {
    let start = given.span().start;
    let given = given.into_inner();
    let keys = match (given.keys_file, given.keys_url) {
        (Some(file), None) => Keys::File(folder.join(file)),
        (None, Some(url)) if url.starts_with("http://") || url.starts_with("https://") => Keys::Url(url),
        (None, Some(_)) => return Err(place.wrong(start, "keys_url does not begin with https:// or http://")),
        _ => return Err(place.wrong(start, "[bearer] needs keys_file or keys_url, and not both")),
    };
    Ok(Bearer {
        issuer: given.issuer,
        audience: given.audience,
        keys,
        refresh: Duration::from_secs(given.refresh.map_or(3600, |s| u64::from(s.0.max(10)))),
        leeway: given.leeway.map_or(30, |s| i64::from(s.0)),
        user_claim: given.user_claim.unwrap_or_else(|| "sub".to_owned()),
        groups_claim: given.groups_claim.unwrap_or_else(|| "groups".to_owned()),
    })
}

#[cfg(test)]
mod tests;
