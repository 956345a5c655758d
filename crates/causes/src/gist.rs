//! What a refusal says in words that no product is known for: `Webhook signature could not be verified`,
//! `{"code":"ACCOUNT_SUSPENDED"}`.
//!
//! A clause speaks of something (a token, an account) and says something of it (expired, disabled). Rules name both by
//! their words; the first rule that fits a clause gives its gist. That is likely and no more: only wordings whose source
//! is known prove.

use std::ops::Range;
use std::sync::LazyLock;

/// The gist of a clause.
#[derive(Debug, Clone)]
pub(crate) struct Gist {
    /// The name of the cause.
    pub(crate) cause: &'static str,
    /// What it may mean as well.
    pub(crate) also: &'static [String],
    /// The clause.
    pub(crate) range: Range<usize>,
}

/// More of a text is not read for its gist, in bytes.
const MOST: usize = 16 * 1024;
/// Longer clauses are stories, in words.
const LONGEST: usize = 28;

/// A rule: of each group one word or phrase must be in the clause, of the last list none.
struct Rule {
    cause: &'static str,
    groups: &'static [&'static [&'static str]],
    not: &'static [&'static str],
    also: Vec<String>,
}

const WRONG: &[&str] = &[
    "invalid",
    "not valid",
    "wrong",
    "incorrect",
    "bad",
    "mismatch~",
    "not match",
    "doesn t match",
    "failed",
    "failure",
    "fails",
    "not verified",
    "unverified",
    "rejected",
    "could not be verified",
    "not accepted",
    "unrecognized",
    "not recognized",
    "unrecognised",
    "not recognised",
];
const TOKEN: &[&str] = &["token~", "jwt", "bearer", "access key"];
const KEY: &[&str] = &["api key", "apikey", "key", "secret", "token~", "jwt", "credential~"];
const MISSING: &[&str] = &[
    "missing",
    "no",
    "not provided",
    "not supplied",
    "not present",
    "not found",
    "not set",
    "is empty",
    "absent",
    "without",
    "not specified",
    "did not provide",
    "didn t provide",
    "not included",
    "lacks",
    "not contain",
    "not sent",
    "not given",
];
const DENIED: &[&str] = &[
    "not allowed",
    "not whitelisted",
    "not permitted",
    "not in",
    "blocked",
    "denied",
    "unauthorized",
    "forbidden",
    "restricted",
    "not authorized",
    "not allowlisted",
    "rejected",
];
const GONE: &[&str] = &[
    "disabled",
    "suspended",
    "deactivated",
    "inactive",
    "not active",
    "blocked",
    "banned",
    "closed",
    "not enabled",
    "not activated",
    "terminated",
];
const DOWN: &[&str] = &[
    "unreachable",
    "connection refused",
    "timeout",
    "timed out",
    "unavailable",
    "could not connect",
    "failed to fetch",
    "unable to fetch",
    "unable to connect",
    "cannot connect",
    "can t connect",
    "unable to contact",
    "can t contact",
    "unable to retrieve",
    "unable to obtain",
    "failed to retrieve",
    "failed to connect",
    "no such host",
    "connection reset",
    "reset by peer",
    "no route to host",
    "i o timeout",
    "connection timed out",
    "dial tcp",
];

type Given =
    (&'static str, &'static [&'static [&'static str]], &'static [&'static str], &'static [&'static str]);

