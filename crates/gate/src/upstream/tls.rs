//! TLS to servers: upstreams, and where key sets are fetched from.

use crate::config::UpstreamTls;
use crate::files::{certificates, key};
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How TLS is spoken with a server.
#[derive(Clone)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Tls {
    /// With the server of this name; `protocol` is what is spoken inside (RFC 7301).
    ///
    /// # Errors
    /// The file that cannot be used, or a name that is none.
    pub(crate) fn new(host: &str, files: &UpstreamTls, protocol: &str) -> Result<Tls, String> {
        let wrong = |e: &dyn std::fmt::Display| format!("TLS to {host}: {e}");
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(|e| wrong(&e))?;
        let builder = builder.with_root_certificates(roots(files.authority.as_deref())?);
        let mut config = match &files.certificate {
            None => builder.with_no_client_auth(),
            Some((chain, own)) => builder
                .with_client_auth_cert(certificates(chain)?, key(own)?)
                .map_err(|e| format!("{}: {e}", own.display()))?,
        };
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let name = files.server_name.as_deref().unwrap_or(host);
        let name = ServerName::try_from(name.trim_matches(['[', ']']).to_owned()).map_err(|e| wrong(&e))?;
        Ok(Tls { config: Arc::new(config), name })
    }

    /// Shakes hands.
    ///
    /// # Errors
    /// Why that does not work, as rustls says it.
    pub(crate) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<TlsStream<S>, String> {
        let connector = TlsConnector::from(self.config.clone());
        connector.connect(self.name.clone(), stream).await.map_err(|e| e.to_string())
    }
}

/// The authorities of a file, or those of the machine.
fn roots(file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    match file {
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|e| format!("{}: {e}", path.display()))?;
            }
        }
    }
    Ok(roots)
}
