//! Reading the journal, and handing messages on in their order. How far that came is recorded after each message, so that a
//! drain which is killed goes on where it was.

use super::frame::{self, Frame};
use super::{segment, segments};
use crate::files;
use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A place in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Position {
    pub(crate) segment: u64,
    pub(crate) offset: u64,
}

/// How far messages have been handed on.
pub(crate) fn position(folder: &Path) -> Position {
    let text = std::fs::read_to_string(folder.join("drained")).unwrap_or_default();
    let mut words = text.split_whitespace().map(|w| w.parse().ok());
    match (words.next().flatten(), words.next().flatten()) {
        (Some(segment), Some(offset)) => Position { segment, offset },
        _ => Position::default(),
    }
}

/// Reads the journal from a place on.
pub(crate) struct Reader {
    folder: PathBuf,
    rest: Vec<u64>,
    current: Option<(BufReader<File>, u64)>,
    at: Position,
}

impl Reader {
    /// A reader that begins there.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn new(folder: &Path, from: Position) -> Result<Reader, String> {
        let mut rest: Vec<u64> =
            segments(folder)?.into_iter().map(|(n, _)| n).filter(|n| *n >= from.segment).collect();
        rest.reverse();
        let mut reader = Reader { folder: folder.to_owned(), rest, current: None, at: from };
        reader.open()?;
        Ok(reader)
    }

    fn open(&mut self) -> Result<(), String> {
        let Some(number) = self.rest.pop() else {
            self.current = None;
            return Ok(());
        };
        let path = segment(&self.folder, number);
        let mut file = File::open(&path).map_err(files::cannot("read", &path))?;
        // What is handed on must not be lost from the journal by a power failure: else its place would be reused.
        file.sync_data().map_err(files::cannot("sync", &path))?;
        let size = file.metadata().map_err(files::cannot("read", &path))?.len();
        let offset = if number == self.at.segment { self.at.offset } else { 0 };
        file.seek(SeekFrom::Start(offset)).map_err(files::cannot("read", &path))?;
        self.at = Position { segment: number, offset };
        self.current = Some((BufReader::new(file), size));
        Ok(())
    }

    /// The next message, and the place behind it.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(crate) fn next(&mut self) -> Result<Option<(Frame, Position)>, String> {
        while let Some((reader, size)) = &mut self.current {
            if let Some(frame) = frame::read(reader, size.saturating_sub(self.at.offset)) {
                self.at.offset += frame.size;
                return Ok(Some((frame, self.at)));
            }
            self.open()?;
        }
        Ok(None)
    }
}

/// Hands every waiting message to `deliver`, in order, until one fails.
///
/// # Errors
/// What `deliver` says, or that another process drains.
pub(crate) fn drain(
    folder: &Path,
    remember_keys: i64,
    mut deliver: impl FnMut(&Frame) -> Result<(), String>,
) -> Result<usize, String> {
    let _lock = files::lock(&folder.join("drain.lock"), Duration::ZERO)?;
    let mut reader = Reader::new(folder, position(folder))?;
    let mut count = 0;
    while let Some((frame, behind)) = reader.next()? {
        deliver(&frame).map_err(|why| format!("{why}; {count} messages were handed on before this one"))?;
        count += 1;
        files::replace(
            &folder.join("drained"),
            format!("{} {}\n", behind.segment, behind.offset).as_bytes(),
        )?;
    }
    clear(folder, remember_keys)?;
    Ok(count)
}

/// Removes segments that have been handed on and whose idempotency keys need not be remembered any more.
fn clear(folder: &Path, remember_keys: i64) -> Result<(), String> {
    let done = position(folder).segment;
    for (number, path) in segments(folder)?.into_iter().filter(|(n, _)| *n < done) {
        let age = std::fs::metadata(&path).and_then(|m| m.modified()).ok().and_then(|t| t.elapsed().ok());
        if age.is_some_and(|a| a.as_secs() > remember_keys.unsigned_abs()) && number > 0 {
            std::fs::remove_file(&path).map_err(files::cannot("remove", &path))?;
        }
    }
    Ok(())
}
