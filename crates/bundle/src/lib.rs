//! Evidence without its secrets, in its own format, packed for a service request.
//!
//! ```text
//! evidence ─> redacted ─> checked ─> case.zip: covering.txt, report.{html,md,json}, evidence/…, manifest.json
//! ```
//!
//! Secrets are replaced at equal length, the same one always by the same. What cannot be redacted with certainty is left
//! out, and the manifest and the covering text say so. Behind every redaction stands a check that asks for all secrets
//! once more, in every encoding; a piece that does not pass is left out.

mod archive;
mod base64;
mod capture;
mod check;
mod covering;
mod har;
mod mask;
mod opaque;
mod piece;
mod replace;
mod text;
mod token;

pub use archive::{Entry, LeftOut, Manifest, Reports, pack};
pub use capture::Addresses;
pub use mask::Masker;
pub use piece::{Kept, Options, Piece, redact};
