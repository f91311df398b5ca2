//! The token cache, after gRFC [A83]: one token for each credentials and audience, refreshed ahead of its end.
//!
//! - Whether the token is good is judged when a call is made, on the wall clock. While it is fresh that costs no lock,
//!   no allocation and no await.
//! - Near its end one call starts a refresh in the background and all go on with the token there is. Nothing runs
//!   while no calls are made.
//! - With no good token calls wait for the one fetch that is under way, each within its own deadline.
//! - A failed fetch never takes a good token away, and no failure is for ever: calls start the next fetch once the
//!   back-off is over. Until then calls without a token fail at once with the last error.
//! - A fetch is a disposable task. If it panics, hangs or its runtime goes away, the next call starts another.
//!
//! [A83]: https://github.com/grpc/proposal/blob/master/A83-xds-gcp-authn-filter.md

use crate::backoff;
use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::source::{DynTokenSource, TokenError};
use crate::telemetry;
use crate::token::{Freshness, IdToken, Lifetime};
use arc_swap::ArcSwapOption;
use http::HeaderValue;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tonic::Code;

/// How long a source may take for one answer.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(10);

/// For how long transient failures are tried again before the waiting calls are told. A metadata server on a new
/// GKE pod takes a few seconds to come up.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pause before the first of those tries; it doubles each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// When a fetch that has not ended must have been lost: its runtime is not running any more.
const OVERDUE: Duration = Duration::from_secs(18);

/// A token as it is sent.
pub(crate) struct Held {
    pub(crate) token: IdToken,
    /// `Bearer …`, marked sensitive: HPACK sends it in full each time.
    pub(crate) header: HeaderValue,
    /// The same for HPACK's table of the connection: a byte or two each time after the first. RFC 7541 (7.1.3) would
    /// keep short secrets out of it, which could be guessed by whoever chooses other headers and watches lengths; a
    /// signature of 256 bytes cannot, and a connection has one caller.
    pub(crate) indexed: HeaderValue,
    lifetime: Lifetime,
}

impl fmt::Debug for Held {
    /// Without the headers, of which one would print the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Held").field(&self.token).finish()
    }
}

type Outcome = Result<Arc<Held>, Error>;

pub(crate) struct TokenCache {
    audience: Arc<str>,
    source: Arc<dyn DynTokenSource>,
    clock: Box<dyn Clock>,
    held: ArcSwapOption<Held>,
    state: Mutex<State>,
    /// Tokens refused in a row by the front end.
    rejections: AtomicU32,
}

/// What only calls without a fresh token look at. Never locked across an await.
#[derive(Default)]
struct State {
    fetch: Option<Fetch>,
    fetches: u64,
    failures: u32,
    /// The last failure, and until when no new fetch is started.
    failed: Option<(Error, Instant)>,
    /// Until when a refused token is not dropped again.
    no_rejection_before: Option<Instant>,
}

/// A fetch under way.
#[derive(Clone)]
struct Fetch {
    id: u64,
    overdue: Instant,
    outcome: watch::Receiver<Option<Outcome>>,
    task: AbortHandle,
}

impl Fetch {
    /// Whether its task is gone without an outcome, or ought to be.
    fn is_lost(&self) -> bool {
        self.outcome.has_changed().is_err() || Instant::now() >= self.overdue
    }
}

impl TokenCache {
    pub(crate) fn new(source: Arc<dyn DynTokenSource>, audience: &str, clock: impl Clock) -> Self {
        Self {
            audience: audience.into(),
            source,
            clock: Box::new(clock),
            held: ArcSwapOption::empty(),
            state: Mutex::default(),
            rejections: AtomicU32::new(0),
        }
    }

    /// The token, if there is a good one. Starts a refresh where its end is near.
    pub(crate) fn current(self: &Arc<Self>) -> Option<Arc<Held>> {
        let held = self.held.load();
        let held = held.as_ref()?;
        match held.lifetime.state(self.clock.now()) {
            Freshness::Fresh => {}
            Freshness::Aging => self.refresh_ahead(),
            Freshness::Ended => return None,
        }
        Some(held.clone())
    }

