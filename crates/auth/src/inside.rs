//! What credentials and challenges carry, by their scheme.

use crate::base64::{self, Alphabet};
use crate::field::{Challenge, Credentials, Element};
use crate::problem::Problem;
use crate::scheme::basic::{self, Basic};
use crate::scheme::bearer::{self, BearerChallenge};
use crate::scheme::digest::{self, DigestChallenge, DigestCredentials};
use crate::scheme::ntlm::{self, Ntlm};
use crate::syntax::slice;
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
    /// `NTLM`, or `Negotiate` with an NTLM message in it.
    Ntlm(Ntlm),
    /// `Negotiate` or `NTLM` with something that is none of their messages.
    UnreadableMessage(Vec<Problem>),
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
    /// `NTLM`, or `Negotiate` with an NTLM message in it.
    Ntlm(Ntlm),
    /// `Negotiate` or `NTLM` with something that is none of their messages.
    UnreadableMessage(Vec<Problem>),
    /// Parameters or a token68 that say nothing beyond themselves.
    Other,
}

/// A Basic challenge (RFC 7617 section 2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BasicChallenge {
    /// The realm, which the specification demands.
    pub realm: Option<String>,
    /// The charset: only `UTF-8` is defined.
    pub charset: Option<String>,
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
            Ok(ntlm) => Inside::Ntlm(ntlm),
            Err(problems) => Inside::UnreadableMessage(problems),
        },
        _ if !credentials.params.is_empty() && credentials.token68.is_none() => params(value, credentials),
        _ => Inside::Token(token::read(value, range)),
    }
}

/// What a challenge carries. `value` is the field value that it was parsed from, for the ranges.
pub fn of_challenge(value: &[u8], challenge: &Challenge) -> InsideChallenge {
    let text = |name: &str| challenge.text(name).map(|t| t.into_owned());
    match challenge.scheme.name.as_str() {
        "basic" => InsideChallenge::Basic(BasicChallenge { realm: text("realm"), charset: text("charset") }),
        "bearer" | "dpop" => InsideChallenge::Bearer(bearer::challenge(challenge)),
        "digest" => InsideChallenge::Digest(digest::challenge(challenge)),
        _ if challenge.is_bare() => InsideChallenge::Bare,
        "ntlm" | "negotiate" | "kerberos" => match message(value, secret_range(challenge)) {
            Ok(ntlm) => InsideChallenge::Ntlm(ntlm),
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

fn message(value: &[u8], range: Range<usize>) -> Result<Ntlm, Vec<Problem>> {
    let decoded = base64::decode(value, range.clone(), Alphabet::Standard);
    let Some(mut ntlm) = ntlm::read(decoded.bytes.expose()) else {
        let mut problems = decoded.problems;
        let what = "neither an NTLM message nor a token that is known";
        problems.push(Problem::new(range, crate::ProblemKind::Unknown, what));
        return Err(problems);
    };
    for p in &mut ntlm.problems {
        p.range = decoded.encoded_range(&p.range);
    }
    ntlm.problems.extend(decoded.problems);
    let _ = slice(value, &range);
    Ok(ntlm)
}
