//! What can be set on a channel.

use super::Channel;
use super::connect::tls;
use super::connect::{Connector, Security};
use super::connection::Keepalive;
use super::connections::Connections;
use super::network::Network;
use crate::credentials::Credentials;
use crate::error::Error;
use crate::host::Host;
use crate::service_config::ServiceConfig;
use http::uri::{Authority, Scheme};
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The least that a connection is given (gRPC connection back-off specification).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// The shortest keepalive interval: servers answer more frequent pings with GOAWAY (gRFC A8).
const SHORTEST_KEEPALIVE: Duration = Duration::from_secs(10);

/// The header that carries the ID token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenHeader {
    /// `authorization`, the default. A call that brings an `authorization` of its own, meant for the application,
    /// keeps it: its ID token then travels in `x-serverless-authorization`.
    #[default]
    Authorization,
    /// `x-serverless-authorization`: Cloud Run checks it and takes it away, and leaves `authorization` to the
    /// application.
    XServerlessAuthorization,
}

/// A [`Channel`] in the making; from [`Channel::builder`].
///
/// ```
/// use std::time::Duration;
/// use tonic_cloud_run::{Channel, TokenHeader};
///
/// let channel = Channel::builder("bookstore.example.com")
///     .audience("https://bookstore.example.com") // as set with `gcloud run services update --add-custom-audiences`
///     .deadline(Duration::from_secs(10))
///     .token_header(TokenHeader::XServerlessAuthorization)
///     .build()?;
/// # Ok::<(), tonic_cloud_run::Error>(())
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct ChannelBuilder {
    host: String,
    audience: Option<String>,
    credentials: Option<Credentials>,
    token_header: TokenHeader,
    root_certificates: Vec<Vec<u8>>,
    connect_timeout: Duration,
    service_config: Option<String>,
    deadline: Option<Duration>,
    keepalive: Option<Keepalive>,
    connect_to: Option<SocketAddr>,
    plaintext_loopback: bool,
}

