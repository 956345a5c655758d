//! Client certificates. One that is not accepted goes through the handshake, so that its refusal is an answer in HTTP rather
//! than an alert; that the client holds the key is verified all the same.

use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{DigitallySignedStruct, DistinguishedName, Error, RootCertStore, SignatureScheme};

/// What a client has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown<'a> {
    /// No certificate.
    Nothing,
    /// A certificate of a known authority.
    Good(&'a CertificateDer<'a>),
    /// One that is not accepted, and why.
    Bad(String),
}

/// Who may issue clients' certificates.
#[derive(Debug, Clone)]
pub struct Clients(Arc<dyn ClientCertVerifier>);

impl Clients {
    /// These authorities; a client need not show a certificate.
    ///
    /// # Errors
    /// There is none among them.
    pub fn of(roots: RootCertStore, provider: Arc<CryptoProvider>) -> Result<Clients, VerifierBuilderError> {
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        Ok(Clients(builder.allow_unauthenticated().build()?))
    }

    /// What a server's configuration takes: every certificate goes through the handshake.
    pub fn asking(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::new(Lenient(self.0.clone()))
    }

    /// What a client's chain is worth; `now` since 1970.
    pub fn judge<'a>(&self, chain: Option<&'a [CertificateDer<'a>]>, now: Duration) -> Shown<'a> {
        let Some((first, rest)) = chain.and_then(<[_]>::split_first) else { return Shown::Nothing };
        match self.0.verify_client_cert(first, rest, UnixTime::since_unix_epoch(now)) {
            Ok(_) => Shown::Good(first),
            Err(Error::InvalidCertificate(why)) => Shown::Bad(why.to_string()),
            Err(why) => Shown::Bad(why.to_string()),
        }
    }
}

#[derive(Debug)]
struct Lenient(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Lenient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
