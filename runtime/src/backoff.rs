//! How long to wait after failures, as the gRPC [connection back-off] specification says.
//!
//! [connection back-off]: https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md

use std::time::Duration;

const INITIAL: f64 = 1.0;
const MULTIPLIER: f64 = 1.6;
const MAX: f64 = 120.0;
const JITTER: f64 = 0.2;

/// The pause after `failures` failures in a row (1 or more): 1 s × 1.6 each time, at most 120 s, ± 20 %.
///
/// `jitter` is a random number from 0 to 1.
pub(crate) fn delay(failures: u32, jitter: f64) -> Duration {
    // Past 2^5 doublings the maximum has long been reached; the cap keeps powi in range.
    let exponent = i32::try_from(failures.saturating_sub(1).min(32)).unwrap_or(32);
    let base = (INITIAL * MULTIPLIER.powi(exponent)).min(MAX);
    Duration::from_secs_f64(base * (1.0 + JITTER * (2.0 * jitter - 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_by_1_6_up_to_the_maximum() {
        let delays: Vec<f64> = (1..=4).map(|n| delay(n, 0.5).as_secs_f64()).collect();
        for (got, want) in delays.iter().zip([1.0, 1.6, 2.56, 4.096]) {
            assert!((got - want).abs() < 1e-9, "{got} is not {want}");
        }
        assert_eq!(delay(1000, 0.5), Duration::from_secs(120));
        assert_eq!(delay(u32::MAX, 0.5), Duration::from_secs(120));
    }

    #[test]
    fn jitter_is_a_fifth_either_way() {
        assert_eq!(delay(1, 0.0), Duration::from_millis(800));
        assert_eq!(delay(1, 1.0), Duration::from_millis(1200));
        assert_eq!(delay(0, 0.5), delay(1, 0.5));
    }
}
