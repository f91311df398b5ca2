//! How long a token is used, and from when on a new one is asked for. Pure functions of the wall clock.
//!
//! After gRFC [A83]: a token is given up 30 s before its `exp`, because the call that carries it is on its way for a
//! while; and a new one is asked for about a minute before that, while the old one is still in use. Both spans shrink
//! for tokens that live less than a few minutes, which A83 does not speak of.
//!
//! ```text
//! received_at          refresh_at             usable_until        exp
//!      |------ Fresh -------|------- Aging ---------|---- Ended ----|
//!                            <- 60 s or life / 5 -> <- 30 s or life / 5 ->
//! ```
//!
//! [A83]: https://github.com/grpc/proposal/blob/master/A83-xds-gcp-authn-filter.md

use super::IdToken;
use std::time::{Duration, SystemTime};

const MARGIN: Duration = Duration::from_secs(30);
const LEAD: Duration = Duration::from_mins(1);
/// Neither span takes more than this part of a short life.
const SHARE: u32 = 5;

/// The two moments that matter in the use of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lifetime {
    /// From here on, the next call asks for a new token in the background.
    pub(crate) refresh_at: SystemTime,
    /// From here on, calls wait for a new token.
    pub(crate) usable_until: SystemTime,
}

/// What a [`Lifetime`] means at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Use it.
    Fresh,
    /// Use it, and ask for a new one in the background.
    Aging,
    /// Do not use it.
    Ended,
}

impl Lifetime {
    /// The use of a token that was received at `received_at`; `None` if it has ended by then.
    ///
    /// `jitter`, a random number from 0 to 1, spreads the refreshes of many instances that started together over a
    /// tenth of the lead.
    pub(crate) fn of(token: &IdToken, received_at: SystemTime, jitter: f64) -> Option<Self> {
        let exp = token.expires_at();
        // Issuer's end minus issuer's start: a wrong clock on this machine does not stretch it.
        let life = token
            .issued_at()
            .and_then(|iat| exp.duration_since(iat).ok())
            .filter(|life| !life.is_zero())
            .or_else(|| exp.duration_since(received_at).ok())?;
        let share = life / SHARE;
        let usable_until = exp.checked_sub(MARGIN.min(share))?;
        let left = usable_until
            .duration_since(received_at)
            .ok()
            .filter(|left| !left.is_zero())?;
        let lead = LEAD.min(share);
        let lead = lead
            + lead.mul_f64(
                0.1 * if jitter.is_nan() {
                    0.0
                } else {
                    jitter.clamp(0.0, 1.0)
                },
            );
        // A backend may hand out the same token until shortly before its end. Asking again at once would bring it
        // back again: a quarter of what is left passes first.
        let pause = left.saturating_sub(lead).max(left / 4);
        Some(Self {
            refresh_at: received_at.checked_add(pause)?,
            usable_until,
        })
    }

