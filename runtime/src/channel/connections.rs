//! The connections of a channel: one for each Tokio runtime that calls on it, and more where one is not enough.
//!
//! A connection's task lives on the runtime that opened it. A channel kept in a `static` may be used from several
//! runtimes, and some of them may be gone or not running: so each runtime has its own connections, and those whose
//! runtime is gone are closed and soon forgotten.
//!
//! A call takes the first connection that has little to do, and else the one that has least. So the others fall idle,
//! and are closed, when the load goes. Another connection is opened
//! - beside those there are, once all are busy, up to one more than the runtime has threads: HTTP/2 is one task and
//!   one lock for each connection;
//! - and once all are nearly full: a server takes a limited number of calls at once on a connection (Cloud Run 100;
//!   gRFC A105). Past [`MOST`] connections calls wait for their turn within their deadlines, up to a limit.
//!
//! After a failure the next attempt is made as the [connection back-off] specification says. Until then calls fail at
//! once with what went wrong, unless a connection has just been lost: a server that restarts, or a front end that ends
//! a connection, costs those calls some time, and no failure.
//!
//! [connection back-off]: https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md

use super::connect::Connector;
use super::connection::{ConnectionId, Lease, Sender};
use crate::backoff;
use crate::error::Error;
use crate::telemetry;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::{Handle, Id};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

/// The most connections of one channel on one runtime: on Cloud Run, 3,200 calls at once.
const MOST: usize = 32;

/// How many open calls make a connection busy.
const BUSY: usize = 64;

/// The most calls that wait: for room on one connection, and for a connection to be opened.
const MOST_WAITING_FOR_ROOM: usize = 1000;
const MOST_WAITING_TO_CONNECT: usize = MOST * MOST_WAITING_FOR_ROOM;

/// For how long calls wait for another connection after one was lost, rather than fail.
const GRACE: Duration = Duration::from_secs(5);

/// How many tasks that open a connection a call may see lost.
const LOST: u32 = 3;

pub(crate) struct Connections {
    connector: Arc<Connector>,
    state: Mutex<State>,
    /// Calls that wait for a connection.
    waiting: AtomicUsize,
}

#[derive(Default)]
struct State {
    slots: Vec<(Id, Slot)>,
    /// Attempts begun.
    attempts: u64,
    /// Failures in a row, and what there is to say of the last.
    failures: u32,
    failed: Option<Failed>,
    /// Until when calls wait since a connection was lost.
    grace: Option<Instant>,
    /// How many streams the last connection took.
    limit: Option<usize>,
    /// Connections that take no more calls; those under way go on.
    retired: Vec<watch::Receiver<()>>,
    closed: bool,
}

/// The last attempt, if it failed.
struct Failed {
    error: Error,
    next: Instant,
}

enum Slot {
    Open(Sender),
    Opening(Opening),
}

/// A connection being made, awaited by all the calls that need it.
#[derive(Clone)]
struct Opening {
    id: u64,
    outcome: watch::Receiver<Option<Result<(), Error>>>,
    task: AbortHandle,
}

/// What there is for a call.
enum Choice {
    Connection(Lease),
    Wait(Opening),
    /// No attempt is made before this.
    Pause(Instant),
}

/// The connections of one runtime, at one moment.
#[derive(Default)]
struct Mine<'a> {
    /// The first that has little to do, or else the one that has least.
    best: Option<&'a Sender>,
    /// The calls on that one.
    load: usize,
    count: usize,
    opening: usize,
    first_opening: Option<&'a Opening>,
}

impl State {
    fn of(&self, runtime: Id) -> Mine<'_> {
        let mut mine = Mine::default();
        for (_, slot) in self.slots.iter().filter(|(id, _)| *id == runtime) {
            mine.count += 1;
            match slot {
                Slot::Opening(opening) => {
                    mine.opening += 1;
                    mine.first_opening.get_or_insert(opening);
                }
                Slot::Open(sender) if sender.is_usable() => {
                    let load = sender.usage().calls();
                    let better = match mine.best {
                        None => true,
                        Some(best) => mine.load >= busy(best.limit()) && load < mine.load,
                    };
                    if better {
                        (mine.best, mine.load) = (Some(sender), load);
                    }
                }
                Slot::Open(_) => {}
            }
        }
        mine
    }

    /// Lets go of what is of no use any more.
    fn prune(&mut self) {
        let mut lost = false;
        self.slots.retain(|(_, slot)| match slot {
            Slot::Open(sender) => {
                lost |= sender.is_closed();
                sender.is_usable()
            }
            // Its task was lost.
            Slot::Opening(opening) => opening.outcome.has_changed().is_ok(),
        });
        if lost {
            self.grace = Some(Instant::now() + GRACE);
        }
    }

    /// Until when no attempt is made.
    fn pause(&self) -> Option<Instant> {
        let next = self.failed.as_ref()?.next;
        (Instant::now() < next).then_some(next)
    }

    fn in_grace(&self) -> bool {
        self.grace.is_some_and(|until| Instant::now() < until)
    }
}

