//! Books: create, get, delete.

use super::*;
use crate::bookstore::{DeleteBookRequest, GetBookRequest};

#[tokio::test]
async fn a_book_is_what_was_created() {
    let (client, _) = with_books(&[]).await;
    let created = client.create_book(book("dune")).await.unwrap().into_inner();
    assert_eq!(created.name, "shelves/fiction/books/dune");
    assert!(created.create_time.is_some());
    let sent = book("dune").book.unwrap();
    let expected = Book {
        name: created.name.clone(),
        create_time: created.create_time,
        ..sent
    };
    assert_eq!(created, expected);
    let found = client
        .get_book(GetBookRequest { name: name("dune") })
        .await
        .unwrap();
    assert_eq!(found.into_inner(), created);
}

#[tokio::test]
async fn faulty_books_are_refused() {
    let (client, _) = with_books(&["dune"]).await;
    let no_book = CreateBookRequest {
        book: None,
        ..book("emma")
    };
    let message = "book: missing; it says at least the title";
    fails(
        client.create_book(no_book).await,
        Code::InvalidArgument,
        message,
    );
    let no_shelf = CreateBookRequest {
        parent: String::new(),
        ..book("emma")
    };
    let message = "parent: \"\" is not a shelf's name; it looks like shelves/fiction";
    fails(
        client.create_book(no_shelf).await,
        Code::InvalidArgument,
        message,
    );
    let message = "book_id: \"\" is not an id: it is empty; an id is 1 to 63 lower-case letters, digits and \
                   hyphens, and neither starts nor ends with a hyphen";
    fails(
        client.create_book(book("")).await,
        Code::InvalidArgument,
        message,
    );
    let message = "there is a book shelves/fiction/books/dune already";
    fails(
        client.create_book(book("dune")).await,
        Code::AlreadyExists,
        message,
    );
}

#[tokio::test]
async fn a_missing_book_is_named() {
    let (client, _) = with_books(&["dune"]).await;
    let get = |name: &str| client.get_book(GetBookRequest { name: name.into() });
    let delete = |name: &str| client.delete_book(DeleteBookRequest { name: name.into() });
    let message = "there is no book shelves/fiction/books/emma";
    fails(get(&name("emma")).await, Code::NotFound, message);
    fails(delete(&name("emma")).await, Code::NotFound, message);
    let message = "there is no shelf shelves/poetry";
    fails(
        get("shelves/poetry/books/dune").await,
        Code::NotFound,
        message,
    );
    fails(
        delete("shelves/poetry/books/dune").await,
        Code::NotFound,
        message,
    );
    let message = "name: \"dune\" is not a book's name; it looks like shelves/fiction/books/dune";
    fails(get("dune").await, Code::InvalidArgument, message);
    delete(&name("dune")).await.unwrap();
    fails(
        get(&name("dune")).await,
        Code::NotFound,
        "there is no book shelves/fiction/books/dune",
    );
}
