//! When a call that failed is made again: gRFC [A6].
//!
//! Only what a service config allows is retried. Calls that never reached the application are sent again in any case
//! and are none of these attempts (A6: transparent retries; see `channel/network.rs`).
//!
//! [A6]: https://github.com/grpc/proposal/blob/master/A6-client-retries.md

use http::{HeaderMap, HeaderName};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;
use tonic::Code;

/// How many attempts a call made before this one.
pub(crate) const PREVIOUS_ATTEMPTS: HeaderName =
    HeaderName::from_static("grpc-previous-rpc-attempts");

const PUSH_BACK: HeaderName = HeaderName::from_static("grpc-retry-pushback-ms");

/// The policy of a method.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RetryPolicy {
    /// Attempts in all, the first included.
    pub(crate) max_attempts: u32,
    pub(crate) initial_backoff: Duration,
    pub(crate) max_backoff: Duration,
    pub(crate) multiplier: f64,
    pub(crate) codes: Codes,
}

/// A set of status codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Codes(u32);

impl Codes {
    pub(crate) fn insert(&mut self, code: Code) {
        self.0 |= 1 << code as u32;
    }

    pub(crate) fn contains(self, code: Code) -> bool {
        self.0 & (1 << code as u32) != 0
    }
}

impl RetryPolicy {
    /// The pause before the `n`th retry since the server last set one; `jitter` is a random number from 0 to 1.
    fn pause(&self, n: u32, jitter: f64) -> Duration {
        let exponent = i32::try_from(n.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.initial_backoff.as_secs_f64() * self.multiplier.powi(exponent);
        let bounded = seconds.min(self.max_backoff.as_secs_f64());
        Duration::try_from_secs_f64(bounded * (0.8 + 0.4 * jitter)).unwrap_or(self.max_backoff)
    }
}

/// Holds retries back while many calls of a channel fail. Counts in thousandths of A6's tokens.
#[derive(Debug)]
pub(crate) struct Throttle {
    max: u32,
    ratio: u32,
    tokens: AtomicU32,
}

const TOKEN: u32 = 1000;

impl Throttle {
    /// `max` tokens, at most 1000, of which every success gives `ratio` back, both in thousandths.
    pub(crate) fn new(max: u32, ratio: u32) -> Self {
        let tokens = AtomicU32::new(max);
        Self { max, ratio, tokens }
    }

    /// Counts a failure; says whether retries are allowed after it.
    fn failure(&self) -> bool {
        let take = |tokens: u32| Some(tokens.saturating_sub(TOKEN));
        // The function never refuses: both arms hold the value before.
        let (Ok(before) | Err(before)) = self.tokens.fetch_update(Relaxed, Relaxed, take);
        before.saturating_sub(TOKEN) > self.max / 2
    }

    fn success(&self) {
        if self.tokens.load(Relaxed) < self.max {
            let give = |tokens: u32| Some(tokens.saturating_add(self.ratio).min(self.max));
            let _ = self.tokens.fetch_update(Relaxed, Relaxed, give);
        }
    }
}

/// The attempts of one call.
pub(crate) struct Attempts<'a> {
    policy: Option<&'a RetryPolicy>,
    throttle: Option<&'a Throttle>,
    /// Attempts that failed.
    failed: u32,
    /// Those since the server last said when to come back.
    since_push_back: u32,
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(policy: Option<&'a RetryPolicy>, throttle: Option<&'a Throttle>) -> Self {
        Self {
            policy,
            throttle,
            failed: 0,
            since_push_back: 0,
        }
    }

    /// How many attempts came before the one under way.
    pub(crate) fn previous(&self) -> u32 {
        self.failed
    }

    /// Takes note of an answer that is no failure.
    pub(crate) fn succeeded(&self) {
        if let Some(throttle) = self.throttle {
            throttle.success();
        }
    }

    /// Takes note of a failure; says after which pause the next attempt is to be made, if one is. `trailers` are those
    /// that the failure came with.
    pub(crate) fn failed(&mut self, code: Code, trailers: Option<&HeaderMap>) -> Option<Duration> {
        let policy = self.policy?;
        let push_back = trailers.and_then(push_back);
        let retryable = policy.codes.contains(code);
        let forbidden = push_back == Some(PushBack::Never);
        // Both count against the channel, the second even where the code alone would not.
        let throttled =
            (retryable || forbidden) && self.throttle.is_some_and(|throttle| !throttle.failure());
        self.failed += 1;
        if !retryable || forbidden || throttled || self.failed >= policy.max_attempts {
            return None;
        }
        if let Some(PushBack::After(pause)) = push_back {
            self.since_push_back = 0;
            return Some(pause);
        }
        self.since_push_back += 1;
        Some(policy.pause(self.since_push_back, fastrand::f64()))
    }
}

/// What a server says of retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PushBack {
    After(Duration),
    Never,
}

