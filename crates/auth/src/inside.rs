//! What credentials and challenges carry, by their scheme.

use crate::base64::{self, Alphabet};
use crate::field::{Challenge, Credentials, Element};
use crate::message_signatures::{self, Cavage};
use crate::problem::{Problem, ProblemKind};
use crate::scheme::azure::{self, AccountSignature, SharedAccess};
use crate::scheme::basic::{self, Basic};
use crate::scheme::bearer::{self, BearerChallenge};
use crate::scheme::digest::{self, DigestChallenge, DigestCredentials};
use crate::scheme::hawk::{self, Hawk};
use crate::scheme::oauth1::{self, OAuth1};
use crate::scheme::sigv4::{self, Sigv4};
use crate::scheme::spnego::{self, Negotiate, Wrapping};
use crate::token::{self, Token};
use std::ops::Range;

/// What credentials carry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Inside {
    /// Nothing follows the scheme.
    Empty,
    /// `Basic`: user-id and password.
    Basic(Basic),
    /// `Bearer`, `DPoP`, `Token`, `ApiKey` and every scheme that carries one opaque secret; also a secret without a
    /// scheme.
    Token(Token),
    /// `Digest`.
    Digest(DigestCredentials),
    /// `NTLM`, `Negotiate` or `Kerberos`: NTLM, SPNEGO or Kerberos messages, under whichever of these names they stand.
    Negotiate(Message),
    /// `NTLM`, `Negotiate` or `Kerberos` with something that is none of their messages.
    UnreadableMessage(Vec<Problem>),
    /// AWS Signature Version 4 and its kin.
    Sigv4(Sigv4),
    /// `OAuth` with the parameters of OAuth 1.0.
    OAuth1(OAuth1),
    /// `Hawk`.
    Hawk(Hawk),
    /// `SharedKey`, `SharedKeyLite` (Azure Storage) and `AWS` (Signature Version 2): `account:signature`.
    AccountSignature(AccountSignature),
    /// `SharedAccessSignature`.
    SharedAccess(SharedAccess),
    /// `Signature` of draft-cavage-http-signatures.
    Signature(Cavage),
    /// Parameters that say nothing beyond themselves.
    Params,
}

/// What a challenge carries.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InsideChallenge {
    /// The scheme alone.
    Bare,
    /// `Basic`.
    Basic(BasicChallenge),
    /// `Bearer`, and `DPoP` which has the same parameters and some more.
    Bearer(BearerChallenge),
    /// `Digest`.
    Digest(DigestChallenge),
    /// `NTLM`, `Negotiate` or `Kerberos`: NTLM, SPNEGO or Kerberos messages, under whichever of these names they stand.
    Negotiate(Message),
    /// `NTLM`, `Negotiate` or `Kerberos` with something that is none of their messages.
    UnreadableMessage(Vec<Problem>),
    /// `Hawk`.
    Hawk(Hawk),
    /// Parameters or a token68 that say nothing beyond themselves.
    Other,
}

/// A message of `NTLM`, `Negotiate` or `Kerberos`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The token.
    pub token: Negotiate,
    /// What is wrong with it or its base64, with ranges in the field value.
    pub problems: Vec<Problem>,
}

/// A Basic challenge (RFC 7617 section 2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BasicChallenge {
    /// The realm, which the specification demands.
    pub realm: Option<String>,
    /// The charset: only `UTF-8` is defined.
    pub charset: Option<String>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

