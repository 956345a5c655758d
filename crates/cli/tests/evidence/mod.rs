//! Evidence of every format, made here, with secrets planted wherever evidence holds them.
#![allow(dead_code, reason = "each test takes what it needs")]

pub(crate) mod encode;
mod messages;
pub(crate) mod packets;
mod pasted;
pub(crate) mod pipeline;

use encode::{base64, base64url, percent};

/// What must not come out.
#[derive(Clone)]
pub(crate) struct Planted {
    /// With signs that every encoding writes another way.
    pub(crate) password: String,
    pub(crate) token: String,
    pub(crate) cookie: String,
    /// 32 hexadecimal digits: a Digest response.
    pub(crate) digest: String,
    /// 64 hexadecimal digits: an AWS signature.
    pub(crate) signature: String,
    /// The value of a claim that has no harmless name.
    pub(crate) claim: String,
}

impl Planted {
    /// Secrets that no other piece of evidence has.
    pub(crate) fn new(number: usize) -> Self {
        Planted {
            password: format!("Pw{number:03}#canary+4711"),
            token: format!("tokCanary{number:03}x8842QzW71k"),
            cookie: format!("c00kie{number:03}Canary9317yTr"),
            digest: format!("d16e57{number:03}c0ffee4711ca9a12b345e66f"),
            signature: format!(
                "51a7{number:04}{}",
                "b0a7c4d9e2f81635ca9a12d7e5460f3b8c1d7a2e94f6b05c38d17e2a"
            ),
            claim: format!("claim{number:03}Canary55aQ"),
        }
    }

    pub(crate) fn all(&self) -> [&str; 6] {
        [&self.password, &self.token, &self.cookie, &self.digest, &self.signature, &self.claim]
    }

    /// `alice` and the password as Basic carries them.
    pub(crate) fn basic(&self) -> String {
        base64(format!("alice:{}", self.password).as_bytes())
    }

    pub(crate) fn password_in_target(&self) -> String {
        percent(&self.password)
    }

    /// An expired token with harmless claims and one that is not; its signature is the planted token.
    pub(crate) fn jwt(&self) -> String {
        let header = base64url(br#"{"alg":"RS256","typ":"JWT","kid":"k1"}"#);
        let claims = format!(
            r#"{{"iss":"https://idp.example.com/","aud":"api","exp":1700000000,"iat":1699990000,"nbf":1699990000,"internal_note":"{}","nested":{{"k":["{}"]}}}}"#,
            self.claim, self.claim
        );
        format!("{header}.{}.{}", base64url(claims.as_bytes()), base64url(self.token.as_bytes()))
    }
}

/// A piece of evidence.
pub(crate) struct Piece {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// Every piece, each with secrets of its own.
pub(crate) fn pieces() -> Vec<(Piece, Planted)> {
    let mut out = Vec::new();
    let mut add = |made: &dyn Fn(&Planted) -> Vec<Piece>| {
        for at in 0..made(&Planted::new(0)).len() {
            let planted = Planted::new(out.len() + 100);
            let piece = made(&planted).swap_remove(at);
            out.push((piece, planted));
        }
    };
    add(&messages::pieces);
    add(&pasted::pieces);
    out
}
