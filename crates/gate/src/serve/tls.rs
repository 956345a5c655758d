//! TLS by rustls. A client certificate that is not accepted goes through the handshake, so that its refusal is an answer in
//! HTTP, with a reference, rather than an alert; that the client holds the key is verified all the same.

use crate::config::Tls;
use crate::decide::{Certificate, print_of};
use crate::files::{certificates, key};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme,
};

/// What TLS connections are accepted with.
#[derive(Clone)]
pub(crate) struct Acceptor {
    pub(crate) acceptor: TlsAcceptor,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
}

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acceptor").field("asks_for_certificates", &self.verifier.is_some()).finish()
    }
}

/// Reads certificate and key; `None` where TLS is not configured.
///
/// # Errors
/// The file that cannot be used.
pub(crate) fn acceptor(files: Option<&Tls>, speaks_two: bool) -> Result<Option<Acceptor>, String> {
    let Some(files) = files else { return Ok(None) };
    let (chain, key) = (certificates(&files.certificate)?, key(&files.key)?);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let wrong = |e: &dyn std::fmt::Display| format!("TLS: {e}");
    let verifier = match &files.client_authority {
        None => None,
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|e| format!("{}: {e}", path.display()))?;
            }
            let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
            Some(builder.allow_unauthenticated().build().map_err(|e| wrong(&e))?)
        }
    };
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| wrong(&e))?;
    let builder = match &verifier {
        Some(verifier) => builder.with_client_cert_verifier(Arc::new(Lenient(verifier.clone()))),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|e| wrong(&e))?;
    if speaks_two {
        config.alpn_protocols.push(b"h2".to_vec());
    }
    config.alpn_protocols.push(b"http/1.1".to_vec());
    Ok(Some(Acceptor { acceptor: TlsAcceptor::from(Arc::new(config)), verifier }))
}

impl Acceptor {
    /// What a client's certificate is worth at this moment.
    pub(crate) fn judge(&self, chain: Option<&[CertificateDer<'_>]>) -> Certificate {
        let Some((first, rest)) = chain.and_then(<[_]>::split_first) else { return Certificate::Absent };
        let Some(verifier) = &self.verifier else { return Certificate::Absent };
        match verifier.verify_client_cert(first, rest, UnixTime::now()) {
            Ok(_) => Certificate::Good(print_of(first)),
            Err(Error::InvalidCertificate(why)) => Certificate::Bad(why.to_string()),
            Err(why) => Certificate::Bad(why.to_string()),
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