fn basic_challenge(element: &Challenge) -> BasicChallenge {
    let mut problems = Vec::new();
    match element.param("realm") {
        None => {
            let what = "realm is missing (RFC 7617 section 2 demands it)";
            problems.push(Problem::new(element.scheme.range.clone(), ProblemKind::Missing, what));
        }
        Some(p) if !p.quoted => {
            let what = "senders must quote the realm (RFC 9110 section 11.5)";
            problems.push(Problem::new(p.raw_range.clone(), ProblemKind::BadValue, what));
        }
        Some(_) => {}
    }
    if let Some(p) = element.param("charset")
        && !p.bytes().eq_ignore_ascii_case(b"utf-8")
    {
        let what = "UTF-8 is the only charset that is defined (RFC 7617 section 2.1)";
        problems.push(Problem::new(p.raw_range.clone(), ProblemKind::BadValue, what));
    }
    let text = |name: &str| element.text(name).map(|t| t.into_owned());
    BasicChallenge { realm: text("realm"), charset: text("charset"), problems }
}

impl Inside {
    /// What is wrong with what is carried, with ranges in the field value.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Inside::Empty | Inside::Params => &[],
            Inside::Basic(b) => &b.problems,
            Inside::Token(t) => &t.problems,
            Inside::Digest(d) => &d.problems,
            Inside::Negotiate(m) => &m.problems,
            Inside::UnreadableMessage(p) => p,
            Inside::Sigv4(s) => &s.problems,
            Inside::OAuth1(o) => &o.problems,
            Inside::Hawk(h) => &h.problems,
            Inside::AccountSignature(a) => &a.problems,
            Inside::SharedAccess(s) => &s.problems,
            Inside::Signature(c) => &c.problems,
        }
    }
}

impl InsideChallenge {
    /// What is wrong with what is carried, with ranges in the field value.
    pub fn problems(&self) -> &[Problem] {
        match self {
            InsideChallenge::Bare | InsideChallenge::Other | InsideChallenge::Bearer(_) => &[],
            InsideChallenge::Basic(b) => &b.problems,
            InsideChallenge::Digest(d) => &d.problems,
            InsideChallenge::Negotiate(m) => &m.problems,
            InsideChallenge::UnreadableMessage(p) => p,
            InsideChallenge::Hawk(h) => &h.problems,
        }
    }
}

/// What credentials carry. `value` is the field value that they were parsed from, for the ranges.
pub fn of(value: &[u8], credentials: &Credentials) -> Inside {
    if credentials.is_bare() {
        return Inside::Empty;
    }
    let range = secret_range(credentials);
    match credentials.scheme.name.as_str() {
        "basic" => Inside::Basic(basic::read(value, range)),
        "digest" => Inside::Digest(digest::credentials(credentials)),
        "ntlm" | "negotiate" | "kerberos" => match message(value, range) {
            Ok(message) => Inside::Negotiate(message),
            Err(problems) => Inside::UnreadableMessage(problems),
        },
        "hawk" => Inside::Hawk(hawk::read(credentials, false)),
        "signature" if !credentials.params.is_empty() => {
            Inside::Signature(message_signatures::cavage(credentials))
        }
        "oauth" if !credentials.params.is_empty() => Inside::OAuth1(oauth1::of_credentials(credentials)),
        "sharedkey" | "sharedkeylite" | "aws" => {
            Inside::AccountSignature(azure::account_signature(value, range))
        }
        "sharedaccesssignature" => {
            Inside::SharedAccess(azure::shared_access(value, credentials.rest.range.clone()))
        }
        name if sigv4::is_scheme(name) => Inside::Sigv4(sigv4::of_credentials(credentials)),
        _ if !credentials.params.is_empty() && credentials.token68.is_none() => params(value, credentials),
        _ => Inside::Token(token::read(value, range)),
    }
}

/// The user that the value of an `Authorization` field claims to be, as a log may name it: never one that stands for a secret
/// (a key in place of a user, half a pair), never a hashed one.
pub fn user(value: &[u8]) -> Option<String> {
    let parsed = crate::parse_credentials(value);
    match of(value, parsed.value.first()?) {
        Inside::Basic(b) if b.password.is_some() && !b.user_is_secret() => Some(b.user_text().into_owned()),
        Inside::Digest(d) if !d.userhash => d.username,
        _ => None,
    }
}

