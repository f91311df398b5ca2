//! One HTTP/2 connection, on the `h2` crate.

use super::deferred::Deferred;
use super::incoming::Incoming;
use super::replay::AttemptBody;
use super::traffic::{Counted, Traffic};
use super::upload;
use super::usage::{IDLE, OpenCall, Usage};
use super::window::{self, Window};
use crate::host::Host;
use crate::telemetry;
use bytes::Bytes;
use h2::client::{Connection, SendRequest};
use http::{Request, Response};
use std::fmt;
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

/// As much for all streams of a connection as HTTP/2 can say: the streams' own windows bound it, and any number of slow
/// readers holds up none of the others.
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;

/// The largest frame taken: a message in one frame is read without being put together from pieces.
const MAX_FRAME: u32 = 256 * 1024;

/// Stands for the number of streams that a server takes until it has said it. More than its SETTINGS can hold.
const UNTOLD: usize = usize::MAX - 1;

/// When to ask a silent server whether it is still there (gRFC A8).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keepalive {
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
}

/// Tells connections apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionId(u64);

impl ConnectionId {
    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

/// Sends requests on one connection. The connection ends when the last sender and the last stream are gone.
#[derive(Clone)]
pub(crate) struct Sender(Arc<Shared>);

struct Shared {
    id: ConnectionId,
    requests: SendRequest<Bytes>,
    traffic: Traffic,
    /// Closed when the connection's task has ended.
    task: watch::Receiver<()>,
    usage: Usage,
    /// How many streams the server takes at once.
    limit: Arc<AtomicUsize>,
    /// Asks the connection's task for a ping, and hands over what to tell when it is answered.
    checks: mpsc::Sender<oneshot::Sender<()>>,
}

/// A connection as one call uses it.
pub(crate) struct Lease {
    sender: Sender,
    open: OpenCall,
    rested: bool,
}

/// How long a server may take to answer whether it is still there, when a call waits for it.
const CHECK: Duration = Duration::from_secs(5);

/// How long it may take without keepalive, when nothing waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why a connection did not become one.
pub(crate) enum HandshakeError {
    /// The server closed it before it said anything.
    Closed,
    Http2(h2::Error),
}

/// Why a request got no answer.
pub(crate) struct Failure {
    pub(crate) error: h2::Error,
    /// Whether none of the request can have left this process.
    pub(crate) unsent: bool,
}

impl Failure {
    fn unsent(error: h2::Error) -> Self {
        // Without a reason and without I/O it is the request itself that cannot be sent, now or later.
        let unsent = error.reason().is_some() || error.is_io();
        Self { error, unsent }
    }
}

/// Agrees on HTTP/2 with a server, and starts the connection's task on the current Tokio runtime.
///
/// It is a connection once the server's SETTINGS are there: what answers TLS and then says nothing, or something else,
/// is none, and no call is sent to it.
pub(crate) async fn open<T>(
    io: T,
    keepalive: Option<Keepalive>,
    host: &Host,
) -> Result<Sender, HandshakeError>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let usage = Usage::new();
    let (io, traffic) = Counted::new(io);
    let (requests, mut connection) = h2::client::Builder::new()
        .enable_push(false)
        .initial_window_size(window::INITIAL)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(MAX_FRAME)
        .initial_max_send_streams(UNTOLD)
        // Streams of small messages are what gRPC is for; the windows bound them. h2 would end the whole connection
        // over one slow reader.
        .data_frame_budget(usize::MAX / 2)
        .handshake(Deferred::new(io, usage.clone()))
        .await
        .map_err(HandshakeError::Http2)?;
    settings(&mut connection).await?;
    let (alive, task) = watch::channel(());
    let (checks, asked) = mpsc::channel(1);
    let (id, host) = (ConnectionId(NEXT.fetch_add(1, Relaxed)), host.clone());
    let shared = Shared {
        id,
        requests,
        traffic: traffic.clone(),
        task,
        usage: usage.clone(),
        limit: Arc::new(AtomicUsize::new(connection.max_concurrent_send_streams())),
        checks,
    };
    let limit = shared.limit.clone();
    tokio::spawn(async move {
        let window = Window::new(traffic);
        let ended = drive(connection, keepalive, asked, &usage, &limit, &window).await;
        drop(alive);
        telemetry::connection_closed(&host, id.number(), &ended, ended.error());
    });
    Ok(Sender(Arc::new(shared)))
}

