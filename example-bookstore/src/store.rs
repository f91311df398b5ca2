//! The shelves and books, in memory, and word of their changes.
//!
//! One lock guards all of it; it is held for a look or a change, never across an await.

mod error;

pub(crate) use self::error::StoreError;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use tokio::sync::broadcast;

use crate::{
    bookstore::{Book, Shelf},
    names::{BookName, Id, ShelfName},
};

/// What is kept is bounded, so that no caller can fill the memory.
const MAX_SHELVES: usize = 1_000;
const MAX_BOOKS: usize = 50_000;

/// How many changes a watcher may be behind.
const MAX_BEHIND: usize = 256;

/// The shelves. See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct Store {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    shelves: BTreeMap<Id, Rack>,
    /// How many books there are on all shelves.
    books: usize,
    closed: bool,
}

/// A shelf and what belongs to it.
#[derive(Debug)]
struct Rack {
    theme: String,
    created: SystemTime,
    books: BTreeMap<Id, Arc<Book>>,
    changes: broadcast::Sender<Change>,
}

/// What a watcher of a shelf hears.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    Added(Arc<Book>),
    Removed(BookName),
    ShelfDeleted(ShelfName),
    /// The server stops.
    Closed,
}

impl Store {
    pub(crate) fn create_shelf(&self, id: &Id, theme: String) -> Result<Shelf, StoreError> {
        let mut state = self.lock();
        let full = state.shelves.len() >= MAX_SHELVES;
        match state.shelves.entry(id.clone()) {
            Entry::Occupied(_) => Err(StoreError::ShelfExists(ShelfName { shelf: id.clone() })),
            Entry::Vacant(_) if full => Err(StoreError::TooManyShelves),
            Entry::Vacant(place) => {
                let (changes, _) = broadcast::channel(MAX_BEHIND);
                Ok(place
                    .insert(Rack {
                        theme,
                        created: SystemTime::now(),
                        books: BTreeMap::new(),
                        changes,
                    })
                    .shelf(id))
            }
        }
    }

    pub(crate) fn shelf(&self, name: &ShelfName) -> Result<Shelf, StoreError> {
        Ok(self.lock().rack(name)?.shelf(&name.shelf))
    }

    /// The first `limit` shelves whose ids come after `after`.
    pub(crate) fn shelves(&self, after: Option<&str>, limit: usize) -> Vec<Shelf> {
        let state = self.lock();
        following(&state.shelves, after)
            .take(limit)
            .map(|(id, rack)| rack.shelf(id))
            .collect()
    }

    /// Deletes an empty shelf, or any if `force` is set.
    pub(crate) fn delete_shelf(&self, name: &ShelfName, force: bool) -> Result<(), StoreError> {
        let mut state = self.lock();
        let books = state.rack(name)?.books.len();
        if books > 0 && !force {
            return Err(StoreError::ShelfNotEmpty(name.clone(), books));
        }
        if let Some(rack) = state.shelves.remove(&name.shelf) {
            state.books -= rack.books.len();
            rack.tell(Change::ShelfDeleted(name.clone()));
        }
        Ok(())
    }

    /// Puts a book on a shelf. Its name and its time of creation are set here.
    pub(crate) fn create_book(&self, name: &BookName, book: Book) -> Result<Arc<Book>, StoreError> {
        let mut state = self.lock();
        let full = state.books >= MAX_BOOKS;
        let rack = state.rack_mut(&name.shelf)?;
        match rack.books.entry(name.book.clone()) {
            Entry::Occupied(_) => Err(StoreError::BookExists(name.clone())),
            Entry::Vacant(_) if full => Err(StoreError::TooManyBooks),
            Entry::Vacant(place) => {
                let created = Some(SystemTime::now().into());
                let book = Arc::new(Book {
                    name: name.to_string(),
                    create_time: created,
                    ..book
                });
                place.insert(Arc::clone(&book));
                rack.tell(Change::Added(Arc::clone(&book)));
                state.books += 1;
                Ok(book)
            }
        }
    }

    pub(crate) fn book(&self, name: &BookName) -> Result<Arc<Book>, StoreError> {
        let state = self.lock();
        let book = state.rack(&name.shelf)?.books.get(&name.book);
        book.cloned()
            .ok_or_else(|| StoreError::NoBook(name.clone()))
    }

    /// The first `limit` books of a shelf whose ids come after `after` and that `keep` keeps.
    pub(crate) fn books(
        &self,
        parent: &ShelfName,
        after: Option<&str>,
        limit: usize,
        keep: impl Fn(&Book) -> bool,
    ) -> Result<Vec<Arc<Book>>, StoreError> {
        let state = self.lock();
        let books = following(&state.rack(parent)?.books, after).map(|(_, book)| book);
        Ok(books
            .filter(|book| keep(book))
            .take(limit)
            .cloned()
            .collect())
    }

    pub(crate) fn delete_book(&self, name: &BookName) -> Result<(), StoreError> {
        let mut state = self.lock();
        let rack = state.rack_mut(&name.shelf)?;
        rack.books
            .remove(&name.book)
            .ok_or_else(|| StoreError::NoBook(name.clone()))?;
        rack.tell(Change::Removed(name.clone()));
        state.books -= 1;
        Ok(())
    }

    /// The books that stand on a shelf, and every change from then on.
    pub(crate) fn watch(
        &self,
        name: &ShelfName,
    ) -> Result<(Vec<Arc<Book>>, broadcast::Receiver<Change>), StoreError> {
        let state = self.lock();
        if state.closed {
            return Err(StoreError::Closed);
        }
        let rack = state.rack(name)?;
        // Both under the lock: no change falls between them, or into both.
        Ok((
            rack.books.values().cloned().collect(),
            rack.changes.subscribe(),
        ))
    }

    /// Ends all watches, with word of why, and lets none begin: they would hold up the end of the server.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state
            .shelves
            .values()
            .for_each(|rack| rack.tell(Change::Closed));
    }

    /// How many watch a shelf.
    #[cfg(test)]
    pub(crate) fn watchers(&self, name: &ShelfName) -> usize {
        self.lock()
            .rack(name)
            .map_or(0, |rack| rack.changes.receiver_count())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock is left half done by a panic: each change is one insertion or removal.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn rack(&self, name: &ShelfName) -> Result<&Rack, StoreError> {
        self.shelves
            .get(&name.shelf)
            .ok_or_else(|| StoreError::NoShelf(name.clone()))
    }

    fn rack_mut(&mut self, name: &ShelfName) -> Result<&mut Rack, StoreError> {
        self.shelves
            .get_mut(&name.shelf)
            .ok_or_else(|| StoreError::NoShelf(name.clone()))
    }
}

impl Rack {
    fn shelf(&self, id: &Id) -> Shelf {
        Shelf {
            name: ShelfName { shelf: id.clone() }.to_string(),
            theme: self.theme.clone(),
            create_time: Some(self.created.into()),
            // MAX_BOOKS fits.
            book_count: i32::try_from(self.books.len()).unwrap_or(i32::MAX),
        }
    }

    fn tell(&self, change: Change) {
        // An error means that nobody watches.
        let _ = self.changes.send(change);
    }
}

fn following<'a, T>(
    map: &'a BTreeMap<Id, T>,
    after: Option<&str>,
) -> impl Iterator<Item = (&'a Id, &'a T)> {
    let start = after.map_or(Bound::Unbounded, Bound::Excluded);
    map.range::<str, _>((start, Bound::Unbounded))
}
