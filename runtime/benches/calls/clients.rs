//! The contestants.

use crate::Failure;
use crate::message::{BYTES, Bytes, Payload, STREAM, UNARY};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tonic::client::Grpc;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint};
use tonic::{Request, Status};
use tonic_cloud_run::{
    Channel, Credentials, IdToken, TokenError, TokenHeader, TokenSource, codegen, tonic,
};
use tonic_prost::ProstCodec;

/// The name that the server's certificate has.
pub(crate) const HOST: &str = "bench-7x2kq-uc.a.run.app";

/// A way to make the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Hand-written tonic.
    Tonic,
    Authorization,
    XServerlessAuthorization,
}

impl Way {
    pub(crate) const ALL: [Self; 3] = [
        Self::Tonic,
        Self::Authorization,
        Self::XServerlessAuthorization,
    ];
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tonic => "tonic + interceptor",
            Self::Authorization => "authorization",
            Self::XServerlessAuthorization => "x-serverless-authorization",
        })
    }
}

#[derive(Clone)]
pub(crate) enum Client {
    Tonic(Grpc<InterceptedService<tonic::transport::Channel, Cached>>),
    Ours(codegen::Client),
}

impl Client {
    /// A client of the server at an address, with a token that takes so long to fetch: tonic's fetches it here, ours
    /// when it is called.
    pub(crate) async fn new(
        way: Way,
        address: SocketAddr,
        ca: &str,
        fetch: Duration,
    ) -> Result<Self, Failure> {
        let header = match way {
            Way::Tonic => {
                let tls = ClientTlsConfig::new()
                    .ca_certificate(Certificate::from_pem(ca))
                    .domain_name(HOST);
                let channel = Endpoint::from_shared(format!("https://{address}"))?
                    .tls_config(tls)?
                    .connect_lazy();
                let cached = Cached(format!("Bearer {}", token(fetch).await?).parse()?);
                let service = InterceptedService::new(channel, cached);
                return Ok(Self::Tonic(Grpc::new(service)));
            }
            Way::Authorization => TokenHeader::Authorization,
            Way::XServerlessAuthorization => TokenHeader::XServerlessAuthorization,
        };
        let channel = Channel::builder(HOST)
            .connect_to(address)
            .root_certificates_pem(ca)
            .credentials(Credentials::from_source(Source(fetch)))
            .token_header(header)
            .build()?;
        Ok(Self::Ours(codegen::Client::from_channel(channel)))
    }

    pub(crate) async fn unary(&self, payload: Payload) -> Result<Payload, Status> {
        let request = Request::new(payload);
        let response = match self {
            // A generated tonic client takes `&mut self`: those who share one clone it for each call.
            Self::Tonic(grpc) => {
                let mut grpc = grpc.clone();
                ready(&mut grpc).await?;
                let path = http::uri::PathAndQuery::from_static("/bench.Bench/Unary");
                grpc.unary(request, path, ProstCodec::default()).await?
            }
            Self::Ours(client) => client.unary(&UNARY, request).await?,
        };
        Ok(response.into_inner())
    }

    /// Reads a stream to its end; says how many messages it had.
    pub(crate) async fn stream(&self, payload: Payload) -> Result<u64, Status> {
        let request = Request::new(payload);
        let response: tonic::Response<tonic::Streaming<Payload>> = match self {
            Self::Tonic(grpc) => {
                let mut grpc = grpc.clone();
                ready(&mut grpc).await?;
                let path = http::uri::PathAndQuery::from_static("/bench.Bench/Stream");
                grpc.server_streaming(request, path, ProstCodec::default())
                    .await?
            }
            Self::Ours(client) => client.server_streaming(&STREAM, request).await?,
        };
        let mut messages = response.into_inner();
        let mut read = 0;
        while messages.message().await?.is_some() {
            read += 1;
        }
        Ok(read)
    }

    /// What the server has counted.
    pub(crate) async fn bytes(&self) -> Result<Bytes, Status> {
        let request = Request::new(Payload::default());
        let response = match self {
            Self::Tonic(grpc) => {
                let mut grpc = grpc.clone();
                ready(&mut grpc).await?;
                let path = http::uri::PathAndQuery::from_static("/bench.Bench/Bytes");
                grpc.unary(request, path, ProstCodec::default()).await?
            }
            Self::Ours(client) => client.unary(&BYTES, request).await?,
        };
        Ok(response.into_inner())
    }
}

/// As generated tonic clients do before each call.
async fn ready(
    grpc: &mut Grpc<InterceptedService<tonic::transport::Channel, Cached>>,
) -> Result<(), Status> {
    grpc.ready()
        .await
        .map_err(|error| Status::unknown(format!("the service was not ready: {error}")))
}

/// Adds the same token to every call.
#[derive(Clone)]
pub(crate) struct Cached(MetadataValue<Ascii>);

impl Interceptor for Cached {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request
            .metadata_mut()
            .insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// The same token, from a source that takes so long.
struct Source(Duration);

impl TokenSource for Source {
    async fn token(&self, _: &str) -> Result<IdToken, TokenError> {
        let token = token(self.0)
            .await
            .map_err(|error| TokenError::permanent(error.to_string()))?;
        IdToken::parse(token).map_err(|error| TokenError::permanent(error.to_string()))
    }
}

/// A token of the usual length, about 900 bytes, that nobody verifies.
async fn token(fetch: Duration) -> Result<String, Failure> {
    if !fetch.is_zero() {
        tokio::time::sleep(fetch).await;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let header = r#"{"alg":"RS256","kid":"763f7c4cd26a1eb2b1b39a88f4434d1f4d9a368b","typ":"JWT"}"#;
    let claims = format!(
        r#"{{"aud":"https://{HOST}","azp":"110169484474386276334","email":"caller@a-project-of-mine.iam.gserviceaccount.com","email_verified":true,"exp":{},"iat":{now},"iss":"https://accounts.google.com","sub":"110169484474386276334"}}"#,
        now + 3600
    );
    let signature: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..))
        .take(256)
        .collect();
    Ok(format!(
        "{}.{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims),
        URL_SAFE_NO_PAD.encode(signature)
    ))
}
