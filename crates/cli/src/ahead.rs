//! Reads ahead on a thread of its own, so that waiting for the disk or a pipe and making sense of the bytes go on side by
//! side; and tells when nothing comes.
//!
//! The format of a source is found by its first 64 KiB. Of a log that grows slowly no more is waited for once its lines
//! are known.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use why401_read::HEAD;

/// The size of a piece: it fits into the caches of processors.
pub(crate) const PIECE: usize = 256 * 1024;
/// So many pieces are read ahead.
const AHEAD: usize = 3;
/// Nothing coming for so long is a pause.
pub(crate) const PAUSE: Duration = Duration::from_millis(400);
/// Formats of logs, which are read line by line.
pub(crate) const LOGS: [&str; 4] = ["access-log", "error-log", "json-log", "iis"];

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
            if let Ok(next) = self.soon() {
                return next;
            }
        }
    }

    /// The next one, if it comes before a pause does.
    fn soon(&mut self) -> Result<Option<T>, Paused> {
        match self.full.recv_timeout(PAUSE) {
            Ok(made) => Ok(Some(made)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                (self.pause)();
                Err(Paused)
            }
        }
    }

    /// Gives back what is done with.
    pub(crate) fn give_back(&mut self, used: U) {
        let _ = self.empty.try_send(used);
    }
}

/// Nothing came for a while.
struct Paused;

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
    /// What has come while the format is looked for.
    head: Option<Vec<u8>>,
    /// Whether whoever reads a log is told of pauses.
    tells: bool,
    /// Whether it is a log, as far as that was asked.
    is_log: bool,
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
        Ahead {
            made: Made::new(make, pause),
            piece: Vec::new(),
            at: 0,
            over: false,
            head: Some(Vec::new()),
            tells: false,
            is_log: false,
        }
    }

    /// The same, which says where nothing comes for now, if it is a log ([`io::ErrorKind::WouldBlock`]).
    pub(crate) fn telling_pauses(self) -> Self {
        Ahead { tells: true, ..self }
    }

    fn next(&mut self) -> io::Result<()> {
        self.made.give_back(std::mem::take(&mut self.piece));
        self.at = 0;
        let next = loop {
            match self.made.soon() {
                Ok(next) => break next.unwrap_or(Ok(Vec::new())),
                Err(Paused) => match self.head.take_if(|head| head.ends_with(b"\n") && is_log(head)) {
                    // Nothing for now: that ends the looking for a format, and nothing else.
                    Some(_) => {
                        self.is_log = true;
                        return Ok(());
                    }
                    None if self.tells && self.is_log => return Err(io::ErrorKind::WouldBlock.into()),
                    None => {}
                },
            }
        };
        self.over = next.as_ref().map_or(true, Vec::is_empty);
        self.piece = next?;
        if let Some(head) = &mut self.head {
            let room = HEAD - head.len();
            head.extend_from_slice(self.piece.get(..room.min(self.piece.len())).unwrap_or_default());
        }
        if let Some(head) = self.head.take_if(|head| head.len() >= HEAD) {
            self.is_log = self.tells && is_log(&head);
        }
        Ok(())
    }
}

/// Whether what a source begins with is of a log.
fn is_log(head: &[u8]) -> bool {
    why401_read::detect(head).is_some_and(|format| LOGS.contains(&format.name))
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
                std::thread::sleep(PAUSE * 3);
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
    fn of_a_log_that_grows_slowly_no_more_is_waited_for() {
        let line = b"192.0.2.1 - alice [22/Nov/2026:17:14:41 +0000] \"GET / HTTP/1.1\" 401 179\n";
        let mut nothing = || {};
        let mut ahead = Ahead::new(Slow(vec![&line[..], &line[..]]), &mut nothing);
        let mut pieces = Vec::new();
        for _ in 0..3 {
            let piece = ahead.fill_buf().unwrap().len();
            ahead.consume(piece);
            pieces.push(piece);
        }
        assert_eq!(pieces, [line.len(), 0, line.len()]);
        // Whoever wants to know is told of the next pause.
        let mut ahead = Ahead::new(Slow(vec![&line[..], &line[..]]), &mut nothing).telling_pauses();
        let mut pauses = 0;
        for _ in 0..9 {
            match ahead.fill_buf().map(<[u8]>::len) {
                Ok(count) => ahead.consume(count),
                Err(e) => pauses += u32::from(e.kind() == io::ErrorKind::WouldBlock),
            }
        }
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
