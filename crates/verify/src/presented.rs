//! Taking the `Authorization` fields of a request apart, as a server does that knows which schemes it offers.

use crate::Refusal;
use why401_auth::base64::{self, Alphabet};
use why401_auth::scheme::digest::DigestCredentials;
use why401_auth::token::Token;
use why401_auth::{Element, Inside, ProblemKind, Secret, inside, parse_credentials};

/// A user-id and a password (RFC 7617 section 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The user-id, as its bytes; not always UTF-8.
    pub user: Vec<u8>,
    /// The password.
    pub password: Secret,
}

impl Pair {
    /// The user-id for people and logs.
    pub fn name(&self) -> String {
        String::from_utf8_lossy(&self.user).into_owned()
    }
}

/// What one well-formed `Authorization` field carries.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Presented {
    /// `Basic`.
    Basic(Pair),
    /// `Digest`.
    Digest(Box<DigestCredentials>),
    /// A scheme that carries one token, by its name in lower case.
    Token {
        /// `bearer`, `dpop`, `apikey` ...
        scheme: String,
        /// The token.
        token: Box<Token>,
    },
    /// Any other scheme: the parts as parsed.
    Other(Box<Element>),
}

/// Takes the values of all `Authorization` fields of a request apart. `offered` are the schemes that the server takes,
/// in lower case.
///
/// # Errors
/// The cause in the field's own bytes: none, empty, doubled, malformed, of a scheme that is not offered.
pub fn read(fields: &[&[u8]], offered: &[&str]) -> Result<Presented, Refusal> {
    let value = match fields {
        [] => return Refusal::err("no-credentials", "the request has no Authorization field"),
        [value] => value.trim_ascii(),
        more => {
            let says = format!("the request has {} Authorization fields", more.len());
            return Refusal::err("duplicate-credentials", says);
        }
    };
    if value.is_empty() {
        return Refusal::err("empty-credentials", "the Authorization field is empty");
    }
    let parsed = parse_credentials(value);
    let (first, rest) = match parsed.value.split_first() {
        Some(split) => split,
        None => return Refusal::err("scheme-missing", "no auth-scheme could be read"),
    };
    if !rest.is_empty() {
        return Refusal::err("duplicate-credentials", "one field holds two sets of credentials");
    }
    let scheme = first.scheme.name.as_str();
    if scheme.is_empty() {
        return Refusal::err("scheme-missing", "the field holds a value without an auth-scheme before it");
    }
    if scheme == "authorization:" || scheme == "authorization" || repeats(value, scheme) {
        return Refusal::err("scheme-doubled", format!("{} stands twice", first.scheme.written));
    }
    if !offered.contains(&scheme) {
        let alone = first.is_bare() && !["basic", "bearer", "digest", "negotiate", "ntlm"].contains(&scheme);
        return match alone {
            true => {
                Refusal::err("scheme-missing", "the field holds one word, which is no scheme that is offered")
            }
            false => {
                Refusal::err("scheme-not-offered", format!("{} is not offered here", first.scheme.written))
            }
        };
    }
    match inside::of(value, first) {
        Inside::Empty => Refusal::err("empty-credentials", "nothing follows the scheme"),
        Inside::Basic(_) => basic(value, first),
        Inside::Digest(digest) => Ok(Presented::Digest(Box::new(digest))),
        Inside::Token(token) => {
            placeholder(token.text.expose())?;
            Ok(Presented::Token { scheme: scheme.to_owned(), token: Box::new(token) })
        }
        _ => Ok(Presented::Other(Box::new(first.clone()))),
    }
}

fn repeats(value: &[u8], scheme: &str) -> bool {
    let words: Vec<&[u8]> = value.split(|b| *b == b' ').filter(|w| !w.is_empty()).take(2).collect();
    matches!(words.as_slice(), [a, b] if a.eq_ignore_ascii_case(scheme.as_bytes()) && a.eq_ignore_ascii_case(b))
}

fn placeholder(text: &[u8]) -> Result<(), Refusal> {
    match why401_auth::placeholder::find(text) {
        Some(found) => {
            Refusal::err("placeholder-credentials", format!("a placeholder ({}) was sent", found.pattern))
        }
        None => Ok(()),
    }
}

fn basic(value: &[u8], element: &Element) -> Result<Presented, Refusal> {
    let decoded = base64::decode(value, element.value_range(), Alphabet::Standard);
    let broken = decoded.problems.iter().find(|p| p.kind != ProblemKind::TrailingBits);
    if let Some(problem) = broken {
        return Refusal::err("basic-malformed", problem.what.clone());
    }
    let bytes = decoded.bytes.expose();
    let Some(colon) = bytes.iter().position(|b| *b == b':') else {
        return Refusal::err("basic-malformed", "the decoded value has no colon");
    };
    let (user, password) =
        (bytes.get(..colon).unwrap_or_default(), bytes.get(colon + 1..).unwrap_or_default());
    if user.is_empty() && password.is_empty() {
        return Refusal::err("empty-credentials", "user name and password are empty");
    }
    for part in [user, password] {
        placeholder(part)?;
    }
    Ok(Presented::Basic(Pair { user: user.to_vec(), password: Secret::new(password) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(fields: &[&str]) -> &'static str {
        let fields: Vec<&[u8]> = fields.iter().map(|f| f.as_bytes()).collect();
        read(&fields, &["basic", "bearer"]).map_or_else(|r| r.cause, |_| "read")
    }

    #[test]
    fn the_bytes_of_the_field_name_their_cause() {
        for (fields, expected) in [
            (&[][..], "no-credentials"),
            (&[""], "empty-credentials"),
            (&["Bearer "], "empty-credentials"),
            (&["Basic Og=="], "empty-credentials"),
            (&["Bearer undefined"], "placeholder-credentials"),
            (&["Basic YWxpY2U6c2VjcmV0", "Bearer x"], "duplicate-credentials"),
            (&["Bearer Bearer 7Fjfp0ZBr1KtDRbnfVdmIw"], "scheme-doubled"),
            (&["7Fjfp0ZBr1KtDRbnfVdmIw"], "scheme-missing"),
            (&["Digest username=\"alice\""], "scheme-not-offered"),
            (&["Token 7Fjfp0ZBr1KtDRbnfVdmIw"], "scheme-not-offered"),
            (&["Basic alice:secret"], "basic-malformed"),
            (&["Basic YWxpY2U="], "basic-malformed"),
            (&["Basic YWxpY2U6c2VjcmV0"], "read"),
            (&["bearer 7Fjfp0ZBr1KtDRbnfVdmIw"], "read"),
        ] {
            assert_eq!(cause(fields), expected, "{fields:?}");
        }
    }
}
