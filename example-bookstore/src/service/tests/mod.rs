//! The service, called by its generated client in the same process.

mod basket;
mod books;
mod import;
mod pages;
mod shelves;
mod watch;

use std::sync::Arc;

use tonic::{Code, Response, Status};
use tonic_cloud_run::Channel;

use super::BookstoreService;
use crate::{
    bookstore::{
        Book, CreateBookRequest, CreateShelfRequest, Shelf, bookstore_client::BookstoreClient,
        bookstore_server::BookstoreServer,
    },
    store::Store,
};

const FICTION: &str = "shelves/fiction";

/// An empty bookstore and a client of it.
fn bookstore() -> (BookstoreClient, Arc<Store>) {
    let store = Arc::new(Store::default());
    let service = BookstoreServer::new(BookstoreService::new(Arc::clone(&store)));
    (
        BookstoreClient::from_channel(Channel::in_process(service)),
        store,
    )
}

/// A bookstore with one shelf, `shelves/fiction`, and these books on it: 9.95 each, three copies.
async fn with_books(ids: &[&str]) -> (BookstoreClient, Arc<Store>) {
    let (client, store) = bookstore();
    client.create_shelf(shelf("fiction")).await.unwrap();
    for id in ids {
        client.create_book(book(id)).await.unwrap();
    }
    (client, store)
}

fn shelf(id: &str) -> CreateShelfRequest {
    let shelf = Some(Shelf {
        theme: format!("All about {id}"),
        ..Shelf::default()
    });
    CreateShelfRequest {
        shelf_id: id.into(),
        shelf,
    }
}

fn book(id: &str) -> CreateBookRequest {
    let (title, author) = (format!("The {id}"), "Frank Herbert".to_owned());
    let book = Book {
        title,
        author,
        price_cents: 995,
        copies: 3,
        ..Book::default()
    };
    CreateBookRequest {
        parent: FICTION.into(),
        book_id: id.into(),
        book: Some(book),
    }
}

fn name(id: &str) -> String {
    format!("{FICTION}/books/{id}")
}

#[track_caller]
fn fails<T>(result: Result<Response<T>, Status>, code: Code, message: &str) {
    let Err(status) = result else {
        panic!("it went through")
    };
    assert_eq!((status.code(), status.message()), (code, message));
}
