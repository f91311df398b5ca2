//! Server streaming, and what becomes of it when the reader stops or falls behind.

use tokio_stream::StreamExt as _;
use tonic::Streaming;

use super::*;
use crate::{
    bookstore::{
        DeleteBookRequest, DeleteShelfRequest, ShelfEvent, WatchShelfRequest, shelf_event::Event,
    },
    names::ShelfName,
};

async fn watch(client: &BookstoreClient) -> Streaming<ShelfEvent> {
    client
        .watch_shelf(WatchShelfRequest {
            name: FICTION.into(),
        })
        .await
        .unwrap()
        .into_inner()
}

async fn next(events: &mut Streaming<ShelfEvent>) -> Event {
    events.message().await.unwrap().unwrap().event.unwrap()
}

fn watchers(store: &Store) -> usize {
    store.watchers(&ShelfName::parse(FICTION).unwrap())
}

#[tokio::test]
async fn it_tells_what_is_there_then_what_changes() {
    let (client, _) = with_books(&["b", "a"]).await;
    let mut events = watch(&client).await;
    for id in ["a", "b"] {
        let Event::Present(book) = next(&mut events).await else {
            panic!("not present")
        };
        assert_eq!(book.name, name(id));
    }
    let created = client.create_book(book("c")).await.unwrap().into_inner();
    assert_eq!(next(&mut events).await, Event::Added(created));
    client
        .delete_book(DeleteBookRequest { name: name("a") })
        .await
        .unwrap();
    assert_eq!(next(&mut events).await, Event::Removed(name("a")));
    client
        .delete_shelf(DeleteShelfRequest {
            name: FICTION.into(),
            force: true,
        })
        .await
        .unwrap();
    assert_eq!(next(&mut events).await, Event::ShelfDeleted(FICTION.into()));
    assert_eq!(events.message().await.unwrap(), None);
}

#[tokio::test]
async fn it_tells_of_its_own_shelf_alone() {
    let (client, _) = with_books(&[]).await;
    client.create_shelf(shelf("poetry")).await.unwrap();
    let mut events = watch(&client).await;
    let elsewhere = CreateBookRequest {
        parent: "shelves/poetry".into(),
        ..book("odes")
    };
    client.create_book(elsewhere).await.unwrap();
    let created = client.create_book(book("dune")).await.unwrap().into_inner();
    assert_eq!(next(&mut events).await, Event::Added(created));
}

#[tokio::test]
async fn a_missing_shelf_cannot_be_watched() {
    let (client, _) = bookstore();
    let watch = client
        .watch_shelf(WatchShelfRequest {
            name: FICTION.into(),
        })
        .await;
    fails(watch, Code::NotFound, "there is no shelf shelves/fiction");
}

#[tokio::test]
async fn a_reader_that_stops_leaves_nothing_behind() {
    let (client, store) = with_books(&[]).await;
    let events = watch(&client).await;
    let others = watch(&client).await;
    assert_eq!(watchers(&store), 2);
    drop(events);
    while watchers(&store) > 1 {
        tokio::task::yield_now().await;
    }
    drop(others);
    while watchers(&store) > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_reader_that_is_too_slow_is_told_so() {
    let (client, _) = with_books(&[]).await;
    let mut events = watch(&client).await;
    // Nobody reads: neither the store nor the stream may keep all of these.
    for _ in 0..5_000 {
        client.create_book(book("dune")).await.unwrap();
        client
            .delete_book(DeleteBookRequest { name: name("dune") })
            .await
            .unwrap();
    }
    let mut told = 0;
    let status = loop {
        match events.next().await.unwrap() {
            Ok(_) => told += 1,
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::Aborted);
    assert!(
        status
            .message()
            .starts_with("this reader is too slow and has missed "),
        "{status}"
    );
    assert!(
        told < 5_000,
        "{told} events were kept for a reader that did not read"
    );
    // It may watch again.
    assert!(
        client
            .watch_shelf(WatchShelfRequest {
                name: FICTION.into()
            })
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_server_that_stops_ends_its_watches() {
    let (client, store) = with_books(&[]).await;
    let mut events = watch(&client).await;
    store.close();
    let status = events.message().await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::Unavailable, "the server is stopping; try again")
    );
    let again = client
        .watch_shelf(WatchShelfRequest {
            name: FICTION.into(),
        })
        .await;
    fails(
        again,
        Code::Unavailable,
        "the server is stopping; try again",
    );
}
