//! Standard input: whether it is a large log is known only when much of it has come.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// The size of a piece.
const PIECE: usize = 256 * 1024;
/// So many pieces are read ahead.
const AHEAD: usize = 8;
/// Whoever writes more slowly than this is being watched (`tail -f | why401`), and told of as it comes.
const PAUSE: Duration = Duration::from_millis(400);

/// What comes from a pipe: its beginning, at hand, and the rest.
pub(crate) struct Pipe {
    head: Vec<u8>,
    given: usize,
    rest: Receiver<io::Result<Vec<u8>>>,
    used: SyncSender<Vec<u8>>,
    ended: bool,
    /// Whether whoever waits has been told to stop.
    stop: Arc<AtomicBool>,
}

impl Pipe {
    /// Reads the first `much` bytes, less if they end or come slowly.
    pub(crate) fn new(mut from: impl Read + Send + 'static, much: usize) -> Pipe {
        let (give, rest) = sync_channel(AHEAD);
        let (used, take) = sync_channel::<Vec<u8>>(AHEAD + 2);
        std::thread::spawn(move || {
            loop {
                let mut piece = take.try_recv().unwrap_or_default();
                piece.resize(PIECE, 0);
                let read = match from.read(&mut piece) {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                    Ok(count) => {
                        piece.truncate(count);
                        Ok(piece)
                    }
                    Err(e) => Err(e),
                };
                let is_last = read.as_ref().map_or(true, Vec::is_empty);
                // Whoever reads has gone away, or there is nothing more.
                if give.send(read).is_err() || is_last {
                    break;
                }
            }
        });
        let mut pipe = Pipe { head: Vec::new(), given: 0, rest, used, ended: false, stop: Arc::default() };
        while pipe.head.len() < much && !pipe.ended {
            match pipe.rest.recv_timeout(PAUSE) {
                Ok(Ok(piece)) => {
                    pipe.ended = piece.is_empty();
                    pipe.head.extend_from_slice(&piece);
                }
                Err(RecvTimeoutError::Timeout) => break,
                // An error comes again when it is read on.
                Ok(Err(_)) | Err(RecvTimeoutError::Disconnected) => pipe.ended = true,
            }
        }
        pipe
    }

    /// The same, which ends as soon as `stop` is set.
    pub(crate) fn until(self, stop: &Arc<AtomicBool>) -> Pipe {
        Pipe { stop: Arc::clone(stop), ..self }
    }

    /// The next piece; `None` at the end.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        while !self.stop.load(Ordering::Relaxed) {
            match self.rest.recv_timeout(PAUSE) {
                Ok(piece) => return piece.map(|p| Some(p).filter(|p| !p.is_empty())),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(None)
    }

    /// What has come so far.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given >= self.head.len() && !self.ended {
            let Some(piece) = self.next()? else {
                self.ended = true;
                return Ok(0);
            };
            let _ = self.used.try_send(std::mem::replace(&mut self.head, piece));
            self.given = 0;
        }
        let count = self.head.get(self.given..).unwrap_or_default().read(into)?;
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_is_at_hand_and_all_comes_in_order() {
        let bytes: Vec<u8> = (0..(PIECE * 3 + 7) as u32).map(|i| (i / 5) as u8).collect();
        for much in [0, 1, PIECE, PIECE * 9] {
            let mut pipe = Pipe::new(io::Cursor::new(bytes.clone()), much);
            assert!(pipe.head().len() >= much.min(bytes.len()) && bytes.starts_with(pipe.head()));
            let mut all = Vec::new();
            pipe.read_to_end(&mut all).unwrap();
            assert!(all == bytes, "{much}");
        }
    }
}
