//! A request body that can be sent again.
//!
//! What a first attempt took from the body is kept (the buffers are shared, not copied) until the call is accepted,
//! so an attempt that the application never saw can be repeated from the beginning.

use super::framing::{Framing, MessageLimit};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tonic::body::Body;
use tonic::{Code, Status};

/// Bodies that have given more than this before the answer came are not sent again.
const LIMIT: usize = 4 * 1024 * 1024;

/// The body of a call over all its attempts.
pub(crate) enum Recording {
    /// One message, whole.
    Message(Bytes),
    /// What comes bit by bit.
    Stream(Arc<Mutex<Record>>),
}

pub(crate) struct Record {
    body: Body,
    /// Where its messages end, to tell one that is too large.
    framing: Framing,
    taken: Vec<Bytes>,
    size: usize,
    /// What has been taken of it, kept or not.
    given: usize,
    recording: bool,
    /// Why the caller's own stream failed.
    failure: Option<Status>,
    /// Which attempt reads; a former one gets nothing any more.
    attempt: u32,
}

impl Recording {
    pub(crate) fn of(body: Body, limit: MessageLimit) -> Self {
        Self::Stream(Arc::new(Mutex::new(Record {
            body,
            framing: Framing::new(limit),
            taken: Vec::new(),
            size: 0,
            given: 0,
            recording: true,
            failure: None,
            attempt: 0,
        })))
    }

    /// The body from its beginning, for the next attempt; `None` where too much of it is gone.
    pub(crate) fn replay(&self) -> Option<AttemptBody> {
        let shared = match self {
            Self::Message(message) => return Some(AttemptBody::Message(message.clone())),
            Self::Stream(shared) => shared,
        };
        let mut record = lock(shared);
        if !record.recording {
            return None;
        }
        record.attempt += 1;
        Some(AttemptBody::Stream(Replay {
            record: shared.clone(),
            attempt: record.attempt,
            next: 0,
        }))
    }

    /// Whether another attempt is possible.
    pub(crate) fn can_replay(&self) -> bool {
        match self {
            Self::Message(_) => true,
            Self::Stream(record) => lock(record).recording,
        }
    }

    /// The error that the caller's own stream ended with, if it did: a message that is too large, say. HTTP/2 only
    /// knows that the stream was reset.
    pub(crate) fn failure(&self) -> Option<Status> {
        match self {
            Self::Message(_) => None,
            Self::Stream(record) => lock(record).failure.clone(),
        }
    }

    /// How many bytes the attempt under way has been given.
    pub(crate) fn given(&self) -> usize {
        match self {
            Self::Message(message) => message.len(),
            Self::Stream(record) => lock(record).given,
        }
    }

    /// No attempt will follow: lets go of what was kept.
    pub(crate) fn stop(&self) {
        if let Self::Stream(record) = self {
            lock(record).stop();
        }
    }
}

impl Record {
    fn keep(&mut self, data: &Bytes) {
        if self.recording {
            self.size = self.size.saturating_add(data.len());
            if self.size > LIMIT {
                self.stop();
            } else {
                self.taken.push(data.clone());
            }
        }
    }

    fn stop(&mut self) {
        self.recording = false;
        self.taken = Vec::new();
    }
}

fn lock(record: &Mutex<Record>) -> MutexGuard<'_, Record> {
    // A poisoned lock means that the body itself panicked; what is recorded is whole.
    record.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The error of the caller's own stream. For a message above the limit tonic's encoder says `OUT_OF_RANGE`, which gRPC
/// leaves to applications (statuscodes.md).
fn own(failure: &Status) -> Status {
    match failure.code() {
        Code::OutOfRange => Status::resource_exhausted(failure.message()),
        _ => failure.clone(),
    }
}

/// The body as one attempt sends it.
pub(crate) enum AttemptBody {
    Message(Bytes),
    Stream(Replay),
}

/// A body from its beginning.
pub(crate) struct Replay {
    record: Arc<Mutex<Record>>,
    attempt: u32,
    next: usize,
}

