//! How much a connection is used: by how many calls now, and when last.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A connection without calls for this long is closed, or not used again: Google's front ends drop such after about
/// ten minutes, without a word that a container could hear that was suspended meanwhile.
pub(crate) const IDLE: Duration = Duration::from_secs(300);

/// A connection without calls for this long is asked whether it is still there before it is given one: something on the
/// way (a NAT, a firewall, a load balancer) may have forgotten it.
const RESTED: Duration = Duration::from_secs(60);

/// The usage of one connection, shared by all that hold it.
#[derive(Clone, Default)]
pub(crate) struct Usage(Arc<Counts>);

#[derive(Default)]
struct Counts {
    calls: AtomicUsize,
    /// When a call last began or ended, on the wall clock, which goes on while a container is suspended.
    last: AtomicU64,
}

impl Usage {
    pub(crate) fn new() -> Self {
        let usage = Self::default();
        usage.touch();
        usage
    }

    /// The calls that are open.
    pub(crate) fn calls(&self) -> usize {
        self.0.calls.load(Relaxed)
    }

    /// Whether the connection has been without calls for long.
    pub(crate) fn is_idle(&self) -> bool {
        self.calls() == 0
            && unix_seconds().saturating_sub(self.0.last.load(Relaxed)) >= IDLE.as_secs()
    }

    /// Counts a call, until what it returns is dropped; says whether the connection rested before.
    pub(crate) fn begin(&self) -> (OpenCall, bool) {
        let alone = self.0.calls.fetch_add(1, Relaxed) == 0;
        let now = unix_seconds();
        let rest = now.saturating_sub(self.0.last.swap(now, Relaxed));
        (OpenCall(self.clone()), alone && rest >= RESTED.as_secs())
    }

    /// As if the connection had rested for a while, and not so long that it is idle.
    #[cfg(test)]
    pub(crate) fn rest(&self) {
        let last = unix_seconds() - RESTED.as_secs();
        self.0.last.store(last, Relaxed);
    }

    fn touch(&self) {
        self.0.last.store(unix_seconds(), Relaxed);
    }
}

/// A call that is open.
pub(crate) struct OpenCall(Usage);

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.0.touch();
        self.0.0.calls.fetch_sub(1, Relaxed);
    }
}

fn unix_seconds() -> u64 {
    // Before 1970 every connection is new.
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_calls_and_knows_long_rest() {
        let usage = Usage::new();
        let (call, rested) = usage.begin();
        assert!(!rested, "it is new");
        usage.0.last.store(0, Relaxed);
        let (another, rested) = usage.begin();
        assert!(!rested, "a call is open");
        drop(another);
        usage.0.last.store(0, Relaxed);
        assert_eq!(usage.calls(), 1);
        assert!(!usage.is_idle(), "a call is open");
        drop(call);
        assert_eq!(usage.calls(), 0);
        assert!(!usage.is_idle(), "it has only just ended");
        usage.0.last.store(unix_seconds() - IDLE.as_secs(), Relaxed);
        assert!(usage.is_idle());
        usage.rest();
        let (call, rested) = usage.begin();
        assert!(rested);
        drop(call);
        let (_, rested) = usage.begin();
        assert!(!rested, "it has only just been used");
        usage.0.last.store(unix_seconds() + 1000, Relaxed);
        assert!(!usage.is_idle(), "the clock was set back");
    }
}
