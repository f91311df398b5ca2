use super::*;
use crate::clock::test::ManualClock;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const START: u64 = 1_795_000_000;
const HOUR: u64 = 3600;

/// What the source does when it is asked.
#[derive(Clone)]
enum Act {
    /// Gives a token that lives this many seconds from the clock's now on.
    Token(u64),
    /// Gives the token it gave last.
    SameAgain,
    Transient,
    Permanent,
    Panic,
    Hang,
    /// Gives a token after a time.
    Slow(Duration, u64),
}

/// A source that plays a script, and then goes on with hour-long tokens.
struct Script {
    acts: Mutex<VecDeque<Act>>,
    clock: Arc<ManualClock>,
    asked: AtomicUsize,
    last: Mutex<Option<IdToken>>,
}

impl Script {
    fn make(&self, life: u64) -> IdToken {
        let now = self
            .clock
            .now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let serial = self.asked.load(Relaxed);
        let token = crate::token::tests::token_with(&format!(
            r#"{{"iat":{now},"exp":{},"aud":"https://h","email":"me@example.com","jti":"{serial}"}}"#,
            now + life
        ));
        *self.last.lock().unwrap() = Some(token.clone());
        token
    }

    fn asked(&self) -> usize {
        self.asked.load(Relaxed)
    }
}

impl crate::TokenSource for Arc<Script> {
    async fn token(&self, audience: &str) -> Result<IdToken, TokenError> {
        assert_eq!(audience, "https://h");
        self.asked.fetch_add(1, Relaxed);
        let act = self
            .acts
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(Act::Token(HOUR));
        match act {
            Act::Token(life) => Ok(self.make(life)),
            Act::SameAgain => Ok(self.last.lock().unwrap().clone().unwrap()),
            Act::Transient => Err(TokenError::transient("503 for now")),
            Act::Permanent => Err(TokenError::permanent("no such account")),
            Act::Panic => panic!("a source that panics, for a test"),
            Act::Hang => std::future::pending().await,
            Act::Slow(time, life) => {
                tokio::time::sleep(time).await;
                Ok(self.make(life))
            }
        }
    }
}

/// A cache over a script, and the hands of its clock.
struct Bench {
    cache: Arc<TokenCache>,
    source: Arc<Script>,
    clock: Arc<ManualClock>,
}

fn bench(acts: impl IntoIterator<Item = Act>) -> Bench {
    let clock = Arc::new(ManualClock::at(UNIX_EPOCH + Duration::from_secs(START)));
    let source = Arc::new(Script {
        acts: Mutex::new(acts.into_iter().collect()),
        clock: clock.clone(),
        asked: AtomicUsize::new(0),
        last: Mutex::default(),
    });
    let cache = Arc::new(TokenCache::new(
        Arc::new(source.clone()),
        "https://h",
        clock.clone(),
    ));
    Bench {
        cache,
        source,
        clock,
    }
}

impl Bench {
    /// Time passes on the wall clock alone, as for a suspended container.
    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn held(&self) -> Option<Arc<Held>> {
        self.cache.held.load_full()
    }

