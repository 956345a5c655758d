//! Messages that the gate takes itself. An append-only journal with `fsync` holds them: what was answered with a receipt has
//! reached the disk. A journal suits what is written once, read once in order and never changed better than a database would,
//! and its recovery (cut the torn end off) is short enough to be tested in full.

pub mod deliver;
pub(crate) mod drain;
pub(crate) mod frame;
mod index;
mod writer;

use crate::config;
use crate::files;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError};
use tokio::sync::oneshot;

/// A message as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) account: String,
    pub(crate) time: jiff::Timestamp,
    pub(crate) target: String,
    pub(crate) content_type: Option<String>,
    /// The `Idempotency-Key`.
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) body: Vec<u8>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) receipt: String,
    /// `false`: the same message had been stored before.
    pub(crate) is_new: bool,
}

/// Why it was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The key belongs to another message.
    KeyReused,
    /// In words for the operator.
    Other(String),
}

/// A message and where its outcome is awaited.
pub(super) struct Job {
    pub(super) message: Message,
    pub(super) done: oneshot::Sender<Result<Stored, Failure>>,
}

/// Where messages are stored.
pub(crate) struct Inbox {
    jobs: SyncSender<Job>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// So many messages may wait for the disk.
const WAITING: usize = 1024;

impl Inbox {
    /// Opens the journal in a folder, cuts off what was not written to its end, and starts the one thread that writes.
    ///
    /// # Errors
    /// The folder cannot be used, or another process uses it.
    pub(crate) fn open(config: &config::Inbox) -> Result<Inbox, String> {
        std::fs::create_dir_all(&config.folder).map_err(files::cannot("make", &config.folder))?;
        let writer = writer::Writer::open(config)?;
        let (jobs, waiting) = std::sync::mpsc::sync_channel(WAITING);
        let thread = std::thread::Builder::new().name("inbox".to_owned()).spawn(move || writer.run(&waiting));
        let thread = thread.map_err(|e| format!("cannot start the inbox: {e}"))?;
        Ok(Inbox { jobs, thread: Some(thread) })
    }

    /// Stores a message; returns once it is on the disk.
    pub(crate) async fn store(&self, message: Message) -> Result<Stored, Failure> {
        let (done, outcome) = oneshot::channel();
        match self.jobs.try_send(Job { message, done }) {
            Ok(()) => {
                outcome.await.unwrap_or_else(|_| Err(Failure::Other("the inbox has stopped".to_owned())))
            }
            Err(TrySendError::Full(_)) => {
                Err(Failure::Other("too many messages wait for the disk".to_owned()))
            }
            Err(TrySendError::Disconnected(_)) => Err(Failure::Other("the inbox has stopped".to_owned())),
        }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let (nobody, _) = std::sync::mpsc::sync_channel(1);
        self.jobs = nobody;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The segments of a journal, oldest first.
pub(crate) fn segments(folder: &Path) -> Result<Vec<(u64, PathBuf)>, String> {
    let entries = std::fs::read_dir(folder).map_err(files::cannot("read", folder))?;
    let mut found: Vec<(u64, PathBuf)> = entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let number = path.file_name()?.to_str()?.strip_prefix("messages-")?.strip_suffix(".journal")?;
            Some((number.parse().ok()?, path))
        })
        .collect();
    found.sort();
    Ok(found)
}

/// The path of a segment.
pub(crate) fn segment(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("messages-{number:010}.journal"))
}

#[cfg(test)]
mod tests;