    /// A good token, waiting for one if need be. Must be called on a Tokio runtime.
    pub(crate) async fn token(self: &Arc<Self>) -> Outcome {
        loop {
            if let Some(held) = self.current() {
                return Ok(held);
            }
            let mut fetch = self.join_fetch()?;
            // Neither a lost task nor a runtime that stands still may hold this call: both end the wait, and the
            // next turn starts a fetch of its own.
            if let Ok(Ok(outcome)) =
                timeout_at(fetch.overdue, fetch.outcome.wait_for(Option::is_some)).await
                && let Some(outcome) = outcome.as_ref()
            {
                return outcome.clone();
            }
        }
    }

    /// Takes note that the front end refused a token. Says whether a new one is worth a try.
    ///
    /// The token is dropped, at most once in a back-off period: where every new token is refused too (a wrong
    /// audience), the calls go on with the last one and learn why, and the token server is left alone.
    pub(crate) fn reject(&self, refused: &Arc<Held>) -> bool {
        let mut state = self.lock();
        let is_current = self
            .held
            .load()
            .as_ref()
            .is_some_and(|held| Arc::ptr_eq(held, refused));
        if !is_current {
            return true;
        }
        let now = Instant::now();
        if state.no_rejection_before.is_some_and(|until| now < until) {
            return false;
        }
        let rejections = self.rejections.fetch_add(1, Relaxed).saturating_add(1);
        state.no_rejection_before = Some(now + backoff::delay(rejections, fastrand::f64()));
        self.held.store(None);
        true
    }

    /// Takes note that the front end let a call through.
    pub(crate) fn accept(&self) {
        if self.rejections.load(Relaxed) != 0 {
            self.rejections.store(0, Relaxed);
            self.lock().no_rejection_before = None;
        }
    }

    /// Starts a refresh in the background unless one is under way or failures ask for a pause.
    fn refresh_ahead(self: &Arc<Self>) {
        // Where the lock is taken another call is just doing this. Off a runtime the call itself will say so.
        let Ok(mut state) = self.state.try_lock() else {
            return;
        };
        let under_way = state.fetch.as_ref().is_some_and(|fetch| !fetch.is_lost());
        let backing_off = state
            .failed
            .as_ref()
            .is_some_and(|(_, until)| Instant::now() < *until);
        if !under_way && !backing_off {
            self.start_fetch(&mut state);
        }
    }

    /// The fetch under way, or a new one; in a back-off, the last failure.
    fn join_fetch(self: &Arc<Self>) -> Result<Fetch, Error> {
        let mut state = self.lock();
        if let Some(fetch) = state.fetch.as_ref().filter(|fetch| !fetch.is_lost()) {
            return Ok(fetch.clone());
        }
        if let Some((error, until)) = &state.failed
            && Instant::now() < *until
        {
            return Err(error.clone());
        }
        Ok(self.start_fetch(&mut state))
    }

    fn start_fetch(self: &Arc<Self>, state: &mut State) -> Fetch {
        if let Some(lost) = state.fetch.take() {
            lost.task.abort();
        }
        state.fetches += 1;
        let id = state.fetches;
        let (sender, outcome) = watch::channel(None);
        let (cache, source, audience) = (
            Arc::downgrade(self),
            self.source.clone(),
            self.audience.clone(),
        );
        let task = tokio::spawn(async move {
            let token = fetch(&source, &audience).await;
            // Without a cache nobody is left to tell.
            if let Some(outcome) = Weak::upgrade(&cache).and_then(|cache| cache.finish(id, token)) {
                sender.send_replace(Some(outcome));
            }
        });
        let fetch = Fetch {
            id,
            overdue: Instant::now() + OVERDUE,
            outcome,
            task: task.abort_handle(),
        };
        state.fetch = Some(fetch.clone());
        fetch
    }