impl Mine<'_> {
    /// Whether it is time for another connection, although a call can do with those there are.
    fn wants_another(&self, limit: usize) -> bool {
        if self.opening > 0 || self.load < busy(limit) {
            return false;
        }
        let most = if self.load < nearly(limit) {
            // One more than can be driven at once: while one waits for the server the others have something to do.
            (Handle::current().metrics().num_workers() + 1).min(MOST)
        } else {
            MOST
        };
        self.count < most
    }
}

/// From how many calls on a connection is busy.
fn busy(limit: usize) -> usize {
    BUSY.min(nearly(limit))
}

/// From how many calls on a connection is nearly full.
fn nearly(limit: usize) -> usize {
    limit - limit / 8
}

impl Connections {
    pub(crate) fn new(connector: Connector) -> Self {
        Self {
            connector: Arc::new(connector),
            state: Mutex::default(),
            waiting: AtomicUsize::new(0),
        }
    }

    /// A connection that has room for a call now. Must be called on a Tokio runtime.
    pub(crate) fn at_hand(self: &Arc<Self>) -> Option<Lease> {
        let runtime = Handle::current().id();
        let mut state = self.lock();
        let mine = state.of(runtime);
        let best = mine.best.filter(|best| mine.load < best.limit())?;
        let lease = best.lease();
        if mine.wants_another(best.limit()) && state.pause().is_none() {
            self.start_opening(&mut state, runtime);
        }
        Some(lease)
    }

    /// A connection for a call, opened if need be. Must be called on a Tokio runtime.
    ///
    /// Where none can be had now the call fails; with `patient` it waits for the attempts to come.
    pub(crate) async fn lease(self: &Arc<Self>, patient: bool) -> Result<Lease, Error> {
        let _waiting = self.wait()?;
        let mut lost = 0;
        loop {
            let mut opening = match self.choose(patient)? {
                Choice::Connection(lease) => return Ok(lease),
                Choice::Wait(opening) => opening,
                Choice::Pause(until) => {
                    sleep_until(until).await;
                    continue;
                }
            };
            match opening.outcome.wait_for(Option::is_some).await.as_deref() {
                // It waited for this attempt. If it may not wait for another, this is why it fails.
                Ok(Some(Err(error))) if !patient && !self.has_hope() => return Err(error.clone()),
                Ok(_) => {}
                // Its task was lost. The next turn starts another, which on a sound runtime is lost no more.
                Err(_) => lost += 1,
            }
            if lost > LOST {
                return Err(self.connector.lost());
            }
        }
    }

    /// Takes no more calls for a connection that refused one; those under way go on.
    pub(crate) fn retire(&self, connection: ConnectionId) {
        let mut state = self.lock();
        let State { slots, retired, .. } = &mut *state;
        retired.retain(|ended| ended.has_changed().is_ok());
        slots.retain(|(_, slot)| match slot {
            Slot::Open(sender) if sender.id() == connection => {
                retired.push(sender.ended());
                false
            }
            _ => true,
        });
        state.grace = Some(Instant::now() + GRACE);
    }

    /// Takes no more calls, and waits until those under way have ended and all connections are closed.
    pub(crate) async fn close(&self) {
        let mut connections = {
            let mut state = self.lock();
            state.closed = true;
            for (_, slot) in std::mem::take(&mut state.slots) {
                match slot {
                    Slot::Open(sender) => state.retired.push(sender.ended()),
                    Slot::Opening(opening) => opening.task.abort(),
                }
            }
            state.retired.clone()
        };
        for connection in &mut connections {
            // It never changes: it ends.
            while connection.changed().await.is_ok() {}
        }
    }

