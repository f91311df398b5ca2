//! The channel: what clients run on.

mod answer;
mod builder;
mod connect;
mod connection;
mod connections;
mod deferred;
mod direct;
mod framing;
mod in_process;
mod incoming;
mod network;
mod progress;
mod received;
mod replay;
mod single;
mod traffic;
mod upload;
mod usage;
mod window;

pub use builder::{ChannelBuilder, TokenHeader};

use crate::deadline::Deadline;
use crate::error::Error;
use crate::host::Host;
use crate::status::{self, Caller};
use crate::telemetry::{self, Measure};
use answer::Answer;
pub(crate) use direct::Direct;
pub(crate) use framing::{MessageLimit, PREFIX};
use http::uri::PathAndQuery;
use http::{Request, Response};
use http_body::Body as HttpBody;
use in_process::InProcess;
use network::Network;
pub(crate) use network::Outgoing;
use progress::Progress;
use received::{Broken, Received};
pub(crate) use replay::Recording;
pub(crate) use single::Single;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};
use tonic::body::Body;
use tonic::codegen::StdError;
use tonic::{Code, Status};
use tower_service::Service;
use tracing::{Instrument as _, Span};

/// A way to one host: TLS, HTTP/2, and an ID token on every call.
///
/// Making one does no I/O and needs no Tokio runtime; it connects and fetches its token, side by side, at the first
/// call. It is cheap to clone, may live in a `static`, and may be used from several Tokio runtimes, also after the
/// one that first used it is gone. Clones share connections and token.
///
/// Generated clients run on it, and as a `tower` service any tonic client does:
///
/// ```
/// # use tonic_cloud_run::tonic::body::Body;
/// # struct GreeterClient<T>(T);
/// # impl<T: tonic_cloud_run::tonic::client::GrpcService<Body>> GreeterClient<T> { fn new(t: T) -> Self { Self(t) } }
/// use tonic_cloud_run::Channel;
///
/// let channel = Channel::new("greeter-7x2kq-uc.a.run.app")?;
/// let greeter = GreeterClient::new(channel); // as tonic-prost-build generates it
/// # Ok::<(), tonic_cloud_run::Error>(())
/// ```
///
/// # Deadlines
///
/// A call's deadline ([`tonic::Request::set_timeout`], or else [`ChannelBuilder::deadline`]) covers all of it: token,
/// connecting, every attempt and the whole answer. It ends as `DEADLINE_EXCEEDED`, and the server is told the time
/// that is left.
///
/// # Connections
///
/// They are opened at need: another one where all are busy or full, up to 32, and closed after five idle minutes. All of
/// a host's addresses are tried (Happy Eyeballs), and looked up anew each time. `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`
/// are honoured, for `http://` proxies. After a failure the next attempt waits as gRPC's [connection back-off] says,
/// and calls fail at once meanwhile; for five seconds after a connection was lost they wait instead. More than 1,000
/// calls waiting for each connection end as `RESOURCE_EXHAUSTED`.
///
/// [connection back-off]: https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md
///
/// # Refusals
///
/// Where Cloud Run's front end answers instead of the application (HTTP 401, 403, 404, 429, 5xx), the status has the
/// code that gRPC prescribes and says what to do; [`Error::from_status`] has the parts. A 401 drops the token, and
/// the call is made once more with a new one.
#[derive(Clone)]
pub struct Channel {
    route: Arc<Route>,
}

/// Where calls go.
pub(crate) enum Route {
    Network(Network),
    InProcess(InProcess),
}

impl Channel {
    /// A channel to a host, with the defaults: TLS with the system's root certificates, Application Default
    /// Credentials, audience `https://HOST`.
    ///
    /// The host is written `name`, `name:port` or `https://name[:port][/]`; see [`Host`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidHost`](crate::ErrorKind::InvalidHost) where it is none of these.
    pub fn new(host: impl AsRef<str>) -> Result<Self, Error> {
        Self::builder(host).build()
    }

    /// A channel with something set otherwise than by default.
    pub fn builder(host: impl AsRef<str>) -> ChannelBuilder {
        ChannelBuilder::new(host.as_ref())
    }

