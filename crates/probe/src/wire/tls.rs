//! TLS: whom to trust, which certificate to show, and what went wrong in plain words.

use super::key::{self, Kind};
use super::{machine, pem};
use crate::Trouble;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio_rustls::rustls::client::ResolvesClientCert;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    ALL_VERSIONS, CertificateError, CipherSuite, ClientConfig, DigitallySignedStruct, Error,
    InconsistentKeys, RootCertStore, SignatureScheme, SupportedProtocolVersion,
};

/// Whom to trust.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Authorities in PEM beside those of the machine.
    pub more: Vec<Vec<u8>>,
    /// Trust everybody, as curl's `-k` does.
    pub anybody: bool,
    /// No other version of TLS is spoken.
    pub only: Option<TlsVersion>,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVersion {
    /// 1.2 (RFC 5246).
    V1_2,
    /// 1.3 (RFC 8446).
    V1_3,
}

const ONLY_1_2: &[&SupportedProtocolVersion] = &[&TLS12];
const ONLY_1_3: &[&SupportedProtocolVersion] = &[&TLS13];

/// A client certificate and its key.
#[derive(Clone)]
pub struct Identity(Arc<CertifiedKey>);

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    /// Reads certificate chain and key in PEM; both may stand in one file.
    ///
    /// # Errors
    /// What is missing or does not fit.
    pub fn read(certificates: &[u8], key: &[u8]) -> Result<Identity, String> {
        Identity::of(certificates, key, &Kind::default())
    }

    /// Whether the key needs a pass phrase.
    pub fn is_sealed(key: &[u8], kind: &Kind) -> bool {
        key::is_sealed(key, kind)
    }

    /// Reads certificate chain and key as they are written.
    ///
    /// # Errors
    /// What is missing or does not fit, or that the key's pass phrase is missing or wrong.
    pub fn of(certificates: &[u8], key: &[u8], kind: &Kind) -> Result<Identity, String> {
        let chain = key::chain(certificates, kind)?;
        let key = key::private(key, kind)?;
        let key = aws_lc_rs::sign::any_supported_type(&key).map_err(|e| e.to_string())?;
        let certified = CertifiedKey::new(chain, key);
        // Whether they belong together cannot be told of every certificate, one of version 1 for instance.
        if let Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) = certified.keys_match() {
            return Err("certificate and key do not belong together".to_owned());
        }
        Ok(Identity(Arc::new(certified)))
    }
}

/// Shows the certificate if there is one, and remembers that it was asked for.
#[derive(Debug)]
pub(super) struct Asked {
    identity: Option<Identity>,
    pub(super) asked: AtomicBool,
}

impl ResolvesClientCert for Asked {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.identity.as_ref().map(|i| Arc::clone(&i.0))
    }
    fn has_certs(&self) -> bool {
        true
    }
}

/// Verifies as usual, and lets pass what does not verify where that is wanted; what was wrong is remembered.
#[derive(Debug)]
struct Lenient {
    inner: Arc<dyn ServerCertVerifier>,
    anybody: bool,
    wrong: Arc<Mutex<Option<Error>>>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.inner.verify_server_cert(end, chain, name, ocsp, now) {
            Err(e) if self.anybody => {
                if let Ok(mut wrong) = self.wrong.lock() {
                    *wrong = Some(e);
                }
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &algorithms())
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &algorithms())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms().supported_schemes()
    }
}

/// What TLS is spoken with: as by default, but of two lengths of a key the shorter one comes first: ten rounds in place of fourteen
/// (FIPS 197 section 5) for each byte of long contents.
pub fn provider() -> CryptoProvider {
    let short = [
        CipherSuite::TLS13_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ];
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.sort_by_key(|suite| !short.contains(&suite.suite()));
    provider
}

fn algorithms() -> tokio_rustls::rustls::crypto::WebPkiSupportedAlgorithms {
    aws_lc_rs::default_provider().signature_verification_algorithms
}

/// One handshake's configuration, and what it found out.
pub struct Handshake {
    /// What to connect with.
    pub config: Arc<ClientConfig>,
    asked: Arc<Asked>,
    wrong: Arc<Mutex<Option<Error>>>,
}

impl Handshake {
    /// Whether the server asked for a client certificate.
    pub fn certificate_asked(&self) -> bool {
        self.asked.asked.load(Ordering::Relaxed)
    }

    /// Whether one was there to be shown.
    pub fn certificate_given(&self) -> bool {
        self.asked.identity.is_some()
    }

    /// What was wrong with the server's certificate, where that was let pass.
    pub fn wrong(&self) -> Option<String> {
        let wrong = self.wrong.lock().ok().and_then(|w| w.clone())?;
        Some(match wrong {
            Error::InvalidCertificate(c) => certificate(&c).0,
            other => other.to_string(),
        })
    }
}

