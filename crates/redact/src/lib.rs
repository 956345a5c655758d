//! What in evidence is secret, and how it is kept out of every output.
//!
//! Three questions, by what is known about the text: a field of a message ([`secrets_in_field`]), an address or request
//! target ([`secrets_in_target`]), any text at all ([`secrets_in_text`]). Each answers with byte ranges on character
//! boundaries, sorted and apart, in time linear in the text. They find secrets by where they stand and by their shape.
//! A [`SecretSet`] finds them by value: what was seen to be a secret anywhere is one everywhere, however it is encoded;
//! [`diagnosis`] asks all of them about every string of a diagnosis before a renderer sees it.
//!
//! Not secret are placeholders (`undefined`, `${TOKEN}`), since they are what went wrong, and nonces of a server.

mod base64;
mod commands;
mod field;
mod finder;
mod grams;
mod keyed;
mod names;
mod pairs;
mod placeholder;
mod ranges;
mod report;
mod set;
mod shapes;
mod spoken;
mod target;
mod text;
mod words;

pub use field::secrets_in_field;
pub use placeholder::is_placeholder;
pub use report::diagnosis;
pub use set::SecretSet;
pub use target::{secrets_in_target, target_without_secrets};
pub use text::secrets_in_text;
