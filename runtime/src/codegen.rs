//! What generated code is made of. Not for use by hand: it changes with the generator, not with semantic versioning.

use crate::Channel as CloudRunChannel;
use crate::channel::{Direct, MessageLimit, Outgoing, PREFIX, Recording, Single};
use bytes::{BufMut, Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_TYPE, TE};
use http::uri::PathAndQuery;
use std::sync::OnceLock;
use tokio_stream::Stream;
use tonic::client::Grpc;
use tonic::codec::Codec;
use tonic::metadata::MetadataMap;
use tonic::{Code, Extensions, GrpcMethod};

pub use crate::{Channel, Error};
pub use tonic::codec::{CompressionEncoding, Streaming};
pub use tonic::{IntoRequest, IntoStreamingRequest, Request, Response, Status};
use tonic_prost::ProstCodec;

/// One rpc of a service.
#[derive(Debug)]
pub struct Method {
    service: &'static str,
    name: &'static str,
    path: &'static str,
    /// Its path as `http` takes it, which looks at each of its bytes once.
    parsed: OnceLock<PathAndQuery>,
}

impl Method {
    /// `service` with its package, `name` as in the proto, `path` as on the wire: `/package.Service/Method`.
    #[must_use]
    pub const fn new(service: &'static str, name: &'static str, path: &'static str) -> Self {
        Self {
            service,
            name,
            path,
            parsed: OnceLock::new(),
        }
    }

    fn path(&self) -> PathAndQuery {
        let parsed = self
            .parsed
            .get_or_init(|| PathAndQuery::from_static(self.path));
        parsed.clone()
    }
}

/// Adds the channel's ID token to a call's headers, if it has a fresh one: for the benchmark of just that.
#[must_use]
pub fn attach_token(channel: &Channel, headers: &mut http::HeaderMap) -> bool {
    channel.attach_token(headers)
}

/// What every generated client holds: a channel and the settings of its messages.
#[derive(Clone, Debug)]
pub struct Client {
    channel: CloudRunChannel,
    /// For what is compressed, comes as a stream, or does not leave the process.
    grpc: Grpc<CloudRunChannel>,
    compression: bool,
    limit: MessageLimit,
    request_limit: MessageLimit,
}

/// tonic's own limit, which it does not tell.
const DEFAULT_LIMIT: MessageLimit = MessageLimit(4 * 1024 * 1024);

impl Client {
    /// A client on a channel of its own to `host`.
    ///
    /// # Errors
    /// As [`Channel::new`].
    pub fn new(host: impl AsRef<str>) -> Result<Self, Error> {
        Channel::new(host).map(Self::from_channel)
    }

    /// A client on a channel that may be shared.
    #[must_use]
    pub fn from_channel(channel: Channel) -> Self {
        Self {
            grpc: Grpc::new(channel.clone()),
            channel,
            compression: false,
            limit: DEFAULT_LIMIT,
            request_limit: MessageLimit::default(),
        }
    }

    /// Compresses requests.
    #[must_use]
    pub fn send_compressed(mut self, encoding: CompressionEncoding) -> Self {
        self.grpc = self.grpc.send_compressed(encoding);
        self.compression = true;
        self
    }

    /// Accepts responses compressed so.
    #[must_use]
    pub fn accept_compressed(mut self, encoding: CompressionEncoding) -> Self {
        self.grpc = self.grpc.accept_compressed(encoding);
        self.compression = true;
        self
    }

    /// Limits the size of a response message, in bytes.
    #[must_use]
    pub fn max_decoding_message_size(mut self, limit: usize) -> Self {
        self.grpc = self.grpc.max_decoding_message_size(limit);
        self.limit = MessageLimit(limit);
        self
    }

    /// Limits the size of a request message, in bytes.
    #[must_use]
    pub fn max_encoding_message_size(mut self, limit: usize) -> Self {
        self.grpc = self.grpc.max_encoding_message_size(limit);
        self.request_limit = MessageLimit(limit);
        self
    }

    /// One message there, one back.
    ///
    /// # Errors
    /// The status that the call ended with.
    pub async fn unary<Req, Res>(
        &self,
        method: &'static Method,
        request: Request<Req>,
    ) -> Result<Response<Res>, Status>
    where
        Req: prost::Message + 'static,
        Res: prost::Message + Default + 'static,
    {
        let Some(direct) = self.direct() else {
            // In a box: the way that is not taken as a rule would make every call's future larger.
            return Box::pin(async { single(self.through_tonic(method, request).await?).await })
                .await;
        };
        let outgoing = self.outgoing(method, request)?;
        let Single { metadata, message } = direct.unary(outgoing, self.limit).await?;
        let message = Res::decode(message).map_err(|error| {
            Status::internal(format!(
                "the answer is not the message it should be: {error}"
            ))
        })?;
        let metadata = MetadataMap::from_headers(metadata);
        Ok(Response::from_parts(
            metadata,
            message,
            Extensions::default(),
        ))
    }

    /// One message there, many back.
    ///
    /// # Errors
    /// The status that the call ended with, if it ended before its first answer.
    pub async fn server_streaming<Req, Res>(
        &self,
        method: &'static Method,
        request: Request<Req>,
    ) -> Result<Response<Streaming<Res>>, Status>
    where
        Req: prost::Message + 'static,
        Res: prost::Message + Default + 'static,
    {
        let Some(direct) = self.direct() else {
            return Box::pin(self.through_tonic(method, request)).await;
        };
        let outgoing = self.outgoing(method, request)?;
        let response = direct.streaming(outgoing, self.limit).await?;
        let MessageLimit(limit) = self.limit;
        let (head, body) = response.into_parts();
        let decoder = codec::<Req, Res>().decoder();
        let messages = match Status::from_header_map(&head.headers) {
            None => Streaming::new_response(decoder, body, head.status, None, Some(limit)),
            // An answer of headers alone.
            Some(status) if status.code() == Code::Ok => Streaming::new_empty(decoder, body),
            Some(status) => return Err(status),
        };
        let metadata = MetadataMap::from_headers(head.headers);
        Ok(Response::from_parts(metadata, messages, head.extensions))
    }

