//! The token that was sent, held against the keys that its issuer publishes.

use why401_auth::token::jwt::Form;
use why401_http::{Exchange, Speaker, Statement};
use why401_probe::{Wish, published};
use why401_read::Collected;
use why401_span::Derived;
use why401_verify::jwk::KeySet;

/// What is found of the token's signature, in the words of a library that verifies it.
pub(super) fn found(wish: &Wish, taken: &Collected) -> Option<Statement> {
    let token = published::token(wish).filter(|t| t.form == Form::Signed && t.problems.is_empty())?;
    let refused = taken.exchanges.iter().find(|e| {
        e.status() == Some(401) && e.request.as_ref().is_some_and(|r| r.fields.has("authorization"))
    })?;
    let keys = taken.exchanges.iter().filter_map(key_set).next_back()?;
    let mut fitting = keys.find(token.kid()).filter(|k| Some(k.algorithm()) == token.alg()).peekable();
    fitting.peek()?;
    if fitting.any(|k| k.verifies(token.signing_input.expose(), token.signature.expose())) {
        return None;
    }
    let text =
        "Signature verification failed: the token does not verify with the key that its issuer publishes";
    let mut statement = Statement::new(refused.source, Speaker::Client, Derived::synthetic(text.to_owned()));
    statement.beside = Some(refused.index);
    Some(statement)
}

/// The key set that was fetched without credentials, where one was.
fn key_set(exchange: &Exchange) -> Option<KeySet> {
    let response = exchange.response.as_ref().filter(|r| r.status == 200)?;
    let set = KeySet::parse(response.body.bytes.as_bytes()).ok()?;
    let known = set.find(None).next().is_some();
    known.then_some(set)
}
