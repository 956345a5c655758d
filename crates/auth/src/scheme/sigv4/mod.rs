//! AWS Signature Version 4: what `Authorization` or a presigned address says, and what it was computed over.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

mod canonical;

pub use canonical::{Request, canonical_request, sign, string_to_sign};

use crate::Secret;
use crate::field::Credentials;
use crate::percent;
use crate::problem::{Problem, ProblemKind};
use std::ops::Range;

/// A signature with what it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sigv4 {
    /// `AWS4-HMAC-SHA256`, or another one as written.
    pub algorithm: String,
    /// The access key id, which is no secret.
    pub access_key: Option<String>,
    /// Date, region and service that the signing key was derived for.
    pub scope: Option<Scope>,
    /// The signed fields, lower case, in their order.
    pub signed_headers: Vec<String>,
    /// The signature.
    pub signature: Option<Secret>,
    /// The moment of signing as written (`YYYYMMDDTHHMMSSZ`): in the query form; else see the field `X-Amz-Date`.
    pub date: Option<String>,
    /// For how many seconds a presigned address is good.
    pub expires: Option<u64>,
    /// Whether it stands in the query.
    pub presigned: bool,
    /// What is wrong, with ranges in the field value or target.
    pub problems: Vec<Problem>,
}

/// The credential scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The day, `YYYYMMDD`.
    pub date: String,
    /// The region; empty with AWS4-ECDSA-P256-SHA256, which names it in a field of its own.
    pub region: String,
    /// The service.
    pub service: String,
    /// `aws4_request`.
    pub terminator: String,
}

impl Scope {
    /// As it stands in the string to sign.
    pub fn text(&self) -> String {
        let parts = [&self.date, &self.region, &self.service, &self.terminator];
        parts.into_iter().filter(|p| !p.is_empty()).map(String::as_str).collect::<Vec<_>>().join("/")
    }
}

impl Sigv4 {
    /// The moment of signing in seconds since 1970, in the query form.
    pub fn time(&self) -> Option<i64> {
        time(self.date.as_deref()?)
    }

    /// Whether the access key is a temporary one, which needs a session token beside it.
    pub fn is_temporary(&self) -> bool {
        self.access_key.as_deref().is_some_and(|k| k.starts_with("ASIA"))
    }

    fn empty(algorithm: &str, presigned: bool) -> Self {
        Sigv4 {
            algorithm: algorithm.to_string(),
            access_key: None,
            scope: None,
            signed_headers: Vec::new(),
            signature: None,
            date: None,
            expires: None,
            presigned,
            problems: Vec::new(),
        }
    }

    fn problem(&mut self, range: Range<usize>, kind: ProblemKind, what: &str) {
        self.problems.push(Problem::new(range, kind, what));
    }

    fn set_credential(&mut self, text: &str, range: Range<usize>) {
        // The scope's parts stand at the end: an access key may itself hold slashes.
        let wanted = if self.algorithm.contains("ECDSA") { 3 } else { 4 };
        let parts: Vec<&str> = text.rsplitn(wanted + 1, '/').collect();
        let Some(key) = parts.get(wanted) else {
            self.access_key = text.split('/').next().map(str::to_string);
            let what = "the credential is not KEY/DATE/REGION/SERVICE/aws4_request";
            return self.problem(range, ProblemKind::BadValue, what);
        };
        let part = |i: usize| parts.get(i).copied().unwrap_or_default().to_string();
        let region = if wanted == 4 { part(2) } else { String::new() };
        let scope = Scope { date: part(wanted - 1), region, service: part(1), terminator: part(0) };
        if scope.date.len() != 8 || !scope.date.bytes().all(|b| b.is_ascii_digit()) {
            self.problem(range.clone(), ProblemKind::BadValue, "the scope's date is not YYYYMMDD");
        }
        if !matches!(scope.terminator.as_str(), "aws4_request" | "goog4_request") {
            self.problem(range, ProblemKind::BadValue, "the scope does not end in aws4_request");
        }
        self.access_key = Some((*key).to_string());
        self.scope = Some(scope);
    }

    fn set_signed_headers(&mut self, text: &str, range: Range<usize>) {
        self.signed_headers = text.split(';').filter(|n| !n.is_empty()).map(str::to_string).collect();
        if self.signed_headers.iter().any(|n| n.bytes().any(|b| b.is_ascii_uppercase())) {
            self.problem(
                range.clone(),
                ProblemKind::BadValue,
                "the names of signed fields must be in lower case",
            );
        }
        if !self.signed_headers.is_sorted() {
            self.problem(range.clone(), ProblemKind::BadValue, "the names of signed fields must be sorted");
        }
        if !self.signed_headers.iter().any(|n| n.eq_ignore_ascii_case("host") || n == ":authority") {
            self.problem(range, ProblemKind::Missing, "host is not among the signed fields, and must be");
        }
    }

    fn set_signature(&mut self, text: &[u8], range: Range<usize>) {
        let hex = text.iter().all(u8::is_ascii_hexdigit);
        if !self.algorithm.contains("ECDSA") && (text.len() != 64 || !hex) {
            self.problem(range, ProblemKind::BadValue, "the signature is not 64 hexadecimal digits");
        }
        self.signature = Some(Secret::new(text));
    }

    fn check_missing(&mut self, range: Range<usize>) {
        let missing = [
            ("Credential", self.access_key.is_none()),
            ("SignedHeaders", self.signed_headers.is_empty()),
            ("Signature", self.signature.is_none()),
        ];
        for (name, is_missing) in missing {
            if is_missing {
                self.problem(range.clone(), ProblemKind::Missing, &format!("{name} is missing"));
            }
        }
    }
}

