//! TLS with an authority of the lab's own, made at every start: nothing to install, nothing to leave behind.

use crate::message::Certificate;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use why401_serve::{Clients, Shown};

/// The authority and what it has issued.
pub(crate) struct Authority {
    params: CertificateParams,
    key: KeyPair,
    /// The authority's certificate, PEM.
    pub(crate) pem: String,
    /// What a TLS connection is accepted with.
    pub(crate) config: Arc<ServerConfig>,
    clients: Clients,
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
        let clients = Clients::of(roots, provider.clone())?;
        let key_der = PrivateKeyDer::try_from(server_key.serialize_der())?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(clients.asking())
            .with_single_cert(vec![issued.der().clone(), certificate.der().clone()], key_der)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Authority { params, key, pem: certificate.pem(), config: Arc::new(config), clients })
    }

    /// What a client's certificate is worth at this moment.
    pub(crate) fn judge(&self, chain: Option<&[CertificateDer<'_>]>, now: Duration) -> Certificate {
        match self.clients.judge(chain, now) {
            Shown::Nothing => Certificate::Absent,
            Shown::Good(_) => Certificate::Good,
            Shown::Bad(why) => Certificate::Bad(why),
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
