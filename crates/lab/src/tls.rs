//! TLS with an authority of the lab's own, made at every start: nothing to install, nothing to leave behind.

use crate::message::Certificate;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::{
    DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig, SignatureScheme,
};

/// The authority and what it has issued.
pub(crate) struct Authority {
    params: CertificateParams,
    key: KeyPair,
    /// The authority's certificate, PEM.
    pub(crate) pem: String,
    /// What a TLS connection is accepted with.
    pub(crate) config: Arc<ServerConfig>,
    verifier: Arc<dyn ClientCertVerifier>,
}

impl Authority {
    /// Makes an authority and a certificate for these names and addresses.
    pub(crate) fn new(names: Vec<String>) -> Result<Authority, Box<dyn std::error::Error>> {
        let (params, key, certificate) = root("why401 lab")?;
        let server_key = KeyPair::generate()?;
        let mut server = CertificateParams::new(names)?;
        server.distinguished_name.push(DnType::CommonName, "why401 lab server");
        server.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth);
        let issued = server.signed_by(&server_key, &Issuer::from_params(&params, &key))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone())?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .allow_unauthenticated()
            .build()?;
        let key_der = PrivateKeyDer::try_from(server_key.serialize_der())?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(Arc::new(Lenient(verifier.clone())))
            .with_single_cert(vec![issued.der().clone(), certificate.der().clone()], key_der)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Authority { params, key, pem: certificate.pem(), config: Arc::new(config), verifier })
    }

    /// What a client's certificate is worth at this moment.
    pub(crate) fn judge(&self, chain: Option<&[CertificateDer<'_>]>, now: Duration) -> Certificate {
        let Some((first, rest)) = chain.and_then(<[_]>::split_first) else { return Certificate::Absent };
        match self.verifier.verify_client_cert(first, rest, UnixTime::since_unix_epoch(now)) {
            Ok(_) => Certificate::Good,
            Err(Error::InvalidCertificate(why)) => Certificate::Bad(why.to_string()),
            Err(why) => Certificate::Bad(why.to_string()),
        }
    }

    /// A client's certificate and its key, PEM: `good`, `expired` or of a `stranger`'s authority.
    pub(crate) fn client(&self, kind: &str) -> Result<String, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "alice");
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
        if kind == "expired" {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        }
        let certificate = match kind {
            "stranger" => {
                let (other, other_key, _) = root("another authority")?;
                params.signed_by(&key, &Issuer::from_params(&other, &other_key))?
            }
            _ => params.signed_by(&key, &Issuer::from_params(&self.params, &self.key))?,
        };
        Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
    }
}

fn root(name: &str) -> Result<(CertificateParams, KeyPair, rcgen::Certificate), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key)?;
    Ok((params, key, certificate))
}

/// Lets every certificate through the handshake, so that the refusal can be an answer in HTTP rather than an alert;
/// that the client holds the key is verified all the same.
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
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