    pub(crate) fn state(&self, now: SystemTime) -> Freshness {
        if now < self.refresh_at {
            Freshness::Fresh
        } else if now < self.usable_until {
            Freshness::Aging
        } else {
            Freshness::Ended
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::token_with;
    use super::*;
    use std::time::UNIX_EPOCH;

    const NANOSECOND: Duration = Duration::from_nanos(1);
    const ISSUED: u64 = 1_795_000_000;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// A token of `life` seconds, received `age` seconds after it was issued.
    fn lifetime(life: u64, age: u64, jitter: f64) -> Option<Lifetime> {
        let token = token_with(&format!(r#"{{"iat":{ISSUED},"exp":{}}}"#, ISSUED + life));
        Lifetime::of(&token, at(ISSUED + age), jitter)
    }

    #[test]
    fn spans() {
        // life, age, jitter, refresh after, usable for: all in milliseconds since received, but life and age in seconds
        let table = [
            (3600, 0, 0.0, 3_510_000, 3_570_000),
            (3600, 0, 0.5, 3_507_000, 3_570_000),
            (3600, 0, 1.0, 3_504_000, 3_570_000),
            (3600, 0, f64::NAN, 3_510_000, 3_570_000),
            (3600, 0, -7.0, 3_510_000, 3_570_000),
            (3600, 0, f64::INFINITY, 3_504_000, 3_570_000),
            // Handed out again 4 minutes before its end, and then nearer and nearer to it.
            (3600, 3360, 0.0, 150_000, 210_000),
            (3600, 3490, 0.0, 20_000, 80_000),
            (3600, 3491, 0.0, 19_750, 79_000),
            (3600, 3510, 0.0, 15_000, 60_000),
            (3600, 3566, 0.0, 1_000, 4_000),
            // Short lives: a fifth each.
            (300, 0, 0.0, 210_000, 270_000),
            (150, 0, 0.0, 90_000, 120_000),
            (10, 0, 0.0, 6_000, 8_000),
            (10, 0, 1.0, 5_800, 8_000),
            (10, 6, 0.0, 500, 2_000),
            (1, 0, 0.0, 600, 800),
        ];
        for (life, age, jitter, refresh, usable) in table {
            let case = format!("life {life} s, age {age} s, jitter {jitter}");
            let lifetime = lifetime(life, age, jitter).unwrap_or_else(|| panic!("ended: {case}"));
            let since = |time: SystemTime| time.duration_since(at(ISSUED + age)).unwrap();
            assert_eq!(
                since(lifetime.usable_until),
                Duration::from_millis(usable),
                "{case}"
            );
            assert_eq!(
                since(lifetime.refresh_at),
                Duration::from_millis(refresh),
                "{case}"
            );
        }
    }

    #[test]
    fn ended_when_received() {
        for (life, age) in [
            (3600, 3570),
            (3600, 3600),
            (3600, 3601),
            (3600, 10_000),
            (10, 8),
            (10, 11),
        ] {
            assert_eq!(lifetime(life, age, 0.0), None, "life {life} s, age {age} s");
        }
        assert!(lifetime(3600, 3569, 0.0).is_some());
    }

    #[test]
    fn state_at_the_edges() {
        let lifetime = lifetime(3600, 0, 0.0).unwrap();
        let (refresh, end) = (at(ISSUED + 3510), at(ISSUED + 3570));
        let table = [
            (at(ISSUED), Freshness::Fresh),
            (refresh - Duration::from_secs(1), Freshness::Fresh),
            (refresh - NANOSECOND, Freshness::Fresh),
            (refresh, Freshness::Aging),
            (refresh + NANOSECOND, Freshness::Aging),
            (end - Duration::from_secs(1), Freshness::Aging),
            (end - NANOSECOND, Freshness::Aging),
            (end, Freshness::Ended),
            (end + NANOSECOND, Freshness::Ended),
            (at(ISSUED + 3600), Freshness::Ended),
            // As long after its end as it lived: |end - now| must not count.
            (at(ISSUED + 7200), Freshness::Ended),
            // After the clock was set back, even to before the token's making.
            (at(ISSUED - 1), Freshness::Fresh),
            (UNIX_EPOCH, Freshness::Fresh),
        ];
        for (now, state) in table {
            assert_eq!(lifetime.state(now), state, "{now:?}");
        }
    }

    #[test]
    fn the_end_does_not_depend_on_this_machines_clock() {
        // Received an hour before it was made, by a clock that goes wrong.
        let token = token_with(&format!(r#"{{"iat":{ISSUED},"exp":{}}}"#, ISSUED + 3600));
        let lifetime = Lifetime::of(&token, at(ISSUED - 3600), 0.0).unwrap();
        assert_eq!(lifetime.usable_until, at(ISSUED + 3570));
        assert_eq!(lifetime.refresh_at, at(ISSUED + 3510));
    }

    #[test]
    fn without_a_sound_iat_the_life_counts_from_the_receipt() {
        let exp = ISSUED + 50;
        for iat in [
            "null",
            "\"x\"",
            "-5",
            "1e300",
            &exp.to_string(),
            &(exp + 1).to_string(),
        ] {
            let token = token_with(&format!(r#"{{"iat":{iat},"exp":{exp}}}"#));
            let lifetime = Lifetime::of(&token, at(ISSUED), 0.0).unwrap();
            assert_eq!(lifetime.usable_until, at(ISSUED + 40), "iat {iat}");
            assert_eq!(lifetime.refresh_at, at(ISSUED + 30), "iat {iat}");
            assert_eq!(Lifetime::of(&token, at(exp), 0.0), None, "iat {iat}");
        }
    }

    #[test]
    fn the_latest_and_the_earliest_exp() {
        let latest = 253_402_300_799;
        let lifetime = Lifetime::of(
            &token_with(&format!(r#"{{"exp":{latest}}}"#)),
            at(ISSUED),
            1.0,
        )
        .unwrap();
        assert_eq!(lifetime.usable_until, at(latest - 30));
        assert_eq!(lifetime.refresh_at, at(latest - 96));
        assert_eq!(
            Lifetime::of(&token_with(r#"{"exp":0}"#), at(ISSUED), 0.0),
            None
        );
        assert_eq!(
            Lifetime::of(&token_with(r#"{"iat":0,"exp":1}"#), UNIX_EPOCH, 0.0)
                .unwrap()
                .state(at(1)),
            Freshness::Ended
        );
    }
}
