//! The server: tonic over TLS, in a process of its own, that counts the bytes of its connections.

use crate::Failure;
use crate::message::{Bytes, Payload};
use rustls_pki_types::PrivateKeyDer;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_stream::{Stream, wrappers::ReceiverStream};
use tonic::codegen::{BoxFuture, Service};
use tonic::server::{Grpc, NamedService, ServerStreamingService, UnaryService};
use tonic::transport::server::Connected;
use tonic::{Request, Response, Status};
use tonic_cloud_run::tonic::{self, body::Body};
use tonic_prost::ProstCodec;

/// The first argument of the server's process.
pub(crate) const ROLE: &str = "--serve";

/// The streams that the port for slow calls takes on a connection.
const FEW: u32 = 100;

/// How late the port far away begins.
const FAR: Duration = Duration::from_millis(30);

/// A server that runs until this is dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) ca: String,
    /// Takes a thousand calls at once on each connection.
    pub(crate) wide: SocketAddr,
    /// Takes a hundred.
    pub(crate) narrow: SocketAddr,
    /// Begins the TLS handshake late, as a server far away does.
    pub(crate) far: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn start() -> Result<Server, Failure> {
    let mut process = Command::new(std::env::current_exe()?)
        .arg(ROLE)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(process.stdout.take().ok_or("no output")?).lines();
    let mut line = || {
        lines
            .next()
            .ok_or("the server has died")?
            .map_err(Failure::from)
    };
    let (wide, narrow, far) = (line()?.parse()?, line()?.parse()?, line()?.parse()?);
    let mut ca = String::new();
    while !ca.contains("-----END") {
        ca += &line()?;
        ca += "\n";
    }
    Ok(Server {
        process,
        ca,
        wide,
        narrow,
        far,
    })
}

pub(crate) fn serve() -> Result<(), Failure> {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed([crate::clients::HOST.to_owned()])?;
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)?;
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let tls = TlsAcceptor::from(Arc::new(tls));
    tokio::runtime::Runtime::new()?.block_on(async {
        let wide = TcpListener::bind("127.0.0.1:0").await?;
        let narrow = TcpListener::bind("127.0.0.1:0").await?;
        let far = TcpListener::bind("127.0.0.1:0").await?;
        println!(
            "{}\n{}\n{}\n{}",
            wide.local_addr()?,
            narrow.local_addr()?,
            far.local_addr()?,
            cert.pem()
        );
        let counts = Counts::default();
        tokio::try_join!(
            listen(wide, tls.clone(), counts.clone(), 1000, Duration::ZERO),
            listen(narrow, tls.clone(), counts.clone(), FEW, Duration::ZERO),
            listen(far, tls, counts, 1000, FAR),
        )?;
        Ok(())
    })
}

async fn listen(
    listener: TcpListener,
    tls: TlsAcceptor,
    counts: Counts,
    streams: u32,
    late: Duration,
) -> Result<(), Failure> {
    let (sender, connections) = tokio::sync::mpsc::channel(64);
    let service = Bench(counts.clone());
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (tls, counts, sender) = (tls.clone(), counts.clone(), sender.clone());
            tokio::spawn(async move {
                let _ = tcp.set_nodelay(true);
                if !late.is_zero() {
                    tokio::time::sleep(late).await;
                }
                let tcp = Counted(tcp, counts.tcp);
                if let Ok(tls) = tls.accept(tcp).await {
                    let _ = sender
                        .send(Ok::<_, std::io::Error>(Counted(tls, counts.http2)))
                        .await;
                }
            });
        }
    });
    tonic::transport::Server::builder()
        .max_concurrent_streams(streams)
        .add_service(service)
        .serve_with_incoming(ReceiverStream::new(connections))
        .await?;
    Ok(())
}

#[derive(Clone, Default)]
struct Counts {
    tcp: Arc<AtomicU64>,
    http2: Arc<AtomicU64>,
}

/// A connection whose bytes are counted, both ways.
struct Counted<T>(T, Arc<AtomicU64>);

impl<T> Connected for Counted<T> {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl<T: AsyncRead + Unpin> AsyncRead for Counted<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.0).poll_read(cx, buffer);
        self.1
            .fetch_add((buffer.filled().len() - before) as u64, Relaxed);
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Counted<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.0).poll_write(cx, data);
        if let Poll::Ready(Ok(bytes)) = written {
            self.1.fetch_add(bytes as u64, Relaxed);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[derive(Clone)]
struct Bench(Counts);

impl NamedService for Bench {
    const NAME: &'static str = "bench.Bench";
}

impl Service<http::Request<Body>> for Bench {
    type Response = http::Response<Body>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let counts = self.0.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<Payload, Payload>::default());
            Ok(match request.uri().path() {
                "/bench.Bench/Unary" => grpc.unary(Unary, request).await,
                "/bench.Bench/Stream" => grpc.server_streaming(Repeat, request).await,
                "/bench.Bench/Bytes" => {
                    let mut grpc = Grpc::new(ProstCodec::<Bytes, Payload>::default());
                    grpc.unary(Count(counts), request).await
                }
                _ => Status::unimplemented("no such method").into_http(),
            })
        })
    }
}

struct Unary;
impl UnaryService<Payload> for Unary {
    type Response = Payload;
    type Future = BoxFuture<Response<Payload>, Status>;
    fn call(&mut self, request: Request<Payload>) -> Self::Future {
        Box::pin(async move {
            let payload = request.into_inner();
            if payload.pause > 0 {
                tokio::time::sleep(Duration::from_millis(payload.pause)).await;
            }
            Ok(Response::new(payload))
        })
    }
}

struct Repeat;
impl ServerStreamingService<Payload> for Repeat {
    type Response = Payload;
    type ResponseStream = Pin<Box<dyn Stream<Item = Result<Payload, Status>> + Send>>;
    type Future = BoxFuture<Response<Self::ResponseStream>, Status>;
    fn call(&mut self, request: Request<Payload>) -> Self::Future {
        let payload = request.into_inner();
        let all = (0..payload.times).map(move |_| Ok(payload.clone()));
        let stream: Self::ResponseStream = Box::pin(tokio_stream::iter(all));
        Box::pin(std::future::ready(Ok(Response::new(stream))))
    }
}

struct Count(Counts);
impl UnaryService<Payload> for Count {
    type Response = Bytes;
    type Future = BoxFuture<Response<Bytes>, Status>;
    fn call(&mut self, _: Request<Payload>) -> Self::Future {
        let bytes = Bytes {
            tcp: self.0.tcp.load(Relaxed),
            http2: self.0.http2.load(Relaxed),
        };
        Box::pin(std::future::ready(Ok(Response::new(bytes))))
    }
}
