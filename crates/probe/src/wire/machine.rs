//! The authorities of the machine.

#[cfg(all(unix, not(target_os = "macos")))]
use std::path::{Path, PathBuf};
use tokio_rustls::rustls::pki_types::CertificateDer;

/// All of them, each once, in the order of their bytes.
#[cfg(not(all(unix, not(target_os = "macos"))))]
pub(super) fn authorities() -> Vec<CertificateDer<'static>> {
    rustls_native_certs::load_native_certs().certs
}

/// All of them, each once, in the order of their bytes: those of the file and the folders that `rustls-native-certs` reads too,
/// which does it one after the other and with a slower decoder.
#[cfg(all(unix, not(target_os = "macos")))]
pub(super) fn authorities() -> Vec<CertificateDer<'static>> {
    let (file, folders) = places();
    let mut found = std::thread::scope(|scope| {
        let folders = scope.spawn(move || folders.iter().flat_map(|f| of_folder(f)).collect::<Vec<_>>());
        let mut found = file.map(|file| of_file(&file)).unwrap_or_default();
        found.extend(folders.join().unwrap_or_default());
        found
    });
    found.sort_unstable_by(|a, b| a.as_ref().cmp(b.as_ref()));
    found.dedup();
    found
}

#[cfg(all(unix, not(target_os = "macos")))]
fn of_file(path: &Path) -> Vec<CertificateDer<'static>> {
    super::pem::certificates(&std::fs::read(path).unwrap_or_default())
}

#[cfg(all(unix, not(target_os = "macos")))]
fn of_folder(folder: &Path) -> Vec<CertificateDer<'static>> {
    use std::os::unix::fs::MetadataExt;

    // Each file has two names, its own and that of its hash (`openssl rehash`).
    let mut seen = std::collections::HashSet::new();
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let files = entries.map(|entry| entry.path()).filter(|path| {
        let file = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file);
        file.is_some_and(|m| seen.insert((m.dev(), m.ino())))
    });
    files.flat_map(|path| of_file(&path)).collect()
}

/// Where the environment says that they are, or else where they are on most machines.
#[cfg(all(unix, not(target_os = "macos")))]
fn places() -> (Option<PathBuf>, Vec<PathBuf>) {
    let file = std::env::var_os("SSL_CERT_FILE").map(Into::into);
    let folders = std::env::var_os("SSL_CERT_DIR").unwrap_or_default();
    let folders: Vec<_> = std::env::split_paths(&folders).filter(|p| !p.as_os_str().is_empty()).collect();
    if file.is_some() || !folders.is_empty() {
        return (file, folders);
    }
    let likely = openssl_probe::probe();
    (likely.cert_file, likely.cert_dir)
}

#[cfg(test)]
mod tests {
    #[test]
    fn they_are_those_that_others_find() {
        assert_eq!(super::authorities(), rustls_native_certs::load_native_certs().certs);
    }
}
