//! TLS 1.2 and 1.3, and QUIC, watched from outside.
//!
//! A [`Watch`] is given the bytes of both directions of a connection. It tells what is visible without keys (names,
//! versions, certificates, alerts, whether a client certificate was asked for and given) and, where the [`KeyLog`] has
//! the connection's secrets, what was said inside. A [`QuicConnection`] does the same for the datagrams of QUIC. Every
//! record and packet is authenticated: nothing is handed over that the keys do not prove.

mod certificate;
mod cipher;
mod derive;
mod handshake;
mod hello;
mod keylog;
mod quic;
mod records;
mod suite;
mod watch;
mod wire;

pub use certificate::Certificate;
pub use handshake::{Alert, ClientCertificate, Handshake};
pub use keylog::KeyLog;
#[cfg(any(test, feature = "forge"))]
pub use quic::forge;
pub use quic::{QuicConnection, QuicDestination, QuicEvent, is_quic_initial, quic_destination};
pub use suite::{suite_name, version_name};
pub use watch::{Opened, Watch};

/// Who sent something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The one that sends the ClientHello.
    Client,
    /// The one that answers it.
    Server,
}
