//! How much a server may send ahead on one stream: as much as the path holds, its bandwidth-delay product.
//!
//! It is measured with pings, as grpc-go and grpc-java do: what arrives between a ping and its answer has been under way
//! together. Other than theirs, the window is large from the start and a ping goes out only once so much has come that
//! the window may matter: small answers cost none, and front ends count pings against a client.

use super::traffic::Traffic;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The window of a new connection's streams, in bytes: 80 Mbit/s over a path of 100 ms.
pub(crate) const INITIAL: u32 = 1024 * 1024;

/// The largest window, in bytes: what a reader that stands still may hold of a stream.
const LARGEST: u32 = 16 * 1024 * 1024;

/// After how many bytes it is measured again.
const STEP: u64 = INITIAL as u64 / 4;

/// The window of a connection's streams.
pub(crate) struct Window {
    traffic: Traffic,
    /// How much had come when it was measured last.
    seen: AtomicU64,
    due: Notify,
    estimate: Mutex<Estimate>,
    /// The size that the server has not been told yet; 0 if there is none.
    grown: AtomicU32,
}

/// A ping under way.
pub(crate) struct RoundTrip {
    began: Instant,
    received: u64,
}

impl Window {
    pub(crate) fn new(traffic: Traffic) -> Self {
        Self {
            seen: AtomicU64::new(traffic.received()),
            traffic,
            due: Notify::new(),
            estimate: Mutex::new(Estimate::new()),
            grown: AtomicU32::new(0),
        }
    }

    /// Takes note of what has come.
    pub(crate) fn look(&self) {
        if self.traffic.received() - self.seen.load(Relaxed) >= STEP && self.estimate().may_grow() {
            self.due.notify_one();
        }
    }

    /// Waits until a ping would tell something.
    pub(crate) async fn due(&self) {
        self.due.notified().await;
    }

    /// To be called as a ping goes out.
    pub(crate) fn measure(&self) -> RoundTrip {
        RoundTrip {
            began: Instant::now(),
            received: self.traffic.received(),
        }
    }

    /// To be called as its answer comes.
    pub(crate) fn measured(&self, round_trip: &RoundTrip) {
        let received = self.traffic.received();
        self.seen.store(received, Relaxed);
        let bytes = received - round_trip.received;
        if let Some(size) = self.estimate().measured(bytes, round_trip.began.elapsed()) {
            self.grown.store(size, Relaxed);
        }
    }

    /// Tells the server a new size, if there is one; `tell` says whether it could. Returns whether it has been told.
    pub(crate) fn tell(&self, tell: impl FnOnce(u32) -> bool) -> bool {
        let size = self.grown.load(Relaxed);
        let told = size > 0 && tell(size);
        if told {
            self.grown.store(0, Relaxed);
        }
        told
    }

    fn estimate(&self) -> std::sync::MutexGuard<'_, Estimate> {
        // One task holds it, and a number is always whole.
        self.estimate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What has been learned of a path.
struct Estimate {
    window: u32,
    /// The most bytes a second with a filled window.
    fastest: f64,
}

impl Estimate {
    fn new() -> Self {
        Self {
            window: INITIAL,
            fastest: 0.0,
        }
    }

    fn may_grow(&self) -> bool {
        self.window < LARGEST
    }

    /// What came during a round trip; returns the new window if it is too small for the path: two thirds of it were under
    /// way at once, and faster than ever before.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn measured(&mut self, bytes: u64, round_trip: Duration) -> Option<u32> {
        let filled = bytes >= u64::from(self.window) * 2 / 3;
        let rate = bytes as f64 / round_trip.as_secs_f64().max(1e-6);
        if !filled || !self.may_grow() || rate <= self.fastest {
            return None;
        }
        self.fastest = rate;
        let twice = u32::try_from(bytes.saturating_mul(2)).unwrap_or(LARGEST);
        self.window = twice.clamp(self.window, LARGEST);
        Some(self.window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::connection;
    use crate::channel::replay::Recording;
    use crate::host::Host;
    use bytes::Bytes;
    use http::{Request, Response};
    use http_body::Body;
    use std::future::poll_fn;
    use std::pin::Pin;
    use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};

