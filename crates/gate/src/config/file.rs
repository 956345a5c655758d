//! The configuration file as it is written. Every key is described in docs/gate.md.

use super::units::{Bytes, Rate, Seconds};
use crate::rule::{Satisfy, Scheme};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) server: Server,
    #[serde(default)]
    pub(super) limits: Limits,
    pub(super) lockout: Option<Lockout>,
    #[serde(default)]
    pub(super) log: Log,
    #[serde(default)]
    pub(super) accounts: Accounts,
    pub(super) bearer: Option<Spanned<Bearer>>,
    pub(super) inbox: Option<Inbox>,
    pub(super) metrics: Option<Metrics>,
    pub(super) traces: Option<Traces>,
    #[serde(default)]
    pub(super) site: Vec<Spanned<Site>>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Server {
    pub(super) listen: Option<String>,
    pub(super) workers: Option<Spanned<usize>>,
    pub(super) tls: Option<Tls>,
    pub(super) http2: Option<bool>,
    pub(super) proxy_protocol: bool,
    pub(super) trusted_proxies: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
    pub(super) client_authority: Option<PathBuf>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    pub(super) connections: Option<usize>,
    pub(super) connections_per_address: Option<usize>,
    pub(super) head: Option<Bytes>,
    pub(super) head_time: Option<Seconds>,
    pub(super) body: Option<Bytes>,
    pub(super) body_idle: Option<Seconds>,
    pub(super) idle: Option<Seconds>,
    pub(super) streams: Option<usize>,
    pub(super) upstream_time: Option<Seconds>,
    pub(super) per_address: Option<Rate>,
    pub(super) per_account: Option<Rate>,
    pub(super) failures_per_address: Option<Rate>,
    pub(super) remember_password: Option<Seconds>,
}

#[derive(Debug, Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
pub(super) struct Lockout {
    pub(super) failures: u32,
    pub(super) within: Seconds,
    pub(super) lasts: Seconds,
}

#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Log {
    pub(super) access: Option<PathBuf>,
    pub(super) json: Option<PathBuf>,
    pub(super) refusals: Option<PathBuf>,
    pub(super) refusals_size: Option<Bytes>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Accounts {
    pub(super) htpasswd: Option<PathBuf>,
    pub(super) htdigest: Option<PathBuf>,
    pub(super) groups: Option<PathBuf>,
    pub(super) database: Option<PathBuf>,
    pub(super) key_field: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bearer {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) keys_file: Option<PathBuf>,
    pub(super) keys_url: Option<String>,
    pub(super) refresh: Option<Seconds>,
    pub(super) leeway: Option<Seconds>,
    pub(super) user_claim: Option<String>,
    pub(super) groups_claim: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Inbox {
    pub(super) folder: PathBuf,
    pub(super) segment: Option<Bytes>,
    pub(super) remember_keys: Option<Seconds>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Metrics {
    pub(super) listen: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Traces {
    pub(super) endpoint: Spanned<String>,
    pub(super) service: Option<String>,
    pub(super) share: Option<Spanned<f64>>,
    #[serde(default)]
    pub(super) fields: BTreeMap<String, Spanned<String>>,
}

impl std::fmt::Debug for Traces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The fields hold what a collector asks for: keys.
        f.debug_struct("Traces").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Site {
    #[serde(default)]
    pub(super) hosts: Vec<String>,
    pub(super) realm: Option<Spanned<String>>,
    pub(super) upstream: Option<Spanned<String>>,
    pub(super) upstream_version: Option<Spanned<String>>,
    pub(super) upstream_tls: Option<Spanned<UpstreamTls>>,
    #[serde(default)]
    pub(super) credentials_to_upstream: Credentials,
    pub(super) user_field: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) body: Body,
    #[serde(default)]
    pub(super) as_proxy: bool,
    #[serde(default)]
    pub(super) digest: DigestOptions,
    #[serde(default)]
    pub(super) rule: Vec<Spanned<Rule>>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct UpstreamTls {
    pub(super) authority: Option<PathBuf>,
    pub(super) server_name: Option<String>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
}

#[derive(Debug, Deserialize, Default, Clone)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DigestOptions {
    pub(super) algorithms: Vec<Spanned<String>>,
    pub(super) nonce_lasts: Option<Seconds>,
}

/// What becomes of the client's credentials.
#[derive(Debug, Deserialize, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Credentials {
    /// They are taken out.
    #[default]
    Strip,
    /// They are passed on.
    Keep,
}

/// The form of a refusal's content.
#[derive(Debug, Deserialize, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Body {
    /// `application/problem+json` (RFC 9457) for clients that ask for JSON, text for others.
    #[default]
    Auto,
    /// Text.
    Text,
    /// `application/problem+json`.
    Json,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) path: Spanned<String>,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) methods: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) allow: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) deny: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) satisfy: Satisfy,
    pub(super) schemes: Option<Vec<Scheme>>,
    #[serde(default)]
    pub(super) users: Vec<String>,
    #[serde(default)]
    pub(super) groups: Vec<String>,
    pub(super) scope: Option<String>,
    #[serde(default)]
    pub(super) tls: bool,
    #[serde(default)]
    pub(super) preflight: bool,
    #[serde(default)]
    pub(super) inbox: bool,
}

/// Reads the text of a configuration.
pub(super) fn parse(text: &str) -> Result<File, toml::de::Error> {
    toml::from_str(text)
}
