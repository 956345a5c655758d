//! What a handshake tells those who only watch.

use crate::Side;
use crate::certificate::Certificate;

/// Whether the server asked for a certificate of the client, and what it got.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ClientCertificate {
    /// It cannot be told: the handshake is encrypted (TLS 1.3 without keys), or parts of it are missing.
    #[default]
    Unknown,
    /// The server did not ask for one.
    NotAsked,
    /// The server asked; the answer was not seen.
    Asked,
    /// The server asked, and the client gave none.
    NotGiven,
    /// The client gave one (`None`: it could not be read).
    Given(Option<Box<Certificate>>),
}

/// An alert (RFC 8446, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alert {
    /// Who sent it.
    pub from: Side,
    /// What it says; `None` if it is encrypted and there are no keys.
    pub description: Option<u8>,
    /// Whether it ends the connection, beside `close_notify`.
    pub fatal: bool,
}

impl Alert {
    /// The name of its description in RFC 8446 and its predecessors.
    pub fn name(&self) -> Option<&'static str> {
        Some(match self.description? {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            21 => "decryption_failed",
            22 => "record_overflow",
            30 => "decompression_failure",
            40 => "handshake_failure",
            41 => "no_certificate",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            60 => "export_restriction",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            100 => "no_renegotiation",
            109 => "missing_extension",
            110 => "unsupported_extension",
            112 => "unrecognized_name",
            113 => "bad_certificate_status_response",
            115 => "unknown_psk_identity",
            116 => "certificate_required",
            120 => "no_application_protocol",
            _ => return None,
        })
    }
}

/// What is known of a TLS connection beside what was said inside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Handshake {
    /// The host that the client asked for (SNI).
    pub server_name: Option<String>,
    /// Versions that the client offered.
    pub versions_offered: Vec<u16>,
    /// The version that the server chose.
    pub version: Option<u16>,
    /// The cipher suite that the server chose.
    pub suite: Option<u16>,
    /// Application protocols that the client offered (ALPN).
    pub alpn_offered: Vec<String>,
    /// The application protocol that the server chose.
    pub alpn: Option<String>,
    /// The server's own certificate.
    pub certificate: Option<Certificate>,
    /// Whether a certificate of the client was asked for and given.
    pub client_certificate: ClientCertificate,
    /// Whether it goes on from an earlier connection, so that no certificates are sent.
    pub resumed: bool,
    /// Alerts, in order.
    pub alerts: Vec<Alert>,
    /// Whether both sides came to encrypt what they say.
    pub established: bool,
    /// Records of application data that were decrypted.
    pub opened: u64,
    /// Records of application data that could not be.
    pub unopened: u64,
    /// Why they could not be.
    pub obstacle: Option<&'static str>,
}

/// Why a connection cannot be decrypted whose keys were not given.
pub(crate) const NO_KEYS: &str = "there are no keys for it";

impl Handshake {
    /// Whether nothing but keys is wanted to decrypt it.
    pub fn lacks_keys(&self) -> bool {
        self.obstacle == Some(NO_KEYS)
    }

    /// Nothing but keys is wanted to decrypt it.
    pub fn lack_keys(&mut self) {
        self.obstacle = Some(NO_KEYS);
    }
}
