//! Reading and writing with patience, and without holding a buffer while nothing comes.

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

/// Adds what has come to `buffer`; 0 at the end. The space is on the stack and only there while something is read, so that
/// ten thousand idle connections hold no buffer.
pub(crate) async fn fill<S: AsyncRead + Unpin>(io: &mut S, buffer: &mut Vec<u8>) -> std::io::Result<usize> {
    poll_fn(|context| poll_fill(io, context, buffer)).await
}

fn poll_fill<S: AsyncRead + Unpin>(
    io: &mut S,
    context: &mut Context<'_>,
    buffer: &mut Vec<u8>,
) -> Poll<std::io::Result<usize>> {
    let mut space = [const { MaybeUninit::<u8>::uninit() }; 16 * 1024];
    let mut read = ReadBuf::uninit(&mut space);
    Pin::new(io).poll_read(context, &mut read).map_ok(|()| {
        buffer.extend_from_slice(read.filled());
        read.filled().len()
    })
}

/// What a connection did first.
pub(crate) enum Did {
    /// It took so many bytes.
    Took(usize),
    /// It takes none now, and so many bytes came; 0 at the end.
    Said(usize),
}

/// Writes what the other side takes, and reads where it takes nothing: it may wait until somebody does.
pub(crate) async fn write_or_fill<S: AsyncRead + AsyncWrite + Unpin>(
    io: &mut S,
    bytes: &[u8],
    buffer: &mut Vec<u8>,
) -> std::io::Result<Did> {
    poll_fn(|context| match Pin::new(&mut *io).poll_write(context, bytes) {
        Poll::Ready(written) => Poll::Ready(written.map(Did::Took)),
        Poll::Pending => poll_fill(io, context, buffer).map_ok(Did::Said),
    })
    .await
}

/// Writes all of it, if that does not take too long.
pub(crate) async fn write<S: AsyncWrite + Unpin>(
    io: &mut S,
    bytes: &[u8],
    patience: Duration,
) -> std::io::Result<()> {
    let sent = async {
        io.write_all(bytes).await?;
        io.flush().await
    };
    timeout(patience, sent).await.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
}

/// Closes so that the client can still read what was sent: closing with unread bytes would take it away from it (RFC 9112
/// section 9.6).
pub(crate) async fn linger<S: AsyncRead + AsyncWrite + Unpin>(io: &mut S) {
    let _ = timeout(Duration::from_secs(2), async {
        if io.shutdown().await.is_err() {
            return;
        }
        let (mut space, mut total) = ([0; 4096], 0);
        while let Ok(n) = io.read(&mut space).await {
            total += n;
            if n == 0 || total > 1 << 20 {
                return;
            }
        }
    })
    .await;
}

/// A stream whose first bytes were read already.
pub(crate) struct Front<S> {
    first: Vec<u8>,
    io: S,
}

impl<S> Front<S> {
    /// Puts `first` before what comes from `io`.
    pub(crate) fn new(first: Vec<u8>, io: S) -> Front<S> {
        Front { first, io }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Front<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        if self.first.is_empty() {
            return Pin::new(&mut self.io).poll_read(context, out);
        }
        let size = self.first.len().min(out.remaining());
        let rest = self.first.split_off(size);
        out.put_slice(&std::mem::replace(&mut self.first, rest));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Front<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}
