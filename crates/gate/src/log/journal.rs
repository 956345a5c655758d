//! The journal of refusals: JSON lines in a folder of files, the oldest of which are dropped, so that it never outgrows its
//! limit.

use super::sink::append;
use crate::files::cannot;
use serde::de::IgnoredAny;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// A file holds this part of the limit.
const PART: u64 = 16;

/// The journal.
pub(crate) struct Journal {
    folder: PathBuf,
    file: Option<File>,
    /// The numbers and lengths of its files, the oldest first; the last is being written.
    files: VecDeque<(u64, u64)>,
    /// How much of the last one was written since it was begun.
    written: u64,
    most: u64,
    waiting: Vec<u8>,
    lost: u64,
}

fn name(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("refusals.{number}.jsonl"))
}

/// The numbers and lengths of the files, the oldest first.
fn files(folder: &Path) -> std::io::Result<VecDeque<(u64, u64)>> {
    let number = |name: &str| name.strip_prefix("refusals.")?.strip_suffix(".jsonl")?.parse().ok();
    let mut files: Vec<(u64, u64)> = std::fs::read_dir(folder)?
        .filter_map(Result::ok)
        .filter_map(|entry| Some((number(entry.file_name().to_str()?)?, entry.metadata().ok()?.len())))
        .collect();
    files.sort_unstable();
    Ok(files.into())
}

impl Journal {
    /// Opens the journal in a folder, which is made if need be; it will not be larger than `size` bytes.
    pub(crate) fn open(folder: &Path, size: u64) -> Result<Journal, String> {
        std::fs::create_dir_all(folder).map_err(cannot("make", folder))?;
        let files = files(folder).map_err(cannot("read", folder))?;
        let mut journal = Journal {
            folder: folder.to_owned(),
            file: None,
            files,
            written: 0,
            most: size,
            waiting: Vec::new(),
            lost: 0,
        };
        // How far the last one was written is not known: what follows in it may be older.
        if journal.files.back().is_none_or(|(_, length)| *length > 0) {
            journal.files.push_back((journal.next(), 0));
        }
        let path = name(folder, journal.files.back().map_or(0, |(number, _)| *number));
        let file = append(&path).map_err(cannot("write", &path))?;
        journal.file = Some(file);
        Ok(journal)
    }

    fn next(&self) -> u64 {
        self.files.back().map_or(0, |(number, _)| number + 1)
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
        let length = self.waiting.len() as u64;
        self.make_room(length);
        match self.file.as_mut().map(|f| f.write_all(&self.waiting)) {
            Some(Ok(())) => {
                self.written += length;
                if let Some((_, whole)) = self.files.back_mut() {
                    *whole = self.written.max(*whole);
                }
            }
            _ => self.lost += length,
        }
        self.waiting.clear();
    }

    /// Goes on in another file where the last one is full, and drops the oldest ones.
    ///
    /// The oldest is overwritten, not made anew: to free and to fill its pages takes the system milliseconds for which all
    /// requests would wait. What is left of it behind the new lines is older, but as true.
    fn make_room(&mut self, length: u64) {
        let part = self.most / PART;
        let mut all: u64 = self.files.iter().map(|(_, length)| length).sum();
        if self.written > 0 && self.written + length > part {
            let number = self.next();
            let path = name(&self.folder, number);
            let oldest =
                self.files.front().copied().filter(|_| all + part > self.most && self.files.len() > 1);
            let again = oldest.filter(|(old, whole)| {
                *whole <= part && std::fs::rename(name(&self.folder, *old), &path).is_ok()
            });
            self.file = match again {
                Some(_) => OpenOptions::new().write(true).open(&path).ok(),
                None => append(&path).ok(),
            };
            if again.is_some() {
                self.files.pop_front();
            }
            self.files.push_back((number, again.map_or(0, |(_, whole)| whole)));
            self.written = 0;
        }
        let grows = |whole: u64, written: u64| (written + length).saturating_sub(whole);
        let more = self.files.back().map_or(0, |(_, whole)| grows(*whole, self.written));
        while self.files.len() > 1
            && all + more > self.most
            && let Some((number, whole)) = self.files.pop_front()
        {
            all -= whole;
            let _ = std::fs::remove_file(name(&self.folder, number));
        }
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
    for (number, _) in files(folder).map_err(cannot("read", folder))?.into_iter().rev() {
        let path = name(folder, number);
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|mut f| f.read_to_end(&mut bytes)) {
            // Dropped meanwhile.
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            Err(e) => return Err(cannot("read", &path)(e)),
            Ok(_) => {}
        }
        if let Some(at) = memchr::memmem::find(&bytes, wanted.as_bytes()) {
            let start = bytes.get(..at).and_then(|b| memchr::memrchr(b'\n', b)).map_or(0, |i| i + 1);
            let rest = bytes.get(start..).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |i| i + 1);
            // Of a line that another was written over the end is left.
            let line = rest.get(..end).filter(|l| serde_json::from_slice::<IgnoredAny>(l).is_ok());
            return Ok(line.map(<[u8]>::to_vec));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(journal: &mut Journal, reference: &str, room: usize) {
        let line = format!("{{\"reference\":\"{reference}\",\"x\":\"{:room$}\"}}\n", "");
        journal.put(|out| out.extend_from_slice(line.as_bytes()));
        journal.flush();
    }

    #[test]
    fn the_newest_are_found_and_the_size_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let found = |reference: &str| find(folder.path(), reference).unwrap();
        for lines in [200, 3000] {
            let mut journal = Journal::open(folder.path(), 16_000).unwrap();
            for n in 0..lines {
                put(&mut journal, &format!("R{n:04}"), 40 + n % 7);
            }
            let last = lines - 1;
            let line = found(&format!("R{last:04}")).unwrap();
            assert!(line.starts_with(b"{\"reference\":\"R") && line.ends_with(b"}\n"));
            assert!(found(&format!("R{:04}", last - 150)).is_some());
            let size: u64 =
                std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().metadata().unwrap().len()).sum();
            assert!(size <= 16_000, "{size}");
            // What is found is whole, whatever was written over it.
            for n in 0..lines {
                let line = found(&format!("R{n:04}"));
                assert!(line.is_none_or(|l| l.starts_with(b"{\"reference\"") && l.ends_with(b"\"}\n")));
            }
        }
    }

    #[test]
    fn what_was_written_before_a_restart_is_found() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..30 {
            put(&mut Journal::open(folder.path(), 16_000).unwrap(), &format!("R{n:04}"), 10);
        }
        for n in 0..30 {
            assert!(find(folder.path(), &format!("R{n:04}")).unwrap().is_some(), "{n}");
        }
    }
}