/// Waits for the server's SETTINGS.
async fn settings<T>(connection: &mut Connection<T, Bytes>) -> Result<(), HandshakeError>
where
    T: AsyncRead + AsyncWrite + Send + Unpin,
{
    poll_fn(|cx| match Pin::new(&mut *connection).poll(cx) {
        Poll::Ready(Ok(())) => Poll::Ready(Err(HandshakeError::Closed)),
        Poll::Ready(Err(error)) => Poll::Ready(Err(HandshakeError::Http2(error))),
        Poll::Pending if connection.max_concurrent_send_streams() == UNTOLD => Poll::Pending,
        Poll::Pending => Poll::Ready(Ok(())),
    })
    .await
}

/// Why a connection ended.
enum Ended {
    /// The server ended it in good order, or nobody used it any more.
    Closed,
    Broken(h2::Error),
    Unanswered,
    Idle,
}

impl Ended {
    /// As `grpc.disconnect_error` has it (gRFC A94).
    fn error(&self) -> &'static str {
        match self {
            Self::Closed | Self::Idle => "subchannel shutdown",
            Self::Unanswered => "connection timed out",
            Self::Broken(error) if error.is_go_away() => "GOAWAY",
            Self::Broken(error) if error.is_io() => "socket error",
            Self::Broken(_) => "unknown",
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed"),
            Self::Broken(error) => write!(f, "broken: {error}"),
            Self::Unanswered => f.write_str("a ping was not answered"),
            Self::Idle => f.write_str("idle"),
        }
    }
}

/// Runs a connection until the server ends it, the last sender is gone, it has been idle for long, or a ping is not
/// answered.
async fn drive<T>(
    mut connection: Connection<T, Bytes>,
    keepalive: Option<Keepalive>,
    asked: mpsc::Receiver<oneshot::Sender<()>>,
    usage: &Usage,
    limit: &AtomicUsize,
    window: &Window,
) -> Ended
where
    T: AsyncRead + AsyncWrite + Send + Unpin,
{
    let pings = connection.ping_pong();
    let mut dead = pin!(async {
        match pings {
            Some(pings) => unanswered(pings, keepalive, asked, usage, window).await,
            None => pending().await,
        }
    });
    let mut idle = pin!(idle(usage));
    poll_fn(|cx| {
        if let Poll::Ready(ended) = Pin::new(&mut connection).poll(cx) {
            return Poll::Ready(ended.map_or_else(Ended::Broken, |()| Ended::Closed));
        }
        // The server may change it at any time.
        limit.store(connection.max_concurrent_send_streams(), Relaxed);
        window.look();
        if dead.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ended::Unanswered);
        }
        // Refused while the server has not taken the size before.
        if window.tell(|size| connection.set_initial_window_size(size).is_ok()) {
            cx.waker().wake_by_ref();
        }
        idle.as_mut().poll(cx).map(|()| Ended::Idle)
    })
    .await
}

/// Ends when a ping got no answer in time. Pings while calls are open, before the first call after a rest, and to learn
/// how much the path holds.
async fn unanswered(
    mut pings: h2::PingPong,
    keepalive: Option<Keepalive>,
    mut asked: mpsc::Receiver<oneshot::Sender<()>>,
    usage: &Usage,
    window: &Window,
) {
    loop {
        let interval = async {
            match keepalive {
                Some(keepalive) => sleep(keepalive.interval).await,
                None => pending().await,
            }
        };
        let (patience, check) = tokio::select! {
            Some(check) = asked.recv() => (CHECK, Some(check)),
            () = interval => match keepalive {
                Some(keepalive) if usage.calls() > 0 => (keepalive.timeout, None),
                _ => continue,
            },
            () = window.due() => (keepalive.map_or(PATIENCE, |keepalive| keepalive.timeout), None),
        };
        let round_trip = window.measure();
        match timeout(patience, pings.ping(h2::Ping::opaque())).await {
            Ok(Ok(_)) => drop(check.map(|check| check.send(()))),
            _ => return,
        }
        window.measured(&round_trip);
    }
}

/// Ends when the connection has been without calls for long.
async fn idle(usage: &Usage) {
    while !usage.is_idle() {
        sleep(IDLE).await;
    }
}

impl Sender {
    pub(crate) fn is_closed(&self) -> bool {
        self.0.task.has_changed().is_err()
    }