/// Whether the scheme is one of this family (given in lower case).
pub fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with("aws4-") || scheme.starts_with("goog4-")
}

/// Reads credentials.
pub fn of_credentials(credentials: &Credentials) -> Sigv4 {
    let mut found = Sigv4::empty(&credentials.scheme.written, false);
    if let Some(p) = credentials.param("credential").filter(|p| p.is_clean()) {
        found.set_credential(&p.text().unwrap_or_default(), p.value_range.clone());
    }
    if let Some(p) = credentials.param("signedheaders").filter(|p| p.is_clean()) {
        found.set_signed_headers(&p.text().unwrap_or_default(), p.value_range.clone());
    }
    if let Some(p) = credentials.param("signature") {
        found.set_signature(p.bytes(), p.value_range.clone());
    }
    found.check_missing(credentials.scheme.range.clone());
    found
}

/// Reads a presigned address: the target (or whole address) of a request. `None` where it is not signed.
pub fn of_target(target: &[u8]) -> Option<Sigv4> {
    let question = target.iter().position(|b| *b == b'?')?;
    let pairs: Vec<_> = query_pairs(target, question + 1).collect();
    let get = |name: &str| pairs.iter().find(|(n, _, _)| n.eq_ignore_ascii_case(name.as_bytes()));
    let (_, algorithm, _) = get("X-Amz-Algorithm").or_else(|| get("X-Goog-Algorithm"))?;
    let prefix = if get("X-Amz-Algorithm").is_some() { "X-Amz-" } else { "X-Goog-" };
    let get =
        |name: &str| get(&format!("{prefix}{name}")).map(|(_, value, range)| (value.clone(), range.clone()));
    let mut found = Sigv4::empty(&String::from_utf8_lossy(algorithm), true);
    if let Some((value, range)) = get("Credential") {
        found.set_credential(&String::from_utf8_lossy(&value), range);
    }
    if let Some((value, range)) = get("SignedHeaders") {
        found.set_signed_headers(&String::from_utf8_lossy(&value), range);
    }
    if let Some((value, range)) = get("Signature") {
        found.set_signature(&value, range);
    }
    if let Some((value, range)) = get("Date") {
        let text = String::from_utf8_lossy(&value).into_owned();
        if time(&text).is_none() {
            found.problem(range, ProblemKind::BadValue, "the date is not of the form YYYYMMDDTHHMMSSZ");
        }
        found.date = Some(text);
    }
    if let Some((value, range)) = get("Expires") {
        found.expires = String::from_utf8_lossy(&value).parse().ok();
        if found.expires.is_none_or(|e| e > 604_800) {
            found.problem(
                range,
                ProblemKind::BadValue,
                "a presigned address is good for at most 604800 seconds (a week)",
            );
        }
    }
    found.check_missing(question..target.len());
    Some(found)
}

/// The pairs of a query: decoded name, decoded value, and where the value stands.
pub(crate) fn query_pairs(
    target: &[u8],
    from: usize,
) -> impl Iterator<Item = (Vec<u8>, Vec<u8>, Range<usize>)> + '_ {
    let mut at = from;
    let end = target.iter().position(|b| *b == b'#').unwrap_or(target.len());
    target.get(from..end).unwrap_or_default().split(|b| *b == b'&').map(move |pair| {
        let start = at;
        at += pair.len() + 1;
        let split = pair.iter().position(|b| *b == b'=');
        let name = pair.get(..split.unwrap_or(pair.len())).unwrap_or_default();
        let value = split.and_then(|i| pair.get(i + 1..)).unwrap_or_default();
        let range = start + pair.len() - value.len()..start + pair.len();
        (percent::decode(name), percent::decode(value), range)
    })
}

/// `20150830T123600Z` in seconds since 1970.
pub fn time(text: &str) -> Option<i64> {
    crate::time::compact(text.strip_suffix('Z')?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example that AWS's documentation carried for years: a signed ListUsers of IAM.
    #[test]
    fn example_of_the_documentation() {
        let value = b"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        let read = crate::parse_credentials(value);
        let found = of_credentials(&read.value[0]);
        assert_eq!(found.problems, []);
        let fields: [(&[u8], &[u8]); 3] = [
            (b"Host", b"iam.amazonaws.com"),
            (b"Content-Type", b"application/x-www-form-urlencoded; charset=utf-8"),
            (b"X-Amz-Date", b"20150830T123600Z"),
        ];
        let request = Request {
            method: b"GET",
            target: b"/?Action=ListUsers&Version=2010-05-08",
            fields: &fields,
            payload_hash: None,
            normalize: true,
            token_added_later: false,
        };
        let to_sign = string_to_sign(&found, "20150830T123600Z", &canonical_request(&found, &request));
        let key = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        assert_eq!(sign(&found, &key, &to_sign), found.signature);
    }

    #[test]
    fn a_presigned_address_says_when_it_ends() {
        let target = b"/x?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=ASIAEXAMPLE%2F20150830%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=604801&X-Amz-SignedHeaders=host&X-Amz-Signature=00";
        let found = of_target(target).unwrap();
        assert_eq!(
            (found.time(), found.expires, found.is_temporary()),
            (Some(1_440_938_160), Some(604_801), true)
        );
        let kinds: Vec<_> = found.problems.iter().map(|p| &target[p.range.clone()]).collect();
        assert_eq!(kinds, [&b"00"[..], b"604801"]);
        assert_eq!(of_target(b"/x?a=b"), None);
    }
}
