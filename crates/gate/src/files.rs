//! Files that must survive: written, synced, put in place by a rename; and locks between processes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What cannot be done to a file, in words.
pub(crate) fn cannot(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> String {
    let text = format!("cannot {what} {}", path.display());
    move |e| format!("{text}: {e}")
}

/// A file that only its owner may read: it holds what stands for passwords, or messages.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The certificates of a PEM file, the owner's first.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = std::fs::read(path).map_err(cannot("read", path))?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let read = read.map_err(|e| format!("{}: {e}", path.display()))?;
    if read.is_empty() { Err(format!("{} holds no certificate", path.display())) } else { Ok(read) }
}

/// The private key of a PEM file.
pub(crate) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let bytes = std::fs::read(path).map_err(cannot("read", path))?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|e| format!("{}: {e}", path.display()))
}

/// Replaces a file: afterwards, whatever happens, it is the old one or the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let beside = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = private().write(true).truncate(true).open(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        sync_folder(path)
    };
    write().map_err(cannot("write", path))
}

/// Makes a new or renamed file's name durable.
pub(crate) fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Takes a lock that lasts as long as the file is held; one that is taken is tried again for that long.
pub(crate) fn lock(path: &Path, patience: Duration) -> Result<File, String> {
    let file = private().write(true).truncate(false).open(path).map_err(cannot("open", path))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < patience => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(format!(
                    "{} is locked by another process: let it end, then try again",
                    path.display()
                ));
            }
            Err(TryLockError::Error(e)) => return Err(cannot("lock", path)(e)),
        }
    }
}
