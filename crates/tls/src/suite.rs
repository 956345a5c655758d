//! Cipher suites, as far as they are decrypted, and names for what is met.
//!
//! Source: <https://www.iana.org/assignments/tls-parameters/>.

/// The hash of a suite's key derivation or of its record MAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
    Sha384,
}

impl Hash {
    pub(crate) fn len(self) -> usize {
        match self {
            Hash::Sha1 => 20,
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
        }
    }
}

/// How a suite protects records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Gcm,
    ChaCha,
    /// With a tag of 16 or of 8 bytes.
    Ccm(usize),
    Cbc(Hash),
}

/// What has to be known of a suite to decrypt its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Suite {
    pub(crate) kind: Kind,
    pub(crate) key_len: usize,
    /// Of the pseudorandom function (RFC 5246, section 5) or of HKDF (RFC 8446, section 7.1).
    pub(crate) hash: Hash,
}

impl Suite {
    /// The suite of this number, if its records can be decrypted.
    pub(crate) fn of(number: u16) -> Option<Suite> {
        use Hash::{Sha1, Sha256, Sha384};
        let (kind, key_len, hash) = match number {
            0x1301 | 0x9c | 0x9e | 0xa0 | 0xa2 | 0xa4 | 0xa8 | 0xaa | 0xac => (Kind::Gcm, 16, Sha256),
            0xc02b | 0xc02d | 0xc02f | 0xc031 | 0xd001 => (Kind::Gcm, 16, Sha256),
            0x1302 | 0x9d | 0x9f | 0xa1 | 0xa3 | 0xa5 | 0xa9 | 0xab | 0xad => (Kind::Gcm, 32, Sha384),
            0xc02c | 0xc02e | 0xc030 | 0xc032 | 0xd002 => (Kind::Gcm, 32, Sha384),
            0x1303 | 0xcca8..=0xccae => (Kind::ChaCha, 32, Sha256),
            0x1304 | 0xc09c | 0xc09e | 0xc0a4 | 0xc0a6 | 0xc0ac | 0xd005 => (Kind::Ccm(16), 16, Sha256),
            0xc09d | 0xc09f | 0xc0a5 | 0xc0a7 | 0xc0ad => (Kind::Ccm(16), 32, Sha256),
            0x1305 | 0xc0a0 | 0xc0a2 | 0xc0a8 | 0xc0aa | 0xc0ae | 0xd003 => (Kind::Ccm(8), 16, Sha256),
            0xc0a1 | 0xc0a3 | 0xc0a9 | 0xc0ab | 0xc0af => (Kind::Ccm(8), 32, Sha256),
            0x2f..=0x34 | 0x8c | 0x90 | 0x94 => (Kind::Cbc(Sha1), 16, Sha256),
            0xc004 | 0xc009 | 0xc00e | 0xc013 | 0xc018 | 0xc035 => (Kind::Cbc(Sha1), 16, Sha256),
            0x35..=0x3a | 0x8d | 0x91 | 0x95 => (Kind::Cbc(Sha1), 32, Sha256),
            0xc005 | 0xc00a | 0xc00f | 0xc014 | 0xc019 | 0xc036 => (Kind::Cbc(Sha1), 32, Sha256),
            0x3c | 0x3e..=0x40 | 0x67 | 0xae | 0xb2 | 0xb6 => (Kind::Cbc(Sha256), 16, Sha256),
            0xc023 | 0xc025 | 0xc027 | 0xc029 | 0xc037 => (Kind::Cbc(Sha256), 16, Sha256),
            0x3d | 0x68..=0x6b => (Kind::Cbc(Sha256), 32, Sha256),
            0xc024 | 0xc026 | 0xc028 | 0xc02a | 0xc038 | 0xaf | 0xb3 | 0xb7 => {
                (Kind::Cbc(Sha384), 32, Sha384)
            }
            _ => return None,
        };
        Some(Suite { kind, key_len, hash })
    }
}

/// The version as people call it; `None` for a number that is none.
pub fn version_name(version: u16) -> Option<&'static str> {
    Some(match version {
        0x0300 => "SSL 3.0",
        0x0301 => "TLS 1.0",
        0x0302 => "TLS 1.1",
        0x0303 => "TLS 1.2",
        0x0304 => "TLS 1.3",
        _ => return None,
    })
}

/// The name of a suite that is often met; `None` for others.
pub fn suite_name(number: u16) -> Option<&'static str> {
    Some(match number {
        0x1301 => "TLS_AES_128_GCM_SHA256",
        0x1302 => "TLS_AES_256_GCM_SHA384",
        0x1303 => "TLS_CHACHA20_POLY1305_SHA256",
        0xc02b => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        0xc02c => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        0xc02f => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        0xc030 => "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        0xcca8 => "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        0xcca9 => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        0x002f => "TLS_RSA_WITH_AES_128_CBC_SHA",
        0x0035 => "TLS_RSA_WITH_AES_256_CBC_SHA",
        0xc013 => "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        0xc014 => "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        _ => return None,
    })
}
