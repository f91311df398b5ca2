//! `serve`, called by clients in this process: its health, and the calls that are under way when it is told to stop.

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic_cloud_run::Channel;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    bookstore::{
        Book, CreateShelfRequest, GetBookRequest, ImportBooksRequest, PriceBasketRequest, Shelf,
        bookstore_client::BookstoreClient,
    },
    process::{Server, line},
};

fn channel(server: &Server) -> Channel {
    Channel::builder(&server.host)
        .danger_plaintext_loopback()
        .build()
        .unwrap()
}

fn item(id: &str) -> ImportBooksRequest {
    let book = Some(Book {
        title: id.to_owned(),
        copies: 1,
        ..Book::default()
    });
    ImportBooksRequest {
        parent: "shelves/fiction".into(),
        book_id: id.into(),
        book,
    }
}

async fn with_fiction(server: &Server) -> BookstoreClient {
    let client = BookstoreClient::from_channel(channel(server));
    let shelf = Some(Shelf {
        theme: "Novels".into(),
        ..Shelf::default()
    });
    client
        .create_shelf(CreateShelfRequest {
            shelf_id: "fiction".into(),
            shelf,
        })
        .await
        .unwrap();
    client
}

#[tokio::test]
async fn it_tells_its_health() {
    let server = Server::start();
    // Any tonic client runs on a channel.
    let mut health = HealthClient::new(channel(&server));
    for service in ["", "bookstore.v1.Bookstore"] {
        let answer = health
            .check(HealthCheckRequest {
                service: service.into(),
            })
            .await
            .unwrap();
        assert_eq!(answer.into_inner().status, 1, "{service} is not SERVING");
    }
    let unknown = health
        .check(HealthCheckRequest {
            service: "cinema".into(),
        })
        .await;
    assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
}

// Reading the log blocks a thread; the client's connection needs another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_under_way_may_end() {
    let mut server = Server::start();
    let client = with_fiction(&server).await;

    let (books, items) = mpsc::channel(1);
    let importing = client.clone();
    let import =
        tokio::spawn(async move { importing.import_books(ReceiverStream::new(items)).await });
    books.send(item("dune")).await.unwrap();
    // The book's arrival shows that this call has begun, an answered item that the other has.
    let name = || GetBookRequest {
        name: "shelves/fiction/books/dune".into(),
    };
    while client.get_book(name()).await.is_err() {
        tokio::task::yield_now().await;
    }
    let (basket, items) = mpsc::channel(1);
    let mut totals = client
        .price_basket(ReceiverStream::new(items))
        .await
        .unwrap()
        .into_inner();
    let dune = |quantity| PriceBasketRequest {
        book: "shelves/fiction/books/dune".into(),
        quantity,
    };
    basket.send(dune(1)).await.unwrap();
    assert_eq!(totals.message().await.unwrap().unwrap().quantity, 1);

    server.signal("TERM");
    assert!(line(&mut server.log).contains("stopping"));
    basket.send(dune(-1)).await.unwrap();
    assert_eq!(totals.message().await.unwrap().unwrap().quantity, 0);
    drop(basket);
    assert_eq!(totals.message().await.unwrap(), None);
    books.send(item("emma")).await.unwrap();
    drop(books);
    assert_eq!(
        import.await.unwrap().unwrap().into_inner().imported_count,
        2
    );

    assert_eq!(
        line(&mut server.log),
        "{\"message\":\"stopped\",\"severity\":\"INFO\"}"
    );
    assert!(server.child.wait().unwrap().success());
}
