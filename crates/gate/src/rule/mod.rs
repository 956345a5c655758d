//! Rules: which requests they are for, and what they ask.

pub(crate) mod pattern;

use crate::net::{self, Net};
use pattern::Pattern;
use std::net::IpAddr;

/// What a rule asks for.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// What the log calls it: its name, or its pattern.
    pub(crate) name: String,
    pub(crate) path: Pattern,
    /// Methods that are taken; empty: all.
    pub(crate) methods: Vec<String>,
    pub(crate) allow: Vec<Net>,
    pub(crate) deny: Vec<Net>,
    pub(crate) satisfy: Satisfy,
    pub(crate) schemes: Vec<Scheme>,
    /// Users that are let in; with `groups` both empty: every user.
    pub(crate) users: Vec<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) scope: Option<String>,
    pub(crate) needs_tls: bool,
    /// Whether a CORS preflight passes without credentials.
    pub(crate) preflight: bool,
    /// Whether a submission is taken by the gate itself.
    pub(crate) inbox: bool,
}

/// Whether address and credentials are both needed where both are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Satisfy {
    /// Both.
    #[default]
    All,
    /// An address that is allowed needs no credentials.
    Any,
}

/// A way to show who one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scheme {
    /// RFC 7617.
    Basic,
    /// RFC 7616.
    Digest,
    /// RFC 6750, with JWTs.
    Bearer,
    /// A key in a field of its own.
    Key,
    /// A client certificate of TLS.
    Certificate,
}

impl Scheme {
    /// The auth-scheme of the `Authorization` field, in lower case.
    pub(crate) fn of_field(self) -> Option<&'static str> {
        match self {
            Scheme::Basic => Some("basic"),
            Scheme::Digest => Some("digest"),
            Scheme::Bearer => Some("bearer"),
            Scheme::Key | Scheme::Certificate => None,
        }
    }
}

/// What the address of a client means for a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It lets in by itself.
    Enough,
    /// Credentials are needed (as well).
    Neutral,
    /// It is refused whatever else is shown.
    Refused,
}

impl Rule {
    /// What the address of the client means here.
    pub(crate) fn place(&self, client: IpAddr) -> Place {
        if net::any(&self.deny, client) {
            return Place::Refused;
        }
        let allowed = self.allow.is_empty() || net::any(&self.allow, client);
        match (self.satisfy, allowed) {
            (Satisfy::All, false) => Place::Refused,
            (Satisfy::Any, true) if !self.allow.is_empty() => Place::Enough,
            (Satisfy::Any, false) if self.schemes.is_empty() => Place::Refused,
            _ if self.schemes.is_empty() => Place::Enough,
            _ => Place::Neutral,
        }
    }

    /// Whether the method is taken; `HEAD` is where `GET` is.
    pub(crate) fn takes(&self, method: &str) -> bool {
        let listed = |m: &str| self.methods.iter().any(|l| l == m);
        self.methods.is_empty() || listed(method) || (method == "HEAD" && listed("GET"))
    }

    /// Whether this user, in these groups, may use the resource.
    pub(crate) fn permits(&self, user: &str, groups: &[String]) -> bool {
        (self.users.is_empty() && self.groups.is_empty())
            || self.users.iter().any(|u| u == user)
            || self.groups.iter().any(|g| groups.contains(g))
    }
}
