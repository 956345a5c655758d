//! Which parts of a field may be shown.

use crate::vendor;

/// Parameters whose values are no secrets: what a challenge says, and in credentials everything that does not prove
/// possession of a secret.
const PUBLIC: &[&str] = &[
    "realm",
    "domain",
    "nonce",
    "opaque",
    "stale",
    "algorithm",
    "qop",
    "charset",
    "userhash",
    "username",
    "username*",
    "uri",
    "nc",
    "cnonce",
    "error",
    "error_description",
    "error_uri",
    "scope",
    "service",
    "resource_metadata",
    "resource",
    "resource_id",
    "authorization_uri",
    "authorization",
    "authority",
    "client_id",
    "tenant_id",
    "trusted_issuers",
    "max_age",
    "acr_values",
    "claims",
    "algs",
    "dpop_nonce",
    "issuer",
    "as_uri",
    "title",
    "type",
    "credential",
    "signedheaders",
    "headers",
    "keyid",
    "key_id",
    "created",
    "expires",
    "id",
    "ts",
    "hash",
    "ext",
    "app",
    "dlg",
    "tsm",
    "oauth_consumer_key",
    "oauth_signature_method",
    "oauth_timestamp",
    "oauth_nonce",
    "oauth_version",
    "oauth_callback",
    "policy",
    "siteid",
    "k",
    "challenge",
    "max-age",
    "token-key",
    "version",
    "nextnonce",
    "auth-param1",
    "auth-param2",
    "auth-param3",
    "se",
    "skn",
    "sr",
    "requested_info",
    "error_codes",
    "insufficient_scope",
    "token_type",
    "server-error",
    "fields",
    "method",
    "signature-method",
    "login",
    "path",
];

/// Whether the value of this parameter may be shown.
pub fn is_public_param(name: &str) -> bool {
    PUBLIC.contains(&name)
}

/// Whether text that stands where a scheme's name may stand is more likely a secret: long, or with the marks of a
/// known token, or mixed as names are not.
pub(crate) fn looks_secret(text: &[u8]) -> bool {
    if vendor::identify(text).is_some() || text.starts_with(b"eyJ") {
        return true;
    }
    // No scheme that is registered or in use has other characters than these (but those that are known by name).
    if !text.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-') {
        return true;
    }
    let digits = text.iter().filter(|b| b.is_ascii_digit()).count();
    text.len() > 32 || (text.len() >= 16 && digits >= 3) || (digits > 0 && digits == text.len())
}

/// Whether text is a JWT, or bears the mark of a service's token.
pub(crate) fn jwt_or_vendor(text: &[u8]) -> bool {
    vendor::identify(text).is_some() || crate::token::jwt::looks_like(text)
}
