//! What a `Bearer` or `DPoP` challenge says (RFC 6750 section 3, RFC 9449 section 7.1, RFC 9728 section 5.1).

use crate::field::Challenge;

/// A Bearer or DPoP challenge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BearerChallenge {
    /// The realm.
    pub realm: Option<String>,
    /// The scopes that are wanted.
    pub scope: Vec<String>,
    /// Why the token was refused; `None` where none was sent.
    pub error: Option<BearerError>,
    /// The error as written.
    pub error_written: Option<String>,
    /// The same for people.
    pub error_description: Option<String>,
    /// A page about it.
    pub error_uri: Option<String>,
    /// Where the protected resource's metadata is (RFC 9728).
    pub resource_metadata: Option<String>,
    /// The service, as Docker's registries name it.
    pub service: Option<String>,
    /// The signature algorithms that a DPoP proof may have.
    pub algs: Vec<String>,
    /// Where to log in, as Microsoft's services name it.
    pub authorization_uri: Option<String>,
    /// The claims that are wanted (base64), as in `insufficient_claims`.
    pub claims: Option<String>,
    /// How long ago the login may be, and how strong it must be (RFC 9470).
    pub max_age: Option<String>,
    /// The authentication context classes that are wanted (RFC 9470).
    pub acr_values: Option<String>,
}

/// The error codes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum BearerError {
    /// The request is malformed (RFC 6750 section 3.1).
    InvalidRequest,
    /// The token is expired, revoked, malformed or invalid (RFC 6750 section 3.1).
    InvalidToken,
    /// The token lacks a scope (RFC 6750 section 3.1).
    InsufficientScope,
    /// The DPoP proof is invalid (RFC 9449 section 7.1).
    InvalidDpopProof,
    /// The DPoP proof needs the server's nonce (RFC 9449 section 9).
    UseDpopNonce,
    /// The login is too old or too weak (RFC 9470 section 3).
    InsufficientUserAuthentication,
    /// Claims are missing (OpenID; Microsoft's conditional access).
    InsufficientClaims,
    /// Another word.
    Other(String),
}

impl BearerError {
    /// Reads the code.
    pub fn of(code: &str) -> Self {
        match code {
            "invalid_request" => BearerError::InvalidRequest,
            "invalid_token" => BearerError::InvalidToken,
            "insufficient_scope" => BearerError::InsufficientScope,
            "invalid_dpop_proof" => BearerError::InvalidDpopProof,
            "use_dpop_nonce" => BearerError::UseDpopNonce,
            "insufficient_user_authentication" => BearerError::InsufficientUserAuthentication,
            "insufficient_claims" => BearerError::InsufficientClaims,
            other => BearerError::Other(other.to_string()),
        }
    }
}

/// Reads a Bearer or DPoP challenge.
pub fn challenge(element: &Challenge) -> BearerChallenge {
    let text = |name: &str| element.text(name).map(|t| t.into_owned());
    let words = |name: &str| {
        text(name)
            .unwrap_or_default()
            .split([' ', ','])
            .filter(|w| !w.is_empty())
            .map(str::to_string)
            .collect()
    };
    let error_written = text("error");
    BearerChallenge {
        realm: text("realm"),
        scope: words("scope"),
        error: error_written.as_deref().map(BearerError::of),
        error_written,
        error_description: text("error_description"),
        error_uri: text("error_uri"),
        resource_metadata: text("resource_metadata"),
        service: text("service"),
        algs: words("algs"),
        authorization_uri: text("authorization_uri")
            .or_else(|| text("authorization"))
            .or_else(|| text("authority")),
        claims: text("claims"),
        max_age: text("max_age"),
        acr_values: text("acr_values"),
    }
}