/// Reads `grpc-retry-pushback-ms`. What is no number, or below zero, forbids retries.
fn push_back(trailers: &HeaderMap) -> Option<PushBack> {
    let text = trailers.get(PUSH_BACK)?.to_str().unwrap_or_default();
    Some(match text.parse::<u32>() {
        Ok(milliseconds) => PushBack::After(Duration::from_millis(milliseconds.into())),
        Err(_) => PushBack::Never,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy() -> RetryPolicy {
        let mut codes = Codes::default();
        codes.insert(Code::Unavailable);
        RetryPolicy {
            max_attempts: 4,
            initial_backoff: Duration::from_secs(1),
            max_backoff: Duration::from_secs(3),
            multiplier: 2.0,
            codes,
        }
    }

    fn pushed_back(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(PUSH_BACK, value.parse().unwrap())])
    }

    #[test]
    fn pauses_grow_up_to_the_longest_with_a_fifth_of_jitter() {
        let seconds = |n, jitter| policy().pause(n, jitter).as_secs_f64();
        for (n, want) in [(1, 1.0), (2, 2.0), (3, 3.0), (30, 3.0), (u32::MAX, 3.0)] {
            assert!((seconds(n, 0.5) - want).abs() < 1e-9, "{n}");
            assert!((seconds(n, 0.0) - want * 0.8).abs() < 1e-9, "{n}");
            assert!((seconds(n, 1.0) - want * 1.2).abs() < 1e-9, "{n}");
        }
    }

    #[test]
    fn as_many_attempts_as_the_policy_says_and_only_for_its_codes() {
        let policy = policy();
        let mut attempts = Attempts::new(Some(&policy), None);
        for previous in 0..3 {
            assert_eq!(attempts.previous(), previous);
            assert!(attempts.failed(Code::Unavailable, None).is_some());
        }
        assert_eq!(attempts.failed(Code::Unavailable, None), None);
        assert_eq!(
            Attempts::new(Some(&policy), None).failed(Code::Internal, None),
            None
        );
        assert_eq!(
            Attempts::new(None, None).failed(Code::Unavailable, None),
            None
        );
    }

    #[test]
    fn the_server_may_set_the_pause_or_forbid_the_retry() {
        let policy = policy();
        let pause = |value| {
            Attempts::new(Some(&policy), None).failed(Code::Unavailable, Some(&pushed_back(value)))
        };
        assert_eq!(pause("0"), Some(Duration::ZERO));
        assert_eq!(pause("1500"), Some(Duration::from_millis(1500)));
        for never in ["-1", "", "soon", "1.5", "99999999999"] {
            assert_eq!(pause(never), None, "{never:?}");
        }
        // Afterwards the pauses start over.
        let mut attempts = Attempts::new(Some(&policy), None);
        let _ = attempts.failed(Code::Unavailable, None);
        let _ = attempts.failed(Code::Unavailable, Some(&pushed_back("7")));
        let again = attempts.failed(Code::Unavailable, None).unwrap();
        assert!(again <= Duration::from_millis(1200), "{again:?}");
    }

    #[test]
    fn with_half_of_the_tokens_gone_nothing_is_retried_until_calls_succeed() {
        let policy = policy();
        let throttle = Throttle::new(4 * TOKEN, TOKEN / 2);
        let fails =
            || Attempts::new(Some(&policy), Some(&throttle)).failed(Code::Unavailable, None);
        assert!(fails().is_some());
        assert!(fails().is_none(), "two of four are left");
        let succeeds = || Attempts::new(Some(&policy), Some(&throttle)).succeeded();
        succeeds();
        succeeds();
        assert!(fails().is_none(), "two of four are left");
        for _ in 0..100 {
            succeeds();
        }
        assert!(fails().is_some());
        // A code that is not retried says nothing of the server's health.
        let _ = Attempts::new(Some(&policy), Some(&throttle)).failed(Code::NotFound, None);
        assert_eq!(throttle.tokens.load(Relaxed), 3 * TOKEN);
    }

    proptest! {
        #[test]
        fn tokens_stay_between_none_and_all(
            max in 1_u32..1_000_000,
            ratio in 1_u32..10_000_000,
            outcomes in proptest::collection::vec(any::<bool>(), 0..200),
        ) {
            let throttle = Throttle::new(max, ratio);
            for success in outcomes {
                if success {
                    throttle.success();
                } else {
                    throttle.failure();
                }
                prop_assert!(throttle.tokens.load(Relaxed) <= max);
            }
        }

        #[test]
        fn any_push_back_is_read(value in proptest::collection::vec(0x20_u8..=0xff, 0..30)) {
            if let Ok(value) = http::HeaderValue::from_bytes(&value) {
                let _ = push_back(&HeaderMap::from_iter([(PUSH_BACK, value)]));
            }
        }
    }
}