/// Cause, groups, what excludes it, what else it may mean: the most particular first.
const GIVEN: &[Given] = &[
    (
        "password-expired",
        &[&["password"], &["expired", "must be changed", "must change", "needs to be changed"]],
        &[],
        &[],
    ),
    (
        "client-certificate-refused",
        &[
            &["client certificate", "client cert"],
            &[
                "expired",
                "revoked",
                "untrusted",
                "invalid",
                "not trusted",
                "unknown",
                "rejected",
                "verify failed",
            ],
        ],
        &[],
        &[],
    ),
    ("client-certificate-missing", &[&["client certificate", "client cert"], MISSING], &[], &[]),
    ("client-certificate-missing", &[&["client certificate", "client cert"], &["required"]], &[], &[]),
    ("proof-of-possession-failed", &[&["dpop"], &["proof", "nonce", "ath", "htu", "htm", "jkt"]], &[], &[]),
    (
        "clock-skew",
        &[
            &["timestamp", "clock", "x amz date", "date header", "request time", "server time", "timestamps"],
            &[
                "outside",
                "too old",
                "too far",
                "future",
                "ahead",
                "skew~",
                "drift",
                "out of sync",
                "not within",
                "behind",
                "expired",
                "stale",
                "tolerance",
                "window",
                "too large",
                "invalid",
                "in the past",
            ],
        ],
        &[],
        &["signature-mismatch"],
    ),
    ("clock-skew", &[&["clock skew", "time skew", "time drift", "clock drift", "skewed"]], &[], &[]),
    (
        "second-factor-required",
        &[
            &[
                "otp",
                "totp",
                "2fa",
                "mfa",
                "two factor",
                "one time",
                "multi factor",
                "second factor",
                "app password",
                "application password",
                "application specific password",
                "app specific password",
                "verification code",
            ],
            &["required", "need~", "missing", "must", "use", "invalid", "generate", "enabled", "enter"],
        ],
        &["not required"],
        &[],
    ),
    (
        "account-locked",
        &[&["account", "user", "login"], &["locked", "lockout", "too many failed", "temporarily blocked"]],
        &["not locked"],
        &[],
    ),
    (
        "account-locked",
        &[&["too many failed", "too many login", "too many invalid", "too many authentication"]],
        &[],
        &["rate-limited"],
    ),
    (
        "rate-limited",
        &[&[
            "rate limit~",
            "too many requests",
            "quota",
            "throttl~",
            "limit exceeded",
            "limit reached",
            "requests per",
        ]],
        &[],
        &[],
    ),
    (
        "address-not-allowed",
        &[&["ip", "ip address", "source address", "remote address", "client address", "ips"], DENIED],
        &[],
        &[],
    ),
    (
        "auth-backend-down",
        &[
            &[
                "ldap",
                "directory",
                "auth server",
                "authentication server",
                "authentication service",
                "auth service",
                "auth backend",
                "jwks",
                "jwk set",
                "key set",
                "tokenreview~",
                "identity provider",
                "openid configuration",
                "discovery document",
                "introspection",
                "user database",
            ],
            DOWN,
        ],
        &[],
        &[],
    ),
    (
        "tenant-missing",
        &[
            &["tenant", "organization", "organisation", "workspace", "subscription", "org id", "x tenant"],
            MISSING,
        ],
        &["tenant not found"],
        &[],
    ),
    (
        "tenant-missing",
        &[
            &["tenant", "organization id", "organisation id", "workspace id", "org id"],
            &["required", "must be specified"],
        ],
        &[],
        &[],
    ),
    (
        "token-revoked",
        &[
            KEY,
            &[
                "revoked",
                "blacklisted",
                "been deleted",
                "was deleted",
                "deleted",
                "deactivated",
                "disabled",
                "inactive",
                "not active",
                "no longer exists",
                "rotated",
                "been invalidated",
                "was invalidated",
            ],
        ],
        &["not revoked", "revocation check", "user", "account"],
        &[],
    ),
    (
        "account-disabled",
        &[&["account", "user", "subscription", "client", "application", "app", "member", "customer"], GONE],
        &["not disabled", "ip", "request"],
        &[],
    ),
    (
        "session-expired",
        &[
            &["session", "cookie"],
            &[
                "expired",
                "timed out",
                "timeout",
                "no longer valid",
                "invalid",
                "terminated",
                "invalidated",
                "not valid",
            ],
        ],
        &[],
        &["session-missing"],
    ),
    ("session-missing", &[&["session", "cookie"], MISSING], &[], &["session-expired"]),
    (
        "session-missing",
        &[&[
            "not logged in",
            "not signed in",
            "please log in",
            "please login",
            "login required",
            "must be logged in",
            "must log in",
        ]],
        &["log in again", "login again"],
        &["no-credentials", "session-expired"],
    ),
    (
        "session-expired",
        &[&["log in again", "login again", "sign in again", "re login", "relogin", "log back in"]],
        &[],
        &["token-expired"],
    ),
    (
        "wrong-token-type",
        &[
            &[
                "id token",
                "refresh token",
                "token type",
                "token use",
                "token_use",
                "type of token",
                "access token",
            ],
            &[
                "not allowed",
                "expected",
                "cannot be used",
                "can t be used",
                "not an access token",
                "wrong type",
                "unsupported",
                "unexpected",
                "instead of",
                "is not supported",
                "only",
            ],
        ],
        &["expired"],
        &[],
    ),
    (
        "token-expired",
        &[KEY, &["expired", "no longer valid", "too old", "expiration", "exp"]],
        &["not expired", "unexpired", "expires in"],
        &[],
    ),
    (
        "token-not-yet-valid",
        &[TOKEN, &["not yet valid", "used before", "not active yet", "nbf", "not before"]],
        &[],
        &["clock-skew"],
    ),
    (
        "wrong-audience",
        &[
            &["audience~", "aud"],
            &[
                "invalid",
                "not valid",
                "mismatch~",
                "not match",
                "unexpected",
                "not allowed",
                "missing",
                "expected",
                "wrong",
                "doesn t match",
                "not accepted",
            ],
        ],
        &[],
        &[],
    ),
    (
        "wrong-issuer",
        &[
            &["issuer~", "iss"],
            &[
                "invalid",
                "not valid",
                "mismatch~",
                "not match",
                "unexpected",
                "not allowed",
                "expected",
                "wrong",
                "unknown",
                "untrusted",
                "not trusted",
                "doesn t match",
                "not accepted",
            ],
        ],
        &["certificate", "cert"],
        &[],
    ),
    (
        "bad-signature",
        &[
            &["signature~", "signing key", "kid", "key id", "jwk", "jwks", "public key"],
            &[
                "invalid",
                "not valid",
                "mismatch~",
                "not match",
                "failed",
                "not found",
                "unknown",
                "no matching",
                "unable to find",
                "doesn t match",
            ],
            &["token~", "jwt", "jws", "bearer", "kid", "jwk", "jwks", "public key"],
        ],
        &["certificate"],
        &[],
    ),
    (
        "signature-mismatch",
        &[&["signature~", "hmac", "sign", "signing", "checksum", "digest"], WRONG],
        &["certificate", "token", "jwt", "digest auth", "ssl", "tls"],
        &[],
    ),
    ("no-credentials", &[&["signature", "hmac"], MISSING], &["jwt", "token"], &["wrong-field"]),
    (
        "token-malformed",
        &[&[
            "enough segments",
            "number of segments",
            "segments in",
            "segments must",
            "well formed",
            "wellformed",
        ]],
        &[],
        &[],
    ),
    (
        "token-malformed",
        &[
            &["token~", "jwt", "bearer", "authorization header", "auth header", "authorization"],
            &[
                "malformed",
                "could not be parsed",
                "cannot be parsed",
                "pars~",
                "decod~",
                "invalid format",
                "bad format",
                "incorrect format",
                "wrong format",
                "truncated",
                "not a valid jwt",
                "format is",
            ],
        ],
        &["expired"],
        &["scheme-missing", "wrong-token-type"],
    ),
    (
        "method-retired",
        &[
            &[
                "password",
                "basic",
                "basic auth~",
                "api keys",
                "authentication method",
                "password authentication",
                "legacy",
            ],
            &[
                "deprecated",
                "no longer supported",
                "removed",
                "discontinued",
                "retired",
                "sunset",
                "no longer allowed",
                "no longer accepted",
            ],
        ],
        &[],
        &[],
    ),
    (
        "wrong-environment",
        &[
            &["test", "sandbox", "live", "production", "staging", "region", "environment"],
            &["key", "token~", "credential~", "mode", "account"],
            &[
                "mismatch~",
                "not valid",
                "invalid",
                "cannot be used",
                "can t be used",
                "does not",
                "wrong",
                "used with",
                "not match",
                "but",
            ],
        ],
        &[],
        &[],
    ),
    (
        "plain-http",
        &[
            &["https", "ssl", "tls", "secure connection"],
            &["required", "must use", "only over", "only allowed"],
        ],
        &["certificate"],
        &[],
    ),
    (
        "scope-missing",
        &[
            &["scope~", "permission~", "privilege~", "role", "roles", "entitlement~"],
            &[
                "insufficient",
                "missing",
                "lack~",
                "required",
                "not have",
                "need~",
                "not granted",
                "denied",
                "doesn t have",
            ],
        ],
        &[],
        &[],
    ),
    (
        "unknown-user",
        &[
            &["user", "username", "account", "email", "customer", "member", "client", "principal"],
            &[
                "not found",
                "not exist",
                "doesn t exist",
                "unknown",
                "no such",
                "not registered",
                "could not be found",
                "not recognized",
                "not recognised",
                "unable to find",
            ],
        ],
        &["password", "token", "key", "or"],
        &[],
    ),
    (
        "wrong-password",
        &[&["password"], WRONG],
        &[
            "username",
            "user name",
            "email",
            "login",
            "user",
            "or",
            "account",
            "userid",
            "username and password",
        ],
        &[],
    ),
    (
        "credentials-refused",
        &[&["password", "passphrase", "secret"], WRONG],
        &[],
        &["wrong-password", "unknown-user"],
    ),
    (
        "no-credentials",
        &[
            &[
                "authorization header",
                "auth header",
                "authorization",
                "token~",
                "api key",
                "apikey",
                "credential~",
                "bearer",
                "jwt",
                "access key",
                "authentication",
            ],
            MISSING,
        ],
        &[
            "expired",
            "invalid",
            "not found for",
            "permission",
            "scope",
            "failed",
            "no longer",
            "no user",
            "no valid",
            "no matching",
            "key not found",
            "token not found",
        ],
        &[],
    ),
    (
        "no-credentials",
        &[
            &[
                "authorization header",
                "auth header",
                "token~",
                "api key",
                "apikey",
                "credential~",
                "bearer",
                "jwt",
                "authentication",
                "login",
            ],
            &["required", "must be provided", "must provide", "must include", "must be present", "is needed"],
        ],
        &["expired", "invalid", "wrong"],
        &["credentials-refused"],
    ),
    (
        "credentials-refused",
        &[&["token~", "jwt", "api key", "apikey", "credential~", "key", "login", "authentication"], WRONG],
        &["missing"],
        &[],
    ),
    (
        "credentials-refused",
        &[&[
            "token not found",
            "key not found",
            "no such token",
            "no such key",
            "unknown token",
            "unknown key",
            "unknown api key",
        ]],
        &[],
        &["token-revoked"],
    ),
];

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let own = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
    GIVEN.iter().map(|&(cause, groups, not, also)| Rule { cause, groups, not, also: own(also) }).collect()
});

