//! One HTTP/2 connection, on the `h2` crate.

use super::incoming::Incoming;
use super::replay::AttemptBody;
use super::upload;
use super::written::{Counted, Written};
use bytes::Bytes;
use h2::client::{Connection, SendRequest};
use http::{Request, Response};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// How much a server may send ahead of a slow reader: of one stream, and of all streams of a connection.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// The streams opened before the server has said how many it takes.
const FIRST_STREAMS: usize = 100;

/// When to ask a silent server whether it is still there (gRFC A8).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keepalive {
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
}

/// Sends requests on one connection. The connection ends when the last sender and the last stream are gone.
#[derive(Clone)]
pub(crate) struct Sender {
    /// Which connection it is.
    id: u64,
    requests: SendRequest<Bytes>,
    written: Written,
    /// Closed when the connection's task has ended.
    task: watch::Receiver<()>,
    /// Held by each call that is open, to be counted.
    open: Arc<()>,
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
pub(crate) async fn open<T>(io: T, keepalive: Option<Keepalive>) -> Result<Sender, h2::Error>
where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let (io, written) = Counted::new(io);
    let (requests, connection) = h2::client::Builder::new()
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .initial_max_send_streams(FIRST_STREAMS)
        .handshake(io)
        .await?;
    let (alive, task) = watch::channel(());
    let open = Arc::new(());
    let calls = open.clone();
    tokio::spawn(async move {
        drive(connection, keepalive, calls).await;
        drop(alive);
    });
    Ok(Sender {
        id: NEXT.fetch_add(1, Relaxed),
        requests,
        written,
        task,
        open,
    })
}

/// Runs a connection to its end. How it ended is told by the calls on it.
async fn drive<T>(
    mut connection: Connection<T, Bytes>,
    keepalive: Option<Keepalive>,
    calls: Arc<()>,
) where
    T: AsyncRead + AsyncWrite + Send + Unpin,
{
    let pings = connection.ping_pong();
    let mut connection = pin!(connection);
    match (keepalive, pings) {
        (Some(keepalive), Some(pings)) => {
            tokio::select! {
                _ = &mut connection => {}
                () = unanswered(pings, keepalive, calls) => {}
            }
        }
        _ => drop(connection.await),
    }
}

/// Ends when a ping got no answer in time. Pings only while calls are open.
async fn unanswered(mut pings: h2::PingPong, keepalive: Keepalive, calls: Arc<()>) {
    loop {
        sleep(keepalive.interval).await;
        // One is the sender's that the channel holds, one this task's; each call has another.
        if Arc::strong_count(&calls) <= 2 {
            continue;
        }
        match timeout(keepalive.timeout, pings.ping(h2::Ping::opaque())).await {
            Ok(Ok(_)) => {}
            _ => return,
        }
    }
}

impl Sender {
    pub(crate) fn is_closed(&self) -> bool {
        self.task.has_changed().is_err()
    }

    pub(crate) fn is_same_connection(&self, other: &Self) -> bool {
        self.id == other.id
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn send(
        &mut self,
        request: Request<AttemptBody>,
    ) -> Result<Response<Incoming>, Failure> {
        poll_fn(|cx| self.requests.poll_ready(cx))
            .await
            .map_err(Failure::unsent)?;
        let (parts, body) = request.into_parts();
        let before = self.written.count();
        let (response, stream) = self
            .requests
            .send_request(Request::from_parts(parts, ()), false)
            .map_err(Failure::unsent)?;
        let upload = upload::start(body, stream);
        match response.await {
            Ok(response) => {
                let open = self.open.clone();
                Ok(response.map(|stream| Incoming::new(stream, upload, open)))
            }
            Err(error) => Err(Failure {
                error,
                unsent: self.written.count() == before,
            }),
        }
    }
}
