//! One connection: name lookup, TCP, TLS, HTTP/2.

use super::connection::{self, HandshakeError, Keepalive, Sender};
use super::tls;
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use rustls::ClientConfig;
use rustls_pki_types::{CertificateDer, ServerName};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tonic::Code;

/// Whether the connection is encrypted.
pub(crate) enum Security {
    /// TLS, trusting the system's roots and these.
    Tls {
        extra_roots: Vec<CertificateDer<'static>>,
        config: OnceLock<Arc<ClientConfig>>,
    },
    /// Nothing: for loopback only.
    Plaintext,
}

/// Makes connections to one host.
pub(crate) struct Connector {
    pub(crate) host: Host,
    /// Where to connect instead of where the host's name leads.
    pub(crate) address: Option<SocketAddr>,
    pub(crate) security: Security,
    pub(crate) timeout: Duration,
    pub(crate) keepalive: Option<Keepalive>,
}

impl Connector {
    /// A new connection, within the connect time limit. Its task runs on the current Tokio runtime and ends when
    /// the last sender and the last stream are gone.
    pub(crate) async fn connect(&self) -> Result<Sender, Error> {
        tokio::time::timeout(self.timeout, self.establish()).await.unwrap_or_else(|_| {
            Err(self.failed(
                format!("not connected within {:?}", self.timeout),
                "a firewall or a VPC route may be dropping the packets; the limit is `connect_timeout`",
            ))
        })
    }

    /// The error of a call for which no connection could be made since its Tokio runtime does not carry tasks.
    pub(crate) fn lost(&self) -> Error {
        self.failed(
            "the tasks that open the connection are lost",
            "is the Tokio runtime shutting down, or was it built without `enable_all`?",
        )
    }

    /// The error of a call on a channel that was closed.
    pub(crate) fn closed(&self) -> Error {
        Error::new(
            ErrorKind::Connect,
            Code::Cancelled,
            format!(
                "the channel to {} has been closed and takes no more calls; make another",
                self.host
            ),
        )
        .with_host(&self.host)
    }

    /// The error of a call for which too many wait already.
    pub(crate) fn crowded(&self, waiting: usize) -> Error {
        Error::new(
            ErrorKind::Connect,
            Code::ResourceExhausted,
            format!(
                "{waiting} calls to {} wait already; make fewer at once, or give them deadlines, so that they do not pile up",
                self.host
            ),
        )
        .with_host(&self.host)
    }

    async fn establish(&self) -> Result<Sender, Error> {
        let tcp = self.tcp().await?;
        match &self.security {
            Security::Plaintext => self.http2(tcp).await,
            Security::Tls {
                extra_roots,
                config,
            } => {
                let config = self.tls_config(extra_roots, config).await?;
                self.http2(self.tls(tcp, config).await?).await
            }
        }
    }

    async fn tcp(&self) -> Result<TcpStream, Error> {
        let addresses = match self.address {
            Some(address) => vec![address],
            None => tokio::net::lookup_host((self.host.name(), self.host.port()))
                .await
                .map_err(|error| {
                    self.failed(
                        format!("its name cannot be resolved: {error}"),
                        "check the spelling of the host, and DNS from here",
                    )
                    .with_source(error)
                })?
                .collect(),
        };
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no addresses");
        for address in addresses {
            if matches!(self.security, Security::Plaintext) && !address.ip().is_loopback() {
                return Err(self.failed(
                    format!("its name leads to {address}, which is not this machine"),
                    "calls without TLS stay on loopback addresses",
                ));
            }
            match TcpStream::connect(address).await {
                Ok(tcp) => {
                    // Small frames must not wait for one another. Where the option is refused they do; no more.
                    let _ = tcp.set_nodelay(true);
                    return Ok(tcp);
                }
                Err(error) => last = io::Error::new(error.kind(), format!("{address}: {error}")),
            }
        }
        let advice = match last.kind() {
            io::ErrorKind::ConnectionRefused => "nothing listens there: check the host and port",
            _ => "check the network, firewalls and VPC routes from here to there",
        };
        Err(self
            .failed(format!("no TCP connection: {last}"), advice)
            .with_source(last))
    }

    /// Made at the first connection, since it reads the system's certificate files, off the async threads.
    async fn tls_config(
        &self,
        extra_roots: &[CertificateDer<'static>],
        config: &OnceLock<Arc<ClientConfig>>,
    ) -> Result<Arc<ClientConfig>, Error> {
        if let Some(config) = config.get() {
            return Ok(config.clone());
        }
        let extra_roots = extra_roots.to_vec();
        let made = tokio::task::spawn_blocking(move || tls::client_config(&extra_roots))
            .await
            .map_err(|error| {
                self.failed(
                    format!("TLS could not be set up: {error}"),
                    "the Tokio runtime is shutting down",
                )
            })??;
        Ok(config.get_or_init(|| made).clone())
    }

    async fn tls(
        &self,
        tcp: TcpStream,
        config: Arc<ClientConfig>,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Error> {
        let name = ServerName::try_from(self.host.name().to_owned()).map_err(|error| {
            self.failed(
                format!("it is not a name that TLS can verify: {error}"),
                "check the host",
            )
            .with_source(error)
        })?;
        let stream = tokio_rustls::TlsConnector::from(config)
            .connect(name, tcp)
            .await
            .map_err(|error| {
                self.failed(
                    format!("the TLS handshake failed: {error}"),
                    tls::advice(&error),
                )
                .with_source(error)
            })?;
        match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => Ok(stream),
            _ => Err(self.failed(
                "the server did not agree to HTTP/2 (TLS ALPN)",
                "gRPC needs HTTP/2 from end to end: is a proxy or an HTTP/1-only server in the way?",
            )),
        }
    }

    async fn http2<T>(&self, io: T) -> Result<Sender, Error>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        connection::open(io, self.keepalive)
            .await
            .map_err(|error| match error {
                HandshakeError::Closed => self.failed(
                    "the server closed the connection before it said anything in HTTP/2",
                    "it may be restarting; or is a proxy in the way that does not speak HTTP/2?",
                ),
                HandshakeError::Http2(error) => self
                    .failed(
                        format!("the HTTP/2 handshake failed: {error}"),
                        "the server closed the connection or does not speak HTTP/2",
                    )
                    .with_source(error),
            })
    }

    fn failed(&self, what: impl fmt::Display, advice: &str) -> Error {
        let at = self
            .address
            .map(|address| format!(" (connect_to {address})"))
            .unwrap_or_default();
        Error::new(
            ErrorKind::Connect,
            Code::Unavailable,
            format!("cannot connect to {}{at}: {what}; {advice}", self.host),
        )
        .with_host(&self.host)
    }
}