/// The gists of a text, one a clause that has any.
pub(crate) fn of(text: &[u8]) -> Vec<Gist> {
    let text = String::from_utf8_lossy(text.get(..text.len().min(MOST)).unwrap_or_default());
    // What is not UTF-8 has moved the places.
    if text.contains('\u{fffd}') {
        return Vec::new();
    }
    clauses(&text).filter_map(|range| gist(text.get(range.clone())?, range)).collect()
}

fn gist(clause: &str, range: Range<usize>) -> Option<Gist> {
    let words = words(clause);
    if words.len() < 2 || words.len() > LONGEST {
        return None;
    }
    let has = |list: &[&str]| list.iter().any(|p| holds(&words, p));
    let rule = RULES.iter().find(|r| r.groups.iter().all(|g| has(g)) && !has(r.not))?;
    Some(Gist { cause: rule.cause, also: &rule.also, range })
}

/// The clauses of a text: what stands between quotes, braces, ends of sentences and of lines.
fn clauses(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let ends = |i: usize, c: char| {
        let next = text.get(i + c.len_utf8()..).and_then(|t| t.chars().next());
        matches!(c, '"' | '{' | '}' | '\n' | ';' | '<' | '>' | '|')
            || matches!(c, '.' | '!' | '?' | ',') && next.is_none_or(char::is_whitespace)
    };
    let mut from = 0;
    let mut marks = text.char_indices().filter(move |(i, c)| ends(*i, *c));
    std::iter::from_fn(move || {
        if from > text.len() {
            return None;
        }
        let (start, end, next) = match marks.next() {
            Some((i, c)) => (from, i, i + c.len_utf8()),
            None => (from, text.len(), text.len() + 1),
        };
        from = next;
        Some(start..end)
    })
}

