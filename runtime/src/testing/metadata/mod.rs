//! The metadata server: mints ID tokens over plain HTTP/1.1, as Google's does on Cloud Run, GKE and VMs.

mod answer;
mod query;
mod state;

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use self::state::{Settings, State};
use super::error::Error;
use super::events::EventLog;
use super::fault::{MetadataFault, Plan};
use super::issuer::Issuer;
use super::lock::lock;
use super::server::{Connection, Server};

/// The fake's metadata server: its tokens, its faults and its counters. See
/// [`FakeCloudRun::metadata`](super::FakeCloudRun::metadata).
///
/// It serves, under `/computeMetadata/v1/instance/service-accounts/default/` (or the account's email in place of
/// `default`), `identity?audience=…[&format=full]`, `email` and, with `?recursive=true`, all at once; further `/computeMetadata/v1/project/project-id`,
/// `/computeMetadata/v1/universe/universe-domain` and `/`. All but the last need the header `Metadata-Flavor: Google`.
///
/// Every method takes effect at once, on the requests that come from then on, and may be called from any thread.
pub struct MetadataServer {
    state: Arc<State>,
    server: Server,
}

impl MetadataServer {
    pub(super) fn start(
        issuer: Arc<Issuer>,
        events: Arc<EventLog>,
        identity: String,
        lifetime: Duration,
    ) -> Result<Self, Error> {
        let state = Arc::new(State {
            issuer,
            events,
            identity,
            faults: Plan::new(),
            settings: Mutex::new(Settings {
                lifetime,
                delay: Duration::ZERO,
                repeat_until: None,
            }),
            requests: AtomicU64::new(0),
            minted: AtomicU64::new(0),
            handed_out: Mutex::new(HashMap::new()),
        });
        let server = {
            let state = state.clone();
            Server::start("the fake metadata server", move |stream, connection| {
                serve(state.clone(), stream, connection)
            })?
        };
        Ok(Self { state, server })
    }

    /// Where it listens: a port of 127.0.0.1. As text it is a value for `GCE_METADATA_HOST`.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.port().address()
    }

    /// The email of the service account that its tokens stand for.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.state.identity
    }
}

/// Tokens.
impl MetadataServer {
    /// How long new tokens are good; `exp` counts whole seconds.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        lock(&self.state.settings).lifetime = lifetime;
    }

    /// Whether to hand out the same token again, for the same audience and format, until `before_end` before
    /// its end. Google's servers do so until 4 to 5 minutes before. Default: `None`, each request gets a new
    /// token.
    pub fn set_repeat_until(&self, before_end: Option<Duration>) {
        lock(&self.state.settings).repeat_until = before_end;
    }
}

/// Faults of token requests. The other paths are served all the same.
impl MetadataServer {
    /// The next `count` token requests meet `fault`, after the faults that were queued before.
    pub fn fail_next(&self, count: u64, fault: MetadataFault) {
        self.state.faults.fail_next(count, fault);
    }

    /// Every token request that meets no queued fault meets this one, until [`clear_faults`](Self::clear_faults).
    pub fn set_fault(&self, fault: MetadataFault) {
        self.state.faults.set(fault);
    }

    /// No request meets a fault any more. Requests that hang go on hanging.
    pub fn clear_faults(&self) {
        self.state.faults.clear();
    }

    /// How long to wait before each answer to a token request, faults included. Default: not at all.
    pub fn set_delay(&self, delay: Duration) {
        lock(&self.state.settings).delay = delay;
    }

    /// Refuses connections and closes those that are open, as if the server were not there. The port stays
    /// reserved.
    ///
    /// # Errors
    /// When the system does not give the port back.
    pub fn refuse_connections(&self) -> Result<(), Error> {
        let refused = self.server.port().refuse_connections();
        self.server.disconnect();
        self.changed(refused)
    }

    /// Accepts and serves connections, as at the start.
    ///
    /// # Errors
    /// When the system does not give the port back.
    pub fn accept_connections(&self) -> Result<(), Error> {
        self.changed(self.server.port().accept_connections())
    }

    fn changed(&self, result: std::io::Result<()>) -> Result<(), Error> {
        result.map_err(|error| {
            Error::caused_by(
                format!(
                    "the fake metadata server cannot have {} again",
                    self.address()
                ),
                error,
            )
        })
    }
}

/// Counters, all from the start of the fake on.
impl MetadataServer {
    /// Token requests that came in, those that met a fault included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// Tokens that were minted, the bad ones of faults included. Repeated tokens count once.
    #[must_use]
    pub fn tokens_minted(&self) -> u64 {
        self.state.minted.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for MetadataServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetadataServer")
            .field("address", &self.address())
            .field("identity", &self.identity())
            .field("requests", &self.requests())
            .field("tokens_minted", &self.tokens_minted())
            .finish_non_exhaustive()
    }
}

async fn serve(state: Arc<State>, stream: TcpStream, connection: Arc<Connection>) {
    let service = service_fn(move |request| {
        let state = state.clone();
        async move { answer::answer(&state, &request).await }
    });
    let mut served = pin!(
        http1::Builder::new()
            .header_read_timeout(None)
            .serve_connection(TokioIo::new(stream), service)
    );
    // How a connection ends is the client's affair.
    tokio::select! {
        _ = served.as_mut() => return,
        () = connection.asked_to_go_away() => {}
    }
    served.as_mut().graceful_shutdown();
    let _ = served.await;
}
