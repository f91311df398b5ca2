//! What the fields of a shelf and a book must look like.

use crate::{
    bookstore::{Book, Shelf},
    names::quoted,
};

/// The longest theme, title or author, in characters.
const MAX_TEXT: usize = 200;
/// The highest price of a copy, in cents.
pub(crate) const MAX_PRICE_CENTS: i64 = 10_000_000;
/// The most copies of a book.
pub(crate) const MAX_COPIES: i32 = 1_000_000;

/// Checks a shelf that a caller sent; gives the shelf, or what is wrong.
pub(crate) fn shelf(shelf: Option<Shelf>) -> Result<Shelf, String> {
    let shelf = shelf.ok_or("shelf: missing; it says at least the theme")?;
    required_text("shelf.theme", &shelf.theme)?;
    Ok(shelf)
}

/// Checks a book that a caller sent; gives the book, or what is wrong.
pub(crate) fn book(book: Option<Book>) -> Result<Book, String> {
    let book = book.ok_or("book: missing; it says at least the title")?;
    required_text("book.title", &book.title)?;
    text("book.author", &book.author)?;
    within("book.price_cents", book.price_cents, MAX_PRICE_CENTS)?;
    within("book.copies", book.copies.into(), MAX_COPIES.into())?;
    Ok(book)
}

fn required_text(field: &str, value: &str) -> Result<(), String> {
    if value.trim().is_empty() {
        return Err(format!("{field}: empty; it is required"));
    }
    text(field, value)
}

fn text(field: &str, value: &str) -> Result<(), String> {
    let length = value.chars().count();
    if length > MAX_TEXT {
        return Err(format!(
            "{field}: it has {length} characters; {MAX_TEXT} is the most"
        ));
    }
    match value.chars().find(|c| c.is_control()) {
        Some(bad) => Err(format!(
            "{field}: {} contains the control character {bad:?}",
            quoted(value)
        )),
        None => Ok(()),
    }
}

fn within(field: &str, value: i64, most: i64) -> Result<(), String> {
    if (0..=most).contains(&value) {
        Ok(())
    } else {
        Err(format!(
            "{field}: it is {value}; it must be from 0 to {most}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dune() -> Book {
        Book {
            title: "Dune".into(),
            author: "Frank Herbert".into(),
            price_cents: 995,
            copies: 3,
            ..Book::default()
        }
    }

    #[test]
    fn the_edges_are_inside() {
        for price_cents in [0, MAX_PRICE_CENTS] {
            assert!(
                book(Some(Book {
                    price_cents,
                    ..dune()
                }))
                .is_ok()
            );
        }
        for copies in [0, MAX_COPIES] {
            assert!(book(Some(Book { copies, ..dune() })).is_ok());
        }
        assert!(
            book(Some(Book {
                title: "ü".repeat(MAX_TEXT),
                author: String::new(),
                ..dune()
            }))
            .is_ok()
        );
    }

    #[test]
    fn each_fault_names_its_field() {
        for (faulty, message) in [
            (None, "book: missing; it says at least the title"),
            (
                Some(Book {
                    title: String::new(),
                    ..dune()
                }),
                "book.title: empty; it is required",
            ),
            (
                Some(Book {
                    title: " \t".into(),
                    ..dune()
                }),
                "book.title: empty; it is required",
            ),
            (
                Some(Book {
                    title: "x".repeat(201),
                    ..dune()
                }),
                "book.title: it has 201 characters; 200 is the most",
            ),
            (
                Some(Book {
                    author: "Frank\u{1b}[31m".into(),
                    ..dune()
                }),
                "book.author: \"Frank\\u{1b}[31m\" contains the control character '\\u{1b}'",
            ),
            (
                Some(Book {
                    price_cents: -1,
                    ..dune()
                }),
                "book.price_cents: it is -1; it must be from 0 to 10000000",
            ),
            (
                Some(Book {
                    price_cents: MAX_PRICE_CENTS + 1,
                    ..dune()
                }),
                "book.price_cents: it is 10000001; it must be from 0 to 10000000",
            ),
            (
                Some(Book {
                    copies: -1,
                    ..dune()
                }),
                "book.copies: it is -1; it must be from 0 to 1000000",
            ),
            (
                Some(Book {
                    copies: MAX_COPIES + 1,
                    ..dune()
                }),
                "book.copies: it is 1000001; it must be from 0 to 1000000",
            ),
        ] {
            assert_eq!(book(faulty).unwrap_err(), message);
        }
        assert_eq!(
            shelf(None).unwrap_err(),
            "shelf: missing; it says at least the theme"
        );
        assert_eq!(
            shelf(Some(Shelf::default())).unwrap_err(),
            "shelf.theme: empty; it is required"
        );
    }
}