/// The words of a clause in lower case; `TOKEN_EXPIRED` and `TokenExpired` are two.
fn words(clause: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    for c in clause.chars() {
        let boundary = !c.is_alphanumeric() || before.is_lowercase() && c.is_uppercase();
        if boundary && !word.is_empty() {
            all.push(std::mem::take(&mut word));
            if all.len() > LONGEST {
                return all;
            }
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    if !word.is_empty() {
        all.push(word);
    }
    all
}

/// Whether the words of a phrase stand there side by side; a word that ends in `~` is the beginning of one.
fn holds(words: &[String], phrase: &str) -> bool {
    let wanted: Vec<&str> = phrase.split([' ', '_']).collect();
    let fits = |word: &String, wanted: &&str| match wanted.strip_suffix('~') {
        Some(stem) => word.starts_with(stem),
        None => word == wanted,
    };
    words.windows(wanted.len().max(1)).any(|w| w.iter().zip(&wanted).all(|(word, want)| fits(word, want)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn causes(text: &str) -> Vec<&'static str> {
        of(text.as_bytes()).into_iter().map(|g| g.cause).collect()
    }

    #[test]
    fn the_gist_of_refusals_is_understood() {
        for (text, cause) in [
            (r#"{"error":"Webhook signature could not be verified"}"#, "signature-mismatch"),
            (r#"{"code":-1022,"msg":"Signature for this request is not valid."}"#, "signature-mismatch"),
            ("Timestamp for this request is outside of the recvWindow.", "clock-skew"),
            (r#"{"code":"ACCOUNT_SUSPENDED"}"#, "account-disabled"),
            ("<p>Your access token has expired. Please sign in.</p>", "token-expired"),
            (r#"{"message":"TokenExpired"}"#, "token-expired"),
            ("Your IP address 192.0.2.7 is not whitelisted for this API", "address-not-allowed"),
            ("No API key was found in the request", "no-credentials"),
            ("Authorization header missing", "no-credentials"),
            ("The API key has been revoked", "token-revoked"),
            ("Signature verification failed for token", "bad-signature"),
            ("Not enough segments", "token-malformed"),
            ("Account locked after 5 attempts", "account-locked"),
            ("Session timed out", "session-expired"),
            ("The token's audience does not match", "wrong-audience"),
            ("Missing required scope: read:items", "scope-missing"),
            ("Daily quota used up", "rate-limited"),
            ("User bob does not exist", "unknown-user"),
            ("Incorrect password", "wrong-password"),
            ("Invalid username or password", "credentials-refused"),
            ("X-Tenant-ID is missing: tenant not provided", "tenant-missing"),
            ("Test key cannot be used in live mode", "wrong-environment"),
            ("LDAP: can't contact server", "auth-backend-down"),
            ("Invalid API token", "credentials-refused"),
            ("Authentication required", "no-credentials"),
        ] {
            assert_eq!(causes(text).first(), Some(&cause), "{text}");
        }
    }

    #[test]
    fn other_words_have_none() {
        for text in
            ["", "Unauthorized", "HTTP 401", "ok", "\"", "the user asked for a page", "ü\u{fffd}", "}{\";"]
        {
            assert!(causes(text).is_empty(), "{text}: {:?}", causes(text));
        }
    }
}
