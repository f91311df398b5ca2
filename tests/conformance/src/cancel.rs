//! When and how a call is to be cancelled.

use crate::suite::client_compat_request::Cancel;
use crate::suite::client_compat_request::cancel::CancelTiming;
use std::time::Duration;

/// How a call is cancelled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// Its future, or the stream of its answers, is dropped: what any Rust program does. The outcome `CANCELLED` is then
    /// this program's own word; what the suite sees of the channel is the rest of the calls, and its server's side.
    Drop,
    /// With `tonic`'s `CancellationHandle`, which ends the stream of requests in an error: for calls whose stream of
    /// requests is still open. The outcome is what the channel makes of it.
    Handle,
}

/// When a call is cancelled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Never,
    /// Once all requests are on their way, in place of the end of their stream.
    BeforeCloseSend,
    /// So long after the end of the requests.
    AfterCloseSend(Duration),
    /// Right after so many answers.
    AfterResponses(usize),
}

impl When {
    pub(crate) fn of(cancel: Option<&Cancel>) -> Self {
        let Some(cancel) = cancel else {
            return Self::Never;
        };
        match cancel.cancel_timing {
            None => Self::AfterCloseSend(Duration::ZERO),
            Some(CancelTiming::BeforeCloseSend(())) => Self::BeforeCloseSend,
            Some(CancelTiming::AfterCloseSendMs(ms)) => {
                Self::AfterCloseSend(Duration::from_millis(ms.into()))
            }
            Some(CancelTiming::AfterNumResponses(count)) => {
                Self::AfterResponses(usize::try_from(count).unwrap_or(usize::MAX))
            }
        }
    }

    /// Returns when a call is to be cancelled whose requests are all sent; never where something else decides.
    pub(crate) async fn after_close_send(self) {
        match self {
            Self::AfterCloseSend(delay) => tokio::time::sleep(delay).await,
            _ => std::future::pending().await,
        }
    }
}
