//! What is visible of a TLS connection from outside, or with its keys.

use crate::{Moment, Peer};
use jiff::Timestamp;

/// What is visible of a TLS connection beside the exchanges on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secured {
    /// The number of the connection, as in [`Exchange::connection`](crate::Exchange::connection).
    pub connection: u64,
    /// Who opened it.
    pub client: Peer,
    /// Who accepted it.
    pub server: Peer,
    /// When.
    pub time: Option<Moment>,
    /// The host that the client asked for (SNI).
    pub server_name: Option<String>,
    /// `TLS 1.3` and the like.
    pub version: Option<&'static str>,
    /// The application protocol that was agreed on (ALPN): `h2`, `http/1.1`.
    pub protocol: Option<String>,
    /// The server's certificate, where it was seen.
    pub server_certificate: Option<ShownCertificate>,
    /// Whether the server asked for a certificate of the client, and what it got.
    pub client_certificate: AskedCertificate,
    /// Alerts but `close_notify`, in order: whether the client sent it, and its name in RFC 8446 (`unknown_ca`).
    pub alerts: Vec<(bool, String)>,
    /// Whether both sides came to encrypt what they say.
    pub established: bool,
    /// Why what was said inside could not be read; `None` if it was, or nothing was said.
    pub unread: Option<String>,
}

/// What a certificate says; it was not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownCertificate {
    /// Its subject's common name, or what else names it.
    pub subject: String,
    /// Its issuer's common name, or what else names it.
    pub issuer: String,
    /// The names that it is for.
    pub names: Vec<String>,
    /// Valid from then on.
    pub not_before: Option<Timestamp>,
    /// Valid until then.
    pub not_after: Option<Timestamp>,
}

/// Whether a server asked for a certificate of the client, and what it got.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum AskedCertificate {
    /// It cannot be told.
    #[default]
    Unknown,
    /// It did not ask.
    NotAsked,
    /// It asked; the answer was not seen.
    Asked,
    /// It asked and got none (an empty Certificate message).
    NotGiven,
    /// It asked and got one (`None`: one that could not be read).
    Given(Option<Box<ShownCertificate>>),
}
