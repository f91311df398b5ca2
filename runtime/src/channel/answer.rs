//! The body of an answer, under the call's deadline.

use super::Route;
use super::received::Received;
use crate::deadline::Deadline;
use crate::status;
use crate::telemetry::Measure;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::time::Sleep;
use tonic::body::Body;
use tonic::{Code, Status};

const WAITING_FOR: &str = "waiting for the rest of the server's answer";

/// An answer's body as it comes.
pub(crate) enum Source {
    Network(Box<Received>),
    InProcess(Body),
}

/// Passes the answer on until the deadline; tells why it broke off.
pub(crate) struct Answer {
    source: Source,
    deadline: Option<(Pin<Box<Sleep>>, Deadline)>,
    route: Arc<Route>,
    measure: Measure,
}

impl Answer {
    pub(crate) fn new(
        source: Source,
        deadline: Option<Deadline>,
        route: Arc<Route>,
        measure: Measure,
    ) -> Self {
        let deadline =
            deadline.map(|deadline| (Box::pin(tokio::time::sleep_until(deadline.at)), deadline));
        Self {
            source,
            deadline,
            route,
            measure,
        }
    }

    /// Notes what has come, and how it ended.
    fn note(&self, frame: Option<&Result<Frame<Bytes>, Status>>) {
        match frame {
            Some(Err(status)) => self.measure.ended(status.code()),
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    self.measure.received(data.len());
                } else if let Some(trailers) = frame.trailers_ref() {
                    self.measure
                        .ended(status::of(trailers).unwrap_or(Code::Unknown));
                }
            }
            // Headers alone have told before; what had none was cut off.
            None => self.measure.ended(Code::Ok),
        }
    }

    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match &mut self.source {
            Source::InProcess(body) => Pin::new(body).poll_frame(cx),
            Source::Network(received) => {
                let deadline = self.deadline.as_ref().map(|(_, deadline)| deadline);
                Pin::new(&mut **received).poll_frame(cx).map_err(|broken| {
                    self.route
                        .unless_past(deadline, WAITING_FOR, self.route.broken(broken))
                })
            }
        }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = this.poll_source(cx) {
            this.note(frame.as_ref());
            return Poll::Ready(frame);
        }
        if let Some((sleep, deadline)) = &mut this.deadline
            && sleep.as_mut().poll(cx).is_ready()
        {
            let timeout = deadline.timeout;
            // Dropping the body resets the stream: the server need not go on.
            (this.source, this.deadline) = (Source::InProcess(Body::empty()), None);
            this.measure.ended(Code::DeadlineExceeded);
            let exceeded =
                status::deadline_exceeded(timeout, WAITING_FOR, this.route.caller().as_ref());
            return Poll::Ready(Some(Err(exceeded.into())));
        }
        Poll::Pending
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::InProcess(body) => body.is_end_stream(),
            Source::Network(received) => received.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::InProcess(body) => body.size_hint(),
            Source::Network(received) => received.size_hint(),
        }
    }
}
