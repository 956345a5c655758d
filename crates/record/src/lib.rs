//! Runs a program and records its own HTTP and HTTPS exchanges.
//!
//! A proxy on loopback stands between the program and the servers; the program learns of it, and of an authority made
//! for this one run, through its environment ([`environment`]). Where a tunnel carries TLS, the proxy ends it on both
//! sides and passes the bytes on as they are (`tunnel`), so HTTP/1.1, HTTP/2, WebSockets and handshakes that belong to a
//! connection go through unchanged. The same bytes are read by `read::Live` into exchanges (`tape`).
//!
//! The authority's private key exists in memory only. What programs read as files are files without a name
//! (`nameless`), gone with this process however it ends.

mod asked;
mod attention;
mod authority;
mod der;
pub mod environment;
pub mod har;
mod java;
mod long;
mod nameless;
mod proxy;
mod relay;
mod run;
#[cfg(target_os = "linux")]
mod signals;
mod splice;
mod tape;
mod tunnel;

pub use environment::Handed;
pub use run::{Ended, Options, run};
pub use tape::Note;
