//! The client: opens connections, sends requests byte by byte as they are recorded, reads answers.

mod dial;
mod http1;
mod http2;
mod key;
mod machine;
mod pem;
mod proxy;
mod recorder;
mod route;
pub mod socks;
mod tls;

pub use dial::{Connection, Sending, Wire};
pub use key::Kind;
pub use pem::certificates;
pub use proxy::{Proxies, Proxy};
pub use recorder::Recorder;
pub use route::{Family, Routes};
pub use tls::{Handshake, Identity, TlsVersion, Trust, provider, tls_trouble};

use std::time::Duration;

/// How long a connection may take to come about.
pub const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take.
pub const ANSWER: Duration = Duration::from_secs(30);
