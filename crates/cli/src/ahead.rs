//! Reads ahead on a thread of its own, so that waiting for the disk or a pipe and making sense of the bytes go on side by
//! side; and tells when nothing comes.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// The size of a piece: it fits into the caches of processors.
const PIECE: usize = 256 * 1024;
/// So many pieces are read ahead.
const AHEAD: usize = 3;
/// Nothing coming for so long is a pause.
const PAUSE: Duration = Duration::from_millis(400);

type Piece = io::Result<(Vec<u8>, usize)>;

/// Bytes that are read ahead.
pub(crate) struct Ahead<'a> {
    full: Receiver<Piece>,
    empty: SyncSender<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
    end: usize,
    over: bool,
    pause: &'a mut dyn FnMut(),
}

impl<'a> Ahead<'a> {
    /// Begins to read; `pause` is called while nothing comes, and now and then while much does.
    pub(crate) fn new(mut from: impl Read + Send + 'static, pause: &'a mut dyn FnMut()) -> Self {
        let (give, full) = sync_channel::<Piece>(AHEAD);
        let (empty, take) = sync_channel::<Vec<u8>>(AHEAD + 2);
        std::thread::spawn(move || {
            loop {
                let mut piece = take.try_recv().unwrap_or_default();
                piece.resize(PIECE, 0);
                let read = match from.read(&mut piece) {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                    read => read,
                };
                let last = !matches!(read, Ok(1..));
                // Whoever reads has gone away, or there is nothing more.
                if give.send(read.map(|n| (piece, n))).is_err() || last {
                    break;
                }
            }
        });
        Ahead { full, empty, piece: Vec::new(), at: 0, end: 0, over: false, pause }
    }

    fn next(&mut self) -> io::Result<()> {
        let _ = self.empty.try_send(std::mem::take(&mut self.piece));
        (self.at, self.end) = (0, 0);
        loop {
            match self.full.recv_timeout(PAUSE) {
                Ok(Ok((piece, end))) => {
                    (self.piece, self.end, self.over) = (piece, end, end == 0);
                    return Ok(());
                }
                Ok(Err(e)) => {
                    self.over = true;
                    return Err(e);
                }
                Err(RecvTimeoutError::Timeout) => (self.pause)(),
                Err(RecvTimeoutError::Disconnected) => {
                    self.over = true;
                    return Ok(());
                }
            }
        }
    }
}

impl BufRead for Ahead<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at >= self.end && !self.over {
            self.next()?;
        }
        Ok(self.piece.get(self.at..self.end).unwrap_or_default())
    }

    fn consume(&mut self, n: usize) {
        self.at += n.min(self.end - self.at);
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
