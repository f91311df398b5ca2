//! The connections of a channel: one for each Tokio runtime that calls on it.
//!
//! A connection's task lives on the runtime that opened it. A channel kept in a `static` may be used from several
//! runtimes, and some of them may be gone or not running: so each runtime has its own connection, and a connection
//! whose runtime is gone is closed and soon forgotten.

use super::connection::Sender;
use super::connector::Connector;
use crate::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::{Handle, Id};
use tokio::sync::watch;
use tokio::task::AbortHandle;

pub(crate) struct Connections {
    connector: Arc<Connector>,
    slots: Mutex<Vec<(Id, Slot)>>,
}

enum Slot {
    Open(Sender),
    Opening(Opening),
}

/// A connection being made, awaited by all the calls that need it.
#[derive(Clone)]
struct Opening {
    outcome: watch::Receiver<Option<Result<Sender, Error>>>,
    task: AbortHandle,
}

impl Opening {
    fn is_lost(&self) -> bool {
        self.outcome.has_changed().is_err()
    }
}

impl Slot {
    fn is_dead(&self) -> bool {
        match self {
            Self::Open(sender) => sender.is_closed(),
            Self::Opening(opening) => opening.is_lost(),
        }
    }
}

impl Connections {
    pub(crate) fn new(connector: Connector) -> Self {
        Self {
            connector: Arc::new(connector),
            slots: Mutex::default(),
        }
    }

    /// The runtime's connection, opening it if need be. Must be called on a Tokio runtime.
    pub(crate) async fn sender(self: &Arc<Self>) -> Result<Sender, Error> {
        loop {
            let mut opening = match self.open_or_join() {
                Slot::Open(sender) => return Ok(sender),
                Slot::Opening(opening) => opening,
            };
            // Where the sender of the outcome is gone its task was lost, and the next turn starts another.
            if let Ok(outcome) = opening.outcome.wait_for(Option::is_some).await
                && let Some(outcome) = outcome.as_ref()
            {
                return outcome.clone();
            }
        }
    }

    /// Takes no more calls for a connection that refused one; those under way go on.
    pub(crate) fn retire(&self, sender: &Sender) {
        self.lock().retain(
            |(_, slot)| !matches!(slot, Slot::Open(open) if open.is_same_connection(sender)),
        );
    }

    fn open_or_join(self: &Arc<Self>) -> Slot {
        let runtime = Handle::current().id();
        let mut slots = self.lock();
        match slots
            .iter()
            .find(|(id, slot)| *id == runtime && !slot.is_dead())
        {
            Some((_, Slot::Open(sender))) => Slot::Open(sender.clone()),
            Some((_, Slot::Opening(opening))) => Slot::Opening(opening.clone()),
            None => {
                slots.retain(|(_, slot)| !slot.is_dead());
                let opening = self.start_opening(runtime);
                slots.push((runtime, Slot::Opening(opening.clone())));
                Slot::Opening(opening)
            }
        }
    }

    /// Opens in a task of its own: a caller that goes away does not stop it for the others.
    fn start_opening(self: &Arc<Self>, runtime: Id) -> Opening {
        let (sender, outcome) = watch::channel(None);
        let (connector, connections) = (self.connector.clone(), Arc::downgrade(self));
        let task = tokio::spawn(async move {
            let result = connector.connect().await;
            if let Some(connections) = connections.upgrade() {
                connections.opened(runtime, &result);
                sender.send_replace(Some(result));
            }
        });
        Opening {
            outcome,
            task: task.abort_handle(),
        }
    }

    fn opened(&self, runtime: Id, result: &Result<Sender, Error>) {
        let mut slots = self.lock();
        slots.retain(|(id, _)| *id != runtime);
        if let Ok(sender) = result {
            slots.push((runtime, Slot::Open(sender.clone())));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Id, Slot)>> {
        // A poisoned lock only means that a panic happened elsewhere; the list is whole.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        for (_, slot) in self.lock().drain(..) {
            if let Slot::Opening(opening) = slot {
                opening.task.abort();
            }
        }
    }
}
