//! One file an output: terminal text, JSON, Markdown, HTML.
//!
//! Evidence is hostile: every text of it passes one boundary, [`Shown`], where secrets are masked and characters that a
//! terminal, a page or an eye could be deceived by are made visible. Renderers take nothing else.

mod doc;
mod explain;
mod html;
mod json;
mod markdown;
mod shown;
mod site;
mod text;

pub use explain::{CodeMeaning, Entry, explain_code, explain_list, explain_one};
pub use html::{STYLE, html, html_body, html_of_text};
pub use json::{json, json_of};
pub use markdown::markdown;
pub use shown::{Secrets, Shown, visible};
pub use site::Site;
pub use text::{Layout, text};