    /// Records how a fetch ended; `None` where it had been given up as lost.
    fn finish(&self, id: u64, token: Result<IdToken, TokenError>) -> Option<Outcome> {
        let outcome = token
            .and_then(|token| self.hold(token))
            .map_err(|error| self.explain(&error));
        match &outcome {
            Ok(held) => telemetry::token_refreshed(&self.audience, &held.token, self.left(held)),
            Err(error) => telemetry::token_failed(&self.audience, error),
        }
        let mut state = self.lock();
        state.fetch.take_if(|fetch| fetch.id == id)?;
        match &outcome {
            Ok(held) => {
                self.held.store(Some(held.clone()));
                (state.failures, state.failed) = (0, None);
            }
            Err(error) => {
                state.failures = state.failures.saturating_add(1);
                let pause = backoff::delay(state.failures, fastrand::f64());
                state.failed = Some((error.clone(), Instant::now() + pause));
            }
        }
        Some(outcome)
    }

    fn left(&self, held: &Held) -> Duration {
        let end = held.token.expires_at();
        end.duration_since(self.clock.now()).unwrap_or_default()
    }

    fn hold(&self, token: IdToken) -> Result<Arc<Held>, TokenError> {
        let now = self.clock.now();
        let lifetime = Lifetime::of(&token, now, fastrand::f64()).ok_or_else(|| {
            let state = match token.expires_at().duration_since(now) {
                Ok(left) => format!("is at its end, with {} s left", left.as_secs()),
                Err(over) => format!("has expired already, {} s ago", over.duration().as_secs()),
            };
            TokenError::permanent(format!(
                "the ID token that was obtained for {} {state} by this machine's clock; is that clock right?",
                token.identity().unwrap_or("an unnamed caller"),
            ))
        })?;
        let mut header =
            HeaderValue::try_from(format!("Bearer {}", token.secret())).map_err(|error| {
                TokenError::permanent("the ID token that was obtained does not fit into a header")
                    .with_source(error)
            })?;
        let indexed = header.clone();
        header.set_sensitive(true);
        Ok(Arc::new(Held {
            token,
            header,
            indexed,
            lifetime,
        }))
    }

    fn explain(&self, error: &TokenError) -> Error {
        let code = if error.is_transient() {
            Code::Unavailable
        } else {
            Code::Unauthenticated
        };
        Error::new(
            ErrorKind::Credentials,
            code,
            format!(
                "cannot get an ID token for audience {}: {error}",
                self.audience
            ),
        )
        .with_audience(&self.audience)
        .with_source(error.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A poisoned lock only means that a panic happened elsewhere; the state is whole between statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TokenCache {
    fn drop(&mut self) {
        if let Some(fetch) = self.lock().fetch.take() {
            fetch.task.abort();
        }
    }
}

/// Asks the source, and asks again for a few seconds while its failures are transient.
async fn fetch(
    source: &Arc<dyn DynTokenSource>,
    audience: &Arc<str>,
) -> Result<IdToken, TokenError> {
    let give_up = Instant::now() + PATIENCE;
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match ask(source.clone(), audience.clone()).await {
            Err(error) if error.is_transient() => error,
            other => return other,
        };
        let jittered = pause.mul_f64(0.8 + 0.4 * fastrand::f64());
        if Instant::now() + jittered > give_up {
            return Err(error);
        }
        tokio::time::sleep(jittered).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Asks the source once, in a task of its own: its panic ends there, and its hanging at the time limit.
async fn ask(source: Arc<dyn DynTokenSource>, audience: Arc<str>) -> Result<IdToken, TokenError> {
    let mut task = AbortOnDrop(tokio::spawn(async move { source.token(&audience).await }));
    match timeout(ATTEMPT_LIMIT, &mut task.0).await {
        Ok(Ok(token)) => token,
        Ok(Err(error)) if error.is_panic() => {
            Err(TokenError::permanent("the token source panicked"))
        }
        Ok(Err(_)) => Err(TokenError::transient(
            "the Tokio runtime shut down while the token was fetched",
        )),
        Err(_) => Err(TokenError::transient(format!(
            "the token source gave no answer within {} s",
            ATTEMPT_LIMIT.as_secs()
        ))),
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests;