    const MIB: u64 = 1024 * 1024;
    const TRIP: Duration = Duration::from_millis(100);

    #[test]
    fn a_window_that_is_filled_grows_until_the_path_is_full() {
        let mut estimate = Estimate::new();
        // A path that holds 5 MiB.
        let mut sizes = Vec::new();
        for _ in 0..10 {
            let bytes = u64::from(estimate.window).min(5 * MIB);
            sizes.extend(estimate.measured(bytes, TRIP));
        }
        assert_eq!(sizes, [2 << 20, 4 << 20, 8 << 20]);
    }

    #[test]
    fn it_never_grows_above_its_bound_nor_shrinks() {
        let mut estimate = Estimate::new();
        for shift in 0..60 {
            let before = estimate.window;
            let _ = estimate.measured(1 << shift, TRIP);
            assert!((before..=LARGEST).contains(&estimate.window));
        }
        assert_eq!(estimate.window, LARGEST);
        assert!(!estimate.may_grow());
    }

    #[test]
    fn what_does_not_fill_it_leaves_it() {
        let mut estimate = Estimate::new();
        assert_eq!(estimate.measured(MIB / 2, TRIP), None);
        assert_eq!(estimate.measured(0, Duration::ZERO), None);
        // As much again, and slower: the server is what holds it.
        assert!(estimate.measured(MIB, TRIP).is_some());
        assert_eq!(estimate.measured(2 * MIB, 4 * TRIP), None);
    }

    /// Passes on what is written, half a round trip later.
    async fn delay(
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Send + Unpin + 'static,
    ) {
        let (send, mut under_way) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some((due, bytes)) = under_way.recv().await {
                tokio::time::sleep_until(due).await;
                let bytes: Bytes = bytes;
                if to.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        });
        let mut buffer = vec![0; 256 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let bytes = Bytes::copy_from_slice(&buffer[..read]);
            if send.send((Instant::now() + TRIP / 2, bytes)).is_err() {
                return;
            }
        }
    }

    /// The two ends of a path that takes any amount at once, and its time.
    fn path() -> (DuplexStream, DuplexStream) {
        let (near, near_end) = tokio::io::duplex(1024 * 1024);
        let (far, far_end) = tokio::io::duplex(1024 * 1024);
        let (near_read, near_write) = tokio::io::split(near_end);
        let (far_read, far_write) = tokio::io::split(far_end);
        tokio::spawn(delay(near_read, far_write));
        tokio::spawn(delay(far_read, near_write));
        (near, far)
    }

    /// A server that answers each request with so many bytes, as fast as it may.
    async fn serve(io: DuplexStream, bytes: usize) {
        let mut connection = h2::server::handshake(io).await.unwrap();
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            let mut stream = respond.send_response(Response::new(()), false).unwrap();
            stream.send_data(Bytes::from(vec![0; bytes]), true).unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_fat_path_is_filled() {
        const BYTES: usize = 64 << 20;
        let (near, far) = path();
        tokio::spawn(serve(far, BYTES));
        let host = Host::parse("a.run.app").unwrap();
        let Ok(sender) = connection::open(near, None, &host).await else {
            panic!("it can be opened");
        };
        let mut request = Request::new(Recording::Message(Bytes::new()).replay().unwrap());
        *request.uri_mut() = "http://a.run.app/x".parse().unwrap();
        let began = Instant::now();
        let Ok(response) = sender.lease().send(request).await else {
            panic!("it is answered");
        };
        let mut body = response.into_body();
        let mut received = 0;
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            let data = frame.unwrap().into_data();
            received += data.map_or(0, |data| data.len());
        }
        assert_eq!(received, BYTES);
        // With the first window alone it would take a round trip for each MiB.
        let trips = began.elapsed().as_secs_f64() / TRIP.as_secs_f64();
        assert!((4.0..16.0).contains(&trips), "{trips} round trips");
    }
}
