//! The journal of refusals: JSON lines in a few files, the oldest of which is dropped, so that it never outgrows its limit.

use super::sink::append;
use crate::files::cannot;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// So many files make up the journal.
const FILES: u64 = 4;

/// The journal.
pub(crate) struct Journal {
    folder: PathBuf,
    file: Option<File>,
    written: u64,
    most: u64,
    waiting: Vec<u8>,
    lost: u64,
}

fn name(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("refusals.{number}.jsonl"))
}

impl Journal {
    /// Opens the journal in a folder, which is made if need be; it will not be larger than `size` bytes.
    pub(crate) fn open(folder: &Path, size: u64) -> Result<Journal, String> {
        std::fs::create_dir_all(folder).map_err(cannot("make", folder))?;
        let path = name(folder, 0);
        let file = append(&path).map_err(cannot("write", &path))?;
        let written = file.metadata().map(|m| m.len()).unwrap_or(0);
        Ok(Journal {
            folder: folder.to_owned(),
            file: Some(file),
            written,
            most: size / FILES,
            waiting: Vec::new(),
            lost: 0,
        })
    }

    /// Adds a line.
    pub(crate) fn put(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.waiting);
        if self.waiting.len() >= 64 * 1024 {
            self.write();
        }
    }

    fn write(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        if self.written > 0 && self.written + self.waiting.len() as u64 > self.most {
            self.rotate();
        }
        let length = self.waiting.len() as u64;
        match self.file.as_mut().map(|f| f.write_all(&self.waiting)) {
            Some(Ok(())) => self.written += length,
            _ => self.lost += length,
        }
        self.waiting.clear();
    }

    fn rotate(&mut self) {
        for number in (1..FILES).rev() {
            let _ = std::fs::rename(name(&self.folder, number - 1), name(&self.folder, number));
        }
        self.file = append(&name(&self.folder, 0)).ok();
        self.written = 0;
    }

    /// Writes what is waiting; how many bytes have been lost since the last time.
    pub(crate) fn flush(&mut self) -> u64 {
        self.write();
        std::mem::take(&mut self.lost)
    }
}

/// The line of a reference, newest file first; `None` if there is none (any more).
///
/// # Errors
/// The journal cannot be read.
pub(crate) fn find(folder: &Path, reference: &str) -> Result<Option<Vec<u8>>, String> {
    let wanted = format!("\"reference\":\"{reference}\"");
    if !folder.is_dir() {
        return Err(format!("there is no journal of refusals in {}", folder.display()));
    }
    for number in 0..FILES {
        let path = name(folder, number);
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|mut f| f.read_to_end(&mut bytes)) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
            Err(e) => return Err(cannot("read", &path)(e)),
            Ok(_) => {}
        }
        if let Some(at) = memchr::memmem::find(&bytes, wanted.as_bytes()) {
            let start = bytes.get(..at).and_then(|b| memchr::memrchr(b'\n', b)).map_or(0, |i| i + 1);
            let rest = bytes.get(start..).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |i| i + 1);
            return Ok(rest.get(..end).map(<[u8]>::to_vec));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_found_and_the_size_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), 4000).unwrap();
        for n in 0..200 {
            journal.put(|out| {
                out.extend_from_slice(
                    format!("{{\"reference\":\"R{n:03}\",\"x\":\"{:50}\"}}\n", "").as_bytes(),
                )
            });
            journal.flush();
        }
        let line = find(folder.path(), "R199").unwrap().unwrap();
        assert!(line.starts_with(b"{\"reference\":\"R199\"") && line.ends_with(b"}\n"));
        assert_eq!(find(folder.path(), "R000"), Ok(None));
        assert!(find(folder.path(), "R170").unwrap().is_some());
        let size: u64 =
            std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().metadata().unwrap().len()).sum();
        assert!(size <= 4000, "{size}");
    }
}
