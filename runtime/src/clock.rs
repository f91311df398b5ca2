//! Injected time.
//!
//! Whether a token is still good is judged on the wall clock: the monotonic clock may stand still while Cloud Run
//! suspends a container, and the token's end (`exp`) is a wall-clock time anyway.

use std::time::SystemTime;

/// Tells the wall-clock time.
pub(crate) trait Clock: Send + Sync + 'static {
    fn now(&self) -> SystemTime;
}

/// The system's own clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

#[cfg(test)]
pub(crate) mod test {
    use std::sync::Mutex;
    use std::time::{Duration, SystemTime};

    /// A clock that a test sets.
    pub(crate) struct ManualClock(Mutex<SystemTime>);

    impl ManualClock {
        pub(crate) fn at(now: SystemTime) -> Self {
            Self(Mutex::new(now))
        }

        pub(crate) fn advance(&self, by: Duration) {
            *self.0.lock().unwrap() += by;
        }

        pub(crate) fn rewind(&self, by: Duration) {
            *self.0.lock().unwrap() -= by;
        }
    }

    impl super::Clock for std::sync::Arc<ManualClock> {
        fn now(&self) -> SystemTime {
            *self.0.lock().unwrap()
        }
    }
}
