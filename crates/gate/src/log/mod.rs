//! Logs: Apache's combined format, JSON with the cause, and the journal of refusals that `gate why` looks into.

mod entry;
pub(crate) mod journal;
mod sink;

use entry::Date;
pub(crate) use entry::Entry;
use journal::Journal;
use sink::Sink;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use tokio::sync::Notify;

/// All logs.
pub(crate) struct Logs {
    access: Option<Mutex<Sink>>,
    json: Option<Mutex<Sink>>,
    journal: Mutex<Journal>,
    date: Mutex<Date>,
    dirty: Notify,
}

impl Logs {
    /// Opens them for appending.
    ///
    /// # Errors
    /// The file that cannot be opened.
    pub(crate) fn open(
        access: Option<&Path>,
        json: Option<&Path>,
        journal: &Path,
        size: u64,
    ) -> Result<Logs, String> {
        let sink = |path: Option<&Path>| path.map(|p| Sink::open(p).map(Mutex::new)).transpose();
        Ok(Logs {
            access: sink(access)?,
            json: sink(json)?,
            journal: Mutex::new(Journal::open(journal, size)?),
            date: Mutex::default(),
            dirty: Notify::new(),
        })
    }

    /// Writes an exchange; it is in the files a few milliseconds later.
    pub(crate) fn write(&self, entry: &Entry<'_>) {
        let common = entry.common();
        if let Some(sink) = &self.access {
            let mut date = lock(&self.date);
            lock(sink).put(|out| entry.combined(&common, &mut date, out));
        }
        if self.json.is_none() && entry.reference.is_none() {
            return self.dirty.notify_one();
        }
        let mut line = Vec::with_capacity(768);
        entry.json(&common, &mut line);
        if let Some(sink) = &self.json {
            lock(sink).put(|out| out.extend_from_slice(&line));
        }
        if entry.reference.is_some() {
            lock(&self.journal).put(|out| out.extend_from_slice(&line));
        }
        self.dirty.notify_one();
    }

    /// Writes what is waiting to the files; how many bytes were lost, as on a full disk.
    pub(crate) fn flush(&self) -> u64 {
        let sinks = [&self.access, &self.json].into_iter().flatten();
        sinks.map(|s| lock(s).flush()).sum::<u64>() + lock(&self.journal).flush()
    }

    /// Opens the files anew, for those that rotate them.
    pub(crate) fn reopen(&self) {
        for sink in [&self.access, &self.json].into_iter().flatten() {
            lock(sink).reopen();
        }
    }

    /// Waits until there is something to flush.
    pub(crate) async fn wait(&self) {
        self.dirty.notified().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
