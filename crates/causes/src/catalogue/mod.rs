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
    dropped_on_redirect::DroppedOnRedirect,
    preflight_challenged::PreflightChallenged,
    no_credentials::NoCredentials,
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