    /// A channel that calls a tonic server in the same process: no network, no token.
    ///
    /// For tests: `service` is a generated server over a fake of your own, or `tonic`'s `Routes` over several.
    /// Deadlines, compression, metadata and streams work as over the network.
    pub fn in_process<S, B>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<StdError>,
        S::Future: Send,
        B: HttpBody<Data = bytes::Bytes> + Send + 'static,
        B::Error: Into<StdError>,
    {
        Self {
            route: Arc::new(Route::InProcess(InProcess::new(service))),
        }
    }

    pub(crate) fn over(network: Network) -> Self {
        Self {
            route: Arc::new(Route::Network(network)),
        }
    }

    /// The host; `None` for a channel in process.
    #[must_use]
    pub fn host(&self) -> Option<&Host> {
        self.route.network().map(|network| &network.host)
    }

    /// The audience of the ID tokens; `None` where none are sent.
    #[must_use]
    pub fn audience(&self) -> Option<&str> {
        let network = self.route.network()?;
        network.tokens.as_ref().map(|_| network.audience.as_str())
    }

    pub(crate) fn attach_token(&self, headers: &mut http::HeaderMap) -> bool {
        self.route
            .network()
            .is_some_and(|network| network.attach_current_token(headers))
    }

    /// Fetches the token and connects, side by side, for those who want to fail at start rather than at the first
    /// call. Not needed otherwise.
    ///
    /// Bounded by the connect timeout and by the token source's limit (10 seconds), or by the channel's default
    /// deadline where that is shorter.
    ///
    /// # Errors
    /// Why there is no token ([`ErrorKind::Credentials`](crate::ErrorKind::Credentials)), or no connection
    /// ([`ErrorKind::Connect`](crate::ErrorKind::Connect)).
    pub async fn connect(&self) -> Result<(), Error> {
        let Some(network) = self.route.network() else {
            return Ok(());
        };
        check_runtime()?;
        let progress = Progress::default();
        let ready = network.ready(false, &progress);
        match Deadline::after(network.default_deadline) {
            None => ready.await.map(drop),
            Some(deadline) => match timeout_at(deadline.at, ready).await {
                Ok(ready) => ready.map(drop),
                Err(_) => Err(status::deadline_exceeded(
                    deadline.timeout,
                    progress.waiting_for(),
                    Some(&network.caller(None)),
                )),
            },
        }
    }
}

impl Channel {
    /// Closes the channel and its clones: calls under way go on to their end, no further ones are taken. Returns when
    /// the last has ended and all connections are closed, on all Tokio runtimes.
    ///
    /// Not needed as a rule: dropping the last clone ends everything as well, without waiting. It is for a program
    /// that shuts down and wants to be sure that nothing is cut off; bound it with
    /// [`tokio::time::timeout`] where calls have no deadlines. Dropping the future leaves the channel closing.
    ///
    /// Later calls fail with `CANCELLED`. A channel in process has nothing to close.
    pub async fn close(&self) {
        if let Some(network) = self.route.network() {
            network.connections.close().await;
        }
    }
}

impl Route {
    fn network(&self) -> Option<&Network> {
        match self {
            Self::Network(network) => Some(network),
            Self::InProcess(_) => None,
        }
    }

    /// The progress of a call that begins; whether a generated client makes it.
    fn progress(&self, path: &str, generated: bool) -> Progress {
        self.network().map_or_else(Progress::default, |network| {
            Progress::measured(Measure::begin(&network.host, path, generated))
        })
    }

    /// The span of a call.
    fn span(&self, path: &str) -> Span {
        self.network()
            .map_or_else(Span::none, |network| telemetry::call(&network.host, path))
    }

