//! An answer over the network, with what gRPC asks of it beyond HTTP/2.

use super::framing::{Framing, MessageLimit, TooLarge};
use super::incoming::Incoming;
use super::replay::Recording;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Response};
use http_body::{Body, Frame};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tonic::Status;

pub(crate) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

/// What makes up a status, in trailers or in the headers of an answer without any.
const STATUS: [HeaderName; 3] = [
    GRPC_STATUS,
    HeaderName::from_static("grpc-message"),
    HeaderName::from_static("grpc-status-details-bin"),
];

/// An answer's body.
pub(crate) struct Received {
    body: Incoming,
    request: Recording,
    framing: Framing,
    /// A status that stood in the headers although a body follows. It counts only if that body is empty.
    early_status: Option<HeaderMap>,
    /// A message that is not taken; it ends the answer once those before it are handed out.
    too_large: Option<TooLarge>,
}

/// Why an answer broke off.
pub(crate) enum Broken {
    /// The caller's own stream failed.
    Request(Status),
    /// The connection or the stream did.
    Stream(h2::Error),
    /// It says so itself, or is not what was asked for.
    Status(Status),
    /// It says that it is complete in the middle of a message.
    CutOff,
    /// It has a message above the client's limit.
    TooLarge(TooLarge),
}

/// Takes a status out of the headers of an answer that has a body.
pub(crate) fn early_status(headers: &mut HeaderMap) -> Option<HeaderMap> {
    headers.contains_key(GRPC_STATUS).then(|| {
        STATUS
            .into_iter()
            .filter_map(|name| Some((name.clone(), headers.remove(name)?)))
            .collect()
    })
}

impl Received {
    /// Takes an answer that comes from a gRPC server, to `request`.
    pub(crate) fn take(
        response: Response<Incoming>,
        request: Recording,
        limit: MessageLimit,
    ) -> Response<Self> {
        let (mut parts, body) = response.into_parts();
        let early_status = if body.is_end_stream() {
            None
        } else {
            early_status(&mut parts.headers)
        };
        let framing = Framing::new(limit);
        Response::from_parts(
            parts,
            Self {
                body,
                request,
                framing,
                early_status,
                too_large: None,
            },
        )
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        if let Some(too_large) = this.too_large.take() {
            return Poll::Ready(Some(Err(Broken::TooLarge(too_large))));
        }
        let frame = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                let broken = this
                    .request
                    .failure()
                    .map_or(Broken::Stream(error), Broken::Request);
                return Poll::Ready(Some(Err(broken)));
            }
            None => {
                return Poll::Ready(
                    this.early_status
                        .take()
                        .map(|status| Ok(Frame::trailers(status))),
                );
            }
        };
        // A proxy may end an answer of headers alone with an empty DATA frame.
        if frame.data_ref().is_none_or(|data| !data.is_empty()) {
            this.early_status = None;
        }
        if let Some(data) = frame.data_ref() {
            if let Err(too_large) = this.framing.feed(data) {
                let before = data.slice(..too_large.before);
                this.too_large = Some(too_large);
                return Poll::Ready(Some(Ok(Frame::data(before))));
            }
        } else if let Some(trailers) = frame.trailers_ref()
            && this.framing.is_in_message()
            && trailers
                .get(GRPC_STATUS)
                .is_some_and(|status| status == "0")
        {
            return Poll::Ready(Some(Err(Broken::CutOff)));
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.early_status.is_none() && self.too_large.is_none() && self.body.is_end_stream()
    }
}
