//! A file that is appended to in large pieces.

use crate::files::{cannot, private};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// From so many waiting bytes on they are written at once.
const MOST: usize = 64 * 1024;

/// A log file.
pub(super) struct Sink {
    path: PathBuf,
    file: Box<dyn Write + Send>,
    waiting: Vec<u8>,
    lost: u64,
}

impl Sink {
    /// Opens a file for appending; `-` is standard error.
    pub(super) fn open(path: &Path) -> Result<Sink, String> {
        let file: Box<dyn Write + Send> = match path.ends_with("-") {
            true => Box::new(std::io::stderr()),
            false => Box::new(append(path).map_err(cannot("write", path))?),
        };
        Ok(Sink { path: path.to_owned(), file, waiting: Vec::new(), lost: 0 })
    }

    /// Adds a line.
    pub(super) fn put(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.waiting);
        if self.waiting.len() >= MOST {
            self.write();
        }
    }

    fn write(&mut self) {
        if !self.waiting.is_empty() && self.file.write_all(&self.waiting).is_err() {
            // A full disk must not stop requests that are in order; it is counted.
            self.lost += self.waiting.len() as u64;
        }
        self.waiting.clear();
    }

    /// Writes what is waiting; how many bytes have been lost since the last time.
    pub(super) fn flush(&mut self) -> u64 {
        self.write();
        let _ = self.file.flush();
        std::mem::take(&mut self.lost)
    }

    /// Opens the file anew.
    pub(super) fn reopen(&mut self) {
        self.write();
        if !self.path.ends_with("-")
            && let Ok(file) = append(&self.path)
        {
            self.file = Box::new(file);
        }
    }
}

pub(super) fn append(path: &Path) -> std::io::Result<File> {
    private().append(true).open(path)
}
