//! The codec of authentication fields (RFC 9110 section 11) and of what the schemes carry.
//!
//! [`parse_challenges`] and [`parse_credentials`] read a field value twice at once: strictly (RFC 9110's grammar,
//! [`Parsed::strict_ok`]) and leniently (everything that can be read). Every part has its byte range, relative to the
//! value that was given; nothing is lost (order, duplicates, letter case, bytes outside ASCII, quoting).
//! [`inside::of`] and [`inside::of_challenge`] then open what the scheme carries.
//!
//! Secrets are wrapped in [`Secret`], so that no `Debug` output shows them. Nothing here reads a clock, a file or the
//! environment, and nothing panics on any bytes.

pub mod base64;
pub mod cookie;
pub mod decode;
mod der;
pub mod field;
pub mod fuzz;
pub mod inside;
pub mod message_signatures;
mod parse;
pub mod percent;
pub mod placeholder;
mod problem;
pub mod review;
pub mod scheme;
mod secret;
mod sensitive;
pub mod stray;
mod syntax;
mod time;
pub mod token;
pub mod vendor;

pub use decode::{Decoded, decode, decode_line, is_public_claim};
pub use field::{Challenge, Credentials, Element, Param, Scheme, Token68, serialize};
pub use inside::{Inside, InsideChallenge};
pub use parse::{parse_challenges, parse_credentials, parse_params};
pub use problem::{Parsed, Problem, ProblemKind};
pub use secret::{Secret, mask};
pub use sensitive::is_public_param;
pub(crate) use sensitive::jwt_or_vendor;
