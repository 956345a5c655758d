//! Verifying credentials: pure functions from what a request carries and what is known to a verdict.
//!
//! A refusal is named as the catalogue of causes names it, so that whoever refuses (the lab, the gate) records the very
//! word that a diagnosis gives. Nothing here reads a clock, a file, a socket or a source of chance: the time and random
//! bytes are given. What a refusal says is for the operator's log and holds no secret.
//!
//! [`presented::read`] takes the `Authorization` fields apart; each scheme has a module that verifies what it carries.

pub mod digest;
pub mod dpop;
pub mod jwk;
pub mod jwt;
pub mod ntlm;
pub mod presented;
pub mod signed;
pub mod sigv4;

pub use presented::{Pair, Presented};

use subtle::ConstantTimeEq;

/// Why credentials are not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The name of a cause of the catalogue.
    pub cause: &'static str,
    /// What was found, for the operator; without secrets.
    pub says: String,
}

impl Refusal {
    /// A refusal for that cause.
    pub fn new(cause: &'static str, says: impl Into<String>) -> Refusal {
        Refusal { cause, says: says.into() }
    }

    pub(crate) fn err<T>(cause: &'static str, says: impl Into<String>) -> Result<T, Refusal> {
        Err(Refusal::new(cause, says))
    }
}

/// Whether two secrets are the same, in a time that does not depend on where they differ.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}
