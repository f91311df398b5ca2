//! Deadlines: when a call must have ended, and the `grpc-timeout` header that tells the server.
//!
//! The header's form is set by [PROTOCOL-HTTP2]: at most eight digits and a unit.
//!
//! [PROTOCOL-HTTP2]: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;
use tokio::time::Instant;

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// The longest timeout taken at its word (about 136 years); anything above means no deadline.
const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

/// When a call must have ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    /// The time the call was given.
    pub(crate) timeout: Duration,
}

impl Deadline {
    /// The deadline that a call's headers ask for, or else the channel's default; not later than `bound` allows.
    pub(crate) fn of(
        headers: &HeaderMap,
        default: Option<Duration>,
        bound: Option<Duration>,
    ) -> Option<Self> {
        let asked = headers.get(GRPC_TIMEOUT).and_then(parse).or(default);
        Self::after(asked.into_iter().chain(bound).min())
    }

    /// The deadline that far from now.
    pub(crate) fn after(timeout: Option<Duration>) -> Option<Self> {
        let timeout = timeout?;
        if timeout >= LONGEST {
            return None;
        }
        let at = Instant::now().checked_add(timeout)?;
        Some(Self { at, timeout })
    }

    /// Tells the server the time that is left now.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let mut left = format(self.at.saturating_duration_since(Instant::now()));
        // It differs from call to call: in HPACK's table it would only push out what does not.
        left.set_sensitive(true);
        headers.insert(GRPC_TIMEOUT, left);
    }
}

/// Reads a `grpc-timeout`; `None` where it is malformed (the specification leaves that open; tonic ignores it too).
fn parse(value: &HeaderValue) -> Option<Duration> {
    let (digits, unit) = value
        .to_str()
        .ok()?
        .split_at_checked(value.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

/// Writes a timeout in the finest unit that eight digits can hold, rounded up: the server's deadline is not the earlier.
fn format(timeout: Duration) -> HeaderValue {
    const SECOND: u128 = 1_000_000_000;
    let nanos = timeout.as_nanos();
    let (amount, unit) = [
        (1, 'n'),
        (1000, 'u'),
        (1_000_000, 'm'),
        (SECOND, 'S'),
        (60 * SECOND, 'M'),
    ]
    .into_iter()
    .map(|(length, unit)| (nanos.div_ceil(length), unit))
    .find(|(amount, _)| *amount < 100_000_000)
    .unwrap_or((nanos.div_ceil(3600 * SECOND).min(99_999_999), 'H'));
    HeaderValue::try_from(format!("{amount}{unit}"))
        .unwrap_or_else(|_| HeaderValue::from_static("99999999H"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Option<Duration> {
        parse(&HeaderValue::from_str(text).unwrap())
    }

    #[test]
    fn reads_every_unit_and_nothing_else() {
        for (text, want) in [
            ("1H", Some(Duration::from_secs(3600))),
            ("2M", Some(Duration::from_secs(120))),
            ("3S", Some(Duration::from_secs(3))),
            ("4m", Some(Duration::from_millis(4))),
            ("5u", Some(Duration::from_micros(5))),
            ("6n", Some(Duration::from_nanos(6))),
            ("0n", Some(Duration::ZERO)),
            ("99999999H", Some(Duration::from_secs(99_999_999 * 3600))),
            ("100000000n", None),
            ("", None),
            ("S", None),
            ("1", None),
            ("1s", None),
            ("-1S", None),
            ("+1S", None),
            ("1.5S", None),
        ] {
            assert_eq!(parsed(text), want, "{text:?}");
        }
    }

    #[test]
    fn a_call_s_own_deadline_wins_over_the_default() {
        let mut headers = HeaderMap::new();
        let default = Some(Duration::from_secs(9));
        assert_eq!(
            Deadline::of(&headers, default, None).unwrap().timeout,
            Duration::from_secs(9)
        );
        headers.insert(GRPC_TIMEOUT, HeaderValue::from_static("2S"));
        assert_eq!(
            Deadline::of(&headers, default, None).unwrap().timeout,
            Duration::from_secs(2)
        );
        assert!(Deadline::of(&HeaderMap::new(), None, None).is_none());
        assert!(Deadline::of(&HeaderMap::new(), Some(Duration::MAX), None).is_none());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_within_a_unit(nanos in 0u128..=u128::from(u64::MAX)) {
            let timeout = Duration::from_nanos(u64::try_from(nanos).unwrap());
            let read = parse(&format(timeout)).unwrap();
            prop_assert!(read >= timeout);
            prop_assert!(read <= timeout + timeout / 1000 + Duration::from_nanos(1));
        }

        #[test]
        fn no_header_value_panics(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                let _ = parse(&value);
            }
        }
    }
}
