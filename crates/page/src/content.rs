//! What is uploaded: bytes that may still be arriving while they are read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The bytes of an upload, in slices that come in any order.
#[derive(Debug)]
pub(crate) struct Content {
    size: u64,
    /// Nothing coming for so long is the end of it.
    patience: Duration,
    arrived: Mutex<Arrived>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Arrived {
    /// By offset.
    slices: BTreeMap<u64, Arc<Vec<u8>>>,
    /// How many of the first bytes are there without a gap.
    front: u64,
    /// Nothing more will come.
    is_cut: bool,
}

/// A slice that does not fit: outside of the upload, or where another one is.
#[derive(Debug)]
pub(crate) struct Misplaced;

impl Content {
    /// So many bytes are to come.
    pub(crate) fn announced(size: u64, patience: Duration) -> Content {
        Content { size, patience, arrived: Mutex::default(), more: Condvar::new() }
    }

    /// A slice arrived.
    ///
    /// # Errors
    /// Where it does not fit.
    pub(crate) fn add(&self, at: u64, slice: Vec<u8>) -> Result<(), Misplaced> {
        let end = at.checked_add(slice.len() as u64).filter(|end| *end <= self.size).ok_or(Misplaced)?;
        let mut arrived = self.lock();
        let before = arrived.slices.range(..end).next_back();
        if before.is_some_and(|(start, bytes)| start + bytes.len() as u64 > at) {
            return Err(Misplaced);
        }
        if !slice.is_empty() {
            arrived.slices.insert(at, Arc::new(slice));
        }
        while let Some(next) = arrived.slices.get(&arrived.front).map(|s| s.len() as u64) {
            arrived.front += next;
        }
        self.more.notify_all();
        Ok(())
    }

    /// Nothing more will come: whoever waits is told.
    pub(crate) fn cut(&self) {
        self.lock().is_cut = true;
        self.more.notify_all();
    }

    /// Waits until the first `much` bytes are there; how many are.
    ///
    /// # Errors
    /// Where no more comes.
    pub(crate) fn front(&self, much: u64) -> io::Result<u64> {
        let much = much.min(self.size);
        self.wait(|arrived| (arrived.front >= much).then_some(arrived.front))
    }

    /// Reads what stands at `offset`, once it is there; 0 bytes at the end.
    ///
    /// # Errors
    /// Where it does not come.
    pub(crate) fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        if offset >= self.size {
            return Ok(0);
        }
        let (slice, start) = self.wait(|arrived| {
            let (start, slice) = arrived.slices.range(..=offset).next_back()?;
            (offset < start + slice.len() as u64).then(|| (Arc::clone(slice), *start))
        })?;
        let from = usize::try_from(offset - start).ok().and_then(|at| slice.get(at..));
        from.unwrap_or_default().read(into)
    }