/// What a challenge carries. `value` is the field value that it was parsed from, for the ranges.
pub fn of_challenge(value: &[u8], challenge: &Challenge) -> InsideChallenge {
    match challenge.scheme.name.as_str() {
        "basic" => InsideChallenge::Basic(basic_challenge(challenge)),
        "bearer" | "dpop" => InsideChallenge::Bearer(bearer::challenge(challenge)),
        "digest" => InsideChallenge::Digest(digest::challenge(challenge)),
        "hawk" => InsideChallenge::Hawk(hawk::read(challenge, true)),
        _ if challenge.is_bare() => InsideChallenge::Bare,
        // `NTLM Negotiate`: a comma is missing, and no message is there.
        _ if crate::scheme::known_bytes(challenge.rest.text.expose()).is_some() => InsideChallenge::Other,
        "ntlm" | "negotiate" | "kerberos" => match message(value, secret_range(challenge)) {
            Ok(message) => InsideChallenge::Negotiate(message),
            Err(problems) => InsideChallenge::UnreadableMessage(problems),
        },
        _ => InsideChallenge::Other,
    }
}

/// Where the secret of a scheme that carries one stands: the token68, else everything after the scheme.
fn secret_range(element: &Element) -> Range<usize> {
    match &element.token68 {
        Some(token) => token.range.clone(),
        None => element.rest.range.clone(),
    }
}

/// `Token token="x"`, `Bearer access_token=x`: the parameter that holds a token.
fn params(value: &[u8], credentials: &Credentials) -> Inside {
    let names = ["token", "access_token", "key", "api_key", "apikey", "api-key", "t", "bearer"];
    let one = names.iter().find_map(|n| credentials.param(n)).filter(|p| p.value.is_some());
    match (one, credentials.scheme.name.as_str()) {
        (
            Some(param),
            "token" | "bearer" | "" | "apikey" | "api-key" | "key" | "vapid" | "snowflake" | "dpop",
        ) => Inside::Token(token::read(value, param.value_range.clone())),
        (None, "bearer" | "dpop") => Inside::Token(token::read(value, credentials.rest.range.clone())),
        _ => Inside::Params,
    }
}

fn message(value: &[u8], range: Range<usize>) -> Result<Message, Vec<Problem>> {
    let decoded = base64::decode(value, range.clone(), Alphabet::Standard);
    let mut problems = decoded.problems.clone();
    let Some(token) = spnego::read(decoded.bytes.expose()) else {
        let what = "neither an NTLM message nor a token of SPNEGO or Kerberos";
        problems.push(Problem::new(range, ProblemKind::Unknown, what));
        return Err(problems);
    };
    if token.cut_off {
        problems.push(Problem::new(range.end..range.end, ProblemKind::Truncated, "the token was cut off"));
    }
    if let Some(ntlm) = token.ntlm() {
        // Inside SPNEGO the message does not begin where the token does; the ranges then enclose the whole.
        let plain = token.wrapping == Wrapping::None;
        let place = |r: &Range<usize>| if plain { decoded.encoded_range(r) } else { range.clone() };
        problems.extend(ntlm.problems.iter().map(|p| Problem { range: place(&p.range), ..p.clone() }));
    }
    problems.sort_by_key(|p| p.range.start);
    Ok(Message { token, problems })
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_log_names_users_and_no_secrets() {
        for (value, user) in [
            ("Basic YWxpY2U6c2VjcmV0", Some("alice")),
            // No colon: it may be a secret.
            ("Basic c2VjcmV0", None),
            ("Digest username=\"bob\", realm=\"r\", nonce=\"n\", uri=\"/\", response=\"0\"", Some("bob")),
            (
                "Digest username=\"6f\", userhash=true, realm=\"r\", nonce=\"n\", uri=\"/\", response=\"0\"",
                None,
            ),
            ("Bearer abc", None),
            ("", None),
        ] {
            assert_eq!(super::user(value.as_bytes()).as_deref(), user, "{value}");
        }
    }
}
