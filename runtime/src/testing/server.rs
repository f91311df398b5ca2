//! Accepts connections on a port and can end each of them, at once or politely.

use std::collections::HashMap;
use std::net::{Shutdown, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::error::Error;
use super::lock::lock;
use super::port::Port;

/// A port and the connections made through it. Dropping it closes both.
#[derive(Debug)]
pub(super) struct Server {
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    port: Port,
    connections: Mutex<Connections>,
}

#[derive(Debug, Default)]
struct Connections {
    open: HashMap<u64, Open>,
    last_id: u64,
    /// The server is gone; a connection that was being accepted just then must not outlive it.
    closed: bool,
}

#[derive(Debug)]
struct Open {
    connection: Arc<Connection>,
    /// None for a connection that nobody serves.
    task: Option<AbortHandle>,
}

/// One connection, as those see it who serve it.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) peer: SocketAddr,
    /// A second handle on the socket, which closes it whatever its task is doing.
    socket: std::net::TcpStream,
    go_away: Notify,
}

impl Connection {
    /// Closes the socket now. What was sent and not yet read is lost.
    pub(super) fn close(&self) {
        // Fails only if the socket is closed already.
        let _ = self.socket.shutdown(Shutdown::Both);
    }

    /// Waits until the connection is asked to end politely.
    pub(super) async fn asked_to_go_away(&self) {
        self.go_away.notified().await;
    }
}

impl Server {
    /// Opens a port and runs `serve` for each connection. `what` names the server in errors.
    pub(super) fn start<F, Fut>(what: &'static str, serve: F) -> Result<Self, Error>
    where
        F: Fn(TcpStream, Arc<Connection>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let runtime = tokio::runtime::Handle::try_current().map_err(|error| {
            Error::caused_by(
                format!("{what} has to be started inside of a Tokio runtime"),
                error,
            )
        })?;
        let port = Port::open().map_err(|error| {
            Error::caused_by(format!("{what} cannot listen on 127.0.0.1"), error)
        })?;
        let shared = Arc::new(Shared {
            port,
            connections: Mutex::default(),
        });
        let accepting = runtime.spawn(accept(shared.clone(), serve)).abort_handle();
        Ok(Self { shared, accepting })
    }

    pub(super) fn port(&self) -> &Port {
        &self.shared.port
    }

    /// How many connections are open.
    pub(super) fn open_connections(&self) -> usize {
        lock(&self.shared.connections).open.len()
    }

    /// Closes every connection now.
    pub(super) fn disconnect(&self) {
        // Not under the lock: a task that is dropped takes it to remove itself.
        let open = std::mem::take(&mut lock(&self.shared.connections).open);
        for open in open.into_values() {
            open.connection.close();
            if let Some(task) = open.task {
                task.abort();
            }
        }
    }

    /// Asks every connection to end politely.
    pub(super) fn go_away(&self) {
        for open in lock(&self.shared.connections).open.values() {
            open.connection.go_away.notify_one();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
        self.shared.port.close();
        lock(&self.shared.connections).closed = true;
        self.disconnect();
    }
}

async fn accept<F, Fut>(shared: Arc<Shared>, serve: F)
where
    F: Fn(TcpStream, Arc<Connection>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    loop {
        let accepted = shared.port.next().await;
        // A connection that broke while it waited is no reason to stop.
        let Ok((stream, socket)) = two_handles(accepted.stream) else {
            continue;
        };
        let connection = Arc::new(Connection {
            peer: accepted.peer,
            socket,
            go_away: Notify::new(),
        });
        let Some(id) = shared.register(connection.clone()) else {
            return;
        };
        if accepted.stalled {
            // The list's handle keeps the socket open.
            continue;
        }
        let serving = serve(stream, connection);
        let registered = Registered {
            shared: shared.clone(),
            id,
        };
        let task = tokio::spawn(async move {
            let _registered = registered;
            serving.await;
        });
        shared.set_task(id, task.abort_handle());
    }
}

impl Shared {
    fn register(&self, connection: Arc<Connection>) -> Option<u64> {
        let mut connections = lock(&self.connections);
        if connections.closed {
            return None;
        }
        connections.last_id += 1;
        let id = connections.last_id;
        let open = Open {
            connection,
            task: None,
        };
        connections.open.insert(id, open);
        Some(id)
    }

    fn set_task(&self, id: u64, task: AbortHandle) {
        // It may have ended already.
        if let Some(open) = lock(&self.connections).open.get_mut(&id) {
            open.task = Some(task);
        }
    }
}

/// Takes its connection out of the list when its task ends.
struct Registered {
    shared: Arc<Shared>,
    id: u64,
}

impl Drop for Registered {
    fn drop(&mut self) {
        lock(&self.shared.connections).open.remove(&self.id);
    }
}

fn two_handles(stream: TcpStream) -> std::io::Result<(TcpStream, std::net::TcpStream)> {
    stream.set_nodelay(true)?;
    let stream = stream.into_std()?;
    let socket = stream.try_clone()?;
    Ok((TcpStream::from_std(stream)?, socket))
}