impl ChannelBuilder {
    pub(crate) fn new(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            audience: None,
            credentials: None,
            token_header: TokenHeader::default(),
            root_certificates: Vec::new(),
            connect_timeout: CONNECT_TIMEOUT,
            service_config: None,
            deadline: None,
            keepalive: None,
            connect_to: None,
            plaintext_loopback: false,
        }
    }

    /// The audience of the ID token: the service's URL, or one of its [custom audiences] for a custom domain.
    ///
    /// Default: `https://HOST` without a port, and without the `TAG---` of a traffic tag on a `run.app` name.
    ///
    /// [custom audiences]: https://cloud.google.com/run/docs/configuring/custom-audiences
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Who calls. Default: [`Credentials::application_default`].
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// The header that carries the ID token. Default: [`TokenHeader::Authorization`].
    pub fn token_header(mut self, header: TokenHeader) -> Self {
        self.token_header = header;
        self
    }

    /// Trusts these certificates (PEM, one or more) besides the system's; may be called several times.
    pub fn root_certificates_pem(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.root_certificates.push(pem.as_ref().to_vec());
        self
    }

    /// How long connecting may take: name lookup, TCP, TLS and the server's first word in HTTP/2 together. Default: 20 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The deadline of every call that sets none of its own ([`tonic::Request::set_timeout`]). Default: none.
    ///
    /// It covers the whole call: the token, connecting, the answer and, for streams, their last message too.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// What gRPC's [service config] (JSON) says of methods: `timeout`, `waitForReady`, `maxRequestMessageBytes`,
    /// `maxResponseMessageBytes`, and `retryPolicy` with `retryThrottling` after gRFC [A6]. Default: nothing, so only
    /// calls that never reached the application are sent again.
    ///
    /// A timeout here bounds what a call or [`deadline`](Self::deadline) asks for; it covers all attempts. A retry
    /// that would begin after it is not waited for: the call ends with the failure it has. Load balancing and health
    /// checking are Cloud Run's business, and unknown fields are ignored, as the specification says; hedging is
    /// refused.
    ///
    /// ```
    /// # fn main() -> Result<(), tonic_cloud_run::Error> {
    /// use tonic_cloud_run::Channel;
    ///
    /// let channel = Channel::builder("bookstore-7x2kq-uc.a.run.app")
    ///     .service_config(
    ///         r#"{
    ///             "methodConfig": [{
    ///                 "name": [{"service": "bookstore.v1.Bookstore", "method": "GetBook"}],
    ///                 "timeout": "10s",
    ///                 "retryPolicy": {
    ///                     "maxAttempts": 4,
    ///                     "initialBackoff": "0.1s",
    ///                     "maxBackoff": "2s",
    ///                     "backoffMultiplier": 2,
    ///                     "retryableStatusCodes": ["UNAVAILABLE"]
    ///                 }
    ///             }],
    ///             "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1}
    ///         }"#,
    ///     )
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`build`](Self::build) names all that is wrong in it.
    ///
    /// [service config]: https://github.com/grpc/grpc/blob/master/doc/service_config.md
    /// [A6]: https://github.com/grpc/proposal/blob/master/A6-client-retries.md
    pub fn service_config(mut self, json: impl Into<String>) -> Self {
        self.service_config = Some(json.into());
        self
    }

    /// Pings the server every `interval` (10 seconds at least) while calls are open (gRFC A8), and gives the connection
    /// up when no answer comes within `timeout`. Default: no pings.
    pub fn keepalive(mut self, interval: Duration, timeout: Duration) -> Self {
        self.keepalive = Some(Keepalive { interval, timeout });
        self
    }

    /// Connects to this address instead of where the host's name leads; certificate, `:authority` and audience stay
    /// the host's. For tests, tunnels and private endpoints.
    pub fn connect_to(mut self, address: SocketAddr) -> Self {
        self.connect_to = Some(address);
        self
    }

    /// Speaks HTTP/2 without TLS, and **sends no ID token**. For a service on this machine during development: the
    /// host must be a loopback address, and [`credentials`](Self::credentials) must not be set.
    pub fn danger_plaintext_loopback(mut self) -> Self {
        self.plaintext_loopback = true;
        self
    }

    /// Makes the channel. No I/O is done, and no Tokio runtime is needed.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidHost`](crate::ErrorKind::InvalidHost) or
    /// [`ErrorKind::InvalidConfiguration`](crate::ErrorKind::InvalidConfiguration), with a text that says what to
    /// write instead.
    pub fn build(self) -> Result<Channel, Error> {
        let host = Host::parse(&self.host)?;
        if self.connect_timeout.is_zero() {
            return Err(Error::configuration(
                "`connect_timeout` is zero: no connection could ever be made in time",
            ));
        }
        if self.deadline.is_some_and(|deadline| deadline.is_zero()) {
            return Err(Error::configuration(
                "`deadline` is zero: every call would fail at once",
            ));
        }
        if let Some(keepalive) = self.keepalive
            && keepalive.interval < SHORTEST_KEEPALIVE
        {
            return Err(Error::configuration(format!(
                "the `keepalive` interval of {:?} is below {SHORTEST_KEEPALIVE:?}: servers end connections that ping \
                 so often",
                keepalive.interval
            )));
        }
        let audience = match self.audience {
            Some(audience) => checked_audience(audience)?,
            None => host.audience(),
        };
        let mut extra_roots = Vec::new();
        for pem in &self.root_certificates {
            extra_roots.extend(tls::parse_roots(pem)?);
        }
        let (security, credentials) = if self.plaintext_loopback {
            check_plaintext(&host, self.connect_to, self.credentials.as_ref())?;
            (Security::Plaintext, Credentials::none())
        } else {
            let credentials = self
                .credentials
                .unwrap_or_else(Credentials::application_default);
            (
                Security::Tls {
                    extra_roots,
                    config: OnceLock::new(),
                },
                credentials,
            )
        };
        let connector = Connector {
            host: host.clone(),
            address: self.connect_to,
            security,
            timeout: self.connect_timeout,
            keepalive: self.keepalive,
        };
        let service_config = match &self.service_config {
            Some(json) => Some(Box::new(ServiceConfig::parse(json)?)),
            None => None,
        };
        Ok(Channel::over(Network {
            service_config,
            tokens: credentials.cache(&audience),
            connections: Arc::new(Connections::new(connector)),
            authority: authority(&host)?,
            scheme: if self.plaintext_loopback {
                Scheme::HTTP
            } else {
                Scheme::HTTPS
            },
            token_header: self.token_header,
            default_deadline: self.deadline,
            audience,
            host,
        }))
    }
}

fn authority(host: &Host) -> Result<Authority, Error> {
    host.authority().parse().map_err(|error| {
        Error::configuration(format!(
            "{host} cannot be sent as HTTP/2 `:authority`: {error}"
        ))
        .with_host(host)
    })
}

fn checked_audience(audience: String) -> Result<String, Error> {
    if audience.is_empty()
        || audience
            .chars()
            .any(|c| c.is_whitespace() || c.is_control())
    {
        return Err(Error::configuration(format!(
            "the audience {audience:?} is empty or has spaces in it; give the service's URL, https://HOST, or one of \
             its custom audiences"
        )));
    }
    Ok(audience)
}

fn check_plaintext(
    host: &Host,
    connect_to: Option<SocketAddr>,
    credentials: Option<&Credentials>,
) -> Result<(), Error> {
    let elsewhere = connect_to.is_some_and(|address| !address.ip().is_loopback());
    if elsewhere || (connect_to.is_none() && !host.is_loopback()) {
        return Err(Error::configuration(format!(
            "`danger_plaintext_loopback` is for this machine alone, and {host} is not a loopback address; use \
             localhost, 127.0.0.1 or [::1], or leave it out to connect with TLS"
        )));
    }
    if credentials.is_some() {
        return Err(Error::configuration(
            "`danger_plaintext_loopback` sends no ID token, so `credentials` would go unused; leave out one of them",
        ));
    }
    Ok(())
}

impl fmt::Debug for ChannelBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChannelBuilder")
            .field("host", &self.host)
            .field("audience", &self.audience)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}
