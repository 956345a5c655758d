//! The answer to a Digest challenge (RFC 7616 section 3.4).

use crate::wish::{Ask, Wish};
use why401_auth::scheme::digest::{self, Algorithm, DigestChallenge, Hash};
use why401_auth::scheme::digest_compute::{Input, Protection, response};
use why401_auth::{Challenge, Secret};

/// The challenge with the strongest algorithm that is known here (section 3.7: the client chooses).
pub fn best(challenges: &[Challenge]) -> Option<DigestChallenge> {
    let strength = |c: &DigestChallenge| match c.algorithm?.hash {
        Hash::Md5 => Some(0),
        Hash::Sha256 => Some(1),
        Hash::Sha512_256 => Some(2),
    };
    challenges
        .iter()
        .filter(|c| c.is("digest"))
        .map(digest::challenge)
        .filter(|c| c.nonce.is_some() && (c.qop.is_empty() || quality(c).is_some()))
        .filter_map(|c| strength(&c).map(|s| (s, c)))
        .max_by_key(|(s, _)| *s)
        .map(|(_, c)| c)
}

fn quality(c: &DigestChallenge) -> Option<&'static str> {
    let offers = |q: &str| c.qop.iter().any(|o| o == q);
    if offers("auth") {
        Some("auth")
    } else if offers("auth-int") {
        Some("auth-int")
    } else {
        None
    }
}

/// The field's value.
pub(super) fn answer(
    c: &DigestChallenge,
    user: &str,
    password: &Secret,
    ask: &Ask,
    wish: &Wish,
    cnonce: &str,
) -> Result<Vec<u8>, String> {
    let algorithm = c.algorithm.unwrap_or(Algorithm::DEFAULT);
    let realm = c.realm.as_deref().unwrap_or_default();
    let nonce = c.nonce.as_deref().unwrap_or_default();
    let quality = quality(c);
    let body: &[u8] = if ask.with_body { wish.body.expose() } else { b"" };
    let protection =
        quality.map(|q| Protection { nc: b"00000001", cnonce: cnonce.as_bytes(), qop: q.as_bytes(), body });
    let computed = response(&Input {
        algorithm,
        username: user.as_bytes(),
        realm: realm.as_bytes(),
        password: password.clone(),
        method: ask.method.as_bytes(),
        uri: ask.address.target.as_bytes(),
        nonce: nonce.as_bytes(),
        protection,
    });
    let mut out = format!(
        "Digest username={}, realm={}, nonce={}, uri={}, response=\"{}\"",
        quoted(user),
        quoted(realm),
        quoted(nonce),
        quoted(&ask.address.target),
        computed.expose_text()
    );
    if c.algorithm_written.is_some() {
        out.push_str(&format!(", algorithm={}", algorithm.name()));
    }
    if let Some(quality) = quality {
        out.push_str(&format!(", qop={quality}, nc=00000001, cnonce={}", quoted(cnonce)));
    }
    if let Some(opaque) = &c.opaque {
        out.push_str(&format!(", opaque={}", quoted(opaque)));
    }
    Ok(out.into_bytes())
}

/// A quoted-string (RFC 9110 section 5.6.4).
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
