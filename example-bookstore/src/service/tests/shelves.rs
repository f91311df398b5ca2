//! Shelves: create, get, delete.

use super::*;
use crate::bookstore::{DeleteShelfRequest, GetShelfRequest};

#[tokio::test]
async fn a_shelf_is_what_was_created() {
    let (client, _) = bookstore();
    let created = client
        .create_shelf(shelf("fiction"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(created.name, FICTION);
    assert_eq!(created.theme, "All about fiction");
    assert_eq!(created.book_count, 0);
    assert!(created.create_time.is_some());
    client.create_book(book("dune")).await.unwrap();
    let found = client
        .get_shelf(GetShelfRequest {
            name: FICTION.into(),
        })
        .await
        .unwrap();
    assert_eq!(
        found.into_inner(),
        Shelf {
            book_count: 1,
            ..created
        }
    );
}

#[tokio::test]
async fn what_the_server_sets_is_ignored_in_a_request() {
    let (client, _) = bookstore();
    let mut request = shelf("fiction");
    let sent = request.shelf.as_mut().unwrap();
    (sent.name, sent.book_count) = ("shelves/poetry".into(), 7);
    let created = client.create_shelf(request).await.unwrap().into_inner();
    assert_eq!((created.name.as_str(), created.book_count), (FICTION, 0));
}

#[tokio::test]
async fn faulty_shelves_are_refused() {
    let (client, _) = bookstore();
    let no_shelf = CreateShelfRequest {
        shelf: None,
        ..shelf("fiction")
    };
    let message = "shelf: missing; it says at least the theme";
    fails(
        client.create_shelf(no_shelf).await,
        Code::InvalidArgument,
        message,
    );
    let no_theme = CreateShelfRequest {
        shelf: Some(Shelf::default()),
        ..shelf("fiction")
    };
    let message = "shelf.theme: empty; it is required";
    fails(
        client.create_shelf(no_theme).await,
        Code::InvalidArgument,
        message,
    );
    let message = "shelf_id: \"Fiction\" is not an id: it contains 'F'; an id is 1 to 63 lower-case letters, \
                   digits and hyphens, and neither starts nor ends with a hyphen";
    fails(
        client.create_shelf(shelf("Fiction")).await,
        Code::InvalidArgument,
        message,
    );
    client.create_shelf(shelf("fiction")).await.unwrap();
    let message = "there is a shelf shelves/fiction already";
    fails(
        client.create_shelf(shelf("fiction")).await,
        Code::AlreadyExists,
        message,
    );
}

#[tokio::test]
async fn a_missing_shelf_is_named() {
    let (client, _) = bookstore();
    let message = "there is no shelf shelves/fiction";
    let get = client
        .get_shelf(GetShelfRequest {
            name: FICTION.into(),
        })
        .await;
    fails(get, Code::NotFound, message);
    let delete = client
        .delete_shelf(DeleteShelfRequest {
            name: FICTION.into(),
            force: true,
        })
        .await;
    fails(delete, Code::NotFound, message);
    fails(
        client.create_book(book("dune")).await,
        Code::NotFound,
        message,
    );
    let garbage = client
        .get_shelf(GetShelfRequest {
            name: "fiction".into(),
        })
        .await;
    let message = "name: \"fiction\" is not a shelf's name; it looks like shelves/fiction";
    fails(garbage, Code::InvalidArgument, message);
}

#[tokio::test]
async fn a_shelf_with_books_is_deleted_by_force_alone() {
    let (client, _) = with_books(&["dune"]).await;
    let delete = |force| {
        client.delete_shelf(DeleteShelfRequest {
            name: FICTION.into(),
            force,
        })
    };
    let message = "a book stands on shelves/fiction; set force to take it away with the shelf";
    fails(delete(false).await, Code::FailedPrecondition, message);
    client.create_book(book("emma")).await.unwrap();
    let message = "2 books stand on shelves/fiction; set force to take them away with the shelf";
    fails(delete(false).await, Code::FailedPrecondition, message);
    delete(true).await.unwrap();
    fails(
        delete(true).await,
        Code::NotFound,
        "there is no shelf shelves/fiction",
    );
    // The books are gone with it.
    client.create_shelf(shelf("fiction")).await.unwrap();
    delete(false).await.unwrap();
}

#[tokio::test]
async fn there_is_a_limit() {
    let (client, _) = bookstore();
    for number in 0..1_000 {
        client
            .create_shelf(shelf(&number.to_string()))
            .await
            .unwrap();
    }
    let message = "there are 1000 shelves, the most this store keeps; delete one first";
    fails(
        client.create_shelf(shelf("fiction")).await,
        Code::ResourceExhausted,
        message,
    );
    let message = "there is a shelf shelves/999 already";
    fails(
        client.create_shelf(shelf("999")).await,
        Code::AlreadyExists,
        message,
    );
}
