//! Digest (RFC 7616, and RFC 2617 and 2069 before it): what challenge and credentials say.

use crate::Secret;
use crate::field::{Challenge, Credentials, Element};
use crate::problem::{Problem, ProblemKind};
use crate::syntax::hex_value;
use std::ops::Range;

/// The hash that a Digest is computed with (RFC 7616 section 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hash {
    /// MD5, also where no algorithm is named.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512/256.
    Sha512_256,
}

impl Hash {
    /// How many hexadecimal digits a response has.
    pub fn digits(self) -> usize {
        if self == Hash::Md5 { 32 } else { 64 }
    }
}

/// The algorithm: a hash, and whether it hashes the session's nonces in (`-sess`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Algorithm {
    /// The hash.
    pub hash: Hash,
    /// Whether the name ends in `-sess`.
    pub session: bool,
}

impl Algorithm {
    /// What is used where the parameter is missing.
    pub const DEFAULT: Algorithm = Algorithm { hash: Hash::Md5, session: false };

    /// Reads the name, in any case.
    pub fn of(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        let (base, session) = match lower.strip_suffix("-sess") {
            Some(base) => (base, true),
            None => (lower.as_str(), false),
        };
        let hash = match base {
            "md5" => Hash::Md5,
            "sha-256" => Hash::Sha256,
            "sha-512-256" => Hash::Sha512_256,
            _ => return None,
        };
        Some(Algorithm { hash, session })
    }

    /// Its name in the registry.
    pub fn name(self) -> &'static str {
        match (self.hash, self.session) {
            (Hash::Md5, false) => "MD5",
            (Hash::Md5, true) => "MD5-sess",
            (Hash::Sha256, false) => "SHA-256",
            (Hash::Sha256, true) => "SHA-256-sess",
            (Hash::Sha512_256, false) => "SHA-512-256",
            (Hash::Sha512_256, true) => "SHA-512-256-sess",
        }
    }
}

