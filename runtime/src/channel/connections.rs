//! The connections of a channel: one for each Tokio runtime that calls on it, and more where one is full.
//!
//! A connection's task lives on the runtime that opened it. A channel kept in a `static` may be used from several
//! runtimes, and some of them may be gone or not running: so each runtime has its own connections, and those whose
//! runtime is gone are closed and soon forgotten.
//!
//! A server takes a limited number of calls at once on a connection (Cloud Run 100). When all connections of a runtime
//! are full another is opened, up to a limit; past that, calls wait for their turn within their deadlines (gRFC
//! A105). The first connection that has room is used, so that the others fall idle, and are closed, when the load goes.

use super::connection::{ConnectionId, Lease, Sender};
use super::connector::Connector;
use crate::backoff;
use crate::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::{Handle, Id};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// The most connections of one channel on one runtime: on Cloud Run, 3,200 calls at once.
const MOST: usize = 32;

/// How many tasks that open a connection a call may see lost.
const LOST: u32 = 3;

pub(crate) struct Connections {
    connector: Arc<Connector>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    slots: Vec<(Id, Slot)>,
    /// Failures in a row to open another connection beside those there are, and until when none is tried.
    failures: u32,
    no_growth_before: Option<Instant>,
}

enum Slot {
    Open(Sender),
    Opening(Opening),
}

/// A connection being made, awaited by all the calls that need it.
#[derive(Clone)]
struct Opening {
    outcome: watch::Receiver<Option<Result<(), Error>>>,
    task: AbortHandle,
}

impl Slot {
    fn is_dead(&self) -> bool {
        match self {
            Self::Open(sender) => sender.is_closed() || sender.usage().is_idle(),
            // Its task was lost.
            Self::Opening(opening) => opening.outcome.has_changed().is_err(),
        }
    }

    fn open(&self) -> Option<&Sender> {
        match self {
            Self::Open(sender) => Some(sender),
            Self::Opening(_) => None,
        }
    }
}

/// What there is for a call.
enum Choice {
    Connection(Lease),
    Wait(Opening),
}

impl Connections {
    pub(crate) fn new(connector: Connector) -> Self {
        Self {
            connector: Arc::new(connector),
            state: Mutex::default(),
        }
    }

    /// A connection that has room for a call now. Must be called on a Tokio runtime.
    pub(crate) fn at_hand(&self) -> Option<Lease> {
        let runtime = Handle::current().id();
        self.lock()
            .slots
            .iter()
            .filter(|(id, slot)| *id == runtime && !slot.is_dead())
            .find_map(|(_, slot)| slot.open().filter(|sender| sender.has_room()))
            .map(Sender::lease)
    }

    /// A connection for a call, opened if need be. Must be called on a Tokio runtime.
    pub(crate) async fn lease(self: &Arc<Self>) -> Result<Lease, Error> {
        let mut lost = 0;
        loop {
            let mut opening = match self.choose() {
                Choice::Connection(lease) => return Ok(lease),
                Choice::Wait(opening) => opening,
            };
            match opening.outcome.wait_for(Option::is_some).await.as_deref() {
                Ok(Some(Err(error))) => return self.least_loaded().ok_or_else(|| error.clone()),
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
        self.lock()
            .slots
            .retain(|(_, slot)| slot.open().is_none_or(|sender| sender.id() != connection));
    }

    fn choose(self: &Arc<Self>) -> Choice {
        let runtime = Handle::current().id();
        let mut state = self.lock();
        state.slots.retain(|(_, slot)| !slot.is_dead());
        let mine = || {
            state
                .slots
                .iter()
                .filter(|(id, _)| *id == runtime)
                .map(|(_, slot)| slot)
        };
        if let Some(sender) = mine()
            .filter_map(Slot::open)
            .find(|sender| sender.has_room())
        {
            return Choice::Connection(sender.lease());
        }
        if let Some(opening) = mine().find_map(|slot| match slot {
            Slot::Opening(opening) => Some(opening.clone()),
            Slot::Open(_) => None,
        }) {
            return Choice::Wait(opening);
        }
        let may_grow = mine().count() < MOST
            && state
                .no_growth_before
                .is_none_or(|until| Instant::now() >= until);
        match least_loaded(mine()) {
            Some(lease) if !may_grow => Choice::Connection(lease),
            _ => {
                let opening = self.start_opening(runtime);
                state.slots.push((runtime, Slot::Opening(opening.clone())));
                Choice::Wait(opening)
            }
        }
    }

    fn least_loaded(&self) -> Option<Lease> {
        let runtime = Handle::current().id();
        let state = self.lock();
        least_loaded(
            state
                .slots
                .iter()
                .filter(|(id, _)| *id == runtime)
                .map(|(_, slot)| slot),
        )
    }

    /// Opens in a task of its own: a caller that goes away does not stop it for the others.
    fn start_opening(self: &Arc<Self>, runtime: Id) -> Opening {
        let (sender, outcome) = watch::channel(None);
        let (connector, connections) = (self.connector.clone(), Arc::downgrade(self));
        let task = tokio::spawn(async move {
            let result = connector.connect().await;
            if let Some(connections) = connections.upgrade() {
                sender.send_replace(Some(connections.opened(runtime, result)));
            }
        });
        Opening {
            outcome,
            task: task.abort_handle(),
        }
    }

    fn opened(&self, runtime: Id, result: Result<Sender, Error>) -> Result<(), Error> {
        let mut state = self.lock();
        state
            .slots
            .retain(|(id, slot)| *id != runtime || slot.open().is_some());
        match result {
            Ok(sender) => {
                state.slots.push((runtime, Slot::Open(sender)));
                (state.failures, state.no_growth_before) = (0, None);
                Ok(())
            }
            Err(error) => {
                state.failures = state.failures.saturating_add(1);
                let pause = backoff::delay(state.failures, fastrand::f64());
                state.no_growth_before = Some(Instant::now() + pause);
                Err(error)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A poisoned lock only means that a panic happened elsewhere; the state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn least_loaded<'a>(slots: impl Iterator<Item = &'a Slot>) -> Option<Lease> {
    slots
        .filter_map(Slot::open)
        .min_by_key(|sender| sender.usage().calls())
        .map(Sender::lease)
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
