//! Sends a request's body on its stream.

use super::replay::{AttemptBody, Replay};
use bytes::Bytes;
use h2::{Reason, SendStream};
use http_body::Body as _;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use tokio::task::AbortHandle;

/// A request body on its way.
pub(crate) enum Upload {
    /// All of it was there at once and has been handed over.
    Done,
    /// A task sends it as it comes.
    Task(AbortHandle),
}

/// The rest of a request is of no use once its answer is dropped.
impl Drop for Upload {
    fn drop(&mut self) {
        if let Self::Task(task) = self {
            task.abort();
        }
    }
}

/// Hands over what is there of the body. Of a call with one message that is all of it, and it goes out with
/// `END_STREAM` on the message's own frame; only a stream whose messages are still to come takes a task.
pub(crate) fn start(body: AttemptBody, mut stream: SendStream<Bytes>) -> Upload {
    let mut body = match body {
        AttemptBody::Message(message) => {
            // An error here is the stream's own, which the answer tells.
            let _ = stream.send_data(message, true);
            return Upload::Done;
        }
        AttemptBody::Stream(body) => body,
    };
    // Nobody is to be woken: what is not ready now is waited for in the task.
    let mut cx = Context::from_waker(Waker::noop());
    let first = match poll_data(&mut body, &mut cx) {
        Poll::Ready(Data::Chunk(data)) => data,
        Poll::Ready(end) => {
            finish(&end, &mut stream);
            return Upload::Done;
        }
        Poll::Pending => return spawn(None, body, stream),
    };
    match poll_data(&mut body, &mut cx) {
        Poll::Ready(Data::End) => {
            // An error here is the stream's own, which the answer tells.
            let _ = stream.send_data(first, true);
            Upload::Done
        }
        Poll::Ready(Data::Failed) => {
            finish(&Data::Failed, &mut stream);
            Upload::Done
        }
        Poll::Ready(Data::Chunk(second)) => spawn(Some([first, second]), body, stream),
        Poll::Pending => {
            let _ = stream.send_data(first, false);
            spawn(None, body, stream)
        }
    }
}

fn spawn(taken: Option<[Bytes; 2]>, body: Replay, stream: SendStream<Bytes>) -> Upload {
    Upload::Task(tokio::spawn(send_all(taken, body, stream)).abort_handle())
}

/// What a body gives next.
enum Data {
    Chunk(Bytes),
    End,
    /// The caller's own stream failed; the body has kept why.
    Failed,
}

fn poll_data(body: &mut Replay, cx: &mut Context<'_>) -> Poll<Data> {
    loop {
        return Poll::Ready(
            match std::task::ready!(Pin::new(&mut *body).poll_frame(cx)) {
                None => Data::End,
                Some(Err(_)) => Data::Failed,
                // gRPC requests have no trailers.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => Data::Chunk(data),
                    Err(_) => continue,
                },
            },
        );
    }
}

fn finish(end: &Data, stream: &mut SendStream<Bytes>) {
    match end {
        Data::Failed => stream.send_reset(Reason::CANCEL),
        // An error here is the stream's own, which the answer tells.
        Data::End | Data::Chunk(_) => drop(stream.send_data(Bytes::new(), true)),
    }
}

/// Resets the stream unless its body came to an end: a body that panics, or whose task is aborted, must not leave the
/// server, and the caller, waiting for the rest.
struct Sending {
    stream: SendStream<Bytes>,
    ended: bool,
}

impl Drop for Sending {
    fn drop(&mut self) {
        if !self.ended {
            self.stream.send_reset(Reason::CANCEL);
        }
    }
}

/// Sends a body as it comes, no faster than the server takes it, until it ends or the server wants no more.
async fn send_all(taken: Option<[Bytes; 2]>, mut body: Replay, stream: SendStream<Bytes>) {
    let mut sending = Sending {
        stream,
        ended: false,
    };
    send_chunks(taken, &mut body, &mut sending.stream).await;
    sending.ended = true;
}

async fn send_chunks(taken: Option<[Bytes; 2]>, body: &mut Replay, stream: &mut SendStream<Bytes>) {
    for chunk in taken.into_iter().flatten() {
        if send(chunk, stream).await.is_none() {
            return;
        }
    }
    loop {
        let next = poll_fn(|cx| match stream.poll_reset(cx) {
            // The server has answered without wanting the rest, or the stream broke: the answer tells.
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => poll_data(body, cx).map(Some),
        })
        .await;
        match next {
            None => return,
            Some(Data::Chunk(data)) => {
                if send(data, stream).await.is_none() {
                    return;
                }
            }
            Some(end) => return finish(&end, stream),
        }
    }
}

/// Sends a chunk within the stream's flow control; `None` where the stream has ended.
async fn send(mut data: Bytes, stream: &mut SendStream<Bytes>) -> Option<()> {
    while !data.is_empty() {
        stream.reserve_capacity(data.len());
        let capacity = poll_fn(|cx| match stream.poll_reset(cx) {
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending => stream.poll_capacity(cx),
        })
        .await?
        .ok()?;
        let part = data.split_to(capacity.min(data.len()));
        stream.send_data(part, false).ok()?;
    }
    Some(())
}
