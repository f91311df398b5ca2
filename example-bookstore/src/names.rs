//! Resource names: `shelves/{shelf}` and `shelves/{shelf}/books/{book}`.

use std::{borrow::Borrow, fmt};

/// The longest id.
const MAX_ID: usize = 63;

/// What every message about an id ends with.
const ID_RULE: &str = "an id is 1 to 63 lower-case letters, digits and hyphens, and neither starts nor ends with a hyphen";

/// The last part of a name, for example `dune`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(String);

impl Id {
    pub(crate) fn parse(text: &str) -> Result<Id, NameError> {
        let fault = if text.is_empty() {
            "it is empty".to_owned()
        } else if let Some(bad) = text
            .chars()
            .find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-'))
        {
            format!("it contains {bad:?}")
        } else if text.len() > MAX_ID {
            format!("it has {} characters", text.len())
        } else if text.starts_with('-') || text.ends_with('-') {
            "it starts or ends with a hyphen".to_owned()
        } else {
            return Ok(Id(text.to_owned()));
        };
        Err(NameError(format!(
            "{} is not an id: {fault}; {ID_RULE}",
            quoted(text)
        )))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Id {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// `shelves/{shelf}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ShelfName {
    pub(crate) shelf: Id,
}

impl ShelfName {
    pub(crate) fn parse(text: &str) -> Result<ShelfName, NameError> {
        match text.split('/').collect::<Vec<_>>()[..] {
            ["shelves", shelf] => Ok(ShelfName {
                shelf: Id::parse(shelf)?,
            }),
            _ => Err(NameError(format!(
                "{} is not a shelf's name; it looks like shelves/fiction",
                quoted(text)
            ))),
        }
    }

    /// What a person types: the name, or the id alone.
    pub(crate) fn from_argument(text: &str) -> Result<ShelfName, NameError> {
        if text.contains('/') {
            ShelfName::parse(text)
        } else {
            Ok(ShelfName {
                shelf: Id::parse(text)?,
            })
        }
    }

    pub(crate) fn book(&self, book: Id) -> BookName {
        BookName {
            shelf: self.clone(),
            book,
        }
    }
}

impl fmt::Display for ShelfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "shelves/{}", self.shelf.0)
    }
}

/// `shelves/{shelf}/books/{book}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BookName {
    pub(crate) shelf: ShelfName,
    pub(crate) book: Id,
}

impl BookName {
    pub(crate) fn parse(text: &str) -> Result<BookName, NameError> {
        match text.split('/').collect::<Vec<_>>()[..] {
            ["shelves", shelf, "books", book] => Ok(ShelfName {
                shelf: Id::parse(shelf)?,
            }
            .book(Id::parse(book)?)),
            _ => Err(NameError(format!(
                "{} is not a book's name; it looks like shelves/fiction/books/dune",
                quoted(text)
            ))),
        }
    }

    /// What a person types: the name, or `{shelf}/{book}`.
    pub(crate) fn from_argument(text: &str) -> Result<BookName, NameError> {
        match text.split('/').collect::<Vec<_>>()[..] {
            [shelf, book] => Ok(ShelfName {
                shelf: Id::parse(shelf)?,
            }
            .book(Id::parse(book)?)),
            ["shelves", _, "books", _] => BookName::parse(text),
            _ => Err(NameError(format!(
                "{} is not a book; say it as fiction/dune or shelves/fiction/books/dune",
                quoted(text)
            ))),
        }
    }
}

impl fmt::Display for BookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/books/{}", self.shelf, self.book.0)
    }
}

/// Why a text is not a name; says what one looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameError(String);

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NameError {}

/// Somebody else's text inside a message: quoted, escaped, and never long.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests;
