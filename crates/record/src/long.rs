//! Long contents: one processor reads and opens what another one seals and writes.

use crate::attention::MANY;
use crate::proxy::gather;
use std::io::{Error, Result};
use std::sync::LazyLock;
use std::thread;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

/// After so many bytes without a pause a thread of their own is worth the while.
pub(crate) const WORTH: usize = 4 << 20;
/// How much is passed on at one time. Twice as much no longer fits where processors keep what they work on, half of it wakes
/// those who wait too often.
pub(crate) const PIECE: usize = 512 * 1024;
/// So many pieces are read ahead of the one that is written.
const AHEAD: usize = 2;

/// Whether there is another processor.
pub(crate) fn is_possible() -> bool {
    static SEVERAL: LazyLock<bool> =
        LazyLock::new(|| thread::available_parallelism().is_ok_and(|n| n.get() > 1));
    *SEVERAL
}

/// Passes `buffer`'s first `n` bytes on and what comes behind them, as long as much comes at once. Gives the writer back, when
/// all is written, and how much was read last, which stands in `buffer` and is not passed on.
///
/// # Errors
/// Where a side is broken.
pub(crate) async fn pass<W: AsyncWrite + Unpin + Send + 'static>(
    from: &mut (impl AsyncRead + Unpin),
    mut to: W,
    buffer: &mut Vec<u8>,
    mut n: usize,
    record: impl Fn(&[u8]),
) -> Result<(W, usize)> {
    let (pieces, mut coming) = mpsc::channel::<(Vec<u8>, usize)>(AHEAD);
    let (back, mut spare) = mpsc::unbounded_channel();
    (0..AHEAD).for_each(|_| drop(back.send(vec![0; PIECE])));
    let (over, is_over) = oneshot::channel();
    let runtime = Handle::current();
    let write = async move {
        while let Some((piece, n)) = coming.recv().await {
            to.write_all(piece.get(..n).unwrap_or_default()).await?;
            to.flush().await?;
            let _ = back.send(piece);
        }
        Ok(to)
    };
    thread::Builder::new().spawn(move || over.send(runtime.block_on(write)))?;
    while n >= MANY {
        record(buffer.get(..n).unwrap_or_default());
        // Whoever takes no more has told why.
        let Some(next) = spare.recv().await else { break };
        if pieces.send((std::mem::replace(buffer, next), n)).await.is_err() {
            break;
        }
        n = gather(from, buffer).await?;
    }
    drop(pieces);
    let to = is_over.await.unwrap_or_else(|_| Err(Error::other("the writing thread is gone")))?;
    Ok((to, n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_arrives_in_order_and_the_writer_comes_back() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let content: Vec<u8> = (0..5 * PIECE / 2 + 100).map(|i| (i % 251) as u8).collect();
        let (first, rest) = content.split_at(PIECE);
        let recorded = std::cell::Cell::new(0);
        let record = |piece: &[u8]| recorded.set(recorded.get() + piece.len());
        let (mut from, mut buffer) = (rest, first.to_vec());
        let (to, n) =
            runtime.block_on(pass(&mut from, Vec::new(), &mut buffer, first.len(), record)).unwrap();
        assert_eq!(n, 0, "the end");
        assert_eq!((recorded.get(), to == content), (content.len(), true));
    }

    #[test]
    fn who_hears_nothing_any_more_is_an_error() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (gone, _) = tokio::io::duplex(16);
        let mut from = tokio::io::repeat(7);
        let passed = runtime.block_on(pass(&mut from, gone, &mut vec![7; PIECE], PIECE, |_| {}));
        assert!(passed.is_err());
    }
}