    /// Many messages there, one back.
    ///
    /// # Errors
    /// The status that the call ended with.
    pub async fn client_streaming<S, Req, Res>(
        &self,
        method: &'static Method,
        request: Request<S>,
    ) -> Result<Response<Res>, Status>
    where
        S: Stream<Item = Req> + Send + 'static,
        Req: prost::Message + 'static,
        Res: prost::Message + Default + 'static,
    {
        single(self.bidi_streaming(method, request).await?).await
    }

    /// Many messages there, many back.
    ///
    /// # Errors
    /// The status that the call ended with, if it ended before its first answer.
    pub async fn bidi_streaming<S, Req, Res>(
        &self,
        method: &'static Method,
        request: Request<S>,
    ) -> Result<Response<Streaming<Res>>, Status>
    where
        S: Stream<Item = Req> + Send + 'static,
        Req: prost::Message + 'static,
        Res: prost::Message + Default + 'static,
    {
        self.grpc
            .clone()
            .streaming(self.prepared(method, request), method.path(), codec())
            .await
    }

    /// The short way, for calls that need no codec of tonic's.
    fn direct(&self) -> Option<Direct<'_>> {
        if self.compression {
            return None;
        }
        self.channel.direct()
    }

    async fn through_tonic<Req, Res>(
        &self,
        method: &'static Method,
        request: Request<Req>,
    ) -> Result<Response<Streaming<Res>>, Status>
    where
        Req: prost::Message + 'static,
        Res: prost::Message + Default + 'static,
    {
        self.grpc
            .clone()
            .server_streaming(self.prepared(method, request), method.path(), codec())
            .await
    }

    /// A request of one message, encoded.
    fn outgoing<Req: prost::Message>(
        &self,
        method: &'static Method,
        request: Request<Req>,
    ) -> Result<Outgoing, Status> {
        let (metadata, _, message) = request.into_parts();
        Ok(Outgoing {
            path: method.path(),
            headers: sanitized(metadata),
            body: Recording::Message(encode(&message, self.request_limit)?),
        })
    }

    /// Tells layers and interceptors below which method is called, as tonic's own clients do, and the channel what it
    /// may take.
    fn prepared<T>(&self, method: &'static Method, mut request: Request<T>) -> Request<T> {
        let extensions = request.extensions_mut();
        extensions.insert(GrpcMethod::new(method.service, method.name));
        extensions.insert(self.limit);
        request
    }
}

/// The answer of an rpc that gives one message. None or several are UNIMPLEMENTED: client and server do not agree on
/// what the rpc is (gRPC's statuscodes.md).
async fn single<Res>(response: Response<Streaming<Res>>) -> Result<Response<Res>, Status> {
    let (mut metadata, mut messages, extensions) = response.into_parts();
    let message = match messages.message().await {
        Ok(Some(message)) => message,
        Ok(None) => {
            return Err(Status::unimplemented(
                "the server answered without a message to a call that has one",
            ));
        }
        Err(mut status) => {
            let sent = std::mem::take(status.metadata_mut());
            *status.metadata_mut() = merged(metadata, sent);
            return Err(status);
        }
    };
    if messages.message().await?.is_some() {
        return Err(Status::unimplemented(
            "the server answered with several messages to a call that has one",
        ));
    }
    if let Some(trailers) = messages.trailers().await? {
        metadata = merged(metadata, trailers);
    }
    Ok(Response::from_parts(metadata, message, extensions))
}

fn merged(headers: MetadataMap, trailers: MetadataMap) -> MetadataMap {
    let mut all = headers.into_headers();
    all.extend(trailers.into_headers());
    MetadataMap::from_headers(all)
}

/// A call's metadata without what only gRPC itself may say.
fn sanitized(metadata: MetadataMap) -> HeaderMap {
    let mut headers = metadata.into_headers();
    if !headers.is_empty() {
        headers.remove(TE);
        headers.remove(CONTENT_TYPE);
        for name in ["grpc-message", "grpc-message-type", "grpc-status"] {
            headers.remove(name);
        }
    }
    headers
}

/// What a message's prefix can hold.
const MOST: MessageLimit = MessageLimit(u32::MAX as usize);

/// A message with its prefix.
fn encode(message: &impl prost::Message, limit: MessageLimit) -> Result<Bytes, Status> {
    let length = message.encoded_len();
    limit.min(MOST).check(length)?;
    // MOST is what fits.
    let prefix = u32::try_from(length).unwrap_or(u32::MAX);
    let mut bytes = BytesMut::with_capacity(PREFIX + length);
    bytes.put_u8(0);
    bytes.put_u32(prefix);
    message
        .encode(&mut bytes)
        .map_err(|error| Status::internal(format!("the request cannot be encoded: {error}")))?;
    Ok(bytes.freeze())
}

fn codec<Req, Res>() -> ProstCodec<Req, Res>
where
    Req: prost::Message + 'static,
    Res: prost::Message + Default + 'static,
{
    ProstCodec::default()
}
