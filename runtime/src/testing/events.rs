//! What a fake saw, as it happens.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::denial::Denial;
use super::fault::{FrontFault, MetadataFault};
use super::lock::lock;
use super::token::TokenInfo;

/// One thing that the front or the metadata server saw. Its `Display` is one line for people; no event
/// holds a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The metadata server made a token and handed it out.
    TokenMinted {
        /// What the token says.
        token: TokenInfo,
    },
    /// The metadata server handed out a token that it had handed out before.
    TokenRepeated {
        /// What the token says.
        token: TokenInfo,
    },
    /// A token request met an injected fault.
    TokenRequestFaulted {
        /// The fault.
        fault: MetadataFault,
    },
    /// A client finished the TLS handshake with the front.
    ConnectionOpened {
        /// The client's address.
        peer: SocketAddr,
        /// Whether HTTP/2 was agreed on; otherwise it is HTTP/1.1.
        http2: bool,
    },
    /// A client's TLS handshake with the front failed.
    HandshakeFailed {
        /// The client's address.
        peer: SocketAddr,
        /// What went wrong, as TLS puts it.
        error: String,
    },
    /// The front let a call in and passed it to the service.
    CallAdmitted {
        /// The call's path: `/package.Service/Method`.
        path: String,
        /// What the caller's token says; none if the service lets in everyone.
        token: Option<TokenInfo>,
    },
    /// The front turned a call away.
    CallDenied {
        /// The call's path: `/package.Service/Method`.
        path: String,
        /// Why.
        reason: Denial,
        /// Why, in detail.
        detail: String,
    },
    /// A call met an injected fault of the front.
    CallFaulted {
        /// The call's path: `/package.Service/Method`.
        path: String,
        /// The fault.
        fault: FrontFault,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokenMinted { token } => write!(f, "token minted: {}", Shown(token)),
            Self::TokenRepeated { token } => write!(f, "same token again: {}", Shown(token)),
            Self::TokenRequestFaulted { fault } => write!(f, "token request met a fault: {fault}"),
            Self::ConnectionOpened { peer, http2 } => {
                let version = if *http2 { "HTTP/2" } else { "HTTP/1.1" };
                write!(f, "connection opened from {peer}, {version}")
            }
            Self::HandshakeFailed { peer, error } => {
                write!(f, "TLS handshake with {peer} failed: {error}")
            }
            Self::CallAdmitted {
                path,
                token: Some(token),
            } => write!(f, "call admitted: {path}, {}", Shown(token)),
            Self::CallAdmitted { path, token: None } => {
                write!(f, "call admitted: {path}, without a look at its token")
            }
            Self::CallDenied {
                path,
                reason,
                detail,
            } => write!(
                f,
                "call denied: {path}, {}: {reason}; {detail}",
                reason.status()
            ),
            Self::CallFaulted { path, fault } => write!(f, "call met a fault: {path}, {fault}"),
        }
    }
}

/// A token's line: fingerprint, identity, audience, time of day of its end.
struct Shown<'a>(&'a TokenInfo);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.0;
        write!(
            f,
            "token {} of {} for {}, ",
            token.fingerprint,
            token.identity(),
            token.audience
        )?;
        let Some(since) = token
            .expires_at
            .and_then(|time: SystemTime| time.duration_since(UNIX_EPOCH).ok())
        else {
            return f.write_str("without expiry");
        };
        let second_of_day = since.as_secs() % 86_400;
        write!(
            f,
            "until {:02}:{:02}:{:02} UTC",
            second_of_day / 3600,
            second_of_day / 60 % 60,
            second_of_day % 60
        )
    }
}

/// The events of a fake from the moment of [`FakeCloudRun::events`](super::FakeCloudRun::events) on, none lost.
///
/// Ends when the fake is dropped. Also a [`Stream`](tokio_stream::Stream).
#[derive(Debug)]
pub struct Events {
    receiver: UnboundedReceiver<Event>,
}

impl Events {
    /// Waits for the next event; `None` once the fake is gone and its last event was taken.
    ///
    /// Cancel safe: no event is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Event> {
        self.receiver.recv().await
    }

    /// The next event, if there is one already.
    pub fn try_next(&mut self) -> Option<Event> {
        self.receiver.try_recv().ok()
    }
}

impl tokio_stream::Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        self.receiver.poll_recv(context)
    }
}

/// Tells every subscriber.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    subscribers: Mutex<Vec<UnboundedSender<Event>>>,
}

impl EventLog {
    pub(super) fn subscribe(&self) -> Events {
        let (sender, receiver) = mpsc::unbounded_channel();
        lock(&self.subscribers).push(sender);
        Events { receiver }
    }

    pub(super) fn emit(&self, event: &Event) {
        lock(&self.subscribers).retain(|subscriber| subscriber.send(event.clone()).is_ok());
    }

    /// Ends every subscription.
    pub(super) fn close(&self) {
        lock(&self.subscribers).clear();
    }
}
