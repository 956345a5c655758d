//! TLS with clients, by rustls.

use crate::config::Tls;
use crate::decide::{Certificate, print_of};
use crate::files::{certificates, key};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use why401_serve::{Clients, Shown};

/// What TLS connections are accepted with.
#[derive(Clone)]
pub(crate) struct Acceptor {
    pub(crate) acceptor: TlsAcceptor,
    clients: Option<Clients>,
}

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acceptor").field("asks_for_certificates", &self.clients.is_some()).finish()
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
    let clients = match &files.client_authority {
        None => None,
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|e| format!("{}: {e}", path.display()))?;
            }
            Some(Clients::of(roots, provider.clone()).map_err(|e| wrong(&e))?)
        }
    };
    let builder = ServerConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| wrong(&e))?;
    let builder = match &clients {
        Some(clients) => builder.with_client_cert_verifier(clients.asking()),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(|e| wrong(&e))?;
    if speaks_two {
        config.alpn_protocols.push(b"h2".to_vec());
    }
    config.alpn_protocols.push(b"http/1.1".to_vec());
    Ok(Some(Acceptor { acceptor: TlsAcceptor::from(Arc::new(config)), clients }))
}

impl Acceptor {
    /// What a client's certificate is worth at this moment.
    pub(crate) fn judge(&self, chain: Option<&[CertificateDer<'_>]>) -> Certificate {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        match self.clients.as_ref().map(|c| c.judge(chain, now)) {
            None | Some(Shown::Nothing) => Certificate::Absent,
            Some(Shown::Good(certificate)) => Certificate::Good(print_of(certificate)),
            Some(Shown::Bad(why)) => Certificate::Bad(why),
        }
    }
}