/// A Digest challenge (RFC 7616 section 3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestChallenge {
    /// The realm.
    pub realm: Option<String>,
    /// The nonce.
    pub nonce: Option<String>,
    /// What is to be sent back unchanged.
    pub opaque: Option<String>,
    /// The protection space's addresses.
    pub domain: Vec<String>,
    /// The algorithm; `None` where the name is none that is known.
    pub algorithm: Option<Algorithm>,
    /// The algorithm's name as written; `None` where the parameter is missing, which means MD5.
    pub algorithm_written: Option<String>,
    /// The qualities of protection offered, lower case; empty as in RFC 2069.
    pub qop: Vec<String>,
    /// Whether the server says that only the nonce was too old.
    pub stale: bool,
    /// The charset.
    pub charset: Option<String>,
    /// Whether the user name may be sent hashed.
    pub userhash: bool,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Digest credentials (RFC 7616 section 3.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestCredentials {
    /// The user name: `username`, or `username*` decoded. A hash where [`DigestCredentials::userhash`] is set.
    pub username: Option<String>,
    /// The realm.
    pub realm: Option<String>,
    /// The nonce.
    pub nonce: Option<String>,
    /// The target it was computed for.
    pub uri: Option<String>,
    /// The response.
    pub response: Option<Secret>,
    /// The algorithm; `None` where the name is none that is known.
    pub algorithm: Option<Algorithm>,
    /// The algorithm's name as written.
    pub algorithm_written: Option<String>,
    /// The client's nonce.
    pub cnonce: Option<String>,
    /// What came with the challenge.
    pub opaque: Option<String>,
    /// The quality of protection, lower case; `None` as in RFC 2069.
    pub qop: Option<String>,
    /// The nonce count as written.
    pub nc: Option<String>,
    /// The nonce count, `None` where it is no hexadecimal number.
    pub count: Option<u32>,
    /// Whether the user name is hashed.
    pub userhash: bool,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Collects the values of an element and what is wrong with them.
struct Reader<'a> {
    element: &'a Element,
    /// Whether the element is credentials, in which a value that is not clean may hold a secret.
    guarded: bool,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> Option<String> {
        let text = if self.guarded { self.element.clean_text(name) } else { self.element.text(name) };
        text.map(|t| t.into_owned())
    }

    fn required(&mut self, name: &str) -> Option<String> {
        let text = self.text(name);
        if text.is_none() {
            self.add(self.element.scheme.range.clone(), ProblemKind::Missing, format!("{name} is missing"));
        }
        text
    }

    fn add(&mut self, range: Range<usize>, kind: ProblemKind, what: impl Into<String>) {
        self.problems.push(Problem::new(range, kind, what));
    }

    fn bad(&mut self, name: &str, kind: ProblemKind, what: impl Into<String>) {
        let range =
            self.element.param(name).map_or(self.element.scheme.range.clone(), |p| p.raw_range.clone());
        self.add(range, kind, what);
    }

    /// RFC 7616 sections 3.3 and 3.4 say of each parameter whether it is quoted; some servers insist.
    fn quoting(&mut self, names: &[&str], quoted: bool) {
        for name in names {
            let wrong = self.element.param(name).is_some_and(|p| p.quoted != quoted && p.value.is_some());
            if wrong {
                let what = if quoted { "in quotes" } else { "without quotes" };
                self.bad(
                    name,
                    ProblemKind::Quoting,
                    format!("RFC 7616 has {name} {what}; most recipients take both"),
                );
            }
        }
    }

    fn algorithm(&mut self) -> (Option<Algorithm>, Option<String>) {
        let written = self.text("algorithm");
        let algorithm = match &written {
            None => Some(Algorithm::DEFAULT),
            Some(name) => Algorithm::of(name),
        };
        if algorithm.is_none() {
            self.bad(
                "algorithm",
                ProblemKind::Unknown,
                "an algorithm that RFC 7616 and its registry do not have",
            );
        }
        (algorithm, written)
    }

    fn flag(&mut self, name: &str) -> bool {
        let Some(text) = self.text(name) else { return false };
        if !text.eq_ignore_ascii_case("true") && !text.eq_ignore_ascii_case("false") {
            self.bad(name, ProblemKind::BadValue, format!("{name} is neither true nor false"));
        }
        text.eq_ignore_ascii_case("true")
    }
}

/// Reads a Digest challenge.
pub fn challenge(element: &Challenge) -> DigestChallenge {
    let mut r = Reader { element, guarded: false, problems: Vec::new() };
    let realm = r.required("realm");
    let nonce = r.required("nonce");
    if nonce.as_deref() == Some("") {
        r.bad("nonce", ProblemKind::BadValue, "the nonce is empty");
    }
    let (algorithm, algorithm_written) = r.algorithm();
    let qop: Vec<String> = r
        .text("qop")
        .unwrap_or_default()
        .split([',', ' '])
        .map(|q| q.trim().to_ascii_lowercase())
        .filter(|q| !q.is_empty())
        .collect();
    if r.element.param("qop").is_some() && !qop.iter().any(|q| q == "auth" || q == "auth-int") {
        r.bad("qop", ProblemKind::Unknown, "neither auth nor auth-int among the qualities of protection");
    }
    if algorithm.is_some_and(|a| a.session) && qop.is_empty() {
        r.bad(
            "algorithm",
            ProblemKind::Disagree,
            "a -sess algorithm needs a client nonce, which only comes with qop",
        );
    }
    r.quoting(&["realm", "nonce", "opaque", "qop", "domain"], true);
    let stale = r.flag("stale");
    let userhash = r.flag("userhash");
    DigestChallenge {
        realm,
        nonce,
        opaque: r.text("opaque"),
        domain: r.text("domain").unwrap_or_default().split_ascii_whitespace().map(str::to_string).collect(),
        algorithm,
        algorithm_written,
        qop,
        stale,
        charset: r.text("charset"),
        userhash,
        problems: r.problems,
    }
}

/// Reads Digest credentials.
pub fn credentials(element: &Credentials) -> DigestCredentials {
    let mut r = Reader { element, guarded: true, problems: Vec::new() };
    let plain = r.text("username");
    let extended = r.text("username*");
    let username = match (&plain, &extended) {
        (Some(_), Some(_)) => {
            r.bad(
                "username*",
                ProblemKind::Disagree,
                "username and username* together: one is sent, never both",
            );
            plain
        }
        (None, Some(text)) => {
            let decoded = extended_value(text);
            if decoded.is_none() {
                r.bad(
                    "username*",
                    ProblemKind::BadValue,
                    "not of the form UTF-8''percent-encoded (RFC 8187)",
                );
            }
            decoded
        }
        _ => plain,
    };
    if username.is_none() && extended.is_none() {
        r.required("username");
    }
    let realm = r.required("realm");
    let nonce = r.required("nonce");
    let uri = r.required("uri");
    let response = r.required("response").map(Secret::new);
    let (algorithm, algorithm_written) = r.algorithm();
    let cnonce = r.text("cnonce");
    let qop = r.text("qop").map(|q| q.to_ascii_lowercase());
    let nc = r.text("nc");
    let count = nc.as_deref().and_then(|n| u32::from_str_radix(n, 16).ok());
    if let Some(text) = &nc
        && (text.len() != 8 || count.is_none())
    {
        r.bad("nc", ProblemKind::BadValue, "nc is not eight hexadecimal digits");
    }
    if qop.is_some() {
        for name in ["cnonce", "nc"] {
            r.required(name);
        }
    } else if r.element.param("cnonce").is_some() || nc.is_some() {
        r.bad("cnonce", ProblemKind::Disagree, "cnonce or nc without qop: they go together");
    }
    if qop.as_deref().is_some_and(|q| q != "auth" && q != "auth-int") {
        r.bad(
            "qop",
            ProblemKind::BadValue,
            "qop is neither auth nor auth-int: the client picks one of those offered",
        );
    }
    if let (Some(secret), Some(a)) = (&response, algorithm) {
        let text = secret.expose();
        if text.len() != a.hash.digits() || !text.iter().all(|b| hex_value(*b).is_some()) {
            let what =
                format!("the response is not {} hexadecimal digits, as {} has", a.hash.digits(), a.name());
            r.bad("response", ProblemKind::BadValue, what);
        }
    }
    r.quoting(&["username", "realm", "nonce", "uri", "response", "cnonce", "opaque"], true);
    r.quoting(&["qop", "nc", "algorithm"], false);
    let userhash = r.flag("userhash");
    let opaque = r.text("opaque");
    DigestCredentials {
        username,
        realm,
        nonce,
        uri,
        response,
        algorithm,
        algorithm_written,
        cnonce,
        opaque,
        qop,
        nc,
        count,
        userhash,
        problems: r.problems,
    }
}

/// `UTF-8''J%C3%A4s` (RFC 8187 section 3.2).
pub fn extended_value(text: &str) -> Option<String> {
    let mut parts = text.splitn(3, '\'');
    let (charset, _, value) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = crate::percent::decode(value.as_bytes());
    match charset.to_ascii_lowercase().as_str() {
        "utf-8" => String::from_utf8(bytes).ok(),
        "iso-8859-1" => Some(bytes.into_iter().map(char::from).collect()),
        _ => None,
    }
}

/// What in the answer does not fit the challenge it answers: the names of the parameters that differ.
pub fn differences(challenge: &DigestChallenge, credentials: &DigestCredentials) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut unlike = |name, differs: bool| {
        if differs {
            found.push(name);
        }
    };
    unlike("realm", challenge.realm != credentials.realm);
    unlike("nonce", challenge.nonce != credentials.nonce);
    unlike("opaque", challenge.opaque.is_some() && challenge.opaque != credentials.opaque);
    let offered = challenge.algorithm.map(Algorithm::name);
    unlike("algorithm", offered.is_some() && offered != credentials.algorithm.map(Algorithm::name));
    let qop_wrong = match &credentials.qop {
        None => false, // RFC 2069's form is allowed where a server takes it.
        Some(qop) => !challenge.qop.contains(qop),
    };
    unlike("qop", qop_wrong);
    found
}
