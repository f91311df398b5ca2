//! Tests of the module above.

use proptest::prelude::*;

use super::*;

#[test]
fn names_are_what_they_print() {
    for name in ["shelves/fiction", "shelves/a", "shelves/19th-century"] {
        assert_eq!(ShelfName::parse(name).unwrap().to_string(), name);
    }
    for name in [
        "shelves/fiction/books/dune",
        "shelves/a/books/0",
        "shelves/books/books/books",
    ] {
        assert_eq!(BookName::parse(name).unwrap().to_string(), name);
    }
}

#[test]
fn arguments_may_be_short() {
    assert_eq!(
        ShelfName::from_argument("fiction").unwrap().to_string(),
        "shelves/fiction"
    );
    assert_eq!(
        ShelfName::from_argument("shelves/fiction")
            .unwrap()
            .to_string(),
        "shelves/fiction"
    );
    assert_eq!(
        BookName::from_argument("fiction/dune").unwrap().to_string(),
        "shelves/fiction/books/dune"
    );
    assert_eq!(
        BookName::from_argument("shelves/fiction/books/dune")
            .unwrap()
            .to_string(),
        "shelves/fiction/books/dune"
    );
    assert!(
        BookName::from_argument("dune")
            .unwrap_err()
            .to_string()
            .contains("say it as fiction/dune")
    );
}

#[test]
fn refusals_say_what_is_wrong() {
    let longest = "x".repeat(MAX_ID);
    assert!(Id::parse(&longest).is_ok());
    for (text, fault) in [
        ("", "it is empty"),
        ("Dune", "it contains 'D'"),
        ("du ne", "it contains ' '"),
        ("dune\n", "it contains '\\n'"),
        ("dün", "it contains 'ü'"),
        ("-dune", "it starts or ends with a hyphen"),
        ("dune-", "it starts or ends with a hyphen"),
        ("-", "it starts or ends with a hyphen"),
        (&format!("{longest}x"), "it has 64 characters"),
    ] {
        assert_eq!(
            Id::parse(text).unwrap_err().to_string(),
            format!("{text:?} is not an id: {fault}; {ID_RULE}")
        );
    }
    for text in [
        "",
        "fiction",
        "shelves",
        "/shelves/fiction",
        "shelves/fiction/",
        "shelves/fiction/books/dune",
        "books/dune",
    ] {
        let error = ShelfName::parse(text).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("{text:?} is not a shelf's name; it looks like shelves/fiction")
        );
    }
    for text in [
        "",
        "shelves/fiction",
        "shelves/fiction/books",
        "shelves/fiction/tapes/dune",
        "shelves/fiction/books/dune/",
    ] {
        let error = BookName::parse(text).unwrap_err().to_string();
        assert_eq!(
            error,
            format!("{text:?} is not a book's name; it looks like shelves/fiction/books/dune")
        );
    }
}

#[test]
fn a_long_text_is_cut_between_characters() {
    let text = "ü".repeat(100);
    assert_eq!(quoted(&text), format!("\"{}\"...", "ü".repeat(80)));
}

proptest! {
    #[test]
    fn every_valid_id_makes_a_name(shelf in "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", book in "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?") {
        let text = format!("shelves/{shelf}/books/{book}");
        let name = BookName::parse(&text).unwrap();
        prop_assert_eq!(name.shelf.shelf.as_str(), shelf);
        prop_assert_eq!(name.book.as_str(), book);
        prop_assert_eq!(name.to_string(), text);
    }

    #[test]
    fn any_text_is_refused_or_printed_back(text in "\\PC*") {
        if let Ok(name) = ShelfName::parse(&text) {
            prop_assert_eq!(name.to_string(), text.clone());
        }
        if let Ok(name) = BookName::parse(&text) {
            prop_assert_eq!(name.to_string(), text);
        }
    }
}
