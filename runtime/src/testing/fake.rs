//! A fake Cloud Run service with all that it takes to call it.

use std::error::Error as StdError;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use tonic::body::Body;
use tower_service::Service;

use crate::{Channel, ChannelBuilder, Credentials};

use super::builder::FakeCloudRunBuilder;
use super::error::Error;
use super::events::{EventLog, Events};
use super::front::Front;
use super::issuer::Issuer;
use super::metadata::MetadataServer;
use super::token::TokenSpec;

/// A gRPC service on a fake Cloud Run, with a fake metadata server, on loopback and in this process.
///
/// See the [module's documentation](super) for what it does and for an example. Dropping it stops everything.
#[derive(Debug)]
pub struct FakeCloudRun {
    pub(super) host: String,
    pub(super) audience: String,
    pub(super) issuer: Arc<Issuer>,
    pub(super) events: Arc<EventLog>,
    /// One for all channels: they share a token, as channels to a real service do.
    pub(super) credentials: Credentials,
    pub(super) metadata: MetadataServer,
    pub(super) front: Front,
}

impl FakeCloudRun {
    /// Starts a fake with every setting at its default; see [`FakeCloudRunBuilder::start`].
    ///
    /// # Errors
    /// Outside of a Tokio runtime, or when the system gives no port.
    ///
    /// # Panics
    /// Tokio does, on a runtime that was built without I/O.
    pub async fn start<S, B>(service: S) -> Result<Self, Error>
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<Box<dyn StdError + Send + Sync>>,
        S::Future: Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        Self::builder().start(service).await
    }

    /// Settings other than the default ones.
    pub fn builder() -> FakeCloudRunBuilder {
        FakeCloudRunBuilder::new()
    }

    /// The service's host name.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The service's own audience: `https://HOST`.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// The email of the service account for which the metadata server mints tokens.
    #[must_use]
    pub fn identity(&self) -> &str {
        self.metadata.identity()
    }

    /// Where the front listens: a port of 127.0.0.1.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.front.address()
    }

    /// The certificate of the authority that signed the front's certificate, as PEM.
    ///
    /// In a file that `SSL_CERT_FILE` names, it makes programs trust the front which use the system's roots.
    #[must_use]
    pub fn ca_certificate_pem(&self) -> &str {
        self.front.ca_certificate_pem()
    }

    /// A channel to the service, with nothing set that a channel to a real one would not have.
    ///
    /// # Errors
    /// As [`ChannelBuilder::build`].
    pub fn channel(&self) -> Result<Channel, crate::Error> {
        self.channel_builder().build()
    }

    /// A builder for a channel to the service: its host, connected to the [front's address](Self::address), trusting
    /// the [fake's authority](Self::ca_certificate_pem), with the [fake's credentials](Self::credentials).
    pub fn channel_builder(&self) -> ChannelBuilder {
        Channel::builder(self.host())
            .connect_to(self.address())
            .root_certificates_pem(self.ca_certificate_pem())
            .credentials(self.credentials())
    }

    /// Credentials that get their tokens from the [metadata server](Self::metadata). All of a fake's channels share
    /// them, and with them one token for each audience.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        self.credentials.clone()
    }

    /// The front: its faults, its connections and its counters.
    #[must_use]
    pub fn front(&self) -> &Front {
        &self.front
    }

    /// The metadata server: its tokens, its faults and its counters.
    #[must_use]
    pub fn metadata(&self) -> &MetadataServer {
        &self.metadata
    }

    /// What the front and the metadata server see from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        self.events.subscribe()
    }

    /// A token as `spec` says, signed with the key that the front trusts.
    #[must_use]
    pub fn mint(&self, spec: TokenSpec) -> String {
        self.issuer.mint(spec, self.identity()).0
    }

    /// A good token for this service: its audience, the fake's identity, one hour.
    #[must_use]
    pub fn token(&self) -> String {
        self.mint(TokenSpec::new(self.audience()))
    }

    /// The public key of the tokens as a JSON Web Key Set (RFC 7517), for services and tests that verify tokens
    /// themselves.
    #[must_use]
    pub fn key_set(&self) -> String {
        self.issuer.key_set()
    }
}

impl Drop for FakeCloudRun {
    fn drop(&mut self) {
        // The servers end as their fields are dropped; those who listen are told that this is all.
        self.events.close();
    }
}
