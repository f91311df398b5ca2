//! `WatchShelf`: the books that stand on a shelf, then every change.

use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio_stream::{
    Stream, StreamExt as _,
    wrappers::{BroadcastStream, errors::BroadcastStreamRecvError},
};
use tonic::Status;

use crate::{
    bookstore::{Book, ShelfEvent, shelf_event::Event},
    store::{Change, StoreError},
};

/// Ends after an error (tonic reads no further), and with the shelf, whose sender goes with it.
pub(super) fn events(
    present: Vec<Arc<Book>>,
    changes: Receiver<Change>,
) -> impl Stream<Item = Result<ShelfEvent, Status>> + Send {
    let present =
        tokio_stream::iter(present).map(|book| Ok(Event::Present(Arc::unwrap_or_clone(book))));
    let changes = BroadcastStream::new(changes).map(|change| match change {
        Ok(Change::Added(book)) => Ok(Event::Added(Arc::unwrap_or_clone(book))),
        Ok(Change::Removed(name)) => Ok(Event::Removed(name.to_string())),
        Ok(Change::ShelfDeleted(name)) => Ok(Event::ShelfDeleted(name.to_string())),
        Ok(Change::Closed) => Err(Status::from(StoreError::Closed)),
        Err(BroadcastStreamRecvError::Lagged(missed)) => Err(Status::aborted(format!(
            "this reader is too slow and has missed {missed} changes; watch again"
        ))),
    });
    present
        .chain(changes)
        .map(|event| event.map(|event| ShelfEvent { event: Some(event) }))
}
