//! What a JWT's header and claims say (RFC 7519 section 4.1, RFC 7800, RFC 9068, OpenID Connect).

use super::jwt::Jwt;
use serde_json::Value;
use std::ops::Range;

impl Jwt {
    /// A claim.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.as_ref()?.get(name)
    }

    /// A claim that is text.
    pub fn claim_text(&self, name: &str) -> Option<&str> {
        self.claim(name)?.as_str()
    }

    /// The encoded bytes in the field value that hold a claim (its name and its value).
    pub fn claim_range(&self, name: &str) -> Option<Range<usize>> {
        self.places.iter().find(|(n, _)| n == name).map(|(_, r)| r.clone())
    }

    /// A header parameter that is text.
    pub fn header_text(&self, name: &str) -> Option<&str> {
        self.header.as_ref()?.get(name)?.as_str()
    }

    /// The algorithm (`alg`).
    pub fn alg(&self) -> Option<&str> {
        self.header_text("alg")
    }

    /// The type (`typ`).
    pub fn typ(&self) -> Option<&str> {
        self.header_text("typ")
    }

    /// The key id (`kid`).
    pub fn kid(&self) -> Option<&str> {
        self.header_text("kid")
    }

    /// The issuer.
    pub fn iss(&self) -> Option<&str> {
        self.claim_text("iss")
    }

    /// The subject.
    pub fn sub(&self) -> Option<&str> {
        self.claim_text("sub")
    }

    /// The audiences: `aud` is one text or a list of them.
    pub fn aud(&self) -> Vec<&str> {
        match self.claim("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// A NumericDate in whole seconds since 1970; milliseconds are read as such.
    pub fn time(&self, name: &str) -> Option<i64> {
        let seconds = match self.claim(name)? {
            Value::Number(n) => n.as_i64().or_else(|| n.as_f64().filter(|f| f.is_finite()).map(whole))?,
            Value::String(s) => s.trim().parse().ok()?,
            _ => return None,
        };
        Some(if seconds > 100_000_000_000 { seconds / 1000 } else { seconds })
    }

    /// When it expires, in seconds since 1970.
    pub fn exp(&self) -> Option<i64> {
        self.time("exp")
    }

    /// Before when it is not valid.
    pub fn nbf(&self) -> Option<i64> {
        self.time("nbf")
    }

    /// When it was issued.
    pub fn iat(&self) -> Option<i64> {
        self.time("iat")
    }

    /// The scopes: `scope` is text with spaces between (RFC 9068), `scp` text or a list (Microsoft, Okta).
    pub fn scopes(&self) -> Vec<&str> {
        ["scope", "scp"]
            .iter()
            .filter_map(|name| self.claim(name))
            .flat_map(|claim| match claim {
                Value::String(text) => text.split(' ').filter(|s| !s.is_empty()).collect::<Vec<_>>(),
                Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            })
            .collect()
    }

    /// The confirmation method (RFC 7800): which key the token is bound to.
    pub fn confirmation(&self) -> Option<Confirmation<'_>> {
        let cnf = self.claim("cnf")?.as_object()?;
        let text = |name: &str| cnf.get(name).and_then(Value::as_str);
        Some(match (text("jkt"), text("x5t#S256")) {
            (Some(jkt), _) => Confirmation::Dpop { jkt },
            (None, Some(thumbprint)) => Confirmation::Certificate { thumbprint },
            _ => Confirmation::Other,
        })
    }

    /// What kind of token it says it is.
    pub fn kind(&self) -> JwtKind {
        let typ = self.typ().unwrap_or_default().to_ascii_lowercase();
        let typ = typ.strip_prefix("application/").unwrap_or(&typ);
        let uses = self.claim_text("token_use").or_else(|| self.claim_text("typ")).unwrap_or_default();
        match (typ, uses.to_ascii_lowercase().as_str()) {
            ("dpop+jwt", _) => JwtKind::DpopProof,
            ("at+jwt", _) | (_, "access" | "bearer") => JwtKind::Access,
            ("logout+jwt", _) => JwtKind::Logout,
            (_, "id") => JwtKind::Id,
            (_, "refresh" | "offline") => JwtKind::Refresh,
            _ if ["at_hash", "c_hash", "nonce"].iter().any(|c| self.claim(c).is_some()) => JwtKind::Id,
            _ if self.claim("scope").is_some() || self.claim("scp").is_some() => JwtKind::Access,
            _ => JwtKind::Unknown,
        }
    }

    /// Whether the signature is right under a shared key: HS256, HS384 and HS512 (RFC 7518 section 3.2).
    /// `None` where the algorithm is another one.
    pub fn verify_hmac(&self, key: &[u8]) -> Option<bool> {
        use hmac::{Hmac, Mac};
        let input = self.signing_input.expose();
        let signature = self.signature.expose();
        Some(match self.alg()? {
            "HS256" => Hmac::<sha2::Sha256>::new_from_slice(key)
                .ok()?
                .chain_update(input)
                .verify_slice(signature)
                .is_ok(),
            "HS384" => Hmac::<sha2::Sha384>::new_from_slice(key)
                .ok()?
                .chain_update(input)
                .verify_slice(signature)
                .is_ok(),
            "HS512" => Hmac::<sha2::Sha512>::new_from_slice(key)
                .ok()?
                .chain_update(input)
                .verify_slice(signature)
                .is_ok(),
            _ => return None,
        })
    }
}

/// The key that a token is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation<'a> {
    /// A DPoP key, by its thumbprint (RFC 9449 section 6.1).
    Dpop {
        /// The JWK's SHA-256 thumbprint, base64url.
        jkt: &'a str,
    },
    /// A client certificate, by its thumbprint (RFC 8705 section 3.1).
    Certificate {
        /// The certificate's SHA-256 thumbprint, base64url.
        thumbprint: &'a str,
    },
    /// Another method.
    Other,
}

/// What kind of token a JWT says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JwtKind {
    /// An access token (RFC 9068, or by `token_use` or `scope`).
    Access,
    /// An OpenID Connect ID token (by `token_use`, or by `nonce`, `at_hash` or `c_hash`).
    Id,
    /// A refresh token.
    Refresh,
    /// A DPoP proof (RFC 9449).
    DpopProof,
    /// A logout token.
    Logout,
    /// It does not say.
    Unknown,
}

impl JwtKind {
    /// The kind in words.
    pub fn name(self) -> &'static str {
        match self {
            JwtKind::Access => "access token",
            JwtKind::Id => "ID token",
            JwtKind::Refresh => "refresh token",
            JwtKind::DpopProof => "DPoP proof",
            JwtKind::Logout => "logout token",
            JwtKind::Unknown => "token that does not say its kind",
        }
    }
}

fn whole(seconds: f64) -> i64 {
    // `as` saturates, and a fraction of a second decides nothing here.
    seconds as i64
}
