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

/// Alerts by which a server refuses the client's certificate or the lack of one (RFC 8446, section 6.2).
const REFUSALS: &[&str] = &[
    "bad_certificate",
    "unsupported_certificate",
    "certificate_revoked",
    "certificate_expired",
    "certificate_unknown",
    "unknown_ca",
    "access_denied",
    "certificate_required",
];

impl Secured {
    /// The alert by which the server ended the connection for the client's certificate, or because there was none.
    ///
    /// A `handshake_failure` means that only where the server asked and got none (RFC 5246, section 7.4.6): it has many
    /// other reasons.
    pub fn refusing_alert(&self) -> Option<&str> {
        let none_given = self.client_certificate == AskedCertificate::NotGiven;
        let by_server = self.alerts.iter().filter(|(by_client, _)| !by_client).map(|(_, name)| name.as_str());
        by_server
            .filter(|name| REFUSALS.contains(name) || (none_given && *name == "handshake_failure"))
            .find(|_| self.client_certificate != AskedCertificate::NotAsked)
    }

    /// Whether the server ended the connection for the client's certificate, or because there was none.
    pub fn refuses_client(&self) -> bool {
        self.refusing_alert().is_some()
    }

    /// The alert by which the client refused the server's certificate.
    pub fn distrusting_alert(&self) -> Option<&str> {
        let by_client = self.alerts.iter().filter(|(by_client, _)| *by_client).map(|(_, name)| name.as_str());
        by_client.into_iter().find(|name| REFUSALS.contains(name))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn secured(asked: AskedCertificate, by_client: bool, alert: &str) -> Secured {
        let peer = |host: &str| Peer { host: host.to_owned(), port: None };
        Secured {
            connection: 0,
            client: peer("192.0.2.1"),
            server: peer("192.0.2.2"),
            time: None,
            server_name: None,
            version: None,
            protocol: None,
            server_certificate: None,
            client_certificate: asked,
            alerts: vec![(by_client, alert.to_owned())],
            established: false,
            unread: None,
        }
    }

    #[test]
    fn only_the_server_refuses_a_client() {
        use AskedCertificate::{Given, NotAsked, NotGiven, Unknown};
        assert!(secured(NotGiven, false, "handshake_failure").refuses_client());
        assert!(!secured(Given(None), false, "handshake_failure").refuses_client());
        assert!(!secured(Unknown, false, "handshake_failure").refuses_client());
        assert!(secured(Unknown, false, "certificate_required").refuses_client());
        assert!(secured(Given(None), false, "unknown_ca").refuses_client());
        assert!(!secured(NotAsked, false, "unknown_ca").refuses_client());
        let distrust = secured(NotAsked, true, "unknown_ca");
        assert!(!distrust.refuses_client() && distrust.distrusting_alert() == Some("unknown_ca"));
    }
}
