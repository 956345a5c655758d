//! Every cause, one file each.

use crate::cause::Cause;

macro_rules! catalogue {
    ($($file:ident :: $type:ident),* $(,)?) => {
        $(mod $file; pub use $file::$type;)*

        /// Every cause, the more specific of two that are equally sure first.
        pub static CATALOGUE: &[&dyn Cause] = &[$(&$file::$type),*];
    };
}

catalogue! {
    // Nothing is wrong.
    challenge_answered::ChallengeAnswered,
    password_guessing::PasswordGuessing,
    // No usable credentials reached the server.
    empty_credentials::EmptyCredentials,
    placeholder_credentials::PlaceholderCredentials,
    dropped_on_redirect::DroppedOnRedirect,
    dropped_by_intermediary::DroppedByIntermediary,
    overridden_by_client::OverriddenByClient,
    layers_collide::LayersCollide,
    tenant_missing::TenantMissing,
    wrong_field::WrongField,
    url_credentials_ignored::UrlCredentialsIgnored,
    session_expired::SessionExpired,
    session_missing::SessionMissing,
    preflight_challenged::PreflightChallenged,
    no_credentials::NoCredentials,
    // Credentials that no server could read.
    duplicate_credentials::DuplicateCredentials,
    scheme_doubled::SchemeDoubled,
    scheme_missing::SchemeMissing,
    basic_malformed::BasicMalformed,
    stray_characters::StrayCharacters,
    charset_mismatch::CharsetMismatch,
    scheme_not_offered::SchemeNotOffered,
    scheme_unsupported_by_client::SchemeUnsupportedByClient,
    // Credentials that the server read and refused.
    near_miss_credentials::NearMissCredentials,
    wrong_account::WrongAccount,
    wrong_environment::WrongEnvironment,
    account_locked::AccountLocked,
    account_disabled::AccountDisabled,
    password_expired::PasswordExpired,
    second_factor_required::SecondFactorRequired,
    method_retired::MethodRetired,
    unknown_user::UnknownUser,
    wrong_password::WrongPassword,
    credentials_changed::CredentialsChanged,
    credentials_refused::CredentialsRefused,
    // Tokens.
    proof_of_possession_failed::ProofOfPossessionFailed,
    clock_skew::ClockSkew,
    token_expired::TokenExpired,
    token_not_yet_valid::TokenNotYetValid,
    scope_missing::ScopeMissing,
    wrong_token_type::WrongTokenType,
    wrong_issuer::WrongIssuer,
    wrong_audience::WrongAudience,
    bad_signature::BadSignature,
    token_malformed::TokenMalformed,
    token_revoked::TokenRevoked,
    signature_mismatch::SignatureMismatch,
    // Handshakes.
    digest_mismatch::DigestMismatch,
    digest_nonce_stale::DigestNonceStale,
    ntlm_connection_broken::NtlmConnectionBroken,
    handshake_unfinished::HandshakeUnfinished,
    kerberos_fell_back_to_ntlm::KerberosFellBackToNtlm,
    kerberos_refused::KerberosRefused,
    kerberos_ticket_unavailable::KerberosTicketUnavailable,
    channel_binding_missing::ChannelBindingMissing,
    loopback_check::LoopbackCheck,
    client_certificate_refused::ClientCertificateRefused,
    client_certificate_missing::ClientCertificateMissing,
    // The request rather than the credentials.
    wrong_method::WrongMethod,
    wrong_address::WrongAddress,
    address_not_allowed::AddressNotAllowed,
    plain_http::PlainHttp,
    // The server, or what stands before it.
    acl_denied::AclDenied,
    filter_denied::FilterDenied,
    application_denied::ApplicationDenied,
    auth_backend_down::AuthBackendDown,
    server_misconfigured::ServerMisconfigured,
    server_changed::ServerChanged,
    client_changed::ClientChanged,
    intermediary_challenged::IntermediaryChallenged,
    rate_limited::RateLimited,
    resource_hidden::ResourceHidden,
    challenge_missing::ChallengeMissing,
    challenge_malformed::ChallengeMalformed,
    challenge_misread::ChallengeMisread,
    evidence_redacted::EvidenceRedacted,
    // Neighbours of the 401.
    windows_update_denied::WindowsUpdateDenied,
    proxy_authentication_required::ProxyAuthenticationRequired,
    login_redirect::LoginRedirect,
    forbidden::Forbidden,
}

/// The cause of that name.
pub fn by_name(name: &str) -> Option<&'static dyn Cause> {
    CATALOGUE.iter().copied().find(|c| c.meta().name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The sections that every text has, in this order.
    const SECTIONS: [&str; 7] = [
        "# What happened",
        "# How it is decided",
        "# Who acts",
        "# What to do",
        "# Evidence needed",
        "# Not to be confused with",
        "# References",
    ];

    #[test]
    fn every_cause_explains_itself_in_full() {
        for cause in CATALOGUE {
            let meta = cause.meta();
            let mut rest = meta.doc;
            for section in SECTIONS {
                let found = rest.split_once(section);
                assert!(found.is_some(), "{} lacks {section}, or has it in another place", meta.name);
                rest = found.map_or("", |(_, after)| after);
            }
        }
    }

    #[test]
    fn no_name_stands_twice_and_what_is_superseded_exists() {
        let names: BTreeSet<&str> = CATALOGUE.iter().map(|c| c.meta().name).collect();
        assert_eq!(names.len(), CATALOGUE.len());
        for cause in CATALOGUE {
            for other in cause.meta().supersedes {
                assert!(names.contains(other), "{} supersedes {other}, which is no cause", cause.meta().name);
            }
        }
    }
}
