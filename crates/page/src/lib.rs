//! The local page: a small HTTP/1.1 server on loopback for one person's browser.
//!
//! Nobody else gets in: the address holds a secret drawn at each start, `Host` must be the one that is listened on (what
//! rebound names cannot have), requests that other origins cause are refused, and the content security policy lets the
//! page talk to nobody but this server. What is uploaded is bounded, held in memory while it is looked at, and dropped.

mod content;
mod http;
mod server;
mod uploads;

pub use content::{Part, Reader};
pub use http::{Request, Response};
pub use server::{Answers, End, FORMS, Server, Told};
