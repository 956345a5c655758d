//! A log that is being written: read on when more comes, whatever rotation does to it.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often it is looked whether more has come.
const EVERY: Duration = Duration::from_millis(200);

/// Reads a file to its end and then what is added, until it is told to stop. Where another file takes its place (rename
/// and create), the old one is read to its end and then the new one from its front; where it becomes shorter (copy and
/// truncate), it is read from its front again.
pub(crate) struct Follow {
    path: PathBuf,
    file: File,
    at: u64,
    /// Whether the last byte that was read ended a line.
    ended_line: bool,
    stop: Arc<AtomicBool>,
}

impl Follow {
    /// # Errors
    /// Where the file cannot be opened.
    pub(crate) fn new(path: &Path, stop: Arc<AtomicBool>) -> io::Result<Follow> {
        Ok(Follow { path: path.to_owned(), file: File::open(path)?, at: 0, ended_line: true, stop })
    }

    fn take(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(into)?;
        self.at += count as u64;
        if let Some(last) = into.get(..count).and_then(<[u8]>::last) {
            self.ended_line = *last == b'\n';
        }
        Ok(count)
    }

    /// Goes to the front of what took the place of the file, if anything did.
    fn turn(&mut self) -> io::Result<bool> {
        let now = self.file.metadata()?;
        // While a log is being rotated, there may be none for a moment.
        if let Ok(there) = std::fs::metadata(&self.path)
            && which(&there) != which(&now)
        {
            // What was written between the last reading and the renaming is read first; and the program goes on writing to
            // the old file until it opens the new one.
            if now.size() > self.at || there.size() == 0 {
                return Ok(false);
            }
            self.file = File::open(&self.path)?;
        } else if now.size() < self.at {
            self.file.seek(SeekFrom::Start(0))?;
        } else {
            return Ok(false);
        }
        self.at = 0;
        Ok(true)
    }
}

/// Which file it is, whatever its name.
fn which(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

impl Read for Follow {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.take(into)?;
            if count > 0 || self.stop.load(Ordering::Relaxed) {
                return Ok(count);
            }
            if self.turn()? {
                // Half a line of the old file and the first of the new one are two lines.
                if !self.ended_line
                    && let Some(first) = into.first_mut()
                {
                    *first = b'\n';
                    self.ended_line = true;
                    return Ok(1);
                }
                continue;
            }
            std::thread::sleep(EVERY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;
    use std::io::Write;

    /// Reads until `wanted` has come.
    fn read(follow: &mut Follow, wanted: &str) {
        let mut all = Vec::new();
        let mut piece = [0; 64];
        while all.len() < wanted.len() {
            let count = follow.read(&mut piece).unwrap();
            all.extend_from_slice(&piece[..count]);
        }
        assert_eq!(String::from_utf8_lossy(&all), wanted);
    }

    fn add(path: &Path, text: &str) {
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    #[test]
    fn rotation_by_renaming_and_by_truncating_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.log");
        add(&path, "one\ntwo\n");
        let stop = Arc::new(AtomicBool::new(false));
        let mut follow = Follow::new(&path, Arc::clone(&stop)).unwrap();
        read(&mut follow, "one\ntwo\n");
        add(&path, "three\n");
        read(&mut follow, "three\n");

        // Renamed; the program still writes to the old file for a while.
        let old = folder.path().join("access.log.1");
        std::fs::rename(&path, &old).unwrap();
        add(&old, "four, and no end");
        add(&path, "five\n");
        read(&mut follow, "four, and no end\nfive\n");

        // Copied and truncated.
        std::fs::copy(&path, folder.path().join("access.log.2")).unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
        add(&path, "6\n");
        read(&mut follow, "6\n");

        stop.store(true, Ordering::Relaxed);
        assert_eq!(follow.read(&mut [0; 9]).unwrap(), 0);
    }
}