impl Trust {
    /// The authorities of the machine.
    pub fn machine(&self) -> Vec<CertificateDer<'static>> {
        machine::authorities()
    }

    /// The authorities of the machine and those given.
    pub fn roots(&self) -> RootCertStore {
        self.roots_beside(self.machine())
    }

    /// The authorities given, beside those of the machine, which were read already.
    pub fn roots_beside(&self, machine: impl IntoIterator<Item = CertificateDer<'static>>) -> RootCertStore {
        let machine: Vec<CertificateDer<'static>> = machine.into_iter().collect();
        let known: HashSet<&[u8]> = machine.iter().map(AsRef::as_ref).collect();
        let more = self.more.iter().flat_map(|text| pem::certificates(text));
        let more: Vec<CertificateDer<'static>> = more.filter(|c| !known.contains(c.as_ref())).collect();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(machine);
        roots.add_parsable_certificates(more);
        roots
    }

    /// A configuration for one handshake that offers these protocols (ALPN).
    ///
    /// # Errors
    /// Where no version of TLS is to be had.
    pub fn handshake(
        &self,
        roots: &Arc<RootCertStore>,
        identity: Option<Identity>,
        protocols: Vec<Vec<u8>>,
    ) -> Result<Handshake, String> {
        let provider = Arc::new(provider());
        let wrong = Arc::new(Mutex::new(None));
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(match self.only {
                None => ALL_VERSIONS,
                Some(TlsVersion::V1_2) => ONLY_1_2,
                Some(TlsVersion::V1_3) => ONLY_1_3,
            })
            .map_err(|e| e.to_string())?;
        let inner = tokio_rustls::rustls::client::WebPkiServerVerifier::builder_with_provider(
            Arc::clone(roots),
            provider,
        )
        .build();
        let inner: Arc<dyn ServerCertVerifier> = match inner {
            Ok(inner) => inner,
            // No authority at all: nothing verifies.
            Err(_) => Arc::new(Nobody),
        };
        let verifier = Lenient { inner, anybody: self.anybody, wrong: Arc::clone(&wrong) };
        let asked = Arc::new(Asked { identity, asked: AtomicBool::new(false) });
        let mut config = builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::clone(&asked) as Arc<dyn ResolvesClientCert>);
        config.alpn_protocols = protocols;
        // Each request is to be seen with its whole handshake.
        config.resumption = tokio_rustls::rustls::client::Resumption::disabled();
        Ok(Handshake { config: Arc::new(config), asked, wrong })
    }
}

/// Trusts nobody.
#[derive(Debug)]
struct Nobody;

impl ServerCertVerifier for Nobody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        algorithms().supported_schemes()
    }
}

/// The error of a handshake in plain words.
pub fn tls_trouble(at: &str, error: &std::io::Error) -> Trouble {
    let inner = error.get_ref().and_then(|e| e.downcast_ref::<Error>());
    let (why, advice) = match inner {
        Some(Error::InvalidCertificate(c)) => certificate(c),
        Some(Error::AlertReceived(alert)) => (
            format!("the server broke the handshake off ({alert:?})"),
            "the server may want a client certificate (--cert, --key), another protocol version, or another name",
        ),
        Some(Error::InvalidMessage(_)) => {
            ("what answers there does not speak TLS".to_owned(), "use http:// if the port is for plain HTTP")
        }
        Some(other) => (other.to_string(), "the two sides do not agree on TLS"),
        None => (
            match error.kind() {
                std::io::ErrorKind::UnexpectedEof => {
                    "the server closed the connection in the handshake".to_owned()
                }
                _ => error.to_string(),
            },
            "check that TLS is spoken on that port, and under that name",
        ),
    };
    Trouble::Tls { at: at.to_owned(), why, advice }
}

fn certificate(error: &CertificateError) -> (String, &'static str) {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "the server's certificate has expired".to_owned(),
            "the server's operator renews it; check this machine's clock too",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("the server's certificate is not valid yet".to_owned(), "check this machine's clock")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            ("the server's certificate is for another name".to_owned(), "check the host in the address")
        }
        CertificateError::UnknownIssuer => (
            "nobody that is trusted here issued the server's certificate".to_owned(),
            "name its authority with --cacert FILE, or ask with -k to leave it unverified",
        ),
        CertificateError::Revoked => {
            ("the server's certificate was revoked".to_owned(), "the server's operator renews it")
        }
        other => (format!("the server's certificate is not accepted: {other}"), "ask the server's operator"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_key_is_offered_first_and_nothing_is_left_out() {
        let (ours, theirs) = (provider().cipher_suites, aws_lc_rs::default_provider().cipher_suites);
        assert_eq!(ours.first().map(|s| s.suite()), Some(CipherSuite::TLS13_AES_128_GCM_SHA256));
        assert!(theirs.iter().all(|suite| ours.contains(suite)) && ours.len() == theirs.len());
    }
}