    fn caller(&self) -> Option<Caller<'_>> {
        self.network().map(|network| network.caller(None))
    }

    /// The status of an answer that broke off.
    fn broken(&self, broken: Broken) -> Status {
        match (broken, self.caller()) {
            (Broken::Request(status) | Broken::Status(status), _) => status,
            (Broken::Stream(error), Some(caller)) => status::broken(error, &caller),
            (Broken::Stream(error), None) => Status::from_error(Box::new(error)),
            (Broken::CutOff, _) => Status::internal(
                "the answer ended in the middle of a message, and said that it was complete",
            ),
            (Broken::TooLarge(too_large), _) => too_large.answer(),
        }
    }

    /// `status`, unless the server cancelled the call because the deadline, which it keeps too, has passed: its word
    /// may come before the timer on this side.
    fn unless_past(
        &self,
        deadline: Option<&Deadline>,
        waiting_for: &str,
        status: Status,
    ) -> Status {
        let cancelled =
            Error::from_status(&status).is_some_and(|error| error.code() == Code::Cancelled);
        match deadline {
            Some(deadline) if cancelled && deadline.at <= Instant::now() => {
                status::deadline_exceeded(deadline.timeout, waiting_for, self.caller().as_ref())
                    .into()
            }
            _ => status,
        }
    }

    async fn call(
        &self,
        request: Request<Body>,
        deadline: Option<Deadline>,
        progress: &Progress,
    ) -> Result<Response<answer::Source>, Status> {
        match self {
            Self::Network(network) => {
                let (parts, body) = request.into_parts();
                let limit = parts.extensions.get::<MessageLimit>().copied();
                let path = parts.uri.path_and_query().cloned();
                let path = path.unwrap_or(PathAndQuery::from_static("/"));
                let limit = network.response_limit(path.path(), limit.unwrap_or_default());
                let outgoing = Outgoing {
                    body: Recording::of(body, network.request_limit(path.path())),
                    path,
                    headers: parts.headers,
                };
                let (response, request) = network.call(outgoing, deadline, progress).await?;
                let received = Received::take(response, request, limit);
                Ok(received.map(Box::new).map(answer::Source::Network))
            }
            Self::InProcess(service) => {
                progress.is_sent();
                Ok(service.call(request).await?.map(answer::Source::InProcess))
            }
        }
    }
}

async fn call(route: Arc<Route>, request: Request<Body>) -> Result<Response<Body>, Status> {
    check_runtime()?;
    let deadline = match route.network() {
        Some(network) => network.deadline(request.uri().path(), request.headers()),
        None => Deadline::of(request.headers(), None, None),
    };
    let progress = route.progress(request.uri().path(), false);
    let span = route.span(request.uri().path());
    let call = route.call(request, deadline, &progress);
    let response = within(&route, span, deadline, &progress, call).await?;
    let measure = progress.measure.hand_over();
    Ok(response.map(|body| Body::new(Answer::new(body, deadline, route, measure))))
}

/// Makes a call, or a part of it, within its deadline.
async fn within<T>(
    route: &Route,
    span: Span,
    deadline: Option<Deadline>,
    progress: &Progress,
    call: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    let exceeded = |timeout| {
        let caller = route.caller();
        status::deadline_exceeded(timeout, progress.waiting_for(), caller.as_ref())
    };
    let call = call.instrument(span.clone());
    let Some(deadline) = deadline else {
        let outcome = call.await;
        telemetry::call_ended(&span, &progress.measure, &outcome);
        return outcome;
    };
    if deadline.timeout.is_zero() {
        // Nothing is begun that has no time.
        return Err(exceeded(deadline.timeout).into());
    }
    let outcome = match timeout_at(deadline.at, call).await {
        Ok(answer) => answer
            .map_err(|status| route.unless_past(Some(&deadline), progress.waiting_for(), status)),
        Err(_) => Err(exceeded(deadline.timeout).into()),
    };
    telemetry::call_ended(&span, &progress.measure, &outcome);
    outcome
}

fn check_runtime() -> Result<(), Error> {
    Handle::try_current().map(drop).map_err(|error| {
        Error::new(
            crate::ErrorKind::InvalidConfiguration,
            Code::Internal,
            "calls are made on a Tokio runtime, and this is none: use #[tokio::main], or Runtime::block_on",
        )
        .with_source(error)
    })
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(call(self.route.clone(), request))
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.route {
            Route::Network(network) => f
                .debug_struct("Channel")
                .field("host", &network.host.to_string())
                .field("audience", &self.audience())
                .finish(),
            Route::InProcess(_) => f.write_str("Channel(in process)"),
        }
    }
}
