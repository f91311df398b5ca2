//! A small gRPC service without a proto: each message asks for what is to happen.

use std::time::Duration;
use tokio_stream::{Stream, StreamExt as _};
use tonic::body::Body;
use tonic::codegen::BoxFuture;
use tonic::server::{
    ClientStreamingService, Grpc, ServerStreamingService, StreamingService, UnaryService,
};
use tonic::{Code, Request, Response, Status, Streaming};
use tonic_cloud_run::codegen::{Client, Method};
use tonic_cloud_run::{Channel, prost, tonic};
use tonic_prost::ProstCodec;

pub(crate) static UNARY: Method = Method::new("test.Echo", "Unary", "/test.Echo/Unary");
pub(crate) static SERVER_STREAM: Method =
    Method::new("test.Echo", "ServerStream", "/test.Echo/ServerStream");
pub(crate) static CLIENT_STREAM: Method =
    Method::new("test.Echo", "ClientStream", "/test.Echo/ClientStream");
pub(crate) static BIDI: Method = Method::new("test.Echo", "Bidi", "/test.Echo/Bidi");
pub(crate) static UNKNOWN: Method = Method::new("test.Echo", "Unknown", "/test.Echo/Unknown");

#[derive(Clone, PartialEq, prost::Message)]
#[prost(prost_path = "tonic_cloud_run::prost")]
pub(crate) struct Ask {
    /// Comes back.
    #[prost(string, tag = "1")]
    pub text: String,
    /// How long to think before each answer.
    #[prost(uint64, tag = "2")]
    pub pause_ms: u64,
    /// The status to end with, if not OK.
    #[prost(int32, tag = "3")]
    pub code: i32,
    /// How many answers a server stream gives.
    #[prost(uint32, tag = "4")]
    pub times: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
#[prost(prost_path = "tonic_cloud_run::prost")]
pub(crate) struct Told {
    #[prost(string, tag = "1")]
    pub text: String,
    /// The `authorization` header that reached the service.
    #[prost(string, tag = "2")]
    pub authorization: String,
    /// The `grpc-timeout` header that reached the service.
    #[prost(string, tag = "3")]
    pub timeout: String,
    #[prost(string, tag = "4")]
    pub user_agent: String,
}

impl Ask {
    pub(crate) fn text(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn slow(pause: Duration) -> Self {
        Self {
            pause_ms: u64::try_from(pause.as_millis()).unwrap(),
            ..Self::default()
        }
    }
}

/// The client, as generated code would make it.
#[derive(Clone, Debug)]
pub(crate) struct EchoClient(pub Client);

impl EchoClient {
    pub(crate) fn on(channel: Channel) -> Self {
        Self(Client::from_channel(channel))
    }

    pub(crate) async fn unary(&self, ask: Ask) -> Result<Told, Status> {
        Ok(self.0.unary(&UNARY, Request::new(ask)).await?.into_inner())
    }

    pub(crate) async fn unary_within(&self, timeout: Duration, ask: Ask) -> Result<Told, Status> {
        let mut request = Request::new(ask);
        request.set_timeout(timeout);
        Ok(self.0.unary(&UNARY, request).await?.into_inner())
    }

    pub(crate) async fn server_stream(&self, ask: Ask) -> Result<Streaming<Told>, Status> {
        Ok(self
            .0
            .server_streaming(&SERVER_STREAM, Request::new(ask))
            .await?
            .into_inner())
    }

    pub(crate) async fn client_stream(
        &self,
        asks: impl Stream<Item = Ask> + Send + 'static,
    ) -> Result<Told, Status> {
        Ok(self
            .0
            .client_streaming(&CLIENT_STREAM, Request::new(asks))
            .await?
            .into_inner())
    }

    pub(crate) async fn bidi(
        &self,
        asks: impl Stream<Item = Ask> + Send + 'static,
    ) -> Result<Streaming<Told>, Status> {
        Ok(self
            .0
            .bidi_streaming(&BIDI, Request::new(asks))
            .await?
            .into_inner())
    }
}

/// The server.
#[derive(Clone)]
pub(crate) struct Echo;

impl tonic::codegen::Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Told, Ask>::default());
            Ok(match request.uri().path() {
                "/test.Echo/Unary" => grpc.unary(Unary, request).await,
                "/test.Echo/ServerStream" => grpc.server_streaming(ServerStream, request).await,
                "/test.Echo/ClientStream" => grpc.client_streaming(ClientStream, request).await,
                "/test.Echo/Bidi" => grpc.streaming(Bidi, request).await,
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

type Answers = std::pin::Pin<Box<dyn Stream<Item = Result<Told, Status>> + Send>>;

async fn answer(ask: &Ask, metadata: &tonic::metadata::MetadataMap) -> Result<Told, Status> {
    if ask.pause_ms > 0 {
        tokio::time::sleep(Duration::from_millis(ask.pause_ms)).await;
    }
    if ask.code != 0 {
        return Err(Status::new(Code::from(ask.code), "as asked"));
    }
    let header = |name| {
        metadata
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    Ok(Told {
        text: ask.text.clone(),
        authorization: header("authorization"),
        timeout: header("grpc-timeout"),
        user_agent: header("user-agent"),
    })
}

struct Unary;
impl UnaryService<Ask> for Unary {
    type Response = Told;
    type Future = BoxFuture<Response<Told>, Status>;
    fn call(&mut self, request: Request<Ask>) -> Self::Future {
        Box::pin(async move {
            let (metadata, _, ask) = request.into_parts();
            answer(&ask, &metadata).await.map(Response::new)
        })
    }
}

struct ServerStream;
impl ServerStreamingService<Ask> for ServerStream {
    type Response = Told;
    type ResponseStream = Answers;
    type Future = BoxFuture<Response<Answers>, Status>;
    fn call(&mut self, request: Request<Ask>) -> Self::Future {
        Box::pin(async move {
            let (metadata, _, ask) = request.into_parts();
            let times = ask.times;
            let answers = tokio_stream::iter(0..times).then(move |_| {
                let (ask, metadata) = (ask.clone(), metadata.clone());
                async move { answer(&ask, &metadata).await }
            });
            Ok(Response::new(Box::pin(answers) as Answers))
        })
    }
}

struct ClientStream;
impl ClientStreamingService<Ask> for ClientStream {
    type Response = Told;
    type Future = BoxFuture<Response<Told>, Status>;
    fn call(&mut self, request: Request<Streaming<Ask>>) -> Self::Future {
        Box::pin(async move {
            let (metadata, _, mut asks) = request.into_parts();
            let mut all = Told::default();
            while let Some(ask) = asks.message().await? {
                all.text += &answer(&ask, &metadata).await?.text;
            }
            Ok(Response::new(all))
        })
    }
}

struct Bidi;
impl StreamingService<Ask> for Bidi {
    type Response = Told;
    type ResponseStream = Answers;
    type Future = BoxFuture<Response<Answers>, Status>;
    fn call(&mut self, request: Request<Streaming<Ask>>) -> Self::Future {
        Box::pin(async move {
            let (metadata, _, asks) = request.into_parts();
            let answers = asks.then(move |ask| {
                let metadata = metadata.clone();
                async move { answer(&ask?, &metadata).await }
            });
            Ok(Response::new(Box::pin(answers) as Answers))
        })
    }
}
