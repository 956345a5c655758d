//! Where known programs read a value differently. Each entry was seen with the version named, or stands in the
//! source that is named with it; others may do the same.

use crate::field::Element;
use crate::inside::Inside;
use crate::problem::{Parsed, Problem, ProblemKind as P};
use serde::Serialize;

/// What a program does with such a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The program.
    pub who: &'static str,
    /// What it does.
    pub does: &'static str,
    /// Where that is known from.
    pub source: &'static str,
}

const fn d(who: &'static str, does: &'static str, source: &'static str) -> Difference {
    Difference { who, does, source }
}

const SEEN: &str = "tried with Apache 2.4, nginx 1.22, lighttpd 1.4 and HAProxy 2.6";

const MISSING_PADDING: &[Difference] = &[
    d("Apache, nginx, lighttpd", "accept Basic without the '=' at its end", SEEN),
    d("HAProxy", "refuses Basic without the '=' at its end", SEEN),
    d("aiohttp", "refuses Basic without the '=' at its end", "aiohttp's tests/test_helpers.py"),
    d("Twisted", "accepts Basic without the '=' at its end", "Twisted's twisted/web/test/test_httpauth.py"),
];

const PERCENT: &[Difference] = &[
    d("Apache, lighttpd", "accept %3D for '=' at the end of Basic", SEEN),
    d("nginx, HAProxy", "refuse %3D for '=' at the end of Basic", SEEN),
];

const WRAPPED: &[Difference] = &[
    d("nginx", "answers 401 to Basic with a line break inside, and logs a password mismatch", SEEN),
    d("Apache, lighttpd, HAProxy", "answer 400 to a line break inside a field", SEEN),
];

const SECOND: &[Difference] = &[
    d("nginx", "answers 400 to two Authorization fields", SEEN),
    d("Apache, lighttpd, HAProxy", "take the first of two Authorization fields", SEEN),
];

const SEVERAL: &[Difference] = &[d(
    "Chromium",
    "reads one challenge for each field line: of several in one line only the first scheme is seen",
    "net/http/http_auth.cc (ChooseBestChallenge); pallets/werkzeug pull request 1755",
)];

const SEVERAL_MORE: &[Difference] = &[d(
    "ADAL for iOS and Android (old versions)",
    "find Bearer only where it is the first challenge",
    "AzureAD/azure-activedirectory-library-for-objc issue 1042",
)];

const TOKEN68_CHALLENGE: &[Difference] = &[d(
    "http-auth 0.1 (Rust)",
    "refuses a challenge with a token68",
    "http-auth's documentation of ChallengeParser",
)];

const UNQUOTED_REALM: &[Difference] = &[d(
    "Firefox, Chromium, Safari",
    "accept a realm without quotes",
    "http://test.greenbytes.de/tech/tc/httpauth/ (simplebasictok)",
)];

const SPACED_EQUALS: &[Difference] = &[d(
    "curl",
    "takes the name of a Digest parameter up to '=', spaces included, and so misses a parameter with spaces before it",
    "curl's lib/vauth/digest.c (Curl_auth_digest_get_pair)",
)];

const LONG_DIGEST: &[Difference] = &[d(
    "curl",
    "cuts the value of a Digest parameter at 1023 bytes",
    "curl's lib/vauth/digest.h (DIGEST_MAX_CONTENT_LENGTH)",
)];

const DUPLICATE: &[Difference] = &[d(
    "oauth4webapi",
    "takes the last of two parameters of one name; others take the first",
    "oauth4webapi's test/www_authenticate.test.ts",
)];

const BARE: &[Difference] = &[d(
    "oauth4webapi",
    "refuses a challenge without parameters",
    "oauth4webapi's test/www_authenticate.test.ts",
)];

const SHA2_ONLY: &[Difference] = &[d(
    "wget 1.21",
    "answers a Digest challenge of SHA-256 alone with MD5 and no algorithm",
    "tried with GNU Wget 1.21",
)];

pub(super) fn of_challenges(value: &[u8], parsed: &Parsed<Vec<Element>>) -> Vec<Difference> {
    let all = &parsed.value;
    let mut found: Vec<Difference> = Vec::new();
    let mut add = |when: bool, entries: &[Difference]| {
        if when {
            found.extend_from_slice(entries);
        }
    };
    let digest = || all.iter().filter(|c| c.is("digest"));
    add(all.len() > 1, SEVERAL);
    add(
        all.iter().skip(1).any(|c| c.is("bearer")) && !all.first().is_some_and(|c| c.is("bearer")),
        SEVERAL_MORE,
    );
    add(all.iter().any(|c| c.token68.is_some()), TOKEN68_CHALLENGE);
    add(all.iter().any(|c| c.param("realm").is_some_and(|p| !p.quoted && p.value.is_some())), UNQUOTED_REALM);
    add(parsed.problem(P::DuplicateParam).is_some(), DUPLICATE);
    add(all.iter().any(|c| c.is_bare() && (c.is("bearer") || c.is("dpop"))), BARE);
    let spaced = |c: &Element| {
        c.params.iter().any(|p| value.get(p.name_range.end).is_some_and(|b| *b != b'=') && p.value.is_some())
    };
    add(digest().any(spaced), SPACED_EQUALS);
    add(digest().any(|c| c.params.iter().any(|p| p.bytes().len() >= 1024)), LONG_DIGEST);
    let md5 = |c: &Element| c.text("algorithm").is_none_or(|a| a.to_ascii_lowercase().starts_with("md5"));
    add(digest().count() > 0 && !digest().any(md5), SHA2_ONLY);
    found
}

pub(super) fn of_credentials(parsed: &Parsed<Vec<Element>>, inside: &Inside) -> Vec<Difference> {
    let mut found = Vec::new();
    let has = |problems: &[Problem], kind| problems.iter().any(|p| p.kind == kind);
    if let Inside::Basic(b) = inside {
        let table =
            [(P::MissingPadding, MISSING_PADDING), (P::PercentEncoded, PERCENT), (P::Wrapped, WRAPPED)];
        for (_, entries) in table.iter().filter(|(kind, _)| has(&b.problems, *kind)) {
            found.extend_from_slice(entries);
        }
    }
    if has(&parsed.problems, P::SecondCredentials) {
        found.extend_from_slice(SECOND);
    }
    found
}
