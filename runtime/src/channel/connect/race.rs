//! TCP to the first of a host's addresses that answers: Happy Eyeballs, [RFC 8305].
//!
//! A machine may have an IPv6 address and no route for it, and one of several addresses may be down: addresses are tried
//! in turn, each a little after the one before, and the first connection wins.
//!
//! [RFC 8305]: https://www.rfc-editor.org/rfc/rfc8305

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// The pause before the next address is tried beside those that have not answered (RFC 8305, 5).
const PAUSE: Duration = Duration::from_millis(250);

/// How many failures are told one by one.
pub(super) const TOLD: usize = 4;

/// Why no address answered.
#[derive(Debug)]
pub(crate) struct Unreachable(Vec<(SocketAddr, io::Error)>);

impl Unreachable {
    /// Whether nothing listens at any of them.
    pub(crate) fn is_refused(&self) -> bool {
        let refused =
            |(_, error): &(_, io::Error)| error.kind() == io::ErrorKind::ConnectionRefused;
        !self.0.is_empty() && self.0.iter().all(refused)
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("the name has no addresses");
        }
        for (index, (address, error)) in self.0.iter().take(TOLD).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{address}: {error}")?;
        }
        match self.0.len() - self.0.len().min(TOLD) {
            0 => Ok(()),
            more => write!(f, ", and {more} more"),
        }
    }
}

impl std::error::Error for Unreachable {}

/// A connection to one of these addresses.
pub(crate) async fn connect(addresses: Vec<SocketAddr>) -> Result<TcpStream, Unreachable> {
    let mut rest = interleaved(addresses).into_iter();
    // Dropped with this future, and the attempts that lost with it.
    let mut attempts = JoinSet::new();
    let mut failures = Vec::new();
    loop {
        if let Some(address) = rest.next() {
            attempts.spawn(async move { (address, TcpStream::connect(address).await) });
        }
        let ended = tokio::select! {
            ended = attempts.join_next() => ended,
            () = sleep(PAUSE), if rest.len() > 0 => continue,
        };
        match ended {
            Some(Ok((_, Ok(tcp)))) => return Ok(tcp),
            Some(Ok((address, Err(error)))) => failures.push((address, error)),
            None if rest.len() == 0 => return Err(Unreachable(failures)),
            // An attempt is only lost with its runtime, and this future with it.
            Some(Err(_)) | None => {}
        }
    }
}

/// The two families by turns, beginning with that of the first address, which the system prefers (RFC 8305, 4).
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (one, other): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    let mut all = Vec::with_capacity(one.len() + other.len());
    loop {
        let before = all.len();
        all.extend(one.next());
        all.extend(other.next());
        if all.len() == before {
            return all;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::{TcpListener, TcpSocket};

    fn all(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns_and_the_first_begins() {
        assert_eq!(
            interleaved(all(&[
                "[::1]:1",
                "[::2]:1",
                "[::3]:1",
                "1.1.1.1:1",
                "2.2.2.2:1"
            ])),
            all(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"])
        );
        assert_eq!(
            interleaved(all(&["1.1.1.1:1", "[::1]:1", "[::2]:1"])),
            all(&["1.1.1.1:1", "[::1]:1", "[::2]:1"])
        );
        assert_eq!(interleaved(Vec::new()), []);
    }

    /// An address at which nothing listens, and nothing else can while the socket is held.
    fn refusing() -> (TcpSocket, SocketAddr) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    #[tokio::test]
    async fn an_address_that_refuses_is_passed_over() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let (_held, refusing) = refusing();
        let tcp = connect(vec![refusing, good]).await.unwrap();
        assert_eq!(tcp.peer_addr().unwrap(), good);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn an_address_that_never_answers_holds_up_none_behind_it() {
        // Its queue is full: what else comes is dropped without an answer.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let full = socket.listen(1).unwrap();
        let silent = full.local_addr().unwrap();
        let mut filling = JoinSet::new();
        for _ in 0..4 {
            filling.spawn(TcpStream::connect(silent));
        }
        sleep(Duration::from_millis(100)).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let (_held, refusing) = refusing();
        let tcp = connect(vec![silent, refusing, good]).await.unwrap();
        assert_eq!(tcp.peer_addr().unwrap(), good);
    }

    #[tokio::test]
    async fn all_that_was_tried_is_told_up_to_a_few() {
        let (_held, address) = refusing();
        let error = connect(vec![address; 6]).await.unwrap_err();
        assert!(error.is_refused());
        let text = error.to_string();
        assert_eq!(text.matches(&address.to_string()).count(), TOLD, "{text}");
        assert!(text.ends_with(", and 2 more"), "{text}");
        let nothing = connect(Vec::new()).await.unwrap_err();
        assert_eq!(nothing.to_string(), "the name has no addresses");
    }
}
