//! One connection: name lookup, TCP, TLS, HTTP/2.

mod proxy;
mod race;
mod step;
pub(crate) mod tls;

use super::connection::{self, HandshakeError, Keepalive, Sender};
use crate::error::{Error, ErrorKind};
use crate::host::Host;
use proxy::{Proxy, ProxyError};
use rustls::ClientConfig;
use rustls_pki_types::{CertificateDer, ServerName};
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use step::{Step, Steps};
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
        let steps = Steps::default();
        tokio::time::timeout(self.timeout, self.establish(&steps))
            .await
            .unwrap_or_else(|_| {
                let step = steps.last();
                Err(self.failed(
                    format!(
                        "not connected within {:?}, waiting for {step}",
                        self.timeout
                    ),
                    step.advice(),
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

    async fn establish(&self, steps: &Steps) -> Result<Sender, Error> {
        let tcp = self.tcp(steps).await?;
        // Small frames must not wait for one another. Where the option is refused they do; no more.
        let _ = tcp.set_nodelay(true);
        match &self.security {
            Security::Plaintext => self.http2(tcp, steps).await,
            Security::Tls {
                extra_roots,
                config,
            } => {
                let config = self.tls_config(extra_roots, config).await?;
                steps.at(Step::Tls);
                self.http2(self.tls(tcp, config).await?, steps).await
            }
        }
    }

    /// A connection to the host, through a proxy where the environment sets one.
    async fn tcp(&self, steps: &Steps) -> Result<TcpStream, Error> {
        if let Some(address) = self.address {
            return self.reach(vec![address], steps).await;
        }
        if matches!(self.security, Security::Plaintext) {
            let addresses = self.resolve(self.host.name(), self.host.port()).await?;
            if let Some(elsewhere) = addresses.iter().find(|it| !it.ip().is_loopback()) {
                return Err(self.failed(
                    format!("its name leads to {elsewhere}, which is not this machine"),
                    "calls without TLS stay on loopback addresses",
                ));
            }
            return self.reach(addresses, steps).await;
        }
        let proxy = Proxy::of_environment(&self.host).map_err(|error| self.no_tunnel("", error))?;
        let Some(proxy) = proxy else {
            let addresses = self.resolve(self.host.name(), self.host.port()).await?;
            return self.reach(addresses, steps).await;
        };
        let at = format!(" {proxy}");
        steps.at(Step::Proxy(proxy.to_string()));
        let addresses = self.resolve(&proxy.name, proxy.port).await?;
        let mut tcp = race::connect(addresses)
            .await
            .map_err(|error| self.no_tunnel(&at, ProxyError::Unreachable(error)))?;
        proxy
            .tunnel(&mut tcp, &self.host)
            .await
            .map_err(|error| self.no_tunnel(&at, error))?;
        Ok(tcp)
    }

    /// Looked up anew for each connection: a host may move.
    async fn resolve(&self, name: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
        match tokio::net::lookup_host((name, port)).await {
            Ok(addresses) => Ok(addresses.collect()),
            Err(error) if name == self.host.name() => Err(self
                .failed(
                    format!("its name cannot be resolved: {error}"),
                    "check the spelling of the host, and DNS from here",
                )
                .with_source(error)),
            Err(error) => Err(self
                .failed(
                    format!("the name of the proxy {name} cannot be resolved: {error}"),
                    "check HTTPS_PROXY, or except the host with NO_PROXY",
                )
                .with_source(error)),
        }
    }

    async fn reach(&self, addresses: Vec<SocketAddr>, steps: &Steps) -> Result<TcpStream, Error> {
        steps.at(Step::Tcp(addresses.clone()));
        race::connect(addresses).await.map_err(|error| {
            let advice = if error.is_refused() {
                "nothing listens there: check the host and port"
            } else {
                "check the network, firewalls and VPC routes from here to there"
            };
            self.failed(format!("no TCP connection: {error}"), advice)
                .with_source(error)
        })
    }

    fn no_tunnel(&self, at: &str, error: ProxyError) -> Error {
        self.failed(
            format!("no way through the proxy{at}: {error}"),
            error.advice(),
        )
        .with_source(error)
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

    async fn http2<T>(&self, io: T, steps: &Steps) -> Result<Sender, Error>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        steps.at(Step::Settings);
        connection::open(io, self.keepalive, &self.host)
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
