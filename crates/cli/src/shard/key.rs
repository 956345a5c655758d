//! The key of the states: states hold lines of the logs, and with them their secrets.

use why401_shard::{Key, SHORTEST};

/// The variable that holds it. Not an argument, which other users of a machine see, and nothing that is written beside the
/// states.
const NAME: &str = "WHY401_STATES_KEY";

/// The key that states are opened with, if there is one.
///
/// # Errors
/// Where it is too short for a key.
pub(super) fn given() -> Result<Option<Key>, String> {
    let Some(text) = std::env::var_os(NAME).filter(|v| !v.is_empty()) else { return Ok(None) };
    match Key::of(text.as_encoded_bytes()) {
        Some(key) => Ok(Some(key)),
        None => Err(format!("{NAME} is shorter than {SHORTEST} characters: take random ones ({MAKE})")),
    }
}

/// The key that states are sealed with; none where they are to be written as they are.
///
/// # Errors
/// Where there is none, and nobody asked for secrets to be shown.
pub(super) fn to_seal(show_secrets: bool) -> Result<Option<Key>, String> {
    match given()? {
        _ if show_secrets => Ok(None),
        None => Err(format!(
            "states hold lines of the logs, secrets included, and there is no key to seal them: {MAKE}, the same for fold, \
             merge and report; or write them as they are with --show-secrets"
        )),
        key => Ok(key),
    }
}

/// What one does without one, in words.
pub(super) fn wanted() -> String {
    format!("set {NAME} to what it was folded with")
}

const MAKE: &str = "export WHY401_STATES_KEY=$(openssl rand -hex 32)";
