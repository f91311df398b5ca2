//! The settings of a fake, and its start.

use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Response};
use tonic::body::Body;
use tower_service::Service;

use crate::Credentials;

use super::ca::Tls;
use super::error::Error;
use super::events::EventLog;
use super::fake::FakeCloudRun;
use super::front::{App, Front, Gate};
use super::issuer::{Clock, Issuer};
use super::metadata::MetadataServer;

/// The settings of a [`FakeCloudRun`]; see [`FakeCloudRun::builder`].
#[derive(Clone)]
#[must_use]
pub struct FakeCloudRunBuilder {
    host: String,
    domains: Vec<String>,
    audiences: Vec<String>,
    identity: String,
    invokers: Vec<String>,
    everyone: bool,
    lifetime: Duration,
    max_concurrent_streams: u32,
    clock: Clock,
}

impl FakeCloudRunBuilder {
    pub(super) fn new() -> Self {
        Self {
            host: "bookstore-7x2kq-uc.a.run.app".to_owned(),
            domains: Vec::new(),
            audiences: Vec::new(),
            identity: "caller@project.iam.gserviceaccount.com".to_owned(),
            invokers: Vec::new(),
            everyone: false,
            lifetime: Duration::from_hours(1),
            max_concurrent_streams: 100,
            clock: Arc::new(SystemTime::now),
        }
    }

    /// The service's host name, without scheme and port. `https://HOST` is an audience that it accepts.
    /// Requests for traffic tags (`TAG---HOST`) reach it as well. Default: `bookstore-7x2kq-uc.a.run.app`.
    ///
    /// With `localhost`, clients that cannot connect to another address than their host's reach it as
    /// `localhost:PORT`.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    /// A further host name under which requests reach the service, such as a custom domain. As on Cloud Run,
    /// that does not make it an audience: see [`accept_audience`](Self::accept_audience).
    pub fn domain(mut self, host: impl Into<String>) -> Self {
        self.domains.push(host.into());
        self
    }

    /// A further audience that the service accepts: a custom audience of Cloud Run, or an OAuth client id.
    pub fn accept_audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// The email of the service account for which the metadata server mints tokens. It has
    /// `roles/run.invoker` until [`Front::revoke_invoker`]. Default: `caller@project.iam.gserviceaccount.com`.
    pub fn identity(mut self, email: impl Into<String>) -> Self {
        self.identity = email.into();
        self
    }

    /// A further identity that has `roles/run.invoker`.
    pub fn invoker(mut self, email: impl Into<String>) -> Self {
        self.invokers.push(email.into());
        self
    }

    /// Lets every call in, as a public service does (`allUsers` has `roles/run.invoker`). Tokens are not looked
    /// at and reach the service as they are.
    pub fn allow_unauthenticated(mut self) -> Self {
        self.everyone = true;
        self
    }

    /// How long the metadata server's tokens are good; `exp` counts whole seconds. Default: one hour.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// The limit on concurrent calls that the front announces for each HTTP/2 connection. Default: 100, as
    /// Cloud Run.
    pub fn max_concurrent_streams(mut self, limit: u32) -> Self {
        self.max_concurrent_streams = limit;
        self
    }

    /// Where the time comes from, for minting tokens and for judging their expiry. Default: the system's clock.
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Starts the fake with `service` behind its front: a tonic server, tonic's `Routes`, or any other clonable
    /// HTTP service.
    ///
    /// The fake lives on the Tokio runtime that this is called on.
    ///
    /// # Errors
    /// When a host name is not one, outside of a Tokio runtime, or when the system gives no port.
    ///
    /// # Panics
    /// Tokio does, on a runtime that was built without I/O.
    #[expect(
        clippy::unused_async,
        reason = "async shows that it needs a runtime, and leaves room for waiting"
    )]
    pub async fn start<S, B>(self, service: S) -> Result<FakeCloudRun, Error>
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<Box<dyn StdError + Send + Sync>>,
        S::Future: Send,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.start_app(App::new(service))
    }

    fn start_app(self, app: App) -> Result<FakeCloudRun, Error> {
        let mut hosts = vec![host_name(&self.host)?];
        for domain in &self.domains {
            hosts.push(host_name(domain)?);
        }
        let host = hosts[0].clone();
        let audience = format!("https://{host}");
        let mut audiences = vec![audience.clone()];
        audiences.extend(self.audiences);

        let tls = Tls::new(&hosts)?;
        let events = Arc::new(EventLog::default());
        let issuer = Arc::new(Issuer::new(self.clock)?);
        let gate = Gate {
            issuer: issuer.clone(),
            hosts,
            audiences,
            everyone: self.everyone,
            invokers: Mutex::new(BTreeSet::new()),
        };
        gate.allow(&self.identity);
        for email in &self.invokers {
            gate.allow(email);
        }
        let metadata =
            MetadataServer::start(issuer.clone(), events.clone(), self.identity, self.lifetime)?;
        let credentials =
            Credentials::metadata_server_at(&format!("http://{}", metadata.address()));
        let front = Front::start(app, gate, tls, events.clone(), self.max_concurrent_streams)?;
        Ok(FakeCloudRun {
            host,
            audience,
            issuer,
            events,
            credentials,
            metadata,
            front,
        })
    }
}

impl fmt::Debug for FakeCloudRunBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeCloudRunBuilder")
            .field("host", &self.host)
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

/// `host` in lower case, if it is a host name and nothing more.
fn host_name(host: &str) -> Result<String, Error> {
    let is_name = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    if !is_name {
        return Err(Error::new(format!(
            "\"{host}\" is not a host name for a fake Cloud Run service; \
             give a name without scheme, port and path, such as bookstore-7x2kq-uc.a.run.app"
        )));
    }
    let host = host.to_ascii_lowercase();
    // The service would have an audience that no client of Cloud Run asks for.
    if host.ends_with(".run.app")
        && let Some((_, own)) = host.split_once("---")
    {
        return Err(Error::new(format!(
            "\"{host}\" has a traffic tag; give the fake the service's own host, {own}: \
             requests for its tags reach it as well"
        )));
    }
    Ok(host)
}
