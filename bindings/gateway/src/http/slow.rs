//! Who is slow: a client that has begun a request has to end its head within a time, though a connection on which
//! none has begun may wait for longer. hyper has one time for both.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// Which head the next bytes of a connection are of, or the body of which: twice the number of the request, and one
/// more while it is answered. Shared by what reads and what answers.
pub(super) struct Head(AtomicU64);

impl Head {
    pub(super) fn new() -> Head {
        Head(AtomicU64::new(0))
    }

    /// A whole head is there: what comes now is its body.
    pub(super) fn arrived(&self) {
        self.0.fetch_or(1, Ordering::AcqRel);
    }

    /// It was answered: what comes now is the next head.
    pub(super) fn awaited(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// A connection whose heads are to arrive within a time after they have begun. The first one has begun when the
/// connection is made.
pub(super) struct Watched<S> {
    stream: S,
    head: Arc<Head>,
    limit: Duration,
    /// Which it reads.
    reads: u64,
    /// Until when the head that has begun must be there.
    until: Option<Pin<Box<Sleep>>>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, head: Arc<Head>, limit: Duration) -> Watched<S> {
        Watched { stream, head, limit, reads: 0, until: Some(Box::pin(sleep(limit))) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let now = this.head.now();
        if now != this.reads {
            (this.reads, this.until) = (now, None);
        }
        let before = into.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, into);
        // A body has no such limit.
        if now % 2 == 1 {
            return read;
        }
        match read {
            Poll::Pending => match this.until.as_mut().map(|until| until.as_mut().poll(cx)) {
                Some(Poll::Ready(())) => Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the head of a request took too long",
                ))),
                Some(Poll::Pending) | None => Poll::Pending,
            },
            Poll::Ready(read) => {
                if into.filled().len() > before && this.until.is_none() {
                    this.until = Some(Box::pin(sleep(this.limit)));
                }
                Poll::Ready(read)
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
