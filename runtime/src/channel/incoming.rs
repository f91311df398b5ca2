//! The body of an answer, from its stream.

use super::upload::Upload;
use super::usage::OpenCall;
use bytes::Bytes;
use h2::{Reason, RecvStream};
use http_body::{Body, Frame};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// An answer's messages and trailers. Dropping it before its end resets the stream.
pub(crate) struct Incoming {
    stream: RecvStream,
    data_ended: bool,
    /// The rest of the request, which goes on meanwhile.
    _upload: Upload,
    /// Counts this call as open.
    _open: OpenCall,
}

impl Incoming {
    pub(crate) fn new(stream: RecvStream, upload: Upload, open: OpenCall) -> Self {
        Self {
            stream,
            data_ended: false,
            _upload: upload,
            _open: open,
        }
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if !self.data_ended {
            match ready!(self.stream.poll_data(cx)) {
                Some(Ok(data)) => {
                    // The reader has it: the server may send as much again. It fails on closed streams alone.
                    let _ = self.stream.flow_control().release_capacity(data.len());
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                // The server has said all it had to say and does not want the rest of the request (RFC 9113, 8.1).
                Some(Err(error))
                    if error.is_remote() && error.reason() == Some(Reason::NO_ERROR) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {}
            }
            self.data_ended = true;
        }
        match ready!(self.stream.poll_trailers(cx)) {
            Ok(trailers) => Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers)))),
            Err(error) => Poll::Ready(Some(Err(error))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }
}
