//! Key logs: given by `--keys`, or as one more piece of evidence.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufReader, Read};
use why401_read::KeyLog;

/// So many bytes of a file tell whether it is a key log.
const HEAD: u64 = 4096;
const BUFFER: usize = 64 * 1024;

/// The labels that lines of a key log begin with (the SSLKEYLOGFILE format, draft-ietf-tls-keylogfile section 2).
const LABELS: &[&str] = &[
    "CLIENT_RANDOM ",
    "CLIENT_EARLY_TRAFFIC_SECRET ",
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET ",
    "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
    "CLIENT_TRAFFIC_SECRET_0 ",
    "SERVER_TRAFFIC_SECRET_0 ",
    "EARLY_EXPORTER_SECRET ",
    "EXPORTER_SECRET ",
    "RSA ",
];

/// Whether this file is a key log, by its first lines.
pub(crate) fn is_key_log(name: &OsString) -> bool {
    let mut head = Vec::new();
    let read = File::open(name).and_then(|f| f.take(HEAD).read_to_end(&mut head));
    read.is_ok() && begins(&head)
}

/// Whether a file that begins so is a key log.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    let head = bytes.get(..HEAD as usize).unwrap_or(bytes);
    let text = String::from_utf8_lossy(head);
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    lines.next().is_some_and(|first| LABELS.iter().any(|l| first.starts_with(l)))
}

/// The secrets of a key log.
pub(crate) fn read(path: &std::path::Path) -> std::io::Result<KeyLog> {
    let mut log = KeyLog::default();
    log.read(&mut BufReader::with_capacity(BUFFER, File::open(path)?))?;
    Ok(log)
}
