//! Writes that wait for one another: with many calls under way, one write for all that are ready to be sent.
//!
//! Every call that is made wakes its connection's task, and Tokio runs that right behind the caller: one write, one
//! TLS record and one system call for each call. With many calls open the task steps back once to the end of the run
//! queue before it writes; what the callers in between have to send goes out with it. A lone call is not held up.

use super::usage::Usage;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Up to so many open calls nothing waits: while few calls are answered the server would stand idle that long (measured:
/// with 64 calls and two threads it costs a sixth of the calls a second, with 128 it saves a fifth of the CPU).
const FEW: usize = 64;

/// What is at least so long is worth a write of its own, in bytes.
const LONG: usize = 4096;

/// A connection whose short writes wait for others while many calls are open.
pub(crate) struct Deferred<T> {
    io: T,
    usage: Usage,
    /// Whether what is to be written has waited.
    waited: bool,
}

impl<T> Deferred<T> {
    pub(crate) fn new(io: T, usage: Usage) -> Self {
        Self {
            io,
            usage,
            waited: false,
        }
    }

    /// Whether to write now; if not, the task runs again when those before it in the run queue have.
    fn is_due(&mut self, length: usize, cx: &Context<'_>) -> bool {
        let due = self.waited || length >= LONG || self.usage.calls() <= FEW;
        self.waited = !due;
        if !due {
            cx.waker().wake_by_ref();
        }
        due
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Deferred<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Deferred<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.is_due(data.len(), cx) {
            return Poll::Pending;
        }
        Pin::new(&mut self.io).poll_write(cx, data)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = data.iter().map(|part| part.len()).sum();
        if !self.is_due(length, cx) {
            return Poll::Pending;
        }
        Pin::new(&mut self.io).poll_write_vectored(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
