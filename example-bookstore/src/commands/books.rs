//! `books list`, `get`, `create`, `delete`, `watch`, `import`, `price`.

use std::io::Write;

use super::{Connection, import::import, write_next_page};
use crate::{
    bookstore::{
        Book, CreateBookRequest, DeleteBookRequest, GetBookRequest, ListBooksRequest,
        ListBooksResponse, PriceBasketRequest, WatchShelfRequest, shelf_event::Event,
    },
    cli::{Books, PageArgs},
    failure::Failure,
    names::{BookName, ShelfName},
    output::{Table, price, printable, time},
};

pub(crate) async fn run(connection: &Connection, command: Books) -> Result<(), Failure> {
    let client = &connection.client;
    let mut out = std::io::stdout();
    match command {
        Books::List {
            shelf,
            author,
            page,
        } => list(connection, &shelf, &author, page, &mut out).await?,
        Books::Get { book } => {
            let request = GetBookRequest {
                name: book.to_string(),
            };
            write(
                [client
                    .get_book(connection.request(request))
                    .await?
                    .into_inner()],
                &mut out,
            )?;
        }
        Books::Create {
            book,
            title,
            author,
            price,
            copies,
        } => {
            let request = CreateBookRequest {
                parent: book.shelf.to_string(),
                book_id: book.book.as_str().to_owned(),
                book: Some(Book {
                    title,
                    author,
                    price_cents: price,
                    copies,
                    ..Book::default()
                }),
            };
            write(
                [client
                    .create_book(connection.request(request))
                    .await?
                    .into_inner()],
                &mut out,
            )?;
        }
        Books::Delete { book } => {
            client
                .delete_book(connection.request(DeleteBookRequest {
                    name: book.to_string(),
                }))
                .await?;
            writeln!(out, "deleted {book}")?;
        }
        Books::Watch { shelf, limit } => watch(connection, &shelf, limit, &mut out).await?,
        Books::Import { shelf, file } => import(connection, &shelf, &file, &mut out).await?,
        Books::Price { items } => price_basket(connection, items, &mut out).await?,
    }
    Ok(())
}

async fn list(
    connection: &Connection,
    shelf: &ShelfName,
    author: &str,
    page: PageArgs,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let PageArgs {
        page_size,
        mut page_token,
        all,
    } = page;
    let mut found = Vec::new();
    loop {
        let request = ListBooksRequest {
            parent: shelf.to_string(),
            page_size,
            page_token,
            author: author.to_owned(),
        };
        let answer = connection
            .client
            .list_books(connection.request(request))
            .await?;
        let ListBooksResponse {
            books,
            next_page_token,
        } = answer.into_inner();
        found.extend(books);
        page_token = next_page_token;
        if !all || page_token.is_empty() {
            break;
        }
    }
    write(found, out)?;
    write_next_page(out, &page_token)
}

/// Prints each event as it arrives.
async fn watch(
    connection: &Connection,
    shelf: &ShelfName,
    limit: Option<usize>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let request = connection.endless(WatchShelfRequest {
        name: shelf.to_string(),
    });
    let mut events = connection.client.watch_shelf(request).await?.into_inner();
    let mut left = limit.unwrap_or(usize::MAX);
    while left > 0 {
        let Some(event) = events.message().await? else {
            break;
        };
        let line = match event.event {
            Some(Event::Present(book)) => format!("present        {}", line(&book)),
            Some(Event::Added(book)) => format!("added          {}", line(&book)),
            Some(Event::Removed(name)) => format!("removed        {name}"),
            Some(Event::ShelfDeleted(name)) => format!("shelf deleted  {name}"),
            // A newer server tells of more than this client knows.
            None => "something this program does not know of".to_owned(),
        };
        writeln!(out, "{}", printable(&line))?;
        left -= 1;
    }
    Ok(())
}

/// Prints the basket as it grows.
async fn price_basket(
    connection: &Connection,
    items: Vec<(BookName, i32)>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let items = items
        .into_iter()
        .map(|(book, quantity)| PriceBasketRequest {
            book: book.to_string(),
            quantity,
        });
    let request = connection.request(tokio_stream::iter(items.collect::<Vec<_>>()));
    let mut totals = connection.client.price_basket(request).await?.into_inner();
    let mut table = Table::new(["BOOK", "COPIES>", "PRICE>", "TOTAL>"]);
    let result = loop {
        match totals.message().await {
            Ok(Some(line)) => {
                table.row([
                    line.book,
                    line.quantity.to_string(),
                    price(line.line_cents),
                    price(line.total_cents),
                ]);
            }
            Ok(None) => break Ok(()),
            Err(status) => break Err(status.into()),
        }
    };
    // What was priced before an item failed is worth showing.
    table.write(out)?;
    result
}

fn line(book: &Book) -> String {
    let author = if book.author.is_empty() {
        "unknown"
    } else {
        &book.author
    };
    format!(
        "{}  \"{}\" by {author}, {} copies at {}",
        book.name,
        book.title,
        book.copies,
        price(book.price_cents)
    )
}

fn write(books: impl IntoIterator<Item = Book>, out: &mut impl Write) -> Result<(), Failure> {
    let mut table = Table::new(["NAME", "PRICE>", "COPIES>", "CREATED", "AUTHOR", "TITLE"]);
    for book in books {
        let (price, copies) = (price(book.price_cents), book.copies.to_string());
        table.row([
            book.name,
            price,
            copies,
            time(book.create_time),
            book.author,
            book.title,
        ]);
    }
    Ok(table.write(out)?)
}
