//! The answer of an rpc that gives one message, read from its stream.

use super::framing::{MessageLimit, PREFIX, TooLarge};
use super::incoming::Incoming;
use super::received::{Broken, GRPC_STATUS, early_status};
use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, Response};
use http_body::Body;
use std::future::poll_fn;
use std::pin::Pin;
use tonic::{Code, Status};

/// An answer: its message, still encoded, and its metadata, trailers included.
pub(crate) struct Single {
    pub(crate) metadata: HeaderMap,
    pub(crate) message: Bytes,
}

/// Reads an answer to its end. None or several messages are UNIMPLEMENTED: client and server do not agree on what the
/// rpc is (gRPC's statuscodes.md).
pub(crate) async fn read(
    response: Response<Incoming>,
    limit: MessageLimit,
) -> Result<Single, Broken> {
    let (parts, mut body) = response.into_parts();
    let mut metadata = parts.headers;
    if body.is_end_stream() {
        return end(metadata, Message::Empty);
    }
    let early = early_status(&mut metadata);
    let mut message = Message::default();
    let mut trailers = None;
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        match frame.map_err(Broken::Stream)?.into_data() {
            Ok(data) => message.feed(data, limit)?,
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    // A status in the headers counts if nothing else came.
    let trailers = match early {
        Some(early) if trailers.is_none() && message.is_empty() => early,
        _ => trailers.unwrap_or_default(),
    };
    metadata.extend(trailers);
    end(metadata, message)
}

/// What an answer comes to.
fn end(metadata: HeaderMap, message: Message) -> Result<Single, Broken> {
    let status = metadata.get(GRPC_STATUS);
    if status.is_none_or(|status| status != "0") {
        let status = match Status::from_header_map(&metadata) {
            Some(status) => status,
            None => Status::unknown("the answer ended without a `grpc-status`"),
        };
        if status.code() != Code::Ok {
            return Err(Broken::Status(status));
        }
    }
    match message {
        Message::Empty => Err(Broken::Status(Status::unimplemented(
            "the server answered without a message to a call that has one",
        ))),
        begun => {
            let message = begun.whole().ok_or(Broken::CutOff)?;
            Ok(Single { metadata, message })
        }
    }
}

/// A message with its prefix, as it comes.
#[derive(Default)]
enum Message {
    #[default]
    Empty,
    /// In one piece so far, which needs no copy.
    Piece(Bytes),
    Pieces(BytesMut),
}

impl Message {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Empty => &[],
            Self::Piece(bytes) => bytes,
            Self::Pieces(bytes) => bytes,
        }
    }

    /// The length of the message, without its prefix, once that is there.
    fn length(&self) -> Option<usize> {
        let (prefix, _) = self.bytes().split_first_chunk::<PREFIX>()?;
        let [_, length @ ..] = *prefix;
        Some(usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX))
    }

    fn feed(&mut self, data: Bytes, limit: MessageLimit) -> Result<(), Broken> {
        if data.is_empty() {
            return Ok(());
        }
        *self = match std::mem::take(self) {
            Self::Empty => Self::Piece(data),
            Self::Piece(first) => {
                let mut all = BytesMut::with_capacity(first.len() + data.len());
                all.extend_from_slice(&first);
                all.extend_from_slice(&data);
                Self::Pieces(all)
            }
            Self::Pieces(mut all) => {
                all.extend_from_slice(&data);
                Self::Pieces(all)
            }
        };
        match self.bytes().first() {
            Some(0) | None => {}
            Some(1) => {
                return Err(Broken::Status(Status::internal(
                    "the answer has a compressed message and does not say how (no `grpc-encoding`)",
                )));
            }
            Some(flags) => {
                return Err(Broken::Status(Status::internal(format!(
                    "what the server sent is not a gRPC message: its first byte is {flags}, and gRPC knows 0 and 1"
                ))));
            }
        }
        let Some(length) = self.length() else {
            return Ok(());
        };
        let MessageLimit(most) = limit;
        if length > most {
            return Err(Broken::TooLarge(TooLarge {
                before: 0,
                length,
                limit: most,
            }));
        }
        let whole = PREFIX.saturating_add(length);
        if self.bytes().len() > whole {
            return Err(Broken::Status(Status::unimplemented(
                "the server answered with several messages to a call that has one",
            )));
        }
        if let Self::Pieces(all) = self {
            // As much as has been promised, but no more at a time than has come: a promise alone costs no memory.
            all.reserve((whole - all.len()).min(all.len()));
        }
        Ok(())
    }

    /// The message without its prefix; `None` if its end is missing.
    fn whole(self) -> Option<Bytes> {
        let length = self.length()?;
        let mut bytes = match self {
            Self::Empty => Bytes::new(),
            Self::Piece(bytes) => bytes,
            Self::Pieces(bytes) => bytes.freeze(),
        };
        bytes.advance(PREFIX);
        (bytes.len() == length).then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NO_LIMIT: MessageLimit = MessageLimit(usize::MAX);

    fn framed(content: &[u8]) -> Bytes {
        let mut bytes = vec![0];
        bytes.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
        bytes.extend(content);
        bytes.into()
    }

    fn fed(pieces: &[&[u8]], limit: MessageLimit) -> Result<Message, Broken> {
        let mut message = Message::default();
        for piece in pieces {
            message.feed(Bytes::copy_from_slice(piece), limit)?;
        }
        Ok(message)
    }

    fn status(metadata: &[(&'static str, &'static str)], message: Message) -> Code {
        let metadata = metadata
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        match end(metadata, message) {
            Ok(_) => Code::Ok,
            Err(Broken::Status(status)) => status.code(),
            Err(Broken::CutOff) => Code::Internal,
            Err(Broken::Request(_) | Broken::Stream(_) | Broken::TooLarge(_)) => {
                panic!("nothing else comes at the end")
            }
        }
    }

    #[test]
    fn a_message_in_one_piece_is_not_copied() {
        let bytes = framed(b"abc");
        let at = bytes[PREFIX..].as_ptr();
        let mut message = Message::default();
        assert!(message.feed(bytes, NO_LIMIT).is_ok());
        assert_eq!(message.whole().unwrap().as_ptr(), at);
    }

    #[test]
    fn what_is_no_message_is_refused_at_its_first_byte() {
        for (first, code) in [(1, Code::Internal), (b'<', Code::Internal)] {
            let Err(Broken::Status(status)) = fed(&[&[first]], NO_LIMIT) else {
                panic!("{first}");
            };
            assert_eq!(status.code(), code);
        }
    }

    #[test]
    fn a_message_above_the_limit_is_refused_at_its_prefix() {
        assert!(fed(&[&framed(b"abc")], MessageLimit(3)).is_ok());
        assert!(matches!(
            fed(&[&framed(b"abcd")[..PREFIX]], MessageLimit(3)),
            Err(Broken::TooLarge(TooLarge {
                length: 4,
                limit: 3,
                ..
            }))
        ));
    }

    #[test]
    fn a_second_message_is_refused() {
        let both = [framed(b"a"), framed(b"")].concat();
        for cut in 0..=both.len() {
            let Err(Broken::Status(status)) = fed(&[&both[..cut], &both[cut..]], NO_LIMIT) else {
                panic!("{cut}");
            };
            assert_eq!(status.code(), Code::Unimplemented);
        }
    }

    #[test]
    fn a_promise_of_gigabytes_costs_no_memory() {
        let Ok(Message::Pieces(bytes)) = fed(&[&[0, 0xff], &[0xff, 0xff, 0xff, 1, 2]], NO_LIMIT)
        else {
            panic!("it is in pieces");
        };
        assert!(bytes.capacity() < 1024);
    }

    #[test]
    fn the_status_decides_and_then_the_message() {
        let whole = || fed(&[&framed(b"abc")], NO_LIMIT).unwrap_or_default();
        let cut_off = || fed(&[b"\0\0"], NO_LIMIT).unwrap_or_default();
        assert_eq!(status(&[("grpc-status", "0")], whole()), Code::Ok);
        assert_eq!(status(&[("grpc-status", "0")], cut_off()), Code::Internal);
        assert_eq!(
            status(&[("grpc-status", "0")], Message::Empty),
            Code::Unimplemented
        );
        assert_eq!(status(&[("grpc-status", "5")], whole()), Code::NotFound);
        assert_eq!(status(&[("grpc-status", "5")], cut_off()), Code::NotFound);
        assert_eq!(status(&[], whole()), Code::Unknown);
        assert_eq!(status(&[("grpc-status", "x")], whole()), Code::Unknown);
    }

    proptest! {
        #[test]
        fn a_message_is_the_same_however_it_comes(
            content in proptest::collection::vec(any::<u8>(), 0..200),
            chunk in 1_usize..20,
        ) {
            let bytes = framed(&content);
            let pieces: Vec<&[u8]> = bytes.chunks(chunk).collect();
            let message = fed(&pieces, NO_LIMIT).unwrap_or_default();
            prop_assert_eq!(message.whole().unwrap_or_default(), content);
            let cut_off = fed(&pieces[..pieces.len() - 1], NO_LIMIT).unwrap_or_default();
            prop_assert!(cut_off.whole().is_none());
        }
    }
}
