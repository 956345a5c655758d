//! One file an output: terminal text, JSON, Markdown, HTML.
//!
//! Evidence is hostile: every text of it passes one boundary, [`Shown`], where secrets are masked and characters that a
//! terminal, a page or an eye could be deceived by are made visible. Renderers take nothing else.

mod json;
mod shown;
mod text;

pub use json::json;
pub use shown::{Secrets, Shown, visible};
pub use text::{Layout, text};
