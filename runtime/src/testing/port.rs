//! A port on loopback that can refuse and stall connections, and stays ours all the while.

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::lock::lock;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long to wait after `accept` failed, for lack of file descriptors say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// One port of 127.0.0.1.
#[derive(Debug)]
pub(super) struct Port {
    address: SocketAddr,
    state: Mutex<State>,
    changed: Notify,
    runtime: Handle,
}

#[derive(Debug)]
enum State {
    Accepting(TcpListener),
    /// Connections are made, and nobody answers on them.
    Stalling(TcpListener),
    /// A socket that is bound but does not listen: the system refuses connections, and gives the port to
    /// nobody else.
    Refusing(TcpSocket),
    /// Between two of the others, or after the port could not be had again.
    Closed,
}

/// A connection that was made, and what to do with it.
pub(super) struct Accepted {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    pub(super) stalled: bool,
}

impl Port {
    /// Listens on a free port. Needs a Tokio runtime.
    pub(super) fn open() -> io::Result<Self> {
        let listener = listen(bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?)?;
        Ok(Self {
            address: listener.local_addr()?,
            state: Mutex::new(State::Accepting(listener)),
            changed: Notify::new(),
            runtime: Handle::try_current().map_err(io::Error::other)?,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// New connections are made and served.
    pub(super) fn accept_connections(&self) -> io::Result<()> {
        self.change(|port, state| Ok(State::Accepting(port.listener(state)?)))
    }

    /// New connections are made and then left without an answer.
    pub(super) fn stall_connections(&self) -> io::Result<()> {
        self.change(|port, state| Ok(State::Stalling(port.listener(state)?)))
    }

    /// New connections are refused, and so are those that wait to be accepted.
    pub(super) fn refuse_connections(&self) -> io::Result<()> {
        self.change(|port, state| match state {
            State::Refusing(socket) => Ok(State::Refusing(socket)),
            // The listener has to be gone before the port can be bound again.
            open => {
                drop(open);
                Ok(State::Refusing(bind(port.address)?))
            }
        })
    }

    /// New connections are refused, for good.
    pub(super) fn close(&self) {
        *lock(&self.state) = State::Closed;
    }

    /// Waits for the next connection.
    pub(super) async fn next(&self) -> Accepted {
        loop {
            let accepted = poll_fn(|context| match &*lock(&self.state) {
                State::Accepting(listener) => listener
                    .poll_accept(context)
                    .map(|accepted| (accepted, false)),
                State::Stalling(listener) => listener
                    .poll_accept(context)
                    .map(|accepted| (accepted, true)),
                State::Refusing(_) | State::Closed => Poll::Pending,
            });
            tokio::select! {
                (accepted, stalled) = accepted => match accepted {
                    Ok((stream, peer)) => return Accepted { stream, peer, stalled },
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                // There may be another listener now.
                () = self.changed.notified() => {}
            }
        }
    }

    fn change(&self, to: impl FnOnce(&Self, State) -> io::Result<State>) -> io::Result<()> {
        let mut state = lock(&self.state);
        let before = std::mem::replace(&mut *state, State::Closed);
        *state = to(self, before)?;
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    fn listener(&self, state: State) -> io::Result<TcpListener> {
        let socket = match state {
            State::Accepting(listener) | State::Stalling(listener) => return Ok(listener),
            State::Refusing(socket) => socket,
            State::Closed => bind(self.address)?,
        };
        // The caller may be on a thread without a runtime.
        let _runtime = self.runtime.enter();
        listen(socket)
    }
}

/// A socket that holds `address` and does not listen.
fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    share(&socket, true)?;
    socket.bind(address)?;
    share(&socket, false)?;
    Ok(socket)
}

fn listen(socket: TcpSocket) -> io::Result<TcpListener> {
    share(&socket, true)?;
    socket.listen(BACKLOG)
}

/// Whether the socket puts up with others on its port that do not listen.
///
/// It has to while it is bound and while it begins to listen, because connections of before may still be
/// open or closing; but not in between, or else others could take the port. On Windows the switch means
/// something else, and connections of before are in nobody's way.
fn share(socket: &TcpSocket, share: bool) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    socket.set_reuseaddr(share)
}
