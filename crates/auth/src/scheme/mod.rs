//! The auth-schemes: what is known of their names, and what each carries in a module of its own.

pub mod azure;
pub mod basic;
pub mod bearer;
pub mod digest;
pub mod digest_compute;
pub mod hawk;
pub mod kerberos;
pub mod ntlm;
pub mod oauth1;
pub mod service_key;
pub mod sigv4;
pub mod spnego;

/// A scheme that is known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownScheme {
    /// In lower case.
    pub name: &'static str,
    /// As its specification writes it.
    pub written: &'static str,
    /// What follows it in credentials.
    pub carries: Carries,
    /// Where it is defined.
    pub source: &'static str,
}

/// What follows a scheme in credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carries {
    /// One token68 or one opaque secret.
    Token,
    /// Parameters.
    Params,
    /// Either.
    Either,
}

const fn s(name: &'static str, written: &'static str, carries: Carries, source: &'static str) -> KnownScheme {
    KnownScheme { name, written, carries, source }
}

use Carries::{Either, Params, Token};

/// The schemes of IANA's registry (<https://www.iana.org/assignments/http-authschemes>) and those that services use
/// without having registered them.
pub const KNOWN: &[KnownScheme] = &[
    s("basic", "Basic", Token, "RFC 7617"),
    s("bearer", "Bearer", Token, "RFC 6750"),
    s("concealed", "Concealed", Params, "RFC 9729"),
    s("digest", "Digest", Params, "RFC 7616"),
    s("dpop", "DPoP", Token, "RFC 9449 section 7.1"),
    s("gnap", "GNAP", Token, "RFC 9635 section 7.2"),
    s("hoba", "HOBA", Params, "RFC 7486"),
    s("mutual", "Mutual", Params, "RFC 8120"),
    s("negotiate", "Negotiate", Token, "RFC 4559"),
    s("oauth", "OAuth", Either, "RFC 5849 section 3.5.1"),
    s("privatetoken", "PrivateToken", Params, "RFC 9577"),
    s("scram-sha-1", "SCRAM-SHA-1", Params, "RFC 7804"),
    s("scram-sha-256", "SCRAM-SHA-256", Params, "RFC 7804"),
    s("vapid", "vapid", Params, "RFC 8292"),
    s("ntlm", "NTLM", Token, "MS-NTHT"),
    s("kerberos", "Kerberos", Token, "MS-KILE; WS-Management"),
    s("token", "Token", Either, "GitHub's, Django REST framework's and Rails' own"),
    s("aws4-hmac-sha256", "AWS4-HMAC-SHA256", Params, "AWS Signature Version 4"),
    s("aws4-ecdsa-p256-sha256", "AWS4-ECDSA-P256-SHA256", Params, "AWS Signature Version 4A"),
    s("aws", "AWS", Token, "Amazon S3, Signature Version 2"),
    s("goog4-hmac-sha256", "GOOG4-HMAC-SHA256", Params, "Google Cloud Storage V4 signing"),
    s("hawk", "Hawk", Params, "github.com/mozilla/hawk"),
    s("mac", "MAC", Params, "draft-ietf-oauth-v2-http-mac"),
    s("signature", "Signature", Params, "draft-cavage-http-signatures"),
    s("sharedkey", "SharedKey", Token, "Azure Storage, Shared Key"),
    s("sharedkeylite", "SharedKeyLite", Token, "Azure Storage, Shared Key Lite"),
    s("sharedaccesssignature", "SharedAccessSignature", Token, "Azure Service Bus and IoT Hub"),
    s("apikey", "ApiKey", Either, "Elasticsearch and others"),
    s("api-key", "Api-Key", Either, "several services"),
    s("key", "Key", Either, "fal.ai and others"),
    s("jwt", "JWT", Token, "djangorestframework-jwt and others"),
    s("bot", "Bot", Token, "Discord"),
    s("client-id", "Client-ID", Token, "Imgur, Unsplash"),
    s("ssws", "SSWS", Token, "Okta"),
    s("geniekey", "GenieKey", Token, "Opsgenie"),
    s("sso-key", "sso-key", Token, "GoDaddy"),
    s("zoho-oauthtoken", "Zoho-oauthtoken", Token, "Zoho"),
    s("deepl-auth-key", "DeepL-Auth-Key", Token, "DeepL"),
    s("klaviyo-api-key", "Klaviyo-API-Key", Token, "Klaviyo"),
    s("googlelogin", "GoogleLogin", Params, "Google ClientLogin (retired)"),
    s("splunk", "Splunk", Token, "Splunk"),
    s("snowflake", "Snowflake", Params, "Snowflake"),
    s("pop", "PoP", Token, "Microsoft's signed HTTP requests"),
    s("mtls_pop", "MTLS_POP", Token, "Microsoft identity platform"),
    s("sapisidhash", "SAPISIDHASH", Token, "Google's web applications"),
    s("wsse", "WSSE", Params, "Atom authentication (X-WSSE)"),
    s("passport1.4", "Passport1.4", Params, "MS-PASS"),
    s("wlid1.0", "WLID1.0", Params, "Windows Live ID"),
];

/// What is known of a scheme, given in any case.
pub fn known(name: &str) -> Option<&'static KnownScheme> {
    KNOWN.iter().find(|k| k.name.eq_ignore_ascii_case(name))
}

pub(crate) fn known_bytes(name: &[u8]) -> Option<&'static KnownScheme> {
    KNOWN.iter().find(|k| k.name.as_bytes().eq_ignore_ascii_case(name))
}

/// Fields that carry authentication, in lower case; one of them inside a value was likely pasted along.
pub const FIELD_NAMES: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "www-authenticate",
    "proxy-authenticate",
    "authentication",
    "auth",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_lower_case_of_what_is_written_and_unique() {
        for (i, k) in KNOWN.iter().enumerate() {
            assert_eq!(k.name, k.written.to_lowercase());
            assert!(KNOWN.iter().skip(i + 1).all(|other| other.name != k.name), "{} twice", k.name);
        }
    }
}