    /// Lets background tasks run to where they wait for time.
    async fn settle(&self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
}

fn jti(held: &Held) -> SystemTime {
    held.token.expires_at()
}

#[tokio::test(start_paused = true)]
async fn a_fresh_token_is_asked_for_once() {
    let b = bench([]);
    for _ in 0..100 {
        b.cache.token().await.unwrap();
        b.pass(30);
    }
    assert_eq!(b.source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn many_callers_without_a_token_cost_one_fetch() {
    let b = bench([Act::Slow(Duration::from_secs(2), HOUR)]);
    let calls: Vec<_> = (0..500)
        .map(|_| {
            tokio::spawn({
                let cache = b.cache.clone();
                async move { cache.token().await }
            })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(b.source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn near_the_end_one_call_refreshes_and_all_go_on_with_the_old_token() {
    let b = bench([Act::Token(HOUR), Act::Slow(Duration::from_secs(3), HOUR)]);
    let old = b.cache.token().await.unwrap();
    b.pass(HOUR - 60);
    for _ in 0..50 {
        // Not one of them waits: the clock of the runtime stands still.
        assert!(Arc::ptr_eq(&b.cache.token().await.unwrap(), &old));
    }
    b.settle().await;
    assert_eq!(b.source.asked(), 2);
    tokio::time::sleep(Duration::from_secs(4)).await;
    let new = b.cache.token().await.unwrap();
    assert!(jti(&new) > jti(&old));
    assert_eq!(b.source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_refreshed_while_no_calls_are_made() {
    let b = bench([]);
    b.cache.token().await.unwrap();
    b.pass(10 * HOUR);
    tokio::time::sleep(Duration::from_secs(10 * HOUR)).await;
    assert_eq!(b.source.asked(), 1);
    b.cache.token().await.unwrap();
    assert_eq!(b.source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ended_during_a_suspension_is_not_used() {
    let b = bench([]);
    let old = b.cache.token().await.unwrap();
    // The wall clock went on, the monotonic one did not.
    b.pass(2 * HOUR);
    let new = b.cache.token().await.unwrap();
    assert!(jti(&new) > jti(&old));
}

#[tokio::test(start_paused = true)]
async fn failed_refreshes_leave_the_old_token_until_its_end() {
    let failures = std::iter::repeat_n(Act::Permanent, 1000);
    let b = bench(std::iter::once(Act::Token(HOUR)).chain(failures));
    let old = b.cache.token().await.unwrap();
    b.pass(HOUR - 60);
    for _ in 0..29 {
        assert!(Arc::ptr_eq(&b.cache.token().await.unwrap(), &old));
        b.settle().await;
        b.pass(1);
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    let asked = b.source.asked();
    assert!(
        (4..=9).contains(&asked),
        "29 s of back-off by 1.6 take 4 to 9 fetches, not {asked}"
    );
    b.pass(2);
    let error = b.cache.token().await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated);
    assert!(error.to_string().contains("no such account"), "{error}");
    assert!(error.to_string().contains("https://h"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn one_transient_failure_costs_a_moment_not_a_call() {
    let b = bench([Act::Transient, Act::Transient, Act::Transient]);
    let start = Instant::now();
    b.cache.token().await.unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(b.source.asked(), 4);
}

#[tokio::test(start_paused = true)]
async fn lasting_transient_failures_are_told_after_some_seconds_and_not_held_for_ever() {
    let b = bench(std::iter::repeat_n(Act::Transient, 1000));
    let start = Instant::now();
    let error = b.cache.token().await.unwrap_err();
    // Tokio's timers may be a millisecond late, each time.
    let patience = PATIENCE + Duration::from_millis(50);
    assert!(start.elapsed() <= patience, "{:?}", start.elapsed());
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.is_transient());
    // While backing off the last error is told at once, and nobody is asked.
    let asked = b.source.asked();
    for _ in 0..100 {
        assert_eq!(b.cache.token().await.unwrap_err().code(), Code::Unavailable);
    }
    assert_eq!(b.source.asked(), asked);
    b.source.acts.lock().unwrap().clear();
    tokio::time::advance(Duration::from_secs(2)).await;
    b.cache.token().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_is_not_for_ever() {
    let b = bench([Act::Permanent]);
    assert_eq!(
        b.cache.token().await.unwrap_err().code(),
        Code::Unauthenticated
    );
    assert_eq!(
        b.source.asked(),
        1,
        "a permanent failure is not retried at once"
    );
    tokio::time::advance(Duration::from_secs(2)).await;
    b.cache.token().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_fails_its_callers_only_once() {
    let b = bench([Act::Panic]);
    let error = b.cache.token().await.unwrap_err();
    assert!(error.to_string().contains("panicked"), "{error}");
    tokio::time::advance(Duration::from_secs(2)).await;
    b.cache.token().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_is_given_up() {
    let b = bench([Act::Hang]);
    let start = Instant::now();
    let error = b.cache.token().await.unwrap_err();
    assert_eq!(start.elapsed(), ATTEMPT_LIMIT);
    assert_eq!(error.code(), Code::Unavailable);
    tokio::time::advance(Duration::from_secs(2)).await;
    b.cache.token().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_waiting_call_may_leave_and_the_fetch_goes_on() {
    let b = bench([Act::Slow(Duration::from_secs(5), HOUR)]);
    let impatient = timeout(Duration::from_secs(1), b.cache.token()).await;
    assert!(impatient.is_err());
    b.cache.token().await.unwrap();
    assert_eq!(b.source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_has_expired_already_is_refused() {
    let b = bench([]);
    *b.source.last.lock().unwrap() = Some(b.source.make(10));
    b.source.acts.lock().unwrap().push_back(Act::SameAgain);
    b.pass(11);
    let error = b.cache.token().await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated);
    assert!(error.to_string().contains("expired already"), "{error}");
    assert!(error.to_string().contains("me@example.com"), "{error}");
    assert!(b.held().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_hands_the_same_token_out_again_is_not_pestered() {
    let acts = std::iter::once(Act::Token(HOUR)).chain(std::iter::repeat_n(Act::SameAgain, 1000));
    let b = bench(acts);
    b.cache.token().await.unwrap();
    b.pass(HOUR - 95);
    for _ in 0..640 {
        b.cache.token().await.unwrap();
        b.settle().await;
        b.clock.advance(Duration::from_millis(100));
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    let asked = b.source.asked();
    assert!(asked <= 16, "{asked} fetches in the last minute of a token");
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_back_neither_panics_nor_fetches() {
    let b = bench([]);
    b.cache.token().await.unwrap();
    b.clock.rewind(Duration::from_secs(10 * HOUR));
    b.cache.token().await.unwrap();
    assert_eq!(b.source.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_dropped_once_for_all_calls_that_carried_it() {
    let b = bench([]);
    let refused = b.cache.token().await.unwrap();
    for _ in 0..50 {
        assert!(b.cache.reject(&refused));
    }
    let new = b.cache.token().await.unwrap();
    assert_ne!(new.header, refused.header);
    assert!(b.cache.reject(&refused), "a late refusal of the old token");
    assert!(
        Arc::ptr_eq(&b.cache.token().await.unwrap(), &new),
        "must not harm the new one"
    );
    assert_eq!(b.source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn where_every_token_is_refused_the_source_is_left_alone() {
    let b = bench([]);
    for _ in 0..1000 {
        let held = b.cache.token().await.unwrap();
        if b.cache.reject(&held) {
            b.cache.token().await.unwrap();
        }
        tokio::time::advance(Duration::from_millis(60)).await;
    }
    // One minute: back-off by 1.6 from a second on allows 9 or so.
    assert!((5..=12).contains(&b.source.asked()), "{}", b.source.asked());
    b.cache.accept();
    let held = b.cache.token().await.unwrap();
    assert!(
        b.cache.reject(&held),
        "once a call went through, a refusal is news again"
    );
}

#[test]
fn a_fetch_lost_with_its_runtime_is_started_again_by_the_next_call() {
    let b = bench([Act::Hang]);
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
    };
    let first = runtime();
    let cache = b.cache.clone();
    first.spawn(async move { cache.token().await });
    first.block_on(b.settle());
    assert_eq!(b.source.asked(), 1);
    drop(first);
    runtime().block_on(b.cache.token()).unwrap();
    assert_eq!(b.source.asked(), 2);
}

#[test]
fn a_fetch_on_a_runtime_that_stands_still_is_taken_over() {
    let b = bench([Act::Hang]);
    let still = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let cache = b.cache.clone();
    still.spawn(async move { cache.token().await });
    still.block_on(b.settle());
    let running = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    running.block_on(b.cache.token()).unwrap();
    assert_eq!(b.source.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_last_channel_takes_its_fetch_along() {
    let b = bench([Act::Hang]);
    let dropped = Arc::downgrade(&b.source);
    let Bench { cache, source, .. } = b;
    let mut waiting: Pin<Box<dyn Future<Output = Outcome>>> = Box::pin({
        let cache = cache.clone();
        async move { cache.token().await }
    });
    assert!(timeout(Duration::from_secs(1), &mut waiting).await.is_err());
    drop((waiting, cache, source));
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        dropped.strong_count(),
        0,
        "the task of the fetch is still there"
    );
}

#[tokio::test]
async fn neither_cache_nor_errors_print_a_token() {
    let b = bench([]);
    let held = b.cache.token().await.unwrap();
    let shown = format!("{held:?}");
    for part in held.token.secret().split('.') {
        assert!(!shown.contains(part), "{shown}");
    }
}
