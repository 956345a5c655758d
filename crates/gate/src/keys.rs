//! Fetching the key set of tokens (RFC 7517), and keeping it fresh. While it cannot be had the old one stays in use.

use crate::config::Keys;
use crate::gate::Gate;
use crate::http::Head;
use crate::http::framing::Content;
use crate::http::head::end;
use crate::serve::io::{fill, write};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use why401_verify::jwk::KeySet;

const PATIENCE: Duration = Duration::from_secs(10);
/// After a failure it is tried again so soon.
const AGAIN: Duration = Duration::from_secs(5);
/// A key set is no larger.
const MOST: usize = 1 << 20;

/// Fetches the key set again and again.
pub(crate) async fn refresh(gate: Arc<Gate>, tell: impl Fn(&str)) {
    let mut failed = false;
    loop {
        let setup = gate.setup();
        let Some((url, pause)) = setup.config.bearer.as_ref().and_then(|b| match &b.keys {
            Keys::Url(url) => Some((url.clone(), b.refresh)),
            Keys::File(_) => None,
        }) else {
            drop(setup);
            // A reload may bring one.
            tokio::time::sleep(AGAIN).await;
            continue;
        };
        let fetched =
            timeout(PATIENCE, fetch(&url)).await.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        match fetched.and_then(|bytes| KeySet::parse(&bytes)) {
            Ok(keys) => {
                *setup.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(keys);
                failed = false;
            }
            Err(why) => {
                if !failed {
                    tell(&format!("the key set {url} cannot be had: {why}"));
                }
                failed = true;
            }
        }
        drop(setup);
        let pause = if failed { AGAIN } else { pause };
        // An unknown key is a reason to look at once, but not more often than this.
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = async { tokio::time::sleep(AGAIN).await; gate.unknown_key.notified().await } => {}
        }
    }
}

async fn fetch(url: &str) -> Result<Vec<u8>, String> {
    let (is_tls, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return Err("not an http(s) address".to_owned()),
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = if path.is_empty() { "/" } else { path };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => (host, port.to_owned()),
        _ => (authority, if is_tls { "443" } else { "80" }.to_owned()),
    };
    let ask = format!(
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    );
    let stream = TcpStream::connect(format!("{host}:{port}")).await.map_err(|e| e.to_string())?;
    if !is_tls {
        return get(stream, &ask).await;
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|e| e.to_string())?;
    let stream =
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(|e| e.to_string())?;
    get(stream, &ask).await
}

async fn get<S: AsyncRead + AsyncWrite + Unpin>(mut io: S, ask: &str) -> Result<Vec<u8>, String> {
    write(&mut io, ask.as_bytes(), PATIENCE).await.map_err(|e| e.to_string())?;
    let mut buffer = Vec::new();
    let at = loop {
        if let Some(at) = end(&buffer, 0) {
            break at;
        }
        if buffer.len() > 64 * 1024 || fill(&mut io, &mut buffer).await.map_err(|e| e.to_string())? == 0 {
            return Err("its answer has no head".to_owned());
        }
    };
    let rest = buffer.split_off(at);
    let head = Head::response(std::mem::replace(&mut buffer, rest)).map_err(|b| b.says.to_owned())?;
    if head.status() != 200 {
        return Err(format!("it answered {}", head.status()));
    }
    let mut content = Content::new(head.response_framing("GET").map_err(|b| b.says.to_owned())?);
    let mut body = Vec::new();
    loop {
        content.take(&mut buffer, &mut body).map_err(|b| b.says.to_owned())?;
        if content.is_done() {
            return Ok(body);
        }
        if body.len() > MOST {
            return Err("it is larger than a mebibyte".to_owned());
        }
        if fill(&mut io, &mut buffer).await.unwrap_or(0) == 0 {
            return if content.may_end() { Ok(body) } else { Err("its content is cut off".to_owned()) };
        }
    }
}
