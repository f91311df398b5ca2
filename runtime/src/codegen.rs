//! What generated code is made of. Not for use by hand: it changes with the generator, not with semantic versioning.

use crate::Channel as CloudRunChannel;
use crate::channel::MessageLimit;
use http::uri::PathAndQuery;
use tokio_stream::Stream;
use tonic::GrpcMethod;
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;

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
}

impl Method {
    /// `service` with its package, `name` as in the proto, `path` as on the wire: `/package.Service/Method`.
    #[must_use]
    pub const fn new(service: &'static str, name: &'static str, path: &'static str) -> Self {
        Self {
            service,
            name,
            path,
        }
    }

    fn path(&self) -> PathAndQuery {
        PathAndQuery::from_static(self.path)
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
    grpc: Grpc<CloudRunChannel>,
    limit: MessageLimit,
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
            grpc: Grpc::new(channel),
            limit: DEFAULT_LIMIT,
        }
    }

    /// Compresses requests.
    #[must_use]
    pub fn send_compressed(mut self, encoding: CompressionEncoding) -> Self {
        self.grpc = self.grpc.send_compressed(encoding);
        self
    }

    /// Accepts responses compressed so.
    #[must_use]
    pub fn accept_compressed(mut self, encoding: CompressionEncoding) -> Self {
        self.grpc = self.grpc.accept_compressed(encoding);
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
        single(self.server_streaming(method, request).await?).await
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
        self.grpc
            .clone()
            .server_streaming(self.prepared(method, request), method.path(), codec())
            .await
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

fn codec<Req, Res>() -> ProstCodec<Req, Res>
where
    Req: prost::Message + 'static,
    Res: prost::Message + Default + 'static,
{
    ProstCodec::default()
}
