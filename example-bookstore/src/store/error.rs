//! What the store cannot do.

use std::fmt;

use super::{MAX_BOOKS, MAX_SHELVES};
use crate::names::{BookName, ShelfName};

/// Why the store did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoreError {
    NoShelf(ShelfName),
    NoBook(BookName),
    ShelfExists(ShelfName),
    BookExists(BookName),
    ShelfNotEmpty(ShelfName, usize),
    TooManyShelves,
    TooManyBooks,
    Closed,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::NoShelf(name) => write!(f, "there is no shelf {name}"),
            StoreError::NoBook(name) => write!(f, "there is no book {name}"),
            StoreError::ShelfExists(name) => write!(f, "there is a shelf {name} already"),
            StoreError::BookExists(name) => write!(f, "there is a book {name} already"),
            StoreError::ShelfNotEmpty(name, 1) => write!(
                f,
                "a book stands on {name}; set force to take it away with the shelf"
            ),
            StoreError::ShelfNotEmpty(name, books) => {
                write!(
                    f,
                    "{books} books stand on {name}; set force to take them away with the shelf"
                )
            }
            StoreError::TooManyShelves => write!(
                f,
                "there are {MAX_SHELVES} shelves, the most this store keeps; delete one first"
            ),
            StoreError::TooManyBooks => write!(
                f,
                "there are {MAX_BOOKS} books, the most this store keeps; delete one first"
            ),
            StoreError::Closed => f.write_str("the server is stopping; try again"),
        }
    }
}

impl std::error::Error for StoreError {}
