//! `why401 lab`: a server that answers with every 401 there is, what badssl.com is for TLS.
//!
//! One address a cause of the catalogue, and for healthy handshakes; [`run`] serves them until it is told to end. An answer
//! is made by a plain function from a request (`stations`), whatever version of HTTP carries it; sockets stand only in
//! `serve`, `http1` and `http2`. Credentials are verified by `why401-verify`, whose refusals are named as causes are, so
//! that the log of the lab and a diagnosis speak one language.

mod accounts;
mod guard;
mod http1;
mod http2;
mod index;
mod keys;
mod lab;
mod log;
mod memory;
mod message;
mod mint;
mod quirk;
mod serve;
mod station;
mod stations;
mod tls;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

/// How the lab is run.
#[derive(Default)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: Option<SocketAddr>,
    /// Takes the access log in Apache's combined format.
    pub log: Option<Box<dyn Write + Send>>,
    /// Takes the log with the causes, one JSON object a line.
    pub json_log: Option<Box<dyn Write + Send>>,
    /// Takes a log in IIS's W3C format, with substatus and Win32 status.
    pub w3c_log: Option<Box<dyn Write + Send>>,
}

/// Where the lab listens unless told otherwise: loopback only.
pub const LISTEN: &str = "127.0.0.1:4010";

/// Listens, tells `ready` the address, and serves until SIGTERM or SIGINT.
///
/// # Errors
/// What hinders listening, in words for the person who started it.
pub fn run(options: Options, ready: impl FnOnce(SocketAddr)) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("the lab cannot start: {e}"))?;
    runtime.block_on(async {
        let listen = options.listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 4010)));
        let listener = tokio::net::TcpListener::bind(listen).await.map_err(|e| {
            format!(
                "cannot listen on {listen}: {e}; --listen ADDRESS:PORT takes another place, port 0 a free one"
            )
        })?;
        let address = listener.local_addr().map_err(|e| format!("cannot listen on {listen}: {e}"))?;
        let ended = ended().map_err(|e| format!("cannot wait for signals: {e}"))?;
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        names.push(address.ip().to_string());
        names.dedup();
        let authority = tls::Authority::new(names).map_err(|e| format!("cannot make a certificate: {e}"))?;
        let logs = log::Logs::new(options.log, options.json_log, options.w3c_log);
        let lab = Arc::new(lab::Lab::new(authority, logs));
        ready(address);
        serve::serve(listener, lab, ended).await;
        Ok(())
    })
}

/// Completes at the first SIGTERM or SIGINT.
#[cfg(unix)]
fn ended() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn ended() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
