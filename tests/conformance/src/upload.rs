//! The requests of a call that has a stream of them.

use crate::cancel::{Means, When};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic_cloud_run::tonic::{CancellationHandle, Request};

/// Requests that are sent while the call runs.
pub(crate) struct Upload<Req> {
    messages: Vec<Req>,
    /// How long to wait before each.
    delay: Duration,
    when: When,
    sender: mpsc::Sender<Req>,
    handle: Option<CancellationHandle>,
}

impl<Req> Upload<Req> {
    /// The upload, and the request that carries it.
    pub(crate) fn new(
        messages: Vec<Req>,
        delay: Duration,
        when: When,
        means: Means,
    ) -> (Self, Request<ReceiverStream<Req>>) {
        // One place, so that a message counts as sent when the one before it was taken.
        let (sender, receiver) = mpsc::channel(1);
        let mut request = Request::new(ReceiverStream::new(receiver));
        let handle = (means == Means::Handle).then(|| request.cancellation_handle());
        let upload = Self {
            messages,
            delay,
            when,
            sender,
            handle,
        };
        (upload, request)
    }

    /// Sends the messages, counting them; with `answered`, each only after the answer to the one before. Returns when the
    /// call is to be dropped, and never where it is not.
    pub(crate) async fn run(
        self,
        sent: &AtomicUsize,
        mut answered: Option<watch::Receiver<usize>>,
    ) {
        let mut handle = self.handle;
        for (before, message) in self.messages.into_iter().enumerate() {
            if let Some(answered) = &mut answered
                && answered
                    .wait_for(|answered| *answered >= before)
                    .await
                    .is_err()
            {
                return std::future::pending().await;
            }
            tokio::time::sleep(self.delay).await;
            if self.sender.send(message).await.is_err() {
                // The call is over; the other half tells how.
                return std::future::pending().await;
            }
            sent.fetch_add(1, Ordering::Relaxed);
        }
        let all = sent.load(Ordering::Relaxed);
        if let Some(answered) = &mut answered
            && answered
                .wait_for(|answered| *answered >= all)
                .await
                .is_err()
        {
            return std::future::pending().await;
        }
        if self.when == When::BeforeCloseSend {
            // A free place means that the last message was taken.
            let _taken = self.sender.reserve().await;
            match handle.take() {
                None => return,
                Some(handle) => {
                    handle.cancel();
                    return std::future::pending().await;
                }
            }
        }
        drop(self.sender);
        self.when.after_close_send().await;
    }
}