    fn wait<T>(&self, mut there: impl FnMut(&Arrived) -> Option<T>) -> io::Result<T> {
        let mut arrived = self.lock();
        loop {
            if let Some(found) = there(&arrived) {
                return Ok(found);
            }
            let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the upload was cut off");
            if arrived.is_cut {
                return Err(cut());
            }
            let waited = self.more.wait_timeout(arrived, self.patience);
            let (next, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() {
                return Err(cut());
            }
            arrived = next;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Arrived> {
        self.arrived.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A piece of an upload.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Its name.
    pub name: &'a str,
    bytes: Bytes<'a>,
    given_up: &'a AtomicBool,
}

#[derive(Debug, Clone, Copy)]
enum Bytes<'a> {
    Here(&'a [u8]),
    Coming { content: &'a Content, start: u64, size: u64 },
}

impl<'a> Part<'a> {
    /// One that is there, to be read until it is given up: `size` bytes from `start` on.
    pub(crate) fn here(
        name: &'a str,
        bytes: &'a [u8],
        (start, size): (u64, u64),
        given_up: &'a AtomicBool,
    ) -> Self {
        let bytes = bytes.get(index(start)..index(start.saturating_add(size)));
        Part { name, bytes: Bytes::Here(bytes.unwrap_or_default()), given_up }
    }

    /// One that is to come, to be read until it is given up: `size` bytes from `start` on. Whoever gives it up also cuts
    /// the content, which wakes those who wait for it.
    pub(crate) fn coming(
        name: &'a str,
        content: &'a Content,
        (start, size): (u64, u64),
        given_up: &'a AtomicBool,
    ) -> Self {
        Part { name, bytes: Bytes::Coming { content, start, size }, given_up }
    }

    fn check(&self) -> io::Result<()> {
        if self.given_up.load(Ordering::Relaxed) {
            return Err(io::Error::new(
                io::ErrorKind::ConnectionAborted,
                "nobody waits for the answer any more",
            ));
        }
        Ok(())
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        match self.bytes {
            Bytes::Here(bytes) => bytes.len() as u64,
            Bytes::Coming { size, .. } => size,
        }
    }

    /// Its first bytes, up to so many, as a part of its own.
    pub fn beginning(&self, most: u64) -> Part<'a> {
        let bytes = match self.bytes {
            Bytes::Here(bytes) => Bytes::Here(bytes.get(..index(most)).unwrap_or(bytes)),
            Bytes::Coming { content, start, size } => Bytes::Coming { content, start, size: size.min(most) },
        };
        Part { bytes, ..*self }
    }

    /// Waits until its first `much` bytes are there; how many are.
    ///
    /// # Errors
    /// Where the upload is cut off or given up.
    pub fn front(&self, much: u64) -> io::Result<u64> {
        self.check()?;
        match self.bytes {
            Bytes::Here(bytes) => Ok(bytes.len() as u64),
            Bytes::Coming { content, start, size } => {
                let much = if much == 0 { 0 } else { start + much.min(size) };
                Ok(content.front(much)?.saturating_sub(start).min(size))
            }
        }
    }

    /// Reads what stands at `offset`, once it has arrived; 0 bytes at the end.
    ///
    /// # Errors
    /// Where the upload is cut off or given up.
    pub fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.check()?;
        match self.bytes {
            Bytes::Here(bytes) => bytes.get(index(offset)..).unwrap_or_default().read(into),
            Bytes::Coming { content, start, size } => {
                let room = into.len().min(index(size.saturating_sub(offset)));
                content.read_at(into.get_mut(..room).unwrap_or_default(), start + offset)
            }
        }
    }

    /// Reads it from here to its end, as it arrives.
    pub fn from(self, at: u64) -> Reader<'a> {
        Reader { part: self, at }
    }

    /// All of it.
    ///
    /// # Errors
    /// Where the upload is cut off.
    pub fn all(&self) -> io::Result<Cow<'a, [u8]>> {
        match self.bytes {
            Bytes::Here(bytes) => Ok(Cow::Borrowed(bytes)),
            Bytes::Coming { .. } => {
                let mut bytes = Vec::new();
                self.from(0).read_to_end(&mut bytes).map(|_| Cow::Owned(bytes))
            }
        }
    }
}

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// Reads a part as it arrives.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    part: Part<'a>,
    at: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.part.read_at(into, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    #[test]
    fn what_arrives_in_any_order_is_read_in_order() {
        let content = Content::announced(9, Duration::from_secs(10));
        let here_still = AtomicBool::new(false);
        let part = Part::coming("a", &content, (2, 6), &here_still);
        std::thread::scope(|scope| {
            let reading = scope.spawn(|| {
                let mut text = String::new();
                part.from(0).read_to_string(&mut text).map(|_| text)
            });
            for (at, slice) in [(6, "ghi"), (0, "abc"), (3, "def")] {
                std::thread::sleep(Duration::from_millis(5));
                content.add(at, slice.into()).unwrap();
            }
            assert_eq!(reading.join().unwrap().unwrap(), "cdefgh");
        });
        assert_eq!((part.front(2).unwrap(), part.beginning(3).size()), (6, 3));
        assert_eq!(part.beginning(3).all().unwrap(), b"cde".as_slice());
        let here = Part::here("b", b"_abc_", (1, 3), &here_still);
        assert_eq!((here.front(9).unwrap(), here.beginning(2).all().unwrap()), (3, b"ab".as_slice().into()));
    }

    #[test]
    fn what_is_given_up_is_read_no_further_though_all_of_it_is_there() {
        let content = Content::announced(3, SOON);
        content.add(0, b"abc".to_vec()).unwrap();
        let given_up = AtomicBool::new(false);
        let parts =
            [Part::coming("a", &content, (0, 3), &given_up), Part::here("b", b"abc", (0, 3), &given_up)];
        assert!(parts.iter().all(|part| part.read_at(&mut [0; 2], 0).unwrap() == 2));
        given_up.store(true, Ordering::Relaxed);
        for part in parts {
            assert!(part.read_at(&mut [0; 2], 0).is_err() && part.front(1).is_err(), "{}", part.name);
        }
    }

    #[test]
    fn slices_stay_in_their_places() {
        let content = Content::announced(9, SOON);
        content.add(3, b"def".to_vec()).unwrap();
        for (at, slice) in [(3, "x"), (2, "xx"), (5, "x"), (0, "123456789"), (8, "xx"), (u64::MAX, "x")] {
            assert!(content.add(at, slice.into()).is_err(), "{at} {slice}");
        }
        content.add(0, b"abc".to_vec()).unwrap();
        assert_eq!(content.front(1).unwrap(), 6);
    }

    #[test]
    fn whoever_waits_in_vain_is_told() {
        let content = Content::announced(9, SOON);
        assert!(content.read_at(&mut [0; 4], 0).is_err());
        let content = Content::announced(9, Duration::from_secs(10));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| content.front(9));
            content.cut();
            assert!(waiting.join().unwrap().is_err());
        });
    }
}
