//! A bare HTTP client: rustls and hyper, no retries, no pool, no tokens.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic_cloud_run::testing::FakeCloudRun;

pub(crate) type Sender = http2::SendRequest<Full<Bytes>>;

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) trailers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) async fn read<B>(response: Response<B>) -> Self
    where
        B: hyper::body::Body,
        B::Error: std::fmt::Debug,
    {
        let (head, body) = response.into_parts();
        let collected = body.collect().await.unwrap();
        Self {
            status: head.status,
            headers: head.headers,
            trailers: collected.trailers().cloned().unwrap_or_default(),
            body: String::from_utf8_lossy(&collected.to_bytes()).into_owned(),
        }
    }
}

/// A TLS connection to the fake's front that trusts its authority.
pub(crate) async fn tls(
    fake: &FakeCloudRun,
    name: &str,
    protocols: &[&str],
) -> io::Result<TlsStream<TcpStream>> {
    let authority = CertificateDer::from_pem_slice(fake.ca_certificate_pem().as_bytes()).unwrap();
    tls_trusting(fake, Some(authority), name, protocols).await
}

pub(crate) async fn tls_trusting(
    fake: &FakeCloudRun,
    authority: Option<CertificateDer<'_>>,
    name: &str,
    protocols: &[&str],
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    if let Some(authority) = authority {
        roots.add(authority.into_owned()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    let stream = TcpStream::connect(fake.address()).await?;
    TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from(name.to_owned()).unwrap(), stream)
        .await
}

/// An HTTP/2 connection to the fake's front.
pub(crate) async fn connect(fake: &FakeCloudRun) -> io::Result<Sender> {
    let stream = tls(fake, fake.host(), &["h2"]).await?;
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    tokio::spawn(connection);
    Ok(sender)
}

/// A gRPC request to tonic-health's `Check`, without a token.
pub(crate) fn request(host: &str, headers: &[(&str, &str)]) -> Request<Full<Bytes>> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(format!("https://{host}/grpc.health.v1.Health/Check"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    // One gRPC frame: not compressed, of length 0, the default message.
    request
        .body(Full::new(Bytes::from_static(&[0, 0, 0, 0, 0])))
        .unwrap()
}

/// One call on a connection of its own.
pub(crate) async fn call(fake: &FakeCloudRun, headers: &[(&str, &str)]) -> Answer {
    call_host(fake, fake.host(), headers).await
}

pub(crate) async fn call_host(fake: &FakeCloudRun, host: &str, headers: &[(&str, &str)]) -> Answer {
    let mut sender = connect(fake).await.unwrap();
    Answer::read(sender.send_request(request(host, headers)).await.unwrap()).await
}

/// One call with `token` in `authorization`.
pub(crate) async fn call_with(fake: &FakeCloudRun, token: &str) -> Answer {
    call(fake, &[("authorization", &format!("Bearer {token}"))]).await
}

/// One request to the metadata server.
pub(crate) async fn metadata(
    fake: &FakeCloudRun,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<Answer, hyper::Error> {
    let address = fake.metadata().address();
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = Request::get(path).header("host", address.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::<Bytes>::default()).unwrap();
    Ok(Answer::read(sender.send_request(request).await?).await)
}

/// A token request with `format=full`, as Google's libraries make it.
pub(crate) async fn fetch(fake: &FakeCloudRun, audience: &str) -> Result<Answer, hyper::Error> {
    let path = format!("{IDENTITY}?audience={audience}&format=full");
    metadata(fake, &path, FLAVOR).await
}

pub(crate) const IDENTITY: &str = "/computeMetadata/v1/instance/service-accounts/default/identity";
pub(crate) const FLAVOR: &[(&str, &str)] = &[("metadata-flavor", "Google")];

/// Waits until `condition` holds: for what the other end does in its own time. Fails after a minute.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..6000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited a minute in vain: {what}");
}
