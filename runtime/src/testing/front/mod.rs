//! The front: TLS and HTTP/2 as Google's front ends speak them, and Cloud Run's check of ID tokens.

mod app;
mod gate;
mod in_flight;
mod page;
mod serve;
mod state;

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use self::state::{Counts, State};
use super::ca::Tls;
use super::denial::Denial;
use super::error::Error;
use super::events::EventLog;
use super::fault::{FrontFault, Plan};
use super::lock::lock;
use super::server::Server;
use super::token::TokenInfo;

pub(super) use self::app::App;
pub(super) use self::gate::Gate;

/// The fake's front end: its faults, its doors and its counters. See
/// [`FakeCloudRun::front`](super::FakeCloudRun::front).
///
/// Every method takes effect at once and may be called from any thread.
pub struct Front {
    state: Arc<State>,
    server: Server,
}

impl Front {
    pub(super) fn start(
        app: App,
        gate: Gate,
        tls: Tls,
        events: Arc<EventLog>,
        max_concurrent_streams: u32,
    ) -> Result<Self, Error> {
        let state = Arc::new(State {
            app,
            gate,
            events,
            faults: Plan::new(),
            counts: Counts::default(),
            max_concurrent_streams,
            http1_only: AtomicBool::new(false),
            handshake_delay: Mutex::new(Duration::ZERO),
            tls,
            tokens: Mutex::default(),
        });
        let server = {
            let state = state.clone();
            Server::start("the fake Cloud Run front", move |stream, connection| {
                serve::serve(state.clone(), stream, connection)
            })?
        };
        Ok(Self { state, server })
    }

    /// Where it listens: a port of 127.0.0.1.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.port().address()
    }

    pub(super) fn ca_certificate_pem(&self) -> &str {
        &self.state.tls.ca_certificate_pem
    }
}

/// Faults of calls. A call that meets one is neither checked nor passed to the service.
impl Front {
    /// The next `count` calls meet `fault`; calls queue up behind faults that were queued before.
    pub fn fail_next(&self, count: u64, fault: FrontFault) {
        self.state.faults.fail_next(count, fault);
    }

    /// Every call that meets no queued fault meets this one, until [`clear_faults`](Self::clear_faults).
    pub fn set_fault(&self, fault: FrontFault) {
        self.state.faults.set(fault);
    }

    /// No call meets a fault any more. Calls that hang go on hanging.
    pub fn clear_faults(&self) {
        self.state.faults.clear();
    }
}

/// Connections.
impl Front {
    /// Refuses new connections; those that are open stay. The port stays reserved.
    ///
    /// # Errors
    /// When the system does not give the port back.
    pub fn refuse_connections(&self) -> Result<(), Error> {
        self.changed(self.server.port().refuse_connections())
    }

    /// Accepts new connections and never answers on them, not even the TLS handshake; those that are open
    /// stay. A connection accepted this way stays silent until [`disconnect`](Self::disconnect).
    ///
    /// # Errors
    /// When the system does not give the port back.
    pub fn stall_connections(&self) -> Result<(), Error> {
        self.changed(self.server.port().stall_connections())
    }

    /// Accepts and serves new connections, as at the start.
    ///
    /// # Errors
    /// When the system does not give the port back.
    pub fn accept_connections(&self) -> Result<(), Error> {
        self.changed(self.server.port().accept_connections())
    }

    /// Closes every open connection at once, without GOAWAY, as if the network had broken.
    pub fn disconnect(&self) {
        self.server.disconnect();
    }

    /// Ends every open connection as Google's front ends do when they recycle them: GOAWAY, then the calls
    /// under way are finished, then the connection is closed.
    pub fn go_away(&self) {
        self.server.go_away();
    }

    /// Closes every open connection at once and listens anew on the same port.
    ///
    /// # Errors
    /// When the system does not give the port back.
    pub fn restart(&self) -> Result<(), Error> {
        self.refuse_connections()?;
        self.disconnect();
        self.accept_connections()
    }

    /// Whether to offer HTTP/1.1 alone on new connections, as a proxy that breaks gRPC does.
    pub fn set_http1_only(&self, http1_only: bool) {
        self.state.http1_only.store(http1_only, Ordering::SeqCst);
    }

    /// How long to wait before the TLS handshake of each new connection. Default: not at all.
    pub fn set_handshake_delay(&self, delay: Duration) {
        *lock(&self.state.handshake_delay) = delay;
    }

    fn changed(&self, result: std::io::Result<()>) -> Result<(), Error> {
        result.map_err(|error| {
            Error::caused_by(
                format!("the fake front cannot have {} again", self.address()),
                error,
            )
        })
    }
}

/// Who may call.
impl Front {
    /// Gives `email` the role `roles/run.invoker`, from the next call on.
    pub fn grant_invoker(&self, email: &str) {
        self.state.gate.allow(email);
    }

    /// Takes the role `roles/run.invoker` from `email`, from the next call on: 403.
    pub fn revoke_invoker(&self, email: &str) {
        self.state.gate.forbid(email);
    }
}

/// Counters, all from the start of the fake on.
impl Front {
    /// Calls that were passed to the service.
    #[must_use]
    pub fn calls_admitted(&self) -> u64 {
        self.state.counts.admitted.load(Ordering::SeqCst)
    }

    /// Calls that were turned away, for whatever reason; injected faults are not counted here.
    #[must_use]
    pub fn calls_denied(&self) -> u64 {
        lock(&self.state.counts.denied).values().sum()
    }

    /// Calls that were turned away for `reason`.
    #[must_use]
    pub fn calls_denied_for(&self, reason: Denial) -> u64 {
        lock(&self.state.counts.denied)
            .get(&reason)
            .copied()
            .unwrap_or(0)
    }

    /// Calls that met an injected fault.
    #[must_use]
    pub fn calls_faulted(&self) -> u64 {
        self.state.counts.faulted.load(Ordering::SeqCst)
    }

    /// Calls under way now: from their arrival until the answer's last byte is sent or the stream is reset.
    #[must_use]
    pub fn calls_in_flight(&self) -> usize {
        self.state.counts.in_flight.load(Ordering::SeqCst)
    }

    /// Connections whose TLS handshake succeeded.
    #[must_use]
    pub fn connections_opened(&self) -> u64 {
        self.state.counts.connections.load(Ordering::SeqCst)
    }

    /// Connections whose TLS handshake failed, because the client does not trust the fake's authority say.
    #[must_use]
    pub fn handshakes_failed(&self) -> u64 {
        self.state.counts.handshakes_failed.load(Ordering::SeqCst)
    }

    /// Connections that are open now; those in their handshake and the stalled ones count too.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.server.open_connections()
    }

    /// What the tokens of admitted calls said: each token once, in the order of their first calls.
    #[must_use]
    pub fn tokens(&self) -> Vec<TokenInfo> {
        lock(&self.state.tokens).clone()
    }
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front")
            .field("address", &self.address())
            .field("calls_admitted", &self.calls_admitted())
            .field("calls_denied", &self.calls_denied())
            .finish_non_exhaustive()
    }
}
