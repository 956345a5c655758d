//! Reads ahead on a thread of its own, so that waiting for the disk or a pipe and making sense of the bytes go on side by
//! side; and tells when nothing comes.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// The size of a piece: it fits into the caches of processors.
pub(crate) const PIECE: usize = 256 * 1024;
/// So many pieces are read ahead.
const AHEAD: usize = 3;
/// Nothing coming for so long is a pause.
const PAUSE: Duration = Duration::from_millis(400);

/// Things that are made on a thread of its own, ahead of whoever takes them. What is done with can be given back, so that
/// its memory is used again.
pub(crate) struct Made<'a, T, U> {
    full: Receiver<T>,
    empty: SyncSender<U>,
    pause: &'a mut dyn FnMut(),
}

impl<'a, T: Send + 'static, U: Default + Send + 'static> Made<'a, T, U> {
    /// Begins: `make` is given what is done with, and gives nothing where nothing more comes. `pause` is called while
    /// nothing comes, and now and then while much does.
    pub(crate) fn new(
        mut make: impl FnMut(U) -> Option<T> + Send + 'static,
        pause: &'a mut dyn FnMut(),
    ) -> Self {
        let (give, full) = sync_channel::<T>(AHEAD);
        let (empty, take) = sync_channel::<U>(AHEAD + 2);
        std::thread::spawn(move || {
            // Whoever reads has gone away, or there is nothing more.
            while make(take.try_recv().unwrap_or_default()).is_some_and(|made| give.send(made).is_ok()) {}
        });
        Made { full, empty, pause }
    }

    /// The next one.
    pub(crate) fn next(&mut self) -> Option<T> {
        loop {
            match self.full.recv_timeout(PAUSE) {
                Ok(made) => return Some(made),
                Err(RecvTimeoutError::Timeout) => (self.pause)(),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// Gives back what is done with.
    pub(crate) fn give_back(&mut self, used: U) {
        let _ = self.empty.try_send(used);
    }
}

/// Reads a piece, and again where a signal came between.
pub(crate) fn read_piece(from: &mut impl Read, mut piece: Vec<u8>) -> io::Result<Vec<u8>> {
    piece.resize(PIECE, 0);
    loop {
        match from.read(&mut piece) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
            Ok(count) => {
                piece.truncate(count);
                return Ok(piece);
            }
        }
    }
}

/// Bytes that are read ahead.
pub(crate) struct Ahead<'a> {
    made: Made<'a, io::Result<Vec<u8>>, Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
    over: bool,
}

impl<'a> Ahead<'a> {
    /// Begins to read; `pause` is called as that of [`Made`].
    pub(crate) fn new(mut from: impl Read + Send + 'static, pause: &'a mut dyn FnMut()) -> Self {
        let mut over = false;
        let make = move |used| {
            if over {
                return None;
            }
            let piece = read_piece(&mut from, used);
            over = piece.as_ref().map_or(true, Vec::is_empty);
            Some(piece)
        };
        Ahead { made: Made::new(make, pause), piece: Vec::new(), at: 0, over: false }
    }

    fn next(&mut self) -> io::Result<()> {
        self.made.give_back(std::mem::take(&mut self.piece));
        self.at = 0;
        let next = self.made.next().unwrap_or(Ok(Vec::new()));
        self.over = next.as_ref().map_or(true, Vec::is_empty);
        self.piece = next?;
        Ok(())
    }
}

impl BufRead for Ahead<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.piece.len() && !self.over {
            self.next()?;
        }
        Ok(self.piece.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, n: usize) {
        self.at += n.min(self.piece.len() - self.at);
    }
}

impl Read for Ahead<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(into)?;
        self.consume(n);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes, then nothing for a while, then the rest.
    struct Slow(Vec<&'static [u8]>);

    impl Read for Slow {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.0.len() == 1 {
                std::thread::sleep(PAUSE * 2);
            }
            let mut next = if self.0.is_empty() { &b""[..] } else { self.0.remove(0) };
            next.read(into)
        }
    }

    #[test]
    fn all_bytes_come_in_order_and_pauses_are_told() {
        let mut pauses = 0;
        let mut pause = || pauses += 1;
        let mut ahead = Ahead::new(Slow(vec![b"abc", b"def", b"ghi"]), &mut pause);
        let mut all = Vec::new();
        ahead.read_to_end(&mut all).unwrap();
        assert_eq!(all, b"abcdefghi");
        drop(ahead);
        assert!(pauses >= 1);
    }

    #[test]
    fn more_than_is_read_ahead_comes_whole() {
        let bytes: Vec<u8> = (0..(PIECE * (AHEAD + 3)) as u32).map(|i| (i / 7) as u8).collect();
        let (mut all, mut nothing) = (Vec::new(), || {});
        Ahead::new(io::Cursor::new(bytes.clone()), &mut nothing).read_to_end(&mut all).unwrap();
        assert!(all == bytes);
    }
}
