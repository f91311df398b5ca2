//! An answer over the network, with what gRPC asks of it beyond HTTP/2.

use super::framing::Framing;
use super::incoming::Incoming;
use super::replay::Recording;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Response};
use http_body::{Body, Frame};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tonic::Status;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");

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
}

/// Why an answer broke off.
pub(crate) enum Broken {
    /// The caller's own stream failed.
    Request(Status),
    /// The connection or the stream did.
    Stream(h2::Error),
    /// It says that it is complete in the middle of a message.
    CutOff,
}

impl Received {
    /// Takes an answer that comes from a gRPC server, to `request`.
    pub(crate) fn take(response: Response<Incoming>, request: Recording) -> Response<Self> {
        let (mut parts, body) = response.into_parts();
        let mut early_status = None;
        if parts.headers.contains_key(GRPC_STATUS) && !body.is_end_stream() {
            let headers = &mut parts.headers;
            early_status = Some(
                STATUS
                    .into_iter()
                    .filter_map(|name| Some((name.clone(), headers.remove(name)?)))
                    .collect(),
            );
        }
        let framing = Framing::default();
        Response::from_parts(
            parts,
            Self {
                body,
                request,
                framing,
                early_status,
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
        this.early_status = None;
        if let Some(data) = frame.data_ref() {
            this.framing.feed(data);
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
        self.body.is_end_stream()
    }
}