    fn choose(self: &Arc<Self>, patient: bool) -> Result<Choice, Error> {
        let runtime = Handle::current().id();
        let mut state = self.lock();
        if state.closed {
            return Err(self.connector.closed());
        }
        state.prune();
        let mine = state.of(runtime);
        if let Some(best) = mine.best
            && mine.load < best.limit()
        {
            return Ok(Choice::Connection(best.lease()));
        }
        let pause = state.pause();
        // As many at once as the calls that wait would fill; before the first is there, one.
        let enough = mine.opening > 0
            && state.limit.is_none_or(|limit| {
                mine.opening.saturating_mul(limit) >= self.waiting.load(Relaxed)
            });
        if mine.count < MOST && !enough && pause.is_none() {
            return Ok(Choice::Wait(self.start_opening(&mut state, runtime)));
        }
        if let Some(opening) = mine.first_opening {
            return Ok(Choice::Wait(opening.clone()));
        }
        if let Some(best) = mine.best {
            let waiting = mine.load - best.limit().min(mine.load);
            if waiting >= MOST_WAITING_FOR_ROOM {
                return Err(self.connector.crowded(waiting * mine.count));
            }
            return Ok(Choice::Connection(best.lease()));
        }
        match (&state.failed, pause) {
            (Some(failed), Some(until)) if !patient && !state.in_grace() => {
                let left = until.saturating_duration_since(Instant::now());
                Err(failed.error.clone().noting(&format!(
                    "the next attempt is made in {:.1} s",
                    left.as_secs_f64()
                )))
            }
            (_, Some(until)) => Ok(Choice::Pause(until)),
            (_, None) => Ok(Choice::Wait(self.start_opening(&mut state, runtime))),
        }
    }

    /// Whether a call may wait on after a failed attempt.
    fn has_hope(&self) -> bool {
        let state = self.lock();
        state.in_grace() || state.of(Handle::current().id()).best.is_some()
    }

    /// Opens in a task of its own: a caller that goes away does not stop it for the others.
    fn start_opening(self: &Arc<Self>, state: &mut State, runtime: Id) -> Opening {
        let (sender, outcome) = watch::channel(None);
        let (connector, connections) = (self.connector.clone(), Arc::downgrade(self));
        let begun = Instant::now();
        state.attempts += 1;
        let id = state.attempts;
        let task = tokio::spawn(async move {
            let result = connector.connect().await;
            if let Some(connections) = connections.upgrade() {
                sender.send_replace(Some(connections.opened((runtime, id), begun, result)));
            }
        });
        let opening = Opening {
            id,
            outcome,
            task: task.abort_handle(),
        };
        state.slots.push((runtime, Slot::Opening(opening.clone())));
        opening
    }

    fn opened(
        &self,
        (runtime, id): (Id, u64),
        begun: Instant,
        result: Result<Sender, Error>,
    ) -> Result<(), Error> {
        let (host, took) = (&self.connector.host, begun.elapsed());
        let mut state = self.lock();
        state
            .slots
            .retain(|(_, slot)| !matches!(slot, Slot::Opening(opening) if opening.id == id));
        match result {
            // Nobody would drive what was opened while the channel was closed.
            Ok(_) if state.closed => Err(self.connector.closed()),
            Ok(sender) => {
                let connection = sender.id().number();
                state.limit = Some(sender.limit());
                state.slots.push((runtime, Slot::Open(sender)));
                (state.failures, state.failed) = (0, None);
                drop(state);
                telemetry::connection_opened(host, connection, took);
                Ok(())
            }
            Err(error) => {
                state.failures = state.failures.saturating_add(1);
                let next = begun + backoff::delay(state.failures, fastrand::f64());
                let failed = error.clone();
                state.failed = Some(Failed { error, next });
                drop(state);
                let pause = next.saturating_duration_since(Instant::now());
                telemetry::connection_failed(host, &failed, took, pause);
                Err(failed)
            }
        }
    }

    /// Counts a call that waits, until what it returns is dropped.
    fn wait(&self) -> Result<Waiting<'_>, Error> {
        let before = self.waiting.fetch_add(1, Relaxed);
        let waiting = Waiting(&self.waiting);
        if before >= MOST_WAITING_TO_CONNECT {
            return Err(self.connector.crowded(before));
        }
        Ok(waiting)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A poisoned lock only means that a panic happened elsewhere; the state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that waits for a connection.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        for (_, slot) in self.lock().slots.drain(..) {
            if let Slot::Opening(opening) = slot {
                opening.task.abort();
            }
        }
    }
}
