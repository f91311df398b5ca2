//! Calls of every kind, each told in a line.

use tonic::{Status, Streaming};

use super::outcome::{During as _, Stop, done, streamed};
use crate::{
    bookstore::{
        Book, CreateBookRequest, CreateShelfRequest, DeleteBookRequest, DeleteShelfRequest,
        GetBookRequest, ImportBooksRequest, ListBooksRequest, PriceBasketRequest, Shelf,
        ShelfEvent, WatchShelfRequest, bookstore_client::BookstoreClient, shelf_event::Event,
    },
    output::price,
};

pub(super) const SHELF: &str = "shelves/fiction";

/// The books that come and go.
pub(super) const NOVELS: [(&str, &str, &str); 4] = [
    ("middlemarch", "Middlemarch", "George Eliot"),
    ("solaris", "Solaris", "Stanisław Lem"),
    ("kindred", "Kindred", "Octavia E. Butler"),
    ("beloved", "Beloved", "Toni Morrison"),
];

pub(super) fn name(id: &str) -> String {
    format!("{SHELF}/books/{id}")
}

pub(super) async fn create_shelf(client: &BookstoreClient) -> Result<(), Stop> {
    let shelf = Some(Shelf {
        theme: "Novels".into(),
        ..Default::default()
    });
    let request = CreateShelfRequest {
        shelf_id: "fiction".into(),
        shelf,
    };
    let shelf = client
        .create_shelf(request)
        .await
        .during("CreateShelf")?
        .into_inner();
    done("CreateShelf", shelf.name)
}

pub(super) async fn delete_shelf(client: &BookstoreClient) -> Result<(), Stop> {
    let request = DeleteShelfRequest {
        name: SHELF.into(),
        force: true,
    };
    client.delete_shelf(request).await.during("DeleteShelf")?;
    done("DeleteShelf", SHELF)
}

pub(super) async fn create_book(
    client: &BookstoreClient,
    (id, title, author): (&str, &str, &str),
) -> Result<(), Stop> {
    let book = Some(book(title, author, 1250));
    let request = CreateBookRequest {
        parent: SHELF.into(),
        book_id: id.into(),
        book,
    };
    let book = client
        .create_book(request)
        .await
        .during("CreateBook")?
        .into_inner();
    done("CreateBook", book.name)
}

pub(super) async fn get_book(client: &BookstoreClient, id: &str) -> Result<(), Stop> {
    let request = GetBookRequest { name: name(id) };
    let book = client
        .get_book(request)
        .await
        .during("GetBook")?
        .into_inner();
    done("GetBook", format!("\"{}\" by {}", book.title, book.author))
}

pub(super) async fn count_books(client: &BookstoreClient) -> Result<(), Stop> {
    let request = ListBooksRequest {
        parent: SHELF.into(),
        ..Default::default()
    };
    let page = client
        .list_books(request)
        .await
        .during("ListBooks")?
        .into_inner();
    done("ListBooks", format!("{} books", page.books.len()))
}

pub(super) async fn delete_book(client: &BookstoreClient, id: &str) -> Result<(), Stop> {
    let request = DeleteBookRequest { name: name(id) };
    client.delete_book(request).await.during("DeleteBook")?;
    done("DeleteBook", name(id))
}

/// Page by page.
pub(super) async fn list_books(client: &BookstoreClient) -> Result<(), Stop> {
    let mut page_token = String::new();
    loop {
        let request = ListBooksRequest {
            parent: SHELF.into(),
            page_size: 2,
            page_token,
            ..Default::default()
        };
        let page = client
            .list_books(request)
            .await
            .during("ListBooks")?
            .into_inner();
        let titles: Vec<_> = page.books.iter().map(|book| book.title.as_str()).collect();
        page_token = page.next_page_token;
        let more = if page_token.is_empty() {
            "the last page"
        } else {
            "more to come"
        };
        done("ListBooks", format!("{}; {more}", titles.join(", ")))?;
        if page_token.is_empty() {
            return Ok(());
        }
    }
}

/// Client streaming.
pub(super) async fn import_books(client: &BookstoreClient) -> Result<(), Stop> {
    let books = [
        ("dune", book("Dune", "Frank Herbert", 995)),
        ("emma", book("Emma", "Jane Austen", 700)),
        ("momo", book("Momo", "Michael Ende", 1100)),
        ("dune", book("Dune, once more", "Frank Herbert", 995)),
    ];
    let sent = books.len();
    let requests = books.map(|(id, book)| ImportBooksRequest {
        parent: SHELF.into(),
        book_id: id.into(),
        book: Some(book),
    });
    let answer = client.import_books(tokio_stream::iter(requests)).await;
    let summary = answer.during("ImportBooks")?.into_inner();
    let reasons: Vec<_> = summary
        .refusals
        .into_iter()
        .map(|refusal| refusal.reason)
        .collect();
    let (imported, reasons) = (summary.imported_count, reasons.join("; "));
    done(
        "ImportBooks",
        format!("streamed {sent}, imported {imported}; {reasons}"),
    )
}

/// Bidirectional streaming.
pub(super) async fn price_basket(client: &BookstoreClient) -> Result<(), Stop> {
    let items = [("dune", 2), ("emma", 1), ("dune", -1)];
    let requests = items.map(|(id, quantity)| PriceBasketRequest {
        book: name(id),
        quantity,
    });
    let answer = client.price_basket(tokio_stream::iter(requests)).await;
    let mut totals = answer.during("PriceBasket")?.into_inner();
    let mut running = Vec::new();
    while let Some(line) = totals.message().await.during("PriceBasket")? {
        running.push(price(line.total_cents));
    }
    let running = running.join(", ");
    done(
        "PriceBasket",
        format!("2 Dune in, 1 Emma in, 1 Dune out; running total {running}"),
    )
}

/// Server streaming: an open watch of the shelf.
pub(super) struct Watch {
    events: Streaming<ShelfEvent>,
}

impl Watch {
    pub(super) async fn open(client: &BookstoreClient) -> Result<Watch, Stop> {
        let answer = client
            .watch_shelf(WatchShelfRequest { name: SHELF.into() })
            .await;
        let watch = Watch {
            events: answer.during("WatchShelf")?.into_inner(),
        };
        done("WatchShelf", "opened; it stays open from here on")?;
        Ok(watch)
    }

    /// Waits for the next event.
    pub(super) async fn hears(&mut self) -> Result<(), Stop> {
        let event = self.events.message().await.during("WatchShelf")?;
        let text = match event.and_then(|event| event.event) {
            Some(Event::Present(book)) => format!("{} is there", book.name),
            Some(Event::Added(book)) => format!("{} was added", book.name),
            Some(Event::Removed(name)) => format!("{name} was removed"),
            Some(Event::ShelfDeleted(name)) => format!("{name} was taken down"),
            None => return Err(Stop::Call("WatchShelf", Status::aborted("ended too early"))),
        };
        streamed("WatchShelf", text)
    }

    /// Waits for the end of the stream.
    pub(super) async fn ends(mut self) -> Result<(), Stop> {
        match self.events.message().await.during("WatchShelf")? {
            None => Ok(()),
            Some(_) => Err(Stop::Call(
                "WatchShelf",
                Status::aborted("told more than happened"),
            )),
        }
    }
}

fn book(title: &str, author: &str, price_cents: i64) -> Book {
    let (title, author) = (title.to_owned(), author.to_owned());
    Book {
        title,
        author,
        price_cents,
        copies: 3,
        ..Book::default()
    }
}
