//! One HTTP/2 connection, on the `h2` crate.

use super::incoming::Incoming;
use super::replay::AttemptBody;
use super::upload;
use super::usage::{IDLE, OpenCall, Usage};
use super::written::{Counted, Written};
use bytes::Bytes;
use h2::client::{Connection, SendRequest};
use http::{Request, Response};
use std::future::{pending, poll_fn};
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

/// Tells connections apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionId(u64);

/// Sends requests on one connection. The connection ends when the last sender and the last stream are gone.
#[derive(Clone)]
pub(crate) struct Sender {
    id: ConnectionId,
    requests: SendRequest<Bytes>,
    written: Written,
    /// Closed when the connection's task has ended.
    task: watch::Receiver<()>,
    usage: Usage,
}

/// A connection as one call uses it.
pub(crate) struct Lease {
    sender: Sender,
    open: OpenCall,
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
        // Streams of small messages are what gRPC is for; the windows bound them. h2 would end the whole connection
        // over one slow reader.
        .data_frame_budget(usize::MAX / 2)
        .handshake(io)
        .await?;
    let (alive, task) = watch::channel(());
    let usage = Usage::new();
    let used = usage.clone();
    tokio::spawn(async move {
        drive(connection, keepalive, &used).await;
        drop(alive);
    });
    Ok(Sender {
        id: ConnectionId(NEXT.fetch_add(1, Relaxed)),
        requests,
        written,
        task,
        usage,
    })
}

/// Runs a connection until the server ends it, the last sender is gone, it has been idle for long, or a ping is not
/// answered. How it ended is told by the calls on it.
async fn drive<T>(mut connection: Connection<T, Bytes>, keepalive: Option<Keepalive>, usage: &Usage)
where
    T: AsyncRead + AsyncWrite + Send + Unpin,
{
    let pings = connection.ping_pong();
    let dead = async {
        match (keepalive, pings) {
            (Some(keepalive), Some(pings)) => unanswered(pings, keepalive, usage).await,
            _ => pending().await,
        }
    };
    tokio::select! {
        _ = connection => {}
        () = dead => {}
        () = idle(usage) => {}
    }
}

/// Ends when a ping got no answer in time. Pings only while calls are open.
async fn unanswered(mut pings: h2::PingPong, keepalive: Keepalive, usage: &Usage) {
    loop {
        sleep(keepalive.interval).await;
        if usage.calls() == 0 {
            continue;
        }
        match timeout(keepalive.timeout, pings.ping(h2::Ping::opaque())).await {
            Ok(Ok(_)) => {}
            _ => return,
        }
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
        self.task.has_changed().is_err()
    }

    pub(crate) fn id(&self) -> ConnectionId {
        self.id
    }

    pub(crate) fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Whether the server takes another call on this connection now.
    pub(crate) fn has_room(&self) -> bool {
        self.usage.calls() < self.requests.current_max_send_streams()
    }

    /// The connection for a call, which counts from now on.
    pub(crate) fn lease(&self) -> Lease {
        Lease {
            sender: self.clone(),
            open: self.usage.begin(),
        }
    }
}

impl Lease {
    pub(crate) fn connection(&self) -> ConnectionId {
        self.sender.id
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn send(
        self,
        request: Request<AttemptBody>,
    ) -> Result<Response<Incoming>, Failure> {
        let Self {
            sender:
                Sender {
                    mut requests,
                    written,
                    ..
                },
            open,
        } = self;
        poll_fn(|cx| requests.poll_ready(cx))
            .await
            .map_err(Failure::unsent)?;
        let (parts, body) = request.into_parts();
        let before = written.count();
        let (response, stream) = requests
            .send_request(Request::from_parts(parts, ()), false)
            .map_err(Failure::unsent)?;
        let upload = upload::start(body, stream);
        match response.await {
            Ok(response) => Ok(response.map(|stream| Incoming::new(stream, upload, open))),
            Err(error) => Err(Failure {
                error,
                unsent: written.count() == before,
            }),
        }
    }
}
