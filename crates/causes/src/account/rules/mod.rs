//! What relations in an account suggest; those that are told outright first, then those that only share their words.
//!
//! Each was met in many public threads about refused requests; the order is that of trust.

mod ended;
mod handshakes;
mod others;
mod places;
mod secrets;
mod sent;
mod standing;
mod times;

/// A relation: of each group one phrase, all within so many words; of the last list none anywhere.
pub(super) struct Rule {
    pub(super) cause: &'static str,
    /// The relation in words, completing "what is told speaks of this: …".
    pub(super) tells: &'static str,
    pub(super) groups: &'static [&'static [&'static str]],
    pub(super) not: &'static [&'static str],
    /// In words.
    pub(super) within: usize,
    /// Told outright.
    pub(super) strong: bool,
}

const ANYWHERE: usize = usize::MAX;

/// A refusal.
const REFUSED: &[&str] = &[
    "401",
    "403",
    "407",
    "unauthorized",
    "unauthorised",
    "not authorized",
    "unauthenticated",
    "authentication",
    "invalid",
    "forbidden",
    "denied",
    "auth error",
    "access denied",
    "refused",
    "rejected",
];
/// The field, or what stands in it.
const FIELD: &[&str] = &[
    "authorization",
    "auth",
    "header~",
    "credential~",
    "token",
    "bearer",
    "api key",
    "apikey",
    "authenticat~",
];
/// It is taken away.
const LOST: &[&str] = &[
    "drop~",
    "strip~",
    "lost",
    "lose~",
    "losing",
    "remov~",
    "discard~",
    "swallow~",
    "eaten",
    "not forwarded",
    "not forward~",
    "not pass~",
    "t pass~",
    "t forward~",
    "not preserved",
    "not kept",
    "not reach~",
    "never reach~",
    "t reach~",
    "disappear~",
    "not arriv~",
    "never arriv~",
    "gone",
    "filtered",
    "cleared",
];
/// It does not come along.
const LOST_ON_THE_WAY: &[&str] = &[
    "drop~",
    "strip~",
    "lost",
    "lose~",
    "losing",
    "remov~",
    "not forwarded",
    "not preserved",
    "not kept",
    "disappear~",
    "gone",
    "t send~",
    "not send~",
    "not sent",
    "t sent",
    "not passed",
    "without auth~",
    "without the auth~",
    "t pass~",
    "t include~",
    "not included",
    "t keep~",
    "t follow~",
];
/// It is not there.
const NOT_SENT: &[&str] = &[
    "not sent",
    "not being sent",
    "never sent",
    "t sent",
    "t being sent",
    "not send~",
    "t send~",
    "never sends",
    "not included",
    "t included",
    "not includ~",
    "t includ~",
    "not added",
    "t added",
    "not attached",
    "t attached",
    "not set",
    "t set",
    "not getting set",
    "not applied",
    "t applied",
    "not being applied",
    "not getting applied",
    "not passed",
    "t passed",
    "not picked",
    "not used",
    "not being used",
    "ignored",
    "ignores",
    "is missing",
    "not present",
    "t present",
    "omits",
    "omitted",
    "sent without",
    "without authorization",
    "without the authorization",
    "no authorization header",
    "no auth header",
    "no header",
];
/// Something between client and origin.
const BETWEEN: &[&str] = &[
    "nginx",
    "apache",
    "proxy",
    "reverse proxy",
    "cloudflare",
    "gateway",
    "load balancer",
    "cgi",
    "fpm",
    "fastcgi",
    "fcgi",
    "mod wsgi",
    "wsgi",
    "htaccess",
    "haproxy",
    "traefik",
    "ingress",
    "cdn",
    "cloudfront",
    "litespeed",
    "caddy",
    "envoy",
    "istio",
    "kong",
    "varnish",
    "iis",
    "passenger",
];
const REDIRECT: &[&str] = &[
    "redirect",
    "redirects",
    "redirected",
    "redirecting",
    "redirection",
    "301",
    "302",
    "303",
    "307",
    "308",
    "moved permanently",
    "location header",
    "allowautoredirect",
];

/// All of them, the most trusted first.
pub(super) fn rules() -> impl Iterator<Item = &'static Rule> {
    [
        sent::RULES,
        handshakes::RULES,
        places::RULES,
        standing::RULES,
        secrets::RULES,
        ended::RULES,
        others::RULES,
        times::RULES,
    ]
    .into_iter()
    .flatten()
}
