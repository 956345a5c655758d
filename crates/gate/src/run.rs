//! What the command line calls.

use crate::config::Config;
use crate::gate::Gate;
use crate::metrics::one;
use crate::{log, refusal, serve};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpListener;

/// Reads the configuration, listens, tells `ready` the address, and serves until SIGTERM or SIGINT. SIGHUP takes the
/// configuration anew; what comes of that is told to `tell`.
///
/// # Errors
/// What is wrong with the configuration, or hinders listening, in words for the person who started it.
pub fn run(
    config: &Path,
    listen: Option<SocketAddr>,
    ready: impl FnOnce(SocketAddr, bool),
    tell: impl Fn(&str) + Clone + Send + 'static,
) -> Result<(), String> {
    let gate = Arc::new(Gate::new(config)?);
    let setup = gate.setup();
    let mut builder = match setup.config.workers {
        1 => tokio::runtime::Builder::new_current_thread(),
        workers => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(workers);
            builder
        }
    };
    // Slow password hashes are computed beside the threads that serve.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime =
        builder.max_blocking_threads(cores).enable_all().build().map_err(|e| format!("cannot start: {e}"))?;
    let done = runtime.block_on(async {
        let listen = listen.unwrap_or(setup.config.listen);
        let listener = bind(listen).await?;
        let address = listener.local_addr().map_err(|e| format!("cannot listen on {listen}: {e}"))?;
        if let Some(metrics) = setup.config.metrics {
            let listener = bind(metrics).await?;
            tokio::spawn(serve::metrics::serve(listener, gate.clone()));
        }
        tokio::spawn(flush(gate.clone()));
        tokio::spawn(watch(gate.clone(), tell.clone()));
        tokio::spawn(crate::keys::refresh(gate.clone(), tell.clone()));
        let tracing = gate.traces.is_some().then(|| tokio::spawn(export(gate.clone(), tell.clone())));
        let ended = signals(gate.clone(), tell).map_err(|e| format!("cannot wait for signals: {e}"))?;
        ready(address, setup.config.tls.is_some());
        drop(setup);
        serve::serve(listener, gate.clone(), ended).await;
        if let (Some(traces), Some(tracing)) = (&gate.traces, tracing) {
            traces.end();
            let _ = tokio::time::timeout(Duration::from_secs(3), tracing).await;
        }
        Ok(())
    });
    gate.logs.flush();
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    let socket = match address {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4(),
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6(),
    };
    let listen = || {
        let socket = socket?;
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(4096)
    };
    listen().map_err(|e| {
        format!(
            "cannot listen on {address}: {e}; --listen ADDRESS:PORT takes another place, port 0 a free one"
        )
    })
}

/// Writes the logs a few milliseconds after something was added to them.
async fn flush(gate: Arc<Gate>) {
    loop {
        gate.logs.wait().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        let lost = gate.logs.flush();
        gate.metrics.log_bytes_lost.fetch_add(lost, Ordering::Relaxed);
    }
}

async fn export(gate: Arc<Gate>, tell: impl Fn(&str)) {
    if let Some(traces) = &gate.traces {
        traces.run(gate.metrics.clone(), tell).await;
    }
}

/// Looks every second whether a file of accounts has changed.
async fn watch(gate: Arc<Gate>, tell: impl Fn(&str)) {
    let seen = |gate: &Gate| {
        let files = &gate.setup().config.accounts;
        let stamp = |p: &Option<PathBuf>| {
            let meta = std::fs::metadata(p.as_ref()?).ok()?;
            Some((meta.len(), meta.modified().ok()?))
        };
        [&files.htpasswd, &files.htdigest, &files.groups, &files.database].map(stamp)
    };
    let mut last = seen(&gate);
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = seen(&gate);
        if now == last {
            continue;
        }
        last = now;
        let beside = gate.clone();
        let done = tokio::task::spawn_blocking(move || beside.reload_accounts()).await;
        if let Err(why) = done.unwrap_or_else(|e| Err(e.to_string())) {
            tell(&format!("the accounts stay as they were: {why}"));
        }
    }
}

/// Completes at the first SIGTERM or SIGINT; reloads at SIGHUP.
#[cfg(unix)]
fn signals(
    gate: Arc<Gate>,
    tell: impl Fn(&str) + Send + 'static,
) -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hup.recv().await.is_some() {
            let beside = gate.clone();
            let done = tokio::task::spawn_blocking(move || beside.reload()).await;
            match done.unwrap_or_else(|e| Err(e.to_string())) {
                Ok(()) => {
                    one(&gate.metrics.reloads);
                    tell("the configuration was taken anew");
                }
                Err(why) => {
                    one(&gate.metrics.reloads_failed);
                    tell(&format!("the configuration stays as it was: {why}"));
                }
            }
        }
    });
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signals(_: Arc<Gate>, _: impl Fn(&str) + Send + 'static) -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// The line of the journal of refusals that a reference stands for.
///
/// # Errors
/// The reference is none, or is not (any more) in the journal.
pub fn why(config: &Path, reference: &str) -> Result<Vec<u8>, String> {
    let config = Config::load(config)?;
    let reference = refusal::typed(reference).ok_or_else(|| {
        format!("{reference:?} is no reference: one has 12 letters and digits, as in the body of a refusal")
    })?;
    let found = log::journal::find(&config.refusals, &reference)?;
    found.ok_or_else(|| {
        format!(
            "{reference} is not in the journal {}: mistyped, or older than what is kept",
            config.refusals.display()
        )
    })
}

/// Reads a configuration and all files that it names.
///
/// # Errors
/// What is wrong, and where.
pub fn check(config: &Path) -> Result<(), String> {
    crate::gate::load(config).map(|_| ())
}
