//! Client streaming.

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::*;
use crate::bookstore::{GetBookRequest, GetShelfRequest, ImportBooksRequest};

fn item(id: &str) -> ImportBooksRequest {
    let CreateBookRequest {
        parent,
        book_id,
        book,
    } = book(id);
    ImportBooksRequest {
        parent,
        book_id,
        book,
    }
}

#[tokio::test]
async fn good_books_are_imported_and_bad_ones_listed() {
    let (client, _) = with_books(&["dune"]).await;
    // Only the first has to name the shelf.
    let later = |id| ImportBooksRequest {
        parent: String::new(),
        ..item(id)
    };
    let items = [
        item("a"),
        later("b"),
        item("dune"),
        ImportBooksRequest {
            book: None,
            ..later("c")
        },
        later("D"),
    ];
    let summary = client
        .import_books(tokio_stream::iter(items))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((summary.imported_count, summary.refused_count), (2, 3));
    let refusals: Vec<_> = summary
        .refusals
        .iter()
        .map(|it| (it.index, it.book_id.as_str(), it.reason.as_str()))
        .collect();
    let no_id = "book_id: \"D\" is not an id: it contains 'D'; an id is 1 to 63 lower-case letters, digits and \
                 hyphens, and neither starts nor ends with a hyphen";
    assert_eq!(
        refusals,
        [
            (
                2,
                "dune",
                "there is a book shelves/fiction/books/dune already"
            ),
            (3, "c", "book: missing; it says at least the title"),
            (4, "D", no_id),
        ]
    );
    let shelf = client
        .get_shelf(GetShelfRequest {
            name: FICTION.into(),
        })
        .await
        .unwrap();
    assert_eq!(shelf.into_inner().book_count, 3);
}

#[tokio::test]
async fn nothing_makes_an_empty_summary() {
    let (client, _) = with_books(&[]).await;
    let summary = client
        .import_books(tokio_stream::iter([]))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((summary.imported_count, summary.refused_count), (0, 0));
}

#[tokio::test]
async fn a_long_list_of_refusals_is_cut() {
    let (client, _) = with_books(&["dune"]).await;
    let items = vec![item("dune"); 150];
    let summary = client
        .import_books(tokio_stream::iter(items))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((summary.refused_count, summary.refusals.len()), (150, 100));
}

#[tokio::test]
async fn one_call_fills_one_shelf() {
    let (client, _) = with_books(&[]).await;
    client.create_shelf(shelf("poetry")).await.unwrap();
    let other = ImportBooksRequest {
        parent: "shelves/poetry".into(),
        ..item("b")
    };
    let message = "parent: request 1 says shelves/poetry, the first said shelves/fiction; one call fills one shelf";
    let import = client
        .import_books(tokio_stream::iter([item("a"), other]))
        .await;
    fails(import, Code::InvalidArgument, message);
    // What had arrived before stays.
    client
        .get_book(GetBookRequest { name: name("a") })
        .await
        .unwrap();
}

#[tokio::test]
async fn the_shelf_must_be_there() {
    let (client, _) = bookstore();
    let import = client.import_books(tokio_stream::iter([item("a")])).await;
    fails(import, Code::NotFound, "there is no shelf shelves/fiction");
    let nowhere = ImportBooksRequest {
        parent: String::new(),
        ..item("a")
    };
    let message = "parent: \"\" is not a shelf's name; it looks like shelves/fiction";
    fails(
        client.import_books(tokio_stream::iter([nowhere])).await,
        Code::InvalidArgument,
        message,
    );
}

#[tokio::test]
async fn a_book_is_there_as_soon_as_it_arrives() {
    let (client, _) = with_books(&[]).await;
    let (sender, items) = mpsc::channel(1);
    let import = tokio::spawn({
        let client = client.clone();
        async move { client.import_books(ReceiverStream::new(items)).await }
    });
    sender.send(item("a")).await.unwrap();
    // The stream is still open: nothing but the book's arrival ends this loop.
    while client
        .get_book(GetBookRequest { name: name("a") })
        .await
        .is_err()
    {
        tokio::task::yield_now().await;
    }
    assert!(!import.is_finished());
    drop(sender);
    assert_eq!(
        import.await.unwrap().unwrap().into_inner().imported_count,
        1
    );
}