    pub(crate) fn id(&self) -> ConnectionId {
        self.0.id
    }

    pub(crate) fn usage(&self) -> &Usage {
        &self.0.usage
    }

    /// Whether it may be given another call: it has not ended, and has not been idle for so long that the server may
    /// have dropped it.
    pub(crate) fn is_usable(&self) -> bool {
        !self.is_closed() && !self.0.usage.is_idle()
    }

    /// How many calls the server takes on this connection at once.
    pub(crate) fn limit(&self) -> usize {
        self.0.limit.load(Relaxed)
    }

    /// Ends with the connection.
    pub(crate) fn ended(&self) -> watch::Receiver<()> {
        self.0.task.clone()
    }

    /// The connection for a call, which counts from now on.
    pub(crate) fn lease(&self) -> Lease {
        let (open, rested) = self.0.usage.begin();
        Lease {
            sender: self.clone(),
            open,
            rested,
        }
    }
}

impl Lease {
    pub(crate) fn connection(&self) -> ConnectionId {
        self.sender.0.id
    }

    /// Whether nothing was heard of the server for a while.
    pub(crate) fn is_rested(&self) -> bool {
        self.rested
    }

    /// Whether the server answers a ping. Otherwise the connection ends.
    pub(crate) async fn answers(&self) -> bool {
        let (check, answered) = oneshot::channel();
        let checks = &self.sender.0.checks;
        checks.send(check).await.is_ok() && answered.await.is_ok()
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn send(
        self,
        request: Request<AttemptBody>,
    ) -> Result<Response<Incoming>, Failure> {
        let Self {
            sender: Sender(shared),
            open,
            ..
        } = self;
        let mut requests = shared.requests.clone();
        poll_fn(|cx| requests.poll_ready(cx))
            .await
            .map_err(Failure::unsent)?;
        let (parts, body) = request.into_parts();
        let before = shared.traffic.written();
        let (response, stream) = requests
            .send_request(Request::from_parts(parts, ()), false)
            .map_err(Failure::unsent)?;
        let upload = upload::start(body, stream);
        match response.await {
            Ok(response) => Ok(response.map(|stream| Incoming::new(stream, upload, open))),
            Err(error) => Err(Failure {
                error,
                unsent: shared.traffic.written() == before,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::replay::Recording;
    use tokio::io::DuplexStream;

    async fn opened(io: DuplexStream) -> Sender {
        let host = Host::parse("a.run.app").unwrap();
        match open(io, None, &host).await {
            Ok(sender) => sender,
            Err(HandshakeError::Closed) => panic!("the server closed it"),
            Err(HandshakeError::Http2(error)) => panic!("{error}"),
        }
    }

    /// A server that answers pings, until it is told to fall silent.
    async fn server(io: DuplexStream, silent: oneshot::Receiver<()>) {
        let mut connection = h2::server::handshake(io).await.unwrap();
        tokio::select! {
            _ = connection.accept() => {}
            _ = silent => pending().await,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_rest_the_server_is_asked_and_one_that_is_silent_is_given_up() {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let (silence, silent) = oneshot::channel();
        tokio::spawn(server(far, silent));
        let sender = opened(near).await;
        assert!(!sender.lease().is_rested());
        sender.usage().rest();
        let lease = sender.lease();
        assert!(lease.is_rested());
        assert!(lease.answers().await);
        drop(lease);
        silence.send(()).unwrap();
        sender.usage().rest();
        let lease = sender.lease();
        assert!(!lease.answers().await);
        assert!(sender.is_closed());
        // And asking again is answered, by nobody.
        assert!(!lease.answers().await);
    }

    #[tokio::test]
    async fn a_connection_that_is_asked_still_takes_calls() {
        let (near, far) = tokio::io::duplex(64 * 1024);
        tokio::spawn(async move {
            let mut connection = h2::server::handshake(far).await.unwrap();
            while let Some(Ok((_, mut respond))) = connection.accept().await {
                respond.send_response(Response::new(()), true).unwrap();
            }
        });
        let sender = opened(near).await;
        assert!(sender.lease().answers().await);
        let mut request = Request::new(Recording::Message(Bytes::new()).replay().unwrap());
        *request.uri_mut() = "http://a.run.app/x".parse().unwrap();
        assert!(sender.lease().send(request).await.is_ok());
    }
}
