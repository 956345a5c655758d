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
    credentials_refused::CredentialsRefused,
    // Neighbours of the 401.
    proxy_authentication_required::ProxyAuthenticationRequired,
    forbidden::Forbidden,
}

/// The cause of that name.
pub fn by_name(name: &str) -> Option<&'static dyn Cause> {
    CATALOGUE.iter().copied().find(|c| c.meta().name == name)
}