impl http_body::Body for Replay {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        let mut record = lock(&this.record);
        if record.attempt != this.attempt {
            return Poll::Ready(Some(Err(Status::cancelled(
                "this attempt has been given up",
            ))));
        }
        if let Some(data) = record.taken.get(this.next) {
            this.next += 1;
            return Poll::Ready(Some(Ok(Frame::data(data.clone()))));
        }
        let frame = Pin::new(&mut record.body).poll_frame(cx);
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    if let Err(too_large) = record.framing.feed(data) {
                        let failure = too_large.request();
                        record.failure = Some(failure.clone());
                        record.stop();
                        return Poll::Ready(Some(Err(failure)));
                    }
                    record.given += data.len();
                    record.keep(data);
                    this.next += 1;
                }
            }
            Poll::Ready(Some(Err(failure))) => {
                record.failure = Some(own(failure));
                record.stop();
            }
            _ => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        let record = lock(&self.record);
        record.attempt == self.attempt
            && self.next >= record.taken.len()
            && record.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // Only known before anything was taken, and nobody needs it: gRPC requests have no content-length.
        SizeHint::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Body as _;
    use http_body_util::BodyExt as _;
    use tokio_stream::StreamExt as _;

    fn body(chunks: &'static [&'static [u8]]) -> Body {
        let frames =
            tokio_stream::iter(chunks).map(|c| Ok::<_, Status>(Frame::data(Bytes::from_static(c))));
        Body::new(http_body_util::StreamBody::new(frames))
    }

    fn replay(recording: &Recording) -> Replay {
        match recording.replay() {
            Some(AttemptBody::Stream(replay)) => replay,
            _ => panic!("not a stream that can be replayed"),
        }
    }

    async fn next(body: &mut Replay) -> Option<Bytes> {
        body.frame()
            .await
            .map(|frame| frame.unwrap().into_data().unwrap())
    }

    #[tokio::test]
    async fn a_second_attempt_starts_over_and_goes_on() {
        let recording = Recording::of(body(&[b"a", b"b", b"c"]), MessageLimit::default());
        let mut first = replay(&recording);
        assert_eq!(next(&mut first).await.unwrap(), "a");
        assert_eq!(next(&mut first).await.unwrap(), "b");
        let second = replay(&recording);
        assert!(
            first.frame().await.unwrap().is_err(),
            "the first attempt must not eat from the second"
        );
        assert_eq!(second.collect().await.unwrap().to_bytes(), "abc");
        assert_eq!(
            replay(&recording).collect().await.unwrap().to_bytes(),
            "abc"
        );
    }

    #[tokio::test]
    async fn once_stopped_nothing_is_kept_and_the_attempt_goes_on() {
        let recording = Recording::of(body(&[b"a", b"b"]), MessageLimit::default());
        let mut attempt = replay(&recording);
        assert_eq!(next(&mut attempt).await.unwrap(), "a");
        recording.stop();
        assert_eq!(next(&mut attempt).await, Some(Bytes::from_static(b"b")));
        assert_eq!(next(&mut attempt).await, None);
        assert!(recording.replay().is_none());
    }

    #[tokio::test]
    async fn a_body_above_the_limit_is_sent_once() {
        let frames = tokio_stream::iter(0..9)
            .map(|_| Ok::<_, Status>(Frame::data(Bytes::from(vec![0; LIMIT / 8]))));
        let recording = Recording::of(
            Body::new(http_body_util::StreamBody::new(frames)),
            MessageLimit::default(),
        );
        let sent = replay(&recording).collect().await.unwrap().to_bytes().len();
        assert_eq!(sent, LIMIT / 8 * 9);
        assert!(recording.replay().is_none());
    }

    #[tokio::test]
    async fn an_empty_body_ends_at_once() {
        let recording = Recording::of(Body::empty(), MessageLimit::default());
        assert!(replay(&recording).is_end_stream());
    }
}
