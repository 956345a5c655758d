//! What servers, gateways and libraries say when they refuse, and what clients do.
//!
//! Knowledge is data: one TOML file a product under `data/`, each phrase with the page or source file where its
//! wording stands (`data/README.md` tells the format). This crate parses the files once, finds their phrases in
//! given text and says which cause a phrase names and how much it proves. `build.rs` makes tables of the files, so that
//! nothing has to be read before the first text is.
//!
//! Text is compared as words: letter case, punctuation, white space, HTML tags and entities, JSON and percent
//! escapes do not matter, a number in a phrase stands for any number, `{}` for any few words. A match gives the byte
//! range in the text as it was given, so that the bytes can be underlined.

mod built;
mod compile;
mod index;
mod knowledge;
mod model;
mod pattern;
mod place;
mod tables;
mod words;

pub use knowledge::{Knowledge, Said};
pub use model::{Fix, Habit, Kind, Mark, Phrase, Product, ProductId, Weight};
pub use place::Channel;
