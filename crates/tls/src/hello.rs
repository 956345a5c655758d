//! ClientHello and ServerHello (RFC 8446, sections 4.1.2 and 4.1.3), read as far as they go.

use crate::wire::Wire;

const SERVER_NAME: u16 = 0;
const ALPN: u16 = 16;
const ENCRYPT_THEN_MAC: u16 = 22;
const PRE_SHARED_KEY: u16 = 41;
const EARLY_DATA: u16 = 42;
const SUPPORTED_VERSIONS: u16 = 43;

/// RFC 8446, section 4.1.3: the random value by which a ServerHello is a request to retry.
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

#[derive(Debug, Default)]
pub(crate) struct ClientHello {
    pub(crate) random: [u8; 32],
    pub(crate) server_name: Option<String>,
    pub(crate) alpn: Vec<String>,
    /// Without the values that only keep servers honest (RFC 8701).
    pub(crate) versions: Vec<u16>,
    pub(crate) session_id: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) struct ServerHello {
    pub(crate) random: [u8; 32],
    pub(crate) version: u16,
    pub(crate) suite: u16,
    pub(crate) session_id: Vec<u8>,
    pub(crate) alpn: Option<String>,
    pub(crate) encrypt_then_mac: bool,
    /// TLS 1.3: goes on from an earlier connection.
    pub(crate) pre_shared_key: bool,
}

impl ServerHello {
    pub(crate) fn is_retry(&self) -> bool {
        self.random == RETRY
    }
}

/// What of a ClientHello can be read; `None` if not even its random value. A cut one gives its front.
pub(crate) fn client_hello(body: &[u8]) -> Option<ClientHello> {
    let mut w = Wire(body);
    let legacy = w.u16()?;
    let mut hello = ClientHello { random: w.array()?, ..ClientHello::default() };
    hello.versions.push(legacy);
    let rest = (|| {
        hello.session_id = w.vector8()?.0.to_vec();
        w.vector16()?;
        w.vector8()?;
        w.u16()?;
        Some(w)
    })();
    let mut extensions = rest.unwrap_or(Wire(&[]));
    while let Some((kind, mut value)) = extension(&mut extensions) {
        match kind {
            SERVER_NAME => hello.server_name = server_name(value),
            ALPN => hello.alpn = value.vector16().map(protocols).unwrap_or_default(),
            SUPPORTED_VERSIONS => {
                let mut list = value.vector8().unwrap_or(Wire(&[]));
                hello.versions.clear();
                while let Some(version) = list.u16() {
                    if version >> 8 == 3 {
                        hello.versions.push(version);
                    }
                }
            }
            _ => {}
        }
    }
    Some(hello)
}

/// What of a ServerHello can be read.
pub(crate) fn server_hello(body: &[u8]) -> Option<ServerHello> {
    let mut w = Wire(body);
    let version = w.u16()?;
    let random = w.array()?;
    let session_id = w.vector8()?.0.to_vec();
    let suite = w.u16()?;
    w.u8()?;
    let mut hello = ServerHello { random, version, suite, session_id, ..ServerHello::default() };
    let mut extensions = w.vector16().unwrap_or(Wire(&[]));
    while let Some((kind, mut value)) = extension(&mut extensions) {
        match kind {
            SUPPORTED_VERSIONS => hello.version = value.u16()?,
            ALPN => hello.alpn = value.vector16().map(protocols).and_then(|p| p.into_iter().next()),
            ENCRYPT_THEN_MAC => hello.encrypt_then_mac = true,
            PRE_SHARED_KEY => hello.pre_shared_key = true,
            _ => {}
        }
    }
    Some(hello)
}

/// What EncryptedExtensions say (RFC 8446, section 4.3.1).
#[derive(Debug, Default)]
pub(crate) struct EncryptedExtensions {
    pub(crate) alpn: Option<String>,
    /// The server takes the client's early data.
    pub(crate) early_data: bool,
}

pub(crate) fn encrypted_extensions(body: &[u8]) -> EncryptedExtensions {
    let mut found = EncryptedExtensions::default();
    let mut extensions = Wire(body).vector16().unwrap_or(Wire(&[]));
    while let Some((kind, mut value)) = extension(&mut extensions) {
        match kind {
            ALPN => found.alpn = value.vector16().map(protocols).and_then(|p| p.into_iter().next()),
            EARLY_DATA => found.early_data = true,
            _ => {}
        }
    }
    found
}

fn extension<'a>(w: &mut Wire<'a>) -> Option<(u16, Wire<'a>)> {
    Some((w.u16()?, w.vector16()?))
}

/// RFC 6066, section 3.
fn server_name(mut value: Wire<'_>) -> Option<String> {
    let mut list = value.vector16()?;
    (list.u8()? == 0).then_some(())?;
    Some(String::from_utf8_lossy(list.vector16()?.0).into_owned())
}

/// RFC 7301, section 3.1.
fn protocols(mut list: Wire<'_>) -> Vec<String> {
    std::iter::from_fn(|| list.vector8()).map(|p| String::from_utf8_lossy(p.0).into_owned()).collect()
}
