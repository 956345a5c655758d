//! Bytes that pass from one socket to another without coming into this program's memory.

use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use std::io::Result;
use std::os::fd::OwnedFd;
use tokio::io::Interest;
use tokio::net::TcpStream;

/// From so many bytes on it is worth the while.
pub(crate) const WORTH: u64 = 256 * 1024;
/// How many bytes are under way at most: what a pipe may be made to hold without privileges (pipe(7)).
const ROOM: usize = 1024 * 1024;

/// A way for bytes through the kernel (splice(2)).
pub(crate) struct Way {
    out: OwnedFd,
    into: OwnedFd,
    room: usize,
}

impl Way {
    /// # Errors
    /// Where the machine gives no pipe.
    pub(crate) fn new() -> Result<Way> {
        let (out, into) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let room = fcntl_setpipe_size(&into, ROOM).unwrap_or(64 * 1024);
        Ok(Way { out, into, room })
    }

    /// Moves what has come, `most` bytes at most, on its way; how many bytes, none at the end of the stream.
    ///
    /// # Errors
    /// Where one of the sockets is broken.
    pub(crate) async fn pass(&self, from: &TcpStream, to: &TcpStream, most: u64) -> Result<u64> {
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(self.room);
        let taken = || Ok(splice(from, None, &self.into, None, most, flags)?);
        let taken = from.async_io(Interest::READABLE, taken).await?;
        let mut left = taken;
        while left > 0 {
            let given = || Ok(splice(&self.out, None, to, None, left, flags)?);
            left -= to.async_io(Interest::WRITABLE, given).await?;
        }
        Ok(taken as u64)
    }
}
